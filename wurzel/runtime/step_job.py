"""One step of a run: handed over from the data folder or the cache, or run, whole or in slices."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from wurzel.datacontract.writer import check_ours
from wurzel.exceptions import DatasetError
from wurzel.invocation.command import dataset, step_argv
from wurzel.invocation.fingerprint import always_runs
from wurzel.invocation.variables import step_environment
from wurzel.runtime import slices
from wurzel.runtime.cache import Entry, slice_key
from wurzel.runtime.fanout import slice_count
from wurzel.runtime.outcome import Failure
from wurzel.runtime.processes import Command
from wurzel.runtime.progress import Event
from wurzel.runtime.report import read_recorded, write_recorded
from wurzel.runtime.room import need_of
from wurzel.runtime.stored import Stored, manifests_in, written
from wurzel.runtime.supervise import ONCE, Outcome, RetryPolicy, Task

if TYPE_CHECKING:
    from wurzel.ir.model import Step
    from wurzel.runtime.run import Run


class StepJob:
    """Decides whether its step must run, starts it, and remembers what it ran with."""

    def __init__(self, run: Run, step: Step) -> None:
        """Belong to `run`."""
        self._run = run
        self._step = step
        self._folder = run.options.root / dataset(run.pipeline, step.id)
        self._outputs = [port.name for port in step.outputs]
        self._retry = ONCE if run.options.no_retry else RetryPolicy(*step.retry.model_dump().values())
        self._inputs: Mapping[str, str] = {}
        self._key = ""
        self._cacheable = False
        self._started = 0.0
        self._waiting = 0
        self._count = 0
        self._broken = False

    def task(self) -> Task:
        """The task that decides and then runs the step."""
        return self._task(self._begin, self._log(), self._ended)

    def _begin(self) -> Command | None:
        run, step = self._run, self._step
        self._started = time.monotonic()
        if run.options.shard is not None:
            return self._one_slice(*run.options.shard)
        decision = run.decider.of(step, self._folder, run.outputs)
        self._inputs, self._key, self._cacheable = decision.inputs, decision.key, decision.cacheable
        if decision.unchanged is not None:
            self._hand_over(decision.unchanged)
            return None
        if decision.cached is not None and (restored := self._restored(decision.cached)) is not None:
            self._hand_over(restored, cached=True)
            return None
        count = slice_count(run.pipeline, step, run.options.root)
        into = f"; {count} slices" if step.shards.items is not None and count > 1 else ""
        run.follower.tell(Event("started", step.id, f"started ({decision.why}{into})"))
        if count > 1:
            self._fan_out(count)
            return None
        return self._command([*step_argv(run.pipeline, step), *self._keeping()], self._log())

    def _restored(self, entry: Entry) -> Stored | None:
        """The datasets of an entry, now in the data folder."""
        cache = self._run.cache
        retired = cache.retired(self._step.id)
        if not _replaceable(self._folder) or not cache.restore(entry, self._folder, retired):
            return None
        cache.take(retired, [*entry.datasets.values()])
        return written(self._folder, self._outputs, self._run.digests)

    def _hand_over(self, stored: Stored, *, cached: bool = False) -> None:
        """Go on with datasets that are in the data folder, and with the report of when they were made."""
        run, step = self._run, self._step
        entry = run.cache.find(self._key)
        if entry is not None:
            run.cache.handed_over(step.id, self._key)
            write_recorded(run.state.report(step.id), {**entry.report, "cached": True})
        run.unchanged(step, stored, cached=cached)

    def _one_slice(self, number: int, of: int) -> Command:
        """The slice that this run is about; it stays beside the others, for whoever gathers or reads them."""
        self._run.follower.tell(Event("started", self._step.id, f"started (slice {number} of {of})"))
        self._outputs = [f"shard-{number}-of-{of}/{name}" for name in self._outputs]
        return self._command([*step_argv(self._run.pipeline, self._step), "--shard", f"{number}/{of}"], self._log())

    def _fan_out(self, count: int) -> None:
        """Run the slices that the cache does not have, then put all of them together."""
        self._count = count
        slices.clear(self._folder)
        todo = [number for number in range(1, count + 1) if not self._restored_slice(number)]
        self._waiting = len(todo)
        for number in todo:
            cut = slices.options(self._folder, number, count, report=True)
            argv = [*step_argv(self._run.pipeline, self._step), *cut]
            log = self._log(f".{number}-of-{count}")
            make = partial(self._slice, argv, log)
            self._run.pool.submit(self._task(make, log, partial(self._slice_ended, number)))
        if not todo:
            self._run.pool.submit(self._task(self._gather, self._log(), self._ended))

    def _restored_slice(self, number: int) -> bool:
        """Whether the cache has this slice; it is then beside the others."""
        cache = self._run.cache
        if not self._cacheable or self._run.options.force:
            return False
        entry = cache.find(slice_key(self._key, number, self._count))
        folder = slices.folder(self._folder, number, self._count)
        if entry is None or not cache.restore(entry, folder):
            return False
        write_recorded(folder / slices.REPORT, entry.report)
        return True

    def _slice(self, argv: Sequence[str], log: Path) -> Command | None:
        return None if self._broken else self._command(argv, log)

    def _slice_ended(self, number: int, log: Path, outcome: Outcome) -> None:
        if outcome.code:
            if not self._broken:
                self._broken = True
                self._ended(log, outcome)
            return
        self._keep_slice(number)
        self._waiting -= 1
        if not self._waiting and not self._broken:
            self._run.pool.submit(self._task(self._gather, self._log(), self._ended))

    def _keep_slice(self, number: int) -> None:
        """An entry of the slice, so that it is not run again if another one fails."""
        folder = slices.folder(self._folder, number, self._count)
        manifests = manifests_in(folder, self._outputs)
        if self._cacheable and manifests is not None:
            key, name = slice_key(self._key, number, self._count), f"{self._step.id} {number}/{self._count}"
            self._run.cache.write(Entry(key, name, self._inputs, manifests, read_recorded(folder / slices.REPORT)))

    def _gather(self) -> Command:
        retired = self._run.cache.retired(self._step.id)
        argv = slices.assembling(self._folder, self._run.state.report(self._step.id), retired)
        return replace(self._command([], self._log()), argv=argv)

    def _command(self, argv: Sequence[str], log: Path) -> Command:
        run, step = self._run, self._step
        log.unlink(missing_ok=True)
        env = step_environment(run.pipeline, step, run.surroundings(step))
        env.setdefault("PYTHONUNBUFFERED", "1")  # what a step prints is in its log at once
        env |= {"WURZEL_PIPELINE": run.pipeline.name, "WURZEL_RUN_ID": run.options.run_id}
        return Command([*run.options.wurzel, *argv[1:]], env, run.options.root, log, step.timeout or None)

    def _task(self, make: Callable[[], Command | None], log: Path, ended: Callable[[Path, Outcome], None]) -> Task:
        run, step = self._run, self._step

        def over(outcome: Outcome) -> None:
            run.memory[step.id] = max(run.memory[step.id], outcome.memory)
            ended(log, outcome)

        told = partial(self._tell_retry, log)
        return Task(make, over, self._retry, run.schedule.order[step.id], told, need_of(step.resources))

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
        self._remember()
        skipped = stored.skipped or bool(read_recorded(self._run.state.report(self._step.id)).get("skipped"))
        self._run.done(self._step, stored, time.monotonic() - self._started, skipped=skipped)

    def _remember(self) -> None:
        """Write the entry of what is in the data folder now, and keep what it has replaced."""
        cache, step_id = self._run.cache, self._step.id
        manifests = manifests_in(self._folder, self._outputs) or {}
        report = read_recorded(self._run.state.report(step_id))
        write_recorded(self._run.state.report(step_id), report)  # for its owner alone
        if not always_runs(self._step):
            cache.write(Entry(self._key, step_id, self._inputs, manifests, report))
            cache.handed_over(step_id, self._key)
        cache.take(cache.folder_of_retired(step_id), [*manifests.values()])
        for number in range(1, self._count + 1):
            cache.forget(slice_key(self._key, number, self._count))

    def _keeping(self) -> list[str]:
        """Options for a report, and for what is replaced to be kept."""
        run, step = self._run, self._step
        report = run.state.report(step.id)
        report.unlink(missing_ok=True)
        keep = [] if always_runs(step) else ["--retire", str(run.cache.retired(step.id).absolute())]
        return ["--report", str(report.absolute()), *keep]

    def _fail(self, why: str, log: Path | None, code: int = 1) -> None:
        self._run.failed(self._step, Failure(why, log, code), time.monotonic() - self._started)

    def _log(self, part: str = "") -> Path:
        return self._run.state.log(self._step.id, part)


def _replaceable(folder: Path) -> bool:
    """Whether nothing but a dataset is there; otherwise the step runs, and says what is."""
    try:
        check_ours(folder)
    except DatasetError:
        return False
    return True
