import os
import subprocess
import sys

import pytest

from tests.plain import plain_step
from wurzel.invocation.command import step_argv
from wurzel.invocation.variables import (
    VARIABLE_LIMIT,
    missing,
    step_environment,
    too_large,
)
from wurzel.ir.model import DataType, Pipeline, SecretRef, Setting

REF = SecretRef(name="s", key="k")


def setting(name, **fields):
    return Setting(name=name, variable=f"SPLIT_DE__{name}", **fields)


def pipeline(*settings, **fields):
    names = {"id": "split-de", "run": "app.steps:SplitStep", "output": DataType(contract="m:X")}
    step = plain_step(**names, settings=settings, **{key: fields.pop(key) for key in ("env",) if key in fields})
    if secrets := fields.pop("step_secrets", None):
        step = step.model_copy(update={"secrets": secrets})
    return Pipeline(name="rag", steps=(step,), **fields)


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


def test_secrets_are_missing_once_and_where_no_variable_gives_them():
    one = pipeline(secrets={"TOKEN": REF}).steps[0]
    other = one.model_copy(update={"id": "other", "env": {"TOKEN": "x"}})
    found = [problem.message for problem in missing(Pipeline(name="p", steps=(one, other), secrets={"TOKEN": REF}), {})]
    assert found == ["the secret TOKEN is missing"]


def test_a_command_names_what_no_variable_can_say():
    settings = [
        setting("NONE", given=True),
        setting("NAME", given=True, value="x"),
        setting("KEY", secret=True, given=True),
    ]
    pipe = pipeline(*settings, step_secrets={"SPLIT_DE__KEY": REF}, secrets={"DATABASE": REF, "API_TOKEN": REF})
    words = step_argv(pipe, pipe.steps[0], inputs=[], output="out")
    assert words == [
        *[
            "wurzel",
            "step",
            "app.steps:SplitStep",
            "--id",
            "split-de",
            "-o",
            "out",
            "--null",
            "NONE",
            "--secret",
            "DATABASE",
        ]
    ]


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
