"""Where a project is in its repository, and how a job of a CI platform installs it."""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Sequence
from hashlib import sha256
from typing import TYPE_CHECKING

from wurzel.named_tuples import NamedTuple

if TYPE_CHECKING:
    from wurzel.exceptions import Problem

PIP = "python -m pip install"


class Home(NamedTuple):
    """What the files of a project say about its jobs; the default is a Python package at the top of a repository."""

    folder: str = ""
    """The project's folder in its repository; '' at the top."""
    up: str = ""
    """What leads from the output folder to the top of the repository: '', `../`, `../../`."""
    setup: str = "pip"
    """How Python and the project's packages are installed."""
    install: str = f"{PIP} ."
    """The shell line that does it."""
    cache_file: str = "pyproject.toml"
    """The file whose change starts a new cache of packages, relative to the project; '' if there is none."""
    python: str = "3.12"
    """The Python that the project's files ask for."""
    watched: Sequence[str] = ()
    """What it depends on in its repository, below the top of that; folders end with a slash. Empty at the top."""
    is_included: bool = False
    """Whether the root file of GitLab is somebody else's, or stands for more than this project."""
    problem: Problem | None = None
    """What to say if jobs install the project."""

    @property
    def slug(self) -> str:
        """The folder as a part of names, with a dash at its end; '' at the top."""
        words = re.sub(r"[^a-z0-9]+", "-", self.folder.lower()).strip("-")
        return f"{words or sha256(self.folder.encode()).hexdigest()[:8]}-" if self.folder else ""

    @property
    def cd(self) -> str:
        """The shell line that changes to the folder; '' at the top."""
        option = ["--"] if self.folder.startswith("-") else []
        return shlex.join(["cd", *option, self.folder]) if self.folder else ""

    def below(self, path: str) -> str:
        """A path of the project, as a path below the top of its repository."""
        return posixpath.normpath(posixpath.join(self.folder, path)) if self.folder and path else path
