"""DVC, in a new git repository."""

from __future__ import annotations

import os
from pathlib import Path

from wurzel.engines.driver import Case, Driver, Outcome, collected
from wurzel.engines.git import git_home
from wurzel.engines.process import Finished, engine_path, finished, program_of


class DvcRepository:
    """Runs dvc, and other programs, in folders; its settings are kept in `home`."""

    def __init__(self, home: Path) -> None:
        self.environment = {**os.environ, **git_home(home), "DVC_NO_ANALYTICS": "1", "PATH": engine_path()}

    def __call__(self, folder: Path, *arguments: str, check: bool = True, program: str = "dvc") -> Finished:
        """The finished program."""
        path = program_of("dvc", program)
        return finished([path, *arguments], folder, self.environment, check=check)

    def begin(self, folder: Path) -> None:
        """Make a folder a repository with all that is in it."""
        self(folder, "init", "-q", program="git")
        self(folder, "init", "-q")
        self(folder, "add", "-A", program="git")
        self(folder, "commit", "-qm", "start", program="git")


class Dvc(Driver):
    """`dvc repro` of the rendered `dvc.yaml`."""

    target = "dvc"
    name = "DVC"
    how = "`dvc repro --keep-going` in a new git repository"
    program = ("dvc", "dvc")
    install = "uv tool install dvc"

    def run(self, case: Case, folder: Path) -> Outcome:
        """Render and reproduce."""
        project = case.project(folder / "it's a $HOME project")
        stages, *_ = self.rendered(case, project)
        dvc = DvcRepository(folder / "home")
        dvc.begin(project)
        done = dvc(project, "repro", "--keep-going", os.path.relpath(stages, project), check=False)
        return Outcome(done.returncode, collected(project / case.data_dir), done.stdout + done.stderr)
