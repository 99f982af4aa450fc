"""Copies files of datasets: shared with the original where the file system can, and verified as they are read."""

from __future__ import annotations

import fcntl
import shutil
from hashlib import file_digest
from pathlib import Path
from typing import TYPE_CHECKING

from wurzel.datacontract.manifest import unreadable

if TYPE_CHECKING:
    from wurzel.datacontract.manifest import Part

_FICLONE = 0x40049409  # ioctl of Linux: share the blocks of another file until either is written (btrfs, XFS)


def copy_verified(source: Path, target: Path, part: Part) -> None:
    """Copy a file of a dataset, with its executable bit, never as a hard link.

    Raises `DatasetError` when its bytes are not those that the part has, `OSError` when the copy cannot be written.
    """
    try:
        with source.open("rb") as file, target.open("w+b") as copy:
            try:
                fcntl.ioctl(copy.fileno(), _FICLONE, file.fileno())
            except OSError:
                shutil.copyfileobj(file, copy, 1 << 20)
            copy.seek(0)
            part.check(file_digest(copy, "sha256").hexdigest())
    except FileNotFoundError as error:
        raise unreadable(source, error) from None
    if part.executable:
        target.chmod(target.stat().st_mode | 0o111)
