"""Output as it is read: without colors, and with the ends of lines in JSON as such."""

from __future__ import annotations

from bisect import bisect_right
from itertools import pairwise

from wurzel.patterns import pattern

_NOTATION = pattern(rb"(?:\x1b|\\u001b)\[[\d;]{0,20}m|\\r(?=\\n)|(\\n)|(\\u25[0-7][\da-f])")
"""Colors, and the ends of lines and boxes in JSON."""

Spans = list[tuple[int, int]]


class PlainText:
    """Data without colors, and with the ends of lines as such; and where in the data all of it is."""

    def __init__(self, data: bytes) -> None:
        self.text = data
        self._starts, self._places = [0], [0]
        if b"\x1b[" in data or b"\\" in data:
            self._read(data)

    @property
    def is_data(self) -> bool:
        """Whether nothing had to be changed."""
        return len(self._starts) == 1

    def _read(self, data: bytes) -> None:
        kept, size, end = [], 0, 0
        for found in _NOTATION.finditer(data):
            new = b"\n" if found[1] else b"|" if found[2] else b""
            kept += [data[end : found.start()], new]
            size += found.start() - end + len(new)
            end = found.end()
            self._starts.append(size)
            self._places.append(end)
        self.text = b"".join([*kept, data[end:]])

    def place(self, at: int) -> int:
        """Where in the data a place in the text is."""
        index = bisect_right(self._starts, at) - 1
        return self._places[index] + at - self._starts[index]

    def spans(self, pieces: Spans) -> Spans:
        """Where in the data pieces of the text are; colors within them stay."""
        found = []
        for start, end in pieces:
            within = self._starts[bisect_right(self._starts, start) : bisect_right(self._starts, end - 1)]
            for first, last in pairwise([start, *within, end]):
                if first < last:
                    found.append((self.place(first), self.place(last - 1) + 1))
        return found
