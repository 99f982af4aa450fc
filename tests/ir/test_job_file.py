"""What jobs read of a pipeline: all that decides what they do, and nothing of what only renderers read."""

import json
from hashlib import sha256
from pathlib import Path

import pytest

from wurzel.exceptions import PipelineError
from wurzel.invocation.command import step_argv
from wurzel.invocation.digests import FileDigests
from wurzel.invocation.fingerprint import Fingerprints
from wurzel.invocation.layout import layout_digest
from wurzel.invocation.variables import needs, step_environment
from wurzel.ir.model import Retry
from wurzel.ir.pods import Resources
from wurzel.ir.serialize import digest_of, dump_for_jobs, parse
from wurzel.project.open import open_pipeline
from wurzel.render.header import sign
from wurzel.testing.variants import full_pipeline

LEFT_OUT = {
    "entrypoint", "description", "image", "schedule", "service_account", "labels", "annotations", "variables",
    "sources", "group", "limits", "node_selector", "tolerations", "type", "priority", "volumes", "env_from",
}  # fmt: skip


def read_back(pipeline):
    return parse(dump_for_jobs(pipeline).encode(), "pipeline.json")


def with_step(pipeline, number, **changed):
    steps = list(pipeline.steps)
    steps[number] = steps[number].model_copy(update=changed)
    return pipeline.model_copy(update={"steps": tuple(steps)})


@pytest.mark.parametrize("name", ["fanout", "hostile", "named", "outputs", "scheduled", "sources"])
def test_jobs_run_the_same_commands_with_the_same_variables_and_fingerprints(name, project):
    folder = project(name)
    pipeline = open_pipeline(None if Path("wurzel.yaml").exists() else f"{name}:pipeline").pipeline
    read = read_back(pipeline)
    assert layout_digest(read) == layout_digest(pipeline)
    assert (read.parallelism, read.timeout, read.env_ignored) == (
        pipeline.parallelism, pipeline.timeout, pipeline.env_ignored,
    )  # fmt: skip
    assert [need.variables for need in needs(read)] == [need.variables for need in needs(pipeline)]
    digests = FileDigests(folder / "digests")
    whole, part = (Fingerprints(one, digests, root=folder, environ={}) for one in (pipeline, read))
    for before, after in zip(pipeline.steps, read.steps, strict=True):
        assert step_argv(read, after) == step_argv(pipeline, before)
        assert step_environment(read, after, {}) == step_environment(pipeline, before, {})
        data = {(edge.step, edge.output): edge.step for edge in before.needs}
        assert part.of(after, data) == whole.of(before, data)
        kept = ("retry", "timeout", "shards", "resources", "polls", "self_consuming", "cache", "when", "secrets")
        assert [getattr(after, field) for field in kept] == [getattr(before, field) for field in kept]


def test_what_only_renderers_read_is_left_out():
    pipeline = full_pipeline()
    assert all(f'"{name}"' in pipeline.model_dump_json() for name in LEFT_OUT)
    written = json.loads(dump_for_jobs(pipeline))
    names = {*written, *written.get("defaults", ()), *(name for step in written["steps"] for name in step)}
    settings = {name for step in written["steps"] for setting in step.get("settings", ()) for name in setting}
    assert LEFT_OUT.isdisjoint(names | settings)
    assert {"parallelism", "env", "secrets", "retry", "timeout", "shards", "resources"} <= names


def test_there_is_a_line_for_each_step_and_no_sign_that_an_engine_would_expand():
    pipeline = with_step(full_pipeline(), 0, env={"A": "{{workflow.uid}} $(B) ${C} \\{ {%raw%}", "B": 'a "{"'})
    text = dump_for_jobs(pipeline)
    assert [line.partition('"id": ')[2].partition(",")[0] for line in text.splitlines()[1:-1]] == [
        '"words"', '"suffix"', '"join"',
    ]  # fmt: skip
    assert not {"{{", "$", "{%"} & {text[at : at + size] for size in (1, 2) for at in range(len(text))}
    assert read_back(pipeline).steps[0].env == pipeline.steps[0].env


@pytest.mark.parametrize(
    ("timeouts", "defaults"),
    [((60, 60, 60), {"timeout": 60}), ((5, 60, 60), {"timeout": 60}), ((60, 60, None), {}), ((5, 6, 7), {})],
)
def test_what_most_steps_have_is_written_once_if_all_have_it(timeouts, defaults):
    pipeline = full_pipeline()
    for number, timeout in enumerate(timeouts):
        update = {"timeout": timeout, "retry": Retry(), "resources": Resources()}
        pipeline = with_step(pipeline, number, **update)
    written = json.loads(dump_for_jobs(pipeline))
    assert written.get("defaults", {}) == defaults
    assert [step.get("timeout") for step in written["steps"]] == [
        None if value in defaults.values() else value for value in timeouts
    ]
    assert tuple(step.timeout for step in read_back(pipeline).steps) == timeouts


@pytest.mark.parametrize(("defaults", "place"), [({"image": "x"}, "defaults.image"), ([], "defaults")])
def test_other_defaults_are_refused(defaults, place):
    written = {**json.loads(dump_for_jobs(full_pipeline())), "defaults": defaults}
    with pytest.raises(PipelineError, match=f"{place}: may only have resources, retry, timeout"):
        parse(json.dumps(written).encode(), "ir.json")


def test_a_description_and_an_image_change_nothing():
    pipeline = full_pipeline()
    other = with_step(pipeline, 1, description="Other words.", image="acme/other:2")
    assert dump_for_jobs(other) == dump_for_jobs(pipeline)
    assert dump_for_jobs(with_step(pipeline, 1, timeout=5)) != dump_for_jobs(pipeline)


def test_the_header_of_a_rendered_file_does_not_count():
    text = "{\n" + dump_for_jobs(full_pipeline())[1:]
    signed = sign(text, command="wurzel render rag -t airflow", source="m:rag", template="airflow/ir.json.j2")
    assert signed != text
    assert parse(signed.encode(), "ir.json") == read_back(full_pipeline())
    assert digest_of(signed.encode()) == digest_of(text.encode()) == sha256(text.encode()).hexdigest()
    assert digest_of(signed.replace('"steps"', ' "steps"').encode()) != digest_of(text.encode())


def test_half_of_a_surrogate_pair_is_escaped():
    """So that the text has bytes whose digest jobs compare; a template refuses such a value where it writes it."""
    text = dump_for_jobs(full_pipeline().model_copy(update={"env": {"A": "x\ud800y"}}))
    assert json.loads(text.encode())["env"] == {"A": "x\ud800y"}
