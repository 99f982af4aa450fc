"""Git's own folder: wurzel never writes into it, since git would run or trust what is there."""

from __future__ import annotations

import os
from pathlib import Path

REASON = "is inside git's own folder, which wurzel never writes to"


def in_git(path: str | os.PathLike[str]) -> bool:
    """Whether a path leads into a folder named `.git`, also by links, and however it is spelled."""
    return any(part.lower() == ".git" for part in Path(os.path.realpath(path)).parts)
