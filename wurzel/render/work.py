"""Counts what filters, calls and operators cost on large values, so that a loop around them ends soon with an error.

Loops and macros count themselves. What is here reads all of a value at once: `xs | sort`, `x in xs`, `text.upper()`. A
small value costs nothing, so ordinary templates are neither refused nor slowed down.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import partial, reduce, wraps
from types import BuiltinMethodType
from typing import Any

from jinja2.filters import make_attrgetter
from jinja2.runtime import LoopContext
from jinja2.utils import pass_environment

from wurzel.render import bounds
from wurzel.render.bounds import scanned
from wurzel.render.text import Text
from wurzel.render.values import budget, looped

_FILTERED = 10
"""Characters that a filter reads in the time of a round of a loop."""
_RECURSION = 10
"""Rounds that a call of a recursive loop takes."""
_FREE = frozenset({"count", "d", "default", "first", "items", "last", "length"})
"""Filters that do not look at all of a value, or leave that to the loop around them."""
_AT_ITS_END = frozenset({"append", "pop"})


def called(function: Any, arguments: Sequence[Any]) -> bool:
    """Count what a call of a method or type of Python reads; tells whether its result is to be counted as well.

    A recursive loop counts as any loop, and takes the same values.
    """
    if isinstance(function, LoopContext):
        budget.spend(_RECURSION)
        for each in arguments:
            looped(each)
    if not isinstance(function, BuiltinMethodType | type):
        return False
    owner = getattr(function, "__self__", None)
    for each in arguments if function.__name__ in _AT_ITS_END else (owner, *arguments):
        scanned(each)
    return True


def counted(filters: Mapping[str, Callable[..., Any]]) -> dict[str, Callable[..., Any]]:
    """The filters, each of which counts the value that it gets and the one that it gives."""
    return {name: filters[name] if name in _FREE else _counted(name, filters[name]) for name in filters}


def _counted(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    place = 1 if hasattr(function, "jinja_pass_arg") else 0  # which jinja hands to some filters before the value
    count: Callable[[Any], Any] = _COUNTS.get(name, _filtered)

    @wraps(function)
    def apply(*arguments: Any, **named: Any) -> Any:
        if len(arguments) > place:
            count(arguments[place])
        return scanned(function(*arguments, **named))

    return apply


def _filtered(value: Any) -> None:
    if isinstance(value, str):
        budget.spend(len(value) // _FILTERED)
    elif isinstance(value, list | tuple | Mapping | AbstractSet):
        budget.spend(len(value))
    elif isinstance(value, Text):
        budget.spend(len(value.pieces))


def _by_character(value: Any) -> None:
    budget.spend(len(value) if isinstance(value, str) else 0)


def _by_entry(value: Any) -> None:
    budget.spend(bounds.weight(value) if isinstance(value, list | tuple | dict) else 0)
    _filtered(value)


_COUNTS: Mapping[str, Callable[[Any], Any]] = {
    "list": scanned,
    "reverse": scanned,
    "wordwrap": _by_character,
    **dict.fromkeys(("max", "min", "sort"), _by_entry),
}


def comparing(tests: Mapping[str, Any]) -> dict[str, Callable[..., Any]]:
    """The tests that compare or search, each of which counts what it looks at."""
    counts = dict.fromkeys(("==", "eq", "equalto", "!=", "ne"), bounds.compared) | {"in": bounds.searched}
    return {name: bounds.after(partial(_other, count), tests[name]) for name, count in counts.items()}


def _other(count: Callable[[Any], Any], _value: Any, other: Any) -> None:
    count(other)


@pass_environment
def total(environment: Any, items: Any, attribute: str | int | None = None, start: Any = 0) -> Any:
    """The filter `sum`, also of lists."""
    values = looped(items)
    return reduce(
        bounds.plus, values if attribute is None else map(make_attrgetter(environment, attribute), values), start
    )
