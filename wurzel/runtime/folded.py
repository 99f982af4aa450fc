"""How a run is followed in a CI job: the log of each step folded under one line, in the platform's own way."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
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
        self._open(event)
        self._put(first)
        for line in lines:
            self._put(line)
        self._close(event)
        return True

    def _lines(self, step: str) -> Iterator[str]:
        for path in self._logs(step):
            with open(path, encoding="utf-8", errors="replace", opener=regular, newline="\n") as file:
                for line in file:
                    yield visible(line.rstrip("\r\n")) + "\n"

    def _open(self, event: Event) -> None:
        raise NotImplementedError

    def _close(self, event: Event) -> None:
        raise NotImplementedError


class GitHubLines(_FoldedLines):
    """For GitHub Actions: groups, and an annotation for each failure.

    GitHub obeys commands such as `::set-output` wherever they are printed, so a log, which may quote any document,
    stands between `::stop-commands::` and a random token.
    """

    _is_closed = True

    def say(self, notes: Iterable[Note]) -> None:
        """Write the notes; the ends of logs among them are not obeyed."""
        if found := list(notes):
            token = self._stop()
            super().say(found)
            self._resume(token)

    def _open(self, event: Event) -> None:
        self._put(f"::group::{event.step}: {event.text}\n")
        self._token = self._stop()

    def _close(self, event: Event) -> None:
        self._resume(self._token)
        self._put("::endgroup::\n")
        if event.kind == "failed":
            self._put(f"::error title={event.step}::{event.step} {event.text}\n")

    def _stop(self) -> str:
        token = token_hex(16)
        self._put(f"::stop-commands::{token}\n")
        return token

    def _resume(self, token: str) -> None:
        self._put(f"::{token}::\n")


class GitLabLines(_FoldedLines):
    """For GitLab CI/CD: collapsed sections with the time that each step took; that of a failed step is open."""

    def _open(self, event: Event) -> None:
        start = int(time.time() - (event.seconds or 0))
        collapsed = "" if event.kind == "failed" else "[collapsed=true]"
        self._put(f"\x1b[0Ksection_start:{start}:{event.step}{collapsed}\r\x1b[0K{event.step}: {event.text}\n")

    def _close(self, event: Event) -> None:
        self._put(f"\x1b[0Ksection_end:{int(time.time())}:{event.step}\r\x1b[0K\n")


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

    def _open(self, event: Event) -> None:
        group = "::group::" if self._folds and event.kind != "failed" else ""
        self._put(f"{group}{event.step}: {event.text}\n")

    def _close(self, event: Event) -> None:
        if self._folds and event.kind != "failed":
            self._put("::endgroup::\n")


FOLLOWERS: Mapping[Platform, type[_FoldedLines]] = {"github": GitHubLines, "gitlab": GitLabLines}
"""What follows a run in a job of each platform."""
