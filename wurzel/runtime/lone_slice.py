"""One slice of a step, run by itself without a store; it stays beside the others, for whoever gathers or reads them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, cast

from wurzel.datacontract.dataset import shard_folder
from wurzel.invocation.call import options
from wurzel.runtime.archive import Cut
from wurzel.runtime.decision import Decision
from wurzel.runtime.progress import Event
from wurzel.runtime.report import read_recorded
from wurzel.runtime.step_job import StepJob
from wurzel.store.names import slice_fingerprint

if TYPE_CHECKING:
    from pathlib import Path

    from wurzel.ir.model import Step
    from wurzel.runtime.local_archive import LocalArchive
    from wurzel.runtime.processes import Command
    from wurzel.runtime.run import Run


class LoneSlice(StepJob):
    """Finds or runs the slice that this run is about."""

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
