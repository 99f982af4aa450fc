"""What a run leaves for the next one beside the data: states of steps, logs, digests of files; and the lock."""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path
from typing import BinaryIO, NamedTuple

from wurzel.exceptions import WriteError
from wurzel.git_folder import REASON, in_git
from wurzel.invocation.digests import write
from wurzel.runtime.processes import private

_PATIENCE = 1.0  # seconds for a run that has just been killed to let go


class State(NamedTuple):
    """What a step last ran with, as digests by kind, and the digest of the manifest it wrote."""

    inputs: Mapping[str, str]
    output: str


class StateFolder:
    """The folder of one pipeline: `states.jsonl`, `logs/<step>.log`, `digests.json`.

    States are lines, the last one of a step counting, since writing a line is the least that keeps what is done.
    """

    def __init__(self, top: Path, pipeline: str) -> None:
        """Make the folder `<top>/<pipeline>`, hidden from git.

        Raises:
            WriteError: when it cannot be made.
        """
        self.folder = top / pipeline
        self.digests = self.folder / "digests.json"
        self._path = self.folder / "states.jsonl"
        self._file: BinaryIO | None = None
        if in_git(top):
            raise WriteError(REASON, where=str(top), hint="Name another folder with --state-dir.")
        try:
            new = not top.exists()
            (self.folder / "logs").mkdir(parents=True, exist_ok=True)
            if new or not (top / ".gitignore").exists():
                write(top / ".gitignore", b"*\n")
            # Logs and digests tell of data and settings, so they are for their owner alone.
            for folder in (*([top] if new else []), self.folder):
                folder.chmod(0o700)
        except OSError as error:
            raise _unwritable(self.folder, error) from error
        self._states = self._load()

    def log(self, step_id: str, part: str = "") -> Path:
        """The log of a step, or of one slice of it."""
        return self.folder / "logs" / f"{step_id}{part}.log"

    def read(self, step_id: str) -> State | None:
        """What the step last ran with; `None` when it never did."""
        return self._states.get(step_id)

    def write(self, step_id: str, state: State) -> None:
        """Remember what the step ran with, at once.

        Raises:
            WriteError: when it cannot be written.
        """
        self._states[step_id] = state
        try:
            if self._file is None:
                self._file = open(self._path, "ab", buffering=0, opener=private)  # noqa: SIM115 - `close` closes it
            self._file.write(_line(step_id, state))
        except OSError as error:
            raise _unwritable(self._path, error) from error

    def close(self) -> None:
        """Leave one line for each step, where the disk has room for it."""
        if self._file is not None:
            self._file.close()
            with contextlib.suppress(WriteError):
                write(
                    self._path,
                    b"".join(_line(step_id, state) for step_id, state in sorted(self._states.items())),
                    0o600,
                )

    def _load(self) -> dict[str, State]:
        states = {}
        with contextlib.suppress(FileNotFoundError):
            for line in self._path.read_bytes().splitlines():
                with contextlib.suppress(ValueError, KeyError, TypeError):  # cut off by a full disk, say
                    found = json.loads(line)
                    states[str(found["step"])] = State(dict(found["inputs"]), str(found["output"]))
        return states


def _line(step_id: str, state: State) -> bytes:
    """A line, after an end of line in case what stands before it was cut off."""
    return b"\n" + json.dumps({"step": step_id, **state._asdict()}, sort_keys=True).encode() + b"\n"


@contextlib.contextmanager
def locked(data: Path, parts: Sequence[str] = ()) -> Iterator[None]:
    """Keep other runs away from a data folder, which is made if need be. A killed run leaves no lock behind.

    Args:
        data: the folder.
        parts: what this run writes into it, where it runs some steps only: jobs of one run may share a disk.

    Raises:
        WriteError: when another run uses the folder, or it cannot be written.
    """
    names = [f".wurzel.{part}.lock" for part in sorted(parts)] or [".wurzel.lock"]
    with contextlib.ExitStack() as held:
        try:
            data.mkdir(parents=True, exist_ok=True)
            for name in names:
                held.callback(_release, data / name, _take(data / name))
        except OSError as error:
            raise _unwritable(data, error) from error
        yield


def _release(path: Path, lock: int) -> None:
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
