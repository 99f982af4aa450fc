"""Files on their way into a store: regular ones only, and only with the bytes that their dataset names."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from hashlib import sha256
from io import FileIO
from pathlib import Path
from stat import S_ISREG

from wurzel.exceptions import StoreError, StoreSetupError

_SETUP = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR}
"""What no other try gets over."""


def opened(path: Path, *, follow: bool = False) -> FileIO:
    """A regular file; opening a pipe would wait for ever."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | (0 if follow else os.O_NOFOLLOW))
    file = FileIO(descriptor)
    if not S_ISREG(os.fstat(descriptor).st_mode):
        file.close()
        raise OSError(errno.EINVAL, "it is not a regular file")
    return file


def checked(path: Path, digest: str, piece: int) -> Iterator[bytes]:
    """The pieces of a file.

    Raises `StoreError` when it cannot be read; before the last piece, when its bytes are not those of the digest.
    """
    found, waiting = sha256(), b""
    with explained(path), opened(path, follow=True) as file:
        while coming := file.read(piece):
            found.update(coming)
            if waiting:
                yield waiting
            waiting = coming
        check(found.hexdigest(), digest, path)
        if waiting:
            yield waiting


def check(found: str, digest: str, path: Path) -> None:
    """Nothing, where the digest of a file is the one that its dataset names. Raises `StoreError` where it is not."""
    if found != digest:
        hint = "Let nothing write into the files of a step once it has ended; run the step again."
        raise StoreError("has changed since the step wrote it, and is not stored", where=str(path), hint=hint)


@contextlib.contextmanager
def explained(path: Path, *let: type[OSError]) -> Iterator[None]:
    """OSErrors as ours, but for those to `let` through."""
    try:
        yield
    except let:
        raise
    except OSError as error:
        if error.errno in _SETUP:
            raise StoreSetupError(f"the store cannot be used: {error.strerror}", where=str(path)) from error
        hint = "Free some space." if error.errno in {errno.ENOSPC, errno.EDQUOT} else ""
        raise StoreError(f"the store cannot be used: {error.strerror}", where=str(path), hint=hint) from error
