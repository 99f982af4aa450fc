"""Files that are given by name, and turn out to be something else."""

from __future__ import annotations

import contextlib
import errno
import os
from pathlib import Path
from stat import S_ISBLK, S_ISCHR, S_ISDIR, S_ISFIFO, S_ISREG

from wurzel.exceptions import WriteError
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


def replace_file(path: Path, data: bytes, mode: int = 0o666) -> None:
    """Replace a file as a whole, so that a reader finds the old or the new one. Raises `WriteError`."""
    if in_git(path):
        raise WriteError(REASON, where=str(path))
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        with open(temporary, "wb", opener=lambda name, flags: regular(name, flags, mode)) as file:
            file.write(data)
        temporary.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise WriteError(f"cannot be written: {error.strerror}", where=str(path)) from error


def replace_private(path: Path, data: bytes) -> None:
    """Replace a file by one for its owner alone, unless it is just that already. Raises `WriteError`.

    A run with nothing to do would otherwise replace two small files for each step: 4 ms of a cold start with 11 steps.
    """
    with contextlib.suppress(OSError):
        found = path.lstat()
        mine = S_ISREG(found.st_mode) and found.st_uid == os.geteuid() and found.st_mode & 0o777 == 0o600  # noqa: PLR2004
        if mine and found.st_size == len(data) and path.read_bytes() == data:
            return
    replace_file(path, data, 0o600)


def _without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK, 0o666)


def _kind(mode: int) -> str:
    if S_ISDIR(mode):
        return "a folder"
    if S_ISFIFO(mode):
        return "a pipe"
    return "a device" if S_ISCHR(mode) or S_ISBLK(mode) else "a socket"
