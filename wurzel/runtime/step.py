"""Runs one step, once: load its settings, read its input, run, check, store, report, finalize."""

from __future__ import annotations

import os
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

from wurzel.core.typed_step import decides
from wurzel.datacontract.codec import short
from wurzel.datacontract.writer import writing_outputs
from wurzel.exceptions import ContractFailedException
from wurzel.runtime.logs import logger
from wurzel.runtime.report import Report, write_report
from wurzel.runtime.results import Results
from wurzel.runtime.user_code import awaited, user_code
from wurzel.runtime.work import AnyStep, Job, Work

if TYPE_CHECKING:
    from wurzel.core.typed_step import TypedStep
    from wurzel.runtime.guard import Link
    from wurzel.runtime.inputs import Inputs


def why_skipped(step: TypedStep[Any, Any, Any], inputs: Inputs) -> str:
    """Why a step is skipped without asking it; '' if it is not."""
    if (lacking := inputs.lacking) is not None and lacking.field.name:
        return f"all steps before its input {lacking.field.name} were skipped"
    if lacking is not None or (inputs.skipped and not decides(type(step))):
        return "all steps before it were skipped"
    return ""


def asked(step: TypedStep[Any, Any, Any], value: Any, step_id: str) -> bool:
    """What `when` says of an input.

    Raises `UserCodeFailed` when it raises an error, `ContractFailedException` when it gives anything but True or False.
    """
    with user_code(step_id, " (in when)"):
        answer: Any = step.when(value)
        if answer is True or answer is False:
            return answer
        kind = type(answer)
        builtin = kind.__module__ == "builtins"
        shown = short(answer) if builtin else f"a {kind.__module__}.{kind.__qualname__}"
        raise ContractFailedException(f"when returned {shown}, not True or False", hint="Write return bool(…).")


__all__ = ["Job", "run_step"]


def run_step(
    job: Job,
    environ: Mapping[str, str] | None = None,
    *,
    ready: Callable[[], None] = lambda: None,
    link: Link | None = None,
) -> Report:
    """Run a step and store what it gives; its previous output stays as it was unless everything works.

    A step that is skipped stores an empty dataset that says so; one that reads its own last output keeps that.

    Args:
        job: what to run.
        environ: variables to read settings from (default: those of the process).
        ready: called once all is imported and checked, just before the step's own work.
        link: to the process that watches over this one, to tell it what is secret and that the dataset is stored.

    Raises:
        StepFailed: when the step fails; UserCodeFailed when its code raises an error.
        ContractFailedException: when its input or output breaks the contract.
        DatasetError: when an input is missing or damaged, or the output cannot be written.
        EnvSettingsError: when settings are missing or wrong.
        PipelineError: when there is no such class.
        UsageError: when the class takes other inputs than those given.
    """
    began = time.monotonic()
    work = Work(job, os.environ if environ is None else environ, link)
    run = _Run(work)
    ready()
    report = run.execute()
    if job.report is not None:
        write_report(job.report, report)
    if link is not None:
        link.stored()
    if run.called:
        with user_code(work.step_id, " (in finalize; the output is stored)"):
            run.step.finalize()
    seconds = round(time.monotonic() - began, 3)
    facts = {"items_in": report.items_in, "items_out": report.items_out, "duration": seconds}
    if report.skipped:
        logger.info("skipped: %s", run.why, extra={**facts, "skipped": True})
    else:
        logger.info("%d items in, %d items out, %.2f s", report.items_in, report.items_out, seconds, extra=facts)
    return report


class _Run:
    """One run of a step that is ready for it."""

    def __init__(self, work: Work) -> None:
        self.step: AnyStep = work.make()
        self.called = False
        self.why = ""
        """Why it is skipped; '' if it is not."""
        self._work = work
        self._asks_each = work.mapped and decides(type(self.step))

    def execute(self) -> Report:
        """Run the step, or skip it, and store what it gives."""
        work = self._work
        self.why = why_skipped(self.step, work.inputs) or self._asked()
        if self.why and work.self_consuming and work.inputs.all[0].datasets:
            self.why += "; the last output stays"
            items, size = work.taken()
            return Report(items, 0, size, 0, skipped=True)
        datasets = work.inputs.datasets
        shapes = {field.name: field.shape for field in work.types.outputs}
        with writing_outputs(work.job.output, shapes, work.slice, inputs=datasets, retire=work.job.retire) as writers:
            self.step.workdir = lambda: writers.workdir
            results = Results(work, writers)
            if not self.why:
                self._call(results)
            for writer in writers.values():
                writer.skipped = bool(self.why)
            work.inputs.check()
        items_in, bytes_in = work.taken()
        items_out = sum(writer.items for writer in writers.values())
        bytes_out = sum(writer.size for writer in writers.values())
        return Report(items_in, items_out, bytes_in, bytes_out, results.metrics, skipped=bool(self.why))

    def _asked(self) -> str:
        """Why the step skips itself, asked with the whole input, whatever slice this is; '' if it does not."""
        if self._asks_each or not decides(type(self.step)):
            return ""
        work = self._work
        value = work.inputs.value() if work.inputs.has_data else None
        return "" if asked(self.step, value, work.step_id) else "its when() is False"

    def _call(self, results: Results) -> None:
        for value in self._work.values():
            if self._asks_each and not asked(self.step, value, self._work.step_id):
                continue
            self.called = True
            results.add(self._result(value))
        if self._work.mapped and not self.called:
            self.why = (
                "there are no items to run it on" if not self._asks_each else "its when() is False for every item"
            )

    def _result(self, value: Any) -> Any:
        with user_code(self._work.step_id):
            result = self.step.run(value)
            return awaited(result) if isinstance(result, Awaitable) else result
