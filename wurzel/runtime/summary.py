"""What a CI job shows of a run that is over: the table of its steps, outputs of the job, and a JUnit report."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from wurzel.named_tuples import NamedTuple
from wurzel.regular_file import replace_file
from wurzel.runtime.history import steps_of
from wurzel.runtime.outcome import tail
from wurzel.runtime.run_id import platform
from wurzel.runtime.selection import chosen
from wurzel.table import aligned

if TYPE_CHECKING:
    from typing import Any

    from wurzel.ir.model import Pipeline
    from wurzel.runtime.options import RunOptions
    from wurzel.runtime.outcome import RunResult

_NOT_RUN = "not run"
_HEAD = ("step", "result", "seconds", "items in", "items out", "")
_EXECUTED = frozenset({"ran", "skipped", "failed"})
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 does not allow: https://www.w3.org/TR/xml/#charsets."""


class Row(NamedTuple):
    """What became of one step."""

    step: str
    result: str
    """`ran`, `skipped`, `unchanged`, `failed` or `not run`."""
    seconds: float = 0.0
    retries: int = 0
    why: str = ""
    """Why it failed, or did not run."""
    items_in: int | None = None
    items_out: int | None = None
    log: Sequence[str] = ()
    """The last lines of the log of a failed step."""


def rows_of(pipeline: Pipeline, options: RunOptions, result: RunResult) -> list[Row]:
    """One row for each step of a run that is over, from its record, in the order of the pipeline."""
    steps = steps_of(options.root / options.state_dir, pipeline.name, options.run_id)
    return [_row(step.id, steps.get(step.id, {}), result) for step in chosen(pipeline, options.only).steps]


def _row(step_id: str, found: Mapping[str, Any], result: RunResult) -> Row:
    failure = result.failed.get(step_id)
    if step_id in result.blocked:
        return Row(step_id, _NOT_RUN, why=f"{result.blocked[step_id]} failed")
    if step_id in result.left:
        return Row(step_id, _NOT_RUN, why="the run was stopped")
    report = found.get("report", {})
    named = {"ran": result.ran, "skipped": result.skipped, "unchanged": result.unchanged}
    return Row(
        step_id,
        next((name for name, ids in named.items() if step_id in ids), "failed"),
        found["end"] - found.get("begin", found["end"]) if "end" in found else 0.0,
        max(found.get("tries", 0) - 1, 0),
        failure.reason if failure else "",
        report.get("items_in"),
        report.get("items_out"),
        tail(failure.log) if failure and failure.log else (),
    )


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


def write_junit(path: Path, pipeline: str, rows: Sequence[Row]) -> None:
    """Write the report; the folder is made if need be. Raises `WriteError` when it cannot be written."""
    suite = Element("testsuite", name=pipeline, tests=str(len(rows)), time=_time(sum(row.seconds for row in rows)))
    suite.set("failures", str(sum(row.result == "failed" for row in rows)))
    suite.set("skipped", str(sum(row.result in {"skipped", "not run"} for row in rows)))
    for row in rows:
        case = SubElement(suite, "testcase", classname=pipeline, name=row.step, time=_time(row.seconds))
        if row.result == "failed":
            SubElement(case, "failure", message=_text(row.why)).text = _text("\n".join(row.log))
        elif row.result in {"skipped", "not run"}:
            SubElement(case, "skipped", message=_text(row.why or "a condition was false"))
        elif row.result == "unchanged":
            SubElement(case, "system-out").text = "unchanged"
    root = Element("testsuites")
    root.append(suite)
    indent(root)
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_file(path, tostring(root, encoding="utf-8", xml_declaration=True) + b"\n")


def _time(seconds: float) -> str:
    return f"{seconds:.3f}"


def _text(text: str) -> str:
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)
