"""What differs between two versions of a file, value by value."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

from wurzel.drift.flat import Leaf, Path, by_line, flatten
from wurzel.named_tuples import NamedTuple
from wurzel.render.diff import stretches

Span: TypeAlias = tuple[int, int]

_WORD = re.compile(r"(?<!\S)\d+[dhms](?:\s+\d+[dhms])+(?!\S)|\S+")


def words_of(text: str) -> list[str]:
    """The words of a value, as differences count them; a duration, as GitLab writes it, is one: `1h 40m 20s`."""
    return _WORD.findall(text)


class Difference(NamedTuple):
    """One value that differs; `None` means that there is no value."""

    path: Path
    """Keys, and names of list items; empty if only lines can be compared."""
    old: str | None
    new: str | None
    line: int
    """Line of the new file, from 1; for a removed value, the line that follows its old place."""
    more: int = 0
    """How many further values below the path were added or removed with it."""
    item: int | None = None
    """Its place among several at its path, such as items of a list or lines of a script, in the new file from 0."""

    @property
    def words(self) -> tuple[Span, Span]:
        """Which words of the old and of the new value differ."""
        old, new = words_of(self.old or ""), words_of(self.new or "")
        start = 0
        while start < min(len(old), len(new)) and old[start] == new[start]:
            start += 1
        end = 0
        while end < min(len(old), len(new)) - start and old[-1 - end] == new[-1 - end]:
            end += 1
        return (start, len(old) - end), (start, len(new) - end)


def differences(name: str, old: str, new: str) -> list[Difference]:
    """The differences, in the order of the new file. The suffix of the name tells the language."""
    found = list(_compare(flatten(name, old), flatten(name, new)))
    if not found and old != new:  # only comments or formatting differ
        found = list(_compare(by_line(old), by_line(new)))
    return sorted(found, key=lambda difference: (difference.line, difference.path))


def _compare(old: Mapping[Path, Leaf], new: Mapping[Path, Leaf]) -> Iterator[Difference]:
    for path in new:
        if path in old and old[path].values != new[path].values:
            yield from _values(path, old[path], new[path])
    yield from _subtrees(old, new, came=True)
    yield from _subtrees(new, old, came=False)


def _values(path: Path, old: Leaf, new: Leaf) -> Iterator[Difference]:
    for i, j, k, m in _blocks(old.values, new.values):
        before, after = old.values[i:j], new.values[k:m]
        for number in range(max(len(before), len(after))):
            yield Difference(
                path,
                before[number] if number < len(before) else None,
                after[number] if number < len(after) else None,
                new.lines[min(k + number, len(new.lines) - 1)] if new.lines else old.lines[i],
                item=k + number if max(len(old.values), len(new.values)) > 1 else None,
            )


def _blocks(old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[int, int, int, int]]:
    """The ranges that differ, as starts and ends in both."""
    if len(old) == len(new):
        places = [number for number, (one, other) in enumerate(zip(old, new, strict=True)) if one != other]
        if len(places) <= max(1, len(old) // 4):
            yield from ((number, number + 1, number, number + 1) for number in places)
            return
    yield from stretches(old, new)


def _subtrees(without: Mapping[Path, Leaf], holding: Mapping[Path, Leaf], *, came: bool) -> Iterator[Difference]:
    """The subtrees that only one side has, each by the shortest path that the other side lacks."""
    known = {path[:length] for path in without for length in range(len(path) + 1)}
    groups: dict[Path, list[Leaf]] = {}
    previous = 1
    lines: dict[Path, int] = {}
    for path, leaf in holding.items():
        if path in without:
            previous = max(previous, without[path].lines[-1] if without[path].lines else 1)
            continue
        top = next(
            path[:length] for length in range(len(path) + 1) if path[:length] not in known or length == len(path)
        )
        groups.setdefault(top, []).append(leaf)
        lines.setdefault(top, leaf.lines[0] if came and leaf.lines else previous)
    for top, leaves in groups.items():
        value = " ".join(leaves[0].values) if len(leaves) == 1 else ""
        more = len(leaves) - 1
        yield Difference(top, None if came else value, value if came else None, lines[top], more)
