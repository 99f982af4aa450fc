"""Reads parts of items as JSON without holding all of one: they have an item on each line, with `,` between lines."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from wurzel.datacontract.partfiles import BATCH
from wurzel.named_tuples import NamedTuple

_HEAD, _TAIL, _BETWEEN = b"[\n", b"\n]\n", b",\n"


class Lines(NamedTuple):
    """Lines of a part as a JSON list."""

    first: int
    """Number of the first of them in the part."""
    data: bytes


class Mark:
    """Where a line of a part begins: reading continues from there, without the bytes before it."""

    __slots__ = ("line", "offset")

    def __init__(self, line: int = 0, offset: int = len(_HEAD)) -> None:
        self.line = line
        self.offset = offset


def json_lists(file: BinaryIO, size: int, batch: int | None = None) -> Iterator[Lines]:
    """All lines of a part of `size` bytes, as lists of about `batch` bytes (`BATCH`) or one line; none is numbered.

    Raises `ValueError` when the part is not written like that.
    """
    for body in _bodies(file, size, len(_HEAD), batch or BATCH):
        yield Lines(-1, b"[%b]" % body)


def some_lists(file: BinaryIO, size: int, start: int, stop: int, mark: Mark) -> Iterator[Lines]:
    """As `json_lists` for the lines from `start` to `stop`, from a mark on, which is then moved to `stop`."""
    if mark.line > start:
        mark.line, mark.offset = 0, len(_HEAD)
    number, offset = mark.line, mark.offset
    for body in _bodies(file, size, offset, BATCH):
        lines = body.split(_BETWEEN)
        wanted = lines[max(0, start - number) : max(0, stop - number)]
        if wanted:
            yield Lines(max(start, number), b"[%b]" % _BETWEEN.join(wanted))
        if number + len(lines) >= stop:
            before = lines[: stop - number]
            mark.line, mark.offset = stop, offset + sum(map(len, before)) + len(_BETWEEN) * len(before)
            return
        number += len(lines)
        offset += len(body) + len(_BETWEEN)


def bodies(file: BinaryIO, size: int) -> Iterator[list[bytes]]:
    """All lines of a part, a number of them at a time; errors as `json_lists`."""
    for lines in json_lists(file, size):
        yield lines.data[1:-1].split(_BETWEEN)


def _bodies(file: BinaryIO, size: int, offset: int, batch: int) -> Iterator[bytes]:
    """The text from an offset to the last line, cut between lines into pieces of about `batch` bytes."""
    if size <= len(_HEAD) + len(_TAIL):
        if file.read() != b"[]\n":
            raise ValueError("it has no lines")
        return
    if file.read(len(_HEAD)) != _HEAD:
        raise ValueError("it does not begin with a line [")
    file.seek(offset)
    left = size - len(_TAIL) - offset
    if left <= 0:
        return
    rest = b""
    while left:
        data = file.read(min(left, max(batch, len(rest))))  # as much again where a line is long: linear in its length
        if not data:
            raise ValueError("it is cut off")
        left -= len(data)
        before = len(rest)
        rest += data
        end = rest.rfind(b"\n", before)  # one byte is found in no time; JSON has no line ends within texts
        if end >= 0:
            if rest[end - 1 : end] != b",":
                raise ValueError("it has a line that does not end with a comma")
            yield rest[: end - 1]
            rest = rest[end + 1 :]
    yield rest
    if file.read() != _TAIL:
        raise ValueError("it does not end with a line ]")
