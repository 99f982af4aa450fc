"""A sample of a pipeline's data: the first items of every source."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from itertools import islice
from typing import Any

from wurzel.exceptions import UsageError

VARIABLE = "WURZEL_SAMPLE"
"""Environment variable with the number of items that steps without inputs store, of each output."""


def sample_of(environ: Mapping[str, str]) -> int | None:
    """How many items a source stores; nothing if all. Raises `UsageError` when it is not a number from 1."""
    text = environ.get(VARIABLE, "")
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and int(text)):
        raise UsageError(f"{text!r} is not a number of items, from 1", where=VARIABLE)
    return int(text)


def beginning(items: Iterator[Any], number: int) -> Generator[Any, None, None]:
    """The first items of a stream, which is closed then."""
    try:
        yield from islice(items, number)
    finally:
        close = getattr(items, "close", None)
        if close is not None:
            close()
