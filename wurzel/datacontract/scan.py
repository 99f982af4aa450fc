"""What is in a file or folder that a step gives: names, links, and nothing that cannot be stored."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from contextlib import suppress
from pathlib import Path
from stat import S_ISDIR, S_ISLNK, S_ISREG

from wurzel.datacontract.names import to_text
from wurzel.exceptions import ContractFailedException
from wurzel.named_tuples import NamedTuple


class Entry(NamedTuple):
    """One file, link or folder."""

    path: Path
    relative: Path
    """Below the folder that the item is in: `report.pdf`, `site/index.html`."""
    name: str
    """`relative` as text in UTF-8."""
    is_folder: bool = False
    is_empty: bool = False
    link: Path | None = None
    """The file that a link leads to."""


def scanned(path: Path, kind: str, moved: Collection[Path] = ()) -> list[Entry]:
    """All that is in a `file` or `folder`, itself included, sorted by name.

    A link may also lead to a file that has been `moved` away before. Raises `ContractFailedException` when it is
    something else, or contains what cannot be stored; `OSError` when it cannot be read.
    """
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        raise ContractFailedException(
            f"{str(path)!r} does not exist", hint="Write it before it is returned, and leave it where it is."
        ) from None
    if kind == "folder" and not S_ISDIR(mode):
        raise ContractFailedException(f"{str(path)!r} is not a folder", hint="Give a single file as File.")
    if kind == "file" and S_ISDIR(mode):
        raise ContractFailedException(f"{str(path)!r} is a folder, not a file", hint="Give it as Folder.")
    around = path if kind == "folder" else path.parent
    entries = list(_within(path, around, moved))
    return sorted(entries, key=lambda entry: entry.name.encode())


def _within(top: Path, around: Path, moved: Collection[Path]) -> Iterator[Entry]:
    todo, home = [top], top.parent
    while todo:
        path = todo.pop()
        relative = path.relative_to(home)
        name = _text(relative)
        mode = path.lstat().st_mode
        if S_ISDIR(mode):
            with suppress(OSError):  # of another owner: whether it can be read shows at once
                path.chmod(mode | 0o700)
            with os.scandir(path) as found:
                inner = [path / entry.name for entry in found]
            todo += inner
            yield Entry(path, relative, name, is_folder=True, is_empty=not inner)
        elif S_ISLNK(mode):
            yield Entry(path, relative, name, link=_target(path, around, moved))
        elif S_ISREG(mode):
            yield Entry(path, relative, name)
        else:
            raise ContractFailedException(f"{str(path)!r} is neither a regular file nor a folder")


def _text(path: Path) -> str:
    try:
        return to_text(str(path))
    except UnicodeDecodeError:
        raise ContractFailedException(f"the name {os.fsencode(path)!r} is not UTF-8") from None


def _target(link: Path, around: Path, moved: Collection[Path]) -> Path:
    """The file that a link leads to: one within the same folder, which is copied."""
    target = Path(os.path.realpath(link))
    what = f"the link {str(link)!r} to {str(link.readlink())!r}"
    if Path(os.path.realpath(around)) not in target.parents:
        raise ContractFailedException(f"{what} leads out of its folder")
    if target in moved:
        return target
    try:
        mode = target.lstat().st_mode
    except FileNotFoundError:
        raise ContractFailedException(f"{what} leads to nothing") from None
    if not S_ISREG(mode):
        raise ContractFailedException(f"{what} does not lead to a file")
    return target
