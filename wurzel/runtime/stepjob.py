"""One step on its way through a run: what is unchanged is skipped, the rest runs whole or in slices."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from wurzel.backends.command import dataset, step_argv
from wurzel.runtime.environment import step_environment
from wurzel.runtime.fingerprint import reason
from wurzel.runtime.outcome import Failure
from wurzel.runtime.processes import Command
from wurzel.runtime.progress import Event
from wurzel.runtime.slices import assembling, clear, options
from wurzel.runtime.state import State
from wurzel.runtime.stored import verified, written
from wurzel.runtime.supervise import Outcome, RetryPolicy, Task

if TYPE_CHECKING:
    from wurzel.ir.model import Step
    from wurzel.runtime.pipeline import Run


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
        self._slices = step.shards
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
        if step.shards > 1:
            self._fan_out()
            return None
        return self._command(step_argv(run.pipeline, step), self._log())

    def _why(self, output: str | None) -> str:
        if self._run.options.force:
            return "forced"
        if self._step.polls:
            return "reads an outside source"
        return reason(self._run.state.read(self._step.id), self._inputs, output)

    def _fan_out(self) -> None:
        clear(self._folder)
        for number in range(1, self._step.shards + 1):
            cut = options(self._folder, number, self._step.shards)
            argv = [*step_argv(self._run.pipeline, self._step), *cut]
            log = self._log(f".{number}-of-{self._step.shards}")
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
        return replace(self._command([], self._log()), argv=assembling(self._folder))

    def _command(self, argv: Sequence[str], log: Path) -> Command:
        run, step = self._run, self._step
        log.unlink(missing_ok=True)
        env = step_environment(run.pipeline, step, run.options.environ)
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
