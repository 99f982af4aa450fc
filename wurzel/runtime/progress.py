"""How a run is followed: plain lines, JSON lines, or a live display on a terminal."""

from __future__ import annotations

import contextlib
import json
import sys
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol, TextIO

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from wurzel.runtime.outcome import Note

Kind = Literal["started", "retry", "done", "skipped", "unchanged", "failed", "blocked"]

_QUIET: frozenset[Kind] = frozenset({"retry", "failed", "blocked"})
"""What `-q` still shows: warnings and errors."""


class Event(NamedTuple):
    """Something that happened to a step; `text` completes the sentence that begins with its name."""

    kind: Kind
    step: str
    text: str
    seconds: float | None = None


class Follower(Protocol):
    """Shows a run while it goes on."""

    def tell(self, event: Event) -> None:
        """Show that something has happened."""

    def tick(self) -> None:
        """Called a few times a second while `lively`."""

    def close(self) -> None:
        """Called once when the run is over, however it ends."""

    def say(self, notes: Iterable[Note]) -> None:
        """Say something about the run as a whole, before or after it."""

    @property
    def lively(self) -> bool:
        """Whether it wants to be ticked."""


class PlainLines:
    """One line for each thing that happens."""

    lively = False

    def __init__(self, *, quiet: bool = False, stream: TextIO | None = None) -> None:
        """Write to `stream`, stderr unless given; `quiet` leaves out what went well."""
        self._quiet = quiet
        self._stream = stream or sys.stderr

    def tell(self, event: Event) -> None:
        """Write the line."""
        if not self._quiet or event.kind in _QUIET:
            self._put(f"{event.step}: {event.text}\n")

    def tick(self) -> None:
        """Nothing to do."""

    def close(self) -> None:
        """Nothing to do."""

    def say(self, notes: Iterable[Note]) -> None:
        """Write the notes."""
        for note in notes:
            if not self._quiet or note.level == "error":
                self._put("".join([f"{note.text}\n", *(f"  | {line}\n" for line in note.details)]))

    def _put(self, text: str) -> None:
        with contextlib.suppress(OSError):  # the run goes on when nobody follows it any more
            self._stream.write(text)
            self._stream.flush()


class JsonLines(PlainLines):
    """One JSON object a line, with pipeline, step, run and duration in seconds."""

    def __init__(self, pipeline: str, run: str, *, quiet: bool = False, stream: TextIO | None = None) -> None:
        """Write to `stream`, stderr unless given; `quiet` leaves out what went well."""
        super().__init__(quiet=quiet, stream=stream)
        self._about = {"pipeline": pipeline, "run": run}

    def tell(self, event: Event) -> None:
        """Write the object."""
        if self._quiet and event.kind not in _QUIET:
            return
        level = {"failed": "error", "retry": "warning", "blocked": "warning"}.get(event.kind, "info")
        duration = {} if event.seconds is None else {"duration": round(event.seconds, 3)}
        self._write(level, step=event.step, event=event.kind, message=event.text, **duration)

    def say(self, notes: Iterable[Note]) -> None:
        """Write the notes as objects."""
        for note in notes:
            if not self._quiet or note.level == "error":
                step: dict[str, Any] = {"step": note.step} if note.step else {}
                details = {"log": list(note.details)} if note.details else {}
                self._write(note.level, **step, event="run", message=note.text, **details)

    def _write(self, level: str, **fields: Any) -> None:
        moment = datetime.now(UTC).isoformat(timespec="milliseconds")
        line = {"time": moment, "level": level, **self._about, **fields}
        self._put(json.dumps(line, ensure_ascii=False) + "\n")


class LiveDisplay:
    """A bar for the whole run and a line for each running step; what went wrong or took time scrolls by above."""

    lively = True

    def __init__(self, total: int) -> None:
        """Count up to `total` steps. The display appears at the first tick, so that fast runs do not flicker."""
        self._total = total
        self._over = 0
        self._running: dict[str, float] = {}
        self._progress: Progress | None = None
        self._tasks: dict[str, TaskID] = {}

    def tell(self, event: Event) -> None:
        """Count the event, and print a line when it is worth one."""
        if event.kind == "started":
            self._running.setdefault(event.step, time.monotonic())
            return
        if event.kind != "retry":
            self._over += 1
            self._running.pop(event.step, None)
        if event.kind != "unchanged":
            self._print(event)

    def tick(self) -> None:
        """Draw."""
        progress = self._progress or self._appear()
        progress.update(self._tasks[""], completed=self._over)
        for step in self._tasks.keys() - self._running.keys() - {""}:
            progress.remove_task(self._tasks.pop(step))
        for step in self._running.keys() - self._tasks.keys():
            self._tasks[step] = progress.add_task(step, total=None)
        progress.refresh()

    def close(self) -> None:
        """Remove the bar; the lines above it stay."""
        if self._progress is not None:
            self._progress.stop()

    def say(self, notes: Iterable[Note]) -> None:
        """Write the notes; there is no bar then."""
        PlainLines().say(notes)

    def _appear(self) -> Progress:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn())
        console = Console(stderr=True)
        progress = Progress(*columns, TimeElapsedColumn(), console=console, auto_refresh=False, transient=True)
        self._tasks[""] = progress.add_task("steps", total=self._total)
        progress.start()
        self._progress = progress
        return progress

    def _print(self, event: Event) -> None:
        line = f"{event.step}: {event.text}"
        if self._progress is None:
            sys.stderr.write(line + "\n")
        else:
            style = {"failed": "bold red", "retry": "yellow", "blocked": "yellow"}.get(event.kind)
            self._progress.console.print(line, style=style, markup=False, highlight=False, soft_wrap=True)
