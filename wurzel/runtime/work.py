"""A job made ready: its class is imported, settings are loaded, inputs are open, and all of it fits together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from wurzel.core.importing import import_object
from wurzel.core.loading import load_settings
from wurzel.core.self_consuming_step import SelfConsumingLeafStep
from wurzel.core.settings import providing
from wurzel.core.step_ids import check_id, derive_id
from wurzel.core.typed_step import StepTypes, TypedStep, step_types
from wurzel.datacontract.folders import recover
from wurzel.datacontract.manifest import Slice
from wurzel.exceptions import UsageError, WurzelError
from wurzel.named_tuples import NamedTuple
from wurzel.runtime.calls import Cut
from wurzel.runtime.inputs import Input, Inputs, by_name
from wurzel.runtime.masking import CURRENT
from wurzel.runtime.secrets import Secrets
from wurzel.runtime.user_code import user_code

if TYPE_CHECKING:
    from wurzel.invocation.call import Call
    from wurzel.runtime.guard import Link

AnyStep = TypedStep[Any, Any, Any]


class Job(NamedTuple):
    """One step to run: its class, and where its data is."""

    target: str
    """`module:Class`."""
    output: Path
    inputs: Sequence[Path] = ()
    """Folders of datasets; `NAME=DIR` where the class has `Inputs`."""
    step_id: str | None = None
    given: Mapping[str, Any] = MappingProxyType({})
    """Settings that win over the environment."""
    shard: tuple[int, int] | None = None
    """Run slice I (from 1) of N only."""
    report: Path | None = None
    secrets: Sequence[str] = ()
    """Variables that are secrets, beyond those of secret settings."""
    portion: int | None = None
    """Items of one call of `run`; what the class says unless given, 0 for all of them."""
    shard_by: str | None = None
    """The input whose items are cut; what the class says unless given."""
    retire: Path | None = None
    """Where the datasets that were there go; they are removed unless given."""
    reads: str | None = None
    """Stands for the data that it is to read; any will do unless given."""


def job_of(call: Call, given: Mapping[str, Any] = MappingProxyType({}), **more: Any) -> Job:
    """The job of a call, on its datasets, with these settings; see `Job` for what more there is."""
    return Job(
        call.target,
        Path(call.output),
        [*map(Path, call.inputs)],
        call.step_id,
        {**dict.fromkeys(call.nulls), **given},
        secrets=call.secrets,
        portion=call.portion,
        shard_by=call.shard_by,
        **more,
    )


class Work:
    """A job whose class, settings and inputs are known and checked."""

    def __init__(self, job: Job, environ: Mapping[str, str], link: Link | None) -> None:
        self.job = job
        self.environ = environ
        name = job.target.rpartition(":")[2].rpartition(".")[2]
        secrets = Secrets(job.step_id or _derived_id(name), name, environ, job.secrets)
        hide = CURRENT.hide if link is None else link.hide
        hide(secrets.before_import())
        self.cls = step_class(job.target)
        self.step_id = derive_id(self.cls.__name__) if job.step_id is None else _checked_id(job.step_id)
        self.types: StepTypes = step_types(self.cls)
        self.self_consuming = issubclass(self.cls, SelfConsumingLeafStep)
        folders = self._folders()
        hide(known := secrets.of_class(self.types.settings, job.given))
        self.settings = load_settings(
            self.types.settings,
            step_id=self.step_id,
            class_name=self.cls.__name__,
            environ=environ,
            given=job.given,
        )
        hide(secrets.of_settings(self.settings, known))
        self.inputs = Inputs(self.types, folders, mapped=self.mapped)
        if job.reads is not None:
            self.inputs.expect(job.reads)
        self.cut = self._cut()

    @property
    def source(self) -> bool:
        """Whether no step comes before it."""
        return self.self_consuming or not self.types.inputs

    @property
    def mapped(self) -> bool:
        """Whether it takes one item, and is called for each."""
        inputs = self.types.inputs
        return not self.source and self.types.input_class is None and not inputs[0].shape.many

    @property
    def portion(self) -> int | None:
        """Items of one call; `None` for all of them."""
        return (_class_portion(self.cls) if self.job.portion is None else self.job.portion) or None

    @property
    def slice(self) -> Slice | None:
        """Which slice it writes."""
        if self.job.shard is None or self.cut is None:
            return None
        number, of = self.job.shard
        return Slice(number, of, self.cut.by, self.inputs.digest)

    def make(self) -> AnyStep:
        """The step, with its settings loaded."""
        with user_code(self.step_id), providing(self.cls, self.settings):
            return self.cls()

    def values(self) -> Iterator[Any]:
        """What `run` is called with, one after the other."""
        if self.cut is None:
            yield self.inputs.value() if self.inputs.has_data else None
        elif self.cut.mapped and not self.cut.input.absent:
            yield from self.cut.input.reader.stream(*self.cut.bounds())
        else:
            for start, stop in self.cut.calls():
                yield self.inputs.value(self.cut.input, start, stop)

    def taken(self) -> tuple[int, int]:
        """Items and bytes that it takes; what goes whole to every slice counts in the first, so that they add up."""
        items = size = 0
        first = self.job.shard is None or self.job.shard[0] == 1
        for one in self.inputs.all:
            if self.cut is not None and one is self.cut.input:
                start, stop = self.cut.bounds()
            else:
                start, stop = 0, one.total if first else 0
            items += stop - start
            size += one.size(start, stop) if one.in_order else first * one.size(0, one.reader.items)
        return items, size

    def _cut(self) -> Cut | None:
        if self.source or (not self.mapped and not self.portion and self.job.shard is None):
            return None
        cut = self._cut_input()
        return Cut(cut, self.portion, self.job.shard or (1, 1), self.mapped)

    def _cut_input(self) -> Input:
        """The input that slices and portions cut: the one that `shard_by` names, or the only one with many items."""
        if self.types.input_class is None:
            return self.inputs.all[0]
        many = [one for one in self.inputs.all if one.field.shape.many]
        wanted = self.job.shard_by or self.cls.shard_by
        named = [one for one in many if one.field.name == wanted] if wanted else many
        if len(named) == 1:
            return named[0]
        names = ", ".join(one.field.name for one in many) or "none"
        raise UsageError(
            f"{self.cls.__name__} does not say which of its inputs is cut; those of many items are {names}",
            hint='Name one in the class: shard_by = "docs".',
        )

    def _folders(self) -> Mapping[str, Sequence[Path]]:
        """The folders of each input, once it is clear that they are the ones it takes."""
        job, name = self.job, self.cls.__name__
        if self.source and job.inputs:
            raise UsageError(f"{name} is a source and takes no input", hint="Leave out -i.")
        if not self.source and not job.inputs:
            named = " ".join(f"-i {field.name}=DIR" for field in self.types.inputs if field.name and not field.optional)
            advice = f"Give {named}." if named else "Give the dataset of each step before it with -i."
            raise UsageError(f"{name} needs an input", hint=advice)
        if job.shard is not None and self.source:
            raise UsageError(f"{name} is a source, so it has no input to split into slices", hint="Leave out --shard.")
        cuts = job.shard is not None or bool(self.portion)
        if cuts and not (self.source or self.mapped or all(field.shape.many for field in self.types.outputs)):
            raise UsageError(
                f"{name} makes one item of all its input, which cannot be cut into slices",
                hint="Leave out --shard, and `shards` of the class.",
            )
        folders = {} if self.source else by_name(self.types, job.inputs, name)
        _check_apart(job.output, [folder for some in folders.values() for folder in some])
        if self.self_consuming:
            recover(job.output)
            folders = {"": [job.output] if _has_entries(job.output) else []}
        return folders


def step_class(target: str) -> type[AnyStep]:
    """The step class that `module:Class` names. Raises `PipelineError` when there is none."""
    found = import_object(target)
    if isinstance(found, type) and issubclass(found, TypedStep):
        return found
    kind = f"a step of the class {type(found).__name__}" if isinstance(found, TypedStep) else f"{found!r:.80}"
    raise UsageError(f"is {kind}, not a step class", where=target, hint="Write module:Class.")


def _class_portion(cls: type[AnyStep]) -> int | None:
    shards = cls.shards
    portion = shards.get("items") if isinstance(shards, Mapping) else getattr(shards, "items", None)
    return portion if isinstance(portion, int) else None


def _check_apart(output: Path, inputs: Sequence[Path]) -> None:
    """Make sure that writing the output touches nothing that is read."""
    target = output.resolve()
    if target == (here := Path.cwd()) or target in here.parents:
        raise UsageError(f"the output {output} contains the current folder", hint="Give a folder below it.")
    for folder in inputs:
        other = folder.resolve()
        if target == other or target in other.parents or other in target.parents:
            raise UsageError(f"the output {output} overlaps with the input {folder}")


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
