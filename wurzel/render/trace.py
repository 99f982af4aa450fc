"""Which line of which template wrote each line of a file, and which values are on it."""

from __future__ import annotations

from collections.abc import Sequence

from wurzel.named_tuples import NamedTuple
from wurzel.render.text import Chunk, Held, Piece


class Origin(NamedTuple):
    """Where one line of a rendered file comes from."""

    template: str
    line: int
    values: tuple[str, ...] = ()
    """The expressions whose values are on it, if they are short enough to show."""

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
    """The template line where the output of a chunk starts; only leading lines are ever omitted."""
    return chunk[1] + chunk[0].count("\n") - output.count("\n")
