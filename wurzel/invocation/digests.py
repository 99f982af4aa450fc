"""Digests of files and folders, remembered between runs for as long as a file's size, time and inode stay the same."""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Iterable, Iterator
from hashlib import file_digest, sha256
from pathlib import Path
from stat import S_ISREG
from typing import Any

from wurzel.exceptions import WriteError

ABSENT = "absent"
"""Stands for the digest of what is not there."""

UNREADABLE = "unreadable"
"""Stands for the digest of what cannot be read: the step that needs it will say why."""

_SPARE = 10_000
_SETTLED = 2_000_000_000  # ns: a file changed this recently may change again without its time changing


class FileDigests:
    """SHA-256 of files; reads each only when it is new or looks changed."""

    def __init__(self, store: Path) -> None:
        """Remember digests in the JSON file `store`; one that cannot be read counts as empty."""
        self._store = store
        self._known: dict[str, list[Any]] = {}
        self._seen: set[str] = set()
        self._changed = False
        with contextlib.suppress(OSError, ValueError):
            known = json.loads(store.read_bytes())
            self._known = known if isinstance(known, dict) else {}

    def file(self, path: Path) -> str:
        """Digest of a file's bytes; `ABSENT` when there is none, `UNREADABLE` when it is not to be read."""
        try:
            stat = path.stat()
            if not S_ISREG(stat.st_mode):
                return UNREADABLE  # reading a pipe would wait for ever
            key, signature = str(path), [stat.st_size, stat.st_mtime_ns, stat.st_ino]
            self._seen.add(key)
            known = self._known.get(key)
            if known is not None and known[1:] == signature:
                return str(known[0])
            with path.open("rb") as file:
                digest = file_digest(file, "sha256").hexdigest()
        except (FileNotFoundError, NotADirectoryError):
            return ABSENT
        except OSError:
            return UNREADABLE
        if time.time_ns() - stat.st_mtime_ns > _SETTLED:
            self._known[key] = [digest, *signature]
            self._changed = True
        return digest

    def trust(self, path: Path, digest: str) -> None:
        """Remember the digest of a file that a step of ours has just written."""
        with contextlib.suppress(OSError):
            stat = path.stat()
            self._seen.add(str(path))
            self._known[str(path)] = [digest, stat.st_size, stat.st_mtime_ns, stat.st_ino]
            self._changed = True

    def tree(self, path: Path, without: Iterable[Path] = ()) -> str:
        """Digest of a file, or of the names and bytes of all files below a folder, links followed.

        Args:
            path: file or folder; `ABSENT` when there is neither.
            without: folders below it that do not count.
        """
        if not path.is_dir():
            return self.file(path)
        skipped = {os.path.realpath(folder) for folder in without}
        return combine(f"{name}\0{self.file(path / name)}" for name in sorted(_names(path, skipped)))

    def save(self) -> None:
        """Write what is known for the next run, without what has long not been asked for.

        On a full disk the next run reads files again, nothing worse.
        """
        if len(self._known) > 2 * len(self._seen) + _SPARE:
            self._known = {key: known for key, known in self._known.items() if key in self._seen}
            self._changed = True
        if self._changed:
            with contextlib.suppress(WriteError):
                write(self._store, json.dumps(self._known, ensure_ascii=True).encode())
            self._changed = False


def combine(parts: Iterable[str]) -> str:
    """One digest of several texts, in their order."""
    total = sha256()
    for part in parts:
        data = os.fsencode(part)
        total.update(b"%d:" % len(data) + data)
    return total.hexdigest()


def write(path: Path, data: bytes) -> None:
    """Replace a file as a whole, so that a reader finds the old or the new one.

    Raises:
        WriteError: when it cannot be written.
    """
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        temporary.write_bytes(data)
        temporary.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise WriteError(f"cannot be written: {error.strerror}", where=str(path)) from error


def _names(top: Path, skipped: set[str]) -> Iterator[str]:
    """Paths of all files below a folder, relative to it; a link back to a folder above is not followed."""
    todo = [(top, "", frozenset({os.path.realpath(top)}))]
    while todo:
        folder, prefix, above = todo.pop()
        try:
            entries = list(os.scandir(folder))
        except OSError:
            yield prefix  # a folder that cannot be read
            continue
        for entry in entries:
            if not _is_folder(entry):
                yield prefix + entry.name
                continue
            real = os.path.realpath(entry.path)
            if real not in above and real not in skipped:
                todo.append((Path(entry.path), f"{prefix}{entry.name}/", above | {real}))


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads to itself
        return False
