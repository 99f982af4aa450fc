"""Git's own folder, which wurzel never writes into, since git would run or trust what is there; the repository."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

_UNSEEN = dict.fromkeys((*range(0x200C, 0x2010), *range(0x202A, 0x202F), *range(0x206A, 0x2070), 0xFEFF))
"""Characters that file systems of macOS leave out of names."""

REASON = "is inside git's own folder, which wurzel never writes to"


def repository_of(folder: str | os.PathLike[str]) -> Path | None:
    """The top of the repository that contains a folder, or `None` outside of one."""
    here = Path(os.path.realpath(folder))
    return next((above for above in (here, *here.parents) if (above / ".git").exists()), None)


def in_git(path: str | os.PathLike[str]) -> bool:
    """Whether a path leads into a folder named `.git`, also by links, and however it is spelled."""
    return any(map(is_git, Path(os.path.realpath(path)).parts))


def is_git(name: str) -> bool:
    """Whether a file system may take a name for `.git`: in any case, and with what macOS and Windows leave out."""
    plain = name.lower().translate(_UNSEEN).partition(":")[0].rstrip(" .")
    return plain in {".git", "git~1"}


def ignored(folder: Path, paths: Iterable[str]) -> set[str]:
    """Those of the paths, relative to a folder, that git ignores, so that another checkout lacks them.

    None outside of a repository, without git, or where git refuses to answer. What git tracks is not ignored.
    """
    asked = "\0".join(dict.fromkeys(paths))
    if not asked or repository_of(folder) is None:
        return set()
    _, found = git(folder, ["check-ignore", "-z", "--stdin"], os.fsencode(asked))
    return {os.fsdecode(path) for path in found.split(b"\0") if path}


def git(folder: Path, words: Sequence[str], given: bytes = b"") -> tuple[int, bytes]:
    """The exit code of git in a folder, and what it prints; -1 without git.

    In a container, the repository often belongs to another user, which git refuses by default. It is accepted here,
    since its code is imported anyway; only the program of `core.fsmonitor` is not run.
    """
    import subprocess  # only here, to keep starts fast

    plain = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}  # hooks name a folder
    command = ["git", "-c", "safe.directory=*", "-c", "core.fsmonitor=false", *words]
    try:
        done = subprocess.run(command, cwd=folder, env=plain, input=given, capture_output=True, check=False)
    except OSError:
        return -1, b""
    return (-1 if done.returncode == 1 and done.stderr else done.returncode), done.stdout
