"""The folder with a project's own templates."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from wurzel.exceptions import TemplateError, UsageError, WriteError
from wurzel.project.load import FILE
from wurzel.project.open import open_project

if TYPE_CHECKING:
    from wurzel.project.load import Project

_HINT = f"Add to {FILE}: templates: [wurzel-templates]"


@contextmanager
def first_folder() -> Iterator[tuple[Project, Path]]:
    """The project in the current folder and the first of its template folders, which is created if it does not exist.

    A created folder is removed again if the body fails and leaves it empty. Raises `UsageError` when there is no
    project, or it lists no folder; `TemplateError` for a pack whose versions cannot be read; `WriteError` when the
    folder cannot be created.
    """
    project = open_project()
    if project is None:
        raise UsageError(f"there is no {FILE} here that lists a folder for templates", hint="Write one: wurzel init")
    folder = next((project.root / entry for entry in project.templates if not _is_pack(project, entry)), None)
    if folder is None:
        raise UsageError("lists no folder for templates", where=project.file, hint=_HINT)
    there = folder.is_dir()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WriteError(f"cannot be created: {error.strerror}", where=str(folder)) from error
    try:
        yield project, folder
    finally:
        if not there and not any(folder.iterdir()):
            folder.rmdir()


def _is_pack(project: Project, entry: str) -> bool:
    from wurzel.render.packs import is_installed, requirement  # slow: only when a template is ejected

    if (project.root / entry).is_dir():
        return False
    try:
        return requirement(entry) is not None or is_installed(entry)
    except ValueError as error:
        raise TemplateError(str(error), where=project.places.get(entry, project.file)) from None
