"""Whatever `wurzel.yaml` says: it is read and rendered, or refused with places; there is no traceback."""

import json
import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.hostility.budget import examples
from tests.hostility.mutations import garbled, mutated, written
from wurzel.backends.registry import BUILT_IN, get
from wurzel.backends.rendering import render
from wurzel.exceptions import ConfigError, WurzelError
from wurzel.ir.serialize import dump
from wurzel.project.jobs import Request, open_jobs
from wurzel.project.load import load
from wurzel.render import Renderer
from wurzel.testing.variants import full_pipeline

RENDERER = Renderer()
PIPELINES = Path(__file__).parents[1] / "pipelines"


def said():
    """A configuration that says something of everything, for a pipeline that is there as an IR file."""
    everything = json.loads(dump(full_pipeline()))
    facts = {"version", "name", "steps"}
    step = next(step for step in everything["steps"] if step["id"] == "suffix")
    own = {"id", "run", "description", "needs", "inputs", "outputs", "sources", "settings"}
    asked = {key: value for key, value in step.items() if key not in own}
    targets = {}
    for target in BUILT_IN:
        options = get(target).options_model().model_dump(mode="json")
        targets[target] = {key: value for key, value in options.items() if value is not None}
    pipeline = {
        **{key: value for key, value in everything.items() if key not in facts},
        "entrypoint": "pipelines:everything",
        "defaults": {key: value for key, value in asked.items() if key != "shards"},
        "steps": {"suffix": {**asked, "settings": {"SUFFIX": "?", "TIMES": 3}, "parameters": ["SUFFIX"]}},
        "targets": targets,
    }
    overlay = {"image": "registry.example/words:2.0", "targets": {"argo": {"namespace": "prod"}}}
    return {
        "version": 1,
        "pipelines": {everything["name"]: pipeline},
        "environments": {"prod": {"pipelines": {everything["name"]: overlay}}},
    }


@pytest.fixture(scope="module")
def project():
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        Path("pipeline.json").write_text(dump(full_pipeline()))
        yield
        os.chdir(before)


def check(error):
    """The error is one for the user, with a text that can be printed and places that can be found."""
    str(error).encode()
    assert error.exit_code == 2
    if isinstance(error, ConfigError):
        assert all(problem.where for problem in error.problems), str(error)


def rendered(data):
    Path("wurzel.yaml").write_bytes(data)
    for environment in (None, "prod"):
        for target in BUILT_IN:
            try:
                jobs, _ = open_jobs(Request((), [target], environment, ir=Path("pipeline.json")))
                render(jobs, RENDERER)
            except WurzelError as error:
                check(error)


def test_what_the_changes_start_from_is_rendered(project):
    Path("wurzel.yaml").write_bytes(written(said()))
    for target in BUILT_IN:
        jobs, _ = open_jobs(Request((), [target], "prod", ir=Path("pipeline.json")))
        assert render(jobs, RENDERER)[0].files


@examples(25)
@given(st.data())
def test_a_changed_file_is_rendered_or_refused(project, data):
    rendered(written(data.draw(mutated(said()))))


@examples(150)
@given(st.data())
def test_garbled_bytes_are_read_or_refused(project, data):
    names = sorted(path.name for path in PIPELINES.glob("*.yaml"))
    text = (PIPELINES / data.draw(st.sampled_from(names))).read_bytes()
    Path("wurzel.yaml").write_bytes(data.draw(garbled(text)))
    try:
        load(Path("wurzel.yaml"))
    except WurzelError as error:
        check(error)
