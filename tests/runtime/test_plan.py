"""`wurzel run --plan`: what a run would do and why, held to what the run then does."""

import importlib
import json
from pathlib import Path

import pytest

from tests.command import program
from wurzel.exceptions import UsageError
from wurzel.ir.introspect import introspect
from wurzel.runtime.pipeline import RunOptions
from wurzel.runtime.plan import plan


def wurzel(*words):
    return program(*words, code=0)


def planned(*words):
    """Action and reason by step."""
    found = json.loads(wurzel("run", "named", "--plan", "--format", "json", *words).stdout)
    return {item["step"]: (item["action"], item["reason"]) for item in found}


def run(*words):
    return wurzel("run", "named", *words).stderr


FLOW = """
from steps import Join, Suffix, Words
from wurzel.utils import WZ

words, join = WZ(Words), WZ(Join)
words >> WZ(Suffix, name="suffix-de") >> join
words >> WZ(Suffix, name="suffix-en") >> join
"""
CONFIGURATION = """
version: 1
pipelines:
  named:
    entrypoint: flow:join
    steps: {suffix-de: {settings: {SUFFIX: a}}, suffix-en: {settings: {SUFFIX: b}}}
"""


@pytest.fixture
def named(project):
    root = project("chain")
    Path("flow.py").write_text(FLOW)
    Path("wurzel.yaml").write_text(CONFIGURATION)
    return root


def test_a_plan_writes_nothing(named):
    before = sorted(named.rglob("*"))
    found = planned()
    assert [path for path in sorted(named.rglob("*")) if "__pycache__" not in path.parts] == [
        path for path in before if "__pycache__" not in path.parts
    ]
    assert found == {
        "words": ("run", "first run here"),
        "suffix-de": ("maybe", "reads words"),
        "suffix-en": ("maybe", "reads words"),
        "join": ("maybe", "reads suffix-de, suffix-en"),
    }


def test_it_says_what_the_run_then_does(named):
    steps = [*planned()]
    run()
    assert planned() == dict.fromkeys(steps, ("unchanged", ""))
    change = "--set=steps.suffix-en.settings.SUFFIX=-x"
    assert planned(change) == {
        "words": ("unchanged", ""),
        "suffix-de": ("unchanged", ""),
        "suffix-en": ("run", "settings changed"),
        "join": ("maybe", "reads suffix-en"),
    }
    told = run(change)
    assert "suffix-en: started (settings changed)" in told
    assert planned()["suffix-en"] == ("cached", "settings changed")
    assert planned()["join"] == ("cached", "input data changed")
    assert "from the cache" in run()
    assert planned() == dict.fromkeys(steps, ("unchanged", ""))


def test_chosen_steps_and_force(named):
    run()
    assert set(planned("--only", "suffix-en")) == {"suffix-en"}
    assert set(planned("--force").values()) == {("run", "forced")}


def test_a_table_for_people(named):
    run()
    first = wurzel("run", "named", "--plan").stdout.splitlines()[0]
    assert first.split() == ["words", "unchanged"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--plan", "--slices", "words=-"], "--plan shows whole steps"),
        (["--plan", "--junit", "report.xml"], "--plan runs nothing, so --junit has no meaning"),
        (["--format", "json"], "--format is for --plan"),
    ],
)
def test_what_does_not_go_together(named, words, message):
    done = program("run", "named", *words)
    assert done.returncode == 2
    assert message in done.stderr


def test_the_state_of_someone_else_is_not_taken_for_a_first_run(named, monkeypatch):
    run()

    def denied(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "iterdir", denied)  # root, as which tests may run, may read all folders
    with pytest.raises(UsageError, match=r"\.wurzel/named: cannot be read: Permission denied"):
        plan(introspect(importlib.import_module("flow").join, name="named"), RunOptions(root=named))


LOADING = """
from importlib import import_module
from wurzel.core import Settings, TypedStep
from wurzel.datacontract import PydanticModel
from wurzel.utils import WZ

class Word(PydanticModel):
    text: str

class Opts(Settings):
    PLUGIN: str

class Load(TypedStep[Opts, None, list[Word]]):
    KEY
    def run(self, inpt: None) -> list[Word]:
        return [Word(text=import_module(self.settings.PLUGIN).NAME)]

chain = WZ(Load)
"""


@pytest.mark.parametrize("key", ["", 'cache_key = "plug-1"'])
def test_imports_that_are_not_seen_are_named(named, key, monkeypatch):
    monkeypatch.setenv("LOAD__PLUGIN", "plug")
    Path("loading.py").write_text(LOADING.replace("KEY", key))
    Path("plug.py").write_text('NAME = "a"\n')
    assert "not seen" not in wurzel("run", "loading:chain").stderr
    Path("plug.py").write_text('NAME = "b"\n')
    told = "" if key else "changes of what loading.py:16 imports by a computed name are not seen"
    assert json.loads(wurzel("run", "loading:chain", "--plan", "--format", "json").stdout)[0] == {
        "step": "load",
        "action": "unchanged",
        "reason": told,
    }
    said = wurzel("run", "loading:chain").stderr
    assert ("not seen" in said) is not key.startswith("cache")
    assert f"load: {told}; set cache_key, or use --force after a change" in said or key
