"""Matches values against patterns of packs, which a slip such as `(a+)+` must not keep busy for hours."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

SECONDS = 2.0
"""CPU time for one value; what ends at all takes far less than a millisecond."""


class TooSlow(Exception):
    """The pattern has not come to an end."""


def fits(pattern: str, text: str) -> bool:
    """Whether a pattern matches the whole of a text. Raises `TooSlow` when it tries too many ways to do so."""
    with _limited():
        return re.fullmatch(pattern, text) is not None


@contextmanager
def _limited() -> Iterator[None]:
    """Limits CPU time; `re` looks for signals while it searches. Not in other threads, nor where there is no timer."""
    timer = getattr(signal, "SIGVTALRM", None)
    try:
        before = signal.signal(timer, _end) if timer is not None else None
    except ValueError:  # another thread than the main one
        timer = None
    if timer is None:
        yield
        return
    signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(timer, before)


def _end(_number: int, _frame: FrameType | None) -> NoReturn:
    raise TooSlow
