"""Where a project is in its repository, and how a job of a CI platform installs it."""

from __future__ import annotations

import os
import posixpath
import re
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from wurzel.backends.ci.home import PIP, Home
from wurzel.exceptions import Problem
from wurzel.project.load import FILE
from wurzel.project.packaging import Packages, packages_of, text_of
from wurzel.project.place import place_of
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
USUAL = 12
"""The minor version of Python 3 where a project allows it; what wurzel is tested with most."""
_OLDEST, _NEWEST = 11, 30
_LATEST_PATCH = 99
"""Jobs get the last patch of a minor version, which `>=3.12.4` allows."""
_PINNED = r"(?m)^[ \t]*(?:cpython-)?3\.(\d+)(?:\.\d+)?[ \t]*(?:#.*)?$"
_REQUIRED = (
    r"""(?m)^[ \t]*requires-python[ \t]*=[ \t]*["']([^"']+)["']""",
    r"""(?m)^\[tool\.poetry\.dependencies\][^\[]*?^[ \t]*python[ \t]*=[ \t]*["']([^"']+)["']""",
)
_PLAIN = r">=\s*3\.(\d+)(?:\.\d+)?(?:\s*,\s*<\s*4(?:\.0)?)?"


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
    """What to say where nothing installs wurzel, or only a program of this name from an index."""
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


def python_of(project: Path) -> str:
    """What `.python-version` pins, else 3.12 if `requires-python` allows it, else the lowest minor that it allows."""
    pinned = re.search(_PINNED, text_of(project / ".python-version"))
    return f"3.{pinned.group(1) if pinned is not None else _required(text_of(project / 'pyproject.toml'))}"


def _required(text: str) -> int:
    found = next((match for pattern in _REQUIRED if (match := re.search(pattern, text)) is not None), None)
    wanted = found.group(1).strip() if found is not None else ""
    if (lowest := re.fullmatch(_PLAIN, wanted)) is not None or not wanted:
        return max(USUAL, int(lowest.group(1))) if lowest is not None else USUAL
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    try:
        allowed = SpecifierSet(_specifiers(wanted))
    except InvalidSpecifier:  # its own program says so
        return USUAL
    minors = (USUAL, *range(_OLDEST, _NEWEST))
    return next((minor for minor in minors if allowed.contains(f"3.{minor}.{_LATEST_PATCH}")), USUAL)


def _specifiers(text: str) -> str:
    """The forms of poetry, `^3.11` and `~3.11` and `3.11.*`, as all other programs write them."""
    text = re.sub(r"\^\s*(3[\d.]*)", r">=\1,<4", text)
    text = re.sub(r"~\s*(3\.\d+)[\d.]*", r"==\1.*", text)
    return re.sub(r"^(?=3)", "==", text)
