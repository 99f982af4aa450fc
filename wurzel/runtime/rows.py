"""What became of each step of a run, as one row: for the table of a CI job and for JUnit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from wurzel.named_tuples import NamedTuple
from wurzel.runtime.history import past_runs
from wurzel.runtime.outcome import tail
from wurzel.runtime.selection import chosen

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from wurzel.ir.model import Pipeline
    from wurzel.runtime.options import RunOptions
    from wurzel.runtime.outcome import RunResult

_NOT_RUN = "not run"


class Row(NamedTuple):
    """What became of one step."""

    step: str
    result: str
    """`ran`, `skipped`, `unchanged`, `failed` or `not run`."""
    seconds: float = 0.0
    retries: int = 0
    why: str = ""
    """Why it failed, or did not run."""
    items_in: int | None = None
    items_out: int | None = None
    log: Sequence[str] = ()
    """The last lines of the log of a failed step."""


def rows_of(pipeline: Pipeline, options: RunOptions, result: RunResult) -> list[Row]:
    """One row for each step of a run that is over, from its record, in the order of the pipeline."""
    runs = past_runs(options.root / options.state_dir, pipeline.name)
    steps = next((run.steps for run in runs if run.id == options.run_id), {})
    return [_row(step.id, steps.get(step.id, {}), result) for step in chosen(pipeline, options.only).steps]


def _row(step_id: str, found: Mapping[str, Any], result: RunResult) -> Row:
    failure = result.failed.get(step_id)
    if step_id in result.blocked:
        return Row(step_id, _NOT_RUN, why=f"{result.blocked[step_id]} failed")
    if step_id in result.left:
        return Row(step_id, _NOT_RUN, why="the run was stopped")
    report = found.get("report", {})
    named = {"ran": result.ran, "skipped": result.skipped, "unchanged": result.unchanged}
    return Row(
        step_id,
        next((name for name, ids in named.items() if step_id in ids), "failed"),
        found["end"] - found.get("begin", found["end"]) if "end" in found else 0.0,
        max(found.get("tries", 0) - 1, 0),
        failure.reason if failure else "",
        report.get("items_in"),
        report.get("items_out"),
        tail(failure.log) if failure and failure.log else (),
    )
