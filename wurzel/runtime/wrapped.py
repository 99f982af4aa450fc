"""Secrets that go on in the next line, where a width was reached, or behind a color.

Only the whole of a secret counts, since the end of many a line is the beginning of something. What may interrupt it:
the end of a line, with spaces, quotes and the edges of a box around it, and before it the place in the source that rich
writes there; the end of a cell in a table, which goes on below; colors.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Container, Iterable, Iterator
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING

from wurzel.patterns import pattern
from wurzel.runtime.continued import (
    AROUND,
    EDGE,
    FURTHEST,
    IN_FRONT,
    LEAST,
    PART,
    PLACE,
    Lines,
    Spans,
    occurrences,
)

if TYPE_CHECKING:
    from wurzel.runtime.work_left import WorkLeft

SHORTEST = 8
"""Shorter values are not found: two numbers in lines below each other could make one up."""

_MEMORY = 1024
"""Bytes of a line that may have the first two bytes of a secret."""
_LONGEST = 512
"""Bytes of a secret in one line."""
_LONGEST_COLOR = 32
_MOST = 128
"""Bytes before the end of a line in which a place in the source is looked for."""
_NUMBER = 8
"""Bytes of the number of a line, and of the colon before it."""
_NOTATION = pattern(rb"(?:\x1b|\\u001b)\[[\d;]{0,20}m|\\r(?=\\n)|(\\n)|(\\u25[0-7][\da-f])")
"""Colors, and the ends of lines and boxes in JSON."""
_OPEN_END = pattern(PART)
_STOP = pattern(rb"[ \t\r.'\"\\]*(?:\n|%s)|['\"\\]*  |%s[ \t|\\'\"\r]*\n" % (EDGE, PLACE))
"""What may follow the first piece of a secret."""
_PLACES = pattern(rb":\d{1,6}[ \t|\\'\"\r]*\n")
_PLACE_AT_END = pattern(rb"%s\Z" % PLACE)


class Wrapped:
    """Finds secrets that are interrupted."""

    def __init__(self, forms: Iterable[bytes]) -> None:
        """Find these forms of secrets."""
        self._forms = [form for form in forms if len(form) >= SHORTEST]
        self._uncut = {form for form in self._forms if len(_split(form)) == 1}

    def find(self, data: bytes, whole_forms: re.Pattern[bytes], work: WorkLeft) -> tuple[list[Spans], int]:
        """Where the pieces of secrets are, and from which line on more data may tell of another.

        Raises `TooMuchWork` if the data has so many pieces that the search would take too long.
        """
        if not self._forms:
            return [], len(data)
        plain = PlainText(data)
        found, wait = self._find(plain.text, work)
        if plain.is_data:
            return found, wait
        found += [[whole.span()] for whole in whole_forms.finditer(plain.text)]
        return [plain.spans(pieces) for pieces in found], plain.place(wait)

    @cached_property
    def _parts(self) -> dict[bytes, list[tuple[bytes, int]]]:
        """Forms and how many of their bytes are there, by the last of these."""
        found: dict[bytes, list[tuple[bytes, int]]] = {}
        for form in self._forms:
            for size in range(LEAST, min(len(form), _LONGEST)):
                found.setdefault(form[size - LEAST : size], []).append((form, size))
        return found

    @cached_property
    def _seconds(self) -> dict[bytes, set[tuple[bytes, int]]]:
        """Forms of which hardly anything is there, and how much, by how they go on."""
        found: dict[bytes, set[tuple[bytes, int]]] = {}
        for form in self._forms:
            for size in range(1, LEAST):
                following = form[size:].lstrip()
                for length in range(1, LEAST + 1):
                    found.setdefault(following[:length], set()).add((form, size))
        return found

    def _find(self, text: bytes, work: WorkLeft) -> tuple[list[Spans], int]:
        found: list[Spans] = []
        wait = len(text)
        lines = Lines(text, work)
        for form, begun, gap in dict.fromkeys(self._begun(text, work)):
            first, (size, at) = gap - begun, lines.further(form, begun, gap)
            is_hidden = at - first >= LEAST
            pieces = lines.rest(form, size, (first, at)) if size < len(form) else []
            if pieces is None:
                line = (text.rfind(b"\n", 0, gap) if is_hidden else text.find(b"\n", at)) + 1
                wait = min(wait, line if first - line < FURTHEST else first)
            elif pieces:
                found.append([(first, at), *pieces] if is_hidden else pieces)
        return found, wait

    def _begun(self, text: bytes, work: WorkLeft) -> Iterator[tuple[bytes, int, int]]:
        """Forms whose beginning is interrupted, how many of their bytes are there, and where.

        The ends of cells, and the beginnings of those below, are compared as sets: most texts have none that counts.
        """
        places = _split(_closed(text))
        kept = [(place, place.rstrip(AROUND)) for place in {*places}]
        ending = {place for place, cell in kept if cell[-LEAST:] in self._parts and self._ends(cell, work)}
        cells = [(place, cell.lstrip(IN_FRONT)) for place, cell in kept]
        below = {place for place, cell in cells if cell[:LEAST] in self._seconds and len(cell) > 1}
        ends = {at + len(place.rstrip(AROUND)) for at, place in _located(places, ending)}
        for gap in {*(end for end in ends if _STOP.match(text, end)), *_places(text), *_open_ends(text)}:
            parts = self._parts.get(text[max(0, gap - LEAST) : gap], ())
            work.spend(len(parts) // 2 + 1)
            for form, size in parts:
                if text.endswith(form[:size], 0, gap):
                    yield form, size, gap
        last = text.rfind(b"\n") + 1
        single = {place for place in _split(_closed(text[last:])) if len(place.strip(IN_FRONT)) == 1}
        for at, place in _located(places, below | single):
            if place in below or at >= last:
                begun = place.lstrip(IN_FRONT)
                yield from self._above(text, at + len(place) - len(begun), begun.rstrip(AROUND), work)

    def _ends(self, cell: bytes, work: WorkLeft) -> bool:
        """Whether the beginning of a form is at the end of a cell."""
        parts = self._parts[cell[-LEAST:]]
        work.spend(len(parts) // 2)
        pieces = (form[:size] if form in self._uncut else _split(form[:size])[-1] for form, size in parts)
        return any(cell.endswith(piece.lstrip(IN_FRONT)) for piece in pieces)

    def _above(self, text: bytes, at: int, cell: bytes, work: WorkLeft) -> Iterator[tuple[bytes, int, int]]:
        """Where forms, which may go on in a cell, have one or two bytes at the end of a cell in the line before."""
        end = text.rfind(b"\n", 0, at)
        seconds = self._seconds.get(cell[:LEAST], ()) if end >= 0 else ()
        work.spend(len(seconds))
        for form, size in seconds:
            rest = form[size:].lstrip(IN_FRONT).rstrip(AROUND)
            if cell.startswith(rest) or rest.startswith(cell):
                for start in occurrences(form[:size], text, (text.rfind(b"\n", 0, end) + 1, end), work):
                    if _STOP.match(text, start + size):
                        yield form, size, start + size


def tail(data: bytes) -> bytes:
    """The end of data that may have the first two bytes of a secret: the line that was begun, and the one before."""
    last = data.rfind(b"\n")
    return data[data.rfind(b"\n", 0, max(last, 0)) + 1 :][-_MEMORY:]


def _located(places: Iterable[bytes], wanted: Container[bytes]) -> Iterator[tuple[int, bytes]]:
    """The wanted ones of places, and where they begin in the text that was split into all of them."""
    at = 0
    for place in places if wanted else ():
        if place in wanted:
            yield at, place
        at += len(place) + 1


def _closed(text: bytes) -> bytes:
    """A text without what has only begun at its end."""
    begun = _OPEN_END.search(text, max(0, len(text) - _LONGEST_COLOR))
    return text[: begun.start()] if begun else text


def _split(text: bytes) -> list[bytes]:
    """What is between ends of lines, edges, and spaces of more than one; nothing is between the bytes of an edge."""
    for between in (b"  ", b"|", b"\xe2\x94", b"\xe2\x95"):
        text = text.replace(between, b"\n" * len(between))
    return text.split(b"\n")


def _places(text: bytes) -> Iterator[int]:
    """Where text ends before a place in the source."""
    for found in _PLACES.finditer(text):
        end = found.end() - len(found[0].lstrip(b":0123456789"))
        if place := _PLACE_AT_END.search(text, max(text.rfind(b"\n", 0, end) + 1, end - _MOST), end):
            yield place.start()


def _open_ends(text: bytes) -> Iterator[int]:
    """Where the last line, which is not at its end yet, may be interrupted by something that has only begun."""
    low = text.rfind(b"\n") + 1
    line = text[low:]
    ends = {len(line), *(line.rfind(mark) for mark in (b" ", b"\x1b", b"\\", b"\xe2"))} - {-1}
    return iter({low + len(line[:end].rstrip(AROUND + b"|\xe2")) for end in ends})


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
