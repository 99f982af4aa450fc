"""A step of a run in slices: those that were kept are restored, the others run side by side, and all become one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

from wurzel.runtime import slices
from wurzel.runtime.archive import Cut
from wurzel.runtime.report import read_recorded
from wurzel.store.names import slice_fingerprint

if TYPE_CHECKING:
    from wurzel.ir.model import Step
    from wurzel.runtime.decision import Decision, Question
    from wurzel.runtime.processes import Command
    from wurzel.runtime.run import Run
    from wurzel.runtime.supervise import Outcome, Task
    from wurzel.store.records import Entry

    Make = Callable[[], "Command | None"]


T = TypeVar("T")


class Whole(Protocol):
    """The job of the whole step; see `StepJob`."""

    run: Run
    step: Step
    folder: Path
    decision: Decision

    def after(self, work: Callable[[], T], go_on: Callable[[T], Command | None]) -> Command | None:
        """Do what may wait for a server, and go on with what it gives."""

    def words(self, more: Sequence[str]) -> list[str]:
        """What runs the step, with further options."""

    def command(self, argv: Sequence[str], log: Path) -> Command:
        """What runs some words for the step."""

    def make_task(self, make: Make, log: Path, ended: Callable[[Path, Outcome], None]) -> Task:
        """A task for the step."""

    def log(self, part: str = "") -> Path:
        """The log of the step, or of a slice."""

    def ended(self, log: Path, outcome: Outcome) -> None:
        """The step, or what puts its slices together, has ended."""

    def answered(self) -> Question:
        """The question that has been answered, once a process has ended."""

    def made(self, key: str, name: str, folder: Path, report: dict[str, object]) -> Entry:
        """The result that a slice has written into a folder."""


class Sliced:
    """The slices of a step, beside the data folder until they are put together."""

    def __init__(self, job: Whole, count: int) -> None:
        """Belong to the job of the whole step."""
        self._job = job
        self._count = count
        self._waiting = 0
        self._broken = False

    def start(self) -> None:
        """Run the slices that were not kept, then put all of them together."""
        slices.clear(self._job.folder)
        self._job.run.slices[self._job.step.id] = (0, self._count)
        self._job.after(self._restore, self._run)

    def _restore(self) -> list[int]:
        """Numbers of the slices that have to run; the others are there."""
        job, numbers = self._job, range(1, self._count + 1)
        question = job.decision.question
        if not question.cacheable or job.run.options.force:
            return [*numbers]
        restore = partial(job.run.archive.restore_slice, job.step, question.key)
        return [number for number in numbers if not restore(Cut(number, self._count))]

    def _run(self, todo: list[int]) -> None:
        job = self._job
        self._waiting = len(todo)
        self._tell()
        for number in todo:
            log = job.log(f".{number}-of-{self._count}")
            job.run.pool.submit(job.make_task(partial(self._slice, number, log), log, partial(self._ended, number)))
        if not todo:
            self._put_together()

    def _slice(self, number: int, log: Path) -> Command | None:
        if self._broken:
            return None
        cut = slices.options(self._job.folder, number, self._count, report=True)
        return self._job.command(self._job.words(cut), log)

    def _ended(self, number: int, log: Path, outcome: Outcome) -> None:
        if outcome.code:
            if not self._broken:
                self._broken = True
                self._job.ended(log, outcome)
            return
        job, question = self._job, self._job.answered()
        folder = slices.folder(job.folder, number, self._count)
        name, report = f"{job.step.id} {number}/{self._count}", read_recorded(folder / slices.REPORT)
        made = job.made(slice_fingerprint(question.key, number, self._count), name, folder, report)
        if not question.cacheable or not made.datasets:
            self._one_less(None)
        else:
            job.after(partial(job.run.archive.keep_slice, job.step, made, Cut(number, self._count)), self._one_less)

    def _one_less(self, _: None) -> None:
        self._waiting -= 1
        self._tell()
        if not self._waiting and not self._broken:
            self._put_together()

    def _tell(self) -> None:
        self._job.run.slices[self._job.step.id] = (self._count - self._waiting, self._count)

    def _put_together(self) -> None:
        self._job.run.pool.submit(self._job.make_task(self._gather, self._job.log(), self._job.ended))

    def _gather(self) -> Command:
        job = self._job
        retired = job.run.archive.gathering(job.step)
        return job.command(slices.assembling(job.folder, job.run.state.report(job.step.id), retired), job.log())
