"""A step that runs in slices on this machine: where the slices go, and how they become one dataset.

Slices are written beside the dataset, so that the last output stays until all of them are there.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wurzel.datacontract.folders import remove
from wurzel.datacontract.opening import open_dataset, output_names, shard_folder, shard_of
from wurzel.exceptions import DatasetError, WurzelError
from wurzel.invocation import call
from wurzel.regular_file import read_file

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from wurzel.datacontract.manifest import Manifest
    from wurzel.runtime.report import Report

SLICES = ".slices"
REPORT = ".report.json"
"""File within a slice that says what it took and gave; no part of the dataset."""


def staging(output: Path) -> Path:
    """The folder that slices of a dataset are written to."""
    return output.with_name(f".{output.name}{SLICES}")


def folder(output: Path, number: int, of: int) -> Path:
    """The folder that one of the slices is written to."""
    return shard_folder(staging(output), number, of)


def options(output: Path, number: int, of: int, *, report: bool = False) -> list[str]:
    """What makes `wurzel step` write slice `number` (from 1) of `of`; stronger than what stands before it."""
    stage = staging(output)
    return call.options(o=stage, shard=f"{number}/{of}", report=report and _report(stage, number, of))


def clear(output: Path) -> None:
    """Remove what is there of slices of a dataset. Raises `DatasetError` when it cannot be removed."""
    stage = staging(output)
    try:
        remove(stage)
    except OSError as error:
        raise DatasetError(f"cannot be removed: {error.strerror}", where=str(stage)) from error


def assemble(output: Path, report: Path | None = None, retire: Path | None = None) -> None:
    """Put the slices together, in place of the last output, and their reports as well if one is wanted.

    The last output goes to `retire`, if it is given. Raises `DatasetError` when a slice is missing or damaged, or the
    dataset cannot be written; `StepFailed` when the report cannot be written.
    """
    join(staging(output), output, report, retire)
    clear(output)


def join(folder: Path, output: Path, report: Path | None = None, retire: Path | None = None) -> None:
    """Put the slices in a folder together as one dataset; they stay. So with the reports within them if one is wanted.

    Raises `DatasetError` when a slice or its report is missing or damaged, or the dataset cannot be written;
    `StepFailed` when the report cannot be written.
    """
    from wurzel.datacontract.gathering import gather_outputs  # a run with nothing to do gathers nothing

    if not _is_sliced(folder):
        raise DatasetError(
            "contains no slices", where=str(folder), hint="Give the folder that --shard wrote to with -i."
        )
    name = next(iter(output_names(folder)), "")
    slices = open_dataset(folder / name).slices
    datasets = gather_outputs(folder, output, retire)
    if report is not None:
        from wurzel.runtime.report import write_report

        reports = [_read_report(_report(folder, cut.number, cut.of)) for cut in slices]
        manifests = {name: dataset.manifest for name, dataset in datasets.items()}
        write_report(report, merged(reports, slices[0].by, manifests))


def _is_sliced(folder: Path) -> bool:
    try:
        names = [path.name for path in folder.iterdir() if not path.name.startswith(".")]
    except OSError:
        return True  # opening it will say what is wrong
    return not names or any(map(shard_of, names))


def assembling(output: Path, report: Path, retire: Path | None) -> list[str]:
    """The command that does the same as `assemble` in a separate process."""
    folders = [str(path) for path in (output, report, retire) if path is not None]
    return [sys.executable, "-P", "-m", "wurzel.runtime.slices", *folders]


def _report(folder: Path, number: int, of: int) -> Path:
    return shard_folder(folder, number, of) / REPORT


def _read_report(path: Path) -> dict[str, Any]:
    hint = f"Run the slice again with --report {path}."
    try:
        report = json.loads(read_file(path))
    except OSError as error:
        raise DatasetError(f"the report cannot be read: {error.strerror}", where=str(path), hint=hint) from None
    except ValueError as error:
        raise DatasetError(f"is not the report of a slice: {error}", where=str(path), hint=hint) from None
    if not isinstance(report, dict) or not {"metrics", "bytes_in", "items_in"} <= set(report):
        raise DatasetError("is not the report of a slice", where=str(path), hint=hint)
    return report


def merged(reports: Sequence[Mapping[str, Any]], by: str, manifests: Mapping[str, Manifest]) -> Report:
    """The report of the step as a whole: what slices took and counted, summed; what they gave, from the result.

    What slices are made of is explained at `Slice`; manifests are those of the whole, by output.
    """
    from wurzel.runtime.report import Report

    metrics: Counter[str] = Counter()
    for report in reports:
        metrics.update(report["metrics"])
    for name, manifest in manifests.items():
        columns = f"{name}.columns" if name else "columns"
        if by == "items" and manifest.containers == ("dataframe",) and columns in metrics:  # slices of rows have all
            metrics[columns] = max(report["metrics"].get(columns, 0) for report in reports)
    taken = sum(report["items_in"] for report in reports)
    size = sum(report["bytes_in"] for report in reports)
    items = sum(manifest.items for manifest in manifests.values())
    given = sum(part.size for manifest in manifests.values() for part in manifest.parts)
    skipped = all(manifest.skipped for manifest in manifests.values())
    return Report(taken, items, size, given, dict(metrics), skipped)


if __name__ == "__main__":
    try:
        assemble(*map(Path, sys.argv[1:]))
    except WurzelError as error:
        sys.exit(f"error: {error}")
