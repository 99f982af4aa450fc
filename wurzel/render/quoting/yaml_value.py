"""Whole values in YAML, as block lines or inside brackets, and what a reader must find in their place."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from wurzel.render.quoting.yaml_scalar import block, key, scalar
from wurzel.render.values import CompactList, CompactMapping

Leaf = tuple[str, bool]
"""A scalar's text, and whether it must be read as text."""

WIDTH = 110
"""Columns that a compact value may take, without the key before it."""
_WORD = 60
"""Characters of a word that may share a line with others where not all fit on one."""
BEGIN_MAP, END_MAP, BEGIN_LIST, END_LIST = "{", "}", "[", "]"


def inline(value: Any) -> str:
    """The value on one line, in the form for brackets. Raises `NotAValue` when a scalar in it cannot be written."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key(name, flow=True)}: {inline(item)}" for name, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(inline, value)) + "]"
    return scalar(value, flow=True)


def after_key(value: Any, column: int, *, literal: bool = True, keep: bool = False) -> str:
    """The text after `key: `, for a key that starts at `column`; a block starts with a line break.

    `literal` allows text as a literal block, `keep` one that ends in empty lines.
    """
    if isinstance(value, dict | list) and value and not _fits(value, column):
        margin = "\n" + " " * (column + 2)
        return _filled(value, column + 2) or margin + entries(value, column + 2, literal=literal)
    return _leaf(value, column, literal=literal, keep=keep)


def after_dash(value: Any, column: int, entry: int = 0, *, literal: bool = True, keep: bool = False) -> str:
    """The text after `- `, for a dash at `column`; `entry` is the column it starts at, if not the usual one."""
    if isinstance(value, dict | list) and value and not _fits(value, column):
        return entries(value, entry or column + 2, literal=literal)
    return _leaf(value, column, literal=literal, keep=keep)


def entries(value: dict[Any, Any] | list[Any], column: int, *, literal: bool = True) -> str:
    """The entries of a list or mapping as lines at `column`; the first line's margin is already there."""
    margin = "\n" + " " * column
    if isinstance(value, list):
        return margin.join("- " + after_dash(item, column, literal=literal) for item in value)
    return margin.join(_entry(name, item, column, literal=literal) for name, item in value.items())


def parts(value: Any) -> Iterator[str | Leaf]:
    """What a reader must find, in order, where the value was written."""
    if isinstance(value, dict):
        yield BEGIN_MAP
        yield from entry_parts(value)
        yield END_MAP
    elif isinstance(value, list):
        yield BEGIN_LIST
        yield from entry_parts(value)
        yield END_LIST
    else:
        yield leaf(value)


def leaf(value: Any) -> Leaf:
    """The same for a single value."""
    return (value, True) if isinstance(value, str) else (scalar(value), False)


def entry_parts(value: dict[Any, Any] | list[Any]) -> Iterator[str | Leaf]:
    """The same for the entries of a list or mapping alone."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield from parts(name)
            yield from parts(item)
    else:
        for item in value:
            yield from parts(item)


def _fits(value: dict[Any, Any] | list[Any], column: int) -> bool:
    """Whether a compact value is short enough for one line; texts of several lines stay blocks."""
    if not isinstance(value, CompactList | CompactMapping):
        return False
    text = inline(value)
    return column + len(text) <= WIDTH and "\\n" not in text


def _filled(value: dict[Any, Any] | list[Any], column: int) -> str:
    """A compact list of short words, such as a command, in brackets on as few lines as it needs; nothing for others."""
    if not isinstance(value, CompactList) or any(isinstance(item, dict | list) for item in value):
        return ""
    words = [inline(item) for item in value]
    if max(map(len, words)) > _WORD or "\\n" in "".join(words):
        return ""
    lines = [words[0]]
    for word in words[1:]:
        if column + len(lines[-1]) + len(word) + 2 > WIDTH:
            lines.append(word)
        else:
            lines[-1] += f", {word}"
    margin = "\n" + " " * column  # a line that begins elsewhere is an error for yamllint
    return f"[{margin}" + f",{margin}".join(lines) + "]"


def _entry(name: Any, item: Any, column: int, *, literal: bool) -> str:
    rest = after_key(item, column, literal=literal)
    return f"{key(name)}:{rest}" if rest[0] == "\n" else f"{key(name)}: {rest}"


def _leaf(value: Any, column: int, *, literal: bool, keep: bool) -> str:
    if literal and isinstance(value, str) and (header := block(value, keep=keep)):
        margin = " " * (column + 2)
        lines = value.removesuffix("\n").split("\n")
        return "\n".join([header, *(margin + line if line else "" for line in lines)])
    return scalar(value) if not isinstance(value, dict | list) else inline(value)
