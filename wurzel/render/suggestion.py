"""Did you mean: the closest known name."""

from __future__ import annotations

from collections.abc import Iterable


def suggest(name: str, known: Iterable[str], prefix: str = "") -> str:
    """A did-you-mean for the closest known name; empty if none is close."""
    from difflib import get_close_matches  # imported only for an error message

    close = get_close_matches(name, list(known), 1, 0.5)
    return f"Did you mean {prefix}{close[0]}?" if close else ""
