"""Findings of Python, ruff and Airflow itself on rendered DAG files; called by `wurzel render --validate`."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from wurzel.exceptions import Problem
from wurzel.validation.programs import Done, asked, find, found, run, tell_skipped, write

_log = logging.getLogger(__name__)
_RULES = {"3": "AIR,F821", "2.11": "AIR0,F821"}
"""Rules from AIR3 on require what only Airflow 3 has; F821 is a name that nothing defines, such as a missing import."""

_IMPORT = """
import json, sys, warnings
warnings.simplefilter("ignore")
from airflow import __version__
try:
    from airflow.dag_processing.dagbag import DagBag
except ImportError:
    from airflow.models.dagbag import DagBag
bag = DagBag(sys.argv[1])
print(json.dumps({"version": __version__, "errors": bag.import_errors, "dags": sorted(bag.dags)}), file=sys.stderr)
"""


def validate(files: Mapping[str, str], version: str) -> Sequence[Problem]:
    """Findings for DAG files (path to text), each placed in its file.

    Always compiles; asks ruff when it is on the path, and imports the files with Airflow when that is installed beside
    wurzel or its command is on the path, and it is of the same major version.
    """
    scripts = {path: text for path, text in files.items() if path.endswith(".py")}
    broken = [problem for path, text in scripts.items() for problem in _compiled(path, text)]
    if broken or not scripts:
        return broken
    ruff = found("ruff", "pip install ruff")
    return [
        *(problem for path, text in scripts.items() if ruff for problem in _ruff(ruff, path, text, version)),
        *_dagbag(scripts, version),
    ]


def _compiled(path: str, text: str) -> Iterator[Problem]:
    try:
        compile(text, path, "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None)
        yield Problem(f"is not valid Python: {error}", where=f"{path}:{line}" if line else path)


def _ruff(ruff: str, path: str, text: str, version: str) -> Iterator[Problem]:
    command = [ruff, "check", "--isolated", "--no-cache", "--select", _RULES[version], "--output-format", "json"]
    findings, failed = asked([*command, "--stdin-filename", path, "-"], text=text)
    yield from (problem._replace(where=path) for problem in failed)
    for finding in findings or ():
        place = f"{path}:{finding['location']['row']}"
        yield Problem(f"{finding['code']} {finding['message']}", where=place, hint="ruff's rules for Airflow")


def airflow_python() -> str | None:
    """The Python that has Airflow: this one, or the one of the `airflow` command on the path."""
    from importlib.util import find_spec

    if find_spec("airflow") is not None:
        return sys.executable
    command = find("airflow")
    beside = Path(command).resolve().parent / "python" if command else None
    return str(beside) if beside and beside.exists() else None


def _dagbag(scripts: Mapping[str, str], version: str) -> Iterator[Problem]:
    python = airflow_python()
    if python is None:
        tell_skipped("Airflow is not installed, so importing the file with it is skipped (pip install apache-airflow)")
        return
    with TemporaryDirectory(prefix="wurzel-airflow-") as scratch:
        folder = Path(scratch, "dags")
        for path, text in scripts.items():
            write(folder / path, text)
        done = run([python, "-c", _IMPORT, str(folder)], env=_environment(scratch))
        yield from _findings(done, folder, version)


def _environment(scratch: str) -> dict[str, str]:
    return {
        "AIRFLOW_HOME": f"{scratch}/home",
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        "SCARF_ANALYTICS": "false",
    }


def _findings(done: Done, folder: Path, version: str) -> Iterator[Problem]:
    lines = [line for line in done.err.splitlines() if line.startswith('{"version"')]
    if done.code or not lines:
        last = (done.err.strip().splitlines() or ["no message"])[-1]
        yield Problem(f"Airflow could not import DAG files: {last}", where=str(folder.name))
        return
    report = json.loads(lines[-1])
    if report["version"].partition(".")[0] != version.partition(".")[0]:
        text = "Airflow %s is installed, but the file is for %s, so importing it is skipped"
        _log.warning(text, report["version"], version)
        return
    for file, error in report["errors"].items():
        place = Path(file)
        shown = place.relative_to(folder) if place.is_relative_to(folder) else place
        yield Problem(f"Airflow cannot import it: {error.strip().splitlines()[-1]}", where=str(shown))
