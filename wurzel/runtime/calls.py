"""How often `run` is called, and on which items: the same calls however many slices there are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from wurzel.named_tuples import NamedTuple

if TYPE_CHECKING:
    from wurzel.runtime.inputs import Input


class Cut(NamedTuple):
    """What of an input a run of a step is about."""

    input: Input
    portion: int | None = None
    """Items of one call; `None` for all of the slice in one."""
    shard: tuple[int, int] = (1, 1)
    """Slice I (from 1) of N."""
    mapped: bool = False
    """Whether each item is a call."""

    @property
    def by(self) -> str:
        """What slices are made of, as manifests say it."""
        return "parts" if self.mapped else "items" if self.portion is None else "portions"

    def bounds(self) -> tuple[int, int]:
        """The items of this slice, by start and stop."""
        return shard_bounds(self.input.total, self.portion, self.shard)

    def calls(self) -> Iterator[tuple[int, int]]:
        """The items of each call of a step that is not mapped; without any items, the first slice has one call."""
        start, stop = self.bounds()
        if start == stop and self.shard[0] == 1:
            yield start, stop
        size = self.portion or max(stop - start, 1)
        for first in range(start, stop, size):
            yield first, min(first + size, stop)


def shard_bounds(total: int, portion: int | None, shard: tuple[int, int]) -> tuple[int, int]:
    """Start and stop of the items of a slice, of so many items in portions of a size, or without portions."""
    if portion is None:
        return slice_bounds(total, *shard)
    start, stop = slice_bounds(portions(total, portion), *shard)
    return min(start * portion, total), min(stop * portion, total)


def portions(items: int, size: int) -> int:
    """How many portions of a size there are; at least one."""
    return max(1, -(-items // size))


def slice_bounds(total: int, number: int, of: int) -> tuple[int, int]:
    """Start and stop of slice `number` (from 1) of `of`; the sizes differ by at most one, the first are the largest."""
    size, rest = divmod(total, of)
    start = (number - 1) * size + min(number - 1, rest)
    return start, start + size + (number <= rest)
