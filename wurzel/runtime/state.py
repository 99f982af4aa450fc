"""What a run leaves for the next one beside the data and the cache: logs, reports, digests of files; and the lock."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator, Sequence
from errno import ENOLCK, ENOSYS, EOPNOTSUPP
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path

from wurzel.exceptions import WriteError
from wurzel.git_folder import REASON, in_git
from wurzel.regular_file import replace_file

REPLACED = "states.jsonl"
"""What version 0.1.0 kept there, and nothing reads any more."""
_NO_LOCKS = {ENOSYS, ENOLCK, EOPNOTSUPP}
_PATIENCE = 1.0  # seconds for a run that has just been killed to let go


class StateFolder:
    """The folder of one pipeline: `logs/<step>.log`, `reports/<step>.json`, `digests.json`, and those of the cache."""

    def __init__(self, top: Path, pipeline: str) -> None:
        """Make the folder `<top>/<pipeline>`, hidden from git. Raises `WriteError` when it cannot be made."""
        self.folder = top / pipeline
        self.digests = digests_of(self.folder)
        if in_git(top):
            raise WriteError(REASON, where=str(top), hint="Name another folder with --state-dir.")
        try:
            new = not top.exists()
            for name in ("logs", "reports"):
                (self.folder / name).mkdir(mode=0o700, parents=True, exist_ok=True)
            if new or not (top / ".gitignore").exists():
                replace_file(top / ".gitignore", b"*\n")
            (self.folder / REPLACED).unlink(missing_ok=True)
            # Logs and digests tell of data and settings, so they are for their owner alone.
            for folder in (*([top] if new else []), self.folder):
                folder.chmod(0o700)
        except OSError as error:
            raise _unwritable(self.folder, error) from error

    def log(self, step_id: str, part: str = "") -> Path:
        """The log of a step, or of one slice of it."""
        return self.folder / "logs" / f"{step_id}{part}.log"

    def report(self, step_id: str) -> Path:
        """The report of a step: what it took and gave when it last ran, `cached` where that was in another run."""
        return self.folder / "reports" / f"{step_id}.json"


def digests_of(folder: Path) -> Path:
    """The file of file digests in the state folder of a pipeline."""
    return folder / "digests.json"


@contextlib.contextmanager
def locked(data: Path, parts: Sequence[str] = ()) -> Iterator[None]:
    """Keep other runs away from a data folder, which is made if need be. A killed run leaves no lock behind.

    Jobs of one run may share a disk: `parts` are what this one writes, where it runs some steps only. Raises
    `WriteError` when another run uses the folder, or it cannot be written.
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
                    hint="Wait until it has ended, or give this run another folder with --data-dir.",
                ) from error
            time.sleep(0.05)
        os.close(lock)


def _unwritable(folder: Path, error: OSError) -> WriteError:
    if error.errno in _NO_LOCKS:
        return WriteError(
            f"cannot be locked: {error.strerror}",
            where=str(folder),
            hint="Some network file systems have no locks: give a folder on another disk with --data-dir.",
        )
    return WriteError(
        f"cannot be written: {error.strerror}",
        where=str(folder),
        hint="Check its permissions and free space, or name other folders with --data-dir and --state-dir.",
    )
