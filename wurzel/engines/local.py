"""Engines of this machine: `wurzel run`, and the rendered script in each POSIX shell."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from wurzel.engines.driver import Case, Driver, Outcome, collected
from wurzel.engines.process import engine_path, finished, not_found, program_of, said_version


class WurzelRun(Driver):
    """The local executor, which all others are compared with."""

    target = "local"
    name = "wurzel run"
    how = "`wurzel run -j 2`; the datasets of all others are compared with these"

    def version(self) -> str:
        """As `wurzel --version`."""
        return said_version(sys.executable, "-m", "wurzel", "--version")

    def run(self, case: Case, folder: Path) -> Outcome:
        """Run it in place."""
        project = case.project(folder)
        done = case.run(project, "-j", "2")
        return Outcome(done.returncode, collected(project / case.data_dir), done.stdout + done.stderr)


class Script(Driver):
    """The rendered `run-*.sh`."""

    target = "local"

    def __init__(self, shell: str, *arguments: str) -> None:
        self.shell = shell
        self.arguments = arguments
        self.name = f"run-*.sh in {shell}"
        self.how = f"`{' '.join([shell, *arguments])} run-*.sh -j 2`"

    def missing(self) -> str:
        """Whether the shell is here."""
        return not_found("local", self.shell, f"apt-get install {self.shell}")

    def version(self) -> str:
        """Of bash, what it prints; dash prints none, so its package's."""
        if self.shell == "bash":
            return said_version("bash", "--version")
        name = program_of("local", self.shell).resolve().name
        if not_found("local", "dpkg-query", ""):
            return name
        return said_version("dpkg-query", "--show", "--showformat=${Package} ${Version}", name)

    def run(self, case: Case, folder: Path) -> Outcome:
        """Render the script and run it."""
        project = case.project(folder)
        script, *_ = self.rendered(case, project)
        words: list[str | Path] = [program_of("local", self.shell), *self.arguments, script, "-j", "2"]
        done = finished(words, project, {**os.environ, "PATH": engine_path()})
        return Outcome(done.returncode, collected(project / case.data_dir), done.stdout + done.stderr)
