"""Part of a pipeline: some of its steps, which find what others have written."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from wurzel.datacontract.dataset import open_dataset
from wurzel.exceptions import DatasetError, PreflightError, Problem, UsageError
from wurzel.invocation.command import dataset

if TYPE_CHECKING:
    from wurzel.ir.model import Pipeline, Step


def chosen(pipeline: Pipeline, only: Iterable[str]) -> Pipeline:
    """The pipeline with these steps alone.

    Raises:
        UsageError: when there is no such step.
    """
    ids = {step_id for text in only for step_id in text.split(",") if step_id}
    if not ids:
        return pipeline
    for step_id in sorted(ids):
        find(pipeline, step_id, "--only")
    return pipeline.model_copy(update={"steps": tuple(step for step in pipeline.steps if step.id in ids)})


def find(pipeline: Pipeline, step_id: str, option: str) -> Step:
    """The step of this id.

    Raises:
        UsageError: when there is none.
    """
    for step in pipeline.steps:
        if step.id == step_id:
            return step
    from wurzel.suggestion import did_you_mean

    ids = [step.id for step in pipeline.steps]
    raise UsageError(
        f"the pipeline {pipeline.name} has no step {step_id!r}",
        where=option,
        hint=f"{did_you_mean(step_id, ids)} Its steps are {', '.join(ids)}.".lstrip(),
    )


def found(pipeline: Pipeline, root: Path) -> dict[tuple[str, str], str]:
    """Digests of the datasets that these steps read from others, by step and output.

    Raises:
        PreflightError: when one is missing or damaged.
    """
    here = {step.id for step in pipeline.steps}
    digests: dict[tuple[str, str], str] = {}
    problems = []
    for step in pipeline.steps:
        for edge in step.needs:
            if edge.step in here or (edge.step, edge.output) in digests:
                continue
            folder = Path(dataset(pipeline, edge.step), edge.output)
            try:
                digests[edge.step, edge.output] = open_dataset(root / folder).digest
            except DatasetError as error:
                hint = f"Run it first, or along with {step.id}: --only {edge.step},{step.id}"
                where = f"{pipeline.name}: step {step.id}"
                problems.append(Problem(f"{folder}: {error.message}", where, hint))
    if problems:
        raise PreflightError(problems)
    return digests
