import os
import subprocess
import sys

import pytest

from wurzel.invocation.variables import (
    VARIABLE_LIMIT,
    given_value,
    missing,
    settings_digest,
    step_environment,
    too_large,
)
from wurzel.ir.model import DataType, Pipeline, SecretRef, Setting, Step

REF = SecretRef(name="s", key="k")


def setting(name, **fields):
    return Setting(name=name, variable=f"SPLIT_DE__{name}", **fields)


def pipeline(*settings, **fields):
    names = {"id": "split-de", "run": "app.steps:SplitStep", "output": DataType(contract="m:X")}
    step = Step(**names, settings=settings, **{key: fields.pop(key) for key in ("env",) if key in fields})
    if secrets := fields.pop("step_secrets", None):
        step = step.model_copy(update={"secrets": secrets})
    return Pipeline(name="rag", steps=(step,), **fields)


def digest(pipe, environ=None):
    return settings_digest(pipe, pipe.steps[0], environ or {})


def test_settings_win_over_the_step_over_the_pipeline_over_the_surroundings():
    pipe = pipeline(
        setting("SIZE", text=False, given=True, value=[1, "ä"]),
        setting("NAME", given=True, value="x"),
        setting("FREE"),
        env={"B": "step", "SPLIT_DE__NAME": "no"},
    ).model_copy(update={"env": {"A": "pipeline", "B": "pipeline"}})
    env = step_environment(pipe, pipe.steps[0], {"A": "outside", "B": "outside", "C": "outside"})
    assert env == {
        "A": "pipeline",
        "B": "step",
        "C": "outside",
        "SPLIT_DE__NAME": "x",
        "SPLIT_DE__SIZE": '[1, "ä"]',
    }


@pytest.mark.parametrize(
    "environ",
    [
        {"SPLIT_DE__DB__HOST": "x"},
        {"SPLITSTEP__DB__HOST": "x"},
        {"SPLIT_DE__DB": '{"HOST": "x"}'},
        {"SPLITSTEP__DB": '{"HOST": "x"}'},
    ],
)
def test_a_required_setting_may_come_by_several_variables(environ):
    pipe = pipeline(setting("DB__HOST", required=True))
    assert missing(pipe, environ) == []
    (problem,) = missing(pipe, {"DB__HOST": "bare variables do not count"})
    assert str(problem) == (
        "rag: step split-de: the setting DB__HOST is missing\n"
        "  Give it in wurzel.yaml under steps.split-de.settings.DB.HOST, or set SPLIT_DE__DB__HOST in the environment."
    )


def test_a_secret_is_required_unless_it_feeds_a_setting_with_a_default():
    pipe = pipeline(
        setting("KEY", secret=True, required=True),
        setting("EXTRA", secret=True),
        step_secrets={"SPLIT_DE__KEY": REF, "SPLIT_DE__EXTRA": REF},
        secrets={"TOKEN": REF},
    )
    found = [problem.message for problem in missing(pipe, {})]
    assert found == ["the secret KEY is missing", "the secret TOKEN is missing"]
    assert missing(pipe, {"SPLIT_DE__KEY": "", "TOKEN": ""}) == []


def test_what_feeds_settings_changes_the_digest():
    pipe = pipeline(setting("NAME"), setting("SIZE", text=False))
    seen = [
        digest(pipe),
        digest(pipe, {"SPLIT_DE__NAME": "a"}),
        digest(pipe, {"SPLIT_DE__NAME": "b"}),
        digest(pipe, {"SPLITSTEP__NAME": "a"}),
        digest(pipeline(setting("NAME", given=True, value="a"), setting("SIZE", text=False))),
        digest(pipeline(setting("NAME", given=True, value=None), setting("SIZE", text=False))),
        digest(pipe.model_copy(update={"env": {"X": "1"}})),
        digest(pipe.model_copy(update={"env": {"X": "2"}})),
    ]
    assert len(set(seen)) == len(seen) - 1  # given in configuration or by the surroundings: the step sees the same
    assert digest(pipe, {"OTHER": "1", "NAME": "x", "SPLIT__NAME": "y"}) == digest(pipe)


@pytest.mark.parametrize("value", ["one", "two", '{"a": 1}', "{"])
def test_the_value_of_a_secret_never_enters_a_digest(value):
    pipe = pipeline(setting("KEY", secret=True))
    assert digest(pipe, {"SPLIT_DE__KEY": value}) == digest(pipe, {"SPLIT_DE__KEY": "other"}) != digest(pipe)
    pipe = pipeline(setting("KEY"), step_secrets={"SPLIT_DE__KEY": REF, "TOKEN": REF})
    environ = {"SPLIT_DE__KEY": value, "TOKEN": value}
    assert digest(pipe, environ) == digest(pipe, {"SPLIT_DE__KEY": "other", "TOKEN": "other"})


def test_of_settings_in_one_variable_all_but_the_secret_counts():
    pipe = pipeline(setting("DB__HOST"), setting("DB__LOGIN__KEY", secret=True))

    def seen(host, key):
        return digest(pipe, {"SPLIT_DE__DB": f'{{"HOST": "{host}", "LOGIN": {{"KEY": "{key}"}}}}'})

    assert seen("a", "x") == seen("a", "y") != seen("b", "x")
    assert digest(pipe, {"SPLIT_DE__DB__LOGIN": '{"KEY": "x"}'}) == digest(
        pipe, {"SPLIT_DE__DB__LOGIN": '{"KEY": "y"}'}
    )
    assert digest(pipe, {"SPLIT_DE__DB": '{"LOGIN": "x"'}) == digest(pipe, {"SPLIT_DE__DB": '{"LOGIN": "y"'})
    assert digest(pipe, {"SPLIT_DE__DB": '{"LOGIN": "x"}'}) == digest(pipe, {"SPLIT_DE__DB": '{"LOGIN": "y"}'})


def test_the_value_a_setting_will_have():
    plain, given = setting("A", default="d"), setting("B", given=True, value="v")
    numbers = setting("N", text=False, default=[])
    pipe = pipeline(plain, given, numbers)
    env = {"SPLITSTEP__A": "class", "SPLIT_DE__B": "env", "SPLIT_DE__N": '["x"]'}
    values = [given_value(pipe.steps[0], item, env) for item in (plain, given, numbers)]
    assert values == ["class", "v", ["x"]]
    assert given_value(pipe.steps[0], plain, {}) == "d"
    assert given_value(pipe.steps[0], plain, {**env, "SPLIT_DE__A": "id"}) == "id"


def test_an_entry_of_a_secret_mapping_never_enters_a_digest():
    pipe = pipeline(setting("KEYS", secret=True, text=False))
    entry = "SPLIT_DE__KEYS__acme"
    assert digest(pipe, {entry: "one"}) == digest(pipe, {entry: "two"}) != digest(pipe)


def test_of_a_url_all_but_its_password_enters_a_digest():
    pipe = pipeline(setting("URL"), setting("DB", text=False))

    def made(url):
        return digest(pipe, {"SPLIT_DE__URL": url, "SPLIT_DE__DB": f'["{url}"]'})

    assert made("redis://u:one@h") == made("redis://u:two@h") != made("redis://u:one@other")


def starts(variables):
    """Whether the kernel starts a process with these variables."""
    try:
        return subprocess.run([sys.executable, "-c", ""], env=variables, check=False).returncode == 0
    except OSError:
        return False


@pytest.mark.skipif(sys.platform != "linux", reason="the limit is Linux's")
@pytest.mark.parametrize("over", [0, 1])
def test_the_limit_of_one_value_is_the_kernels(over):
    room = VARIABLE_LIMIT - len("SPLIT_DE__PROMPT=") - 1
    value = "ä" * (room // 2) + "x" * (room % 2) + "x" * over
    pipe = pipeline(setting("PROMPT", given=True, value=value))
    found = list(too_large(pipe, pipe.steps[0]))
    assert starts({"SPLIT_DE__PROMPT": value}) == (not over)
    assert len(found) == over
    for one in found:
        assert one.path == "steps.split-de.settings.PROMPT"
        assert f"step split-de: the setting PROMPT has {VARIABLE_LIMIT + 1} bytes as SPLIT_DE__PROMPT=" in one.message
        assert f"at most {VARIABLE_LIMIT} for one variable" in one.message


def test_all_values_together_have_a_limit():
    pipe = pipeline(*(setting(f"S{number}", given=True, value="x" * 100_000) for number in range(20)))
    (found,) = too_large(pipe, pipe.steps[0])
    assert found.path == "steps.split-de"
    assert "its 20 variables have 2000" in found.message
    assert "the largest is SPLIT_DE__S10" in found.advice or "the largest is SPLIT_DE__S0" in found.advice
    assert list(too_large(pipe, pipe.steps[0], settings=False)) == []
    fewer = pipeline(*(setting(f"S{number}", given=True, value="x" * 100_000) for number in range(18)))
    assert list(too_large(fewer, fewer.steps[0])) == []
    assert starts({**os.environ, **step_environment(fewer, fewer.steps[0], {})})


def test_a_variable_of_the_pipeline_is_named_where_it_stands():
    pipe = pipeline(env={"BIG": "x" * VARIABLE_LIMIT}).model_copy(update={"env": {"TOO": "y" * VARIABLE_LIMIT}})
    found = list(too_large(pipe, pipe.steps[0], settings=False))
    assert [one.path for one in found] == ["env.TOO", "steps.split-de.env.BIG"]
    assert "the variable TOO has" in found[0].message
