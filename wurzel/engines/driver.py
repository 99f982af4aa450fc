"""What drivers of engines have in common: the case that they run, and what comes of a run."""

from __future__ import annotations

import json
import os
import sys
import time
import traceback
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from wurzel.backends import registry
from wurzel.datacontract.dataset import gather_outputs
from wurzel.engines.process import EngineFailed, Finished, finished, not_found, program_of, said_version

if TYPE_CHECKING:
    from wurzel.backends.base import Backend


@dataclass(frozen=True)
class Case(ABC):
    """A pipeline with settings, and the project that it is in."""

    label: str
    example: str
    """Name of the pipeline."""
    sets: tuple[str, ...] = ()
    """Fields that are set, as by `--set`."""

    keeps_layout: ClassVar[bool] = False
    """Whether CI platforms run its own layout. Otherwise each step has a job, and leaves its data."""
    last: tuple[str, ...] = field(default=(), kw_only=True)
    """Steps that no other reads, which leave their data in every layout."""
    remembers: bool = field(default=False, kw_only=True)
    """Whether it has a store and steps that read their own last output, for which Airflow may need the store."""

    @property
    @abstractmethod
    def data_dir(self) -> str:
        """Folder of the datasets below the project."""

    @abstractmethod
    def project(self, folder: Path) -> Path:
        """The project in a new folder."""

    @abstractmethod
    def pipeline(self, project: Path) -> str:
        """How the command line names the pipeline."""

    def adapted(self, engine: str) -> tuple[tuple[str, ...], str]:
        """Fields that an engine needs to be set for this case, and a note that says why."""
        del engine
        return (), ""

    def lacks(self, target: str) -> str:
        """Why no engine of a target can run it here; '' when one can."""
        del target
        return ""

    def render(self, project: Path, target: str, *sets: str, env: Mapping[str, str] | None = None) -> Finished:
        """Render it in place for a target; standard output names the files, in JSON."""
        return wurzel(project, *self._words("render", project, sets), "-t", target, "--format=json", env=env)

    def rendered(self, project: Path, target: str, *sets: str) -> str:
        """The text of its file for a target."""
        return wurzel(project, *self._words("render", project, sets), "-t", target, "--stdout").stdout

    def run(self, project: Path, *arguments: str) -> Finished:
        """The finished `wurzel run`."""
        return wurzel(project, *self._words("run", project, ()), *arguments, check=False)

    def _words(self, command: str, project: Path, sets: Iterable[str]) -> list[str]:
        return [command, self.pipeline(project), *(f"--set={item}" for item in [*self.sets, *sets])]


def wurzel(project: Path, *arguments: str, check: bool = True, env: Mapping[str, str] | None = None) -> Finished:
    """The command line in a folder, by this Python."""
    words = [sys.executable, "-m", "wurzel", *arguments]
    done = finished(words, project, {**os.environ, **(env or {})})
    if check and done.returncode:
        raise EngineFailed(f"wurzel {arguments[0]}: {(done.stdout + done.stderr).strip()}")
    return done


@dataclass(frozen=True)
class Outcome:
    """What came of one run: `data` holds the bytes of every file of every dataset, slices put together."""

    code: int | str
    data: dict[str, bytes] = field(repr=False)
    log: str = field(default="", repr=False)
    note: str = ""
    """What was done otherwise than for the other engines, and why."""
    seconds: float = 0.0
    stops_early: bool = False
    """It is meant to run nothing more once a step has failed."""
    partial: bool = False
    """Data that stays within a job is not among it."""

    @property
    def digest(self) -> str:
        """SHA-256 over names and bytes of all files."""
        total = sha256()
        for path, content in sorted(self.data.items()):
            total.update(f"{path}\0{len(content)}\0".encode())
            total.update(content)
        return total.hexdigest()

    @property
    def steps(self) -> set[str]:
        """Steps that have a dataset."""
        return {path.partition("/")[0] for path in self.data}


class Driver(ABC):
    """An engine. `simulated` says that it only stands in for the real one."""

    name = ""
    target = ""
    how = ""
    """How it is run here, for the legend."""
    simulated = False
    waits = False
    """Its steps run on other machines, so that it takes nothing from engines beside it."""
    called = ""
    """The name of its target in wurzel.yaml, if it is a named target."""
    program = ("", "")
    """The engine as the folder of engines has it, and its program; drivers without one program ask for more."""
    install = ""
    """What installs the program."""

    def missing(self) -> str:
        """Why it cannot run here and how to get it; '' when it can."""
        return not_found(*self.program, self.install) if self.install else ""

    def version(self) -> str:
        """The version that it reports."""
        said = said_version(program_of(*self.program), "--version") if self.install else ""
        return said if said.startswith(self.program[1]) else f"{self.program[1]} {said}"

    def backend(self) -> Backend:
        """The backend whose files it runs."""
        return registry.get(self.target)

    def rendered(self, case: Case, project: Path, *sets: str) -> list[Path]:
        """Render a case in place; the files that it has now, the one to run first."""
        name = self.called or self.target
        own = [item.replace(f"targets.{self.target}.", f"targets.{name}.", 1) for item in sets]
        done = case.render(project, name, *own)
        return [project / file["path"] for file in json.loads(done.stdout)["files"]]

    @abstractmethod
    def run(self, case: Case, folder: Path) -> Outcome:
        """The outcome of a case, run in a new folder."""

    def run_all(self, cases: Sequence[Case], folder: Path) -> dict[str, Outcome]:
        """The outcome of each case by label; one after the other unless an engine is better started once."""
        outcomes = {}
        for case in cases:
            started = time.monotonic()
            try:
                outcome = self.run(case, folder / case.label)
            except EngineFailed as error:
                outcome = Outcome("ERROR", {}, str(error))
            except Exception:  # noqa: BLE001 - one broken case must not hide the others
                outcome = Outcome("ERROR", {}, traceback.format_exc())
            outcomes[case.label] = replace(outcome, seconds=time.monotonic() - started)
        return outcomes


def collected(root: Path) -> dict[str, bytes]:
    """The bytes of every file of every dataset below a data folder; slices in place of a dataset become one."""
    data = {}
    for step in sorted(root.iterdir()) if root.is_dir() else []:
        if not step.is_dir() or "." in step.name:  # `.` in front: unfinished; within: slices beside their dataset
            continue
        gather_outputs(step)
        for path in sorted(step.rglob("*")):
            if path.is_file() and not path.name.startswith("."):
                data[f"{step.name}/{path.relative_to(step).as_posix()}"] = path.read_bytes()
    return data
