"""A file of version 1 of the IR is read as the pipeline of version 2 that it was written for."""

import json
from pathlib import Path

import pytest

from wurzel.backends.registry import BUILT_IN
from wurzel.backends.rendering import render
from wurzel.exceptions import PipelineError
from wurzel.ir.model import Shards
from wurzel.ir.serialize import dump, load
from wurzel.project.jobs import Request, open_jobs
from wurzel.project.open import open_pipeline
from wurzel.render import Renderer
from wurzel.testing.variants import full_pipeline

NAMES = ["diamond:pipeline", "fanin", "hostile", "scheduled", "sharded:pipeline"]
OPTIONS = ["targets.argo.artifacts.s3.bucket=data", "image=registry.example/pipelines:1.0"]


def as_version_1(text):
    """The file as wurzel wrote it before outputs and inputs had names."""
    data = json.loads(text)
    return data | {"version": 1, "steps": [_step(step) for step in data["steps"]]}


def _step(step):
    inputs, outputs = step.pop("inputs", []), step.pop("outputs")
    return (
        step
        | ({"input": inputs[0]["type"]} if inputs else {})
        | {"output": outputs[0]["type"]}
        | ({"needs": [edge["step"] for edge in step["needs"]]} if "needs" in step else {})
        | ({"shards": step["shards"]["max"]} if "shards" in step else {})
    )


def written(data):
    Path("pipeline.json").write_text(json.dumps(data))
    return Path("pipeline.json")


def texts(path, target):
    jobs, _ = open_jobs(Request((), [target], ir=path, sets=[s for s in OPTIONS if target in s or "image" in s]))
    return {file.output.path: file.rendered.text for result in render(jobs, Renderer()) for file in result.files}


@pytest.mark.parametrize("name", NAMES)
def test_version_1_renders_to_the_same_bytes_on_every_target(project, name):
    project(name.partition(":")[0])
    text = dump(open_pipeline(name).pipeline)
    assert load(written(as_version_1(text))) == load(written(json.loads(text)))
    for target in BUILT_IN:
        old, new = texts(written(as_version_1(text)), target), texts(written(json.loads(text)), target)
        assert old == new, target
        assert old


def test_every_field_of_version_1_is_read(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    data = as_version_1(dump(full_pipeline()))
    data["steps"][0]["input"] = None
    assert load(written(data)) == full_pipeline()
    del data["steps"][1]["shards"]
    assert load(written(data)).steps[1].shards == Shards()


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("shards", True, "steps.1.shards.max"),
        ("shards", "2", "steps.1.shards.max"),
        ("needs", ["words", "words"], "'suffix' needs 'words' twice"),
        ("needs", ["join"], "these steps form a cycle: suffix >> join >> suffix"),
        ("needs", [3], "steps.1.needs.0.step"),
        ("needs", "words", "steps.1.needs"),
        ("output", None, "steps.1.outputs"),
        ("inputs", [], "steps.1.inputs: version 1 does not have this field"),
        ("when", True, "steps.1.when: version 1 does not have this field"),
    ],
)
def test_what_version_1_never_was_is_refused(tmp_path, monkeypatch, field, value, message):
    monkeypatch.chdir(tmp_path)
    data = as_version_1(dump(full_pipeline()))
    data["steps"][1][field] = value
    with pytest.raises(PipelineError) as caught:
        load(written(data))
    assert message in str(caught.value)


def test_what_is_not_a_list_of_steps_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for steps in ({}, "x", [3], [None], [[]], None):
        with pytest.raises(PipelineError):
            load(written({"version": 1, "name": "a", "steps": steps}))
