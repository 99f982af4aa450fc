"""The backend of docs/own-backend.md, installed as a package, is a target like any other."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = (Path(__file__).parents[2] / "docs" / "own-backend.md").read_text(encoding="utf-8")


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture
def installed(project):
    """The package of the page, with the metadata that an installer writes, importable in the project's folder."""
    root = project("scheduled")
    backend, test = blocks("python")
    (template,) = blocks("jinja")
    package = root / "acme_task"
    (package / "templates" / "taskfile").mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "backend.py").write_text(backend)
    (package / "templates" / "taskfile" / "Taskfile.yml.j2").write_text(template)
    info = root / "acme_task-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-task\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[wurzel.backends]\ntaskfile = acme_task.backend:TaskfileBackend\n")
    (root / "check.py").write_text(test + "\n\ntest_nothing_is_dropped()\n")
    return root


def python(root, *arguments):
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=root,
        env={"PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done


def test_it_renders(installed):
    done = python(installed, "-m", "wurzel", "render", "scheduled", "-t", "taskfile")
    assert "taskfile cannot do what scheduled asks for" in done.stderr
    text = (installed / "Taskfile.yml").read_text()
    assert "cmd: wurzel step steps:Words --id words -o data/words --retries 2" in text


def test_it_is_listed(installed):
    assert "taskfile" in python(installed, "-m", "wurzel", "targets").stdout
    assert "does not know it" in python(installed, "-m", "wurzel", "targets", "taskfile").stdout


def test_the_kit_accepts_it(installed):
    python(installed, "check.py")


def test_the_kit_refuses_one_that_drops_something(installed):
    backend = installed / "acme_task" / "backend.py"
    backend.write_text(backend.read_text().replace('"data_dir": native()', '"data_dir": native(), "gpu": native()'))
    done = subprocess.run(
        [sys.executable, "check.py"],
        cwd=installed,
        env={"PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "taskfile drops steps.suffix.resources.gpu in silence" in done.stderr
