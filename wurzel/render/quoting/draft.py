"""An unfinished file: its pieces, a reference with harmless words in place of values, and the text of each."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from wurzel.exceptions import QuotingError, VerifyError
from wurzel.patterns import pattern
from wurzel.render.characters import presented, split_lines
from wurzel.render.text import Held, Piece
from wurzel.render.trace import first
from wurzel.render.values import Indented, NotAValue, Words, show, text_of

if TYPE_CHECKING:
    from wurzel.exceptions import TemplateError

_PATH = pattern(r"[\w./+-]*", re.ASCII)


class Draft:
    """Pieces of a file, and the text that replaces each of them."""

    def __init__(self, pieces: Sequence[Piece]) -> None:
        self.pieces = list(pieces)
        self.outputs = ["" if isinstance(piece, Held) else piece[0] for piece in pieces]
        self.holes = [index for index, piece in enumerate(pieces) if isinstance(piece, Held)]
        self._word = "held"
        text = "".join(self.outputs)
        while self._word in text:
            self._word += "x"
        self.words = re.compile(self._word + r"(\d+)z")
        self.reference = ""
        self._starts: list[int] = []

    def word(self, piece: int) -> str:
        """The word in the reference for a held value."""
        return f"{self._word}{piece}z"

    def refer(self, stand_in: Callable[[int, Held], str] | None = None) -> str:
        """Build the reference text; `stand_in` returns what to use for a value instead of its word."""
        parts = [
            piece[0] if not isinstance(piece, Held) else stand_in(index, piece) if stand_in else self.word(index)
            for index, piece in enumerate(self.pieces)
        ]
        self._starts = [0, *accumulate(map(len, parts))]
        self.reference = "".join(parts)
        return self.reference

    def start(self, piece: int) -> int:
        """Where a piece starts in the reference."""
        return self._starts[piece]

    def end(self, piece: int) -> int:
        """Where a piece ends in the reference."""
        return self._starts[piece + 1]

    def before(self, piece: int) -> str:
        """The text on the same line of the reference before a piece."""
        start = self._starts[piece]
        return self.reference[self.reference.rfind("\n", 0, start) + 1 : start]

    def after(self, piece: int) -> str:
        """The text on the same line of the reference after a piece."""
        end = self._starts[piece + 1]
        stop = self.reference.find("\n", end)
        return self.reference[end : stop if stop >= 0 else None]

    def has(self, value: str) -> bool:
        """Whether a piece of the reference contains a value's word."""
        return self._word in value

    def text(self) -> str:
        """The finished file."""
        return "".join(self.outputs)

    def held(self, piece: int) -> Held:
        """The held value of a piece."""
        found = self.pieces[piece]
        assert isinstance(found, Held)  # noqa: S101 - narrows the type: only holes are asked for
        return found

    def replace(self, piece: int, value: Any) -> None:
        """Replace the held value of a piece."""
        held = self.held(piece)
        self.pieces[piece] = Held(value, held.line, held.template, held.expression)

    def fill(self, text: str) -> str:
        """Text of the reference with each value's word replaced by the value's text."""
        return self.words.sub(lambda match: text_of(self.held(int(match.group(1))).value), text)

    def fill_roughly(self, text: str) -> str:
        """The same, but keeps words for values that have no text form; for measuring a line."""
        try:
            return self.fill(text)
        except NotAValue:
            return text

    @property
    def _written(self) -> list[int]:
        """Where each piece starts in the finished file, and where that ends."""
        return [0, *accumulate(map(len, self.outputs))]

    def in_text(self, offsets: Sequence[int]) -> list[int]:
        """Where places within text of the template, by their offsets in the reference, are in the finished file."""
        starts = self._written
        pieces = [bisect_right(self._starts, offset) - 1 for offset in offsets]
        return [starts[piece] + offset - self._starts[piece] for piece, offset in zip(pieces, offsets, strict=True)]

    def where_in_reference(self, offset: int) -> str:
        """`template:line` of an offset in the reference."""
        return self._where(offset, self._starts, None)

    def above(self, offset: int) -> str:
        """`template:line` of the last line with text above the line of an offset in the reference, if any."""
        text = self.reference[: self.reference.rfind("\n", 0, offset) + 1].rstrip()
        return self.where_in_reference(len(text) - 1) if text else ""

    def where_in_text(self, offset: int) -> str:
        """`template:line` of an offset in the finished file."""
        return self._where(offset, self._written, self.outputs)

    def blamed(self, offset: int) -> Held | None:
        """The held value that wrote the text at an offset of the finished file, or the last one before it."""
        index = min(bisect_right(self._written, offset) - 1, len(self.pieces) - 1)
        while index >= 0 and not isinstance(self.pieces[index], Held):
            index -= 1
        return self.held(index) if index >= 0 else None

    def blame(self, offset: int, problem: str) -> TemplateError:
        """The error for a finished file that is not what the template and its values say."""
        held, where = self.blamed(offset), self.where_in_text(offset)
        if held is not None and held.where == where:
            return refuse(held, f"the file with it does not match the template: {problem}")
        return unreadable(where, f"the finished file does not match the template: {problem}")

    def _where(self, offset: int, starts: Sequence[int], outputs: Sequence[str] | None) -> str:
        if not self.pieces:
            return ""
        index = min(bisect_right(starts, offset) - 1, len(self.pieces) - 1)
        piece = self.pieces[index]
        if isinstance(piece, Held):
            return piece.where
        text = outputs[index] if outputs else piece[0]
        return f"{piece[2]}:{first(piece, text) + text[: offset - starts[index]].count(chr(10))}"


def refuse(held: Held, reason: str, hint: str = "") -> QuotingError:
    """The error for a value that is not allowed at its position."""
    name = f"`{held.expression}` is " if held.expression else ""
    return QuotingError(f"{name}{show(held.value)}, but {reason}", where=held.where, hint=hint)


def unreadable(where: str, message: str, hint: str = "") -> VerifyError:
    """The error for a file that cannot be read back."""
    return VerifyError(message, where=where, hint=hint)


class Repeated(Draft):
    """A draft in which words stand for the values of another repetition of their lines."""

    def __init__(self, draft: Draft) -> None:
        """The values are those of `into`: for each piece, the one with the other value."""
        self.__dict__.update(vars(draft))
        self.into: Mapping[int, int] = {}

    def held(self, piece: int) -> Held:
        """The other value."""
        return super().held(self.into[piece])


def fragment(held: Held, place: str) -> str:
    """The text of a value inside other text. Raises `QuotingError` when the value has no unique text form."""
    try:
        return text_of(held.value)
    except NotAValue as error:
        raise refuse(held, f"it is inside {place}, where only text and numbers are allowed", error.hint) from None


def refuse_words(draft: Draft) -> None:
    """Refuse results of the filter `words` in languages other than shell."""
    for index in draft.holes:
        held = draft.held(index)
        if isinstance(held.value, Words):
            raise refuse(held, "the filter `words` is only for shell templates", "Write the list, or use `| shell`.")


def shebang(draft: Draft, piece: int) -> str:
    """A value in the first line of a script. Raises `QuotingError` unless it is made of characters of a path."""
    held = draft.held(piece)
    text = fragment(held, "the first line of a script")
    if not _PATH.fullmatch(text):
        raise refuse(held, "the first line of a script may only contain a plain path")
    return text


def _as_json(value: Any) -> str:
    from json import dumps

    try:
        return text_of(value) if type(value) is int else dumps(value, ensure_ascii=False)
    except ValueError:
        raise NotAValue("a number in it has too many digits", "Write it as text.") from None


def comment(draft: Draft, piece: int) -> str:
    """A value as text of a comment, which it cannot end: further lines become separate comments.

    Raises `QuotingError` when text of several lines is in a comment after something else.
    """
    held = draft.held(piece)
    value = held.value.origin if isinstance(held.value, Indented) else held.value
    try:
        text = value if isinstance(value, str) else _as_json(value)
    except NotAValue as error:
        raise refuse(held, str(error), error.hint) from None
    lines = [presented(line) for line in split_lines(text)]
    if len(lines) == 1:
        return lines[0]
    before = draft.before(piece)
    if not before.lstrip().startswith("#"):
        raise refuse(held, "text of several lines cannot be in a comment after other text", "Put it on its own line.")
    margin = before[: len(before) - len(before.lstrip())] + "# "
    return "\n".join([lines[0].rstrip(), *((margin + line).rstrip() for line in lines[1:])])
