"""A report in the formats for people, programs, GitHub and GitLab."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wurzel.render.characters import presented

if TYPE_CHECKING:
    from wurzel.drift.report import Finding, Report
    from wurzel.render.output import Change

VERSION = 1
"""Version of the JSON format; within a version fields are only added, never changed or removed."""

_STATES = {"new": "missing", "same": "current"}
_SEVERITY = {
    "new": "major",
    "outdated": "major",
    "edited": "major",
    "conflicted": "critical",
    "foreign": "critical",
    "orphaned": "minor",
}
_SHOWN_REASONS = 8


def as_json(report: Report, written: Sequence[Change] = ()) -> str:
    """All files with state, reasons and diff; `action` tells whether a written file was created, updated or removed."""
    findings = {finding.change.path: finding for finding in report.findings}
    done = {change.path: action(change) for change in written}
    files = [_file(change, findings.get(change.path), done.get(change.path)) for change in report.changes]
    fix = None if written else report.fix or None
    # `mend` is the old name of `fix`; within a version of the format no field goes.
    return _dump({"version": VERSION, "packs": list(report.packs), "files": files, "fix": fix, "mend": fix})


def _file(change: Change, finding: Finding | None, done: str | None) -> dict[str, Any]:
    entry: dict[str, Any] = {"path": change.path, "state": _STATES.get(change.state, change.state), "action": done}
    if finding is not None:
        entry |= {
            "pipeline": finding.pipeline,
            "target": finding.target,
            "line": finding.line,
            "reasons": [vars(reason) | {"text": str(reason)} for reason in finding.reasons.found],
            "reasons_left_out": finding.reasons.more,
            "diff": change.diff(),
        }
    return entry


def action(change: Change) -> str:
    """What writing a change did: created, updated or removed the file."""
    return "created" if change.old is None else "removed" if change.new is None else "updated"


def as_codequality(report: Report) -> str:
    """GitLab's Code Quality report: https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format."""
    issues = [
        {
            "description": _message(finding),
            "check_name": f"wurzel-{_STATES.get(finding.change.state, finding.change.state)}",
            "fingerprint": sha256(f"{finding.change.state}\0{finding.change.path}".encode()).hexdigest(),
            "severity": _SEVERITY[finding.change.state],
            "location": {
                "path": _in_repository(finding.change, "CI_PROJECT_DIR"),
                "lines": {"begin": finding.line},
            },
        }
        for finding in report.findings
    ]
    return _dump(issues)


def github_commands(report: Report) -> Iterator[str]:
    """A workflow command for each file, which GitHub shows beside its line; nothing outside GitHub Actions."""
    if os.environ.get("GITHUB_ACTIONS") != "true":
        return
    for finding in report.findings:
        file = _property(_in_repository(finding.change, "GITHUB_WORKSPACE"))
        yield f"::error file={file},line={finding.line},title=wurzel render::{_data(_message(finding, report.fix))}"


def diff_lines(changes: Sequence[Change]) -> Iterator[str]:
    """The diffs of changes, line by line; folded if the CI system can, and safe from being read as its commands."""
    for change in changes:
        lines, title = change.diff().splitlines(), f"diff of {presented(change.path)}"
        if os.environ.get("GITHUB_ACTIONS") == "true":
            from wurzel.runtime.folded import github_fold

            begin, end = github_fold(_data(title))
        elif os.environ.get("GITLAB_CI") == "true":
            from wurzel.runtime.folded import gitlab_fold

            begin, end = gitlab_fold(f"wurzel_{sha256(change.path.encode()).hexdigest()[:12]}", title, time.time())
            lines = [line.replace("\x1b", "\\x1b") for line in lines]
        else:
            begin, end = (), ()
        yield from (*begin, *lines, *end)


def check_text(report: Report) -> str:
    """The state of each file that is out of date, and why."""
    lines = ["rendered files are out of date", *(f"  {pack}" for pack in report.packs)]
    for finding in report.findings:
        lines.append(f"  {finding.change.path}: {finding.state_text}")
        lines += [f"    {text}" for text in finding.why(_SHOWN_REASONS)]
    return "\n".join(lines)


def written_text(report: Report) -> list[str]:
    """What was done with each written file, and why."""
    lines = list(report.packs)
    for finding in report.findings:
        why = "; ".join(finding.why())
        lines.append(f"{action(finding.change)} {finding.change.path}{': ' if why else ''}{why}")
    return lines


def _message(finding: Finding, fix: str = "") -> str:
    why = "; ".join(finding.why())
    hint = f". Run: {fix}" if fix else ""
    return f"{finding.state_text}{': ' if why else ''}{why}{hint}"


def _in_repository(change: Change, variable: str) -> str:
    """The path of a file below the folder that a CI system has checked out."""
    top = os.environ.get(variable)
    folder = Path(top).resolve() if top else None
    if folder is not None and change.target.is_relative_to(folder):
        return change.target.relative_to(folder).as_posix()
    return change.path


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _dump(data: Any) -> str:
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"
