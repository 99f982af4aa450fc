"""What is dumped without pydantic is what pydantic would dump."""

import json

import pytest

from tests.conftest import EXAMPLES
from wurzel.ir.json_form import json_form
from wurzel.ir.model import Edge, Store
from wurzel.project.open import open_pipeline
from wurzel.testing.variants import full_pipeline


def models(pipeline):
    yield pipeline
    for step in pipeline.steps:
        yield from (step, *step.inputs, *step.outputs, *step.needs, *step.settings)


def check(pipeline):
    for model in models(pipeline):
        expected = model.model_dump(mode="json", exclude_defaults=True)
        assert json.dumps(json_form(model)) == json.dumps(expected)
        assert json.dumps(json_form(model, without={"id", "name"})) == json.dumps(
            model.model_dump(mode="json", exclude_defaults=True, exclude={"id", "name"})
        )
        text = json.dumps(json_form(model, defaults=True), ensure_ascii=False, separators=(",", ":"))
        assert text == model.model_dump_json()


@pytest.mark.parametrize("name", EXAMPLES)
def test_examples_are_dumped_as_pydantic_does(project, name):
    folder = project(name)
    check(open_pipeline(name if (folder / "wurzel.yaml").exists() else f"{name}:pipeline").pipeline)


def test_every_field_is_dumped_as_pydantic_does():
    full = full_pipeline()
    check(full.model_copy(update={"store": Store(url="s3://acme/x")}))


def test_what_is_no_json_is_an_error():
    with pytest.raises(TypeError, match="set is not a type of the IR"):
        json_form(Edge.model_construct(step={"a"}))
