"""Replaces, creates and removes several files together: all of them or none, even if the process is killed.

All new files are written completely beside their targets before the first one is moved into place, and a journal lists
the moves. The next `render` or `render --check` finishes an interrupted write if all new files were complete, and
otherwise undoes it. A reader sees each file as it was or as it will be, never a part of it. See
docs/decisions/writing-files.md.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from wurzel.exceptions import WriteError
from wurzel.named_tuples import NamedTuple
from wurzel.render.journal import (
    JOURNAL,
    Journal,
    Move,
    digest,
    free_name,
    is_interrupted,
    new_file,
    read_journal,
    remove_if_empty,
)

PATIENCE = 30.0
"""Seconds to wait for another process that writes into the same folder."""


class Entry(NamedTuple):
    """The new content of one file; `None` means no file."""

    target: Path
    old: bytes | None
    new: bytes | None
    mode: int


@contextmanager
def locked(home: Path) -> Iterator[None]:
    """Hold the write lock of `home`, after finishing or undoing interrupted writes.

    On a file system without locks, concurrent writers are not kept apart. Raises `WriteError` when the folder cannot be
    created, another process keeps the lock for `PATIENCE`, or an interrupted write can be neither finished nor undone.
    """
    made = _make_folders(home)
    try:
        with _ended(home):
            yield
    except OSError as error:
        raise failed(".", error) from error
    finally:
        remove_if_empty(made)


def recover(home: Path) -> str:
    """Finish or undo an interrupted write below `home`: "completed", "undone", or '' if there was none.

    Raises `WriteError` when it can be neither finished nor undone.
    """
    if not is_interrupted(home):
        return ""
    try:
        with _ended(home) as ended:
            return ended
    except OSError as error:
        raise failed(JOURNAL, error) from error


def replace_all(home: Path, entries: Sequence[Entry]) -> None:
    """Write all entries or change nothing; call it only inside `locked`. Raises `WriteError` with the file."""
    journal = Journal(home, _moves(entries), _missing_folders(entries))
    current = entries[0].target
    try:
        journal.write()
        for folder in journal.folders:
            folder.mkdir(exist_ok=True)
        for entry, move in zip(entries, journal.moves, strict=True):
            current = entry.target
            _stage(entry, move)
        journal = journal._replace(complete=True)
        journal.write()
        for move in journal.moves:
            current = move.target
            move.forward()
    except BaseException as error:
        journal.back()
        if isinstance(error, OSError):
            raise failed(current.relative_to(home).as_posix(), error) from error
        raise
    journal.end()


def failed(path: str, error: OSError) -> WriteError:
    """The error for a file that cannot be written."""
    return WriteError(f"cannot be written: {error.strerror or error}", where=path)


@contextmanager
def _ended(home: Path) -> Iterator[str]:
    """Hold the lock of a folder, after finishing or undoing an interrupted write; gives what became of that."""
    handle = os.open(home, os.O_RDONLY | os.O_DIRECTORY)
    try:
        _lock(handle, home)
        journal = read_journal(home)
        yield journal.end() if journal is not None else ""
    finally:
        os.close(handle)


def _lock(handle: int, home: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                hint = "Wait for it, or stop it."
                raise WriteError("another process is writing here", where=str(home), hint=hint) from None
            time.sleep(0.02)
        except OSError:  # a file system without locks
            return
        else:
            return


def _missing_folders(entries: Sequence[Entry]) -> list[Path]:
    missing: dict[Path, None] = {}
    for entry in entries:
        found = []
        folder = entry.target.parent
        while not folder.is_dir():
            found.append(folder)
            folder = folder.parent
        missing.update(dict.fromkeys(reversed(found)))
    return list(missing)


def _make_folders(home: Path) -> list[Path]:
    made: list[Path] = []
    for folder in [*reversed(home.parents), home]:
        if not folder.is_dir():
            try:
                folder.mkdir(exist_ok=True)
            except OSError as error:
                remove_if_empty(made)
                raise failed(str(home), error) from error
            made.append(folder)
    return made


def _stage(entry: Entry, move: Move) -> None:
    if entry.old is not None:
        if not os.access(entry.target, os.W_OK):
            raise PermissionError(13, "it is read-only")
        assert move.backup is not None  # noqa: S101 - narrows the type: there is something to keep
        try:
            os.link(entry.target, move.backup)
        except OSError:  # a file system without hard links
            new_file(move.backup, entry.old, entry.target.stat().st_mode & 0o7777)
    if move.staged is not None and entry.new is not None:
        new_file(move.staged, entry.new, entry.mode)


def _moves(entries: Sequence[Entry]) -> list[Move]:
    return [
        Move(
            entry.target,
            free_name(entry.target, "new") if entry.new is not None else None,
            free_name(entry.target, "old") if entry.old is not None else None,
            digest(entry.old),
            digest(entry.new),
        )
        for entry in entries
    ]
