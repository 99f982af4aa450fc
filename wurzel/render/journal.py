"""The journal of a write: which files go where, so that the next process can finish an interrupted write."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import Any

from wurzel.exceptions import WriteError
from wurzel.named_tuples import NamedTuple
from wurzel.regular_file import read_file

JOURNAL = ".wurzel-render.json"
"""Name of the journal in the output folder; it exists only while files are being written."""

_DRAFT = f"{JOURNAL}.tmp"
_ATTEMPTS = 1000


class Move(NamedTuple):
    """A journal entry: paths of the target, the staged new file and the backup of the old one, and digests."""

    target: Path
    staged: Path | None
    backup: Path | None
    old: str | None
    new: str | None

    @property
    def is_alien(self) -> bool:
        """Whether the target is neither the old nor the new file, so somebody edited it meanwhile."""
        return _digest_of(self.target) not in {self.old, self.new}

    @property
    def is_undone(self) -> bool:
        """Whether it was already restored, so that it cannot go forward."""
        gone = self.staged is not None and not self.staged.exists()
        return gone and self.old != self.new and _digest_of(self.target) == self.old

    def forward(self) -> None:
        """Put the new file in place, or remove the old one."""
        if self.is_alien:
            return
        if self.staged is None:
            self.target.unlink(missing_ok=True)
        elif self.staged.exists():
            self.staged.replace(self.target)

    def back(self) -> None:
        """Restore the old file, or remove the new one."""
        if self.is_alien or (self.staged is not None and self.staged.exists()):
            return
        if self.backup is None:
            self.target.unlink(missing_ok=True)
        elif self.backup.exists():
            self.backup.replace(self.target)
            self.backup.unlink(missing_ok=True)  # renaming a hard link over another one of the same file does nothing

    def clear(self) -> None:
        """Remove the staged file and the backup beside the target."""
        for path in (self.staged, self.backup):
            if path is not None:
                path.unlink(missing_ok=True)


class Journal(NamedTuple):
    """The moves below a folder; `complete` once every new file is completely staged."""

    home: Path
    moves: Sequence[Move]
    folders: Sequence[Path]
    """Folders that are created for it, outermost first."""
    complete: bool = False

    def write(self) -> None:
        """Write it atomically."""
        data = {
            "about": "wurzel is writing these files; the next `wurzel render` finishes an interrupted write",
            "complete": self.complete,
            "folders": [folder.relative_to(self.home).as_posix() for folder in self.folders],
            "files": [
                {
                    "target": move.target.relative_to(self.home).as_posix(),
                    "staged": move.staged.name if move.staged else None,
                    "backup": move.backup.name if move.backup else None,
                    "old": move.old,
                    "new": move.new,
                }
                for move in self.moves
            ],
        }
        draft = self.home / _DRAFT
        try:
            new_file(draft, json.dumps(data, indent=1).encode(), 0o600)
            draft.replace(self.home / JOURNAL)
        except BaseException:
            draft.unlink(missing_ok=True)
            raise
        sync_folders({self.home})

    def end(self) -> str:
        """Finish the write if that is possible, otherwise undo it: "completed" or "undone"."""
        forward = self.complete and not any(move.is_undone for move in self.moves)
        if forward:
            for move in self.moves:
                move.forward()
            self._close()
            return "completed"
        self.back()
        return "undone"

    def back(self) -> None:
        """Undo everything."""
        if self.complete:
            for move in reversed(self.moves):
                move.back()
        self._close(self.folders)

    def _close(self, folders: Sequence[Path] = ()) -> None:
        sync_folders({move.target.parent for move in self.moves})
        for move in self.moves:
            move.clear()
        remove_if_empty(folders)
        (self.home / JOURNAL).unlink(missing_ok=True)


def read_journal(home: Path) -> Journal | None:
    """The journal in a folder, if any, while holding the lock. Raises `WriteError` when it is not a valid one."""
    path = home / JOURNAL
    (home / _DRAFT).unlink(missing_ok=True)
    try:
        data = json.loads(read_file(path))
        moves = [_read_move(home, entry) for entry in data["files"]]
        folders = [_inside(home, folder) for folder in data["folders"]]
        return Journal(home, moves, folders, data["complete"] is True)
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        hint = "Look at `git status`, then remove this file."
        raise WriteError("this is not a journal of a render", where=str(path), hint=hint) from error


def is_interrupted(home: Path) -> bool:
    """Whether a process is writing to a folder, or was killed while doing so."""
    return (home / JOURNAL).exists() or (home / _DRAFT).exists()


def free_name(target: Path, kind: str) -> Path:
    """An unused name beside the target, for the staged file (`new`) or the backup (`old`)."""
    own = sha256(os.fsencode(target.name)).hexdigest()[:12]
    for number in range(_ATTEMPTS):
        name = target.with_name(f".wurzel-{own}-{os.getpid()}-{number}.{kind}")
        if not os.path.lexists(name):
            return name
    raise WriteError("no free name for a temporary file beside it", where=target.name)


def new_file(path: Path, content: bytes, mode: int) -> None:
    """Create a file, and flush it to disk."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fchmod(file.fileno(), mode)
        os.fsync(file.fileno())


def remove_if_empty(folders: Sequence[Path]) -> None:
    """Remove the empty folders, innermost first."""
    for folder in reversed(folders):
        with suppress(OSError):
            folder.rmdir()


def sync_folders(folders: Iterable[Path]) -> None:
    """Flush new names in the folders to disk, so that they survive a power cut, if the file system can."""
    for folder in sorted(folders):
        with suppress(OSError):
            handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)


def digest(content: bytes | None) -> str | None:
    """SHA-256 of a file's content; `None` for no file."""
    return None if content is None else sha256(content).hexdigest()


def _digest_of(path: Path) -> str | None:
    try:
        return digest(path.read_bytes())
    except FileNotFoundError:
        return None


def _read_move(home: Path, entry: dict[str, Any]) -> Move:
    target = _inside(home, entry["target"])
    staged, backup = (_beside(target, entry[key]) for key in ("staged", "backup"))
    return Move(target, staged, backup, entry["old"], entry["new"])


def _inside(home: Path, path: str) -> Path:
    """A path checked to be below `home`, since a journal may come from anywhere."""
    pure = PurePosixPath(path)
    real = Path(os.path.realpath(home / pure))
    if pure.is_absolute() or ".." in pure.parts or home not in real.parents:
        raise ValueError(path)
    return real


def _beside(target: Path, name: str | None) -> Path | None:
    if name is None:
        return None
    if "/" in name or not name.startswith(".wurzel-") or Path(name).suffix not in {".new", ".old"}:
        raise ValueError(name)
    return target.with_name(name)
