"""The user's cache folder: what each start would compute again from the same bytes.

It is as safe as `__pycache__`: only a folder and files are read that belong to the user who runs wurzel, and that
nobody else can write to. Each entry is named after all that it was computed from.
"""

from __future__ import annotations

import contextlib
import marshal
import os
import stat
import sys
from collections.abc import Iterable
from hashlib import sha256
from importlib.util import MAGIC_NUMBER
from pathlib import Path
from typing import Any

_KEPT = 1000
"""At most so many files are kept, some 10 KB each; half of them goes when there are more."""
_DIGEST = 32


def entry(suffix: str, readers: Iterable[Path], parts: Iterable[bytes]) -> Path | None:
    """Where the result of reading these parts is kept, by the bytes of the source files that read them.

    `None` where nothing can be kept, or some of that cannot be read.
    """
    folder = own_folder()
    if folder is None:
        return None
    try:
        key = sha256(b"\0".join([MAGIC_NUMBER, *(path.read_bytes() for path in readers), *parts])).hexdigest()
    except OSError:
        return None
    return folder / f"{key}{suffix}"


def own_folder() -> Path | None:
    """The cache folder, made if need be; `None` if it cannot be made, or is not ours alone."""
    try:
        return _own_folder()
    except OSError:
        return None


def _own_folder() -> Path | None:
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser())
    if not base.is_absolute():
        return None
    folder = base / "wurzel" / "templates"
    if not sys.dont_write_bytecode:
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    ours = stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid()
    return folder if ours and not found.st_mode & 0o077 else None


def remembers(path: Path) -> bool:
    """Whether there is such an empty file in the cache folder."""
    try:
        found = path.lstat()
    except OSError:
        return False
    return stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid()


def remember(path: Path) -> None:
    """Make such an empty file in the cache folder, unless nothing can or may be written."""
    if not sys.dont_write_bytecode:
        with contextlib.suppress(OSError):
            path.touch(mode=0o600)
            _shrink(path.parent)


def read(path: Path) -> Any:
    """What `write` kept in a file of the cache folder; `None` if there is none, or it may be another user's."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except OSError:
        return None
    with open(handle, "rb") as file:  # noqa: PTH123 - of a handle, which follows no link
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o022:
            return None
        content = file.read()
    digest, value = content[:_DIGEST], content[_DIGEST:]
    if sha256(value).digest() != digest:  # marshal crashes on half a file
        return None
    return marshal.loads(value)  # noqa: S302 - only we can have written it


def write(path: Path, value: Any) -> None:
    """Keep code, or plain data, in a file of the cache folder, unless nothing can or may be written."""
    if not sys.dont_write_bytecode:
        with contextlib.suppress(OSError):
            _write(path, marshal.dumps(value))


def _write(path: Path, content: bytes) -> None:
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with open(handle, "wb") as file:  # noqa: PTH123 - of a handle
            file.write(sha256(content).digest() + content)
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    _shrink(path.parent)


def _shrink(folder: Path) -> None:
    paths = list(folder.iterdir())
    if len(paths) > _KEPT:
        by_age = sorted(paths, key=lambda path: path.lstat().st_mtime)
        for path in by_age[: len(paths) - _KEPT // 2]:
            path.unlink(missing_ok=True)
