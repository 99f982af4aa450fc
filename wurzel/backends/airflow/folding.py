"""Puts brackets of a DAG file on one line where they fit, so that templates need not know how long values are.

What does not fit keeps its lines and its trailing commas, so `ruff format` and Black keep both forms at any wider line
length.
"""

from __future__ import annotations

import keyword
from collections.abc import Iterator, Mapping, Sequence

from wurzel.patterns import pattern

_WIDTH = 88
"""Longest line: the default of formatters."""
_PAIRS = {"(": ")", "[": "]", "{": "}"}
_CLOSING = frozenset(_PAIRS.values())
_TOKEN = pattern(
    r'"""(?:\\[\s\S]|[^\\])*?"""|"(?:\\[\s\S]|[^"\\\n])*"'
    r"|'''(?:\\[\s\S]|[^\\])*?'''|'(?:\\[\s\S]|[^'\\\n])*'"
    r"|#[^\n]*|\s*\n\s*|[ \t]+|[()\[\]{},]|[^\s()\[\]{},\"'#]+|[\s\S]"
)
"""Strings, comments, line breaks, blanks, brackets and commas, everything else. The file is known to be Python."""


class _Part:
    """A token and the white space before it."""

    __slots__ = ("gap", "row", "text")

    def __init__(self, gap: str, text: str, row: int) -> None:
        """`gap` is blanks before it, or a line break and the indentation of its line."""
        self.gap = gap
        self.text = text
        self.row = row

    @property
    def breaks(self) -> bool:
        """Whether it begins a line."""
        return "\n" in self.gap


def folded(text: str) -> tuple[str, list[int]]:
    """The file with brackets on one line where they fit, and for each line its old number (from 0)."""
    found: list[str] = []
    numbers: list[int] = []
    for parts in _statements(text):
        _fold(parts)
        found += [part.gap + part.text for part in parts]
        for part in parts:
            lines = part.gap.count("\n")
            numbers += range(part.row - lines + 1, part.row + 1)
            numbers += range(part.row + 1, part.row + 1 + part.text.count("\n"))
    return "".join(found), [0, *numbers][:-1]


def _statements(text: str) -> Iterator[list[_Part]]:
    """The parts of each statement, which ends at a line break outside brackets."""
    parts: list[_Part] = []
    gap, row, depth = "", 0, 0
    for match in _TOKEN.finditer(text):
        token = match[0]
        if token.isspace():
            if "\n" in token and not depth and parts:
                yield parts
                parts = []
            gap += token
            row += token.count("\n")
            continue
        parts.append(_Part(gap, token, row))
        depth += (token in _PAIRS) - (token in _CLOSING)
        row += token.count("\n")
        gap = ""
    yield [*parts, _Part(gap, "", row)]


def _fold(parts: list[_Part]) -> None:
    """Fold each bracket that fits, the outermost first."""
    ends = dict(_brackets(parts))
    column = 0
    for position, part in enumerate(parts):
        column = len(part.gap.rpartition("\n")[2]) + (0 if part.breaks else column)
        if any(inner.breaks for inner in parts[position + 1 : ends.get(position, position) + 1]):
            _fold_one(parts, ends, position, column)
        column += len(part.text)


def _brackets(parts: Sequence[_Part]) -> Iterator[tuple[int, int]]:
    """Where each bracket opens and closes."""
    opened: list[int] = []
    for position, part in enumerate(parts):
        if part.text in _PAIRS:
            opened.append(position)
        elif part.text in _CLOSING and opened:
            yield opened.pop(), position


def _fold_one(parts: list[_Part], ends: Mapping[int, int], start: int, column: int) -> None:
    """Write a bracket, and all that follows on its last line, on one line if that fits and it holds no comment."""
    end = ends[start]
    least = column  # of the line's end: without commas, and without the bracket of an import, which may go
    for part in map(parts.__getitem__, range(start, end)):
        least += len(part.text.strip(",("))
        if least > _WIDTH or "\n" in part.text or part.text[0] in "#\\":
            return
    flat = {position: _flat(parts, position) for position in range(start + 1, end + 1)}
    for opening in filter(ends.__contains__, range(start, end)):
        before = ends[opening] - 1
        if parts[before].text == "," and not _needs_comma(parts, opening, before + 1):
            flat[before] = ""
    bracket = parts[start].text
    if start and parts[start - 1].text == "import":
        flat[end] = bracket = ""
    after = next((place for place in range(end + 1, len(parts)) if parts[place].breaks), len(parts))
    tail = sum(len(part.gap) + len(part.text) for part in parts[end + 1 : after])
    if column + len(bracket) + sum(map(len, flat.values())) + tail <= _WIDTH:
        parts[start].text = bracket
        for position, text in flat.items():
            parts[position].gap, parts[position].text = "", text


def _flat(parts: Sequence[_Part], position: int) -> str:
    """The text of a part that does not begin a line, with the space before it."""
    part = parts[position]
    beside = parts[position - 1].text in _PAIRS or part.text in _CLOSING
    return (part.gap if not part.breaks else "" if beside else " ") + part.text


def _needs_comma(parts: Sequence[_Part], start: int, end: int) -> bool:
    """Whether the comma before the end makes a tuple: `(1,)`, `x[1,]`."""
    before = parts[start - 1].text if start else ""
    is_value = before[-1:] in {")", "]", "_"} or (before[-1:].isalnum() and not keyword.iskeyword(before))
    if parts[start].text == "[":
        return is_value
    is_call = is_value and not keyword.issoftkeyword(before)  # `match (a,):` holds a tuple, and `match(a,)` stays one
    return parts[start].text == "(" and not is_call and before != "import" and _commas(parts[start + 1 : end]) == 1


def _commas(parts: Sequence[_Part]) -> int:
    depth = count = 0
    for part in parts:
        depth += (part.text in _PAIRS) - (part.text in _CLOSING)
        count += part.text == "," and depth == 0
    return count
