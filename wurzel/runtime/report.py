"""What a run of a step took and gave, and the file that says so."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from wurzel.exceptions import StepFailed, WriteError
from wurzel.named_tuples import NamedTuple
from wurzel.regular_file import read_file, replace_file, replace_private
from wurzel.runtime.masking import CURRENT


class Report(NamedTuple):
    """What a run of a step took and gave."""

    items_in: int
    items_out: int
    bytes_in: int
    bytes_out: int
    metrics: Mapping[str, float] = MappingProxyType({})
    skipped: bool = False
    """Whether the step was not run, because a condition was false."""


def report_data(report: Report) -> dict[str, Any]:
    """A report as JSON values, with secrets masked in the names of metrics."""
    metrics = {CURRENT.text(name): value for name, value in sorted(report.metrics.items())}
    numbers = {name: int(value) if value == value // 1 else value for name, value in metrics.items()}
    data = {**report._asdict(), "metrics": numbers}
    if not report.skipped:
        del data["skipped"]
    return data


def write_report(path: Path, report: Report) -> None:
    """Write a report as JSON. Raises `StepFailed` when it cannot be written."""
    from pydantic_core import to_json

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, to_json(report_data(report), indent=2) + b"\n")
    except OSError as error:
        raise StepFailed(f"the report cannot be written: {error.strerror}", where=str(path)) from None
    except WriteError as error:
        raise StepFailed(f"the report {error.message}", where=str(path)) from None


def read_recorded(path: Path) -> dict[str, Any]:
    """A report as JSON; empty when there is none."""
    from pydantic_core import from_json

    try:
        report = from_json(read_file(path))
    except (OSError, ValueError):
        return {}
    return report if isinstance(report, dict) else {}


def write_recorded(path: Path, report: Mapping[str, Any]) -> None:
    """Write a report of an earlier run; that of a step that made none is left out. Raises `WriteError`."""
    from pydantic_core import to_json

    if report.keys() - {"cached"}:
        replace_private(path, to_json(report, indent=2) + b"\n")
