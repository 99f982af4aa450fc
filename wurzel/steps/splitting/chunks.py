"""What is asked of chunks, and what they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

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
