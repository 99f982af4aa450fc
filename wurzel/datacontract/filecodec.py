"""Reads files and folders that a step has stored."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from itertools import chain, groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wurzel.datacontract.codec import Codec, Piece, Unit
from wurzel.datacontract.manifest import AGAIN, Empty, Part, ordinal_of, unreadable
from wurzel.exceptions import DatasetError

if TYPE_CHECKING:
    from wurzel.datacontract.opening import Dataset
    from wurzel.datacontract.shape import Shape


class FileCodec(Codec):
    """Files and folders as they are; they are moved where they are stored, not encoded."""

    def __init__(self, shape: Shape) -> None:
        self.contract = shape.contract
        self.suffix = self.contract.suffix

    def units(self, dataset: Dataset) -> Sequence[Unit]:
        """See `Codec`; one for each number."""
        entries: list[Part | Empty] = sorted(
            [*dataset.parts, *dataset.manifest.folders], key=lambda entry: ordinal_of(entry.name)
        )
        return [_unit(list(group)) for _, group in groupby(entries, key=lambda entry: ordinal_of(entry.name))]

    def read(self, pieces: Sequence[Piece]) -> Any:
        """See `Codec`."""
        return list(chain.from_iterable(chain.from_iterable(map(self.batches, pieces))))

    def batches(self, piece: Piece) -> Iterator[list[Any]]:
        """See `Codec`."""
        for part in piece.unit.parts:
            _verify(part)
        for folder in piece.unit.empty:
            _restore(folder.path)
        yield [self.contract(piece.unit.path)]


def _unit(entries: list[Part | Empty]) -> Unit:
    first = entries[0]
    depth = first.name.count("/") - 1
    path = first.path.parents[depth - 1] if depth else first.path
    parts = tuple(entry for entry in entries if isinstance(entry, Part))
    return Unit(path, parts, 1, tuple(entry for entry in entries if isinstance(entry, Empty)))


def _verify(part: Part) -> None:
    """Make sure of a file's bytes, and of the executable bit, which artifacts of CI systems lose."""
    try:
        with part.path.open("rb") as file:
            part.verify(file)
            mode = os.fstat(file.fileno()).st_mode
        if part.executable and not mode & 0o100:
            part.path.chmod(mode | (mode & 0o444) >> 2)
    except OSError as error:
        raise unreadable(part.path, error) from None


def _restore(folder: Path) -> None:
    """Make an empty folder again: artifacts of CI systems, and git, leave them out."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DatasetError(
            f"the empty folder cannot be made: {error.strerror}", where=str(folder), hint=AGAIN
        ) from None
