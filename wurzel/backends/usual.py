"""What most jobs, tasks or templates of a file have, so that it is said once for all of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TypeVar

_Value = TypeVar("_Value")


def most_common(values: Iterable[_Value]) -> _Value:
    """The value that most have; of equally common ones, the first. Values are the same if they look the same."""
    found = list(values)
    ((text, _),) = Counter(map(repr, found)).most_common(1)
    return next(value for value in found if repr(value) == text)
