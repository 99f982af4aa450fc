"""Apache Airflow 3 and 2: `airflow dags test` for many DAGs in one process, which saves its start for each."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from wurzel.engines.driver import Case, Driver, Outcome, collected
from wurzel.engines.process import Finished, engine_path, finished, found, not_found, program_of
from wurzel.exceptions import StoreError
from wurzel.store.delivery import deliver
from wurzel.store.listing import pipelines, places
from wurzel.store.local import LocalBucket
from wurzel.store.runs import Run
from wurzel.store.store import Store

FOLDERS = {"3": "airflow", "2.11": "airflow-2"}
"""Folder of each version below the folder of engines."""
VERSION = "from importlib.metadata import version; print(version('apache-airflow'))"


def airflow_home(version: str) -> Path:
    """The folder with `airflow` and the `python` of its environment; links on the PATH lead there."""
    return program_of(FOLDERS[version], "airflow").resolve().parent


class Airflow:
    """One version of Airflow, with its state in `home`."""

    def __init__(self, version: str, home: Path, variables: Mapping[str, str] | None = None) -> None:
        self.bin = airflow_home(version)
        self.env = {
            **os.environ,
            "AIRFLOW_HOME": str(home),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
            "SCARF_ANALYTICS": "false",
            "PATH": engine_path(),
            **(variables or {}),
        }

    def __call__(
        self,
        program: str,
        *arguments: str | Path,
        folder: Path | None = None,
        check: bool = True,
        seconds: float | None = 600,
    ) -> Finished:
        """The finished program."""
        env = self.env | ({"AIRFLOW__CORE__DAGS_FOLDER": str(folder)} if folder else {})
        return finished([self.bin / program, *arguments], Path.cwd(), env, seconds=seconds, check=check)

    def runs(
        self, root: Path, asked: Sequence[tuple[str, str, dict[str, Any]]], seconds: float | None = 600
    ) -> tuple[Any, str]:
        """`airflow dags test` for each DAG file, DAG id, conf, one after the other; also all that was printed."""
        (root / "asked.json").write_text(json.dumps(asked), encoding="utf-8")
        # In a folder without other modules: Python puts it first on its path, where our airflow.py would hide Airflow.
        program = Path(__file__).parent / "foreign" / "in_airflow.py"
        done = self("python", program, root / "asked.json", folder=root, seconds=seconds)
        return report(done), done.stdout + done.stderr


def report(done: Finished) -> Any:
    """What our program in Airflow's Python has found."""
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("REPORT")]
    return json.loads(line.removeprefix("REPORT"))


class AirflowDags(Driver):
    """The rendered DAG files with the bash operator."""

    target = "airflow"

    def __init__(self, version: str, seconds: float = 600) -> None:
        self.wanted = version
        self.seconds = seconds
        self.name = f"Airflow {version}"
        self.how = "`airflow dags test` with bash tasks, all DAGs in one process; times are without its start"

    def missing(self) -> str:
        """Whether an Airflow of that version is here."""
        engine = FOLDERS[self.wanted]
        if not found(engine, "airflow"):
            return not_found(engine, "airflow", f"uv tool install 'apache-airflow=={self.wanted}.*'")
        here = self.version().removeprefix("Apache Airflow ")
        if here.startswith(f"{self.wanted}."):
            return ""
        return f"the DAG is written for Airflow {self.wanted}, and airflow on the PATH is {here}"

    def version(self) -> str:
        """The version of its package, which takes less long than asking the program."""
        done = finished([airflow_home(self.wanted) / "python", "-c", VERSION], Path.cwd(), os.environ, check=True)
        return f"Apache Airflow {done.stdout.strip()}"

    def run(self, case: Case, folder: Path) -> Outcome:
        """As `run_all`, for one."""
        return self.run_all([case], folder)[case.label]

    def run_all(self, cases: Sequence[Case], folder: Path) -> dict[str, Outcome]:
        """Render each and run all in one process."""
        home, root = folder / "home", folder / "it's a {{ project }}"
        home.mkdir(parents=True)
        asked: list[tuple[str, str, dict[str, Any]]] = []
        for case in cases:
            project = case.project(root / case.label)
            sets = [f"targets.airflow.version={self.wanted}", f"targets.airflow.dag_id={case.label}"]
            if case.remembers:
                sets.append(f"store=file://{folder / 'stores' / case.label}")
            file, *_ = self.rendered(case, project, *sets, *case.adapted("airflow")[0])
            asked.append((str(file), case.label, {}))
        results, log = Airflow(self.wanted, home).runs(root, asked, self.seconds)
        return {
            case.label: Outcome(
                result["code"],
                stored(folder / "stores" / case.label, folder / "data" / case.label)
                if case.remembers
                else dag_data(root / case.label / case.data_dir / case.label),
                log,
                case.adapted("airflow")[1],
                result["seconds"],
            )
            for case, result in zip(cases, results, strict=True)
        }


def dag_data(folder: Path) -> dict[str, bytes]:
    """Datasets of the one run of a DAG, and those that outlast runs, of steps that read their own last output."""
    runs = list(folder.glob("run_*"))
    return {**collected(runs[0]), **collected(folder / "state")} if len(runs) == 1 else {}


def stored(place: Path, folder: Path) -> dict[str, bytes]:
    """Datasets of the one run in a store, written into a folder; only those of whole steps if the run has failed."""
    bucket = LocalBucket(place)
    stores = [Store(bucket, name) for name in pipelines(bucket)] if place.is_dir() else []
    runs = [(Run(store, name), there) for store in stores for name, there in places(store).items()]
    for run, step in {(run, one.step) for run, there in runs for one in there}:
        with suppress(StoreError):
            deliver(run.store, run, step, None, folder / step)
    return collected(folder)
