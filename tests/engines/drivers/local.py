"""Engines of this machine: `wurzel run`, and the rendered script in each POSIX shell."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.engines.drivers.base import Driver, Outcome, collected, said_version


class WurzelRun(Driver):
    """The local executor, which all others are compared with."""

    target = "local"
    name = "wurzel run"
    how = "`wurzel run -j 2`; the datasets of all others are compared with these"

    def version(self):
        return said_version(sys.executable, "-m", "wurzel", "--version")

    def run(self, case, folder):
        project = case.project(folder)
        done = case.run(project, "-j", "2")
        return Outcome(done.returncode, collected(project / case.data_dir), done.stdout + done.stderr)


class Script(Driver):
    """The rendered `run-*.sh`."""

    target = "local"

    def __init__(self, shell, *arguments):
        self.shell = shell
        self.arguments = arguments
        self.name = f"run-*.sh in {shell}"
        self.how = f"`{' '.join([shell, *arguments])} run-*.sh -j 2`"

    def missing(self):
        return "" if shutil.which(self.shell) else f"{self.shell} is not on the path"

    def version(self):
        if self.shell == "bash":
            return said_version("bash", "--version")
        return said_version("dpkg-query", "--show", "--showformat=${Package} ${Version}", self.shell)

    def run(self, case, folder):
        project = case.project(folder)
        case.render(project, "local")
        (script,) = project.glob("run-*.sh")
        done = subprocess.run(
            [shutil.which(self.shell), *self.arguments, script.name, "-j", "2"],
            cwd=project,
            env={**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
            capture_output=True,
            text=True,
            check=False,
        )
        return Outcome(done.returncode, collected(project / case.data_dir), done.stdout + done.stderr)
