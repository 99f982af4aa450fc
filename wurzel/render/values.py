"""Values that a template may write: text, numbers, booleans, null, lists and mappings, copied when they are written.

Everything else is refused with a hint, since it has no obvious form in the file formats.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence, Sized
from enum import Enum
from math import isfinite
from reprlib import Repr
from typing import Any, NoReturn, Self

PLAIN = frozenset({str, int, float, bool, type(None)})
"""Types that need no conversion."""

_DEPTH = 100
_ADVICE: dict[str, str] = {
    **dict.fromkeys(("generator", "dict_keys", "dict_values", "range", "map", "filter", "zip"), "Add `| list`."),
    "dict_items": "Loop over it, or write the mapping itself.",
    **dict.fromkeys(("set", "frozenset"), "A set has no order: add `| sort`."),
    **dict.fromkeys(("datetime", "date", "time"), "Write `.isoformat()` for text."),
    "timedelta": "Add `| duration` for text such as 1h30m.",
    "bytes": "Decode it where the context is built.",
    "Decimal": "Add `| string`, `| int` or `| float`.",
    **dict.fromkeys(("PosixPath", "PurePosixPath"), "Add `| string`."),
    **dict.fromkeys(
        ("builtin_function_or_method", "method"), "Call it with `()`, or write `x['name']` for an entry of that name."
    ),
    **dict.fromkeys(("function", "Macro"), "Call it with `()`."),
    "BlockReference": "Call it with `()`: `{{ super() }}`.",
}
_BASES: tuple[tuple[type, Callable[[Any], Any]], ...] = (
    (str, str.__str__),
    (int, int.__int__),
    (float, float.__float__),
)


MOST = 10_000_000
"""Rounds of loops, calls of macros, and entries of lists and mappings in one file, or policy.

A file of 10,000 steps takes 70,000; a policy that looks at each pair of 3,000 steps takes 9,000,000.
"""
CHARACTERS = 64 * 2**20
"""Characters of a text or file. A pipeline of 10,000 steps takes 4 MB."""


class Budget:
    """What the file that is rendered may still cost; there is one, since one file is rendered at a time."""

    __slots__ = ("left",)

    def __init__(self) -> None:
        self.left = MOST

    def reset(self) -> None:
        """Start another file."""
        self.left = MOST

    def spend(self, rounds: int) -> None:
        """Count rounds, calls or entries. Raises `NotAValue` when there are too many."""
        self.left -= rounds
        if self.left < 0:
            what = f"the file takes more than {MOST:,} rounds of loops, calls of macros and entries of lists"
            raise NotAValue(what, "Look for loops within loops, and for macros that call themselves.")


budget = Budget()


class Identifier(str):
    """A name that is written as code, not as text: the result of the filter `identifier`."""

    __slots__ = ()


class Variable(Identifier):
    """The name of a shell variable, or a part of one: the result of the filter `variable`."""

    origin: str

    def __new__(cls, name: str, origin: str) -> Self:
        """The name, and the text it was made from."""
        new = super().__new__(cls, name)
        new.origin = origin
        return new


class Indented(str):
    """Text that the filter `indent` has indented; kept apart, since a text block indents its lines itself."""

    origin: str
    width: int

    def __new__(cls, text: str, origin: str, width: int) -> Self:
        """The text, the one it was made from, and the width of the indentation."""
        new = super().__new__(cls, text)
        new.origin, new.width = origin, width
        return new


class Joined(str):
    """The result of the filter `join`: one text, even inside brackets."""

    separator: str
    names: bool

    def __new__(cls, text: str, separator: str, *, names: bool) -> Self:
        """The text, its separator, and whether the items are identifiers."""
        new = super().__new__(cls, text)
        new.separator, new.names = separator, names
        return new


class Json(str):
    """The JSON text of a value, made by `tojson`; kept apart, since most users of it mean the value itself."""

    __slots__ = ()


class ShellText(str):
    """A shell command line with its words quoted: the result of the filter `shell`."""

    __slots__ = ()


class CompactList(list[Any]):
    """A list that YAML writes on one line where there is room; made by `compact`."""

    __slots__ = ()


class CompactMapping(dict[Any, Any]):
    """A mapping that YAML writes on one line where there is room."""

    __slots__ = ()


KEPT = frozenset({Identifier, Variable, Indented, Joined, Json, ShellText, CompactList, CompactMapping})
"""Kinds of values that keep their type when they are written."""


def compacted(value: Any) -> Any:
    """A frozen value whose lists and mappings are compact, at every depth."""
    if isinstance(value, list):
        return CompactList(map(compacted, value))
    if isinstance(value, dict):
        return CompactMapping((name, compacted(item)) for name, item in value.items())
    return value


class Words(tuple[str, ...]):
    """Shell words, written separately: the result of the filter `words`."""

    __slots__ = ()


class NotAValue(ValueError):
    """A template tried to write something that is not a value; `hint` says what to write instead."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


def freeze(value: Any, depth: int = 0) -> Any:
    """A copy of `value` made of `str`, `int`, `float`, `bool`, `None`, `list`, `dict`, `Words` and what is in `KEPT`.

    It is a copy because the template may change the original later. Raises `NotAValue` for everything else, and when it
    is nested deeper than 100 levels (or contains itself).
    """
    kind = type(value)
    if kind in PLAIN or kind is Identifier or (depth == 0 and (kind in KEPT or kind is Words)):
        return value
    if depth > _DEPTH:
        raise NotAValue(f"it is nested deeper than {_DEPTH} levels, or contains itself")
    if isinstance(value, list) or kind is tuple or kind is Words:
        budget.spend(len(value))
        return [freeze(item, depth + 1) for item in value]
    if isinstance(value, Mapping):
        return _mapping(value, depth)
    if isinstance(value, Enum):
        return freeze(value.value, depth + 1)
    for base, convert in _BASES:
        if isinstance(value, base):
            return convert(value)
    return _refuse(value)


def text_of(value: Any) -> str:
    """The text of a value inside other text: text itself, and numbers as Python writes them.

    Raises `NotAValue` for booleans, null, infinities, lists and mappings, which have no unique text form.
    """
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return digits(value)
    if isinstance(value, float) and isfinite(value):
        return repr(value)
    raise NotAValue(
        f"{show(value)} has no unique text form",
        "Add `| json` for its JSON, or compute the text where the context is built.",
    )


def digits(value: int) -> str:
    """Decimal digits of a whole number. Raises `NotAValue` when it has more digits than Python converts."""
    try:
        return int.__repr__(value)
    except ValueError:
        limit = sys.get_int_max_str_digits()
        raise NotAValue(f"it has more digits than the limit of {limit}", "Write it as text.") from None


def looped(value: Any) -> Any:
    """The value to loop over. Raises `NotAValue` for text, whose characters nobody wants, and unordered sets."""
    if isinstance(value, str):
        raise NotAValue(
            f"{show(value)} is one text, not a list", "Loop over `[x]`, or over `x | list` for its characters."
        )
    if isinstance(value, set | frozenset):
        raise NotAValue("a set has no order to loop in", "Add `| sort`.")
    if not isinstance(value, Sized):
        return _counted(value)
    budget.spend(len(value))
    return value


def pairs(value: Any) -> Any:
    """The value to loop over where a loop names the parts of each item. Raises `NotAValue` where these are letters."""
    if isinstance(value, Mapping):
        raise NotAValue("a loop over a mapping takes its keys alone", "Write `.items()` behind it for keys and values.")
    items = looped(value)
    if not isinstance(items, Collection):
        return map(parts, items)
    for item in items:
        parts(item)
    return items


def parts(value: Any) -> Any:
    """A value that several names are given for. Raises `NotAValue` for text, which has nothing but characters."""
    if isinstance(value, str):
        raise NotAValue(f"{show(value)} is one text, so it has no parts to name", "Use `.split(…)`, or give a list.")
    return value


def _counted(items: Iterable[Any]) -> Iterator[Any]:
    for item in items:
        budget.spend(1)
        yield item


def show(value: Any) -> str:
    """A short form of any value for messages."""
    short = Repr()
    short.maxstring = short.maxother = 60
    short.maxlong = 30
    try:
        return short.repr(value)
    except Exception:  # noqa: BLE001 - a message must not fail because of what it is about
        return f"<{type(value).__name__}>"


def _mapping(value: Mapping[Any, Any], depth: int) -> dict[Any, Any]:
    copy = {}
    budget.spend(len(value))
    for key, item in value.items():
        frozen = freeze(key, depth + 1)
        frozen = str.__str__(frozen) if type(frozen) is Identifier else frozen
        if type(frozen) not in PLAIN:
            raise NotAValue(f"its key {show(key)} is neither text, number, boolean nor null")
        copy[frozen] = freeze(item, depth + 1)
    if len(copy) != len(value):
        raise NotAValue("two of its keys have the same text")
    return copy


def _refuse(value: object) -> NoReturn:
    if fail := getattr(value, "_fail_with_undefined_error", None):
        fail()
    kind = type(value).__name__
    if kind == "Text":
        raise NotAValue("it is rendered text, not a value", "Add `| string` to the text to make it one.")
    model = hasattr(type(value), "model_fields") or hasattr(type(value), "__dataclass_fields__")
    if isinstance(value, tuple) or model:
        advice = "Write one of its fields."
    else:
        advice = _ADVICE.get(kind, "Write text, a number, a boolean, null, a list or a mapping.")
    article = "an" if kind[:1].lower() in "aeiou" else "a"
    raise NotAValue(f"it is {article} {kind}, which cannot be written to a file", advice)


def plain_list(value: Any) -> Sequence[str]:
    """The texts of the items of a list. Raises `NotAValue` when it is not a list or an item has no unique text form."""
    frozen = freeze(value)
    if not isinstance(frozen, list):
        raise NotAValue(f"{show(value)} is not a list")
    return [text_of(item) for item in frozen]
