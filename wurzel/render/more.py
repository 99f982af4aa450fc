"""Files that packs add to those of a target."""

from __future__ import annotations

from string import Formatter

from wurzel.named_tuples import NamedTuple

PARTS = ("pipeline", "target", "environment")
"""Placeholders that a path may contain."""


class More(NamedTuple):
    """A file that a pack adds."""

    pack: str
    """Name and version of the pack."""
    target: str
    template: str
    path: str
    """Its path, with placeholders in braces."""
    origin: str = ""
    """Where the pack names it."""


def unknown_in(path: str) -> str:
    """The first unknown placeholder in a path; '' if there is none."""
    try:
        names = [
            name for _, name, form, conversion in Formatter().parse(path) if name is not None or form or conversion
        ]
    except ValueError:
        return path
    return next((f"{{{name}}}" for name in names if name not in PARTS), "")
