"""`wurzel run --measure` and `wurzel layout`: what steps took, and what that says of layouts and requests."""

import json
from pathlib import Path

import pytest

from tests.command import invoke as run
from wurzel.exceptions import UsageError

CONFIG = """version: 1
pipelines:
  named:
    entrypoint: named:pipeline
    defaults: {resources: {memory: 512Mi}}
    steps:
      words: {resources: {memory: 4Gi}}
    targets: {github: {layout: steps, ignore: [memory]}, dvc: {ignore: [memory]}}
"""
MEASURES = Path("named.measures.json")


@pytest.fixture
def config(project):
    project("named")
    Path("wurzel.yaml").write_text(CONFIG)


def measured(**steps):
    measures = {
        name.replace("_", "-"): {"seconds": seconds, "memory": memory} for name, (seconds, memory) in steps.items()
    }
    MEASURES.write_text(json.dumps({"pipeline": "named", "steps": measures}))


def test_a_run_writes_what_its_steps_took_and_keeps_the_rest(config):
    measured(words=(7, "9Mi"), gone=(1, "1Mi"))
    assert run("run", "-j", "2", "--only", "words", "--measure").exit_code == 0
    first = json.loads(MEASURES.read_text())["steps"]
    assert list(first) == ["words"]
    assert 0 < first["words"]["seconds"] < 7
    assert first["words"]["memory"].endswith("Mi")
    assert run("run", "-j", "2", "--measure").exit_code == 0
    assert json.loads(MEASURES.read_text())["steps"]["words"] == first["words"]  # unchanged, so it did not run
    assert len(json.loads(MEASURES.read_text())["steps"]) == 3


def test_short_jobs_are_better_shared(config):
    measured(words=(0.3, "60Mi"), suffix_de=(0.3, "60Mi"), suffix_en=(0.3, "600Mi"))
    found = run("layout").stdout
    assert "github: layout: steps is 3 jobs, 61 s of machines, 41 s from start to end" in found
    assert "below a job's start of 20 s: words, suffix-de, suffix-en" in found
    assert "layout: single would be 1 job, 21 s of machines, 21 s from start to end" in found
    (data,) = json.loads(run("layout", "--json").stdout)
    assert (data["target"], data["layout"], set(data["layouts"])) == ("github", "steps", {"steps", "single", "auto"})
    single = {"machine_seconds": 20.9, "wall_seconds": 20.6, "jobs": {"named": ["words", "suffix-de", "suffix-en"]}}
    assert data["layouts"]["single"] == single
    assert "dvc" not in found
    assert "words: memory: 4Gi requested, 60Mi at its peak; memory: 128Mi would do" in found
    assert "suffix-en: memory: 512Mi requested, 600Mi at its peak; memory: 1Gi has room for it" in found


def test_long_steps_stay_side_by_side_in_jobs_of_their_own(config):
    measured(words=(30, "60Mi"), suffix_de=(600, "400Mi"), suffix_en=(600, "400Mi"))
    Path("wurzel.yaml").write_text(CONFIG.replace("layout: steps", "layout: single"))
    found = run("layout", "-t", "github")
    assert "layout: single is 1 job, 1250 s of machines, 650 s from start to end" in found.stdout
    assert "would be" not in found.stdout


def test_without_measures_there_is_advice(config):
    refused = run("layout").exception
    assert isinstance(refused, UsageError)
    assert "wurzel run --measure" in refused.hint
    measured(words=(1, "60Mi"))
    assert "not measured: suffix-de, suffix-en" in run("layout").stderr
    MEASURES.write_text("{}")
    assert "does not contain measures" in str(run("layout").exception)
