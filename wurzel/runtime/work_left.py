"""How much work a search may still do, so that no output can stall the job that prints it."""

from __future__ import annotations

_AT_ONCE = 250_000
"""Units, each of at most a microsecond, that may be saved up: a dense page is worth a quarter of a second."""
_PER_KILOBYTE = 850
"""Ordinary logs need a tenth of it at most, tables of numbers beside fifty secrets of digits three quarters."""
_PER_CHUNK = 50
"""A chunk costs about as much by itself, so programs that print byte by byte get by too."""


class TooMuchWork(Exception):
    """A search would take too long."""


class WorkLeft:
    """Units of work that are left: used up by searching, earned by the bytes that are searched."""

    def __init__(self) -> None:
        self.left = _AT_ONCE

    def earn(self, size: int) -> None:
        """Add what a chunk of this size may cost."""
        earned = size * _PER_KILOBYTE // 1000 + _PER_CHUNK
        self.left = min(self.left + earned, max(_AT_ONCE, earned))

    def search_again(self, size: int) -> None:
        """Use up what it costs to search some bytes again; raises `TooMuchWork` before there is enough for them.

        Otherwise output that is hidden line by line would never earn enough for what was hidden before it.
        """
        if self.left < size * _PER_KILOBYTE // 1000:
            raise TooMuchWork
        self.spend(size // 64)

    def spend(self, units: int) -> None:
        """Use some up; raises `TooMuchWork` when nothing is left."""
        self.left -= units
        if self.left < 0:
            self.left = 0
            raise TooMuchWork
