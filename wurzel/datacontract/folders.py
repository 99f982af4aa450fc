"""A folder that appears complete or not at all, whatever happens while it is written."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

NEW, OLD = ".new", ".old"

_LEFT = re.compile(r"\.(.+)\.[0-9a-f]{8}(\.new|\.old)")
_SYNC_EACH = 64  # above this many files one sync of everything is cheaper than one each


@contextlib.contextmanager
def replacing(target: Path, clear: Callable[[], None] = lambda: None, *, retire: Path | None = None) -> Iterator[Path]:
    """A new, empty folder that takes the place of `target` when the block ends without an error.

    The folder is a hidden sibling until then. What a killed process left behind is removed, or put back when it was
    killed between moving the previous folder away and the new one in. Several writers may work at one time: the last
    one to finish wins.

    `clear` is called just before the new folder takes its place. The previous one goes to `retire`, on the same file
    system; otherwise it is removed. Raises `OSError` when it cannot be written.
    """
    target = target.resolve()
    target.parent.mkdir(parents=True, exist_ok=True)
    new = _sibling(target, NEW)
    try:
        with contextlib.ExitStack() as stack:
            with _locked(target.parent):
                _recover(target)
                new.mkdir()
                stack.enter_context(_locked(new))
            yield new
            _sync(new)
            with _locked(target.parent):
                clear()
                _swap(new, target, retire)
        _sync_folder(target.parent)
    except BaseException:
        remove(new)
        raise


def recover(target: Path) -> None:
    """Put the previous folder back, when a process was killed while it replaced it."""
    target = target.resolve()
    if target.parent.is_dir() and not target.exists():
        with contextlib.suppress(OSError), _locked(target.parent):
            _recover(target)


def sweep(parent: Path) -> None:
    """Remove, or put back, what killed processes have left in a folder of datasets."""
    parent = parent.resolve()
    for name in {name for entry in os.scandir(parent) if (name := left_by(entry.name))}:
        with contextlib.suppress(OSError), _locked(parent):
            _recover(parent / name)


def left_by(name: str) -> str | None:
    """The name of the folder whose writer has made a hidden sibling of this name; `None` for any other name."""
    match = _LEFT.fullmatch(name)
    return match[1] if match else None


def remove(folder: Path) -> None:
    """Remove a folder and all within, if it exists; what a step wrote may have any modes. Of a link, only the link."""
    if folder.is_symlink():
        folder.unlink()
        return
    for root, folders, _ in os.walk(folder):
        for path in [Path(root, name) for name in folders if not Path(root, name).is_symlink()]:
            with contextlib.suppress(OSError):
                path.chmod(0o700)
    for root, folders, files in os.walk(folder, topdown=False):
        for name in files:
            Path(root, name).unlink(missing_ok=True)
        for name in folders:
            path = Path(root, name)
            path.unlink() if path.is_symlink() else path.rmdir()
    with contextlib.suppress(FileNotFoundError):
        folder.rmdir()


def sync_file_system(folder: Path) -> None:
    """Flush the file system of a folder to disk, without waiting for other file systems."""
    import ctypes

    with _opened(folder) as descriptor:
        sync = getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None)  # Linux alone has it
        if sync is None or sync(descriptor):
            os.sync()


def _sibling(target: Path, kind: str) -> Path:
    return target.with_name(f".{target.name}.{os.urandom(4).hex()}{kind}")


def _recover(target: Path) -> None:
    for path in [Path(entry.path) for entry in os.scandir(target.parent) if left_by(entry.name) == target.name]:
        if path.name.endswith(OLD) and not target.exists():
            path.rename(target)
        elif path.name.endswith(OLD):
            with contextlib.suppress(OSError):
                remove(path)
        elif _is_abandoned(path):
            remove(path)


def _is_abandoned(folder: Path) -> bool:
    with _opened(folder) as descriptor:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False  # its writer is alive
    return True


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold a lock, which the kernel releases when this process ends; none where folders cannot be locked."""
    with _opened(folder) as descriptor:
        with contextlib.suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def _opened(path: Path | str) -> Iterator[int]:
    """A file or folder as a descriptor, to lock or flush it."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _swap(new: Path, target: Path, retire: Path | None) -> None:
    if not target.exists():
        new.rename(target)
        return
    old = _sibling(target, OLD)
    try:
        target.rename(old)
        new.rename(target)
    except BaseException:
        if old.exists() and not target.exists():
            old.rename(target)
        raise
    if retire is not None:
        with contextlib.suppress(OSError):
            old.rename(retire)
            return
    with contextlib.suppress(OSError):  # the next writer tries again
        remove(old)


def _sync(folder: Path) -> None:
    """Flush everything to disk before it gets its name, so that a power cut leaves no empty files."""
    found = [(root, [os.path.join(root, name) for name in names]) for root, _, names in os.walk(folder)]  # noqa: PTH118
    if sum(len(files) for _, files in found) > _SYNC_EACH:
        sync_file_system(folder)
        return
    for root, files in found:
        for file in files:
            with _opened(file) as descriptor:
                os.fsync(descriptor)
        _sync_folder(Path(root))


def _sync_folder(folder: Path) -> None:
    with _opened(folder) as descriptor, contextlib.suppress(OSError):  # not every file system can do it for folders
        os.fsync(descriptor)
