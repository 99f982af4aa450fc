"""Where a project is in its repository."""

from __future__ import annotations

import posixpath
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from wurzel.exceptions import ConfigError, Problem
from wurzel.git_folder import repository_of

if TYPE_CHECKING:
    from wurzel.project.load import Project


class Place(NamedTuple):
    """A project in its repository; links are followed."""

    root: Path
    """The folder of `wurzel.yaml`."""
    top: Path
    """The top of the repository; the project itself outside of one."""

    @property
    def folder(self) -> str:
        """The project's folder below the top; '' at the top."""
        found = self.root.relative_to(self.top).as_posix()
        return "" if found == "." else found

    @property
    def up(self) -> str:
        """What leads from the project to the top: '', `../`, `../../`."""
        return "../" * len(Path(self.folder).parts)


def place_of(project: Project | None, output: str = ".") -> Place:
    """The place of a project, or of the current folder without one; see `top_of`.

    Raises:
        ConfigError: when the file says that the project is in another folder than it is.
    """
    if posixpath.normpath(output) != ".":  # such a folder stands for the top, wherever it is
        return Place(Path(output).resolve(), Path(output).resolve())
    root = (project.root if project is not None else Path()).resolve()
    return Place(root, top_of(root, project))


def top_of(root: Path, project: Project | None) -> Path:
    """The top of a project's repository: where `folder` in its file says, or git's; else the project itself.

    Raises:
        ConfigError: when the file says that the project is in another folder than it is.
    """
    node = project.folder if project is not None else None
    if node is None or node.value is None:
        return repository_of(root) or root
    parts = [part for part in Path(str(node.written)).parts if part != "."]
    if list(root.parts[len(root.parts) - len(parts) :]) != parts:
        hint = "Write the project's path in its repository, as in services/rag, or `.` for its top."
        raise ConfigError([Problem(f"folder: {node.written!r}, but the project is in {root}", str(node.origin), hint)])
    return root.parents[len(parts) - 1] if parts else root
