"""Running a whole pipeline on this machine: one process for each step, side by side, without repeating what is done."""

from __future__ import annotations

import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

from wurzel.exceptions import PreflightError, Problem
from wurzel.invocation.variables import missing, too_large
from wurzel.runtime.options import RunOptions
from wurzel.runtime.processes import Watch
from wurzel.runtime.recording import Recording
from wurzel.runtime.run import Run
from wurzel.runtime.selection import chosen
from wurzel.runtime.state import locked
from wurzel.runtime.step_job import StepJob
from wurzel.runtime.stored import sweep

if TYPE_CHECKING:
    from wurzel.ir.model import Pipeline, Step
    from wurzel.runtime.outcome import RunResult
    from wurzel.runtime.progress import Follower
    from wurzel.runtime.supervise import Task

__all__ = ["RunOptions", "run_pipeline"]


def run_pipeline(pipeline: Pipeline, options: RunOptions, follower: Follower) -> RunResult:
    """Run what has changed, as far as it goes: a failure stops only what needs the failed step.

    Raises `PreflightError` when settings, secrets or datasets of other steps are missing, or values too large for a
    variable; nothing has run; `UsageError` when there is no such step; `WriteError` when folders cannot be written, or
    another run uses the data folder.
    """
    whole, pipeline = pipeline, chosen(pipeline, options.only)
    large = [value for step in pipeline.steps for value in too_large(pipeline, step)]
    problems = missing(pipeline, options.environ)
    problems += [Problem(value.message, pipeline.name, value.advice) for value in large]
    if problems:
        raise PreflightError(problems)
    started = time.monotonic()
    data = options.root / pipeline.data_dir
    # Signals are noted before the lock is taken, and after it is removed: whoever ends the run, no lock is left behind.
    with _watch(options) as watch, locked(data, _parts(pipeline, options)), ExitStack() as last:
        recording = Recording(options.root / options.state_dir / pipeline.name, pipeline, options)
        run = Run(pipeline, whole, options, follower, watch, _task)
        last.callback(recording.close)
        recording.begin()
        run.keep_log, run.note = recording.keep_log, recording.note
        sweep(data, run.schedule.steps, run.archive.keep_left)
        last.callback(run.archive.close, run.schedule.steps)
        last.callback(sweep, data, run.schedule.steps, run.archive.keep_left)
        last.callback(run.digests.save)
        last.callback(follower.close)
        run.execute()
        run.conclude(pipeline.steps)
        run.result.seconds = time.monotonic() - started
        written = (data, options.root / options.state_dir)
        run.result.files, run.result.written = run.digests.read_outside(*written), [str(path) for path in written]
        recording.over(run)
    return run.result


def _watch(options: RunOptions) -> Watch:
    """What runs steps: in processes, or in this one."""
    if not options.in_process:
        return Watch()
    from wurzel.runtime.here import Here

    return Here()


def _task(run: Run, step: Step) -> Task:
    """What runs a step, or the slice of it that the run is about."""
    if run.options.shard is None:
        return StepJob(run, step).task()
    from wurzel.runtime.slice_job import LoneSlice, SliceJob

    return (LoneSlice if run.options.store is None else SliceJob)(run, step, run.options.shard).task()


def _parts(pipeline: Pipeline, options: RunOptions) -> list[str]:
    part = ".{}-of-{}".format(*options.shard) if options.shard else ""
    return [f"{step.id}{part}" for step in pipeline.steps] if options.only else []
