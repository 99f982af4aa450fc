"""From PIPELINE to the resolved pipeline: names, entrypoints, and what is said when there is none."""

import sys

import pytest

from wurzel.exceptions import ConfigError, PipelineError, UsageError
from wurzel.project.open import open_pipeline, open_project, pipeline_names

STEPS = """\
from pydantic import Field, SecretStr
from wurzel.core import Settings, TypedStep
from wurzel.datacontract import PydanticModel
from wurzel.utils import WZ

class Doc(PydanticModel):
    text: str

class LoadSettings(Settings):
    COUNT: int = Field(1, ge=0)
    TOKEN: SecretStr = SecretStr("")

class Load(TypedStep[LoadSettings, None, list[Doc]]):
    timeout = "5m"
    def run(self, inpt: None) -> list[Doc]:
        return []

def rag_de():
    return WZ(Load)

Other = WZ(Load)
ä = WZ(Load)
"""
CONFIG = """\
version: 1
pipelines:
  nightly: {entrypoint: "shop.flows:rag_de", steps: {load: {settings: {COUNT: 3}}}}
  other: {entrypoint: shop.flows.Other}
environments:
  prod: {pipelines: {nightly: {steps: {load: {timeout: null}}}, other: }}
"""


@pytest.fixture
def shop(tmp_path, monkeypatch):
    """A project in a package; importable because it is the current folder."""
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "__init__.py").write_text("")
    (tmp_path / "shop" / "flows.py").write_text(STEPS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    for name in ("shop", "shop.flows"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return tmp_path


@pytest.fixture
def configured(shop):
    (shop / "wurzel.yaml").write_text(CONFIG)
    return shop


@pytest.mark.parametrize("name", ["shop.flows:rag_de", "shop.flows.rag_de"])
def test_an_entrypoint_needs_no_configuration(shop, name):
    resolved = open_pipeline(name, sets=["image=a"])
    assert (resolved.pipeline.name, resolved.pipeline.entrypoint) == ("rag-de", "shop.flows:rag_de")
    assert resolved.pipeline.image == "a"
    assert resolved.pipeline.steps[0].timeout == 300
    assert resolved.locate("steps.load.timeout") == "shop.flows:Load.timeout"
    assert open_project() is None
    assert pipeline_names() == []


def test_the_attribute_in_kebab_case_is_the_name(shop):
    assert open_pipeline("shop.flows:Other").pipeline.name == "other"
    with pytest.raises(UsageError, match="'ä' cannot be turned into a pipeline name"):
        open_pipeline("shop.flows:ä")
    with pytest.raises(UsageError, match=r"'shop\.flows:' does not name a pipeline"):
        open_pipeline("shop.flows:")


def test_a_name_of_the_configuration(configured):
    resolved = open_pipeline("nightly")
    assert resolved.pipeline.name == "nightly"
    assert resolved.pipeline.steps[0].settings[0].value == 3
    assert pipeline_names() == ["nightly", "other"]


def test_an_entrypoint_that_is_configured_is_that_pipeline(configured):
    assert open_pipeline("shop.flows:rag_de").pipeline.name == "nightly"
    assert open_pipeline("shop.flows:Other").pipeline.name == "other"
    (configured / "wurzel.yaml").write_text(CONFIG.replace("shop.flows.Other", "shop.flows:rag_de"))
    with pytest.raises(UsageError, match="is the entrypoint of nightly, other"):
        open_pipeline("shop.flows:rag_de")


def test_a_module_that_is_not_there_is_looked_for_by_its_line(configured):
    with pytest.raises(PipelineError, match=r"^there is no module 'shop\.flow'"):
        open_pipeline("shop.flow:rag_de")
    (configured / "wurzel.yaml").write_text(CONFIG.replace("shop.flows.Other", "shop.flow.Other"))
    with pytest.raises(PipelineError, match=r"^wurzel\.yaml:4:23: there is no module 'shop\.flow'"):
        open_pipeline("other")


def test_an_environment(configured):
    assert open_pipeline("nightly", "prod").pipeline.steps[0].timeout is None
    with pytest.raises(UsageError, match=r"unknown pipeline 'other'\n  Pipelines: nightly"):
        open_pipeline("other", "prod")


def test_unknown_names(configured, monkeypatch):
    with pytest.raises(UsageError, match=r"unknown pipeline 'nightli'\n  Did you mean nightly\?"):
        open_pipeline("nightli")
    with pytest.raises(UsageError, match="It is a step of nightly: wurzel run nightly --only load"):
        open_pipeline("load")
    (configured / "sub").mkdir()
    monkeypatch.chdir(configured / "sub")
    with pytest.raises(UsageError, match=r"There is no wurzel\.yaml here\. The nearest one is in"):
        open_pipeline("nightly")


def test_names_for_completion_are_never_an_error(configured):
    (configured / "wurzel.yaml").write_text("version: [")
    assert pipeline_names() == []


def test_given_settings_are_held_to_their_types(configured):
    with pytest.raises(ConfigError) as caught:
        open_pipeline("nightly", sets=["steps.load.settings.COUNT=-2"])
    assert str(caught.value).startswith("--set steps.load.settings.COUNT: steps.load.settings.COUNT: Input should be")


@pytest.mark.parametrize(
    "entry",
    [
        "steps: {load: {settings: {TOKEN: MARKER}}}",
        "env: {LOAD__TOKEN: MARKER}",
        "steps: {load: {env: {LOAD__TOKEN: MARKER}}}",
        "secrets: {A: MARKER}",
        "secrets: {A: {name: [MARKER], key: b}}",
        "secrets: {A: {name: a, key: MARKER !}}",
        "steps: {load: {secrets: {TOKEN: [MARKER]}}}",
        "env: {URL: 'https://me:MARKER@h.example'}",
    ],
)
def test_no_message_shows_a_secret(configured, entry):
    text = f"version: 1\npipelines: {{nightly: {{entrypoint: shop.flows.rag_de, {entry}}}}}"
    (configured / "wurzel.yaml").write_text(text.replace("MARKER", "m4rk3rvalue"))
    with pytest.raises(ConfigError) as caught:
        open_pipeline("nightly")
    assert "m4rk3rvalue" not in str(caught.value)
    assert "wurzel.yaml:2:" in str(caught.value)
