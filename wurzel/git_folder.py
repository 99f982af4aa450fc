"""Git's own folder, which wurzel never writes into, since git would run or trust what is there; the repository."""

from __future__ import annotations

import os
from pathlib import Path

REASON = "is inside git's own folder, which wurzel never writes to"


def repository_of(folder: str | os.PathLike[str]) -> Path | None:
    """The top of the repository that contains a folder, or `None` outside of one."""
    here = Path(os.path.realpath(folder))
    return next((above for above in (here, *here.parents) if (above / ".git").exists()), None)


def in_git(path: str | os.PathLike[str]) -> bool:
    """Whether a path leads into a folder named `.git`, also by links, and however it is spelled."""
    return any(part.lower() == ".git" for part in Path(os.path.realpath(path)).parts)
