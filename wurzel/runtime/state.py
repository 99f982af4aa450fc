"""What a run leaves for the next one beside the data: states of steps, logs, digests of files; and the lock."""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Iterator, Mapping
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path
from typing import NamedTuple

from wurzel.exceptions import WriteError
from wurzel.runtime.digests import write

_PATIENCE = 1.0  # seconds for a run that has just been killed to let go


class State(NamedTuple):
    """What a step last ran with, as digests by kind, and the digest of the manifest it wrote."""

    inputs: Mapping[str, str]
    output: str


class StateFolder:
    """The folder of one pipeline: `state/<step>.json`, `logs/<step>.log`, `digests.json`."""

    def __init__(self, top: Path, pipeline: str) -> None:
        """Make the folder `<top>/<pipeline>`, hidden from git.

        Raises:
            WriteError: when it cannot be made.
        """
        self.folder = top / pipeline
        self.digests = self.folder / "digests.json"
        try:
            for name in ("state", "logs"):
                (self.folder / name).mkdir(parents=True, exist_ok=True)
            if not (ignore := top / ".gitignore").exists():
                ignore.write_text("*\n", encoding="utf-8")
        except OSError as error:
            raise _unwritable(self.folder, error) from error

    def log(self, step_id: str, part: str = "") -> Path:
        """The log of a step, or of one slice of it."""
        return self.folder / "logs" / f"{step_id}{part}.log"

    def read(self, step_id: str) -> State | None:
        """What the step last ran with; `None` when it never did or the file is damaged."""
        try:
            found = json.loads(self._file(step_id).read_bytes())
            return State(dict(found["inputs"]), str(found["output"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def write(self, step_id: str, state: State) -> None:
        """Remember what the step ran with.

        Raises:
            WriteError: when it cannot be written.
        """
        write(self._file(step_id), json.dumps(state._asdict(), sort_keys=True).encode())

    def forget(self, step_id: str) -> None:
        """Make the step run the next time."""
        with contextlib.suppress(OSError):
            self._file(step_id).unlink(missing_ok=True)

    def _file(self, step_id: str) -> Path:
        return self.folder / "state" / f"{step_id}.json"


@contextlib.contextmanager
def locked(data: Path) -> Iterator[None]:
    """Keep other runs away from a data folder, which is made if need be. A killed run leaves no lock behind.

    Raises:
        WriteError: when another run uses the folder, or it cannot be written.
    """
    path = data / ".wurzel.lock"
    try:
        data.mkdir(parents=True, exist_ok=True)
        lock = _take(path)
    except OSError as error:
        raise _unwritable(data, error) from error
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            path.unlink()
        os.close(lock)


def _take(path: Path) -> int:
    end = time.monotonic() + _PATIENCE
    while True:
        lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            flock(lock, LOCK_EX | LOCK_NB)
            if path.stat().st_ino == os.fstat(lock).st_ino:
                os.truncate(lock, 0)
                os.write(lock, b"%d\n" % os.getpid())
                return lock
        except FileNotFoundError:
            pass  # removed by the run that held it
        except BlockingIOError as error:
            if time.monotonic() > end:
                holder = os.read(lock, 32).decode(errors="replace").strip()
                os.close(lock)
                raise WriteError(
                    f"another run is using this data folder (process {holder})",
                    where=str(path.parent),
                    hint="Wait until it has ended, or give this run a folder of its own with --data-dir.",
                ) from error
            time.sleep(0.05)
        os.close(lock)


def _unwritable(folder: Path, error: OSError) -> WriteError:
    return WriteError(
        f"cannot be written: {error.strerror}",
        where=str(folder),
        hint="Check its permissions and free space, or name other folders with --data-dir and --state-dir.",
    )
