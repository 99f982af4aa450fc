"""Running a whole pipeline on this machine: one process for each step, side by side, without repeating what is done."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from wurzel.exceptions import PreflightError, Problem
from wurzel.invocation.command import dataset, step_argv
from wurzel.invocation.digests import FileDigests
from wurzel.invocation.fingerprint import Fingerprints, always_runs, reason
from wurzel.invocation.variables import missing, secret_owners, step_environment, too_large
from wurzel.ir.features import FEATURES, used
from wurzel.runtime import slices
from wurzel.runtime.outcome import Failure, RunResult
from wurzel.runtime.processes import Command, Watch
from wurzel.runtime.progress import Event, Follower
from wurzel.runtime.schedule import Schedule
from wurzel.runtime.state import State, StateFolder, locked
from wurzel.runtime.stored import sweep, verified, written
from wurzel.runtime.supervise import Outcome, Pool, RetryPolicy, Task

if TYPE_CHECKING:
    from wurzel.ir.features import Use
    from wurzel.ir.model import Pipeline, Step

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
    run_id: str = field(default_factory=lambda: os.urandom(4).hex())
    """What log lines of this run have in common; it never gets into data."""
    wurzel: Sequence[str] = (sys.executable, "-P", "-m", "wurzel")
    """How a step's process calls wurzel, with options for every command, such as `--log-format json`.

    With `-P`, modules of the current folder do not hide those that wurzel imports.
    """


def run_pipeline(pipeline: Pipeline, options: RunOptions, follower: Follower) -> RunResult:
    """Run what has changed, as far as it goes: a failure stops only what needs the failed step.

    Raises:
        PreflightError: when settings or secrets are missing, or too large for a variable; nothing has run.
        WriteError: when folders cannot be written, or another run uses the data folder.
    """
    large = [found for step in pipeline.steps for found in too_large(pipeline, step)]
    problems = missing(pipeline, options.environ)
    problems += [Problem(found.message, pipeline.name, found.advice) for found in large]
    problems += [_not_run_yet(use, pipeline) for use in used(pipeline) if use.feature in _NOT_YET]
    if problems:
        raise PreflightError(problems)
    started = time.monotonic()
    data = options.root / pipeline.data_dir
    with locked(data), Watch() as watch, ExitStack() as last:
        run = Run(pipeline, options, follower, watch)
        sweep(data, run.schedule.steps)
        last.callback(sweep, data, run.schedule.steps)
        last.callback(run.state.close)
        last.callback(run.digests.save)
        last.callback(follower.close)
        run.execute()
    run.result.seconds = time.monotonic() - started
    return run.result


_NOT_YET = ("named_inputs", "named_outputs", "when", "fan_out")


def _not_run_yet(use: Use, pipeline: Pipeline) -> Problem:
    return Problem(f"{use.path}: `wurzel run` cannot do this yet: {FEATURES[use.feature]}", pipeline.name)


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
        self.outputs: dict[tuple[str, str], str] = {}
        self.pool = Pool(watch, options.jobs)
        self._watch = watch
        self._owners = secret_owners(pipeline, options.environ)

    def surroundings(self, step: Step) -> Mapping[str, str]:
        """Our own variables without the secrets of other steps."""
        owners, environ = self._owners, self.options.environ
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
        over = {*self.result.ran, *self.result.unchanged, *self.result.failed, *self.result.blocked}
        self.result.left = [step.id for step in self.pipeline.steps if step.id not in over]

    def unchanged(self, step: Step, output: str) -> None:
        """The step has nothing to do; `output` is the digest of its dataset's manifest."""
        self.result.unchanged.append(step.id)
        self.follower.tell(Event("unchanged", step.id, "unchanged"))
        self._go_on(step, output)

    def done(self, step: Step, output: str, seconds: float) -> None:
        """The step has written its dataset."""
        self.result.ran.append(step.id)
        self.follower.tell(Event("done", step.id, f"done in {seconds:.1f}s", seconds))
        self._go_on(step, output)

    def failed(self, step: Step, failure: Failure, seconds: float) -> None:
        """The step has failed for good, and with it everything after it."""
        self.result.failed[step.id] = failure
        self.follower.tell(Event("failed", step.id, f"failed: {failure.reason}", seconds))
        for after in self.schedule.failed(step.id):
            self.result.blocked[after.id] = step.id
            self.follower.tell(Event("blocked", after.id, f"not run, because {step.id} failed"))

    def _go_on(self, step: Step, output: str) -> None:
        self.outputs[step.id, ""] = output
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
        self._retry = RetryPolicy(step.retry.limit, step.retry.backoff, step.retry.factor, step.retry.max)
        self._inputs: dict[str, str] = {}
        self._started = 0.0
        self._slices = step.shards.max
        self._broken = False

    def task(self) -> Task:
        """The task that decides and then runs the step."""
        return self._task(self._begin, self._log(), self._ended)

    def _begin(self) -> Command | None:
        run, step = self._run, self._step
        self._started = time.monotonic()
        self._inputs = run.fingerprints.of(step, run.outputs)
        output = verified(self._folder, run.digests)
        why = self._why(output)
        if output is not None and not why:
            run.unchanged(step, output)
            return None
        run.follower.tell(Event("started", step.id, f"started ({why})"))
        if step.shards.max > 1:
            self._fan_out()
            return None
        return self._command(step_argv(run.pipeline, step), self._log())

    def _why(self, output: str | None) -> str:
        if self._run.options.force:
            return "forced"
        return always_runs(self._step) or reason(self._run.state.read(self._step.id), self._inputs, output)

    def _fan_out(self) -> None:
        slices.clear(self._folder)
        for number in range(1, self._step.shards.max + 1):
            cut = slices.options(self._folder, number, self._step.shards.max)
            argv = [*step_argv(self._run.pipeline, self._step), *cut]
            log = self._log(f".{number}-of-{self._step.shards.max}")
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
        self._slices -= 1
        if not self._slices and not self._broken:
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
        output = written(self._folder, self._run.digests)
        if output is None:
            self._fail("it ended well, but has written no complete dataset", log)
            return
        self._run.state.write(self._step.id, State(self._inputs, output))
        self._run.done(self._step, output, time.monotonic() - self._started)

    def _fail(self, why: str, log: Path | None, code: int = 1) -> None:
        self._run.failed(self._step, Failure(why, log, code), time.monotonic() - self._started)

    def _log(self, part: str = "") -> Path:
        return self._run.state.log(self._step.id, part)
