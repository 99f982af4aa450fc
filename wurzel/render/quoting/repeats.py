"""Lines of a reference that repeat but for their values, as those of a loop: most of them need not be read.

A reader that is between two lines, with the same collections open, reads the same lines alike. So three repetitions
are read: if the third leaves it as the second did, all others are like the third. The finished file is read as a whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

from wurzel.named_tuples import NamedTuple

if TYPE_CHECKING:
    from wurzel.render.quoting.draft import Draft

READ = 3
"""Repetitions that are read."""
LARGE = 1_000
"""Values of a file for which it is worth to look for repetitions."""
_LEAST = 8
"""Fewer repetitions are not worth it."""
_LONGEST = 200
"""Lines of one repetition at most."""


class Repeat(NamedTuple):
    """Lines that repeat; offsets are those of the whole reference."""

    starts: Sequence[int]
    """Where each repetition starts, and where the last one ends."""
    pieces: Sequence[Sequence[int]]
    """The held values of each repetition."""

    @property
    def removed(self) -> int:
        """Characters of the repetitions that are not read."""
        return self.starts[-1] - self.starts[READ]


def repeats(draft: Draft) -> list[Repeat]:
    """All repetitions, in order; none in a file with few values."""
    if len(draft.holes) < LARGE:
        return []
    lines = draft.reference.splitlines(keepends=True)
    alike = draft.words.sub("\0", draft.reference).splitlines(keepends=True)
    if len(lines) != len(alike):
        return []
    starts = [0, *accumulate(map(len, lines))]
    found = []
    for first, length, count in _runs(alike):
        cuts = [starts[first + number * length] for number in range(count + 1)]
        texts = (draft.reference[start:end] for start, end in pairwise(cuts))
        found.append(Repeat(cuts, [list(map(int, draft.words.findall(text))) for text in texts]))
    return found


def _runs(lines: Sequence[str]) -> Iterator[tuple[int, int, int]]:
    """First line, length and number of equal successive groups of lines, the shortest groups first."""
    last: dict[str, int] = {}
    at = 0
    while at < len(lines):
        start = last.get(lines[at], -_LONGEST - 1)
        length = at - start
        last[lines[at]] = at
        count = _count(lines, start, length) if length <= _LONGEST else 0
        if count < _LEAST:
            at += 1
            continue
        yield start, length, count
        at = start + count * length
        last.clear()


def _count(lines: Sequence[str], start: int, length: int) -> int:
    """How often a group of lines follows itself."""
    group = lines[start : start + length]
    count = 1
    while lines[start + count * length : start + (count + 1) * length] == group:
        count += 1
    return count


def shortened(text: str, found: Iterable[Sequence[int]]) -> str:
    """The text without the repetitions that are not read, given where those of each repeat start."""
    parts, at = [], 0
    for starts in found:
        parts.append(text[at : starts[READ]])
        at = starts[-1]
    return "".join([*parts, text[at:]])


def rows_of(text: str, found: Iterable[Repeat]) -> list[tuple[int, int]]:
    """The lines of the shortened text, from 1, where the second and third repetition of each repeat start."""
    rows, removed = [], 0
    for repeat in found:
        second, third, end, last = (text.count("\n", 0, repeat.starts[at]) for at in (1, 2, READ, -1))
        rows.append((second + 1 - removed, third + 1 - removed))
        removed += last - end
    return rows
