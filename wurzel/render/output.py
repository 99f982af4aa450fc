"""Plans what writing rendered files would change, and writes all of it or nothing."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Literal

from wurzel.exceptions import WriteError
from wurzel.git_folder import REASON, in_git
from wurzel.named_tuples import NamedTuple
from wurzel.render.header import is_conflicted, is_ours, is_untouched, project_of

State = Literal["new", "same", "outdated", "edited", "conflicted", "foreign", "orphaned"]
"""State of a file on disk: absent; up to date; unchanged since we wrote it, but out of date; edited by hand; with merge
conflicts; not written by wurzel; or no longer rendered by anything."""

_SOURCES = frozenset({"wurzel.yaml", "wurzel-pack.yaml"})
"""What files are rendered from, which no rendered file may replace, whatever is forced."""
_EXECUTE = stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH


class File(NamedTuple):
    """A file to write: its path below the output folder, and its text with our header; no text means to remove it."""

    path: str
    text: str | None
    executable: bool = False
    instead: str = ""
    """What to do where someone else's file has its path."""


class Change(NamedTuple):
    """What writing one file would change."""

    file: File
    base: Path
    """The output folder, after symbolic links: paths are relative to it."""
    home: Path
    """The folder that no path leaves: the output folder, or one above it."""
    target: Path
    """The real file, after symbolic links."""
    state: State
    old: bytes | None
    new: bytes | None
    mode: int
    """Permission bits it will have."""

    @property
    def path(self) -> str:
        """Its path below the output folder."""
        return self.file.path

    @property
    def is_blocked(self) -> bool:
        """Whether it would overwrite or remove something that only `force` may."""
        if self.state == "orphaned":
            return self.old is not None and not is_untouched(self.old)
        return self.state in {"edited", "conflicted", "foreign"}

    @property
    def note(self) -> str:
        """A difference besides the text, which no diff shows; or ''."""
        if self.old is None or self.new is None:
            return ""
        if self.old != self.new and self._old_lines == self.new:
            return "its lines end in CRLF; to prevent that, put `* text eol=lf` in .gitattributes"
        return "it is not executable" if self.old == self.new and self.state != "same" else ""

    @property
    def _old_lines(self) -> bytes:
        """The current content, with the line ends that we write."""
        old = self.old or b""
        return old if b"\r\n" in (self.new or b"") else old.replace(b"\r\n", b"\n")

    def diff(self) -> str:
        """The unified diff from the current file to the new one; empty if all lines are the same."""
        from wurzel.render.diff import unified

        before = "/dev/null" if self.old is None else f"a/{self.path}"
        after = "/dev/null" if self.new is None else f"b/{self.path}"
        return unified(_lines(self._old_lines), _lines(self.new or b""), before, after)


def plan(root: str | Path, files: Sequence[File], top: Path | None = None) -> list[Change]:
    """What writing the files below `root` would change, in the order given. Nothing is written.

    Paths of files may start with `../` as far as `top`, the folder of the repository; by default not at all. Raises
    `WriteError` when a path leaves the folder, occurs twice, cannot be a file, or cannot be read.
    """
    base = Path(root).resolve()
    rises = any(file.path.startswith("../") for file in files)
    home = top.resolve() if top is not None and rises else base
    changes = [_change(base, home, file) for file in files]
    paths: dict[Path, str] = {}
    for change in changes:
        if change.target in paths:
            raise WriteError(f"{paths[change.target]!r} and {change.path!r} are the same file", where=change.path)
        paths[change.target] = change.path
    for change in changes:
        for parent in change.target.parents:
            if parent in paths:
                raise WriteError(f"{paths[parent]!r} would have to be both a file and a folder", where=change.path)
    return changes


def apply(changes: Sequence[Change], *, force: bool = False) -> list[Change]:
    """Write every file that changes, all or none, and return what was written.

    Several processes that write into one folder take turns. If something fails, the previous files are restored; a
    process that is killed leaves a journal, and the next one finishes or undoes its work. Only with `force`, files that
    were edited by hand or not written by wurzel are overwritten or removed. Raises `WriteError` when a file must not be
    overwritten, was edited since `plan`, or cannot be written.
    """
    wanted = [change for change in changes if change.state != "same"]
    if not force and (blocked := [change for change in wanted if change.is_blocked]):
        raise _blocked(blocked)
    if not wanted:
        return []
    from wurzel.render.transaction import Entry, locked, replace_all

    with locked(changes[0].home):
        # Another process may have written since.
        now = [_change(change.base, change.home, change.file) for change in changes]
        if not force and (edited := [change for change in now if change.is_blocked]):
            what = "it was edited during the render"
            raise WriteError(what, where=edited[0].path, hint="Review it, and render again.")
        written = [change for change in now if change.state != "same" and (change.old, change.new) != (None, None)]
        if written:
            entries = [Entry(change.target, change.old, change.new, change.mode) for change in written]
            replace_all(changes[0].home, entries)
    return written


def _change(base: Path, home: Path, file: File) -> Change:
    target = _target(base, home, file.path)
    old = _read(file.path, target)
    mode = _mode(target, old, executable=file.executable)
    if file.text is None:
        return Change(file, base, home, target, "orphaned", old, None, mode)
    new = file.text.encode()
    if old is None:
        state: State = "new"
    elif old == new:
        state = "same" if mode == stat.S_IMODE(target.stat().st_mode) else "outdated"
    elif is_ours(old) and project_of(old) != project_of(new):
        state = "foreign"
    elif is_untouched(old):
        state = "outdated"
    elif is_conflicted(old):
        state = "conflicted"
    else:
        state = "edited" if is_ours(old) else "foreign"
    return Change(file, base, home, target, state, old, new, mode)


def _target(base: Path, home: Path, path: str) -> Path:
    up = len(base.relative_to(home).parts)
    pure = PurePosixPath(path)
    below = pure.parts[next((n for n, part in enumerate(pure.parts) if part != ".." or n == up), len(pure.parts)) :]
    if not path or "\0" in path or pure.is_absolute() or ".." in below or not pure.name or path.endswith("/"):
        raise WriteError(f"{path!r} is not a file path inside the output directory", where=path)
    target = Path(os.path.realpath(base / pure))
    if in_git(target):
        raise WriteError(f"it {REASON}", where=path)
    if target.name in _SOURCES:
        raise WriteError("files are rendered from it, so it is never written", where=path)
    if home not in target.parents:
        raise WriteError(f"it leads to {str(target)!r}, which is outside the output folder", where=path)
    try:
        is_other = target.exists() and not target.is_file()
    except OSError as error:  # a name too long for the file system
        raise WriteError(f"cannot be written: {error.strerror}", where=path) from error
    if is_other:
        raise WriteError("a folder or device has that name", where=path)
    return target


def _read(path: str, target: Path) -> bytes | None:
    try:
        return target.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise WriteError(f"cannot be written: {error.strerror or error}", where=path) from error


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


def _blocked(changes: Sequence[Change]) -> WriteError:
    names = ", ".join(change.path for change in changes)
    first = changes[0]
    more = f" (and {len(changes) - 1} more to review: {names})" if len(changes) > 1 else ""
    verb = "remove" if first.state == "orphaned" else "overwrite"
    hint = f"Review the difference; {verb} with --force."
    if first.state == "foreign" and first.file.instead:
        hint = f"{first.file.instead} Or review the difference, and overwrite with --force."
    if first.state == "conflicted":
        hint = f"Resolve the conflict in its sources (wurzel.yaml and code), then {verb} with --force."
    what = {"foreign": "was not written by wurzel", "conflicted": "contains merge conflict markers"}.get(
        first.state, "was edited by hand"
    )
    if first.state == "foreign" and is_ours(first.old or b""):
        what = f"belongs to the project in {project_of(first.old or b'') or 'the folder above'}"
        hint = "Rename one of the two folders, or set `output` of the target; --force would take it from that project."
    return WriteError(f"the file {what}{more}", where=first.path, hint=hint)
