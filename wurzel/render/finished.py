"""A rendered file in another form that says the same, such as one with anchors."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from wurzel.render import Rendered

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wurzel.render.trace import Origin


class Finished(Rendered):
    """A rendered file in another form."""

    def __init__(self, before: Rendered, text: str, lines: Sequence[int]) -> None:
        """`lines` is the line before, from 0, for each line of the text."""
        self.text = text
        self.templates = before.templates
        self._before = before
        self._lines = lines

    @property
    def unpatched(self) -> Rendered:
        """The file as its templates write it."""
        return self._before.unpatched

    @cached_property
    def origins(self) -> tuple[Origin, ...]:
        """As for any file, by the lines before."""
        return tuple(self._before.origins[line] for line in self._lines)
