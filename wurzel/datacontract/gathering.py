"""Puts the slices of a step together as what it writes without slices, byte for byte."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from wurzel.datacontract.folders import replacing
from wurzel.datacontract.framing import bodies
from wurzel.datacontract.manifest import AGAIN, NAME, Manifest, Part, check_agreement, joined, unreadable
from wurzel.datacontract.names import from_text
from wurzel.datacontract.opening import Dataset, open_dataset, output_names
from wurzel.datacontract.partfiles import PartFiles, explained
from wurzel.datacontract.writer import check_ours
from wurzel.exceptions import DatasetError


def gather(folder: Path, into: Path | None = None) -> Dataset:
    """Turn the slices in a folder into one plain dataset: byte for byte what the step writes when it is not sliced.

    A folder with a plain dataset stays as it is. The result takes the place of the slices unless `into` is given.
    Raises `DatasetError` when a slice is missing or damaged, or the folder cannot be written.
    """
    return gather_outputs(folder, into)[""]


def gather_outputs(folder: Path, into: Path | None = None, retire: Path | None = None) -> dict[str, Dataset]:
    """As `gather`, for every output by name, `""` if it has none; replaced datasets go to `retire`, if given."""
    names = output_names(folder) or [""]
    datasets = {name: open_dataset(folder / name if name else folder) for name in names}
    target = folder if into is None else into
    if into is None and not any(dataset.slices for dataset in datasets.values()):
        return datasets
    check_ours(target)
    with explained(target), replacing(target, retire=retire) as new:
        for name, dataset in datasets.items():
            home = new / name if name else new
            home.mkdir(exist_ok=True)
            manifest = _gathered(dataset, home, keep=into is not None)
            (home / NAME).write_bytes(manifest.text())
    return {name: open_dataset(target / name if name else target) for name in names}


def gathered(slices: Sequence[Manifest], where: str) -> Manifest | None:
    """The manifest of the dataset that all slices of an output make, where their files are its files.

    `None` where they are not, so that the data has to be written again: a set is sorted as a whole, and where a step is
    not called for portions or items, all slices together count as one call. Raises `WrongDataset` when the slices
    disagree on whether the step `where` runs.
    """
    check_agreement(slices, where)
    whole = joined(slices)
    if whole.folders or any(part.ordinal is not None for part in whole.parts) or not whole.parts:
        return whole
    by_items = any(one.slice is None or one.slice.by == "items" for one in slices)
    return None if by_items or whole.containers == ("set",) else whole


def _gathered(dataset: Dataset, new: Path, *, keep: bool) -> Manifest:
    """Write the parts of a dataset; files are copied if it is to `keep` its own, otherwise linked."""
    whole = Manifest(dataset.contract, dataset.containers, (), skipped=dataset.skipped)
    if dataset.manifest.folders or any(part.ordinal is not None for part in dataset.parts):
        for part in dataset.parts:
            _place(part, new / from_text(part.name), keep=keep)
        for folder in dataset.manifest.folders:
            (new / from_text(folder.name)).mkdir(parents=True, exist_ok=True)
        return whole._replace(parts=dataset.parts, folders=dataset.manifest.folders)
    files = PartFiles(new)
    try:
        _write(dataset, files)
        files.end()
    finally:
        files.close()
    return whole._replace(parts=tuple(files.found))


def _write(dataset: Dataset, files: PartFiles) -> None:
    by_items = bool(dataset.slices) and dataset.slices[0].by == "items"
    if dataset.containers == ("set",) and not dataset.ordered and dataset.parts:
        files.begin(".json")
        files.lines(sorted({line for part in dataset.parts for lines in _batches(part) for line in lines}))
    elif not by_items:
        for part in dataset.parts:
            files.copy(part)
    elif dataset.containers == ("dataframe",):
        from wurzel.datacontract.parquet import merge_parquet

        for encoded in merge_parquet(part.read() for part in dataset.parts):
            files.add(encoded, ".parquet")
    elif dataset.parts:
        files.begin(".json")
        for part in dataset.parts:
            for lines in _batches(part):
                files.lines(lines)


def _batches(part: Part) -> Iterator[list[bytes]]:
    try:
        with part.path.open("rb") as file:
            part.verify(file)
            file.seek(0)
            yield from bodies(file, part.size)
    except ValueError as error:
        raise DatasetError(f"is not a part of items: {error}", where=str(part.path), hint=AGAIN) from None
    except OSError as error:
        raise unreadable(part.path, error) from None


def _place(part: Part, target: Path, *, keep: bool) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if keep:
        shutil.copy(part.path, target)
        with target.open("rb") as file:
            part.verify(file)
    else:  # the slices are removed: what is linked has one name again
        os.link(part.path, target)
