"""Runs one step, once: load its settings, read its input, run, check, store, report, finalize."""

from __future__ import annotations

import os
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from wurzel.core.importing import import_object
from wurzel.core.loading import load_settings
from wurzel.core.self_consuming_step import SelfConsumingLeafStep
from wurzel.core.settings import providing
from wurzel.core.typed_step import StepTypes, TypedStep, check_id, decides, derive_id, step_types
from wurzel.datacontract.contract import Contract, measures
from wurzel.datacontract.dataset import Dataset, Reader, Slice, Writer, open_dataset, recover, writing
from wurzel.exceptions import ContractFailedException, UsageError, WurzelError
from wurzel.runtime.logs import logger
from wurzel.runtime.masking import CURRENT
from wurzel.runtime.report import Report, write_report
from wurzel.runtime.secrets import Secrets
from wurzel.runtime.user_code import awaited, user_code

if TYPE_CHECKING:
    from wurzel.runtime.guard import Link

AnyStep = TypedStep[Any, Any, Any]


class Job(NamedTuple):
    """One step to run: its class, and where its data is."""

    target: str
    """`module:Class`."""
    output: Path
    inputs: Sequence[Path] = ()
    step_id: str | None = None
    given: Mapping[str, Any] = MappingProxyType({})
    """Settings that win over the environment."""
    shard: tuple[int, int] | None = None
    """Run slice I (from 1) of N only."""
    report: Path | None = None
    secrets: Sequence[str] = ()
    """Variables that are secrets, beyond those of secret settings."""


def run_step(
    job: Job,
    environ: Mapping[str, str] | None = None,
    *,
    ready: Callable[[], None] = lambda: None,
    link: Link | None = None,
) -> Report:
    """Run a step and store what it gives; its previous output stays as it was unless everything works.

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
    work = _Work(job, os.environ if environ is None else environ, link)
    step = work.make()
    with writing(job.output, work.types.output_shape, work.cut, inputs=work.inputs) as writer:
        writer.seen = work.measure if measures(work.types.output_shape.contracts) else None
        ready()
        for value in work.calls():
            work.add(writer, work.called(step, value))
    report = Report(work.items_in, writer.items, work.bytes_in, writer.size, work.metrics)
    if job.report is not None:
        write_report(job.report, report)
    if link is not None:
        link.stored()
    with user_code(work.step_id, " (in finalize; the output is stored)"):
        step.finalize()
    seconds = round(time.monotonic() - began, 3)
    facts = {"items_in": report.items_in, "items_out": report.items_out, "duration": seconds}
    logger.info("%d items in, %d items out, %.2f s", report.items_in, report.items_out, seconds, extra=facts)
    return report


def step_class(target: str) -> type[AnyStep]:
    """The step class that `module:Class` names.

    Raises:
        PipelineError: when it cannot be imported or is no step class.
    """
    found = import_object(target)
    if isinstance(found, type) and issubclass(found, TypedStep):
        return found
    kind = f"a step of the class {type(found).__name__}" if isinstance(found, TypedStep) else f"{found!r:.80}"
    raise UsageError(f"is {kind}, not a step class", where=target, hint="Write module:Class.")


class _Work:
    """A job whose class, settings and inputs are known and checked."""

    def __init__(self, job: Job, environ: Mapping[str, str], link: Link | None) -> None:
        self.job = job
        name = job.target.rpartition(":")[2].rpartition(".")[2]
        secrets = Secrets(job.step_id or _derived_id(name), name, environ, job.secrets)
        hide = CURRENT.hide if link is None else link.hide
        hide(secrets.before_import())
        self.cls = step_class(job.target)
        self.step_id = derive_id(self.cls.__name__) if job.step_id is None else _checked_id(job.step_id)
        self.types: StepTypes = step_types(self.cls)
        self.self_consuming = issubclass(self.cls, SelfConsumingLeafStep)
        self.metrics: dict[str, float] = {}
        self.items_in = self.bytes_in = 0
        self._check_possible()
        self._check_usage()
        hide(known := secrets.of_class(self.types.settings, job.given))
        self.settings = load_settings(
            self.types.settings,
            step_id=self.step_id,
            class_name=self.cls.__name__,
            environ=environ,
            given=job.given,
        )
        hide(secrets.of_settings(self.settings, known))
        self.inputs = self._opened()
        self.cut = self._cut()

    def make(self) -> AnyStep:
        """The step, with its settings loaded."""
        with user_code(self.step_id), providing(self.cls, self.settings):
            return self.cls()

    def called(self, step: AnyStep, value: Any) -> Any:
        """What `run` gives for one input."""
        with user_code(self.step_id):
            result = step.run(value)
            if isinstance(result, Awaitable):
                result = awaited(result)
            return result

    def add(self, writer: Writer, result: Any) -> None:
        """Store a result; what a generator does is code of the step."""
        try:
            with user_code(self.step_id) if isinstance(result, Iterator) else nullcontext():
                writer.add(result)
        except ContractFailedException as error:
            shape = self.types.output_shape
            raise ContractFailedException(
                f"what run returned breaks the contract {shape.name}: {error.message}",
                where=f"step {self.step_id!r}",
                hint=error.hint,
            ) from None

    def measure(self, result: Any) -> None:
        """Count a result, or an item of it."""
        for name, number in self._metrics_of(result).items():
            self.metrics[name] = self.metrics.get(name, 0.0) + number

    def calls(self) -> Iterable[Any]:
        """The inputs `run` is called with, one after the other."""
        shape = self.types.input_shape
        if not self.inputs:
            yield None
            return
        if not shape.many and not self.self_consuming:
            reader = Reader(shape.listed, self.inputs)
            start, stop = self._bounds(reader.items)
            self._count(stop - start, reader.size(start, stop))
            yield from reader.stream(start, stop)
            return
        reader = Reader(shape, self.inputs)
        total = reader.count()
        start, stop = self._bounds(total)
        self._count(stop - start, sum(dataset.size for dataset in self.inputs))
        if stop > start or self.cut is None or self.cut.number == 1:
            yield reader.value() if self.cut is None else reader.value(start, stop)

    def _count(self, items: int, size: int) -> None:
        self.items_in += items
        self.bytes_in += size

    def _bounds(self, total: int) -> tuple[int, int]:
        if self.cut is None:
            return 0, total
        return slice_bounds(total, self.cut.number, self.cut.of)

    def _metrics_of(self, result: Any) -> dict[str, float]:
        contract = self.types.output_shape.contract
        counting = contract if isinstance(contract, type) and issubclass(contract, Contract) else Contract
        try:
            return dict(counting.get_metrics(result))
        except Exception as error:  # noqa: BLE001 - the author's own numbers must not cost the data
            logger.warning("the metrics cannot be computed: %s: %s", type(error).__name__, error)
            return {}

    def _check_possible(self) -> None:
        """What steps may be written with, but cannot be run yet."""
        types, name = self.types, self.cls.__name__
        if types.input_class is not None or types.output_class is not None:
            raise UsageError(f"{name} has named inputs or outputs, which `wurzel step` cannot run yet")
        if decides(self.cls):
            raise UsageError(f"{name} has `when`, which `wurzel step` cannot ask yet")
        if any(field.form != "value" for field in types.inputs):
            raise UsageError(f"{name} takes its input item by item, which `wurzel step` cannot do yet")

    def _check_usage(self) -> None:
        shape, name = self.types.input_shape, self.cls.__name__
        source = shape.empty or self.self_consuming
        if source and self.job.inputs:
            raise UsageError(f"{name} is a source and takes no input", hint="Leave out -i.")
        if not source and not self.job.inputs:
            raise UsageError(f"{name} needs an input", hint="Give the dataset of each step before it with -i.")
        if self.job.shard is not None and source:
            raise UsageError(f"{name} is a source, so there is nothing to cut into slices", hint="Leave out --shard.")
        if self.job.shard is not None and shape.many and not self.types.output_shape.many:
            raise UsageError(
                f"{name} makes one item of all its input, which cannot be cut into slices", hint="Leave out --shard."
            )
        output = self.job.output.resolve()
        if output == (here := Path.cwd()) or output in here.parents:
            raise UsageError(f"the output {self.job.output} holds the current folder", hint="Give a folder below it.")
        for folder in self.job.inputs:
            other = folder.resolve()
            if output == other or output in other.parents or other in output.parents:
                raise UsageError(f"the output {self.job.output} overlaps with the input {folder}")

    def _opened(self) -> list[Dataset]:
        folders = list(self.job.inputs)
        if self.self_consuming:
            recover(self.job.output)
            folders = [self.job.output] if _has_entries(self.job.output) else []
        datasets = [open_dataset(folder) for folder in folders]
        for dataset in datasets:
            dataset.check(self.types.input_shape)
        return datasets

    def _cut(self) -> Slice | None:
        if self.job.shard is None:
            return None
        number, of = self.job.shard
        digest = sha256("\n".join(dataset.digest for dataset in self.inputs).encode()).hexdigest()
        return Slice(number, of, "items" if self.types.input_shape.many else "parts", digest)


def slice_bounds(total: int, number: int, of: int) -> tuple[int, int]:
    """Start and stop of slice `number` (from 1) of `of`; the sizes differ by at most one, the first are the largest."""
    size, rest = divmod(total, of)
    start = (number - 1) * size + min(number - 1, rest)
    return start, start + size + (number <= rest)


def _derived_id(class_name: str) -> str:
    try:
        return derive_id(class_name)
    except WurzelError:
        return class_name  # refused later, by a better message


def _checked_id(step_id: str) -> str:
    try:
        return check_id(step_id)
    except WurzelError as error:
        raise UsageError(error.message, where="--id", hint=error.hint) from None


def _has_entries(folder: Path) -> bool:
    try:
        return any(not path.name.startswith(".") for path in folder.iterdir())
    except FileNotFoundError:
        return False
    except OSError:
        return True  # reading it will say what is wrong
