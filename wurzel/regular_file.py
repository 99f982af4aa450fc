"""Files that are given by name, and turn out to be something else."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from stat import S_ISBLK, S_ISCHR, S_ISDIR, S_ISFIFO, S_ISREG

from wurzel.git_folder import REASON, in_git

_HANDED_OVER = ("/dev/fd/", "/proc/self/fd/", "/dev/stdin")


def read_file(path: Path) -> bytes:
    """The bytes of a file. A pipe would keep whoever opens it waiting, and a device might never end: both are refused.

    What a shell hands over, as in `--from-ir <(…)` or `/dev/stdin`, may be a pipe. Raises `OSError` when it cannot be
    read; `strerror` says why.
    """
    if str(path).startswith(_HANDED_OVER):
        return path.read_bytes()
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        mode = os.fstat(descriptor).st_mode
        if not S_ISREG(mode):
            raise OSError(errno.EINVAL, f"it is {_kind(mode)}, not a file")
        with open(descriptor, "rb", closefd=False) as file:
            return file.read()
    finally:
        os.close(descriptor)


def regular(path: str | os.PathLike[str], flags: int, mode: int = 0o666) -> int:
    """Opens a file, as the `opener` of `open`; anything else in its place is an `OSError`, and nobody waits for it."""
    descriptor = os.open(path, flags | os.O_NONBLOCK, mode)
    found = os.fstat(descriptor).st_mode
    if S_ISREG(found):
        return descriptor
    os.close(descriptor)
    raise OSError(errno.EINVAL, f"it is {_kind(found)}, not a file")


def private(path: str | os.PathLike[str], flags: int) -> int:
    """As `regular`; a new file is for its owner alone."""
    return regular(path, flags, 0o600)


def write_file(path: str | os.PathLike[str], data: bytes) -> None:
    """Write a file that users name; it may be a device, such as `/dev/stderr`, or a pipe that is being read.

    Raises `OSError` when it cannot be written, or a pipe is not read; `strerror` says why.
    """
    if in_git(path):
        raise OSError(errno.EPERM, REASON)
    with open(path, "wb", buffering=0, opener=_without_waiting) as file:
        while data:
            data = data[file.write(data) or len(data) :]


def _without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK, 0o666)


def _kind(mode: int) -> str:
    if S_ISDIR(mode):
        return "a folder"
    if S_ISFIFO(mode):
        return "a pipe"
    return "a device" if S_ISCHR(mode) or S_ISBLK(mode) else "a socket"
