"""A store in a folder, which several processes and machines may share."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from hashlib import file_digest
from pathlib import Path
from stat import S_ISDIR, S_ISREG

from wurzel.datacontract.folders import sync_file_system
from wurzel.exceptions import StoreSetupError
from wurzel.git_folder import REASON, in_git
from wurzel.patterns import pattern
from wurzel.store import names
from wurzel.store.buckets import Bucket, Item
from wurzel.store.sources import check, explained, opened

_TEMPORARY = ".tmp"
_ELSEWHERE = "Name another folder for the store."
_PIPELINE = ("objects", "datasets", "cache", "runs")
"""Folders of a pipeline in a store that has had a run."""
_OURS = pattern(r"[0-9a-f]{16}")
_PIECE = 1 << 20
_NO_REFLINK = frozenset({errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EPERM, errno.EBADF})
_NO_LINK = frozenset({errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK})


class LocalBucket(Bucket):
    """Objects as files below a folder, which is made with the first of them. They are never links, nor linked to."""

    width = 1

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()
        self._dirty = False
        if in_git(self.root):
            raise StoreSetupError(REASON, where=str(root), hint=_ELSEWHERE)
        if other := _store_around(self.root):
            raise StoreSetupError(f"is inside another store: {other}", where=str(root), hint=_ELSEWHERE)

    def dated(self, key: str) -> tuple[bytes, datetime] | None:
        """See `Bucket`."""
        with explained(self.root / key):
            try:
                with opened(self.root / key) as file:
                    return file.read(), _item(key, os.fstat(file.fileno())).modified
            except (FileNotFoundError, NotADirectoryError):
                return None

    def stream(self, key: str, size: int) -> Iterator[bytes]:
        """See `Bucket`."""
        with explained(self.root / key, FileNotFoundError), opened(self.root / key) as file:
            while piece := file.read(_PIECE):
                yield piece

    def put(self, key: str, data: bytes, *, create: bool = False) -> bool:
        """See `Bucket`."""

        def write(target: int) -> None:
            with open(target, "wb", closefd=False) as file:
                file.write(data)

        return self._place(key, write, create=create)

    def put_file(self, key: str, path: Path, digest: str) -> None:
        """See `Bucket`."""
        with explained(path):
            source = opened(path, follow=True)
        with source:
            self._place(key, lambda target: _copy(source.fileno(), target, path, digest))
        self._dirty = True

    def head(self, key: str) -> Item | None:
        """See `Bucket`."""
        path = self.root / key
        with explained(path):
            try:
                about = path.lstat()
            except (FileNotFoundError, NotADirectoryError):
                return None
        return _item(key, about) if S_ISREG(about.st_mode) else None

    def sizes(self, prefix: str, keys: Collection[str]) -> Mapping[str, int]:
        """See `Bucket`."""
        found = map(self.head, keys)
        return {item.key: item.size for item in found if item is not None}

    def list(self, prefix: str) -> Iterator[Item]:
        """See `Bucket`."""
        with explained(self.root / prefix):
            yield from sorted(self._below(prefix.rstrip("/")))

    def folders(self, prefix: str) -> Sequence[str]:
        """See `Bucket`; folders that have become empty do not count."""
        with explained(self.root / prefix):
            found = [path for path in _within(self.root / prefix) if path.is_dir() and not path.is_symlink()]
            named = [path.name for path in found if any(files for _, _, files in os.walk(path))]
        return sorted(name for name in named if prefix or name != _TEMPORARY)

    def delete(self, keys: Iterable[str]) -> None:
        """See `Bucket`; folders stay, since another process may be about to write into them."""
        for key in keys:
            with explained(self.root / key), contextlib.suppress(FileNotFoundError, NotADirectoryError):
                (self.root / key).unlink()

    def discard(self, items: Iterable[Item]) -> Sequence[Item]:
        """See `Bucket`."""
        return [item for item in items if self.head(item.key) == item and self._discarded(item)]

    def sync(self) -> None:
        """See `Bucket`: one call for all files, since one for each takes 30 times as long."""
        if self._dirty:
            sync_file_system(self.root)
            self._dirty = False

    def sweep(self, before: datetime) -> None:
        """Remove what killed processes have left of files that they were writing, and empty folders, if they are older.

        A folder that was just made is empty for a moment, until something is written into it. What a folder that is
        not a store's alone has beside it, or below such names, stays.
        """
        with explained(self.root):
            for path in _within(self.root / _TEMPORARY):
                if _OURS.fullmatch(path.name) and path.is_file():
                    _remove_old(path, before)
            for pipeline in (*_within(self.root), *_within(self.root / names.UNTRUSTED)):
                own = names.is_pipeline(pipeline.name) and not pipeline.is_symlink()
                for name in names.LAYOUT if own else ():
                    _remove_empty(pipeline / name, before)

    def _discarded(self, item: Item) -> bool:
        """Take an object away, look at it, and put it back if it is another one by now."""
        path, away = self.root / item.key, self.root / _TEMPORARY / os.urandom(8).hex()
        with explained(path):
            away.parent.mkdir(exist_ok=True)
            try:
                path.rename(away)
            except FileNotFoundError:
                return False
            same = _item(item.key, away.lstat()) == item
            if not same:
                _named(away, path, create=True)  # unless there is a newer one already
            away.unlink(missing_ok=True)
        return same

    def _below(self, prefix: str) -> Iterator[Item]:
        try:
            entries = list(os.scandir(self.root / prefix))
        except (FileNotFoundError, NotADirectoryError):
            return
        for entry in entries:
            key = f"{prefix}/{entry.name}" if prefix else entry.name
            try:
                about = entry.stat(follow_symlinks=False)
            except FileNotFoundError:
                continue  # deleted meanwhile
            if S_ISDIR(about.st_mode) and key != _TEMPORARY:
                yield from self._below(key)
            elif S_ISREG(about.st_mode):
                yield _item(key, about)

    def _place(self, key: str, write: Callable[[int], None], *, create: bool = False) -> bool:
        """Write a file beside the others, and give it its name once it is complete."""
        target = self.root / key
        temporary = self.root / _TEMPORARY / os.urandom(8).hex()
        with explained(target):
            try:
                descriptor = _created(temporary)
                try:
                    write(descriptor)
                finally:
                    os.close(descriptor)
                return _named(temporary, target, create=create)
            finally:
                with contextlib.suppress(OSError):
                    temporary.unlink()


def _store_around(root: Path) -> Path | None:
    """The folder of a pipeline, or of untrusted jobs, that a folder is in, also by links.

    Whatever is there, the store around it takes for its own: it would be removed, or jobs that are not trusted could
    write it.
    """
    here = Path(os.path.realpath(root))
    if here.name == names.UNTRUSTED:
        return here
    return next((above for above in (here, *here.parents) if all((above / name).is_dir() for name in _PIPELINE)), None)


def _within(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []


def _remove_old(path: Path, before: datetime) -> None:
    """Remove a file if it is older; it may have gone by now. Renaming leaves its time of writing as it was."""
    with contextlib.suppress(FileNotFoundError):
        about = path.lstat()
        if datetime.fromtimestamp(max(about.st_mtime, about.st_ctime), UTC) < before:
            path.unlink()


def _remove_empty(folder: Path, before: datetime) -> None:
    """Remove a folder, and those within, if they are empty and older; it may have gone by now."""
    with contextlib.suppress(OSError):
        if folder.is_symlink() or not folder.is_dir():
            return
        old = _time(folder.stat()) < before  # removing what is within makes it look new
        for path in _within(folder):
            _remove_empty(path, before)
        if old:
            folder.rmdir()


def _created(path: Path) -> int:
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    try:
        return os.open(path, flags, 0o444)  # nobody changes an object by mistake
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        return os.open(path, flags, 0o444)


def _named(temporary: Path, target: Path, *, create: bool) -> bool:
    def place() -> None:
        temporary.rename(target) if not create else os.link(temporary, target)

    try:
        try:
            place()
        except FileNotFoundError:
            target.parent.mkdir(parents=True, exist_ok=True)
            place()
    except FileExistsError:
        if create:
            return False
        raise
    except OSError as error:
        if not create or error.errno not in _NO_LINK:
            raise
        if target.exists():  # a file system without links: who renames last wins
            return False
        temporary.rename(target)
    return True


def _copy(source: int, target: int, path: Path, digest: str) -> None:
    """Copy a file; where the file system can, its blocks are shared until one of the two changes."""
    _copy_bytes(source, target)
    os.lseek(target, 0, os.SEEK_SET)
    with open(target, "rb", 0, closefd=False) as copy:
        check(file_digest(copy, "sha256").hexdigest(), digest, path)


def _copy_bytes(source: int, target: int) -> None:
    try:
        while os.copy_file_range(source, target, 1 << 30):
            pass
        if os.fstat(target).st_size == os.fstat(source).st_size:
            return  # some file systems copy nothing and say that all is done
    except (AttributeError, OSError) as error:  # not on macOS
        if isinstance(error, OSError) and error.errno not in _NO_REFLINK:
            raise
    os.lseek(source, 0, os.SEEK_SET)
    os.ftruncate(target, 0)
    os.lseek(target, 0, os.SEEK_SET)
    with open(source, "rb", 0, closefd=False) as reader, open(target, "wb", closefd=False) as writer:
        while piece := reader.read(_PIECE):
            writer.write(piece)


def _item(key: str, about: os.stat_result) -> Item:
    return Item(key, about.st_size, _time(about))


def _time(about: os.stat_result) -> datetime:
    return datetime.fromtimestamp(about.st_mtime, UTC)
