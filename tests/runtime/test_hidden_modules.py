"""Projects whose files are named like modules of Python itself."""

import re
import subprocess
import sys
import tomllib
from importlib.util import find_spec
from pathlib import Path

import pytest

NAMES = sorted(
    name
    for name in sys.stdlib_module_names - {"sys", "builtins", "time"}
    if not name.startswith("_") and find_spec(name) is not None  # Windows' are not there
)

NEEDED = {
    re.match(r"[\w.-]+", line).group().partition(".")[0].replace("python-", "")
    for line in tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]["dependencies"]
}
"""What wurzel itself imports."""


def run(root, *words):
    program = [Path(sys.executable).with_name("wurzel")]
    return subprocess.run([*program, *words], cwd=root, capture_output=True, text=True, check=False)


@pytest.fixture
def root(project):
    return project("chain")


@pytest.mark.parametrize("words", [["run", "chain:pipeline"], ["render", "chain:pipeline", "-t", "local"]])
def test_no_file_of_a_project_hides_a_module_of_python(root, words):
    for name in {*NAMES, *NEEDED}:
        (root / f"{name}.py").write_text("raise SystemExit('not this one')\n")
    done = run(root, *words)
    assert done.returncode == 0, done.stderr


def test_slices_and_retries_start_without_them_as_well(root):
    for name in NAMES:
        (root / f"{name}.py").write_text("raise SystemExit('not this one')\n")
    done = run(root, "step", "steps:Words", "-o", "data/words", "--retries", "1")
    assert done.returncode == 0, done.stderr
    done = run(root, "step", "steps:Upper", "-i", "data/words", "-o", "data/upper", "--shards", "2")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("line", "file"),
    [
        ("from calendar import holidays", "calendar.py"),
        ("import calendar\ncalendar.holidays", "calendar.py"),
        ("from queue import holidays", "queue/__init__.py"),
        ("from jinja2 import holidays", "jinja2.py"),
    ],
)
def test_the_file_that_was_meant_is_named(root, line, file):
    (root / file).parent.mkdir(exist_ok=True)
    (root / file).write_text("holidays = []\n")
    (root / "pipe.py").write_text(f"{line}\nfrom chain import pipeline\n")
    done = run(root, "inspect", "pipe:pipeline")
    assert done.returncode == 2
    assert f"{file} has the name of a module of Python or wurzel" in done.stderr


def test_a_pipeline_in_a_file_that_is_called_wurzel(root):
    (root / "wurzel.py").write_text("from chain import pipeline\n")
    done = run(root, "inspect", "wurzel:pipeline")
    assert done.returncode == 2
    assert "wurzel.py has the name of a module of Python or wurzel, which is imported instead: rename it" in done.stderr
