"""How a secret that was interrupted goes on: in the next line, or in the cell below."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from wurzel.patterns import pattern

if TYPE_CHECKING:
    from wurzel.runtime.work_left import WorkLeft

Spans = list[tuple[int, int]]
"""Beginnings and ends of pieces of a text."""
LEAST = 3
"""Bytes of a secret at the end of a line that are hidden, and for which the next line is awaited."""
EDGE = rb"\||\xe2[\x94\x95][\x80-\xbf]"
"""Between cells: a bar, or any of the characters that Unicode has for boxes."""
FURTHEST = 4096
"""Bytes of a line in which the cell below is looked for."""
PLACE = rb" +[\w./-]{1,80}:\d{1,6}"
_BEFORE = rb"(?:%s)?(?:[ \t\\'\"]|%s){0,99}" % (PLACE, EDGE)
_AFTER = rb"(?:[ \t>#'\"]|%s){0,99}" % EDGE
PART = rb"(?:\x1b(?:\[[\d;]{0,20})?|\\(?:u[\da-f]{0,4}(?:\[[\d;]{0,20})?)?|\xe2[\x94\x95]?)?\Z"
"""The beginning of what a color, a line's end in JSON or an edge would be, at the end of the data."""
AROUND = b" \t\r.'\"\\>#"
IN_FRONT = AROUND + bytes(range(0x80, 0xC0))
"""Bytes in front of what is in a cell, the last of an edge among them."""

_MOST_PIECES = 200
"""Each is a call within another."""
_GAP = pattern(rb"%s\r?\n()%s" % (_BEFORE, _AFTER))
_GAP_SO_FAR = pattern(rb"(?:%s(?:\r?\n%s|\r)?| +[\w./-]{0,80}(?::\d{0,6})?)%s" % (_BEFORE, _AFTER, PART))
_CELL_END = pattern(rb"[.'\"\\]?(?:[ \t]*(?:%s|\r?\n)|  )" % EDGE)
_BETWEEN = pattern(rb"%s|  +" % EDGE)
_EDGES = pattern(EDGE)
_ESCAPED = pattern(rb"\\u[\da-f]{4}")


class Lines:
    """A text in which forms of secrets are interrupted."""

    def __init__(self, text: bytes, work: WorkLeft) -> None:
        self._text = text
        self._work = work
        self._known: dict[tuple[bytes, int, tuple[int, int]], Spans | None] = {}
        self._pieces = 0
        self._gaps: dict[int, tuple[bool, range]] = {}
        self._columns: dict[tuple[int, int], tuple[int, int]] = {}

    def further(self, form: bytes, size: int, at: int) -> tuple[int, int]:
        """How many bytes of a form are there, and where they end, if it goes on at a place."""
        for step in (16, 4, 1):
            while size + step <= len(form) and self._text.startswith(form[size : size + step], at):
                at, size = at + step, size + step
        return size, at

    def rest(self, form: bytes, size: int, piece: tuple[int, int]) -> Spans | None:
        """The pieces of a form behind its first bytes; none if it does not go on, `None` if more data will tell."""
        key = form, size, piece
        if key not in self._known:
            self._work.spend(10)
            self._pieces += 1
            self._known[key] = self._rest(form, size, piece) if self._pieces < _MOST_PIECES else []
            self._pieces -= 1
        return self._known[key]

    def _rest(self, form: bytes, size: int, piece: tuple[int, int]) -> Spans | None:
        if size >= LEAST and self._gap_at(piece[1])[0]:
            return None
        gap = piece[0] + len(self._text[slice(*piece)].rstrip(b" "))
        waits = size >= LEAST and self._ends_early(gap)
        first, last = size - (piece[1] - gap), len(form) - len(form[size:].lstrip(b" "))
        for start in self._starts(form[last:], (piece[0], gap)):
            self._work.spend(last + 2 - first)
            for skipped in range(first, last + 1):  # the end of a line may stand for spaces
                now, end = self.further(form, skipped, start)
                if end == start:
                    continue
                if now == len(form):
                    return [(start, end)]
                rest = None if end == len(self._text) else self.rest(form, now, (start, end)) if now >= LEAST else []
                if rest:
                    return [(start, end), *rest]
                waits |= rest is None
        return None if waits else []

    def _ends_early(self, at: int) -> bool:
        """Whether a cell ends at a place, and the next line is not complete yet."""
        if not _CELL_END.match(self._text, at) or len(self._text) - at > FURTHEST:
            return False
        end = self._text.find(b"\n", at)
        return end < 0 or self._text.find(b"\n", end + 1) < 0

    def _starts(self, following: bytes, piece: tuple[int, int]) -> Iterator[int]:
        """Where a form may go on: at the beginning of the next line, or in the cell below."""
        yield from self._gap_at(piece[1])[1]
        low = self._text.find(b"\n", piece[1]) + 1
        if not low or not _CELL_END.match(self._text, piece[1]):
            return
        high = self._text.find(b"\n", low, low + FURTHEST)
        if piece not in self._columns:
            self._columns[piece] = self._columns_of(piece)
        left, right = self._columns[piece]
        within = low, high if high >= 0 else low + FURTHEST
        for start in occurrences(following[:1], self._text, within, self._work):
            if begins_cell(self._text, start, low):
                _, end = self.further(following, 0, start)
                if _width(self._text[low:start]) < right and _width(self._text[low:end]) > left:
                    yield start

    def _gap_at(self, end: int) -> tuple[bool, range]:
        """Whether the text ends in what may be a gap; and where a form may go on in the next line."""
        if end not in self._gaps:
            self._work.spend(16)
            gap = _GAP.match(self._text, end)
            places = range(gap.start(1), gap.end() + 1) if gap else range(0)
            self._gaps[end] = bool(_GAP_SO_FAR.match(self._text, end)), places
        return self._gaps[end]

    def _columns_of(self, piece: tuple[int, int]) -> tuple[int, int]:
        """Between which columns the cell of a piece is."""
        text, (first, last) = self._text, piece
        low = max(text.rfind(b"\n", 0, first) + 1, first - FURTHEST)
        high = text.find(b"\n", last)
        high = high if high >= 0 else len(text)
        self._work.spend(4 + (high - low) // 32)
        edge = _EDGES.search(text, last, high)
        ends = [found.end() for found in _EDGES.finditer(text, low, first)]
        if not ends and edge is None:
            ends = [found.end() for found in _BETWEEN.finditer(text, low, first)]
        left = ends[-1] if ends else low
        return _width(text[low:left]), _width(text[low : edge.start() if edge else last])


def begins_cell(text: bytes, start: int, low: int) -> bool:
    """Whether a cell of the line that begins at `low` may begin at a place."""
    return start == low or text[start - 1] in IN_FRONT or text.startswith(b"|", start - 1)


def occurrences(part: bytes, text: bytes, within: tuple[int, int], work: WorkLeft) -> Iterator[int]:
    """Where a part is in some of the text."""
    low, high = within
    work.spend(1 + (high - low) // 2048)
    at = low - 1
    while (at := text.find(part, at + 1, high)) >= 0:
        work.spend(1)
        yield at


def _width(text: bytes) -> int:
    """How many columns a text takes."""
    from unicodedata import combining, east_asian_width

    text = _ESCAPED.sub(b"?", text)
    if text.isascii():
        return len(text)
    chars = text.decode("utf-8", "replace")
    return sum(0 if combining(char) else 2 if east_asian_width(char) in "WF" else 1 for char in chars)
