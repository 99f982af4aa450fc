"""Seconds and peak memory of steps, in a file for git, from which `wurzel layout` proposes layouts and requests."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wurzel.exceptions import UsageError
from wurzel.ir.quantity import amount
from wurzel.named_tuples import NamedTuple
from wurzel.regular_file import read_file, replace_file

if TYPE_CHECKING:
    from wurzel.ir.model import Pipeline
    from wurzel.runtime.options import RunOptions

_DIGITS = 2
"""Significant digits of what is written, so that git shows a change and no noise."""


class Measure(NamedTuple):
    """What a step took when it last ran while it was measured."""

    seconds: float
    memory: int
    """Bytes at its peak, of the largest process; 0 if unknown."""


def measures_path(root: Path, pipeline: str) -> Path:
    """The file with the measures of a pipeline."""
    return root / f"{pipeline}.measures.json"


def write_measures(pipeline: Pipeline, options: RunOptions) -> Path:
    """Write what the steps took that ran in the run that is over; others keep what they took before.

    Raises `UsageError` when the file is there, but is none of ours; `WriteError` when it cannot be written.
    """
    from wurzel.runtime.history import steps_of

    path = measures_path(options.root, pipeline.name)
    known = read_measures(path) if path.exists() else {}
    ran = steps_of(options.root / options.state_dir, pipeline.name, options.run_id)
    now = {
        step: Measure(found["end"] - found["begin"], int(found.get("memory", 0)))
        for step, found in ran.items()
        if found.get("state") == "ran" and "begin" in found and "end" in found
    }
    steps = {step.id: now.get(step.id) or known.get(step.id) for step in pipeline.steps}
    written = {name: _as_json(measure) for name, measure in steps.items() if measure is not None}
    replace_file(path, json.dumps({"pipeline": pipeline.name, "steps": written}, indent=2).encode() + b"\n")
    return path


def read_measures(path: Path) -> dict[str, Measure]:
    """The measures in a file, by step. Raises `UsageError` when it cannot be read, or holds something else."""
    try:
        found = json.loads(read_file(path))["steps"].items()
        return {str(name): Measure(float(one["seconds"]), int(amount(one.get("memory", "0")))) for name, one in found}
    except OSError as error:
        hint = "Write it with: wurzel run --measure --force"
        raise UsageError(f"cannot be read: {error.strerror}", where=str(path), hint=hint) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError("does not contain measures", where=str(path), hint="Remove it, and measure again.") from error


def _as_json(measure: Measure) -> dict[str, Any]:
    seconds = {"seconds": float(f"{max(measure.seconds, 0.01):.{_DIGITS}g}")}
    mebibytes = float(f"{measure.memory / 2**20:.{_DIGITS}g}")
    return {**seconds, "memory": f"{mebibytes:.0f}Mi"} if mebibytes >= 1 else {**seconds}
