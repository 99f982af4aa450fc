"""Reads parts of items as JSON without holding all of one: they have an item on each line, with `,` between lines."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from wurzel.datacontract.partfiles import BATCH

_HEAD, _TAIL, _BETWEEN = b"[\n", b"\n]\n", b",\n"


class Lines(NamedTuple):
    """Lines of a part as a JSON list."""

    first: int
    """Number of the first of them in the part."""
    data: bytes


def json_lists(file: BinaryIO, size: int, start: int, stop: int | None, batch: int | None = None) -> Iterator[Lines]:
    """The lines `start` to `stop` of a part of `size` bytes, as lists of about `batch` bytes (`BATCH`) or one line.

    Raises:
        ValueError: when the part is not written like that.
    """
    if size <= len(_HEAD) + len(_TAIL):
        if file.read() != b"[]\n":
            raise ValueError("it has no lines")
        return
    if file.read(len(_HEAD)) != _HEAD:
        raise ValueError("it does not begin with a line [")
    if start == 0 and stop is None:
        for body in _bodies(file, size - len(_HEAD) - len(_TAIL), batch or BATCH):
            yield Lines(-1, b"[%b]" % body)
        return
    number = 0
    for body in _bodies(file, size - len(_HEAD) - len(_TAIL), batch or BATCH):
        lines = body.split(_BETWEEN)
        wanted = lines[max(0, start - number) : None if stop is None else max(0, stop - number)]
        if wanted:
            yield Lines(max(start, number), b"[%b]" % _BETWEEN.join(wanted))
        number += len(lines)
        if stop is not None and number >= stop:
            return


def bodies(file: BinaryIO, size: int) -> Iterator[list[bytes]]:
    """All lines of a part, a number of them at a time; errors as `json_lists`."""
    for lines in json_lists(file, size, 0, None):
        yield lines.data[1:-1].split(_BETWEEN)


def _bodies(file: BinaryIO, left: int, batch: int) -> Iterator[bytes]:
    """The text between first and last line, cut between lines into pieces of about `batch` bytes."""
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
