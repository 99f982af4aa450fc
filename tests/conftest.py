"""The example pipelines of `tests/pipelines`, each as a project of its own in a scratch folder."""

import importlib
import os
import shutil
import signal
import sys
from pathlib import Path

import pytest

# `nohup`, and a shell that runs the tests in the background, ignore these signals for them, and so for what they start.
for ignored, usual in (
    (signal.SIGINT, signal.default_int_handler),
    (signal.SIGHUP, signal.SIG_DFL),
    (signal.SIGQUIT, signal.SIG_DFL),
):
    if signal.getsignal(ignored) is signal.SIG_IGN:
        signal.signal(ignored, usual)

# In a job of a CI platform `wurzel run` folds its logs; tests say themselves where they want that.
for variable in ("GITHUB_ACTIONS", "GITLAB_CI", "GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"):
    os.environ.pop(variable, None)

# Programs that tests start keep what Python compiled, which halves the time of all tests. This process keeps nothing:
# tests write a module twice within a second, and Python would take the first for the second.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = True

PACKAGE = '[project]\nname = "example"\nversion = "1"\ndependencies = ["wurzel==0.1.0"]\n'
PIPELINES = Path(__file__).parent / "pipelines"
EXAMPLES = sorted(path.stem for path in PIPELINES.glob("*.py") if path.stem != "steps")


@pytest.fixture
def project(tmp_path, monkeypatch):
    """Make `tests/pipelines/<name>` the project in the current directory; importable, with its wurzel.yaml."""

    def make(name):
        (tmp_path / "pyproject.toml").write_text(PACKAGE)
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


@pytest.fixture
def pack(tmp_path_factory, monkeypatch):
    """Install a template pack for one test: `pack("globex", "2.1.0", {"wurzel-pack.yaml": …})`; gives its folder."""
    site = tmp_path_factory.mktemp("site")
    monkeypatch.syspath_prepend(str(site))
    made = []

    def install(name, version="1.0", files=()):
        package = site / f"{name}_wurzel"
        shutil.rmtree(package, ignore_errors=True)
        for old in site.glob(f"{name}_wurzel-*.dist-info"):
            shutil.rmtree(old)
        for path, text in {"__init__.py": "", **dict(files)}.items():
            target = package / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)
        info = site / f"{name}_wurzel-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}-wurzel\nVersion: {version}\n")
        (info / "entry_points.txt").write_text(f"[wurzel.templates]\n{name} = {name}_wurzel\n")
        made.append(f"{name}_wurzel")
        for module in [module for module in sys.modules if module.partition(".")[0] == f"{name}_wurzel"]:
            del sys.modules[module]
        importlib.invalidate_caches()
        return package

    install.site = site
    yield install
    for module in [module for module in sys.modules if module.partition(".")[0] in made]:
        del sys.modules[module]
