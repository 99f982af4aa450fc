"""How bytes, times and rows are written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

_UNITS = ("KiB", "MiB", "GiB", "TiB")
_STEP = 1024


def table(rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Rows as lines of aligned columns; a cell of digits alone, or with a unit, is aligned to the right."""
    kept = [list(row) for row in rows]
    widths = [max(map(len, column)) for column in zip(*kept, strict=True)]
    for row in kept:
        cells = [
            cell.rjust(width) if cell[:1].isdigit() and cell.split()[-1] in {*_UNITS, "B"} else cell.ljust(width)
            for cell, width in zip(row, widths, strict=True)
        ]
        yield "  ".join(cells).rstrip()


def size(count: int) -> str:
    """A number of bytes as text: `512 B`, `1.5 MiB`."""
    number, unit = float(count), "B"
    for bigger in _UNITS:
        if number < _STEP:
            break
        number, unit = number / _STEP, bigger
    return f"{number:.1f} {unit}" if unit != "B" else f"{count} B"


def moment(start: str) -> str:
    """The time at which a run began, for people; `unknown` where it is not known."""
    return iso(start).replace("T", " ").partition(".")[0] + "Z" if start else "unknown"


def iso(start: str) -> str:
    """The time at which a run began, in ISO 8601."""
    return datetime.strptime(start, "%Y%m%dT%H%M%S.%f%z").isoformat() if start else ""


def counted(count: int, word: str) -> str:
    """A number with a word: `1 run`, `3 runs`."""
    return f"{count} {word}" if count == 1 else f"{count} {word[:-1]}ies" if word.endswith("y") else f"{count} {word}s"
