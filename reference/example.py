"""The example project as it is committed, to run commands in."""

from __future__ import annotations

import shutil
from pathlib import Path

from reference.registry import ROOT
from wurzel.render.header import is_ours

_LEFT_OUT = shutil.ignore_patterns("data", ".wurzel", "__pycache__", "images", "reference")


def copy_example(folder: Path) -> Path:
    """The example in a copy of `docs` below a folder, without what was rendered or run in the original."""
    shutil.copytree(ROOT / "docs", folder / "docs", ignore=_made_here)
    return folder / "docs" / "examples" / "rag"


def _made_here(folder: str, names: list[str]) -> set[str]:
    files = [path for name in names if (path := Path(folder, name)).is_file()]
    return _LEFT_OUT(folder, names) | {path.name for path in files if is_ours(path.read_bytes())}
