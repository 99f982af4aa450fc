"""One slice of a step, as a job by itself: in a run with a store, whose last slice joins all, or without one."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, cast

from wurzel.datacontract.dataset import shard_folder
from wurzel.invocation.call import options
from wurzel.invocation.command import cut_edges
from wurzel.runtime import slices
from wurzel.runtime.archive import Cut
from wurzel.runtime.calls import shard_bounds
from wurzel.runtime.decision import Decision
from wurzel.runtime.fanout import slices_for
from wurzel.runtime.progress import Event
from wurzel.runtime.report import read_recorded
from wurzel.runtime.step_job import StepJob
from wurzel.store.names import slice_fingerprint

if TYPE_CHECKING:
    from pathlib import Path

    from wurzel.ir.model import Step
    from wurzel.runtime.archive import Key
    from wurzel.runtime.local_archive import LocalArchive
    from wurzel.runtime.processes import Command
    from wurzel.runtime.run import Run
    from wurzel.runtime.store_archive import StoreArchive
    from wurzel.store.records import Entry

_GATHERED = "; put all slices together"


class SliceJob(StepJob):
    """Finds, or runs, and hands over the slice that this run, which has a store, is about."""

    def __init__(self, run: Run, step: Step, shard: tuple[int, int]) -> None:
        """Belong to `run`, which keeps its results in a store."""
        super().__init__(run, step)
        self._store = cast("StoreArchive", run.archive)
        number, started = shard  # the data may have fewer slices than the platform starts
        self._cut = Cut(number, slices_for(started, step.shards.items, lambda: self._store.items(step)))
        self._stage = self._store.stage(step)

    def _begin(self) -> Command | None:
        self.started = time.monotonic()
        if self._cut.number > self._cut.of:
            self.run.slice_unchanged(
                self.step, f"nothing to do: the data has only {self._cut.of} slice{'s' * (self._cut.of > 1)}"
            )
            return None
        return self._ask()

    def _decided(self, decision: Decision) -> Command | None:
        self.decision, self._why = decision, decision.why
        if decision.entry is not None:
            whole = partial(self._store.hand_over, self.step, decision.entry)
            return self.after(whole, lambda _: self._unchanged(False))
        return self.after(self._look_up, self._found)

    def _look_up(self) -> Entry | None:
        question = self.decision.question
        if not question.cacheable or self.run.options.force:
            return None
        return self._store.find(self.step, slice_fingerprint(question.key, *self._cut))

    def _found(self, entry: Entry | None) -> Command | None:
        if entry is None:
            return self._must_run()
        give = partial(self._store.hand_over_slice, self.step, entry, self._cut, self.decision.question)
        return self.after(give, self._unchanged)

    def _must_run(self) -> Command | None:
        lacking = self._store.lacking(self.step)
        fetch = partial(self._store.fetch, self.step, lacking, self._needed())
        return self.after(fetch, self._launch, launches=True)

    def _needed(self) -> dict[Key, set[str]]:
        """The parts that the slice reads of the input that is cut, where these can be told."""
        step, edges = self.step, cut_edges(self.step)
        datasets = [((edge.step, edge.output), self._store.data[edge.step, edge.output].manifest) for edge in edges]
        parts = [(key, part) for key, manifest in datasets for part in manifest.parts]
        files = any(part.ordinal is not None for _, part in parts)
        sets = len(datasets) > 1 and any("set" in manifest.containers for _, manifest in datasets)
        if step.when or files or sets:  # it may be asked with all of its input, or a part says nothing of its place
            return {}
        start, stop = shard_bounds(sum(part.items for _, part in parts), step.shards.items, self._cut)
        needed: dict[Key, set[str]] = {key: set() for key, _ in datasets}
        first = 0
        for key, part in parts:
            if first < stop and start < first + part.items:
                needed[key].add(part.name)
            first += part.items
        return needed

    def _launch(self, _: None) -> Command:
        number, of = self._cut
        self.run.tell(Event("started", self.step.id, f"started ({self._why}; slice {number} of {of})"))
        slices.clear(self._stage)
        cut = slices.options(self._stage, number, of, report=True)
        return self.command(self.words(cut), self.log())

    def finished(self, log: Path) -> None:
        """The slice is to be kept."""
        number, of = self._cut
        folder = slices.folder(self._stage, number, of)
        key = slice_fingerprint(self.answered().key, number, of)
        report = read_recorded(folder / slices.REPORT)
        made = self.made(key, f"{self.step.id} {number}/{of}", folder, report)
        if not made.datasets:
            self.fail("exited 0 but wrote no complete dataset", log)
            return
        self.after(partial(self._keep, made, folder), self._kept_slice)

    def _keep(self, made: Entry, folder: Path) -> bool:
        question = self.decision.question
        entry = self._store.store_slice(made, folder, cacheable=question.cacheable)
        slices.clear(self._stage)
        return self._store.hand_over_slice(self.step, entry, self._cut, question)

    def _unchanged(self, gathered: bool) -> None:
        self.run.slice_unchanged(self.step, f"unchanged (from the store){_GATHERED * gathered}")

    def _kept_slice(self, gathered: bool) -> None:
        self.run.slice_done(self.step, time.monotonic() - self.started, _GATHERED * gathered)


class LoneSlice(StepJob):
    """Finds or runs a slice without a store; it stays beside the others, for whoever gathers or reads them."""

    def __init__(self, run: Run, step: Step, shard: tuple[int, int]) -> None:
        """Belong to `run`, which keeps its results on this machine."""
        super().__init__(run, step)
        self._archive = cast("LocalArchive", run.archive)
        self._cut = Cut(*shard)
        self._name = "{}.{}-of-{}".format(step.id, *shard)
        self._home = shard_folder(self.folder, *shard)

    def _begin(self) -> Command | None:
        self.started = time.monotonic()
        number, of = self._cut
        question = self.run.decider.ask(self.step, self.run.outputs)
        question = question._replace(key=slice_fingerprint(question.key, number, of))
        self.decision = Decision(question, None, "")
        if question.cacheable and not self.run.options.force and self._found():
            self.run.slice_unchanged(self.step, f"unchanged (slice {number} of {of})")
            return None
        self.run.tell(Event("started", self.step.id, f"started (slice {number} of {of})"))
        retire = self._archive.retiring_as(self._name) if question.cacheable else None
        cut = options(shard=f"{number}/{of}", report=self.fresh_report(self._name), retire=retire)
        return self.command(self.words(cut), self.log())

    def _found(self) -> bool:
        return self._archive.reuse_slice(self.step, self.decision.question.key, self._cut, self.run.digests)

    def finished(self, log: Path) -> None:
        """The slice is to be kept."""
        number, of = self._cut
        report = read_recorded(self.run.state.report(self._name))
        made = self.made(self.decision.question.key, f"{self.step.id} {number}/{of}", self._home, report)
        if not made.datasets:
            self.fail("exited 0 but wrote no complete dataset", log)
            return
        if self.decision.question.cacheable:
            self._archive.keep_lone_slice(made, self._name)
        self.run.slice_done(self.step, time.monotonic() - self.started)
