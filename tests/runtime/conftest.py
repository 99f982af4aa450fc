"""Modules of steps that are run in this process, one step at a time."""

import json
import sys
import textwrap
from pathlib import Path

import pytest

from tests.runtime.clones import Runner, cloning
from wurzel.datacontract.dataset import open_dataset
from wurzel.runtime.step import Job, run_step


class Stepping:
    """Runs steps of the module `flow` in a scratch folder."""

    def __init__(self, folder):
        self.folder = folder

    def write(self, text):
        """Write the module."""
        (self.folder / "flow.py").write_text(textwrap.dedent(text))
        sys.modules.pop("flow", None)

    def __call__(self, name, *inputs, out="out", environ=None, **options):
        return run_step(Job(f"flow:{name}", Path(out), tuple(map(Path, inputs)), **options), environ or {})

    def sliced(self, name, *inputs, of, out="out", order=None, **options):
        """Run all slices of a step."""
        return [self(name, *inputs, out=out, shard=(number, of), **options) for number in order or range(1, of + 1)]

    @property
    def module(self):
        """The module, imported."""
        return sys.modules["flow"]

    @staticmethod
    def parts(folder="out"):
        """The JSON of each part of a dataset."""
        return [json.loads(part.read()) for part in open_dataset(Path(folder)).parts]

    def texts(self, folder="out"):
        """The texts of all items of a dataset, part by part."""
        return [[item["text"] for item in (part if isinstance(part, list) else [part])] for part in self.parts(folder)]

    @staticmethod
    def skipped(folder="out"):
        """Whether a dataset is skipped."""
        return open_dataset(Path(folder)).skipped

    @staticmethod
    def content(folder="out"):
        """All files below a folder with their bytes."""
        top = Path(folder)
        return {str(path.relative_to(top)): path.read_bytes() for path in sorted(top.rglob("*")) if path.is_file()}


@pytest.fixture
def flow(tmp_path, monkeypatch):
    """Write and run the module `flow`."""
    monkeypatch.chdir(tmp_path)
    yield Stepping(tmp_path)
    sys.modules.pop("flow", None)


@pytest.fixture(scope="session")
def runner(tmp_path_factory):
    """Runs commands in forks of one process."""
    runner = Runner(tmp_path_factory.mktemp("runner"))
    yield runner
    runner.close()


@pytest.fixture
def clone(tmp_path, runner):
    """Make a clone of the project by name; all share a store."""
    return cloning(tmp_path, runner)
