"""Files that packs have written beside those of a target."""

from __future__ import annotations

from string import Formatter
from typing import NamedTuple

PARTS = ("pipeline", "target", "environment")
"""What may stand in braces in a path."""


class More(NamedTuple):
    """One of them."""

    pack: str
    """Name and version of the pack."""
    target: str
    template: str
    path: str
    """Where it is written, with names in braces."""


def unknown_in(path: str) -> str:
    """What stands in braces in a path and is not known; '' when all is."""
    try:
        names = [
            name for _, name, form, conversion in Formatter().parse(path) if name is not None or form or conversion
        ]
    except ValueError:
        return path
    return next((f"{{{name}}}" for name in names if name not in PARTS), "")
