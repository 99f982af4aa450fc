"""Cuts a Python file between statements, so that it can be parsed portion by portion with little memory.

A portion means the same alone as in the file: it begins with a statement of the module, or of one of its `with` blocks,
which share the module's scope.
"""

from __future__ import annotations

import token as tokens
from collections.abc import Iterable, Iterator, Sequence
from tokenize import TokenInfo
from typing import Any

from wurzel.render.verify import Unreadable, python_tree

SIZE = 100_000
"""Characters of a portion; a tree takes some 60 bytes for each."""
_WHOLE = frozenset({"__future__", "global"})
"""Words that say something of the whole file."""
_CONTINUING = frozenset({"elif", "else", "except", "finally", "case"})
_BLANK = frozenset({tokens.NL, tokens.COMMENT, tokens.INDENT, tokens.DEDENT, tokens.NEWLINE, tokens.ENDMARKER})


class Cutter:
    """Finds where to cut, given all tokens one by one."""

    def __init__(self, text: str, rows: Iterable[tuple[int, int]] = ()) -> None:
        """Of this text; `rows` are pairs of lines that should be alike."""
        self._text = text
        self._rows = list(rows)
        self._todo = sorted((row for pair in self._rows for row in pair), reverse=True)
        self._ended = 0
        self._reached: dict[int, int] = {}
        self._depth = 0
        self._begins = True
        self._is_first = False
        """Whether the next statement is the first of its block, which a portion cannot be without."""
        self._is_with = False
        self._line, self._offset = 1, 0
        self._whole = False
        self._cuts: list[int] = []

    def see(self, token: TokenInfo) -> None:
        """Take the next token."""
        kind = token.type
        if token.string in _WHOLE:
            self._whole = True
        if kind not in _BLANK:
            if self._begins:
                self._see_statement(token)
                self._begins = self._is_first = False
        elif kind == tokens.NEWLINE:
            self._begins = True
            self._ended = token.start[0]
        else:
            self._is_first = self._is_first or kind == tokens.INDENT
            self._depth += (kind == tokens.INDENT) - (kind == tokens.DEDENT)

    @property
    def is_even(self) -> bool:
        """Whether the tokens between two lines of each pair can be cut out, and were a whole turn of a loop."""
        reached = [[self._reached.get(row) for row in pair] for pair in self._rows]
        return not self._whole and all(one is not None and one == other for one, other in reached)

    def cuts(self) -> list[int]:
        """Offsets of the text, after all tokens."""
        return [] if self._whole else self._cuts

    def _see_statement(self, token: TokenInfo) -> None:
        if not self._depth:
            self._is_with = token.string == "with"
        while self._line < token.start[0]:
            self._offset = self._text.index("\n", self._offset) + 1
            self._line += 1
        last = self._cuts[-1] if self._cuts else 0
        here = not self._depth or (self._depth == 1 and self._is_with and not self._is_first)
        while self._todo and self._todo[-1] <= token.start[0]:
            row = self._todo.pop()
            if row > self._ended and here and token.string not in _CONTINUING:
                self._reached[row] = self._depth
        if here and self._offset - last >= SIZE and token.string not in _CONTINUING:
            self._cuts.append(self._offset)


def portions(text: str, cuts: Iterable[int]) -> Iterator[str]:
    """The portions of a text, those that begin within a block with a block around them."""
    start = 0
    for end in (*cuts, len(text)):
        portion = text[start:end]
        yield f"if 1:\n{portion}" if portion[:1] in {" ", "\t"} else portion
        start = end


def batches(text: str, starts: Sequence[int]) -> Iterator[tuple[str, int]]:
    """Portions of repeated lines, and how many repetitions each has."""
    at = 0
    while at < len(starts) - 1:
        end = at + 1
        while end < len(starts) - 1 and starts[end] - starts[at] < SIZE:
            end += 1
        yield text[starts[at] : starts[end]], end - at
        at = end


def statements(text: str, *, compiles: bool = True) -> list[Any]:
    """The statements of a portion, which may be inside of a block. Raises `Unreadable` when they are not."""
    tree = python_tree(next(portions(text, ())), compiles=compiles)
    if text[:1] not in {" ", "\t"}:
        return tree.body
    if len(tree.body) > 1:
        raise Unreadable("it goes on outside of its block", 0)
    block: Any = tree.body[0]
    return list(block.body)
