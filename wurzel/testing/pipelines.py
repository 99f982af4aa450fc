"""Run a pipeline on samples, and compare what its steps give with reviewed files."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from wurzel.core.typed_step import step_types
from wurzel.datacontract.opening import open_dataset
from wurzel.exceptions import UsageError
from wurzel.testing.snapshots import compared, updating
from wurzel.testing.steps import Recorded, StepResult, is_mapped, read_output, write_input

if TYPE_CHECKING:
    from wurzel.core.typed_step import StepTypes
    from wurzel.datacontract.opening import Dataset
    from wurzel.ir.model import Pipeline, Step

_NOTHING: Mapping[str, Any] = MappingProxyType({})


def check_pipeline(
    pipeline: Any,
    samples: Mapping[str, Any] = _NOTHING,
    golden: str | Path | None = None,
    *,
    settings: Mapping[str, Mapping[str, Any]] = _NOTHING,
    without: Sequence[str] = (),
    folder: Path | None = None,
    update: bool | None = None,
) -> Mapping[str, StepResult]:
    """Run a pipeline in this process, with samples in place of some steps, and compare what the others give.

        def test_rag():
            check_pipeline("flows:rag", {"read": [Doc(text="a")]}, "tests/golden/rag")

    Every step runs as `run_step` does it; variables of the environment and wurzel.yaml are not read.

    Args:
        pipeline: the last step, a list of last steps, a function that returns one, or `module:attribute`.
        samples: what some steps gave, by their id, in place of running them; `Recorded(folder)` for a dataset.
        golden: folder of reviewed files, `<step>.jsonl` or `<step>.<output>.jsonl`; `None` compares nothing.
        settings: values of settings by step and name.
        without: ids of steps whose output is not compared, since it is another one each time.
        folder: where to put the data; a temporary folder unless given.
        update: write the reviewed files; by default when the test is called with `--update`.

    Returns:
        What each step gave that ran, by its id.

    Raises:
        AssertionError: with every line that differs.
        WurzelError: what `wurzel step` would end with.
    """
    home = Path(tempfile.mkdtemp(prefix="wurzel-")) if folder is None else folder
    if folder is None:
        atexit.register(shutil.rmtree, home, ignore_errors=True)
    described, types = _described(pipeline, home)
    steps = {step.id: step for step in described.steps}
    for what, names in (("samples", samples), ("settings", settings), ("without", without)):
        for name in names:
            if name not in steps:
                raise UsageError(f"{what}: there is no step {name!r}", hint=f"Steps: {', '.join(steps)}.")
    for name, value in samples.items():
        _sample(home / name, types[name], value)
    needed = _needed(described, samples)
    results = {
        name: _run(described, step, types[name], settings.get(name, {}))
        for name, step in steps.items()
        if name in needed
    }
    if golden is not None:
        update = updating() if update is None else update
        texts = dict(_texts({name: one for name, one in results.items() if name not in without}))
        if findings := compared(Path(golden), texts, _is_golden, update=update):
            raise AssertionError("\n".join(findings))
    return results


def _is_golden(path: str) -> bool:
    return path.endswith(".jsonl") and "/" not in path


def _described(pipeline: Any, home: Path) -> tuple[Pipeline, dict[str, StepTypes]]:
    """The pipeline with its data in a folder, and what its steps take and give, by their ids."""
    from wurzel.core.importing import import_object
    from wurzel.ir.introspect import introspect, last_steps, ordered_steps

    entry = import_object(pipeline) if isinstance(pipeline, str) else pipeline
    last = last_steps(entry, "the pipeline of the test")
    described = introspect(last, name="test").model_copy(update={"data_dir": str(home)})
    return described, {step.step_id: step_types(type(step)) for step in ordered_steps(last)}


def _needed(pipeline: Pipeline, samples: Mapping[str, Any]) -> set[str]:
    """The steps that run: those that nothing but samples depends on have no use."""
    read = {edge.step for step in pipeline.steps for edge in step.needs}
    needed = {step.id for step in pipeline.steps if step.id not in read} - samples.keys()
    for step in reversed(pipeline.steps):
        if step.id in needed:
            needed |= {edge.step for edge in step.needs} - samples.keys()
    return needed


def _sample(folder: Path, types: StepTypes, value: Any) -> None:
    if isinstance(value, Recorded):
        shutil.copytree(value.folder, folder, symlinks=True)
        return
    for one in types.outputs:
        write_input(
            folder / one.name if one.name else folder, one.shape, getattr(value, one.name) if one.name else value
        )


def _run(pipeline: Pipeline, step: Step, types: StepTypes, settings: Mapping[str, Any]) -> StepResult:
    from wurzel.invocation.command import call_of, dataset
    from wurzel.runtime.step import run_step
    from wurzel.runtime.work import job_of

    job = job_of(call_of(pipeline, step), settings)
    metrics = run_step(job, environ={}).metrics
    datasets = [open_dataset(Path(dataset(pipeline, edge.step, edge.output))) for edge in step.needs]
    value, skipped = read_output(types, job.output, is_mapped(types, datasets))
    return StepResult(value, skipped, job.output, metrics)


def _texts(results: Mapping[str, StepResult]) -> Iterator[tuple[str, str]]:
    """Name and text of the file of each output."""
    for name, result in results.items():
        outputs = [path.name for path in sorted(result.folder.iterdir()) if (path / "manifest.json").exists()]
        for output in outputs or [""]:
            dataset = open_dataset(result.folder / output)
            yield f"{name}.{output}.jsonl" if output else f"{name}.jsonl", "".join(_lines(dataset))


def _lines(dataset: Dataset) -> Iterator[str]:
    """A line for each item, row or file."""
    from wurzel.runtime.preview import is_files, items, json_of

    if dataset.skipped:
        yield '"skipped"\n'
    elif is_files(dataset):
        for part in dataset.parts:
            yield f"{json_of({'file': part.name, 'bytes': part.size, 'sha256': part.sha256})}\n"
    else:
        yield from (f"{json_of(item)}\n" for item in items(dataset))
