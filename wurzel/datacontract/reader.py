"""Reads what a step takes from the datasets before it: as a value, or as a stream of items.

Example:
reader = Reader(shape_of(list[Doc]), [open_dataset(Path("data/read"))])
docs = reader.value()                       # a list of all items
some = reader.value(500, 1000)              # the second portion of 500; parts without them are not read
docs = reader.stream()                      # for `Iterable[Doc]`: starts again whenever it is asked to
docs = reader.stream().once()               # for `Iterator[Doc]`: an error once it is asked after its end
reader.check()                              # after `run`: raises what it met, even if `run` swallowed the error
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import accumulate, chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wurzel.datacontract.codec import Piece
from wurzel.datacontract.parts import codec_for
from wurzel.exceptions import ContractFailedException, WurzelError

if TYPE_CHECKING:
    from wurzel.datacontract.codec import Codec
    from wurzel.datacontract.opening import Dataset
    from wurzel.datacontract.shape import Shape

_ENDED = "the input of run is an Iterator, and was asked for items after its end"
_HINT = (
    "Take Iterable[…], which starts again each time, or a list; two outputs cannot be made of one iterator."
    " For batches, see shards or itertools.batched: islice in a loop asks once more."
)


class Reader:
    """What one field of a step takes: all items of some datasets, in order; skipped and empty ones give none."""

    def __init__(self, shape: Shape, datasets: Sequence[Dataset]) -> None:
        """Read datasets as `shape`, or of single `X` for `list[X]`. Raises `WrongDataset` for another contract."""
        for dataset in datasets:
            dataset.check(shape)
        self._codec: Codec = codec_for(shape)
        self._shape = shape
        whole = [_absolute(dataset) for dataset in datasets]
        self._pieces = [
            Piece(unit, 0, unit.items, not dataset.containers)
            for dataset in whole
            for unit in self._codec.units(dataset)
        ]
        self._ends = list(accumulate(piece.stop for piece in self._pieces))
        self.items = self._ends[-1] if self._ends else 0
        """Items in all datasets; rows of tables. A set may have fewer where it comes from several."""
        filled = [dataset for dataset in datasets if dataset.parts]
        self._by_parts = shape.containers != ("set",) or not filled or (len(filled) == 1 and filled[0].ordered)
        self._failed: WurzelError | None = None

    def count(self) -> int:
        """How many items there are to cut: of a set that comes from several datasets, each counts once."""
        return self.items if self._by_parts else len(self._together)

    def size(self, start: int = 0, stop: int | None = None) -> int:
        """Bytes of the parts that hold the items from `start` to `stop`."""
        return sum(piece.unit.size for piece in self._within(start, stop))

    def value(self, start: int = 0, stop: int | None = None) -> Any:
        """What `run` takes: a list, set or table of these items, or the single item.

        Where there are no items, it is an empty list or set, or a table with the columns of its contract. Raises
        `DatasetError` when a part is damaged, `ContractFailedException` when an item breaks the contract; the message
        names item and field.
        """
        if not self._shape.many:
            (item,) = self.stream(start, start + 1)
            return item
        if self._by_parts:
            return self._codec.read(self._within(start, stop))
        if (start, stop) == (0, None):
            return self._together
        return self._codec.cut(self._together, start, len(self._together) if stop is None else stop)

    def stream(self, start: int = 0, stop: int | None = None) -> Stream:
        """These items, read as they are asked for; only for lists and single items."""
        return Stream(self, self._codec, self._within(start, stop))

    def check(self) -> None:
        """Raise the first error that a stream of this reader met, whatever became of it then.

        Raises the `WurzelError` that `value` does, or one that an iterator was asked for items after its end.
        """
        if self._failed is not None:
            raise self._failed

    def note(self, error: WurzelError) -> WurzelError:
        """Keep an error for `check`; gives it back."""
        self._failed = self._failed or error
        return error

    @cached_property
    def _together(self) -> Any:
        """The set of several datasets, which is not in the order of their parts."""
        return self._codec.read(self._pieces)

    def _within(self, start: int, stop: int | None) -> list[Piece]:
        if (start, stop) == (0, None):
            return self._pieces
        found: list[Piece] = []
        last = self.items if stop is None else stop
        for number in range(bisect_right(self._ends, start), len(self._pieces)):
            piece = self._pieces[number]
            before = self._ends[number] - piece.stop
            if before >= last:
                break
            if piece.stop:
                found.append(piece._replace(start=max(start - before, 0), stop=min(last - before, piece.stop)))
        return found


class Stream(Iterable[Any]):
    """Items of datasets, part by part; each part is verified before any of its items is given."""

    def __init__(self, reader: Reader, codec: Codec, pieces: Sequence[Piece]) -> None:
        self._reader = reader
        self._codec = codec
        self._pieces = pieces

    def __iter__(self) -> Iterator[Any]:
        """Start at the first item."""
        return chain.from_iterable(self._batches())

    def once(self) -> Iterator[Any]:
        """An iterator that refuses to be asked again after its end."""
        return Once(self._reader, iter(self))

    def _batches(self) -> Iterator[list[Any]]:
        try:
            for piece in self._pieces:
                yield from self._codec.batches(piece)
        except WurzelError as error:
            self._reader.note(error)
            raise


class Once(Iterator[Any]):
    """An iterator that ends once: asking it again is an error, since it would seem to be empty."""

    __slots__ = ("_ended", "_next", "_reader")

    def __init__(self, reader: Reader, items: Iterator[Any]) -> None:
        self._next = items.__next__
        self._reader = reader
        self._ended = False

    def __next__(self) -> Any:
        try:
            return self._next()
        except StopIteration:
            if self._ended:
                raise self._reader.note(ContractFailedException(_ENDED, hint=_HINT)) from None
            self._ended = True
            raise


def _absolute(dataset: Dataset) -> Dataset:
    """The dataset with paths that stay right when a step changes the current folder."""
    if dataset.path.is_absolute():
        return dataset
    here = Path.cwd()
    parts = tuple(part._replace(path=here / part.path) for part in dataset.parts)
    return dataset._replace(path=here / dataset.path, manifest=dataset.manifest._replace(parts=parts))
