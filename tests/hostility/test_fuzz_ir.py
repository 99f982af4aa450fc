"""Whatever an IR file says: `--from-ir` renders it for every target or refuses it; there is no traceback."""

import json
import os
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.hostility.budget import examples
from tests.hostility.mutations import garbled, mutated, written
from tests.render.hostile import values
from wurzel.backends.registry import BUILT_IN
from wurzel.backends.rendering import render
from wurzel.exceptions import WurzelError
from wurzel.ir.serialize import dump
from wurzel.project.jobs import Request, open_jobs
from wurzel.project.open import open_pipeline
from wurzel.render import Renderer
from wurzel.render.header import sign
from wurzel.render.output import File, plan
from wurzel.testing.variants import full_pipeline

NAMES = ["hostile", "named", "scheduled", "sharded", "credentials"]


@pytest.fixture(scope="module")
def documents():
    """IR of pipelines that use everything there is, as JSON values."""
    before = Path.cwd()
    found = [json.loads(dump(full_pipeline()))]
    folder = Path(__file__).parents[1] / "pipelines"
    sys.path.insert(0, str(folder))
    try:
        with tempfile.TemporaryDirectory() as scratch:
            os.chdir(scratch)
            for name in NAMES:
                config = folder / f"{name}.yaml"
                Path("wurzel.yaml").write_bytes(config.read_bytes() if config.exists() else b"version: 1\n")
                found.append(json.loads(dump(open_pipeline(name if config.exists() else f"{name}:pipeline").pipeline)))
    finally:
        os.chdir(before)
        sys.path.remove(str(folder))
        for path in Path(folder).glob("*.py"):
            sys.modules.pop(path.stem, None)
    return found


RENDERER = Renderer()


def check(error):
    """The error is one for the user, with a text that can be printed."""
    str(error).encode()
    assert error.exit_code == 2


def rendered(data):
    """What rendering the file for every target gives: paths, or the refusal."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "pipeline.json")
        path.write_bytes(data)
        for target in BUILT_IN:
            try:
                jobs, _ = open_jobs(Request((), [target], ir=path))
                results = render(jobs, RENDERER)
            except WurzelError as error:
                check(error)
                continue
            files = [
                File(file.output.path, sign(file.rendered.text, command=file.job.command, source="x"))
                for result in results
                for file in result.files
            ]
            plan(folder, files)


@examples(150)
@given(st.data())
def test_a_changed_ir_file_is_rendered_or_refused(documents, data):
    rendered(written(data.draw(mutated(data.draw(st.sampled_from(documents))))))


@examples(100)
@given(st.data())
def test_garbled_bytes_are_rendered_or_refused(documents, data):
    rendered(data.draw(garbled(written(data.draw(st.sampled_from(documents))))))


@examples(60)
@given(st.one_of(values, values.map(lambda value: {"version": 2, "name": "a", "steps": value})))
def test_any_json_is_refused(value):
    rendered(written(value))
