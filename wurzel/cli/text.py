"""How bytes, times and rows are written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

_UNITS = ("KiB", "MiB", "GiB", "TiB")
_STEP = 1024


def table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Rows as lines of aligned columns, numbers to the right; the first row may be a heading."""
    columns = [_column([shown(cell) for cell in cells]) for cells in zip(*rows, strict=True)]
    for row in zip(*columns, strict=True):
        yield "  ".join(row).rstrip()


def shown(text: str) -> str:
    """A text from a store on one line, as a terminal may be given it: whoever may write there chooses names."""
    from wurzel.runtime.outcome import visible

    return visible(text).replace("\n", "\\n")


def _column(cells: Sequence[str]) -> list[str]:
    width = max(map(len, cells))
    if all(map(_is_number, cells[1:])):
        return [cell.rjust(width) for cell in cells]
    return [cell.ljust(width) for cell in cells]


def _is_number(cell: str) -> bool:
    number, _, unit = cell.partition(" ")
    return not cell or (number.replace(".", "", 1).isdecimal() and unit in {"", "B", *_UNITS})


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
