"""DVC, in a git repository of its own."""

import os
import subprocess
import sys
from pathlib import Path

from tests.engines.drivers.base import Driver, Outcome, collected, git_home, no_program, said_version

PROGRAM = Path(__file__).parents[3] / ".engines" / "dvc" / "bin" / "dvc"


class DvcRepository:
    """Runs dvc, and other programs, in folders; its own settings live in `home`."""

    def __init__(self, home):
        self.environment = {
            **os.environ,
            **git_home(home),
            "DVC_NO_ANALYTICS": "1",
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        }

    def __call__(self, folder, *arguments, check=True, program=PROGRAM):
        done = subprocess.run(
            [str(program), *arguments], cwd=folder, env=self.environment, capture_output=True, text=True, check=False
        )
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done

    def begin(self, folder):
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

    def missing(self):
        return no_program(PROGRAM)

    def version(self):
        return "dvc " + said_version(str(PROGRAM), "--version")

    def run(self, case, folder):
        project = case.project(folder / "it's a $HOME project")
        case.render(project, "dvc")
        dvc = DvcRepository(folder / "home")
        dvc.begin(project)
        done = dvc(project, "repro", "--keep-going", check=False)
        return Outcome(done.returncode, collected(project / case.data_dir), done.stdout + done.stderr)
