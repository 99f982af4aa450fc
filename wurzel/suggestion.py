"""Did you mean: the closest known name, for error messages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

LOOSE = 0.5
"""Cutoff for names in templates and patches, which differ more than keys and ids do: paths, block names, kinds."""

_MOST = 10


def closest(name: str, known: Iterable[str], *, cutoff: float = 0.6) -> str:
    """The known name most like `name`, or ''; `cutoff`, from 0 to 1, is how alike they have to be."""
    from difflib import get_close_matches  # imported only for an error message

    return next(iter(get_close_matches(name, list(known), 1, cutoff)), "")


def did_you_mean(name: str, known: Iterable[str], *, prefix: str = "", cutoff: float = 0.6) -> str:
    """A sentence that suggests the closest known name, with `prefix` before it; empty if none is close."""
    close = closest(name, known, cutoff=cutoff)
    return f"Did you mean {prefix}{close}?" if close else ""


def meant_or_all(name: str, known: Iterable[str], kind: str, *, cutoff: float = 0.6) -> str:
    """A sentence that suggests the closest known name, or else lists the first ten, as in `Steps: load, split.`."""
    names = list(dict.fromkeys(known))
    return did_you_mean(name, names, cutoff=cutoff) or f"{kind}: {', '.join(names[:_MOST]) or 'none'}."


def listed(known: Sequence[str], most: int = 20) -> str:
    """A sentence that lists the first known names, as in `There are: load, split.`; empty without any."""
    return f"There are: {', '.join(known[:most])}{', …' if len(known) > most else '.'}" if known else ""
