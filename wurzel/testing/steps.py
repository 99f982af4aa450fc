"""Run a step as `wurzel step` does, on data that a test gives, and see what it stores."""

from __future__ import annotations

import atexit
import json
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import TYPE_CHECKING, Any, Final

from wurzel.core.self_consuming_step import SelfConsumingLeafStep
from wurzel.core.typed_step import StepTypes, TypedStep, step_types
from wurzel.datacontract.names import class_path
from wurzel.datacontract.opening import open_dataset, shard_folder
from wurzel.datacontract.reader import Reader
from wurzel.datacontract.writer import writing_outputs
from wurzel.exceptions import ContractFailedException, UsageError
from wurzel.named_tuples import NamedTuple

if TYPE_CHECKING:
    from wurzel.datacontract.files import Stored
    from wurzel.datacontract.opening import Dataset
    from wurzel.datacontract.shape import Shape

_MODULE = "wurzel_testing_steps"

SKIPPED: Final = object()
"""Given as an input: the output of a step that was skipped."""


class Recorded(NamedTuple):
    """Given as an input: a dataset that a run has written, such as `Recorded("tests/data/read")`."""

    folder: str | Path


@dataclass(eq=False)
class StepResult:
    """What a step gave, read back from where it was stored."""

    output: Any
    """The item, list, set or table; an object of the class of `Outputs` where outputs have names; `None` for one item
    of a skipped step."""
    skipped: bool
    """Whether a condition kept it from running."""
    folder: Path
    """Its dataset; one in a temporary folder is removed when the process ends."""
    metrics: Mapping[str, float] = field(default_factory=dict)
    """The sums of what the contracts' `metrics` gave, as in the report."""


def run_step(
    step: type[TypedStep[Any, Any, Any]],
    inpt: Any = None,
    *,
    settings: Mapping[str, Any] = MappingProxyType({}),
    slices: int = 1,
    portion: int | None = None,
    folder: Path | None = None,
) -> StepResult:
    """Store the input, run the step on it in this process, store what it gives, and read that back.

    All that happens in a pipeline happens here: types are checked, items go through their contract and the disk, `when`
    is asked, files are moved, `finalize` is called. Variables of the environment are not read.

        def test_cut():
            result = run_step(Cut, [Doc(text="a"), Doc(text="b")], settings={"LIMIT": 1})
            assert result.output == [Doc(text="a")]

    Args:
        step: the class; it may be defined in a function.
        inpt: what `run` takes: an item, list, stream, table, or object of the class of `Inputs`. A step that takes one
            item is called for each of a list. Files are copied from where they are. `SKIPPED`, as a whole or in a
            field, stands for a step before it that was skipped, `Recorded(folder)` for a dataset that a run has
            written. For a `SelfConsumingLeafStep` it is its last output, or
            `None`.
        settings: values of fields by name.
        slices: run it in so many slices, one after the other, and gather them.
        portion: items of one call of `run`; what `shards` of the class says unless given, 0 for all at once.
        folder: where to put the data; a temporary folder unless given.

    Raises:
        WurzelError: what `wurzel step` would end with: `StepFailed`, with the error of `run` as its cause;
            `ContractFailedException`, `EnvSettingsError`, `UsageError` and so on.
    """
    from wurzel.runtime.slices import REPORT, join
    from wurzel.runtime.step import Job
    from wurzel.runtime.step import run_step as run

    home = Path(tempfile.mkdtemp(prefix="wurzel-")) if folder is None else folder
    if folder is None:
        atexit.register(shutil.rmtree, home, ignore_errors=True)
    types = step_types(step)
    output = home / "output"
    inputs = _stored(step, types, inpt, home)
    target = target_of(step)
    if slices == 1:
        metrics = run(Job(target, output, inputs, given=settings, portion=portion), environ={}).metrics
    else:
        for shard in [(number, slices) for number in range(1, slices + 1)]:
            part = shard_folder(output, *shard) / REPORT
            run(Job(target, output, inputs, given=settings, shard=shard, portion=portion, report=part), environ={})
        join(output, home / "gathered", home / "report.json")
        output = home / "gathered"
        metrics = json.loads((home / "report.json").read_bytes())["metrics"]
    recorded = isinstance(inpt, Recorded)
    mapped = is_mapped(types, [open_dataset(Path(inpt.folder))]) if recorded else isinstance(inpt, list)
    mapped = mapped and not (types.input_class or types.input_shape.many)
    value, skipped = read_output(types, output, mapped)
    return StepResult(value, skipped, output, metrics)


def _stored(step: type[TypedStep[Any, Any, Any]], types: StepTypes, inpt: Any, home: Path) -> list[Path]:
    """The `-i` of the step, with the datasets written."""
    if issubclass(step, SelfConsumingLeafStep):
        if inpt is not None:
            write_input(home / "output", types.output_shape, inpt)
        return []
    if not types.inputs:
        if inpt is not None:
            raise UsageError(f"{step.__name__} is a source and takes no input")
        return []
    if inpt is None:
        raise UsageError(f"{step.__name__} needs an input", hint=f"run_step({step.__name__}, …): give what run takes.")
    if types.input_class is None:
        return [_dataset(home / "input", types.input_shape, inpt)]
    if inpt is not SKIPPED and not isinstance(inpt, types.input_class):
        raise UsageError(
            f"{step.__name__} takes {types.input_class.__name__}, not {type(inpt).__name__}",
            hint=f"Give {types.input_class.__name__}({', '.join(f'{one.name}=…' for one in types.inputs)}).",
        )
    given = []
    for one in types.inputs:
        value = inpt if inpt is SKIPPED else getattr(inpt, one.name)
        if value is not None:
            folder = _dataset(home / "inputs" / one.name, one.shape, value)
            given.append(Path(f"{one.name}={folder}"))
    return given


def _dataset(folder: Path, shape: Shape, value: Any) -> Path:
    """Where the value is a dataset: where it was recorded, or in this folder."""
    if isinstance(value, Recorded):
        return Path(value.folder).absolute()
    write_input(folder, shape, value)
    return folder


def write_input(folder: Path, shape: Shape, value: Any) -> None:
    """Store a value as a dataset, which a step will read."""
    many = shape.listed if not shape.many and isinstance(value, list) else shape
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _explained(folder.name), writing_outputs(folder, {"": many}) as outputs:
        if value is SKIPPED:
            outputs[""].skipped = True
        elif shape.files:
            copies = [_copy(item, outputs.workdir / str(n)) for n, item in enumerate(value if many.many else [value])]
            outputs[""].add(copies if many.many else copies[0])
        else:
            outputs[""].add(value)


@contextmanager
def _explained(name: str) -> Iterator[None]:
    """Say of which input it is that it breaks its contract; a last output is one as well."""
    try:
        yield
    except ContractFailedException as error:
        error.where = f"the input {name} of the test" if name not in {"input", "output"} else "the input of the test"
        raise


def _copy(item: Stored, place: Path) -> Stored:
    """A file or folder that may be moved into a dataset; that of the test stays where it is."""
    target = place / item.path.name
    if item.path.is_dir():
        shutil.copytree(item.path, target, symlinks=True)
    else:
        place.mkdir()
        shutil.copy(item.path, target)
    return type(item)(target)


def target_of(step: type) -> str:
    """`module:Class`, by which the class is found also where it is defined in a function."""
    if "<locals>" not in step.__qualname__:
        return class_path(step)
    module = sys.modules.setdefault(_MODULE, ModuleType(_MODULE))
    setattr(module, step.__name__, step)
    return f"{_MODULE}:{step.__name__}"


def is_mapped(types: StepTypes, datasets: Sequence[Dataset]) -> bool:
    """Whether a step takes one item, and these datasets, which it reads, have many that it is called for."""
    if types.input_class or not types.inputs or types.input_shape.many:
        return False
    return any(dataset.containers or dataset.items != 1 for dataset in datasets) or len(datasets) > 1


def read_output(types: StepTypes, output: Path, mapped: bool) -> tuple[Any, bool]:
    """The value of what a step has stored, and whether it was skipped."""
    values: dict[str, Any] = {}
    skipped = False
    for one in types.outputs:
        dataset = open_dataset(output / one.name if one.name else output)
        skipped = dataset.skipped
        reader = Reader(one.shape.listed if mapped and not one.shape.many else one.shape, [dataset])
        values[one.name] = reader.value() if one.shape.many or mapped or reader.items else None
    return (values[""] if types.output_class is None else types.output_class(**values)), skipped
