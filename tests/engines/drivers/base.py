"""What drivers of engines have in common: the cases they run, and what comes of a run."""

import subprocess
import time
import traceback
from abc import ABC, abstractmethod
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path

from tests.engines.datasets import DATA_DIRS, example, pipeline_name, wurzel
from wurzel.backends import registry
from wurzel.datacontract.dataset import gather_outputs


@dataclass(frozen=True)
class Case:
    """One example pipeline, perhaps configured otherwise."""

    label: str
    example: str
    sets: tuple[str, ...] = ()
    fails: tuple[str, ...] = ()
    """Steps that leave no dataset, for the run fails."""
    same_as: str = ""
    """Case whose datasets it must have, when not its own."""

    def project(self, folder):
        """The example as a project of its own in a new folder."""
        return example(self.example, folder)

    def render(self, project, target, *sets, env=None):
        """Render it in place for a target."""
        return wurzel(project, *self._words("render", project, sets), "-t", target, env=env)

    def rendered(self, project, target, *sets):
        """The text of its file for a target."""
        return wurzel(project, *self._words("render", project, sets), "-t", target, "--stdout").stdout

    def run(self, project, *arguments):
        """The finished `wurzel run`."""
        return wurzel(project, *self._words("run", project, ()), *arguments, check=False)

    def _words(self, command, project, sets):
        return [command, pipeline_name(project, self.example), *(f"--set={item}" for item in [*self.sets, *sets])]

    @property
    def data_dir(self):
        return DATA_DIRS.get(self.example, "data")


@dataclass(frozen=True)
class Outcome:
    """What came of one run: `data` holds the bytes of every file of every dataset, slices put together."""

    code: int | str
    data: dict = field(repr=False)
    log: str = field(default="", repr=False)
    note: str = ""
    """What was done otherwise than for the other engines, and why."""
    seconds: float = 0.0
    stops_early: bool = False
    """It is meant to run nothing more once a step has failed."""

    @property
    def digest(self):
        """SHA-256 over names and bytes of all files."""
        found = sha256()
        for path, content in sorted(self.data.items()):
            found.update(f"{path}\0{len(content)}\0".encode())
            found.update(content)
        return found.hexdigest()

    @property
    def steps(self):
        """Steps that have a dataset."""
        return {path.partition("/")[0] for path in self.data}


class Driver(ABC):
    """An engine. `simulated` says that it only stands in for the real one."""

    name = ""
    target = ""
    how = ""
    """How it is run here, for the legend."""
    simulated = False

    def missing(self):
        """Why it cannot run here; '' when it can."""
        return ""

    def version(self):
        """Its version, as it says itself."""
        return ""

    def backend(self):
        """The backend whose files it runs."""
        return registry.get(self.target)

    @abstractmethod
    def run(self, case, folder):
        """The outcome of a case, run in a new folder."""

    def run_all(self, cases, folder):
        """The outcome of each case by label; one after the other unless an engine is better started once."""
        found = {}
        for case in cases:
            started = time.monotonic()
            try:
                outcome = self.run(case, folder / case.label)
            except Exception:  # noqa: BLE001 - one broken case must not hide the others
                outcome = Outcome("ERROR", {}, traceback.format_exc())
            found[case.label] = replace(outcome, seconds=time.monotonic() - started)
        return found


def collected(root):
    """The bytes of every file of every dataset below a data folder; slices in place of a dataset become one."""
    found = {}
    for step in sorted(root.iterdir()) if root.is_dir() else []:
        if not step.is_dir() or "." in step.name:  # `.` in front: unfinished; within: slices beside their dataset
            continue
        gather_outputs(step)
        for path in sorted(step.rglob("*")):
            if path.is_file() and not path.name.startswith("."):
                found[f"{step.name}/{path.relative_to(step).as_posix()}"] = path.read_bytes()
    return found


def said_version(*command):
    """The first line that a program says of its version."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return (done.stdout + done.stderr).strip().partition("\n")[0]


def git_home(folder):
    """A folder for `HOME` with settings for git."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "gitconfig").write_text("[user]\nname = t\nemail = t@example.org\n[init]\ndefaultBranch = main\n")
    return {"HOME": str(folder), "GIT_CONFIG_GLOBAL": str(folder / "gitconfig")}


def clone(project, folder, origin, *, branch, environment):
    """Clone a project into a folder, as if from `origin`; it becomes a repository with one commit where it is none."""

    def git(where, *words):
        subprocess.run(["git", *words], cwd=where, env=environment, check=True, capture_output=True)

    if not (project / ".git").exists():
        git(project, "init", "-q", f"--initial-branch={branch}")
        git(project, "add", "-A")
        git(project, "commit", "-qm", "start")
    git(project, "clone", "-q", str(project), str(folder))
    git(folder, "remote", "set-url", "origin", origin)


def no_program(path):
    """Why an engine that `make engines` installs cannot run; '' when it is there."""
    return "" if Path(path).exists() else "not installed: `make engines`"
