"""A step that runs in slices on this machine: where the slices go, and how they become one dataset.

Slices are written beside the dataset, so that the last output stays until all of them are there.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wurzel.datacontract.dataset import Dataset, gather, open_dataset, shard_folder
from wurzel.datacontract.folders import remove
from wurzel.datacontract.manifest import NAME
from wurzel.exceptions import DatasetError, WurzelError

if TYPE_CHECKING:
    from collections.abc import Sequence

SLICES = ".slices"
REPORT = ".report.json"
"""File within a slice that says what it took and gave; no part of the dataset."""


def staging(output: Path) -> Path:
    """The folder that slices of a dataset are written to."""
    return output.with_name(f".{output.name}{SLICES}")


def options(output: Path, number: int, of: int, *, report: bool = False) -> list[str]:
    """What makes `wurzel step` write slice `number` (from 1) of `of`; stronger than what stands before it."""
    words = ["-o", str(staging(output)), "--shard", f"{number}/{of}"]
    return [*words, "--report", str(_report(staging(output), number, of))] if report else words


def clear(output: Path) -> None:
    """Remove what is there of slices of a dataset.

    Raises:
        DatasetError: when it cannot be removed.
    """
    stage = staging(output)
    try:
        remove(stage)
    except OSError as error:
        raise DatasetError(f"cannot be removed: {error.strerror}", where=str(stage)) from error


def assemble(output: Path, report: Path | None = None) -> None:
    """Put the slices together, in place of the last output, and their reports as well if one is wanted.

    Raises:
        DatasetError: when a slice is missing or damaged, or the dataset cannot be written.
        StepFailed: when the report cannot be written.
    """
    join(staging(output), output, report)
    clear(output)


def join(folder: Path, output: Path, report: Path | None = None) -> None:
    """Put the slices in a folder together as one dataset; they stay. So with the reports within them if one is wanted.

    Raises:
        DatasetError: when a slice or its report is missing or damaged, or the dataset cannot be written.
        StepFailed: when the report cannot be written.
    """
    slices = open_dataset(folder).slices
    if not slices or (folder / NAME).exists():
        raise DatasetError("holds no slices", where=str(folder), hint="Give the folder that --shard wrote to with -i.")
    dataset = gather(folder, output)
    if report is not None:
        reports = [_read_report(_report(folder, cut.number, cut.of)) for cut in slices]
        _write_merged(reports, slices[0].by, dataset, report)


def assembling(output: Path) -> list[str]:
    """The command that puts slices together in a process of its own."""
    return [sys.executable, "-P", "-m", "wurzel.runtime.slices", str(output)]


def _report(folder: Path, number: int, of: int) -> Path:
    return shard_folder(folder, number, of) / REPORT


def _read_report(path: Path) -> dict[str, Any]:
    hint = f"Run the slice again with --report {path}."
    try:
        report = json.loads(path.read_bytes())
    except OSError as error:
        raise DatasetError(f"the report cannot be read: {error.strerror}", where=str(path), hint=hint) from None
    except ValueError as error:
        raise DatasetError(f"is no report of a slice: {error}", where=str(path), hint=hint) from None
    if not isinstance(report, dict) or not {"metrics", "bytes_in", "items_in"} <= set(report):
        raise DatasetError("is no report of a slice", where=str(path), hint=hint)
    return report


def _write_merged(reports: Sequence[dict[str, Any]], by: str, dataset: Dataset, path: Path) -> None:
    """The report of the step as a whole: what slices took and counted, summed; what they gave, from the result."""
    from wurzel.runtime.report import Report, write_report

    metrics: Counter[str] = Counter()
    for report in reports:
        metrics.update(report["metrics"])
    sizes = [report["bytes_in"] for report in reports]
    # Slices of items each read the whole input, slices of parts only theirs.
    size = max(sizes) if by == "items" else sum(sizes)
    taken = sum(report["items_in"] for report in reports)
    write_report(path, Report(taken, dataset.items, size, dataset.size, dict(metrics)))


if __name__ == "__main__":
    try:
        assemble(Path(sys.argv[1]))
    except WurzelError as error:
        sys.exit(f"error: {error}")
