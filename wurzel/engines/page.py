"""The result of `wurzel prove` as Markdown, JSON and HTML."""

from __future__ import annotations

import html
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from wurzel.named_tuples import NamedTuple

if TYPE_CHECKING:
    from wurzel.engines.proof import Row

FORMATS = ("md", "json", "html")
_HEAD = ("engine", "target", "version", "data", "SHA-256", "time", "")
_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:72rem;padding:0 1rem;"
    "color-scheme:light dark}table{border-collapse:collapse;width:100%}td,th{border-bottom:1px solid #8886;"
    "padding:.4rem .6rem;text-align:left;vertical-align:top}.bad{font-weight:bold;color:#c22}pre{overflow:auto}"
)


class Proof(NamedTuple):
    """All that a report says."""

    pipeline: str
    sample: int | None
    version: str
    """Of wurzel."""
    rows: Sequence[Row]

    @property
    def heading(self) -> str:
        """What was proven, in one line."""
        data = "all data" if self.sample is None else f"the first {self.sample} items of each source"
        return f"{self.pipeline}: {data}, wurzel {self.version}"

    @property
    def verdict(self) -> str:
        """The result in one line."""
        wrong = [row.engine for row in self.rows if not row.is_right]
        same = sum(row.verdict == "same" for row in self.rows)
        left = sum(row.verdict == "not run" for row in self.rows)
        engines = "engine" if same == 1 else "engines"
        right = f"the same bytes in {same} {engines}" if same else "nothing was compared"
        ended = f"not the same in {', '.join(wrong)}" if wrong else right
        return f"{ended}; {left} not run" if left else ended


def cells(row: Row) -> tuple[str, ...]:
    """A row as texts."""
    ran = row.verdict != "not run"
    more = "; ".join(filter(None, (row.why, str(row.difference or ""), row.note)))
    time = f"{row.seconds:.1f} s" if ran else ""
    return row.engine, row.target, row.version, row.verdict, row.digest[:8] if ran else "", time, more


def write(proof: Proof, form: str) -> str:
    """The report in one of `FORMATS`."""
    return {"md": as_markdown, "json": as_json, "html": as_html}[form](proof)


def as_markdown(proof: Proof) -> str:
    """A page with the table, and the end of the log of every engine that went wrong."""
    lines = [f"# {proof.heading}", "", f"{proof.verdict}.".capitalize(), "", _line(_HEAD), _line(["---"] * len(_HEAD))]
    lines += [_line([cell.replace("|", "\\|").replace("\n", " ") for cell in cells(row)]) for row in proof.rows]
    lines += ["", *(f"- {row.engine}: {row.how}." for row in proof.rows)]
    for row in proof.rows:
        if row.log:
            lines += ["", f"## {row.engine}", "", *(f"    {line}" for line in row.log.splitlines())]
    return "\n".join(lines) + "\n"


def _line(texts: Sequence[str]) -> str:
    return f"| {' | '.join(texts)} |"


def as_json(proof: Proof) -> str:
    """Everything as data."""
    rows = [
        {
            **vars(row),
            "difference": row.difference._asdict() if row.difference else None,
            "seconds": round(row.seconds, 3),
        }
        for row in proof.rows
    ]
    data = {"version": 1, "pipeline": proof.pipeline, "sample": proof.sample, "wurzel": proof.version, "engines": rows}
    return json.dumps(data, ensure_ascii=False, indent=2) + "\n"


def as_html(proof: Proof) -> str:
    """One file without scripts; all that comes from a run is text in it."""
    head = "".join(f"<th>{cell}</th>" for cell in _HEAD)
    rows = "".join(
        f"<tr{'' if row.is_right else ' class=bad'}>"
        + "".join(f"<td>{html.escape(cell)}</td>" for cell in cells(row))
        + "</tr>\n"
        for row in proof.rows
    )
    logs = "".join(
        f"<h2>{html.escape(row.engine)}</h2><pre>{html.escape(row.log)}</pre>\n" for row in proof.rows if row.log
    )
    title = html.escape(proof.heading)
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    return (
        f'<!doctype html>\n<meta charset="utf-8">\n<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        f"<title>{title}</title>\n<style>{_STYLE}</style>\n<h1>{title}</h1>\n<p>{html.escape(proof.verdict)}</p>\n"
        f"<table><tr>{head}</tr>\n{rows}</table>\n{logs}"
    )
