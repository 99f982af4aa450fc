"""Finds tags that would silently remove the indentation of a line, or a line break.

With `trim_blocks` and `lstrip_blocks` a tag alone on its line leaves no trace. On a line that also writes text,
`  {% if a %}b: 1{% endif %}` loses its indentation and is joined with the next line. YAML and shell would often read
that without complaint, as something else. What a block, an `include`, a `call` or a `filter` writes is not known before
it runs: a missing line break after it is added, and losing its indentation is an error.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from wurzel.exceptions import TemplateError
from wurzel.render.text import Held, Piece

JOINT = "\0"
"""Marks the place in template text where a tag removed a line break after text; templates cannot contain it."""
BREAK = "\0\n"
"""Marks the line break after an expression that is alone on its line."""
SEAM = "\0 "
"""Marks the end of a line of tags that may have written text: what follows starts on a new line."""

Token = tuple[int, str, str]
_BEGINS = frozenset({"block_begin", "comment_begin", "raw_begin"})
_ENDS = frozenset({"block_end", "comment_end", "raw_end"})
_KEEP = "Put the tag on a separate line, or write `{%+` to keep the white space before it."
_STARTS = _BEGINS | {"variable_begin"}
_HOLD = frozenset({"block", "call", "filter"})
_WRITES = frozenset({"include", "endblock", "endcall", "endfilter"})
"""Tags after which text from elsewhere has been written."""
_MOVES = frozenset({"include", "call"})
"""Tags that write lines from another place unchanged."""
_INDENT = "Start the tag in the first column. `{%% filter indent(%d, true) %%}` around it indents every line it writes."
_BREAK = (
    "Put the tag on a separate line, without `{%-`, which joins it to the line above; or write `+%}` at its end to"
    " keep the line break (`-%}` to drop it)."
)


class Watch:
    """Follows the tokens of one template, line by line of what it writes."""

    def __init__(self, source: str, name: str) -> None:
        self._lines = source.split("\n")
        self._name = name
        self._whole = 0
        self._seam = False
        self._begin_line(first=True, wrote=False)

    def _begin_line(self, *, first: bool, wrote: bool) -> None:
        self._first, self._wrote = first, wrote
        self._lost = 0
        self._tag = False  # a tag has started, and its name comes next
        self._open = 0  # tags that started on this line without text before them: text inside belongs to them
        self._within = self._writes = False

    def tokens(self, tokens: Iterable[Token]) -> Iterator[Token]:
        """The same tokens, with `JOINT` after each tag that removes the line break of text, `BREAK` and `SEAM`.

        Raises `TemplateError` when a tag removes the indentation of text after it, or the template contains a NUL.
        """
        read = list(tokens)
        joining = self._joining(read)
        for number, token in enumerate(read):
            yield from self._token(*token)
            if number in joining:
                yield joining[number], "data", JOINT

    def _token(self, line: int, kind: str, value: str) -> Iterator[Token]:
        if self._seam:
            self._seam = False
            if value[2:3] != "-" or kind not in _STARTS:
                yield line, "data", SEAM
            else:  # `{%-` removes the line break on purpose, so the line continues
                self._writes = True
        if kind == "data":
            yield from self._split(line, value)
            self._data(line, value)
            return
        yield line, kind, value
        if kind == "variable_begin":
            self._whole = line if self._lines[line - 1].startswith("{{") and self._first else 0
            self._write()
            self._first = False
        elif kind in _BEGINS:
            self._begin_tag(line, value)
        elif kind == "name" and self._tag:
            self._name_tag(line, value)
        if kind in _ENDS and value.endswith("\n") and value.rstrip("\n")[-3:-2] != "-":
            wrote = self._wrote or (self._within and self._open > 0)
            if wrote:
                yield line, "data", JOINT
            self._seam = self._writes and not wrote
            self._begin_line(first=True, wrote=False)

    def _joining(self, tokens: Sequence[Token]) -> dict[int, int]:
        """Lines of `{%- endfor` that join each round to the next, by the number of the token before the first round.

        That is a loop whose tags stand on separate lines.
        """
        found: dict[int, int] = {}
        loops: list[int] = []  # the number of the token that ends the tag, or 0
        begin, name = (0, ""), ""
        for number, (line, kind, value) in enumerate(tokens):
            if kind == "block_begin":
                begin, name = (line, value), ""
            elif kind == "name" and not name:
                name = value
                end = loops.pop() if name == "endfor" and loops else 0
                if end and begin[1][2:3] == "-" and self._starts_line(*begin):
                    found[end] = line
            elif kind == "block_end" and name == "for":
                loops.append(number if "\n" in value and self._starts_line(*begin) else 0)
        return found

    def _starts_line(self, line: int, tag: str) -> bool:
        return self._lines[line - 1].lstrip().startswith(tag)

    def _begin_tag(self, line: int, value: str) -> None:
        self._tag = True
        if self._first and value[2:3] not in {"+", "-"} and self._lines[line - 1][:1] in {" ", "\t"}:
            self._lost = line
        self._first = False

    def _name_tag(self, line: int, name: str) -> None:
        self._tag = False
        if name in _MOVES and self._lost:
            text = self._lines[line - 1]
            raise TemplateError(
                f"the white space before `{{% {name} %}}` is removed, so it does not indent what the tag writes",
                where=f"{self._name}:{line}",
                hint=_INDENT % (len(text) - len(text.lstrip())),
            )
        if name in _HOLD and not self._wrote:
            self._open += 1
        elif name in _WRITES:
            self._open = max(0, self._open - (name != "include"))
            self._writes = True

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
            raise TemplateError("the template contains a NUL character", where=f"{self._name}:{line}")
        head, broken, tail = text.partition("\n")
        if head:
            self._write(visible=bool(head.strip()))
        self._first = self._first and not head
        if broken:
            last = tail.rpartition("\n")[2]
            self._begin_line(first=not last, wrote=bool(last))

    def _write(self, *, visible: bool = True) -> None:
        if self._lost and visible:
            raise TemplateError(
                "the white space before this tag is removed, but text follows on its line",
                where=f"{self._name}:{self._lost}",
                hint=_KEEP,
            )
        if self._open:
            self._within = True
        else:
            self._wrote = True


def bare(text: str) -> str:
    """Template text without the marks in it."""
    return "" if text in {JOINT, SEAM} else text.replace(JOINT, "")


def joint(line: int, template: str) -> Piece:
    """The piece that a compiled template writes for `JOINT`."""
    return ("", -line, template)


def whole_lines(pieces: Sequence[Piece]) -> list[Piece]:
    """The lines of a file with their ends. Raises `TemplateError` at a tag that joined two lines of text."""
    kept: list[Piece] = []
    started = False
    joined: tuple[int, str] | None = None
    for piece in pieces:
        if not isinstance(piece, Held) and piece[1] < 0:
            joined = joined or ((-piece[1], piece[2]) if started else None)
            continue
        kept.append(piece)
        head, broken, tail = ("x", "", "") if isinstance(piece, Held) else piece[0].partition("\n")
        if head:
            if joined is not None and head.strip():
                raise TemplateError(
                    "the line break after this tag is dropped, which joins two lines of text",
                    where=f"{joined[1]}:{joined[0]}",
                    hint=_BREAK,
                )
            started = True
        if broken:
            started, joined = bool(tail.rpartition("\n")[2]), None
    if kept and (isinstance(last := kept[-1], Held) or not last[0].endswith("\n")):
        line, template = (last.line, last.template) if isinstance(last, Held) else last[1:]
        kept.append(("\n", line, template))
    return kept
