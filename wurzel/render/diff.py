"""Line diffs in about linear time.

`difflib` alone takes minutes for similar files of some thousand lines. Lines that occur once in both files divide them
into short ranges (as in git's patience diff), and `difflib` compares these.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

from wurzel.named_tuples import NamedTuple

_CONTEXT = 3
_SHORT = 100_000
"""`difflib` compares two ranges if the product of their lengths is at most this."""


class Stretch(NamedTuple):
    """Lines that differ: `old[start:end]` became `new[begin:stop]`."""

    start: int
    end: int
    begin: int
    stop: int


def stretches(old: Sequence[str], new: Sequence[str]) -> Iterator[Stretch]:
    """The ranges that differ, in order."""
    waiting = [Stretch(0, len(old), 0, len(new))]
    while waiting:
        whole = _trimmed(old, new, waiting.pop())
        if whole.start == whole.end and whole.begin == whole.stop:
            continue
        anchors = _anchors(old, new, whole) if not _is_short(whole) else []
        if anchors:
            waiting += reversed(list(_between(anchors, whole)))
        elif _is_short(whole):
            yield from _compared(old, new, whole)
        else:
            yield whole


def unified(old: Sequence[str], new: Sequence[str], before: str, after: str) -> str:
    """A unified diff of lines with their ends; empty if they are the same."""
    found = [f"--- {before}\n", f"+++ {after}\n"]
    for group in _grouped(stretches(old, new)):
        first, last = group[0], group[-1]
        head = min(_CONTEXT, first.start, first.begin)
        tail = min(_CONTEXT, len(old) - last.end, len(new) - last.stop)
        here, there = first.start - head, first.begin - head
        found.append(f"@@ -{_range(here, last.end + tail)} +{_range(there, last.stop + tail)} @@\n")
        for stretch in group:
            found += [f" {line}" for line in old[here : stretch.start]]
            found += [f"-{line}" for line in old[stretch.start : stretch.end]]
            found += [f"+{line}" for line in new[stretch.begin : stretch.stop]]
            here = stretch.end
        found += [f" {line}" for line in old[here : here + tail]]
    if len(found) == 2:  # noqa: PLR2004 - the header alone
        return ""
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in found)


def _is_short(whole: Stretch) -> bool:
    return (whole.end - whole.start) * (whole.stop - whole.begin) <= _SHORT


def _trimmed(old: Sequence[str], new: Sequence[str], whole: Stretch) -> Stretch:
    start, end, begin, stop = whole
    while start < end and begin < stop and old[start] == new[begin]:
        start, begin = start + 1, begin + 1
    while start < end and begin < stop and old[end - 1] == new[stop - 1]:
        end, stop = end - 1, stop - 1
    return Stretch(start, end, begin, stop)


def _anchors(old: Sequence[str], new: Sequence[str], whole: Stretch) -> list[tuple[int, int]]:
    """Positions of lines that occur once in both: the longest sequence in the same order."""
    counts = Counter(old[whole.start : whole.end]), Counter(new[whole.begin : whole.stop])
    places = {new[at]: at for at in range(whole.begin, whole.stop) if counts[1][new[at]] == 1}
    single = (at for at in range(whole.start, whole.end) if counts[0][old[at]] == 1 and old[at] in places)
    pairs = [(at, places[old[at]]) for at in single]
    ends: list[int] = []  # the smallest position in `new` at which a sequence of each length can end
    last: list[int] = []  # and the index of that pair
    before: list[int] = []
    for number, (_, place) in enumerate(pairs):
        length = bisect_left(ends, place)
        before.append(last[length - 1] if length else -1)
        ends[length : length + 1] = [place]
        last[length : length + 1] = [number]
    found = []
    number = last[-1] if last else -1
    while number >= 0:
        found.append(pairs[number])
        number = before[number]
    return found[::-1]


def _between(anchors: Sequence[tuple[int, int]], whole: Stretch) -> Iterator[Stretch]:
    start, begin = whole.start, whole.begin
    for at, place in anchors:
        yield Stretch(start, at, begin, place)
        start, begin = at + 1, place + 1
    yield Stretch(start, whole.end, begin, whole.stop)


def _compared(old: Sequence[str], new: Sequence[str], whole: Stretch) -> Iterator[Stretch]:
    matcher = SequenceMatcher(None, old[whole.start : whole.end], new[whole.begin : whole.stop], autojunk=False)
    for kind, start, end, begin, stop in matcher.get_opcodes():
        if kind != "equal":
            yield Stretch(start + whole.start, end + whole.start, begin + whole.begin, stop + whole.begin)


def _grouped(found: Iterator[Stretch]) -> Iterator[list[Stretch]]:
    """Ranges so close to each other that their context lines touch."""
    group: list[Stretch] = []
    for stretch in found:
        if group and stretch.start - group[-1].end > 2 * _CONTEXT:
            yield group
            group = []
        group.append(stretch)
    if group:
        yield group


def _range(start: int, end: int) -> str:
    """Lines of a hunk as diff writes them, from 1; an empty range has the number of the line before it."""
    length = end - start
    return str(start + 1) if length == 1 else f"{start + bool(length)},{length}"
