"""Finds class attributes of steps that are misspelled, and so would count for nothing."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import Any

from wurzel.exceptions import StaticTypeError

_LONG = 8
"""From this many letters on, two slips make a near miss; in shorter names they make another word."""


def _is(*kinds: type) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, kinds)


def _are(value: Any, *, kind: type) -> bool:
    return (
        isinstance(value, Collection) and not isinstance(value, str) and all(isinstance(item, kind) for item in value)
    )


def _fields(value: Any) -> bool:
    """Whether it is a mapping, or a model of the IR, which steps do not import."""
    return isinstance(value, Mapping) or hasattr(type(value), "model_fields")


def _count(value: Any) -> bool:
    return (isinstance(value, int) and not isinstance(value, bool)) or _fields(value)


def _duration(value: Any) -> bool:
    return isinstance(value, int | float | str) and not isinstance(value, bool)


ATTRIBUTES: Mapping[str, Callable[[Any], bool]] = {
    "resources": _fields,
    "retry": _count,
    "timeout": _duration,
    "shards": _count,
    "shard_by": _is(str),
    "polls": _is(bool),
    "cache": _is(bool),
    "cache_key": _is(str),
    "input_paths": partial(_are, kind=str),
    "when": callable,
    "finalize": callable,
}
"""What a class says about any step, and whether a value is of the kind that it takes."""
PROGRAM_ATTRIBUTES: Mapping[str, Callable[[Any], bool]] = {
    **ATTRIBUTES,
    "command": lambda value: callable(value) or isinstance(value, Sequence),
    "env": _is(Mapping),
    "exit_codes": partial(_are, kind=int),
    "version": partial(_are, kind=str),
}
"""The same for a `CommandStep`."""


def check_attributes(cls: type, known: Mapping[str, Callable[[Any], bool]], place: str) -> None:
    """Refuse an attribute whose name is nearly a known one, and whose value is one that the known one takes.

    Other attributes are the author's own; so are names in capitals, those that begin with `_`, and those of a class
    that sets the known one too.

    Args:
        cls: the step class.
        known: what it may say, and whether a value is of the kind that this takes.
        place: the class as messages name it.

    Raises:
        StaticTypeError: naming both.
    """
    for owner in cls.__mro__:
        own = {} if owner is object or owner.__module__.startswith("wurzel.core.") else vars(owner)
        for name in [name for name in own if name not in known]:
            value = getattr(own[name], "__func__", own[name])
            meant = next((word for word, fits in known.items() if _near(name, word) and fits(value)), "")
            if meant and meant not in own:
                raise StaticTypeError(
                    f"the class attribute {name!r} means nothing to wurzel, but is nearly {meant!r}",
                    where=place,
                    hint=f"Write {meant}; if it is your own, give it another name, such as _{name}.",
                )


def _near(name: str, meant: str) -> bool:
    """Whether one or two slips, or a plural, make one name of the other; the first letter is seldom mistaken."""
    if name[0] != meant[0] or abs(len(name) - len(meant)) > 2:  # noqa: PLR2004 - more are other words
        return False
    word, other = name.replace("_", ""), meant.replace("_", "")
    return word.removesuffix("ies") + "y" == other or _slips(word, other) <= 1 + (len(other) >= _LONG)


def _slips(one: str, other: str) -> int:
    """How many letters are missing, added, changed or swapped with their neighbour."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for line, letter in enumerate(one, 1):
        older, before = before, row
        row = [line]
        for column, wanted in enumerate(other, 1):
            best = min(before[column] + 1, row[-1] + 1, before[column - 1] + (letter != wanted))
            if line > 1 and column > 1 and one[line - 2] + letter == wanted + other[column - 2]:
                best = min(best, older[column - 2] + 1)
            row.append(best)
    return row[-1]
