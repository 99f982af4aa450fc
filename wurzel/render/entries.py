"""Lines below a key of a YAML file, as blocks of templates write them: with their key, or after lines that come first.

Platforms let a job, task or template inherit what all of them share, but replace a list that it has itself. Where a key
replaces one that layers may have added to, the lines of both are written.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from wurzel.patterns import pattern
from wurzel.render.quoting.yaml_value import WIDTH, inline
from wurzel.render.text import Held, Piece, Text
from wurzel.render.values import PLAIN, CompactList, CompactMapping, NotAValue, freeze, show

_ENTRY = pattern(r"(?:([\w./-]+)|\0(\d+)\0): \0(\d+)\0")
"""A line with a key, which may be a held value as well, and a held value."""
_ITEM = pattern(r"^( *)\S", re.MULTILINE)


def under(
    value: Any,
    key: str,
    column: int = 0,
    empty: Any = None,
    unless: Any = None,
    first: Text | None = None,
    short: str | None = None,
    placed: bool = False,
) -> Text:
    """Rendered lines as the entries of a YAML key at `column`; without any, nothing, or the key with `empty`.

    The lines start at the first column, no matter where the key is. Comments alone do not count as entries: a key with
    only comments below it would read as null, which platforms reject. `unless` is the platform's default for the key:
    if the lines say exactly that, the key is omitted. The lines of `first` come before others that do not have them.
    If `short` is the only entry, its value stands beside the key. A compact mapping alone, or a compact list of one
    item or of words, does as well where there is room. `placed` lines are where they belong already; all of them stand
    beside the key if each is a key and a value and there is room.
    """
    text = _rendered(value, key)
    name: list[Piece] = [(" " * column, 1, ""), Held(key, 1, "", "")]
    if unless is not None and has_entries(text.pieces) and _is_exactly(text, unless):
        return Text(())
    if not has_entries(text.pieces):
        return Text(() if empty is None else [*name, (": ", 1, ""), Held(freeze(empty), 1, "", ""), ("\n", 1, "")])
    beside = _only(text, short) if short is not None else None
    if beside is None and first is None:
        beside = _compact(text, column) if placed else _alone(text)
    if beside is not None:
        return _beside(" " * column, key, beside)
    if placed:
        return Text([*name, (":\n", 1, ""), *text.pieces])
    if place := _opens_with(text, key):
        raise NotAValue(
            f"the lines below `{key}:` write `{key}:` again, at {place}",
            f"Write only what is below it, from the first column on: the key `{key}` is there already.",
        )
    head: list[Piece] = [*name, (":\n", 1, "")]
    if first is not None and not _has(text, first):
        text = first + text
    return Text([*head, *text.indent(" " * (column + 2), first=True, blank=False).pieces])


def item(value: Any, column: int = 0) -> Text:
    """Rendered lines of one item of a YAML list at `column`, on one line where there is room: `- {name: a}`."""
    text = _rendered(value, "item")
    beside = _compact(text, column, dash="- ")
    return _beside(" " * column + "- ", "", beside) if beside else text


def starting_with(value: Any, key: str, column: int, first: Text) -> Text:
    """Rendered lines that write a YAML key with a list at `column`; the lines of `first` become its first items.

    A list in brackets, or an expression beside the key, stays as it is.
    """
    text = _rendered(value, key)
    if not has_entries(first.pieces) or _has(text, first):
        return text
    pattern = re.compile(rf"(?m)^ {{{column}}}{re.escape(key)}:[ \t]*(#.*)?\n")
    fresh = True
    for number, piece in enumerate(text.pieces):
        found = None if isinstance(piece, Held) else pattern.search(piece[0])
        if isinstance(piece, Held) or found is None or (found.start() == 0 and not fresh):
            fresh = not isinstance(piece, Held) and (piece[0].endswith("\n") or (fresh and not piece[0]))
            continue
        end, line = found.end(), piece[1] + piece[0].count("\n", 0, found.end())
        rest: list[Piece] = [(piece[0][end:], line, piece[2]), *text.pieces[number + 1 :]]
        item = _ITEM.search("".join("x" if isinstance(part, Held) else part[0] for part in rest))
        pad = item.group(1) if item else " " * (column + 2)
        added = first.indent(pad, first=True, blank=False).pieces
        return Text([*text.pieces[:number], (piece[0][:end], piece[1], piece[2]), *added, *rest])
    return text


def has_entries(pieces: Sequence[Piece]) -> bool:
    """Whether there is a line that is neither empty nor a comment; an empty list or mapping does not count."""
    texts = (piece[0] if not isinstance(piece, Held) else "" if piece.value in ({}, []) else "x" for piece in pieces)
    lines = (line.strip() for line in "".join(texts).split("\n"))
    return any(line and not line.startswith("#") for line in lines)


def _rendered(value: Any, key: str) -> Text:
    if not isinstance(value, Text):
        raise NotAValue(f"{show(value)} is not rendered text", f"Use it as `{{% filter under({key!r}) %}}…`.")
    return value


def _beside(before: str, key: str, value: Held) -> Text:
    """A line that the template wrote where it has the value."""
    line, template = value.line, value.template
    name: list[Piece] = [Held(key, line, template, ""), (": ", line, template)] if key else []
    return Text([(before, line, template), *name, value, ("\n", line, template)])


def _only(text: Text, key: str) -> Held | None:
    """The value of an entry that is the only one, if the text is one value; template text stays as it is."""
    held = [piece for piece in text.pieces if isinstance(piece, Held)]
    rest = "".join(piece[0] for piece in text.pieces if not isinstance(piece, Held))
    if len(held) != 1 or rest.strip() or not isinstance(held[0].value, Mapping) or list(held[0].value) != [key]:
        return None
    return Held(held[0].value[key], held[0].line, held[0].template, held[0].expression)


def _compact(text: Text, column: int, dash: str = "") -> Held | None:
    """The entries as one compact mapping, if each is a key and a value that is short or compact; else `None`."""
    lines = "".join(
        f"\0{number}\0" if isinstance(piece, Held) else piece[0] for number, piece in enumerate(text.pieces)
    )
    found: dict[str, Any] = {}
    origin = None
    for number, line in enumerate(filter(str.strip, lines.split("\n"))):
        match = _ENTRY.fullmatch(line.strip().removeprefix(dash if number == 0 else ""))
        held = text.pieces[int(match[3])] if match else None
        key = match and (match[1] or getattr(text.pieces[int(match[2])], "value", None))
        if not isinstance(held, Held) or not isinstance(key, str) or key in found or not _is_short(held.value):
            return None
        found[key] = held.value
        origin = origin or held
    if origin is None or column + len(inline(found)) > WIDTH:
        return None
    return Held(CompactMapping(found), origin.line, origin.template, origin.expression)


def _alone(text: Text) -> Held | None:
    """The compact mapping, or compact list of one item or of words, that is all there is."""
    held = [piece for piece in text.pieces if isinstance(piece, Held)]
    values = _values(text.pieces)
    if values is None or len(values) != 1:
        return None
    value = values[0]
    is_list = isinstance(value, CompactList)
    several = is_list and len(value) > 1 and any(isinstance(item, list | dict) for item in value)
    return held[0] if isinstance(value, CompactMapping) or (is_list and not several) else None


def _is_short(value: Any) -> bool:
    return isinstance(value, CompactList | CompactMapping) or (type(value) in PLAIN and "\n" not in str(value))


def _opens_with(text: Text, key: str) -> str:
    """Where the first entry is a mapping of this key, as in a template that was made when it wrote the key itself."""
    lines = "".join("x" if isinstance(piece, Held) else piece[0] for piece in text.pieces).split("\n")
    first = next((line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#")), "")
    if first != f"{key}:":
        return ""
    found = next(piece for piece in text.pieces if not isinstance(piece, Held) and f"{key}:" in piece[0])
    return f"{found[2]}:{found[1] + found[0].count(chr(10), 0, found[0].index(f'{key}:'))}"


def _is_exactly(text: Text, unless: Any) -> bool:
    return text.strip() == unless.strip() if isinstance(unless, Text) else _values(text.pieces) == [unless]


def _has(text: Text, part: Text) -> bool:
    """Whether all lines of one text are in another; they may be indented there."""
    return _places(part.pieces) <= _places(text.pieces)


def _places(pieces: Sequence[Piece]) -> set[tuple[str, int]]:
    """The lines of templates that wrote something, apart from white space."""
    places = {(piece.template, piece.line) for piece in pieces if isinstance(piece, Held)}
    for piece in pieces:
        if not isinstance(piece, Held):
            lines = enumerate(piece[0].split("\n"), piece[1])
            places |= {(piece[2], number) for number, line in lines if line.strip()}
    return places


def _values(pieces: Sequence[Piece]) -> list[Any] | None:
    """The values, if there is only white space around them; `None` if there is other text."""
    if any(not isinstance(piece, Held) and piece[0].strip() for piece in pieces):
        return None
    return [piece.value for piece in pieces if isinstance(piece, Held)]
