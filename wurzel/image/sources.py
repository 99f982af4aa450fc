"""What of a project goes into its image, and how its packages are installed there."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from wurzel.core.source_folders import source_folders
from wurzel.exceptions import UsageError
from wurzel.named_tuples import NamedTuple
from wurzel.project.home import VERSIONS, other_wurzel
from wurzel.project.packaging import (
    Manager,
    Packages,
    hides_dependencies,
    local_archives,
    local_folders,
    locked_paths,
    packages_of,
    workspace_members,
)
from wurzel.project.requires import Requires, pinned
from wurzel.version import __version__

if TYPE_CHECKING:
    from wurzel.project.place import Place

_EXTRAS = re.compile(r"\[([^]]*)\]")
LOCKS = frozenset({"uv", "poetry", "pdm"})
__all__ = ["VERSIONS", "Sources", "sources_of"]


class Sources(NamedTuple):
    """What an image is made of."""

    manager: Manager
    """What installs the packages; `none` installs none but wurzel."""
    files: Sequence[str]
    """Files that the packages are installed from; they are copied before all others, so that they rarely change."""
    requirements: Sequence[str]
    """Those of them that pip reads: requirements.txt and what it includes."""
    folders: Sequence[str]
    """Folders of the project that are packages of their own, installed from a copy."""
    extras: Sequence[str] | None
    """Extras of the project whose packages are installed as well, where requirements.txt names the project itself."""
    requires: str
    """The wurzel to install beside them, for pip; '' where the project's own files bring it."""
    python_path: str
    """Folders of the project's modules within the image."""
    reports: Sequence[str]
    """What makes two builds differ, or leaves something out."""


def sources_of(place: Place, requires: Requires, file: str) -> Sources:
    """What the image of a project is made of.

    Raises `UsageError` when something that is needed is outside the project, so that no image can contain it.
    """
    root = place.root
    packages = packages_of(root, place.top)
    if outside := [name for name in packages.files if name.startswith(("../", "/")) or not (root / name).is_file()]:
        raise _outside(packages, outside[0], root)
    manager: Manager = "none" if packages.manager in {"conda", "setup.py"} else packages.manager
    if manager == "none":
        requires = pinned(requires, file)
    members = workspace_members(root) if manager == "uv" else []
    locked = _locked(packages, root, members) if manager in LOCKS else {}
    lines = _local(packages, root, locked)
    archives = _archives(packages, root, locked.values())
    folders = sorted({path.relative_to(root).as_posix() for path in lines.values() if path != root})
    own = [line for line, path in lines.items() if path == root]
    extras = sorted({name.strip() for line in own for some in _EXTRAS.findall(line) for name in some.split(",")})
    files = list(packages.files) if manager != "none" else []
    files += [name for name in archives if name not in files]
    files += ["pyproject.toml"] if own and "pyproject.toml" not in files else []
    files += [f"{member}/pyproject.toml" for member in members]
    text = requires.text
    if requires.is_path:
        wheel = _wheel(root, text, file)
        files += [wheel] if wheel not in files else []
        text = f"./{wheel}"  # where it is in the image
    python_path = ":".join(_code(root, ["", *members]))
    return Sources(
        manager=manager,
        files=files,
        requirements=packages.files if manager == "requirements" else (),
        folders=folders,
        extras=extras if own else None,
        requires="" if manager in LOCKS else text,
        python_path=python_path,
        reports=_reports(packages, manager, root),
    )


def _code(root: Path, packages: Sequence[str]) -> Iterator[str]:
    """Where the modules of these folders are in the image; the project's own one is the current folder there."""
    for package in packages:
        own, *others = source_folders(root / package)
        yield from (f"/app/{folder.relative_to(root).as_posix()}".removesuffix("/.") for folder in others or [own])


def _locked(packages: Packages, root: Path, members: Sequence[str]) -> dict[str, Path]:
    """Files and folders that a lock file installs, by the path that it writes; without members of the workspace."""
    paths = {name: (root / name).resolve() for name in locked_paths(root / packages.main)}
    own = [(root / member).resolve() for member in members]
    return {name: path for name, path in paths.items() if path not in own}


def _local(packages: Packages, root: Path, locked: Mapping[str, Path]) -> dict[str, Path]:
    """Folders that requirements or a lock file install, by the line or path that says so."""
    lines = {name: path for name, path in locked.items() if path.is_dir()}
    if packages.manager == "requirements":
        for name in packages.files:
            lines |= local_folders(root, (root / name).read_text(encoding="utf-8", errors="replace"))
    for line, path in lines.items():
        _check_inside(path, line.strip(), packages, root)
    if lines and packages.manager == "poetry" and "\ndevelop = true\n" in (root / packages.main).read_text("utf-8"):
        text = "installs a folder with `develop = true`, by a path that is not in the image"
        raise UsageError(text, where=str(root / packages.main), hint="Remove it in pyproject.toml, and lock again.")
    return lines


def _archives(packages: Packages, root: Path, locked: Iterable[Path]) -> list[str]:
    """Archives that requirements or a lock file install, and folders in which pip looks for some."""
    found = dict.fromkeys(path for path in locked if not path.is_dir())
    if packages.manager == "requirements":
        texts = [(root / name).read_text(encoding="utf-8", errors="replace") for name in packages.files]
        found = dict.fromkeys(path for text in texts for path in local_archives(root, text))
    for path in found:
        _check_inside(path, str(path), packages, root)
    return [path.relative_to(root).as_posix() for path in found]


def _check_inside(path: Path, what: str, packages: Packages, root: Path) -> None:
    if not path.is_relative_to(root):
        text = f"installs {what}, which is outside the project, so no image can contain it"
        raise UsageError(text, where=str(root / packages.main), hint="Move it into the project, or build a wheel.")


def _outside(packages: Packages, name: str, root: Path) -> UsageError:
    if packages.manager == "requirements":
        message = f"includes {name}, which is not a file of the project, so no image can contain it"
        return UsageError(message, where=str(root / packages.main), hint="Copy it into the project.")
    hint = "Write what is locked into the project: uv export --frozen --no-dev --no-emit-workspace -o requirements.txt,"
    hint += " or put wurzel.yaml at the top of the workspace."
    return UsageError(f"{name} is outside the project, so no image can contain it", where=str(root), hint=hint)


def _reports(packages: Packages, manager: Manager, root: Path) -> list[str]:
    found = []
    if packages.manager in {"conda", "setup.py"}:
        what = f"{packages.main} is not installed in the image, only wurzel is"
        found.append(f"{what}; add a requirements.txt, or extend the block `install` of image/Dockerfile.j2")
    if manager == "pyproject" and hides_dependencies(root):
        what = "pyproject.toml does not list dependencies below [project], so the image has none of them"
        found.append(f"{what}; list them there, lock them, or write a requirements.txt")
    if manager in LOCKS and packages.wurzel is None:
        how = f"add it, as in `{manager} add 'wurzel=={__version__}'`"
        found.append(f"{manager}.lock has no wurzel, so the image has none and no step can start; {how}")
    elif manager in LOCKS and (other := other_wurzel(packages)):
        found.append(other)
    if manager not in LOCKS and not (packages.has_hashes and packages.wurzel is not None):
        how = "use uv.lock, poetry.lock, pdm.lock, or hashes in requirements.txt"
        found.append(f"versions of packages are not locked, so each build may install others; {how}")
    return found


def _wheel(project: Path, name: str, file: str) -> str:
    """The path of a local wurzel within the project."""
    path = project / name
    hint = "Build a wheel into the project and name it: pip wheel --no-deps -w wheels PATH"
    if not path.resolve().is_relative_to(project.resolve()):
        raise UsageError(f"requires: {name} is outside the project, so no image can contain it", where=file, hint=hint)
    if not path.is_file():
        raise UsageError(f"requires: {name} is not a file", where=file, hint=hint)
    return path.resolve().relative_to(project.resolve()).as_posix()
