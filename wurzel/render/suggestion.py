"""Did you mean: the closest known name."""

from __future__ import annotations

from collections.abc import Iterable


def suggest(name: str, known: Iterable[str], prefix: str = "") -> str:
    """Asks whether a known name was meant, when one is close; otherwise nothing."""
    from difflib import get_close_matches  # only when something is wrong

    close = get_close_matches(name, list(known), 1, 0.5)
    return f"Did you mean {prefix}{close[0]}?" if close else ""
