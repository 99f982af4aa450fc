"""The state of rendered files on disk, the reasons for it, and the command that fixes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING

from wurzel.drift.packs import PackChanges, moved
from wurzel.drift.reasons import Reasons, reasons
from wurzel.records import dataclass
from wurzel.render.header import MARK, command_of

if TYPE_CHECKING:
    from wurzel.backends.job import JobResult
    from wurzel.project.jobs import Request
    from wurzel.render import Renderer
    from wurzel.render.output import Change

_STATES: Mapping[str, str] = {
    "new": "missing",
    "same": "up to date",
    "outdated": "out of date",
    "edited": "edited by hand",
    "conflicted": "contains merge conflict markers",
    "foreign": "not written by wurzel",
    "orphaned": "orphaned: nothing in wurzel.yaml renders it any more",
}
"""Text of each state."""

_SHOWN = 3


NONE = Reasons(())


@dataclass(frozen=True)
class Finding:
    """One file that is out of date."""

    change: Change
    pipeline: str = ""
    target: str = ""
    reasons: Reasons = NONE

    @property
    def state_text(self) -> str:
        """Its state, in words."""
        words = _STATES[self.change.state]
        return f"{words}; edited by hand" if self.change.state == "orphaned" and self.change.is_blocked else words

    @property
    def line(self) -> int:
        """The first line of the file on disk that differs, from 1; the header is counted but not compared."""
        old, new = ((content or b"").splitlines() for content in (self.change.old, self.change.new))
        start = next((number + 1 for number, line in enumerate(old[:2]) if MARK.encode() in line), 0)
        pairs = zip_longest(old[start:], new[start:])
        first = next((number for number, (before, after) in enumerate(pairs) if before != after), 0)
        return max(1, min(len(old), start + first + 1))

    def why(self, most: int = _SHOWN) -> list[str]:
        """The reasons as texts, and a line that counts those that are omitted."""
        found = self.reasons.grouped()
        left = max(0, len(found) - most) + self.reasons.more
        note = [self.change.note] if self.change.note else []
        texts = [*note, *found[:most], *([f"and {left} more"] if left else [])]
        if self.reasons.untried:
            texts.append(f"({self.reasons.untried} settings were not tried because the pipeline is large)")
        return texts


@dataclass(frozen=True)
class Report:
    """All files of a request."""

    changes: Sequence[Change]
    findings: Sequence[Finding]
    """Of the files that are out of date, in the same order."""
    fix: str
    """The command that brings all files up to date; '' if they are."""
    packs: Sequence[str] = ()
    """Template packs whose version differs from the one that wrote the files: `globex 2.1.0 → 2.2.0`."""


def report(changes: Sequence[Change], results: Sequence[JobResult], renderer: Renderer, request: Request) -> Report:
    """State and reasons of all files of a request; this renders some times for each file that differs."""
    wrong = [change for change in changes if change.state != "same"]
    found = {
        finding.change.path: finding for result in results for finding in _of_job(wrong, result, renderer, request)
    }
    findings = [found.get(change.path) or _left_over(change) for change in wrong]
    options = ["--force"] if any(change.is_blocked for change in wrong) else []
    options += ["--prune"] if any(change.state == "orphaned" for change in wrong) else []
    packs = dict.fromkeys(str(each) for change in wrong for each in moved(change, renderer))
    return Report(changes, findings, request.command(*options) if wrong else "", list(packs))


def _of_job(wrong: Sequence[Change], result: JobResult, renderer: Renderer, request: Request) -> list[Finding]:
    paths = {file.output.path for file in result.files}
    own = [change for change in wrong if change.path in paths]
    known = [change for change in own if change.state in {"outdated", "edited"}]
    why = reasons(known, result, renderer, PackChanges(known, result, renderer, request))
    job = result.job
    return [Finding(change, job.pipeline.name, job.label, why.get(change.path, NONE)) for change in own]


def _left_over(change: Change) -> Finding:
    words = command_of(change.old or b"")
    return Finding(change, words[2], words[4])
