"""How a project says which packages it needs, and what of it goes into an image."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from wurzel.exceptions import UsageError
from wurzel.project.requires import Requires, pinned

Manager = Literal["uv", "poetry", "requirements", "pyproject", "none"]

_FILES: Mapping[Manager, Sequence[str]] = {
    "uv": ("pyproject.toml", "uv.lock"),
    "poetry": ("pyproject.toml", "poetry.lock"),
    "requirements": ("requirements.txt",),
    "pyproject": ("pyproject.toml",),
}
"""The files that are all there where a manager is used, by preference."""
_INCLUDES = re.compile(r"^[ \t]*(?:-[rc]|--requirement|--constraint)[ \t=]*([^\s#]+)", re.MULTILINE)


class Sources(NamedTuple):
    """What an image is made of."""

    manager: Manager
    """What the project locks its packages with; `pyproject` locks nothing, `none` needs none but wurzel."""
    files: Sequence[str]
    """Files that the packages are installed from; they are copied before all others, so that they rarely change."""
    requires: str
    """The wurzel to install beside them, for pip; '' where the project's own files bring it."""
    python_path: str
    """Folder of the project's modules within the image."""

    is_locked: bool
    """Whether a second build installs the same versions."""
    has_wurzel: bool
    """Whether a lock file, where there is one, brings wurzel."""


def sources_of(project: Path, requires: Requires, file: str) -> Sources:
    """What the image of a project is made of.

    Args:
        project: the folder of `wurzel.yaml`.
        requires: the wurzel that it needs.
        file: the configuration file, for messages.

    Raises:
        UsageError: when a local wurzel is outside the project.
    """
    used: list[Manager] = [name for name, files in _FILES.items() if all((project / one).is_file() for one in files)]
    found = used[0] if used else "none"
    if found == "none":
        requires = pinned(requires, file)
    files = [*_FILES.get(found, ())]
    if found == "requirements":
        files = _requirements(project, files[0], [])
    locked = found in {"uv", "poetry"} or (found == "requirements" and any(_has_hashes(project / one) for one in files))
    text = requires.text
    if requires.is_path:
        files.append(_wheel(project, text, file))
        text = f"./{files[-1]}"  # where it is in the image
    folder = "/app/src" if (project / "src").is_dir() else "/app"
    lock = project / f"{found}.lock"
    has_wurzel = not lock.is_file() or '\nname = "wurzel"\n' in lock.read_text(encoding="utf-8", errors="replace")
    return Sources(found, files, text, folder, locked, has_wurzel)


def _requirements(project: Path, name: str, seen: list[str]) -> list[str]:
    """A file for pip, and those that it includes, relative to itself."""
    seen.append(name)
    for included in _INCLUDES.findall((project / name).read_text(encoding="utf-8", errors="replace")):
        other = posixpath.normpath(posixpath.join(posixpath.dirname(name), included))
        if "://" in included or other in seen:
            continue
        if other.startswith(("../", "/")) or not (project / other).is_file():
            message = f"includes {included}, which is not a file of the project, so no image can contain it"
            raise UsageError(message, where=str(project / name), hint="Copy it into the project.")
        _requirements(project, other, seen)
    return seen


def _has_hashes(path: Path) -> bool:
    """Whether pip would hold every package to a hash: one is enough for it to refuse all without."""
    return "--hash=" in path.read_text(encoding="utf-8", errors="replace")


def _wheel(project: Path, name: str, file: str) -> str:
    """The path of a local wurzel within the project."""
    path = project / name
    hint = "Build a wheel into the project and name it: pip wheel --no-deps -w wheels PATH"
    if not path.resolve().is_relative_to(project.resolve()):
        raise UsageError(f"requires: {name} is outside the project, so no image can contain it", where=file, hint=hint)
    if not path.is_file():
        raise UsageError(f"requires: {name} is not a file", where=file, hint=hint)
    return path.resolve().relative_to(project.resolve()).as_posix()
