"""Digests of files and folders, remembered between runs for as long as a file's size, time and inode stay the same."""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Iterable, Iterator
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Any

from wurzel.exceptions import WriteError

ABSENT = "absent"
"""Stands for the digest of what is not there."""

_SETTLED = 2_000_000_000  # ns: a file changed this recently may change again without its time changing


class FileDigests:
    """SHA-256 of files; reads each only when it is new or looks changed."""

    def __init__(self, store: Path) -> None:
        """Remember digests in the JSON file `store`; one that cannot be read counts as empty."""
        self._store = store
        self._known: dict[str, list[Any]] = {}
        self._changed = False
        with contextlib.suppress(OSError, ValueError):
            known = json.loads(store.read_bytes())
            self._known = known if isinstance(known, dict) else {}

    def file(self, path: Path) -> str:
        """Digest of a file's bytes; `ABSENT` when there is none.

        Raises:
            OSError: when it cannot be read.
        """
        try:
            stat = path.stat()
        except (FileNotFoundError, NotADirectoryError):
            return ABSENT
        key, signature = str(path), [stat.st_size, stat.st_mtime_ns, stat.st_ino]
        known = self._known.get(key)
        if known is not None and known[1:] == signature:
            return str(known[0])
        with path.open("rb") as file:
            digest = file_digest(file, "sha256").hexdigest()
        if time.time_ns() - stat.st_mtime_ns > _SETTLED:
            self._known[key] = [digest, *signature]
            self._changed = True
        return digest

    def trust(self, path: Path, digest: str) -> None:
        """Remember the digest of a file that a step of ours has just written."""
        with contextlib.suppress(OSError):
            stat = path.stat()
            self._known[str(path)] = [digest, stat.st_size, stat.st_mtime_ns, stat.st_ino]
            self._changed = True

    def tree(self, path: Path, without: Iterable[Path] = ()) -> str:
        """Digest of a file, or of the names and bytes of all files below a folder, links followed.

        Args:
            path: file or folder; `ABSENT` when there is neither.
            without: folders below it that do not count.

        Raises:
            OSError: when something in it cannot be read.
        """
        if not path.is_dir():
            return self.file(path)
        skipped = {os.path.realpath(folder) for folder in without}
        return combine(f"{name}\0{self.file(path / name)}" for name in sorted(_names(path, skipped)))

    def save(self) -> None:
        """Write what is known for the next run."""
        if self._changed:
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
        raise WriteError(f"cannot be written: {error.strerror}", where=str(path)) from error


def _names(top: Path, skipped: set[str]) -> Iterator[str]:
    """Paths of all files below a folder, relative to it; a link back to a folder above is not followed."""
    todo = [(top, "", frozenset({os.path.realpath(top)}))]
    while todo:
        folder, prefix, above = todo.pop()
        for entry in os.scandir(folder):
            if not entry.is_dir():
                yield prefix + entry.name
                continue
            real = os.path.realpath(entry.path)
            if real not in above and real not in skipped:
                todo.append((Path(entry.path), f"{prefix}{entry.name}/", above | {real}))
