"""Rendered template text and the values in it, kept apart until the file is complete.

Values are not marked inside a string: a `Text` is a sequence of pieces, so no filter can cut, alter or forge the place
of a value. Code that cannot handle pieces fails with a hint instead of writing something else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NoReturn

from wurzel.exceptions import TemplateError
from wurzel.render.bounds import check_size, scanned
from wurzel.render.language import language_of
from wurzel.render.values import CHARACTERS, PLAIN, NotAValue, budget, freeze, show, text_of

Chunk = tuple[str, int, str]
"""Template text, the line it starts on, and its template."""


NO_VALUE = "text rendered by a macro, block, `call` or `set` block cannot be used as a value here"
NO_TRUTH = "text rendered by a macro, block, `call` or `set` block is neither true nor false, whatever it contains"
COMPARE = 'Compare it with a text: `{% if … | trim == "true" %}`; `is blank` tells whether it is empty.'
MAKE_VALUE = "Write it unchanged, or turn it into one value with `| string` first."


_MOST_PIECES = 4_000_000
"""Pieces of text and values of a file; a pipeline of 10,000 steps takes 330,000."""
_COPIED = 4
"""Pieces that are copied in the time of a round of a loop."""
_LESS = "Nothing that a platform reads is as large: look for loops within loops."


class Held:
    """A value that is not quoted yet, and where the template wrote it."""

    __slots__ = ("expression", "line", "template", "value")

    def __init__(self, value: Any, line: int, template: str, expression: str) -> None:
        self.value = value
        self.line = line
        self.template = template
        self.expression = expression

    @property
    def where(self) -> str:
        """`template:line` of the expression."""
        return f"{self.template}:{self.line}"


Piece = Chunk | Held


class Text:
    """What a macro, a block, `set` or `call` rendered: template text and held values in order."""

    __slots__ = ("indented", "pieces")

    def __init__(self, pieces: Sequence[Piece], indented: int = 0) -> None:
        self.pieces = pieces
        self.indented = indented  # how far `indent` has indented the lines after the first

    def as_value(self) -> str:
        """The text as one value, its values unquoted. Raises `TemplateError` when one has no unique text form."""
        try:
            return "".join(text_of(piece.value) if isinstance(piece, Held) else piece[0] for piece in self.pieces)
        except NotAValue as error:
            raise TemplateError(f"this rendered text cannot be one value: {error}", hint=error.hint) from None

    def indent(self, pad: str, *, first: bool, blank: bool) -> Text:
        """The same with `pad` before each line; before the first and blank ones only on request."""
        pieces: list[Piece] = []
        fresh = first
        for piece in self.pieces:
            if isinstance(piece, Held):
                pieces += [(pad, piece.line, piece.template), piece] if fresh else [piece]
                fresh = False
                continue
            padded = []
            for number, part in enumerate(piece[0].split("\n")):
                if number:
                    padded.append((pad if fresh and blank else "") + "\n")
                    fresh = True
                if part:
                    padded.append(pad + part if fresh else part)
                    fresh = False
            pieces.append(("".join(padded), piece[1], piece[2]))
        return Text(pieces, len(pad))

    def has_lines(self) -> bool:
        """Whether there is anything but white space after its first line."""
        below = False
        for piece in self.pieces:
            head, broken, tail = ("x", "", "") if isinstance(piece, Held) else piece[0].partition("\n")
            if (below and head.strip()) or tail.strip():
                return True
            below = below or bool(broken)
        return False

    def replace(self, old: str, new: Any) -> Text:
        """The same with `old` replaced by `new`, as a value, in template text and in text values."""
        pieces: list[Piece] = []
        for piece in self.pieces:
            if isinstance(piece, Held):
                value = piece.value
                changed = value.replace(old, text_of(new)) if type(value) is str else value
                pieces.append(Held(changed, piece.line, piece.template, piece.expression))
                continue
            text, line, template = piece
            for number, part in enumerate(text.split(old)):
                if number:
                    pieces.append(Held(freeze(new), line, template, ""))
                    line += old.count("\n")
                pieces.append((part, line, template))
                line += part.count("\n")
        return Text(pieces)

    def strip(self) -> Text:
        """Without white space at both ends; white space of values stays."""
        return self.lstrip().rstrip()

    def lstrip(self) -> Text:
        """Without leading white space."""
        for index, piece in enumerate(self.pieces):
            if isinstance(piece, Held):
                return Text(self.pieces[index:], self.indented)
            if kept := piece[0].lstrip():
                cut = piece[0][: len(piece[0]) - len(kept)]
                return Text([(kept, piece[1] + cut.count("\n"), piece[2]), *self.pieces[index + 1 :]], self.indented)
        return Text(())

    def rstrip(self) -> Text:
        """Without trailing white space."""
        for index in range(len(self.pieces) - 1, -1, -1):
            piece = self.pieces[index]
            if isinstance(piece, Held):
                return Text(self.pieces[: index + 1], self.indented)
            if kept := piece[0].rstrip():
                return Text([*self.pieces[:index], (kept, *piece[1:])], self.indented)
        return Text(())

    def __bool__(self) -> bool:
        """Whether it is true, when all that was written is one value that is true or false.

        Only for `x if macro() else y`: `{% if macro() %}` is refused before anything is rendered, since what a macro
        writes besides a value depends on its lines.
        """
        # Any other text is not empty even where it says `false`: either answer would mislead someone.
        written = [piece for piece in self.pieces if isinstance(piece, Held) or piece[0].strip()]
        if len(written) == 1 and isinstance(written[0], Held) and isinstance(written[0].value, bool):
            return written[0].value
        raise TemplateError(NO_TRUTH, hint=COMPARE)

    @property
    def is_blank(self) -> bool:
        """Whether there is only white space, and no value that writes anything."""
        return not any(piece.value != "" if isinstance(piece, Held) else piece[0].strip() for piece in self.pieces)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, int | float):  # or a boolean
            raise TemplateError(f"rendered text never equals {show(other)}, whatever it contains", hint=COMPARE)
        if isinstance(other, Text):
            return _runs(self.pieces) == _runs(other.pieces)
        if isinstance(other, str):
            return "".join(map(_read, self.pieces)) == other
        return NotImplemented

    def __contains__(self, part: object) -> bool:
        return isinstance(part, Text | str) and (part.as_value() if isinstance(part, Text) else part) in self.as_value()

    def __add__(self, other: object) -> Text:
        return Text([*self.pieces, *_pieces(other, *self._end())])

    def __radd__(self, other: object) -> Text:
        return Text([*_pieces(other, *self._end()), *self.pieces])

    def _end(self) -> tuple[int, str]:
        if not self.pieces:
            return 1, ""
        last = self.pieces[-1]
        return (last.line, last.template) if isinstance(last, Held) else (abs(last[1]) + last[0].count("\n"), last[2])

    def _refuse(self, *_: object, **__: object) -> NoReturn:
        raise TemplateError(NO_VALUE, hint=MAKE_VALUE)

    __str__ = __repr__ = __format__ = __bytes__ = _refuse
    __len__ = __getitem__ = __mod__ = __mul__ = __lt__ = __gt__ = __le__ = __ge__ = _refuse
    __hash__ = _refuse

    def __iter__(self) -> Iterator[Any]:
        self._refuse()


OF_VALUES = ("true", "false", "boolean", "none", "integer", "float", "number")
"""Tests that rendered text never passes, also where it reads as such a value."""


def of_values(name: str, test: Any) -> Callable[[Any], bool]:
    """A test that refuses rendered text, which would fail it whatever the text says."""

    def check(value: Any) -> bool:
        if isinstance(value, Text):
            raise TemplateError(f"rendered text is never `{name}`, whatever it contains", hint=COMPARE)
        return bool(test(value))

    return check


class Mark:
    """A mark in the output of a template; `concat` acts on it and removes it."""

    __slots__ = ("line", "margin", "template", "what")

    def __init__(self, margin: int = 0, line: int = 0, template: str = "", what: str = "") -> None:
        self.margin = margin
        self.line = line
        self.template = template
        self.what = what


SEAM = Mark()
"""The mark after which output starts on a new line."""


def concat(events: Iterable[Piece | Text | Mark]) -> Text:
    """One `Text` of everything a template wrote."""
    pieces: list[Piece] = []
    begun: list[tuple[Mark, int]] = []
    budget.spend(1)
    for event in events:
        if len(pieces) > _MOST_PIECES:
            raise _too_many(pieces[-1])
        kind = type(event)
        if kind is Text:
            pieces += event.pieces  # type: ignore[union-attr]
        elif event is SEAM:
            _end_line(pieces)
        elif kind is Mark:
            _within_margin(event, pieces, begun)  # type: ignore[arg-type]
        else:
            pieces.append(event)  # type: ignore[arg-type]
    return Text(pieces)


def _too_many(last: Piece) -> TemplateError:
    where = last.where if isinstance(last, Held) else f"{last[2]}:{last[1]}"
    return TemplateError(f"the file has more than {_MOST_PIECES:,} pieces of text and values", where=where, hint=_LESS)


def _within_margin(mark: Mark, pieces: Sequence[Piece], begun: list[tuple[Mark, int]]) -> None:
    """Remember where an indented `include` starts; check its output where it ends."""
    if mark.margin:
        begun.append((mark, len(pieces)))
        return
    mark, start = begun.pop()
    _check_margin(Text(pieces[start:]), mark.margin, mark.line, mark.template, mark.what)


def _end_line(pieces: list[Piece]) -> None:
    """Add a line break unless the last piece ends with one."""
    last = next((piece for piece in reversed(pieces) if isinstance(piece, Held) or piece[0]), None)
    if isinstance(last, Held):
        pieces.append(("\n", last.line, last.template))
    elif last is not None and not last[0].endswith("\n"):
        pieces.append(("\n", last[1] + last[0].count("\n"), last[2]))


def glue(parts: Sequence[Any], line: int, template: str) -> str | Text:
    """`a ~ b`: one value, or rendered text if a part is that. Raises `NotAValue` without a unique text form."""
    if not any(type(part) is Text for part in parts):
        joined = "".join([_text(part) for part in parts])
        check_size(len(joined))
        return scanned(joined)
    pieces = [piece for part in parts for piece in _pieces(part, line, template)]
    budget.spend(len(pieces) // _COPIED)
    return Text(pieces)


def hold(value: Any, line: int, template: str, expression: str) -> Held | Text:
    """The output of an expression: rendered text, or a held value. Raises `TemplateError` when it is neither."""
    if type(value) in PLAIN:
        return Held(value, line, template, expression)
    if type(value) is Text:
        budget.spend(len(value.pieces) // _COPIED)
        return Text([_placed(piece, line, template) for piece in value.pieces], value.indented)
    if hasattr(value, "_body_stream"):  # an imported template
        return concat(value._body_stream)  # noqa: SLF001 - jinja's own name for it
    try:
        return Held(freeze(value), line, template, expression)
    except NotAValue as error:
        what = f"`{expression}`" if expression else "this expression"
        where = f"{template}:{line}"
        raise TemplateError(f"{what} cannot be written: {error}", where=where, hint=error.hint) from None


def hold_at(value: Any, line: int, template: str, expression: str, margin: int) -> Held | Text:
    """The output of an expression that has only `margin` spaces before it on its line.

    Raises `TemplateError` when it is rendered text of several lines that `indent` has not indented as far as the first
    one, so that a reader would find them elsewhere.
    """
    held = hold(value, line, template, expression)
    if type(held) is Text:
        _check_margin(held, margin, line, template, f"`{expression}`" if expression else "this expression")
    return held


def _check_margin(text: Text, margin: int, line: int, template: str, what: str) -> None:
    if text.indented == margin or not text.has_lines() or language_of(template) == "shell":
        return  # indentation has no meaning in a shell
    way = f"`{{% filter indent({margin}) %}}` around it" if what.startswith("`{%") else f"`| indent({margin})`"
    raise TemplateError(
        f"{what} writes several lines, but only the first would be indented by {margin}",
        where=f"{template}:{line}",
        hint=f"Indent all of them, by {way}, or start it in the first column.",
    )


def hold_line(value: Any, line: int, template: str, expression: str) -> Text:
    """The output of an expression that is alone on its line, with the line break.

    Rendered text that ends in a line break gets no second one, and empty text leaves no line, so `{{ super() }}`
    writes exactly the lines of the block.
    """
    held = hold(value, line, template, expression)
    if type(held) is not Text:
        return Text((held, ("\n", line, template)))  # type: ignore[arg-type]
    pieces = [piece for piece in held.pieces if isinstance(piece, Held) or piece[0]]
    if not pieces or (not isinstance(last := pieces[-1], Held) and last[0].endswith("\n")):
        return held
    return Text((*held.pieces, ("\n", line, template)))


def check_length(pieces: Sequence[Piece]) -> None:
    """Refuse a file whose text would fill the memory. Raises `TemplateError` at the line that goes beyond the limit."""
    left = CHARACTERS
    for piece in pieces:
        left -= _length(piece.value) if isinstance(piece, Held) else len(piece[0])
        if left < 0:
            where = piece.where if isinstance(piece, Held) else f"{piece[2]}:{piece[1]}"
            raise TemplateError(f"the file would have more than {CHARACTERS:,} characters", where=where, hint=_LESS)


def _length(value: Any) -> int:
    if isinstance(value, str):
        return len(value)
    if isinstance(value, dict):
        return sum(_length(key) + _length(item) for key, item in value.items())
    return sum(map(_length, value)) if isinstance(value, list | tuple) else 1


def same(one: Piece, other: Piece) -> bool:
    """Whether two pieces are equal and come from the same line of a template."""
    if not isinstance(one, Held) or not isinstance(other, Held):
        return one == other
    values = one.value, other.value
    # `1` equals `True` and `1.0`, and mappings are equal in any order, but they are written differently.
    alike = type(values[0]) is type(values[1]) and values[0] == values[1]
    return alike and one.where == other.where and (isinstance(values[0], str) or repr(values[0]) == repr(values[1]))


def is_blank(value: Any) -> bool:
    """Whether rendered text, or a text, is nothing but white space. Raises `NotAValue` for any other value."""
    if isinstance(value, Text):
        return value.is_blank
    if isinstance(value, str):
        return not value.strip()
    raise NotAValue(f"{show(value)} is not text", "`is blank` is for text; compare other values with `==`.")


def _read(piece: Piece) -> str:
    """A piece as files show it: `true` for a boolean."""
    if not isinstance(piece, Held):
        return piece[0]
    return str(piece.value).lower() if isinstance(piece.value, bool) else text_of(piece.value)


def _runs(pieces: Sequence[Piece]) -> list[Any]:
    """Text and values in order, to compare: neighbouring texts are one, and each list or mapping is an entry."""
    runs: list[Any] = [""]
    for piece in pieces:
        try:
            runs[-1] += text_of(piece.value) if isinstance(piece, Held) else piece[0]
        except NotAValue:
            runs += [repr(piece.value) if isinstance(piece, Held) else "", ""]
    return runs


def _placed(piece: Piece, line: int, template: str) -> Piece:
    if isinstance(piece, Held):
        return piece if piece.template else Held(piece.value, line, template, piece.expression)
    return piece if piece[2] else (piece[0], line, template)


def _text(part: Any) -> str:
    return part if type(part) is str else text_of(freeze(part))


def _pieces(part: Any, line: int, template: str) -> Sequence[Piece]:
    if type(part) is Text:
        return part.pieces
    return [Held(freeze(part), line, template, "")]
