"""How a run is followed in a CI job: the log of each step folded under one line, in the platform's own way."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING

from wurzel.regular_file import regular
from wurzel.runtime.outcome import visible
from wurzel.runtime.progress import Event, PlainLines

if TYPE_CHECKING:
    from wurzel.runtime.outcome import Note
    from wurzel.runtime.run_id import Platform

Logs = Callable[[str], Iterable[Path]]
"""Gives the logs that a step has written in this run."""

_ENDS = frozenset({"done", "skipped", "failed"})


Frame = tuple[Sequence[str], Sequence[str]]
"""The lines before and after what is folded."""


def not_obeyed() -> tuple[str, str]:
    """The lines between which GitHub obeys no commands: it would obey `::set-output` wherever that is printed."""
    token = token_hex(16)
    return f"::stop-commands::{token}", f"::{token}::"


def github_fold(title: str) -> Frame:
    """A group in a log of GitHub, in which nothing is obeyed."""
    stop, go_on = not_obeyed()
    return [f"::group::{title}", stop], [go_on, "::endgroup::"]


def gitlab_fold(name: str, title: str, start: float, *, collapsed: bool = True) -> Frame:
    """A section in a log of GitLab that began at `start` and ends now."""
    how = "[collapsed=true]" if collapsed else ""
    begin = f"\x1b[0Ksection_start:{int(start)}:{name}{how}\r\x1b[0K{title}"
    return [begin], [f"\x1b[0Ksection_end:{int(time.time())}:{name}\r\x1b[0K"]


def logs_of(folder: Path) -> Logs:
    """The logs below a folder, of whole steps and of slices; those of earlier runs do not count."""
    started = time.time() - 1  # some file systems have coarse times

    def find(step: str) -> list[Path]:
        found = [folder / f"{step}.log", *folder.glob(f"{step}.*-of-*.log")]
        return sorted((path for path in found if path.is_file() and path.stat().st_mtime >= started), key=_position)

    return find


def _position(path: Path) -> tuple[int, str]:
    """Slices in their order, behind the log of the step."""
    number = path.name.removesuffix(".log").rpartition(".")[2].partition("-of-")[0]
    return (int(number) if number.isdigit() else 0, path.name)


class _FoldedLines(PlainLines):
    """A line for each thing that happens; the log of a step is folded under the line that says how it ended."""

    _is_closed = False
    """Whether the log of a failed step is folded as well."""

    def __init__(self, logs: Logs, *, quiet: bool = False) -> None:
        """Write to stderr; `quiet` leaves out what went well."""
        super().__init__(quiet=quiet)
        self._logs = logs

    def tell(self, event: Event) -> None:
        """Write the line, with the log of a step that has ended."""
        shown = event.kind in _ENDS and (event.kind == "failed" or not self._quiet)
        if not shown or not self._fold(event):
            super().tell(event)

    def say(self, notes: Iterable[Note]) -> None:
        """Write the notes, but for the ends of logs, which can be read above them."""
        super().say(note for note in notes if self._is_closed or not (note.step and note.details))

    def _fold(self, event: Event) -> bool:
        """Write the log, with the line as its title; whether there is anything in it."""
        lines = self._lines(event.step)
        first = next(lines, None)
        if first is None:
            return False
        begin, end = self._frame(event, f"{event.step}: {event.text}")
        for line in chain(begin, [first], lines, end):
            self._put(f"{line}\n")
        return True

    def _lines(self, step: str) -> Iterator[str]:
        for path in self._logs(step):
            with open(path, encoding="utf-8", errors="replace", opener=regular, newline="\n") as file:
                for line in file:
                    yield visible(line.rstrip("\r\n"))

    def _frame(self, event: Event, title: str) -> Frame:
        """What is written before and after the log."""
        raise NotImplementedError


class GitHubLines(_FoldedLines):
    """For GitHub Actions: groups, and an annotation for each failure."""

    _is_closed = True

    def say(self, notes: Iterable[Note]) -> None:
        """Write the notes; the ends of logs among them are not obeyed."""
        if found := list(notes):
            stop, go_on = not_obeyed()
            self._put(f"{stop}\n")
            super().say(found)
            self._put(f"{go_on}\n")

    def _frame(self, event: Event, title: str) -> Frame:
        begin, end = github_fold(title)
        failed = [f"::error title={event.step}::{event.step} {event.text}"] if event.kind == "failed" else []
        return begin, [*end, *failed]


class GitLabLines(_FoldedLines):
    """For GitLab CI/CD: collapsed sections with the time that each step took; that of a failed step is open."""

    def _frame(self, event: Event, title: str) -> Frame:
        start = time.time() - (event.seconds or 0)
        return gitlab_fold(event.step, title, start, collapsed=event.kind != "failed")


class EngineLines(_FoldedLines):
    """For jobs of other engines, whose logs outlast the disk they ran on: the log of each step below a line about it.

    Airflow folds it; elsewhere lines of steps are indented.
    """

    def __init__(self, logs: Logs, run_id: str, *, quiet: bool = False) -> None:
        """As for all of them; `run_id` tells which engine it is."""
        super().__init__(logs, quiet=quiet)
        self._folds = run_id.startswith("airflow-")

    def _lines(self, step: str) -> Iterator[str]:
        indent = "" if self._folds else "  | "
        return (f"{indent}{line}" for line in super()._lines(step))

    def _frame(self, event: Event, title: str) -> Frame:
        if self._folds and event.kind != "failed":
            return [f"::group::{title}"], ["::endgroup::"]
        return [title], []


FOLLOWERS: Mapping[Platform, type[_FoldedLines]] = {"github": GitHubLines, "gitlab": GitLabLines}
"""What follows a run in a job of each platform."""
