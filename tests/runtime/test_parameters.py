"""`--param`: a value means what the environment variable of the same text means, for every type."""

import textwrap

import pytest

from wurzel.core.loading import load_settings
from wurzel.exceptions import UsageError
from wurzel.invocation.command import encode, setting_variables
from wurzel.ir.introspect import introspect
from wurzel.project.typecheck import check_settings
from wurzel.runtime.parameters import from_environment, given_parameters, with_parameters

MODULE = """
import datetime as dt
from decimal import Decimal
from typing import Any, Literal
from steps import Word
from wurzel.core import Settings, TypedStep
from wurzel.utils import WZ

class Cfg(Settings):
    SINCE: dt.date = dt.date(2024, 1, 1)
    AT: dt.datetime | None = None
    EVERY: dt.timedelta = dt.timedelta(hours=1)
    RATE: float = 1.0
    STRICT: bool = False
    COUNT: int = 1
    NAME: str = "x"
    LEVEL: Literal[1, 2] = 1
    MODE: Literal["a", "b"] = "a"
    PRICE: Decimal = Decimal(1)
    TAGS: list[str] = []
    SET: set[int] = set()
    MAP: dict[str, int] = {}
    MAYBE: int | str = 1

class Load(TypedStep[Cfg, None, list[Word]]):
    def run(self, inpt: None) -> list[Word]:
        return []

last = WZ(Load)
"""
VALUES = [
    "SINCE=2024-02-01", 'SINCE="2024-02-01"', "AT=2024-02-01T10:00:00", "AT=null", "EVERY=90", "EVERY=PT5M", "RATE=inf",
    "RATE=1e3", "RATE=nan", "STRICT=yes", "STRICT=true", "STRICT=0", "COUNT=7", 'COUNT="7"', "COUNT= 7", "NAME=12",
    "NAME=null", 'NAME="q"', "NAME=", "LEVEL=2", "MODE=b", "PRICE=1.10", 'TAGS=["a"]', "TAGS=[]", "SET=[3, 1, 2]",
    'MAP={"a": 1}', "MAYBE=x", "MAYBE=5", "MAYBE=\u00e4\u00f6",
]  # fmt: skip


@pytest.fixture
def pipeline(project):
    root = project("chain")
    (root / "many.py").write_text(textwrap.dedent(MODULE))
    found = introspect(__import__("many").last, name="x")
    step = found.steps[0]
    settings = tuple(setting.model_copy(update={"parameter": True}) for setting in step.settings)
    return found.model_copy(update={"steps": (step.model_copy(update={"settings": settings}),)})


def loaded(environ):
    return load_settings(__import__("many").Cfg, step_id="load", class_name="Load", environ=environ)


@pytest.mark.parametrize("text", VALUES)
def test_a_value_means_what_it_means_in_the_environment(pipeline, text):
    name, _, value = text.partition("=")
    changed = with_parameters(pipeline, [f"load.{text}"], check_settings)
    given, wanted = loaded(setting_variables(changed.steps[0])), loaded({f"LOAD__{name}": value})
    assert repr(given) == repr(wanted)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("SINCE=yesterday", "Input should be a valid date or datetime, not 'yesterday' (input is too short)"),
        ("COUNT=many", "Input should be a valid integer, not 'many'"),
        ("COUNT=1.5", "Input should be a valid integer, not 1.5"),
        ("STRICT=perhaps", "Input should be a valid boolean, not 'perhaps'"),
        ("TAGS=a,b", "Input should be a valid list, not 'a,b'"),
        ("LEVEL=3", "Input should be 1 or 2, not 3"),
        ("MODE=c", "Input should be 'a' or 'b', not 'c'"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_in_one_sentence(pipeline, text, message):
    with pytest.raises(UsageError) as caught:
        with_parameters(pipeline, [f"load.{text}"], check_settings)
    assert f"--param load.{text.partition('=')[0]}: {message}" in str(caught.value)


@pytest.mark.parametrize("text", VALUES)
def test_the_variable_of_a_parameter_outranks_configuration(pipeline, text):
    name, _, value = text.partition("=")
    configured = with_parameters(pipeline, ["load.COUNT=3", "load.NAME=old"], check_settings)
    changed = from_environment(configured, {f"LOAD__{name}": value, "LOAD__OTHER": "1"}, check_settings)
    (setting,) = [setting for setting in changed.steps[0].settings if setting.name == name]
    assert setting.given
    wanted = loaded({"LOAD__COUNT": "3", "LOAD__NAME": "old"} | {f"LOAD__{name}": value})
    assert repr(loaded(setting_variables(changed.steps[0]))) == repr(wanted)


def test_variables_of_other_settings_and_equal_values_change_nothing(pipeline):
    step = pipeline.steps[0]
    closed = [one.model_copy(update={"parameter": one.name != "NAME"}) for one in step.settings]
    whole = pipeline.model_copy(update={"steps": (step.model_copy(update={"settings": tuple(closed)}),)})
    configured = with_parameters(whole, ["load.COUNT=3"], check_settings)
    assert from_environment(configured, {"LOAD__NAME": "new", "LOAD__COUNT": "3"}, check_settings) == configured


def test_a_variable_that_does_not_fit_names_itself(pipeline):
    with pytest.raises(UsageError) as caught:
        from_environment(pipeline, {"LOAD__COUNT": "many"}, check_settings)
    assert "the parameter COUNT of load: LOAD__COUNT: Input should be a valid integer, not 'many'" in str(caught.value)


def test_a_parameter_counts_as_given_only_if_its_value_is_another_than_without_it(pipeline):
    """A platform that sets the variable of each parameter sets defaults too; such a run is like one without them."""
    usual = {
        setting.variable: encode(setting.model_copy(update={"value": setting.default}))
        for setting in pipeline.steps[0].settings
        if setting.default is not None or not setting.text
    }
    assert len(usual) > 10
    assert given_parameters(pipeline, from_environment(pipeline, usual, check_settings)) == ""
    other = from_environment(pipeline, {**usual, "LOAD__COUNT": "7"}, check_settings)
    assert given_parameters(pipeline, other) != ""
    assert given_parameters(other, from_environment(other, usual, check_settings)) != ""
