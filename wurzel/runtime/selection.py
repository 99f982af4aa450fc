"""Part of a pipeline: some of its steps, which find what others have written."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from wurzel.datacontract.opening import open_dataset
from wurzel.exceptions import DatasetError, PreflightError, Problem, UsageError
from wurzel.invocation.command import dataset

if TYPE_CHECKING:
    from wurzel.ir.model import Pipeline, Step


def chosen(pipeline: Pipeline, only: Iterable[str], option: str = "--only") -> Pipeline:
    """The pipeline with these steps alone; all of it if none is named.

    A text is like `split`, `guides,split`, `split+` (also what comes after it), `+split` (also what comes before it).
    Raises `UsageError`, which names the `option`, for an unknown step.
    """
    ids = {step_id for word in _words(only, option) for step_id in _meant(pipeline, word, option)}
    return _with(pipeline, ids)


def between(pipeline: Pipeline, first: Iterable[str], last: Iterable[str]) -> tuple[str, ...]:
    """Ids of the steps that are, or come after, one of `first`, and that are, or come before, one of `last`.

    Raises `UsageError` when there is no such step, or none between them.
    """
    begin = [find(pipeline, name, "--from").id for name in _words(first, "--from")]
    end = [find(pipeline, name, "--until").id for name in _words(last, "--until")]
    after = [step for step_id in begin for step in _after(pipeline, step_id)]
    before = [step for step_id in end for step in _before(pipeline, step_id)]
    ids = set(after or before) & set(before or after)
    if not ids and after:
        raise UsageError(
            f"no step is both after {', '.join(begin)} and before {', '.join(end)}",
            where="--from, --until",
            hint="`wurzel graph` shows the order of the steps.",
        )
    return tuple(step.id for step in pipeline.steps if step.id in ids)


def _words(texts: Iterable[str], option: str) -> list[str]:
    given = list(texts)
    words = [word.strip() for text in given for word in text.split(",") if word.strip()]
    if given and not words:  # such as that of a variable that is not set: it does not mean all steps
        raise UsageError("does not name a step", where=option, hint="Leave it out to run all steps.")
    return words


def _with(pipeline: Pipeline, ids: Collection[str]) -> Pipeline:
    kept = tuple(step for step in pipeline.steps if step.id in ids)
    return pipeline.model_copy(update={"steps": kept}) if kept else pipeline


def _meant(pipeline: Pipeline, word: str, option: str) -> set[str]:
    step_id = find(pipeline, word.removeprefix("+").removesuffix("+"), option).id
    after = _after(pipeline, step_id) if word.endswith("+") else set()
    return {step_id} | after | (_before(pipeline, step_id) if word.startswith("+") else set())


def _after(pipeline: Pipeline, step_id: str) -> set[str]:
    """The step and all that read what it gives, directly or not."""
    found = {step_id}
    for step in pipeline.steps:  # each stands behind what it reads
        if not found.isdisjoint(edge.step for edge in step.needs):
            found.add(step.id)
    return found


def _before(pipeline: Pipeline, step_id: str) -> set[str]:
    """The step and all that it reads, directly or not."""
    found = {step_id}
    for step in reversed(pipeline.steps):
        if step.id in found:
            found |= {edge.step for edge in step.needs}
    return found


def find(pipeline: Pipeline, step_id: str, option: str) -> Step:
    """The step of this id. Raises `UsageError` when there is none."""
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


def found(pipeline: Pipeline, steps: Sequence[Step], root: Path) -> dict[tuple[str, str], str]:
    """Digests of what these steps read of others in the data folder. Raises `PreflightError` if one is not there."""
    here = {step.id for step in steps}
    digests: dict[tuple[str, str], str] = {}
    problems = []
    for step in steps:
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
