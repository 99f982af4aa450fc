"""Items as JSON: one item per line between `[` and `]`, or a single item on one line.

Each item is written, read back and compared, so that a part never holds what a reader would not get.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

from wurzel.datacontract.codec import Codec, Encoded, Piece, framed
from wurzel.datacontract.difference import not_many
from wurzel.datacontract.framing import Lines, Mark, json_lists, some_lists
from wurzel.datacontract.lines import BrokenItems, ItemLines
from wurzel.datacontract.manifest import AGAIN, unreadable
from wurzel.datacontract.partfiles import BATCH
from wurzel.exceptions import ContractFailedException, DatasetError

if TYPE_CHECKING:
    from io import BufferedReader
    from pathlib import Path

    from wurzel.datacontract.manifest import Part
    from wurzel.datacontract.shape import Shape

_CHUNK = 1024
_AT_ONCE = 64
_SET = ("set",)


class JsonCodec(Codec):
    """Items as JSON."""

    suffix = ".json"

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self.lines = ItemLines(shape)
        self._verified: dict[Path, tuple[int, int]] = {}
        self._mark = Mark()
        self._marked: Path | None = None

    def encode(self, value: Any) -> Encoded:
        """See `Codec`."""
        if not self.shape.many:
            return Encoded(self.lines.line(value, 0) + b"\n", 1)
        lines = list(chain.from_iterable(self.encoded(value)))
        if self.shape.containers == _SET:
            lines = self.distinct(lines, value)
        return Encoded(framed(lines), len(lines))

    def encoded(self, value: Any) -> Iterator[list[bytes]]:
        """The JSON of the items that one call of `run` gave, some at a time.

        What an iterator yields is encoded at once, since it may be changed and yielded again. Raises
        `ContractFailedException` when an item breaks the contract; the message names item and field.
        """
        if isinstance(value, Iterator):
            return self._yielded(value)
        wanted = self.shape.containers[0]
        if isinstance(value, list | tuple) or (isinstance(value, set | frozenset) and wanted == "set"):
            return self._listed(value)
        raise not_many(value, f"a {wanted}")

    def distinct(self, lines: list[bytes], value: Any = None) -> list[bytes]:
        """Lines of a set, sorted, each once. Raises `ContractFailedException` when items would be read as one."""
        found = sorted(set(lines))
        if isinstance(value, set | frozenset) and len(found) < len(lines):
            raise ContractFailedException(f"of its {len(lines)} items, only {len(found)} differ in what is stored")
        kept = len(set(self.lines.read(b"[" + b",".join(found) + b"]")))
        if kept < len(found):
            raise ContractFailedException(f"{len(found)} items that are stored differently are {kept} items when read")
        return found

    def decode(self, data: bytes) -> Any:
        """See `Codec`."""
        if not self.shape.many:
            found = self.lines.read(b"[" + data + b"]")
            if len(found) != 1:
                raise ContractFailedException(f"one item was expected, it has {len(found)}")
            return found[0]
        items = self.lines.read(data)
        return set(items) if self.shape.containers == _SET else items

    def read(self, pieces: Sequence[Piece]) -> Any:
        """See `Codec`."""
        with _no_collecting():
            items = chain.from_iterable(chain.from_iterable(map(self.batches, pieces)))
            return set(items) if self.shape.containers == _SET else list(items)

    def cut(self, value: Any, start: int, stop: int) -> Any:
        """See `Codec`; a set is cut in the order in which it is stored."""
        if self.shape.containers != _SET:
            return value[start:stop]
        lines = sorted(((self.lines.written(item), item) for item in value), key=lambda pair: pair[0])
        return {item for _, item in lines[start:stop]}

    def _yielded(self, items: Iterator[Any]) -> Iterator[list[bytes]]:
        encode = self.lines.encoder()
        lines: list[bytes] = []
        size = first = 0
        for item in items:
            text = encode(item, first + len(lines))
            lines.append(text)
            size += len(text)
            if size >= BATCH:
                self.lines.check(lines, first)
                yield lines
                first += len(lines)
                lines, size = [], 0
        self.lines.check(lines, first)
        yield lines

    def _listed(self, items: Iterable[Any]) -> Iterator[list[bytes]]:
        """As `_yielded` for items that are all there, so that several can be encoded at once."""
        problems: list[BrokenItems] = []
        rest = iter(items)
        size, start = 16, 0
        while chunk := list(islice(rest, size)):
            texts = self.lines.at_once(chunk)
            if texts is None:
                texts = list(self._one_by_one(chunk, start, problems))
            if not problems:
                yield texts
            start += len(chunk)
            size = max(1, min(_CHUNK, BATCH * len(chunk) // (sum(map(len, texts)) + 1)))
        if problems:
            told = [text for problem in problems for text in problem.problems]
            raise BrokenItems(told, problems[0].hint)

    def _one_by_one(self, items: Iterable[Any], start: int, problems: list[BrokenItems]) -> Iterator[bytes]:
        for index, item in enumerate(items, start):
            try:
                yield self.lines.line(item, index)
            except BrokenItems as error:
                problems.append(error)

    def batches(self, piece: Piece) -> Iterator[list[Any]]:
        """See `Codec`."""
        (part,) = piece.unit.parts
        try:
            with part.path.open("rb") as file:
                self._verify(part, file)
                if piece.single:
                    yield self.lines.read(b"[" + file.read() + b"]", single=True)
                    return
                found = 0
                whole = (piece.start, piece.stop) == (0, part.items)
                for batch in self._lists(piece, file, whole=whole):
                    items = self.lines.read(batch.data, found if whole else batch.first)
                    found += len(items)
                    yield items
        except ContractFailedException as error:
            raise ContractFailedException(f"breaks its contract: {error.message}", where=str(part.path)) from None
        except OSError as error:
            raise unreadable(part.path, error) from None
        except ValueError as error:
            raise DatasetError(f"is not a part of items: {error}", where=str(part.path), hint=AGAIN) from None
        if found != piece.stop - piece.start:
            reason = f"{piece.stop - piece.start} items were expected, {found} are there"
            raise DatasetError(f"is damaged: {reason}", where=str(part.path), hint=AGAIN)

    def _verify(self, part: Part, file: BufferedReader) -> None:
        """Make sure of a part once, however many portions of it are read, but again when the file changes."""
        about = os.fstat(file.fileno())
        status = about.st_ino, about.st_ctime_ns
        if self._verified.get(part.path) != status:
            part.verify(file)
            self._verified[part.path] = status
            file.seek(0)

    def _lists(self, piece: Piece, file: BufferedReader, *, whole: bool) -> Iterator[Lines]:
        """The lines of a piece; one portion after the other reads on where the last one ended."""
        (part,) = piece.unit.parts
        if whole:
            return json_lists(file, part.size, _fitting(part))
        if part.path != self._marked:
            self._marked, self._mark = part.path, Mark()
        return some_lists(file, part.size, piece.start, piece.stop, self._mark)


@contextmanager
def _no_collecting() -> Iterator[None]:
    """Keep the garbage collector from looking at a growing list again and again: none of it can be garbage."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _fitting(part: Part) -> int:
    """Bytes to read at a time: fewer where items are tiny, since the garbage collector looks at all that live."""
    return max(1, min(BATCH, _AT_ONCE * part.size // max(1, part.items)))
