"""Finding files below a folder, in the same order on every machine."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from stat import S_ISREG

from wurzel.named_tuples import NamedTuple


class Found(NamedTuple):
    """A file: its path, its relative name with `/` as separator, and why it cannot be read, if so."""

    path: Path
    name: str
    problem: str = ""


def find(folder: Path, include: Iterable[str], exclude: Iterable[str]) -> list[Found]:
    """The files below a folder whose names fit `include` and not `exclude`, in the byte order of their names.

    Names that start with a dot are skipped, including folders. Links are followed; a folder is read once, by its own
    name rather than by a link to it, so circular links are harmless.

    Raises:
        OSError: when the folder itself cannot be read.
    """
    patterns, unwanted = list(include), list(exclude)
    files = (found for found in _walk(folder) if found.problem or matches(found.name, patterns))
    wanted = [_checked(found) for found in files if not matches(found.name, unwanted)]
    return sorted(wanted, key=lambda found: os.fsencode(found.name))


def matches(name: str, patterns: Iterable[str]) -> bool:
    """Whether a relative path fits a pattern.

    A pattern with a `/` is matched against the whole path, any other against its last part; `*` matches any
    characters, including `/`. Matching is case-sensitive on every machine.
    """
    last = name.rpartition("/")[2]
    return any(fnmatchcase(name if "/" in pattern else last, pattern) for pattern in patterns)


def _walk(folder: Path) -> Iterator[Found]:
    seen: set[tuple[int, int]] = set()
    todo: list[tuple[Path, str]] = [(folder, "")]
    links: list[tuple[Path, str]] = []
    while todo or links:
        if not todo:
            links.sort(key=lambda link: os.fsencode(link[1]), reverse=True)
            todo.append(links.pop())
        place, name = todo.pop()
        try:
            about = place.stat()
            if (about.st_dev, about.st_ino) in seen:
                continue
            seen.add((about.st_dev, about.st_ino))
            with os.scandir(place) as entries:
                visible = [entry for entry in entries if not entry.name.startswith(".")]
        except OSError as error:
            if not name:
                raise
            yield Found(place, name, f"the folder cannot be read: {error.strerror}")
            continue
        for entry in visible:
            inner = f"{name}/{entry.name}" if name else entry.name
            if _is_folder(entry):
                (links if entry.is_symlink() else todo).append((Path(entry.path), inner))
            else:
                yield Found(Path(entry.path), inner)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself: not a folder, and reported as an unreadable file
        return False


def _checked(found: Found) -> Found:
    """The same, with the file's problem, if any; pipes are refused, since opening one would block."""
    if found.problem:
        return found
    try:
        found.name.encode()
        regular = S_ISREG(found.path.stat().st_mode)
    except UnicodeEncodeError:
        return found._replace(problem="its name is not UTF-8")
    except OSError as error:
        return found._replace(problem=f"cannot be read: {error.strerror}")
    return found if regular else found._replace(problem="is not a regular file")
