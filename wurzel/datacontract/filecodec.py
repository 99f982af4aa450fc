"""Reads files and folders that a step has stored."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from itertools import chain, groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wurzel.datacontract.codec import Codec, Encoded, Piece
from wurzel.datacontract.manifest import AGAIN, Empty, Part, ordinal_of, unreadable
from wurzel.exceptions import ContractFailedException, DatasetError
from wurzel.named_tuples import NamedTuple

if TYPE_CHECKING:
    from wurzel.datacontract.opening import Dataset
    from wurzel.datacontract.shape import Shape


class Item(NamedTuple):
    """A `File` or `Folder` in a dataset."""

    path: Path
    parts: tuple[Part, ...]
    empty: tuple[Empty, ...]

    @property
    def items(self) -> int:
        """It is one."""
        return 1

    @property
    def size(self) -> int:
        """Bytes of all its files."""
        return sum(part.size for part in self.parts)


class FileCodec(Codec):
    """Files and folders as they are."""

    def __init__(self, shape: Shape) -> None:
        self.contract = shape.contract
        self.suffix = self.contract.suffix

    def encode(self, value: Any) -> Encoded:
        """Refuse: a file is moved, not encoded."""
        raise ContractFailedException(f"a {self.contract.__name__} is stored by the step that returns it")

    def decode(self, data: bytes) -> Any:
        """Refuse: see `encode`."""
        raise ContractFailedException(f"a {self.contract.__name__} is read from the dataset of a step")

    def units(self, dataset: Dataset) -> Sequence[Item]:
        """See `Codec`: one for each number."""
        entries: list[Part | Empty] = sorted(
            [*dataset.parts, *dataset.manifest.folders], key=lambda entry: ordinal_of(entry.name)
        )
        return [_item(list(group)) for _, group in groupby(entries, key=lambda entry: ordinal_of(entry.name))]

    def read(self, pieces: Sequence[Piece]) -> Any:
        """See `Codec`."""
        return list(chain.from_iterable(chain.from_iterable(map(self.batches, pieces))))

    def batches(self, piece: Piece) -> Iterator[list[Any]]:
        """See `Codec`."""
        item = piece.unit
        assert isinstance(item, Item)  # noqa: S101 - see `units`
        for part in item.parts:
            _verify(part)
        for folder in item.empty:
            _restore(folder.path)
        yield [self.contract(item.path)]


def _item(entries: list[Part | Empty]) -> Item:
    first = entries[0]
    depth = first.name.count("/") - 1
    path = first.path.parents[depth - 1] if depth else first.path
    parts = tuple(entry for entry in entries if isinstance(entry, Part))
    return Item(path, parts, tuple(entry for entry in entries if isinstance(entry, Empty)))


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
