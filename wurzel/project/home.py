"""Where a project is in its repository, and how a job of a CI platform installs it."""

from __future__ import annotations

import os
import posixpath
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from wurzel.backends.ci.home import PIP, Home
from wurzel.exceptions import Problem
from wurzel.project.load import FILE
from wurzel.project.packaging import Packages, packages_of
from wurzel.project.place import place_of
from wurzel.project.python import python_of
from wurzel.project.requires import HINT, KEY, THIS, Requires, unsaid
from wurzel.render.header import is_ours
from wurzel.version import __version__

if TYPE_CHECKING:
    from wurzel.project.load import Project
    from wurzel.project.packaging import Manager

VERSIONS = {"uv": "0.13.9", "poetry": "2.5.1", "pdm": "2.26.9"}
"""Of the programs that install packages from lock files; pdm with its own lock, since later libraries break it."""
_LINES: Mapping[Manager, tuple[str, str]] = {
    "uv": ("uv", "uv sync --locked --no-dev"),
    "poetry": ("poetry", f"{PIP} poetry=={VERSIONS['poetry']} && poetry install --no-interaction --only main"),
    "pdm": ("pdm", f"{PIP} 'pdm[locked]=={VERSIONS['pdm']}' && pdm sync --prod"),
    "conda": ("conda", "conda env create --quiet --yes --name wurzel --file {}"),
}
"""How each manager is set up, and the shell line that installs what the project locks."""


def home_of(project: Project | None, *, output: str = ".") -> Home:
    """Where a project is, or the current folder without one, and how a job installs it.

    Files that are written below another `output` are below the top of the repository. Raises `ConfigError` when the
    file says that the project is in another folder than it is.
    """
    root, top, folder = place_of(project)
    up = place_of(project, output).up
    packages = packages_of(root, top)
    requires = project.requires if project is not None else Requires("")
    setup, line = _line(packages, requires)
    return Home(
        folder=folder,
        up=up,
        setup=setup,
        install=line,
        cache_file=packages.main or (FILE if (root / FILE).is_file() else ""),
        python=python_of(root),
        watched=[*_watched(folder, packages)],
        is_included=_is_included(top, folder),
        problem=_problem(packages, requires, project),
    )


def _line(packages: Packages, requires: Requires) -> tuple[str, str]:
    """How Python is set up, and the line that installs a project, with the wurzel that it requires beside it."""
    if packages.manager in _LINES:
        setup, line = _LINES[packages.manager]
        return setup, line.format(shlex.quote(packages.main))
    words = {"requirements": [PIP, "--requirement requirements.txt"], "none": [PIP]}.get(packages.manager, [PIP, "."])
    text = requires.text or (THIS if packages.manager == "none" else "")
    apart = ["&&", PIP] if packages.has_hashes else []  # pip refuses what has no hash beside what has one
    return "pip", " ".join([*words, *([*apart, shlex.quote(text)] if text else [])])


def _problem(packages: Packages, requires: Requires, project: Project | None) -> Problem | None:
    """What to say where nothing brings wurzel, or only what an index calls so."""
    where = project.file if project is not None else FILE
    if packages.wurzel is not None and not requires.text and (text := other_wurzel(packages)):
        return Problem(text, where, f"Ask for this one, as in {THIS}, or set `{KEY}:`.")
    has_lock = packages.manager in _LINES
    if packages.wurzel is not None or (requires.text and not has_lock):
        return None
    if has_lock:
        text = f"{packages.main} has no wurzel, so jobs without an image of their own have none"
        hint = f"Add it, as in: {packages.manager} add '{THIS}'"
        return Problem(text, where, hint if packages.manager != "conda" else "Add it below `pip:` there.")
    if packages.manager == "none":
        return unsaid(where)
    return Problem(f"{packages.main} does not name wurzel, and nothing else says where it comes from", where, HINT)


def other_wurzel(packages: Packages) -> str:
    """What to say of files that bring, or allow, another program of this name, which the public index has; or ''."""
    asked = packages.wurzel or ""
    if asked.startswith(("@", "wurzel")) or "/" in asked or asked.removeprefix("==").strip() == __version__:
        return ""
    if asked.startswith("==") and "*" not in asked:
        return f"{packages.main} has wurzel {asked[2:].strip()}, but this is wurzel {__version__}"
    text = f"{packages.main} asks for any wurzel" if not asked else f"{packages.main} asks for wurzel {asked}"
    return f"{text}, and the index of pip has another program of this name, with higher versions"


def _watched(folder: str, packages: Packages) -> Iterator[str]:
    """What a project depends on in its repository, as paths below its top: folders end with a slash."""
    if not folder:
        return
    yield f"{folder}/"
    for sibling in packages.siblings:
        yield posixpath.normpath(posixpath.join(folder, sibling)) + "/"
    for file in packages.files:
        if file.startswith("../"):
            yield posixpath.normpath(posixpath.join(folder, file))


def _is_included(top: Path, folder: str) -> bool:
    """Whether a file of GitLab that stands at the top is not ours to write."""
    if folder:
        return True
    try:
        return not is_ours((top / ".gitlab-ci.yml").read_bytes())
    except OSError:
        return os.path.lexists(top / ".gitlab-ci.yml")
