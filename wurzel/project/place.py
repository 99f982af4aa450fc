"""Where a project is in its repository."""

from __future__ import annotations

import posixpath
from pathlib import Path
from typing import TYPE_CHECKING

from wurzel.exceptions import ConfigError, Problem
from wurzel.git_folder import repository_of
from wurzel.named_tuples import NamedTuple

if TYPE_CHECKING:
    from wurzel.project.load import Project


class Place(NamedTuple):
    """A project in its repository; links are followed."""

    root: Path
    """The folder of `wurzel.yaml`."""
    top: Path
    """The top of the repository; the project itself outside of one."""

    folder: str
    """The project's folder below the top of its repository, also in a copy that is without it; '' at the top."""

    @property
    def up(self) -> str:
        """What leads from the project to the top: '', `../`, `../../`."""
        return "../" * len(self.root.relative_to(self.top).parts)


def place_of(project: Project | None, output: str = ".") -> Place:
    """The place of a project, or of the current folder without one.

    Its repository is where `folder` in its file says, else where git says. Without git, a project whose path does not
    end with `folder` is a copy, as in an image: then the project itself stands for the top, as another output folder
    does. Raises `ConfigError` when the file says that the project is in another folder of the repository than it is.
    """
    root = (project.root if project is not None else Path()).resolve()
    top = _top(root, project)
    folder = root.relative_to(top).as_posix() if top is not None else _declared(project)
    folder = "" if folder == "." else folder
    if posixpath.normpath(output) != ".":
        root = top = Path(output).resolve()
    return Place(root, top or root, folder)


def _top(root: Path, project: Project | None) -> Path | None:
    """The top of a project's repository; `None` for a copy without it."""
    node = project.folder if project is not None else None
    if node is None or node.value is None:
        return repository_of(root) or root
    parts = [part for part in Path(str(node.written)).parts if part != "."]
    if not parts:
        return root
    if list(root.parts[-len(parts) :]) == parts and ".." not in parts:
        return root.parents[len(parts) - 1]
    if repository_of(root) is None and ".." not in parts and not Path(*parts).is_absolute():
        return None
    hint = "Write the project's path in its repository, as in services/rag, or `.` for its top."
    raise ConfigError([Problem(f"folder: {node.written!r}, but the project is in {root}", str(node.origin), hint)])


def _declared(project: Project | None) -> str:
    node = project.folder if project is not None else None
    return Path(str(node.written)).as_posix() if node is not None else ""
