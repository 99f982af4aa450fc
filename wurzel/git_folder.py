"""Git's own folder, which wurzel never writes into, since git would run or trust what is there; the repository."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

REASON = "is inside git's own folder, which wurzel never writes to"


def repository_of(folder: str | os.PathLike[str]) -> Path | None:
    """The top of the repository that contains a folder, or `None` outside of one."""
    here = Path(os.path.realpath(folder))
    return next((above for above in (here, *here.parents) if (above / ".git").exists()), None)


def in_git(path: str | os.PathLike[str]) -> bool:
    """Whether a path leads into a folder named `.git`, also by links, and however it is spelled."""
    return any(part.lower() == ".git" for part in Path(os.path.realpath(path)).parts)


def ignored(folder: Path, paths: Iterable[str]) -> set[str]:
    """Those of the paths, relative to a folder, that git ignores, so that another checkout lacks them.

    None outside of a repository, without git, or where git refuses to answer. What git tracks is not ignored.
    """
    asked = "\0".join(dict.fromkeys(paths))
    if not asked or repository_of(folder) is None:
        return set()
    import subprocess  # only here, to keep starts fast

    plain = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}  # hooks name a folder
    command = ["git", "check-ignore", "-z", "--stdin"]
    try:
        done = subprocess.run(
            command, cwd=folder, env=plain, input=os.fsencode(asked), capture_output=True, check=False
        )
    except OSError:
        return set()
    return {os.fsdecode(path) for path in done.stdout.split(b"\0") if path}
