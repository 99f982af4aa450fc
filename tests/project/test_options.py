"""Options of targets held to their models, those read here and those that only pydantic reads, with places."""

from datetime import date
from typing import Annotated, Literal

import pytest
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from wurzel.backends.options import TargetOptions
from wurzel.exceptions import ConfigError
from wurzel.ir.names import Image
from wurzel.project.options import validate_options


class Storage(BaseModel):
    model_config = ConfigDict(extra="forbid")
    bucket: str
    retain: int = Field(7, ge=1)


class Plain(TargetOptions):
    namespace: str = "default"
    version: Literal["3.6", "4.0"] = "4.0"
    image: Image | None = None
    storage: Storage | None = None
    labels: dict[str, str] = {}


class Special(Plain):
    """The same, read by pydantic."""

    port: int | str = 1
    checked: Annotated[str, AfterValidator(str.strip)] = ""
    storages: list[Storage] = []

    @model_validator(mode="after")
    def check(self):
        if self.namespace == "kube-system":
            raise ValueError("kube-system is not for pipelines")
        return self


MODELS = pytest.mark.parametrize("model", [Plain, Special])


def refused(resolved, model, options):
    with pytest.raises(ConfigError) as caught:
        validate_options(resolved(f"targets: {{local: {options}}}"), "local", model)
    return str(caught.value)


@MODELS
def test_options(resolved, model):
    options = validate_options(
        resolved(
            "targets: {local: {namespace: ml, version: 4.0, storage: {bucket: 1.10}, labels: {a: 5}, ignore: [gpu]}}"
        ),
        "local",
        model,
    )
    assert isinstance(options, model)
    assert options == model(
        namespace="ml", version="4.0", storage=Storage(bucket="1.10"), labels={"a": "5"}, ignore=("gpu",)
    )


@MODELS
def test_no_options_are_the_defaults(resolved, model):
    assert validate_options(resolved(""), "local", model) == model()
    assert validate_options(resolved("targets: {local: {namespace: null}}"), "local", model) == model()


@MODELS
@pytest.mark.parametrize(
    ("options", "messages"),
    [
        (
            "{schedule: x}",
            ["unknown key 'schedule' in targets.local", "schedule is set for the pipeline, beside targets."],
        ),
        ("{namespce: ml}", ["wurzel.yaml:5:23: unknown key 'namespce' in targets.local", "Did you mean namespace?"]),
        ("{storage: {}}", ["wurzel.yaml:5:32: targets.local.storage.bucket is missing"]),
        ("{storage: {bucket: a, retian: 1}}", ["wurzel.yaml:5:44: unknown key 'retian'", "Did you mean retain?"]),
        ("{storage: {bucket: a, retain: 0}}", ["wurzel.yaml:5:52: targets.local.storage.retain"]),
        ("{storage: {bucket: a, retain: many}}", ["wurzel.yaml:5:52: targets.local.storage.retain", "'many'"]),
        ("{version: 3.5}", ["wurzel.yaml:5:32: targets.local.version", "3.5"]),
        ("{image: Nope}", ["wurzel.yaml:5:30: targets.local.image", "'Nope' is not an image"]),
        ("{a: 1, b: 2}", ["wurzel.yaml:5:23: unknown key 'a'", "wurzel.yaml:5:29: unknown key 'b'"]),
    ],
)
def test_options_that_do_not_fit(resolved, model, options, messages):
    found = refused(resolved, model, options)
    assert [message for message in messages if message not in found] == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("{namespace: kube-system}", "wurzel.yaml:5:22: targets.local: kube-system is not for pipelines"),
        ("{port: [1]}", "wurzel.yaml:5:29: targets.local.port: "),
        (
            "{storages: [{bucket: a}, {bukket: b}]}",
            "wurzel.yaml:5:48: unknown key 'bukket' in targets.local.storages.1",
        ),
    ],
)
def test_what_only_pydantic_finds(resolved, options, message):
    assert message in refused(resolved, Special, options)


def test_an_option_of_the_command_line_has_its_place_too(resolved):
    with pytest.raises(ConfigError, match=r"--set targets\.local\.namespce: unknown key 'namespce' in"):
        validate_options(resolved("", "targets.local.namespce=a"), "local", Plain)


class Dated(TargetOptions):
    start: date = date(2024, 1, 1)
    note: str = ""


def test_fields_that_only_pydantic_reads_cost_nothing_until_they_are_given(resolved):
    options = validate_options(resolved("targets: {local: {note: a}}"), "local", Dated)
    assert options == Dated.model_construct(start=date(2024, 1, 1), note="a")
    assert not Dated.__pydantic_complete__, "no validator is built, which is a tenth of a cold render"
    options = validate_options(resolved("targets: {local: {note: b, start: '2025-02-03'}}"), "local", Dated)
    assert options == Dated(start=date(2025, 2, 3), note="b")
    assert "targets.local.start" in refused(resolved, Dated, "{start: never}")


class Trimmed(TargetOptions):
    label: Annotated[str, AfterValidator(str.strip)] = Field(" a ", validate_default=True)


def test_defaults_that_are_to_be_validated_are(resolved):
    assert validate_options(resolved("targets: {local: {}}"), "local", Trimmed).label == "a"
