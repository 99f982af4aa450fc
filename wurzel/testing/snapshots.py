"""Files that a test compares with what it made, and rewrites when it is called with `--update`."""

from __future__ import annotations

import difflib
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

UPDATE = "WURZEL_UPDATE_SNAPSHOTS"
"""Environment variable with the effect of `--update` on the command line of the test."""

_MOST = 20


def updating() -> bool:
    """Whether the test was called to write its files."""
    return "--update" in sys.argv or bool(os.environ.get(UPDATE))


def compared(folder: Path, found: Mapping[str, str], own: Callable[[str], bool], *, update: bool) -> list[str]:
    """What differs between texts and the files of a folder; nothing if they are written.

    Args:
        folder: of reviewed files.
        found: text by path, of all files that there should be.
        own: whether a path may be one of them; others are left alone, since the folder may hold anything else.
        update: write them, and remove those that there should not be.
    """
    every = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()}
    there = {path: file for path, file in every.items() if own(path)}
    if update:
        for path in there.keys() - found.keys():
            there[path].unlink()
        for path, text in found.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text, encoding="utf-8")
        return []
    findings = []
    for path, text in found.items():
        before = there[path].read_text(encoding="utf-8") if path in there else None
        if before is None:
            findings.append(f"{path}: has no snapshot; run the test with --update and review it")
        elif before != text:
            findings.append(_difference(path, before, text))
    gone = there.keys() - found.keys()
    return [*findings, *(f"{path}: no longer written; run the test with --update" for path in gone)]


def _difference(path: str, before: str, text: str) -> str:
    old, new = before.splitlines(), text.splitlines()
    pairs = zip([*old, None], [*new, None], strict=False)
    line = next((number for number, (one, other) in enumerate(pairs, 1) if one != other), 1)
    lines = list(difflib.unified_diff(old, new, "snapshot", "now", lineterm="", n=1))[2 : 2 + _MOST]
    return "\n".join([f"{path}:{line}: differs from its snapshot", *(f"    {each}" for each in lines)])
