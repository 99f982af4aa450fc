"""Records a run: what became of each step, why, how long it took, and its log; below the state folder of the pipeline.

`runs/<start>-<id>/run.json` is the record, `runs/<start>-<id>/logs/<step>.log` are the logs. The folder is locked while
the run goes on, so that a run that was killed is told from one that is still going on.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wurzel.exceptions import WriteError
from wurzel.regular_file import private, replace_file
from wurzel.runtime.report import read_recorded
from wurzel.store.names import escape

if TYPE_CHECKING:
    from wurzel.ir.model import Pipeline, Step
    from wurzel.runtime.options import RunOptions
    from wurzel.runtime.outcome import RunResult
    from wurzel.runtime.progress import Event
    from wurzel.runtime.run import Run

RUNS = "runs"
RECORD = "run.json"
LOGS = "logs"
_CLOCK = 2.0  # seconds that the clock of a file system may be behind
_MOST_RUNS = 50
_MOST_BYTES = 100 << 20
_LONGEST_VALUE = 500
_STATES = {"done": "ran", "started": "stopped", "retry": "stopped"}
"""States of a step by the last thing that happened to it; the others are named as the event."""


class Recording:
    """A run that is being recorded."""

    def __init__(self, state: Path, pipeline: Pipeline, options: RunOptions) -> None:
        """Nothing is written yet."""
        self._steps: dict[str, dict[str, Any]] = {}
        self._began = time.monotonic()
        self._pipeline = pipeline
        self._state = state
        self._run: Run | None = None
        self._lock: int | None = None
        self._start = datetime.now(UTC)
        self._folder = state / RUNS / f"{self._start:%Y%m%dT%H%M%S.%f}-{escape(options.run_id)}"
        chosen = {step.id for step in pipeline.steps}
        self._about = {
            "id": options.run_id,
            "pipeline": pipeline.name,
            "started": self._start.isoformat(timespec="milliseconds"),
            "data_dir": pipeline.data_dir,
            "only": list(options.only),
            "forced": options.force,
            "graph": {step.id: [need for need in step.predecessors if need in chosen] for step in pipeline.steps},
        }

    def begin(self) -> None:
        """The state folder is there; that the record cannot be written stops no run."""
        with contextlib.suppress(OSError, WriteError):
            self._folder.parent.mkdir(mode=0o700, exist_ok=True)
            self._folder.mkdir(mode=0o700)
            (self._folder / LOGS).mkdir(mode=0o700)
            self._lock = os.open(self._folder, os.O_RDONLY)
            fcntl.flock(self._lock, fcntl.LOCK_EX)
            self._write({})

    def note(self, event: Event) -> None:
        """Note what has happened to a step."""
        found = self._steps.setdefault(event.step, {"tries": 0})
        now = round(time.monotonic() - self._began, 3)
        found["state"] = _STATES.get(event.kind, event.kind)
        if event.kind == "started":
            found |= {"reason": event.text.removeprefix("started (").removesuffix(")"), "begin": now, "tries": 1}
        elif event.kind == "retry":
            found["tries"] += 1
        else:
            found |= {"text": event.text, "end": now}

    def over(self, run: Run) -> None:
        """The run has ended by itself."""
        self._run = run

    def keep_log(self, log: Path) -> None:
        """Give a log, still to be written, a name in the record as well, where it is found while and after it runs."""
        with contextlib.suppress(OSError):
            open(log, "ab", opener=private).close()
            os.link(log, self._folder / LOGS / log.name, follow_symlinks=False)

    def close(self) -> None:
        """Write what became of it, and remove records that are too old."""
        with contextlib.suppress(OSError, WriteError):
            self._keep_logs()
            if self._run is not None:
                self._write(self._outcome(self._run))
            _prune(self._state / RUNS, self._folder.name)
        if self._lock is not None:
            os.close(self._lock)

    def _outcome(self, run: Run) -> dict[str, Any]:
        result = run.result
        steps = {step.id: self._step(run, step) for step in self._pipeline.steps if step.id in self._steps}
        ended = {"seconds": round(result.seconds, 3), "exit_code": result.exit_code, "ended": _ended(result)}
        return {**ended, "counts": dict(result.counts()), "left": result.left, "steps": steps}

    def _step(self, run: Run, step: Step) -> dict[str, Any]:
        found = self._steps[step.id]
        digests = {name: digest for (step_id, name), digest in run.outputs.items() if step_id == step.id}
        fine = found["state"] in {"ran", "skipped", "unchanged"}
        report = read_recorded(run.state.report(step.id)) if fine else {}
        memory = run.memory[step.id]
        found = {**found, "memory": memory} if memory else found
        return {**found, "datasets": digests if fine else {}, "report": report, "settings": dict(_settings(step))}

    def _keep_logs(self) -> None:
        """Copy the logs of this run that could not be linked; the next one replaces them."""
        for step_id, found in self._steps.items():
            for log in sorted((self._state / "logs").glob(f"{step_id}.*log")) if found["tries"] else ():
                if log.lstat().st_mtime >= self._start.timestamp() - _CLOCK:
                    _copy(log, self._folder / LOGS / log.name)

    def _write(self, more: Mapping[str, Any]) -> None:
        replace_file(self._folder / RECORD, json.dumps({**self._about, **more}, indent=1).encode() + b"\n", 0o600)


def _copy(log: Path, target: Path) -> None:
    if not target.exists():
        import shutil

        with contextlib.suppress(OSError):
            shutil.copyfile(log, target, follow_symlinks=False)


def _settings(step: Step) -> Iterator[tuple[str, str]]:
    """Configured values, as text; of secrets nothing."""
    from wurzel.datacontract.secrets import without_passwords

    for setting in step.settings:
        if setting.given and not setting.secret:
            text = setting.value if isinstance(setting.value, str) else json.dumps(setting.value, ensure_ascii=False)
            yield setting.name, without_passwords(text)[:_LONGEST_VALUE]


def _ended(result: RunResult) -> str:
    if result.interrupted is not None:
        return "interrupted"
    return "timed out" if result.late else "failed" if result.exit_code else "ok"


def size_of(folder: str) -> int:
    """Bytes of all that is in a folder. For fifty records, `Path.rglob` would take 2 ms of a run with nothing to do."""
    with os.scandir(folder) as found:
        entries = list(found)
    inner = sum(size_of(entry.path) for entry in entries if entry.is_dir(follow_symlinks=False))
    return inner + sum(entry.stat(follow_symlinks=False).st_size for entry in entries)


def _prune(folder: Path, current: str) -> None:
    """Leave the newest records, as many as there is room for."""
    room = _MOST_BYTES
    for number, path in enumerate(sorted(folder.iterdir(), reverse=True)):
        room -= size_of(str(path))
        if path.name != current and (number >= _MOST_RUNS or room < 0):
            import shutil

            shutil.rmtree(path, ignore_errors=True)
