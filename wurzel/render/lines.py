"""Finds tags that would silently take away what makes lines: the indentation in front of text, or a line break.

With `trim_blocks` and `lstrip_blocks` a tag on a line of its own leaves no trace. On a line that also writes text,
`  {% if a %}b: 1{% endif %}` loses its indentation and is joined with the next line. YAML and shell would often read
that without complaint, as something else.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from wurzel.exceptions import TemplateError
from wurzel.render.text import Held, Piece

JOINT = "\0"
"""Stands in template text where a tag took away a line break behind text; no template holds it otherwise."""
BREAK = "\0\n"
"""Stands in template text for the line break behind an expression that has its line, from its start, to itself."""

Token = tuple[int, str, str]
_BEGINS = frozenset({"block_begin", "comment_begin", "raw_begin"})
_ENDS = frozenset({"block_end", "comment_end", "raw_end"})
_KEEP = "Put the tag on a line of its own, or write `{%+` to keep the white space in front of it."
_BREAK = "Put the tag on a line of its own, or write `+%}` to keep the line break (`-%}` to drop it)."


class Watch:
    """Follows the tokens of one template, line by line of what it writes."""

    def __init__(self, source: str, name: str) -> None:
        self._lines = source.split("\n")
        self._name = name
        self._wrote = False
        self._first = True
        self._lost = 0
        self._whole = 0

    def tokens(self, tokens: Iterable[Token]) -> Iterator[Token]:
        """The same tokens, with `JOINT` behind each tag that takes away the line break of text, and with `BREAK`.

        Raises:
            TemplateError: when a tag takes away the indentation of text behind it, or the template holds a NUL.
        """
        for line, kind, value in tokens:
            if kind == "data":
                yield from self._split(line, value)
                self._data(line, value)
                continue
            yield line, kind, value
            if kind == "variable_begin":
                self._whole = line if self._lines[line - 1].startswith("{{") and self._first else 0
                self._write()
                self._first = False
            elif kind in _BEGINS:
                if self._first and value[2:3] not in {"+", "-"} and self._lines[line - 1][:1] in {" ", "\t"}:
                    self._lost = line
                self._first = False
            if kind in _ENDS and value.endswith("\n") and value.rstrip("\n")[-3:-2] != "-":
                if self._wrote:
                    yield line, "data", JOINT
                self._wrote, self._first, self._lost = False, True, 0

    def _split(self, line: int, text: str) -> Iterator[Token]:
        whole, self._whole = self._whole == line, 0
        if not whole or text[0] != "\n":
            yield line, "data", text
            return
        yield line, "data", BREAK
        if len(text) > 1:
            yield line + 1, "data", text[1:]

    def _data(self, line: int, text: str) -> None:
        if JOINT in text:
            line += text[: text.index(JOINT)].count("\n")
            raise TemplateError("the template holds a NUL", where=f"{self._name}:{line}")
        head, broken, tail = text.partition("\n")
        if head.strip():
            self._write()
        self._first = self._first and not head
        if broken:
            last = tail.rpartition("\n")[2]
            self._wrote, self._first, self._lost = bool(last.strip()), not last, 0

    def _write(self) -> None:
        if self._lost:
            raise TemplateError(
                "the white space in front of this tag is removed, but text follows on its line",
                where=f"{self._name}:{self._lost}",
                hint=_KEEP,
            )
        self._wrote = True


def joint(line: int, template: str) -> Piece:
    """The piece that a compiled template writes for `JOINT`."""
    return ("", -line, template)


def whole_lines(pieces: Sequence[Piece]) -> list[Piece]:
    """The pieces of a file that ends in a line break, once it is certain that no tag joined two lines of text.

    Raises:
        TemplateError: at the tag that did.
    """
    kept: list[Piece] = []
    visible = False
    joined: tuple[int, str] | None = None
    for piece in pieces:
        if not isinstance(piece, Held) and piece[1] < 0:
            joined = (-piece[1], piece[2]) if visible else joined
            continue
        kept.append(piece)
        head, broken, tail = ("x", "", "") if isinstance(piece, Held) else piece[0].partition("\n")
        if head.strip():
            if joined is not None:
                raise TemplateError(
                    "the line break after this tag is dropped, which joins two lines of text",
                    where=f"{joined[1]}:{joined[0]}",
                    hint=_BREAK,
                )
            visible = True
        if broken:
            visible, joined = bool(tail.rpartition("\n")[2].strip()), None
    if kept and (isinstance(last := kept[-1], Held) or not last[0].endswith("\n")):
        line, template = (last.line, last.template) if isinstance(last, Held) else last[1:]
        kept.append(("\n", line, template))
    return kept
