"""How a run is followed on a terminal: a table of running steps; what went wrong or took time scrolls by above it."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from wurzel.runtime.descendants import tree
from wurzel.runtime.outcome import end_of, visible
from wurzel.runtime.progress import Event, PlainLines, Running

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.live import Live

    from wurzel.runtime.outcome import Note

_COLOURS = {"failed": "bold red", "retry": "yellow", "blocked": "yellow"}
_CODES = {"bold red": "1;31", "yellow": "33"}
"""What a terminal calls these, where nothing else of rich is needed."""
_LOOK = 1.0  # seconds between two looks at the memory of processes
_LAST_BYTES = 4000
_LONG_RUN = 30.0
_SLOWEST = 3


class LiveDisplay:
    """Time, slices, memory and last log line of each running step, and a bar for the whole run."""

    lively = True

    def __init__(self, total: int) -> None:
        """Count up to `total` steps. The display appears at the first tick, so that fast runs do not flicker."""
        self._total = total
        self._over = 0
        self._begun = time.monotonic()
        self._running: dict[str, float] = {}
        self._waiting: dict[str, str] = {}
        self._took: dict[str, float] = {}
        self._memory: dict[str, int] = {}
        self._looked = 0.0
        self._live: Live | None = None

    def tell(self, event: Event) -> None:
        """Count the event, and print a line when it is worth one."""
        if event.kind == "started":
            self._running.setdefault(event.step, time.monotonic())
            return
        if event.kind == "retry":
            reason, _, wait = event.text.rpartition("; ")
            self._waiting[event.step] = f"{wait}: {reason}" if reason else wait  # narrow terminals cut the end
        else:
            self._over += 1
            self._running.pop(event.step, None)
            if event.seconds is not None:
                self._took[event.step] = event.seconds
        if event.kind != "unchanged":
            self._print(f"{event.step}: {event.text}", _COLOURS.get(event.kind))

    def tick(self, running: Mapping[str, Running]) -> None:
        """Draw."""
        for step in running:
            self._waiting.pop(step, None)
        if time.monotonic() - self._looked > _LOOK:
            self._looked = time.monotonic()
            self._memory = {step: _memory(one.pids) for step, one in running.items()}
        live = self._live or self._appear()
        live.update(self._table(running, live.console), refresh=True)

    def close(self) -> None:
        """Remove the table; the lines above it stay. After a long run, say which steps took longest."""
        if self._live is not None:
            self._live.stop()
        slowest = sorted(self._took.items(), key=lambda item: -item[1])[:_SLOWEST]
        if time.monotonic() - self._begun > _LONG_RUN and len(self._took) > 1:
            self._print(f"slowest: {', '.join(f'{step} {_duration(seconds)}' for step, seconds in slowest)}", None)

    def say(self, notes: Iterable[Note]) -> None:
        """Write the notes; there is no table then."""
        for note in notes:
            if note.level == "error" and not note.details:
                self._print(note.text, _COLOURS["failed"])
            else:
                PlainLines().say([note])

    def _appear(self) -> Live:
        from rich.console import Console
        from rich.live import Live

        self._live = Live(console=Console(stderr=True), auto_refresh=False, transient=True)
        self._live.start()
        return self._live

    def _table(self, running: Mapping[str, Running], console: Console) -> RenderableType:
        from rich.console import Group
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        bar = Table.grid(padding=(0, 1))
        shown = ProgressBar(self._total, self._over, width=40)
        elapsed = _duration(time.monotonic() - self._begun)
        bar.add_row("steps", shown, f"{self._over}/{self._total}", elapsed)
        rows = Table.grid(padding=(0, 1))
        for justify in ("left", "right", "right", "right"):
            rows.add_column(justify=justify, no_wrap=True)
        rows.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
        room = max(console.height - 3, 1)
        for step, begun in list(self._running.items())[:room]:
            one = running.get(step)
            slices = f"{one.done}/{one.of}" if one and one.of else ""
            memory = f"{self._memory[step] / 2**20:.0f}Mi" if self._memory.get(step) else ""
            style = "yellow" if step in self._waiting else "dim"
            last = Text(self._waiting.get(step) or (_last_line(one.log) if one else ""), style)
            rows.add_row(Text(step), _duration(time.monotonic() - begun), slices, memory, last)
        more = len(self._running) - room
        return Group(bar, rows, *([Text(f"and {more} more steps", "dim")] if more > 0 else []))

    def _print(self, line: str, style: str | None) -> None:
        if self._live is not None:
            self._live.console.print(line, style=style, markup=False, highlight=False, soft_wrap=True)
        else:
            text = f"\x1b[{_CODES[style]}m{line}\x1b[0m" if style else line
            with contextlib.suppress(OSError):  # the run goes on when nobody follows it any more
                sys.stderr.write(f"{text}\n")


def _duration(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    return f"{seconds:.1f}s" if seconds < 10 else f"{minutes}m{rest:02}s" if minutes else f"{rest}s"  # noqa: PLR2004


def _last_line(log: Path | None) -> str:
    lines = [line for line in end_of(log, _LAST_BYTES).splitlines() if line.strip()] if log is not None else []
    return visible(lines[-1]) if lines else ""


def _memory(pids: Sequence[int]) -> int:
    """Bytes that processes and all that they have started hold now; 0 where the system does not tell."""
    total = 0
    for pid in tree(list(pids)):
        with contextlib.suppress(OSError, ValueError, IndexError):
            total += int(Path(f"/proc/{pid}/statm").read_bytes().split()[1])
    return total * os.sysconf("SC_PAGE_SIZE")
