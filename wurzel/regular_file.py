"""Files that are given by name, and turn out to be something else."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from stat import S_ISBLK, S_ISCHR, S_ISDIR, S_ISFIFO, S_ISREG

_HANDED_OVER = ("/dev/fd/", "/proc/self/fd/", "/dev/stdin")


def read_file(path: Path) -> bytes:
    """The bytes of a file. A pipe would keep whoever opens it waiting, and a device might never end: both are refused.

    What a shell hands over, as in `--from-ir <(…)` or `/dev/stdin`, may be a pipe.

    Raises:
        OSError: when it cannot be read; `strerror` says why.
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


def _kind(mode: int) -> str:
    if S_ISDIR(mode):
        return "a folder"
    if S_ISFIFO(mode):
        return "a pipe"
    return "a device" if S_ISCHR(mode) or S_ISBLK(mode) else "a socket"
