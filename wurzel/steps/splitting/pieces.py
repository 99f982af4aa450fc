"""Blocks on their way into chunks: with their size, what they stand in and what must be repeated above them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING

from wurzel.named_tuples import NamedTuple

if TYPE_CHECKING:
    from wurzel.steps.splitting.blocks import Block
    from wurzel.steps.splitting.prose import Prose

    Size = Callable[[str], int]

TAB = 4


class LineCounter:
    """Line numbers, from 1, of offsets that are asked for in ascending order."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.offset = 0
        self.line = 1

    def at(self, offset: int) -> int:
        """The number of the line that an offset stands in."""
        self.line += self.text.count("\n", self.offset, offset)
        self.offset = offset
        return self.line


def one_line(text: str) -> str:
    """A text with every run of blanks and line ends as one space."""
    return " ".join(text.split())


def unindent(text: str, indents: Sequence[int], *, marks: bool = False) -> str:
    """A text with less indentation.

    Args:
        text: any number of lines.
        indents: columns of blanks to take from the start of each line, behind its first `>`, behind its second, …
        marks: take what stands in these columns, whatever it is.
    """
    if not indents:
        return text
    return "\n".join(_unindent(line, indents, marks) for line in text.split("\n"))


def _unindent(line: str, indents: Sequence[int], marks: bool) -> str:
    kept = ""
    for quotes, columns in enumerate(indents):
        if quotes:
            blanks, mark, rest = line.partition(">")
            if not mark or blanks.strip():
                break
            space = rest[:1] if rest[:1] == " " else ""
            kept += blanks + mark + space
            line = rest[len(space) :]
        line = _without(line, columns, marks)
    return kept + line


def _without(line: str, columns: int, marks: bool) -> str:
    """A tab reaches to the next multiple of four columns; what it reaches too far is given back as spaces."""
    column = 0
    for index, character in enumerate(line):
        if column >= columns or not (marks or character in " \t"):
            return " " * (column - columns) + line[index:]
        column += TAB - column % TAB if character == "\t" else 1
    return " " * (column - columns)


BLANK_LINE = "\n\n"


class Item(NamedTuple):
    """A list item that was opened: where it starts, how far its content is indented, how many quotes it stands in."""

    start: int
    indent: int
    quotes: int


@dataclass(slots=True)
class Piece:
    """A block, or the rest of a paragraph, that is to be placed: `text[start:end]`, then `gap` before the next.

    `path` are the headings above; `section` is the size of all that a heading stands above; `lead` is repeated when a
    chunk starts with the piece; `quotes` and `items` are the block quotes and list items that were opened around it.
    """

    block: Block
    start: int
    end: int
    gap: str
    size: int
    path: tuple[Block, ...] = ()
    section: int = 0
    lead: str = ""
    quotes: int = 0
    items: tuple[Item, ...] = ()
    prose: Prose | None = None

    @property
    def heading(self) -> bool:
        """Whether it goes with the text after it."""
        return self.block.kind == "heading"

    def indents(self, start: int) -> tuple[int, ...]:
        """Columns of indentation by items that start before the chunk: outside of quotes, in one, in two, …."""
        found: list[int] = []
        for item in self.items:
            if item.start < start:
                found += [0] * (item.quotes + 1 - len(found))
                found[item.quotes] = max(found[item.quotes], item.indent)
        return tuple(found)

    def gap_before(self, following: Piece, start: int) -> str:
        """What stands between two pieces of a chunk that starts there: a blank line where one leaves a cut item."""
        if self.gap == BLANK_LINE or not self.items or self.indents(start) == following.indents(start):
            return self.gap
        return "\n" + ">" * min(self.quotes, following.quotes) + "\n"


def top_pieces(text: str, blocks: Sequence[Block], size: Size) -> list[Piece]:
    """The top-level blocks of a text, each with the headings above it, and headings with the size of their section."""
    pieces = _pieces(text, blocks, size, "")
    path: tuple[Block, ...] = ()
    sections: list[tuple[Piece, int]] = []
    total = filled = 0
    for piece in pieces:
        level = piece.block.level
        while piece.heading and sections and sections[-1][0].block.level >= level:
            section, before = sections.pop()
            section.section = filled - before
        if piece.heading:
            path = tuple(above for above in path if above.level < level)
            sections.append((piece, total))
        piece.path = path
        if piece.heading:
            path = (*path, piece.block)
        filled = total + piece.size
        total = filled + len(piece.gap)
    for section, before in sections:
        section.section = filled - before
    return pieces


def opened(text: str, piece: Piece, size: Size) -> list[Piece]:
    """The parts of a block that has children: items of a list, rows of a table, blocks of an item or a quote."""
    block = piece.block
    parts = _pieces(text, block.children, size, piece.gap)
    for part in parts:
        part.path, part.items, part.quotes = piece.path, piece.items, piece.quotes + (block.kind == "quote")
        if block.kind == "item":
            part.items = (*piece.items, Item(block.start, block.indent, piece.quotes))
    if block.kind != "table" or len(parts) == 1:
        return parts
    header, first, *rest = parts
    lead = unindent(text[header.start : header.end], piece.indents(header.start + 1), marks=True) + "\n"
    for row in rest:
        row.lead = lead
    first.start, first.size = header.start, header.size + len(header.gap) + first.size
    return [first, *rest]


def _pieces(text: str, blocks: Sequence[Block], size: Size, gap: str) -> list[Piece]:
    pieces = []
    for block, following in zip_longest(blocks, blocks[1:]):
        between = gap
        if following is not None:
            between = BLANK_LINE if text.count("\n", block.end, following.start) > 1 else "\n"
        pieces.append(Piece(block, block.start, block.end, between, size(text[block.start : block.end])))
    return pieces
