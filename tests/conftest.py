"""The example pipelines of `tests/pipelines`, each as a project of its own in a scratch folder."""

import shutil
import signal
import sys
from pathlib import Path

import pytest

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell that runs the tests in the background ignores SIGINT for them, and so would what they start and interrupt.
    signal.signal(signal.SIGINT, signal.default_int_handler)

PIPELINES = Path(__file__).parent / "pipelines"
EXAMPLES = sorted(path.stem for path in PIPELINES.glob("*.py") if path.stem != "steps")


@pytest.fixture
def project(tmp_path, monkeypatch):
    """Make `tests/pipelines/<name>` the project in the current directory; importable, with its wurzel.yaml."""

    def make(name):
        shutil.copy(PIPELINES / "steps.py", tmp_path)
        shutil.copy(PIPELINES / f"{name}.py", tmp_path)
        if (PIPELINES / f"{name}.yaml").exists():
            shutil.copy(PIPELINES / f"{name}.yaml", tmp_path / "wurzel.yaml")
        return tmp_path

    for path in PIPELINES.glob("*.py"):
        sys.modules.pop(path.stem, None)  # of another test, and so of another folder
    before = set(sys.modules)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield make
    for module in set(sys.modules) - before:
        if str(tmp_path) in (getattr(sys.modules[module], "__file__", None) or ""):
            del sys.modules[module]
