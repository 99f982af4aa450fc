"""What type checkers say in their strict modes: nothing of a right pipeline, and every mistake of a wrong one.

basedpyright is pyright with its program in the wheel; pyright's own package fetches it from npm when it first runs.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
FILES = ["example.py", "mistakes.py"]


def wrong(name):
    """The lines that a file marks as mistakes."""
    lines = (HERE / name).read_text().splitlines()
    return {number for number, line in enumerate(lines, 1) if line.endswith("# wrong")}


@pytest.fixture(scope="module")
def by_mypy(tmp_path_factory):
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", "--no-error-summary"]
    cache = tmp_path_factory.mktemp("mypy")
    done = subprocess.run(
        [*command, f"--cache-dir={cache}", *FILES], cwd=HERE, capture_output=True, text=True, check=False
    )
    assert done.returncode in {0, 1}, done.stderr
    return re.findall(r"^(\w+\.py):(\d+): error", done.stdout, re.MULTILINE)


@pytest.fixture(scope="module")
def by_pyright(tmp_path_factory):
    project = tmp_path_factory.mktemp("pyright") / "pyrightconfig.json"
    project.write_text(json.dumps({"include": [str(HERE / name) for name in FILES], "typeCheckingMode": "strict"}))
    command = [sys.executable, "-m", "basedpyright", "--outputjson", "--pythonpath", sys.executable]
    done = subprocess.run([*command, "--project", project], capture_output=True, text=True, check=False)
    assert done.returncode in {0, 1}, done.stderr
    found = json.loads(done.stdout)["generalDiagnostics"]
    return [
        (Path(item["file"]).name, str(item["range"]["start"]["line"] + 1))
        for item in found
        if item["severity"] == "error"
    ]


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("checker", ["by_mypy", "by_pyright"])
def test_all_mistakes_are_found_and_nothing_else(request, checker, name):
    found = {int(line) for file, line in request.getfixturevalue(checker) if file == name}
    assert found == wrong(name)


def test_there_is_something_to_find():
    assert len(wrong("mistakes.py")) > 10
    assert not wrong("example.py")
