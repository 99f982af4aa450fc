"""Packing the blocks of a text into chunks of limited size."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import TYPE_CHECKING

from wurzel.steps.splitting.blocks import Document, closes, is_paragraph, parse
from wurzel.steps.splitting.pieces import BLANK_LINE, LineCounter, Piece, one_line, opened, top_pieces, unindent
from wurzel.steps.splitting.prose import Cut, Prose

if TYPE_CHECKING:
    from wurzel.steps.splitting.counting import Measure


@dataclass(frozen=True)
class Budget:
    """How large chunks may be, in tokens (or characters) of `measure`.

    A chunk has at most `maximum`. One that has `minimum` ends before a section that it has no room for; a smaller one
    takes up what fits of it. Room up to `buffer` at the end of a chunk is left free rather than filled by cutting a
    paragraph.
    """

    measure: Measure
    maximum: int
    minimum: int = 0
    buffer: int = 0


@dataclass(frozen=True, slots=True)
class Oversize:
    """A block that cannot be cut and is larger than the room that a chunk has for it.

    `line` is where it starts, from 1; `tokens` is its size (in characters, where these are counted).
    """

    kind: str
    line: int
    tokens: int


@dataclass(frozen=True, slots=True)
class Chunk:
    """A part of a text.

    `body` is `text[start:end]`, less blank lines between blocks after the first, and less the indentation of list items
    whose start it does not hold. `context` repeats what the body needs to be understood: the headings above it, the
    header of its table, the mark of its block quote. `headings` are those that its first text stands under.
    """

    context: str
    body: str
    start: int
    end: int
    headings: tuple[str, ...]
    oversize: tuple[Oversize, ...]

    @property
    def md(self) -> str:
        """The chunk as Markdown."""
        return self.context + self.body


_PREVIEW = 400
"""Characters of a cut paragraph's rest that show whether it still starts as a paragraph."""


def split(text: str, budget: Budget) -> list[Chunk]:
    """The chunks of a Markdown text, in its order; none for a text of blanks only. Line ends become line feeds.

    The bodies of all chunks together are the text, less blanks between blocks and where a paragraph was cut. Takes
    time and memory in proportion to the text.
    """
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _Packer(text, parse(text), budget).pack()


class _Packer:
    def __init__(self, text: str, document: Document, budget: Budget) -> None:
        self.text = text
        self.env = document.env
        self.measure = budget.measure
        self.size = budget.measure.size
        self.maximum = budget.maximum * budget.measure.scale
        self.minimum = budget.minimum * budget.measure.scale
        self.buffer = budget.buffer * budget.measure.scale
        self.lines = LineCounter(text)
        self.todo = top_pieces(text, document.blocks, self.size)[::-1]
        self.chunks: list[Chunk] = []
        self.pieces: list[Piece] = []
        self.filled = 0
        self.text_in_chunk = False
        self.oversize: list[Oversize] = []

    def pack(self) -> list[Chunk]:
        while self.todo:
            piece = self.todo.pop()
            if self._ends_before(piece):
                self._flush()
            if not self.pieces and piece.items and piece.prose is None:
                piece.size = self.size(unindent(self.text[piece.start : piece.end], piece.indents(piece.start)))
            if piece.size <= self._room(piece):
                self._add(piece)
            elif self.text_in_chunk:
                self._go_on(piece)
            elif self.pieces and piece.heading:
                self._flush()
                self.todo.append(piece)
            else:
                self._force(piece)
        self._flush()
        return self.chunks

    def _ends_before(self, piece: Piece) -> bool:
        """Whether the chunk ends here because a section starts that it has no room for."""
        return (
            piece.section > 0
            and bool(self.pieces)
            and not self.pieces[-1].heading
            and self.filled >= self.minimum
            and piece.section > self._room(piece)
        )

    def _room(self, piece: Piece) -> int:
        """What the size of a piece may be if it is added."""
        first = self.pieces[0] if self.pieces else piece
        return self.maximum - self._context(first)[1] - self.filled

    def _add(self, piece: Piece) -> None:
        self.pieces.append(piece)
        self.text_in_chunk = self.text_in_chunk or not piece.heading
        self.filled += piece.size + (len(BLANK_LINE) + piece.quotes if piece.items else len(piece.gap))
        indents = piece.indents(self.pieces[0].start) if piece.block.kind in {"fence", "html"} else ()
        if indents and not closes(unindent(self.text[piece.start : piece.end], indents), piece.quotes):
            self._flush()  # its list item closed it; outside of the item it would swallow the rest of the chunk

    def _go_on(self, piece: Piece) -> None:
        """Start a new chunk for a piece; first fill this one, if the piece is too large for any."""
        if piece.size > self.maximum - self._context(piece)[1] and self._fill(piece):
            return
        headings: list[Piece] = []
        while self.pieces[-1].heading:
            headings.append(self.pieces.pop())
        self._flush()
        self.todo.append(piece)
        self.todo.extend(headings)

    def _fill(self, piece: Piece) -> bool:
        if piece.block.children:
            self.todo.extend(reversed(opened(self.text, piece, self.size)))
            return True
        room = self._room(piece)
        return piece.block.kind == "paragraph" and room > self.buffer and self._cut(piece, room, words=False)

    def _force(self, piece: Piece) -> None:
        """Place a piece that does not fit although nothing but headings stands in the chunk."""
        if piece.block.children:
            self.todo.extend(reversed(opened(self.text, piece, self.size)))
        elif piece.block.kind != "paragraph" or not self._cut(piece, self._room(piece), words=True):
            self._note_oversize(piece)
            self._add(piece)

    def _note_oversize(self, piece: Piece) -> None:
        tokens = self.measure.tokens(self.text[piece.start : piece.end])
        self.oversize.append(Oversize(piece.block.kind, self.lines.at(piece.start), tokens))

    def _cut(self, piece: Piece, room: int, *, words: bool) -> bool:
        """Add what fits of a paragraph and end the chunk."""
        prose = piece.prose or Prose.of(piece.block, self.text, self.env)
        start = self.pieces[0].start if self.pieces else piece.start

        def sound(cut: Cut) -> bool:
            head = unindent(self.text[piece.start : cut.end], piece.indents(start))
            rest = self.text[cut.start : min(cut.start + _PREVIEW, piece.end)]
            rest = cut.quotes + unindent(rest, piece.indents(cut.start))
            return is_paragraph(piece.lead + head) and is_paragraph(rest, quotes=cut.quotes.count(">"))

        cut = prose.cut(room, self.measure, sound, words=words)
        if cut is None:
            return False
        head = replace(piece, end=cut.end, size=self.size(self.text[piece.start : cut.end]))
        if head.size > room:
            self._note_oversize(head)
        self._add(head)
        self._flush()
        long = piece.end - cut.start > self.maximum * self.measure.reach
        size = self.maximum + 1 if long else self.size(self.text[cut.start : piece.end])
        self.todo.append(replace(piece, start=cut.start, size=size, lead=cut.quotes, prose=prose))
        return True

    def _context(self, piece: Piece) -> tuple[str, int]:
        """What is repeated above a chunk that starts with this piece, and its size.

        But for marks of quotes, without which the text would be another, it is at most half of the chunk.
        Line ends are counted one by one, here and between pieces: a model may take two for one token, or not.
        """
        half = self.maximum // 2
        repeated = [(piece.lead, "")] if piece.prose or self.size(piece.lead) <= half else []
        headings = [heading for heading in reversed(piece.path) if heading.content]
        repeated += [(f"{'#' * heading.level} {one_line(heading.content)}", BLANK_LINE) for heading in headings]
        text, total = "", 0
        for part, gap in repeated:
            larger = total + self.size(part) + len(gap)
            if gap and larger > half:
                break
            text, total = part + gap + text, larger
        return text, total

    def _flush(self) -> None:
        if not self.pieces:
            return
        first, last = self.pieces[0], self.pieces[-1]
        path = next((piece.path for piece in self.pieces if not piece.heading), (*last.path, last.block))
        headings = tuple(one_line(heading.content) for heading in path)
        oversize = tuple(self.oversize)
        self.chunks.append(Chunk(self._context(first)[0], self._body(), first.start, last.end, headings, oversize))
        self.pieces.clear()
        self.oversize.clear()
        self.filled = 0
        self.text_in_chunk = False

    def _body(self) -> str:
        parts = []
        start = self.pieces[0].start
        for piece, following in zip_longest(self.pieces, self.pieces[1:]):
            parts.append(unindent(self.text[piece.start : piece.end], piece.indents(start)))
            if following is not None:
                parts.append(piece.gap_before(following, start))
        return "".join(parts)
