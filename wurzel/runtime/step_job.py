"""One step of a run: an earlier result is handed over, or the step is run, whole or in slices, and its result kept."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from wurzel.exceptions import FAILED, WurzelError
from wurzel.invocation.call import options
from wurzel.invocation.command import dataset
from wurzel.invocation.fingerprint import named
from wurzel.runtime import slices
from wurzel.runtime.archive import Cut
from wurzel.runtime.outcome import Failure, with_cause
from wurzel.runtime.processes import Command
from wurzel.runtime.progress import Event
from wurzel.runtime.report import read_recorded, write_recorded
from wurzel.runtime.step_process import StepProcess
from wurzel.runtime.stored import manifests_in
from wurzel.store.names import slice_fingerprint
from wurzel.store.records import Data, Entry

if TYPE_CHECKING:
    from wurzel.ir.model import Step
    from wurzel.runtime.archive import Kept
    from wurzel.runtime.decision import Decision, Question
    from wurzel.runtime.run import Run
    from wurzel.runtime.supervise import Outcome, Task

T = TypeVar("T")


class StepJob(StepProcess):
    """Decides whether its step must run, starts it, and keeps what it gives."""

    def __init__(self, run: Run, step: Step) -> None:
        """Belong to `run`."""
        super().__init__(run, step)
        self.folder = run.options.root / dataset(run.pipeline, step.id)
        self.outputs = [port.name for port in step.outputs]
        self.decision: Decision
        self.started = 0.0
        self._why = ""
        self._count = 0

    def task(self) -> Task:
        """The task that decides and then runs the step."""
        return self.make_task(self._begin, self.log(), self.ended, launches=not self.run.archive.remote)

    def _begin(self) -> Command | None:
        self.started = time.monotonic()
        return self._ask()

    def _ask(self) -> Command | None:
        question = self.run.decider.ask(self.step, self.run.outputs)
        return self.after(partial(self.run.decider.decide, question), self._decided)

    def _decided(self, decision: Decision) -> Command | None:
        self.decision, self._why = decision, decision.why
        entry = decision.entry
        if entry is None:
            return self._must_run()
        return self.after(partial(self.run.archive.reuse, self.step, entry, decision.question.here), self._reused)

    def _reused(self, good: bool) -> Command | None:
        entry = self.decision.entry
        if not good or entry is None:
            if self.run.archive.remote:
                self._why = "what is stored is damaged"
            return self._must_run()
        write_recorded(self.run.state.report(self.step.id), {**entry.report, "cached": True})
        hand_over = partial(self.run.archive.hand_over, self.step, entry)
        unchanged = partial(self.run.unchanged, self.step, entry, self.run.archive.place if self.decision.why else "")
        if self.run.archive.remote:  # what comes after it need not wait
            self.run.pool.call(hand_over, lambda _, error: self._raised(error) if error else unchanged())
        else:
            hand_over()
            unchanged()
        self.run.go_on(self.step, entry)
        return None

    def _must_run(self) -> Command | None:
        lacking = self.run.archive.lacking(self.step)
        return self.after(partial(self.run.archive.fetch, self.step, lacking), self._launch, launches=True)

    def _launch(self, _: None) -> Command | None:
        from wurzel.runtime.fanout import slice_count  # a run with nothing to do cuts nothing

        run, step = self.run, self.step
        count = 1 if run.options.in_process else slice_count(run.pipeline, step, run.options.root)
        into = f"; {count} slices" if step.shards.items is not None and count > 1 else ""
        run.tell(Event("started", step.id, f"started ({self._why}{into})"))
        if count > 1:
            self._count = count
            Sliced(self, count).start()
            return None
        if run.options.in_process:
            return self._here()
        keeping = options(report=self.fresh_report(), retire=run.archive.retiring(step))
        return self.command(self.words(keeping), self.log())

    def _here(self) -> Command:
        """What runs the step in this process."""
        from wurzel.runtime.here import step_here

        step, report = self.step, self.fresh_report()
        self.log().unlink(missing_ok=True)
        call = step_here(
            self.run.pipeline, step, report=report, retire=self.run.archive.retiring(step), reads=self.reads()
        )
        return Command((), self.environment(), self.run.options.root, call=call)

    def after(
        self, work: Callable[[], T], go_on: Callable[[T], Command | None], *, launches: bool = False
    ) -> Command | None:
        """Do what may wait for a server, in a thread if it may, and go on with what it gives.

        `launches` says that `go_on` starts the step, so that there must be room for it on this machine.
        """
        if not self.run.archive.remote:
            return go_on(work())

        def over(result: T | None, error: Exception | None) -> None:
            if error is not None:
                self._raised(error)
            else:
                make = partial(go_on, result)  # type: ignore[arg-type]
                self.run.pool.submit(self.make_task(make, self.log(), self.ended, launches=launches))

        self.run.pool.call(work, over)
        return None

    def ended(self, log: Path, outcome: Outcome) -> None:
        """The step, or what puts its slices together, has ended."""
        if outcome.stopped:
            return
        if outcome.code:
            reason = with_cause(outcome.reason, log, outcome.tries)
            self.fail(reason, log if log.exists() else None, outcome.code, outcome.error)
            return
        self.finished(log)

    def finished(self, log: Path) -> None:
        """What has ended well is to be kept."""
        report = read_recorded(self.run.state.report(self.step.id))
        made = self.made("", self.step.id, self.folder, report)
        if not made.datasets:
            self.fail("exited 0 but wrote no complete dataset", log)
            return
        for part in made.parts:
            self.run.digests.trust(part.path, part.sha256)
        write_recorded(self.run.state.report(self.step.id), report)  # for its owner alone
        question = self.answered()
        made = made._replace(fingerprint=question.key, inputs=question.inputs)
        self.after(partial(self.run.archive.keep, self.step, made, cacheable=question.cacheable), self._kept)

    def answered(self) -> Question:
        """The question that has been answered, once a process has ended: what changed meanwhile is unknown."""
        run, question = self.run, self.decision.question
        if kinds := run.decider.changed(question, run.outputs):
            run.result.notes.append(
                f"{self.step.id}: its {named(kinds)} changed while it ran, so it runs again the next time"
            )
            question = question.doubted(kinds)
        if run.options.in_process:
            from wurzel.runtime.here import as_run

            question = as_run(question)
        self.decision = self.decision._replace(question=question)
        return question

    def made(self, key: str, name: str, folder: Path, report: dict[str, object]) -> Entry:
        """The result that a step or slice has written into a folder."""
        manifests = manifests_in(folder, self.outputs) or {}
        data = {output: Data(manifest) for output, manifest in manifests.items()}
        return Entry(key, name, data, report, self.decision.question.inputs)

    def fail(self, why: str, log: Path | None, code: int = 1, error: WurzelError | None = None) -> None:
        """The step has failed for good."""
        self.run.failed(self.step, Failure(why, log, code, error), time.monotonic() - self.started)

    def _kept(self, kept: Kept) -> None:
        entry, step = kept.entry, self.step
        if self._count:
            self.run.archive.forget_slices(self.decision.question.key, self._count)
        own = read_recorded(self.run.state.report(step.id))
        if kept.superseded:
            write_recorded(self.run.state.report(step.id), {**own, "superseded": True})
        skipped = entry.skipped or bool(own.get("skipped"))
        self.run.done(step, entry, time.monotonic() - self.started, skipped=skipped)

    def _raised(self, error: Exception | None) -> None:
        """The store, or the data folder, could not be used for this step."""
        if isinstance(error, WurzelError):
            self.fail(str(error), None, error.exit_code)
        elif isinstance(error, OSError):
            self.fail(f"the data folder cannot be used: {error}", None, FAILED)
        elif error is not None:
            raise error


class Sliced:
    """The slices of a step: those that were kept are restored, the others run side by side, and all become one."""

    def __init__(self, job: StepJob, count: int) -> None:
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
        retired = job.run.archive.retiring(job.step)
        return job.command(slices.assembling(job.folder, job.run.state.report(job.step.id), retired), job.log())
