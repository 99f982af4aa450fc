"""One run of a pipeline: which steps start, into how many slices each is cut, and what became of them."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from wurzel.invocation.command import dataset, step_argv
from wurzel.invocation.digests import FileDigests
from wurzel.invocation.fingerprint import Fingerprints, always_runs, reason
from wurzel.invocation.variables import secret_owners, step_environment
from wurzel.runtime import slices
from wurzel.runtime.fanout import slice_count
from wurzel.runtime.outcome import Failure, RunResult
from wurzel.runtime.processes import Command
from wurzel.runtime.progress import Event
from wurzel.runtime.run_id import new_id
from wurzel.runtime.schedule import Schedule
from wurzel.runtime.selection import found
from wurzel.runtime.state import State, StateFolder
from wurzel.runtime.stored import verified, written
from wurzel.runtime.supervise import ONCE, Outcome, Pool, RetryPolicy, Task

if TYPE_CHECKING:
    from wurzel.ir.model import Pipeline, Step
    from wurzel.runtime.processes import Watch
    from wurzel.runtime.progress import Follower
    from wurzel.runtime.stored import Stored

_TICK = 0.2


@dataclass(frozen=True)
class RunOptions:
    """How to run a pipeline."""

    root: Path
    """The project folder: steps run in it, and relative paths start there."""
    jobs: int = 1
    force: bool = False
    state_dir: str = ".wurzel"
    environ: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    run_id: str = field(default_factory=new_id)
    """What log lines of this run have in common; it never gets into data."""
    wurzel: Sequence[str] = (sys.executable, "-P", "-m", "wurzel")
    """How a step's process calls wurzel, with options for every command, such as `--log-format json`.

    With `-P`, modules of the current folder do not hide those that wurzel imports.
    """
    only: Sequence[str] = ()
    """Ids of the steps to run, each text one or several with commas; all of them if empty."""
    shard: tuple[int, int] | None = None
    """Run slice I (from 1) of N of the only step that is run."""
    no_retry: bool = False
    """Try each step once, since the platform retries."""


class Run:
    """One run: decides which steps start, and keeps account of what became of them."""

    def __init__(self, pipeline: Pipeline, options: RunOptions, follower: Follower, watch: Watch) -> None:
        """Get ready; nothing runs before `execute`."""
        self.pipeline = pipeline
        self.options = options
        self.follower = follower
        self.result = RunResult()
        self.state = StateFolder(options.root / options.state_dir, pipeline.name)
        self.digests = FileDigests(self.state.digests)
        self.fingerprints = Fingerprints(
            pipeline,
            self.digests,
            root=options.root,
            environ=options.environ,
            not_input=[options.root / folder for folder in (pipeline.data_dir, options.state_dir)],
        )
        self.schedule = Schedule(pipeline.steps)
        self.outputs = found(pipeline, options.root)
        """Digests of datasets by step and output."""
        self.pool = Pool(watch, options.jobs)
        self._watch = watch
        self.owners = secret_owners(pipeline, options.environ)
        """Who reads the secrets in the environment."""

    def surroundings(self, step: Step) -> Mapping[str, str]:
        """Our own variables without the secrets of other steps."""
        owners, environ = self.owners, self.options.environ
        return {name: value for name, value in environ.items() if step.id in owners.get(name, (step.id,))}

    def execute(self) -> None:
        """Run until nothing is left to do."""
        if self.pipeline.timeout:
            self._watch.call_later(self.pipeline.timeout, self._expire)
        if self.follower.lively:
            self._tick()
        for step in self.schedule.first():
            self._offer(step)
        self.pool.run()
        self.result.interrupted = self._watch.interrupted
        result = self.result
        over = {*result.ran, *result.skipped, *result.unchanged, *result.failed, *result.blocked}
        self.result.left = [step.id for step in self.pipeline.steps if step.id not in over]

    def unchanged(self, step: Step, stored: Stored) -> None:
        """The step has nothing to do."""
        self.result.unchanged.append(step.id)
        self.follower.tell(Event("unchanged", step.id, "unchanged (skipped)" if stored.skipped else "unchanged"))
        self._go_on(step, stored)

    def done(self, step: Step, stored: Stored, seconds: float, *, skipped: bool) -> None:
        """The step has written its datasets, or was skipped."""
        if skipped:
            self.result.skipped.append(step.id)
            self.follower.tell(Event("skipped", step.id, "skipped", seconds))
        else:
            self.result.ran.append(step.id)
            self.follower.tell(Event("done", step.id, f"done in {seconds:.1f}s", seconds))
        self._go_on(step, stored)

    def slice_done(self, step: Step, seconds: float) -> None:
        """The slice that this run is about has been written."""
        self.result.ran.append(step.id)
        self.follower.tell(Event("done", step.id, f"done in {seconds:.1f}s", seconds))

    def failed(self, step: Step, failure: Failure, seconds: float) -> None:
        """The step has failed for good, and with it everything after it."""
        self.result.failed[step.id] = failure
        self.follower.tell(Event("failed", step.id, f"failed: {failure.reason}", seconds))
        for after in self.schedule.failed(step.id):
            self.result.blocked[after.id] = step.id
            self.follower.tell(Event("blocked", after.id, f"not run, because {step.id} failed"))

    def _go_on(self, step: Step, stored: Stored) -> None:
        self.outputs.update({(step.id, name): digest for name, digest in stored.digests.items()})
        for after in self.schedule.done(step.id):
            self._offer(after)

    def _offer(self, step: Step) -> None:
        self.pool.submit(StepJob(self, step).task())

    def _expire(self) -> None:
        self.result.late = True
        self._watch.stop()

    def _tick(self) -> None:
        self._watch.call_later(_TICK, self._tick)
        self.follower.tick()


class StepJob:
    """Decides whether its step must run, starts it, and remembers what it ran with."""

    def __init__(self, run: Run, step: Step) -> None:
        """Belong to `run`."""
        self._run = run
        self._step = step
        self._folder = run.options.root / dataset(run.pipeline, step.id)
        self._outputs = [port.name for port in step.outputs]
        self._retry = ONCE if run.options.no_retry else RetryPolicy(*step.retry.model_dump().values())
        self._inputs: dict[str, str] = {}
        self._started = 0.0
        self._waiting = 0
        self._broken = False

    def task(self) -> Task:
        """The task that decides and then runs the step."""
        return self._task(self._begin, self._log(), self._ended)

    def _begin(self) -> Command | None:
        run, step = self._run, self._step
        self._started = time.monotonic()
        if run.options.shard is not None:
            return self._one_slice(*run.options.shard)
        self._inputs = run.fingerprints.of(step, run.outputs)
        stored = verified(self._folder, self._outputs, run.digests)
        why = self._why(stored)
        if stored is not None and not why:
            run.unchanged(step, stored)
            return None
        count = slice_count(run.pipeline, step, run.options.root)
        into = f"; {count} slices" if step.shards.items is not None and count > 1 else ""
        run.follower.tell(Event("started", step.id, f"started ({why}{into})"))
        if count > 1:
            self._fan_out(count)
            return None
        return self._command([*step_argv(run.pipeline, step), *self._reporting()], self._log())

    def _why(self, stored: Stored | None) -> str:
        if self._run.options.force:
            return "forced"
        output = None if stored is None else stored.digest
        return always_runs(self._step) or reason(self._run.state.read(self._step.id), self._inputs, output)

    def _one_slice(self, number: int, of: int) -> Command:
        """The slice that this run is about; it stays beside the others, for whoever gathers or reads them."""
        self._run.follower.tell(Event("started", self._step.id, f"started (slice {number} of {of})"))
        self._outputs = [f"shard-{number}-of-{of}/{name}" for name in self._outputs]
        return self._command([*step_argv(self._run.pipeline, self._step), "--shard", f"{number}/{of}"], self._log())

    def _fan_out(self, count: int) -> None:
        self._waiting = count
        slices.clear(self._folder)
        for number in range(1, count + 1):
            cut = slices.options(self._folder, number, count)
            argv = [*step_argv(self._run.pipeline, self._step), *cut]
            log = self._log(f".{number}-of-{count}")
            make = partial(self._slice, argv, log)
            self._run.pool.submit(self._task(make, log, self._slice_ended))

    def _slice(self, argv: Sequence[str], log: Path) -> Command | None:
        return None if self._broken else self._command(argv, log)

    def _slice_ended(self, log: Path, outcome: Outcome) -> None:
        if outcome.code:
            if not self._broken:
                self._broken = True
                self._ended(log, outcome)
            return
        self._waiting -= 1
        if not self._waiting and not self._broken:
            self._run.pool.submit(self._task(self._gather, self._log(), self._ended))

    def _gather(self) -> Command:
        return replace(self._command([], self._log()), argv=slices.assembling(self._folder))

    def _command(self, argv: Sequence[str], log: Path) -> Command:
        run, step = self._run, self._step
        log.unlink(missing_ok=True)
        env = step_environment(run.pipeline, step, run.surroundings(step))
        env.setdefault("PYTHONUNBUFFERED", "1")  # what a step prints is in its log at once
        env |= {"WURZEL_PIPELINE": run.pipeline.name, "WURZEL_RUN_ID": run.options.run_id}
        return Command([*run.options.wurzel, *argv[1:]], env, run.options.root, log, step.timeout or None)

    def _task(self, make: Callable[[], Command | None], log: Path, ended: Callable[[Path, Outcome], None]) -> Task:
        order = self._run.schedule.order[self._step.id]
        return Task(make, partial(ended, log), self._retry, order, partial(self._tell_retry, log))

    def _tell_retry(self, log: Path, why: str, wait: float) -> None:
        text = f"{why}; trying again{f' in {wait:g}s' if wait else ''}"
        with contextlib.suppress(OSError), log.open("a", encoding="utf-8") as file:
            file.write(f"--- {text} ---\n")
        self._run.follower.tell(Event("retry", self._step.id, text))

    def _ended(self, log: Path, outcome: Outcome) -> None:
        if outcome.stopped:
            return
        if outcome.code:
            tries = f" ({outcome.tries} tries)" if outcome.tries > 1 else ""
            self._fail(f"{outcome.reason}{tries}", log if log.exists() else None, outcome.code)
            return
        if self._run.options.shard is not None:
            self._run.slice_done(self._step, time.monotonic() - self._started)
            return
        stored = written(self._folder, self._outputs, self._run.digests)
        if stored is None:
            self._fail("exited 0 but wrote no complete dataset", log)
            return
        self._run.state.write(self._step.id, State(self._inputs, stored.digest))
        skipped = stored.skipped or self._reported_skipped()
        self._run.done(self._step, stored, time.monotonic() - self._started, skipped=skipped)

    def _reporting(self) -> list[str]:
        """A report of a step that keeps its last output where it is skipped: nothing else tells that it was."""
        if not (self._step.self_consuming and self._step.when):
            return []
        self._report.unlink(missing_ok=True)
        return ["--report", str(self._report)]

    def _reported_skipped(self) -> bool:
        if not (self._step.self_consuming and self._step.when):
            return False
        try:
            return bool(json.loads(self._report.read_bytes()).get("skipped"))
        except (OSError, ValueError):
            return False

    @property
    def _report(self) -> Path:
        return self._log().with_suffix(".report.json").absolute()

    def _fail(self, why: str, log: Path | None, code: int = 1) -> None:
        self._run.failed(self._step, Failure(why, log, code), time.monotonic() - self._started)

    def _log(self, part: str = "") -> Path:
        return self._run.state.log(self._step.id, part)
