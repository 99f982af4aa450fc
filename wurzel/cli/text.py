"""How bytes, times and rows are written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

_UNITS = frozenset({"", "byte", "bytes", "kB", "MB", "GB", "TB"})


def table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Rows as lines of aligned columns, numbers to the right; the first row may be a heading."""
    from wurzel.table import aligned

    columns = [_column([one_line(cell) for cell in cells]) for cells in zip(*rows, strict=True)]
    return aligned(zip(*columns, strict=True))


def one_line(text: str) -> str:
    """A text on one line, as a terminal may be given it: control characters, which it would obey, are escaped."""
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)


def _column(cells: Sequence[str]) -> Sequence[str]:
    width = max(map(len, cells)) if all(map(_is_number, cells[1:])) else 0
    return [cell.rjust(width) for cell in cells]


def _is_number(cell: str) -> bool:
    number, _, unit = cell.partition(" ")
    return not cell or (number.replace(".", "", 1).replace(",", "").isdecimal() and unit in _UNITS)


def size(count: int) -> str:
    """A number of bytes as text: `512 bytes`, `1.5 MB`."""
    from rich.filesize import decimal

    return decimal(count)


def moment(start: str) -> str:
    """The time at which a run began, for people; `unknown` where it is not known."""
    return iso(start).replace("T", " ").partition(".")[0] + "Z" if start else "unknown"


def iso(start: str) -> str:
    """The time at which a run began, in ISO 8601."""
    return datetime.strptime(start, "%Y%m%dT%H%M%S.%f%z").isoformat() if start else ""


def counted(count: int, word: str) -> str:
    """A number with a word: `1 run`, `3 runs`."""
    return f"{count} {word}" if count == 1 else f"{count} {word[:-1]}ies" if word.endswith("y") else f"{count} {word}s"
