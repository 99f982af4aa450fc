"""The table of steps that a CI job shows when a run is over, and what it tells the platform."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from wurzel.runtime.run_id import platform
from wurzel.table import aligned

if TYPE_CHECKING:
    from wurzel.runtime.rows import Row

_HEAD = ("step", "result", "seconds", "items in", "items out", "")
_EXECUTED = frozenset({"ran", "skipped", "failed"})


def conclude(rows: Sequence[Row], environ: Mapping[str, str], pipeline: str) -> None:
    """Write what a CI job shows of a run: nothing elsewhere.

    On GitHub a table in the summary of the job, and `executed=N` among its outputs: 0 means that everything was there
    already. On GitLab a table in the log.
    """
    ci = platform(environ)
    if ci == "github":
        executed = sum(row.result in _EXECUTED for row in rows)
        _append(environ.get("GITHUB_OUTPUT"), f"executed={executed}\n")
        _append(environ.get("GITHUB_STEP_SUMMARY"), markdown(rows, pipeline))
    elif ci == "gitlab":
        sys.stderr.write(table(rows))


def table(rows: Sequence[Row]) -> str:
    """The table as aligned text."""
    return "".join(f"{line}\n" for line in aligned([_HEAD, *map(_cells, rows)]))


def markdown(rows: Sequence[Row], pipeline: str) -> str:
    """The table as Markdown, with the last lines of the log of each failed step."""
    lines = [f"### {pipeline}", "", _line(_HEAD), "| --- | --- | ---: | ---: | ---: | --- |"]
    lines += [_line(_cells(row)) for row in rows]
    for row in rows:
        lines += _end_of_log(row)
    return "\n".join(lines) + "\n"


def _end_of_log(row: Row) -> Iterator[str]:
    if row.log:
        longest = max((len(run) for line in row.log for run in re.findall("`+", line)), default=0)
        fence = "`" * max(longest + 1, 3)
        yield from ("", f"The end of the log of {row.step}:", "", fence, *row.log, fence)


def _cells(row: Row) -> tuple[str, ...]:
    retries = f"{row.retries} {'retry' if row.retries == 1 else 'retries'}" if row.retries else ""
    return (
        row.step,
        row.result,
        f"{row.seconds:.1f}" if row.result in _EXECUTED else "",
        *("" if count is None else str(count) for count in (row.items_in, row.items_out)),
        "; ".join(filter(None, (row.why, retries))),
    )


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |"


def _append(path: str | None, text: str) -> None:
    """Add text to a file that the platform reads; a run does not fail for its summary."""
    if not path:
        return
    try:
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        sys.stderr.write(f"warning: {path}: cannot be written: {error.strerror}\n")
