"""Writes files that people edit later: whole or not at all, and never into git's own folder."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from wurzel.exceptions import UsageError, WriteError
from wurzel.git_folder import REASON, in_git
from wurzel.regular_file import replace_file


def write_file(path: Path, text: str) -> None:
    """Write a file, or replace it, atomically. Raises `WriteError` when it cannot be written."""
    _refuse_git(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WriteError(f"cannot be written: {error.strerror}", where=str(path)) from error
    replace_file(path, text.encode())


def write_folder(folder: Path, files: Mapping[str, str]) -> None:
    """Write a new folder with all of its files, or nothing; a folder that is there stays as it is.

    Raises `UsageError` when something of that name is there, `WriteError` when it cannot be written.
    """
    _refuse_git(folder)
    if os.path.lexists(folder):
        raise UsageError("already exists", where=str(folder), hint="Choose another name, or remove it first.")
    try:
        new = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    except OSError as error:
        raise WriteError(f"cannot be written: {error.strerror}", where=str(folder)) from error
    try:
        for name, text in files.items():
            (new / name).parent.mkdir(parents=True, exist_ok=True)
            (new / name).write_text(text, encoding="utf-8", newline="")
        new.chmod(0o777 & ~_umask())  # a temporary folder is for its owner alone
        new.rename(folder)  # fails where the folder exists by now and is not empty
    except OSError as error:
        raise WriteError(f"cannot be written: {error.strerror}", where=str(folder)) from error
    finally:
        shutil.rmtree(new, ignore_errors=True)


def _refuse_git(path: Path) -> None:
    if in_git(path):
        raise UsageError(REASON, where=str(path))


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
