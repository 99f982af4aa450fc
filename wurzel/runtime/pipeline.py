"""Running a whole pipeline on this machine: one process for each step, side by side, without repeating what is done."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from wurzel.exceptions import PreflightError
from wurzel.runtime.digests import FileDigests
from wurzel.runtime.environment import missing
from wurzel.runtime.fingerprint import Fingerprints
from wurzel.runtime.outcome import Failure, RunResult
from wurzel.runtime.processes import Watch
from wurzel.runtime.progress import Event, Follower
from wurzel.runtime.schedule import Schedule
from wurzel.runtime.state import StateFolder, locked
from wurzel.runtime.stepjob import StepJob
from wurzel.runtime.stored import sweep
from wurzel.runtime.supervise import Pool

if TYPE_CHECKING:
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
    wurzel: Sequence[str] = (sys.executable, "-m", "wurzel")
    """How a step's process calls wurzel, with options for every command, such as `--log-format json`."""


def run_pipeline(pipeline: Pipeline, options: RunOptions, follower: Follower) -> RunResult:
    """Run what has changed, as far as it goes: a failure stops only what needs the failed step.

    Raises:
        PreflightError: when settings or secrets are missing; nothing has run.
        WriteError: when folders cannot be written, or another run uses the data folder.
    """
    problems = missing(pipeline, options.environ)
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
        self.fingerprints = Fingerprints(pipeline, options, self.digests)
        self.schedule = Schedule(pipeline.steps)
        self.outputs: dict[str, str] = {}
        self.pool = Pool(watch, options.jobs)
        self._watch = watch

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
        self.outputs[step.id] = output
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
