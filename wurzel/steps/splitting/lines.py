"""Lines of a text: their numbers, their indentation."""

from __future__ import annotations

from collections.abc import Sequence

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
