"""Secrets that go on in the next line, where a width was reached, or behind a color.

Only the whole of a secret counts, since the end of many a line is the beginning of something. What may interrupt it:
the end of a line, with spaces, quotes and the edges of a box around it, and before it the place in the source that rich
writes there; colors.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property

from wurzel.patterns import pattern

SHORTEST = 8
"""Shorter values are not found: two numbers in lines below each other could make one up."""
MEMORY = 512
"""Bytes before the data that may have the beginning of a secret, and what interrupts it."""

_LEAST = 3
"""Bytes of a secret at the end of a line that are hidden, and for which the next line is awaited."""
_MOST = 128
"""Bytes that are looked at before and after the end of a line."""
_SPACE = 0x20
_NUMBER = 8
"""Bytes of the number of a line, and of the colon before it."""
_PADDING = b" \t\r|>#\\'\"\xe2\x94\x82\x83"
_COLOR = rb"\x1b\[[\d;]{0,20}m"
_EDGE = rb"\xe2\x94[\x82\x83]"
_PLACE = rb" +[\w./-]{1,80}:\d{1,6}"
_BEFORE = rb"(?:%s)?(?:[ \t|\\'\"]|%s|%s){0,99}" % (_PLACE, _EDGE, _COLOR)
_AFTER = rb"(?:[ \t|>#'\"]|%s|%s){0,99}" % (_EDGE, _COLOR)
_GAP = pattern(rb"(%s\r?\n)%s|(?:%s)+" % (_BEFORE, _AFTER, _COLOR))
_GAP_SO_FAR = pattern(
    rb"(?:%s(?:\r?\n%s|\r)?| +[\w./-]{0,80}(?::\d{0,6})?)(?:\x1b(?:\[[\d;]{0,20})?|\xe2\x94?)?\Z" % (_BEFORE, _AFTER)
)
_END = pattern(rb"%s\Z" % _BEFORE)
_COLORS = pattern(rb"(?:%s)+" % _COLOR)

Spans = list[tuple[int, int]]


class Wrapped:
    """Finds secrets that are interrupted."""

    def __init__(self, forms: Iterable[bytes]) -> None:
        """Find these forms of secrets."""
        self._forms = [form for form in forms if len(form) >= SHORTEST]

    def find(self, data: bytes) -> tuple[list[Spans], int]:
        """Where the pieces of secrets are, and from which line on more data may tell of another."""
        found: list[Spans] = []
        wait = len(data)
        for gap, low, after in self._gaps(data) if self._forms else ():
            for form, begun in self._begun(data, gap, data[low : after + 1]):
                first, (size, at) = gap - begun, _further(form, begun, data, gap)
                is_hidden = at - first >= _LEAST
                pieces = _rest(form, size, data, at)
                if pieces is None:
                    wait = min(wait, data.rfind(b"\n", 0, gap if is_hidden else after) + 1)
                elif pieces:
                    found.append([(first, at), *pieces] if is_hidden else pieces)
        return found, wait

    @cached_property
    def _parts(self) -> dict[bytes, list[tuple[bytes, int]]]:
        """Forms and how many of their bytes are there, by the last of these; a line is not longer than `MEMORY`."""
        found: dict[bytes, list[tuple[bytes, int]]] = {}
        for form in self._forms:
            for size in range(_LEAST, min(len(form), MEMORY)):
                found.setdefault(form[size - _LEAST : size], []).append((form, size))
        return found

    @cached_property
    def _openings(self) -> dict[bytes, set[int]]:
        """Beginnings of secrets of which hardly anything is at the end of a line, and the bytes that may come next."""
        found: dict[bytes, set[int]] = {}
        for form in self._forms:
            for size in range(1, _LEAST):
                found.setdefault(form[:size], set()).update(
                    form[size : size + 2] if form[size] == _SPACE else form[size : size + 1]
                )
        return found

    def _gaps(self, data: bytes) -> Iterator[tuple[int, int, int]]:
        """Where something may be interrupted, and between which places it may go on."""
        start = 0
        colored = b"\x1b[" in data
        while (end := data.find(b"\n", start)) >= 0:
            line, following = data[start:end], data[end + 1 : end + 1 + _MOST]
            after = end + 1 + len(following) - len(following.lstrip(_PADDING))
            yield start + len(line.rstrip(_PADDING)), end + 1, after
            if colored or b":" in line[-_NUMBER:]:
                found = _END.search(line, max(0, len(line) - _MOST))
                if found is not None:
                    yield start + found.start(), end + 1, after
            start = end + 1
        line = data[start:]  # that is not at its end yet: it may have a part of what interrupts
        for rest in {line, line[: line.rfind(b" ") + 1], line[: line.rfind(b"\x1b") + 1][:-1]} if line else ():
            yield start + len(rest.rstrip(_PADDING)), len(data), len(data)
        for found in _COLORS.finditer(data) if colored else ():
            yield found.start(), found.end(), found.end()

    def _begun(self, data: bytes, gap: int, following: bytes) -> Iterator[tuple[bytes, int]]:
        """Forms whose beginning is what is interrupted, and how many of their bytes are there."""
        last = data[max(0, gap - _LEAST) : gap]
        for form, size in self._parts.get(last, ()):
            if data.endswith(form[:size], 0, gap):
                yield form, size
        for size in range(1, _LEAST):
            nexts = self._openings.get(last[-size:]) if len(last) >= size else None
            if nexts and not nexts.isdisjoint(following):
                yield from ((form, size) for form in self._forms if form.startswith(last[-size:]))


def _further(form: bytes, size: int, data: bytes, at: int) -> tuple[int, int]:
    """How many bytes of a form are there, and where they end, if it goes on at a place."""
    while size < len(form) and data[at : at + 1] == form[size : size + 1]:
        at, size = at + 1, size + 1
    return size, at


def _rest(form: bytes, size: int, data: bytes, at: int) -> Spans | None:
    """The pieces of a form behind its first bytes; none if it does not go on, `None` if more data will tell."""
    if size >= _LEAST and _GAP_SO_FAR.match(data, at):
        return None
    gap = _GAP.match(data, at)
    if gap is None:
        return []
    waits = False
    for start in range(gap.end(1) if gap[1] else gap.end(), gap.end() + 1):
        for skipped in (0, 1) if gap[1] and form[size : size + 1] == b" " else (0,):  # it may stand for the space
            now, end = _further(form, size + skipped, data, start)
            if end == start:
                continue
            if now == len(form):
                return [(start, end)]
            rest = None if end == len(data) else _rest(form, now, data, end) if now >= _LEAST else []
            if rest:
                return [(start, end), *rest]
            waits |= rest is None
    return None if waits else []
