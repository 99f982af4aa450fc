"""How a run is followed: plain lines or JSON lines; see also `live` and `folded`."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal, Protocol

from wurzel.named_tuples import NamedTuple

if TYPE_CHECKING:
    from pathlib import Path

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


class Running(NamedTuple):
    """A step that runs."""

    pids: Sequence[int]
    """Its processes, one for each slice."""
    log: Path | None
    done: int
    """Slices that are done."""
    of: int
    """Slices that there are; 0 where it runs as a whole."""


class Follower(Protocol):
    """Shows a run while it goes on."""

    def tell(self, event: Event) -> None:
        """Show that something has happened."""

    def tick(self, running: Mapping[str, Running]) -> None:
        """Called a few times a second while `lively`, with what runs by step."""

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

    def __init__(self, *, quiet: bool = False) -> None:
        """Write to stderr; `quiet` leaves out what went well."""
        self._quiet = quiet
        self._stream = sys.stderr

    def tell(self, event: Event) -> None:
        """Write the line."""
        if not self._quiet or event.kind in _QUIET:
            self._put(f"{event.step}: {event.text}\n")

    def tick(self, running: Mapping[str, Running]) -> None:
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

    def __init__(self, pipeline: str, run: str, *, quiet: bool = False) -> None:
        """Write to stderr; `quiet` leaves out what went well."""
        super().__init__(quiet=quiet)
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
