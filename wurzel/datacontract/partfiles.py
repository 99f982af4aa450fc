"""Files of parts, written in order and cut by one rule, so that equal data is cut alike wherever it is written.

Each call of `run` begins a part. A part ends before the item that would take the bytes of its items, without what
separates them, above `MOST_BYTES`; a larger item is a part by itself.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from errno import EACCES, EBUSY, EDQUOT, EFBIG, ENOSPC, EROFS
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from wurzel.datacontract.manifest import Part, part_name
from wurzel.exceptions import DatasetError

if TYPE_CHECKING:
    from wurzel.datacontract.codec import Encoded

MOST_BYTES = 64 << 20
"""Bytes of the items in a part of more than one item."""
BATCH = 64 << 10
"""Bytes that are written or read at a time: measured to be the fastest."""

_FULL = "Free some space, or give a folder on another disk with -o. The previous output is still there."
_HINTS = {
    ENOSPC: _FULL,
    EDQUOT: _FULL,
    EFBIG: _FULL,
    EACCES: "Give a folder that may be written with -o.",
    EROFS: "Give a folder that may be written with -o.",
    EBUSY: "A mount point cannot be replaced: give a folder inside it with -o.",
}


class PartFiles:
    """The parts of a dataset that is being written."""

    def __init__(self, folder: Path) -> None:
        self.found: list[Part] = []
        self._folder = folder
        self._most = MOST_BYTES
        self._owner = os.getpid()
        self._suffix = ""
        self._file: BinaryIO | None = None

    def add(self, encoded: Encoded, suffix: str) -> None:
        """Write a whole part. Raises `DatasetError` when it cannot be written."""
        if self._is_forked:
            return
        self.end()
        path = self._next(suffix)
        with explained(path):
            path.write_bytes(encoded.data)
        digest = sha256(encoded.data).hexdigest()
        self.found.append(Part(path, path.name, encoded.items, len(encoded.data), digest))

    def copy(self, part: Part) -> None:
        """Copy a part of another dataset. Raises `DatasetError` when it is damaged, or cannot be written."""
        self.end()
        path = self._next(part.path.suffix)
        with explained(path):
            shutil.copyfile(part.path, path)
        with path.open("rb") as file:
            part.verify(file)
        self.found.append(part._replace(path=path, name=path.name))

    def begin(self, suffix: str) -> None:
        """Begin a part of lines; there is one even if no line follows. Raises `DatasetError`."""
        if self._is_forked:
            return
        self.end()
        self._suffix = suffix
        self._path = self._next(suffix)
        self._items = self._bytes = self._size = 0
        self._digest = sha256()
        self._waiting: list[bytes] = []
        self._pending = 0
        with explained(self._path):
            self._file = self._path.open("wb")

    def lines(self, lines: Sequence[bytes]) -> None:
        """Add lines, one for each item, to the part that was begun, or to new ones. Raises `DatasetError`."""
        size = sum(map(len, lines))
        if self._bytes + size <= self._most:
            self._take(lines, size)
            return
        for line in lines:
            if self._items and self._bytes + len(line) > self._most:
                self.begin(self._suffix)
            self._take([line], len(line))

    def end(self) -> None:
        """Finish the part that was begun, if there is one. Raises `DatasetError` when it cannot be written."""
        if self._file is None or self._is_forked:
            return
        self._flush()
        self._write(b"\n]\n" if self._items else b"[]\n")
        with explained(self._path):
            self.close()
        self.found.append(Part(self._path, self._path.name, self._items, self._size, self._digest.hexdigest()))

    def close(self) -> None:
        """Let go of the file that is being written."""
        if self._is_forked:  # closing it would write once more what was waiting in memory at the fork
            return
        file, self._file = self._file, None
        if file is not None:
            file.close()

    @property
    def _is_forked(self) -> bool:
        """Whether this is a process that a generator has forked: only the one that began writes."""
        return os.getpid() != self._owner

    def _next(self, suffix: str) -> Path:
        return self._folder / part_name(len(self.found), suffix)

    def _take(self, lines: Sequence[bytes], size: int) -> None:
        self._waiting += lines
        self._items += len(lines)
        self._bytes += size
        self._pending += size
        if self._pending >= BATCH:
            self._flush()

    def _flush(self) -> None:
        if self._waiting:
            self._write(b",\n" if self._size else b"[\n")
            self._write(b",\n".join(self._waiting))  # a single large line is not copied
            self._waiting.clear()
            self._pending = 0

    def _write(self, data: bytes) -> None:
        if self._is_forked:
            return
        assert self._file is not None  # noqa: S101 - a part was begun
        with explained(self._path):
            self._file.write(data)
        self._digest.update(data)
        self._size += len(data)


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn an OSError of the block into a `DatasetError` with a hint."""
    try:
        yield
    except OSError as error:
        raise DatasetError(
            f"cannot be written: {error.strerror or error}", where=str(path), hint=_HINTS.get(error.errno or 0, "")
        ) from None
