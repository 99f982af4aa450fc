"""Writes rendered files: what would change, and all of it or nothing."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal, Self

from wurzel.exceptions import WriteError
from wurzel.render.header import is_ours, is_untouched

State = Literal["new", "same", "outdated", "edited", "foreign"]
"""What a file on disk is: absent; equal; ours and untouched, but not what would be written now; ours and edited by
hand; or not ours."""

_EXECUTE = stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH
_ATTEMPTS = 1000


@dataclass(frozen=True)
class File:
    """A file to write: its path below the output folder, and its text with our header."""

    path: str
    text: str
    executable: bool = False


@dataclass(frozen=True)
class Change:
    """What writing one file means."""

    path: str
    """As given, below the output folder."""
    target: Path
    """The real file, after symbolic links."""
    state: State
    old: bytes | None
    new: bytes
    mode: int
    """Permission bits it will have."""

    @property
    def is_blocked(self) -> bool:
        """It would overwrite what is not ours; only `force` does that."""
        return self.state in {"edited", "foreign"}

    def diff(self) -> str:
        """The unified diff from what is there to what would be written; empty when the bytes are the same."""
        from difflib import unified_diff

        old, new = _lines(self.old or b""), _lines(self.new)
        before = "/dev/null" if self.old is None else f"a/{self.path}"
        lines = unified_diff(old, new, before, f"b/{self.path}")
        return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def plan(root: str | Path, files: Sequence[File]) -> list[Change]:
    """What writing the files below `root` would change, in the order given. Nothing is written.

    Raises:
        WriteError: when a path leaves the folder, is given twice, is no place for a file, or cannot be read.
    """
    home = Path(root).resolve()
    changes = [_change(home, file) for file in files]
    paths: dict[Path, str] = {}
    for change in changes:
        if change.target in paths:
            raise WriteError(f"{paths[change.target]!r} and {change.path!r} are the same file", where=change.path)
        paths[change.target] = change.path
    for change in changes:
        for parent in change.target.parents:
            if parent in paths:
                raise WriteError(f"{paths[parent]!r} would have to be a file and a folder", where=change.path)
    return changes


def apply(changes: Sequence[Change], *, force: bool = False) -> list[Change]:
    """Write every file that changes, all or none, and return what was written.

    Every file is complete under another name before the first one is put in its place; when something fails, what
    was there before is there again.

    Args:
        changes: from `plan`.
        force: overwrite files that were edited by hand or are not ours.

    Raises:
        WriteError: when a file is not ours to overwrite, changed since `plan`, or cannot be written.
    """
    wanted = [change for change in changes if change.state != "same"]
    if not force and (blocked := [change for change in wanted if change.is_blocked]):
        raise _blocked(blocked)
    with _Staging(force=force) as staging:
        for change in wanted:
            staging.write(change)
        staging.commit()
    return wanted


def remove(root: str | Path, paths: Sequence[str], *, force: bool = False) -> list[str]:
    """Delete files below `root` that we wrote, as `--prune` does, and return those that were there.

    Raises:
        WriteError: when one was edited by hand or is not ours, unless `force`, or cannot be removed.
    """
    home = Path(root).resolve()
    found = [(path, target) for path in paths if (target := _target(home, path)).is_file()]
    if not force and (alien := [path for path, target in found if not is_untouched(_read(path, target) or b"")]):
        hint = "Remove it yourself, or add --force."
        raise WriteError("it was edited by hand or is not ours, so it is kept", where=alien[0], hint=hint)
    for path, target in found:
        try:
            target.unlink()
        except OSError as error:
            raise _failed(path, error) from error
    return [path for path, _ in found]


class _Staging:
    """Complete files beside their targets, waiting to take their places, and what is there to be put back."""

    def __init__(self, *, force: bool) -> None:
        self._force = force
        self._waiting: list[tuple[Change, Path]] = []
        self._backups: dict[str, Path] = {}
        self._placed: list[Change] = []
        self._folders: list[Path] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        for temporary in [*(path for _, path in self._waiting), *self._backups.values()]:
            temporary.unlink(missing_ok=True)
        if kind is not None:
            for folder in reversed(self._folders):
                _remove_if_empty(folder)

    def write(self, change: Change) -> None:
        """Write a file completely, under a name of its own."""
        try:
            self._make_folders(change.target.parent)
            if change.old is not None:
                if not os.access(change.target, os.W_OK):
                    raise PermissionError(13, "it is read-only")
                self._backups[change.path] = _backup(change)
            self._waiting.append((change, _new_file(change, change.new)))
        except OSError as error:
            raise _failed(change.path, error) from error

    def commit(self) -> None:
        """Put all files in their places; on failure, put back what was there."""
        try:
            while self._waiting:
                change, temporary = self._waiting[0]
                self._check(change)
                temporary.replace(change.target)
                self._placed.append(change)
                self._waiting.pop(0)
        except BaseException as error:
            for change in reversed(self._placed):
                if backup := self._backups.pop(change.path, None):
                    backup.replace(change.target)
                else:
                    change.target.unlink(missing_ok=True)
            if isinstance(error, OSError):
                raise _failed(self._waiting[0][0].path, error) from error
            raise

    def _check(self, change: Change) -> None:
        now = _read(change.path, change.target)
        if self._force or now is None or now in {change.old, change.new} or is_untouched(now):
            return
        raise WriteError("it was edited while it was being written anew", where=change.path, hint="Look at it again.")

    def _make_folders(self, folder: Path) -> None:
        missing = []
        while not folder.is_dir():
            missing.append(folder)
            folder = folder.parent
        for each in reversed(missing):
            try:
                each.mkdir()
            except FileExistsError:
                if not each.is_dir():
                    raise
            else:
                self._folders.append(each)


def _new_file(change: Change, content: bytes) -> Path:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    for name in _free_names(change.target):
        try:
            handle = os.open(name, flags, 0o600)
        except FileExistsError:
            continue
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fchmod(file.fileno(), change.mode)
                os.fsync(file.fileno())
        except BaseException:
            name.unlink(missing_ok=True)
            raise
        return name
    raise FileExistsError(17, "no free name for a temporary file beside it")


def _backup(change: Change) -> Path:
    for name in _free_names(change.target):
        try:
            os.link(change.target, name)
        except FileExistsError:
            continue
        except OSError:  # a file system without hard links
            return _new_file(change, change.old or b"")
        return name
    raise FileExistsError(17, "no free name for a temporary file beside it")


def _free_names(target: Path) -> Iterator[Path]:
    for number in range(_ATTEMPTS):
        name = target.with_name(f".{target.name[:100]}.{os.getpid()}-{number}.tmp")
        if not name.exists():
            yield name


def _change(home: Path, file: File) -> Change:
    target = _target(home, file.path)
    new = file.text.encode()
    old = _read(file.path, target)
    mode = _mode(target, old, executable=file.executable)
    if old is None:
        state: State = "new"
    elif old == new:
        state = "same" if mode == stat.S_IMODE(target.stat().st_mode) else "outdated"
    elif not is_ours(old):
        state = "foreign"
    else:
        state = "outdated" if is_untouched(old) else "edited"
    return Change(file.path, target, state, old, new, mode)


def _target(home: Path, path: str) -> Path:
    pure = PurePosixPath(path)
    if not path or "\0" in path or pure.is_absolute() or ".." in pure.parts or not pure.name or path.endswith("/"):
        raise WriteError(f"{path!r} is no path of a file below the output folder", where=path)
    target = Path(os.path.realpath(home / pure))
    if home not in target.parents:
        raise WriteError(f"it leads to {str(target)!r}, which is outside the output folder", where=path)
    if target.exists() and not target.is_file():
        raise WriteError("there is a folder or device of that name", where=path)
    return target


def _read(path: str, target: Path) -> bytes | None:
    try:
        return target.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _failed(path, error) from error


def _mode(target: Path, old: bytes | None, *, executable: bool) -> int:
    if old is None:
        mask = os.umask(0)
        os.umask(mask)
        return (0o777 if executable else 0o666) & ~mask
    mode = stat.S_IMODE(target.stat().st_mode)
    return mode | ((mode >> 2) & _EXECUTE) if executable else mode


def _lines(content: bytes) -> list[str]:
    *lines, rest = content.decode(errors="replace").split("\n")
    return [line + "\n" for line in lines] + ([rest] if rest else [])


def _remove_if_empty(folder: Path) -> None:
    try:
        folder.rmdir()
    except OSError:
        return


def _blocked(changes: Sequence[Change]) -> WriteError:
    names = ", ".join(change.path for change in changes)
    first = changes[0]
    what = "was edited by hand" if first.state == "edited" else "was not written by wurzel"
    more = f" (as were {len(changes) - 1} more: {names})" if len(changes) > 1 else ""
    return WriteError(
        f"the file {what}{more}", where=first.path, hint="Look at it with --diff; overwrite with --force."
    )


def _failed(path: str, error: OSError) -> WriteError:
    return WriteError(f"cannot be written: {error.strerror or error}", where=path)
