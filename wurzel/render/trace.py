"""Which line of which template wrote each line of a file, and which values stand on it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from wurzel.render.text import Chunk, Held, Piece


class Origin(NamedTuple):
    """Where one line of a rendered file comes from."""

    template: str
    line: int
    values: tuple[str, ...] = ()
    """The expressions whose values stand on it, as far as they are short enough to name."""

    def __str__(self) -> str:
        return f"{self.template}:{self.line}"


def origins(pieces: Sequence[Piece], outputs: Sequence[str]) -> tuple[Origin, ...]:
    """One origin per line of the file whose pieces became `outputs`.

    A line belongs to the template line that wrote its first visible character, or its first character at all.
    """
    found: list[Origin] = []
    origin: tuple[str, int] | None = None
    blank = True
    values: tuple[str, ...] = ()
    for piece, output in zip(pieces, outputs, strict=True):
        held = isinstance(piece, Held)
        template, line = (piece.template, piece.line) if isinstance(piece, Held) else (piece[2], first(piece, output))
        for number, part in enumerate(output.split("\n")):
            if number:
                found.append(Origin(*(origin or (template, line)), values))
                origin, blank, values = None, True, ()
                line += not held
            if part and (origin is None or (blank and part.strip())):
                origin, blank = (template, line), not part.strip()
            if part and isinstance(piece, Held) and piece.expression and piece.expression not in values:
                values = (*values, piece.expression)
    if origin is not None:
        found.append(Origin(*origin, values))
    return tuple(found)


def first(chunk: Chunk, output: str) -> int:
    """The template line on which the output of a stretch of text starts; only lines in front are ever left out."""
    return chunk[1] + chunk[0].count("\n") - output.count("\n")
