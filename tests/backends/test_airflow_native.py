"""What Airflow has of its own: retry policies, dates of a run, schedules by assets, lineage, bounds of parameters."""

import ast
import re
from types import SimpleNamespace

import pytest

from tests.backends.test_airflow import (
    CONTAINERS,
    PODS,
    call,
    check_layout,  # noqa: F401 - a fixture
    one_step,
    problems,
    text,
)
from tests.plain import WORDS, plain_step
from wurzel.ir.model import Pipeline, Retry, Setting
from wurzel.ir.schedule import Schedule
from wurzel.ir.settings import describe

DATE = Setting(name="DAY", variable="WORDS__DAY", type="date", required=True)
TIME = Setting(name="AT", variable="WORDS__AT", type="datetime.datetime | None")
NIGHTLY = Schedule(cron="0 4 * * *", timezone="Europe/Berlin")
DATES = {"WORDS__DAY": "data_interval_end", "WORDS__AT": "logical_date"}


def macros(source):
    """The functions of a file that templates call, and the retry policy, run by themselves."""
    wanted = [node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    found = {"re": re, "pendulum": SimpleNamespace(DateTime=object), "RetryPolicy": object, "RetryDecision": Decision}
    exec(compile(ast.Module(wanted, []), "dag.py", "exec"), found)
    return found


class Decision:
    @staticmethod
    def fail(reason):
        return reason

    @staticmethod
    def default():
        return "default"


def test_what_would_fail_again_is_not_retried():
    policy = macros(text(one_step(retry=Retry(limit=2))))["RetryUnlessFinal"]()
    said = {
        "Bash command failed. The command returned a non-zero exit code 2.": "exit code 2",
        "Pod a returned a failure.\nsettings of step 'a': missing (exit code 3)": "exit code 3",
        "Docker container failed: {'StatusCode': 2}": "exit code 2",
        "Bash command failed. The command returned a non-zero exit code 1.": "default",
        "The command returned a non-zero exit code 23.": "default",
        "Docker container failed: {'StatusCode': 137}": "default",
    }
    assert {message: policy.evaluate(Exception(message), 1, 2) for message in said} == said


def test_there_is_a_policy_only_where_something_is_retried():
    assert "'retry_policy': RetryUnlessFinal()" in call(text(one_step(retry=Retry(limit=1))), "dag")["default_args"]
    assert "RetryUnlessFinal" not in text(one_step())
    assert "RetryUnlessFinal" not in text(one_step(retry=Retry(limit=1)), version="2.11")


def test_a_run_has_an_end():
    assert call(text(one_step()), "dag")["dagrun_timeout"] == "timedelta(days=1)"
    assert call(text(one_step(), dagrun_timeout="2h"), "dag")["dagrun_timeout"] == "timedelta(hours=2)"
    assert call(text(one_step({"timeout": 60}), dagrun_timeout="2h"), "dag")["dagrun_timeout"] == "timedelta(minutes=1)"


@pytest.mark.parametrize(
    ("fields", "template"),
    [({}, "bash_command.split()"), (PODS, "arguments[-1].split()"), (CONTAINERS, "command[-1].split()")],
)
def test_instances_are_named_by_their_slices(fields, template):
    steps = (*one_step().steps, plain_step(id="b", run="m:B", input=WORDS, needs=("words",), shards=2))
    source = text(Pipeline(name="p", image="x/y:1", steps=steps), **fields)
    assert ast.literal_eval(call(source, "b")["map_index_template"]) == f"{{{{ task.{template}[-1] }}}}"
    assert "map_index_template" not in call(source, "words")


def test_bounds_of_a_setting_are_rules_of_its_parameter():
    from pydantic import Field

    from wurzel.core import Settings

    class Cfg(Settings):
        SIZE: int = Field(1, ge=0, lt=10, multiple_of=1)
        NAME: str = Field("x", min_length=1, pattern="^x")
        TAGS: list[str] = Field([], max_length=3)

    found = {setting.name: setting.bounds for setting in describe(Cfg, "W__")}
    assert found["SIZE"] == {"minimum": 0, "exclusiveMaximum": 10, "multipleOf": 1}
    assert found["NAME"] == {"minLength": 1, "pattern": "^x"}
    assert found["TAGS"] == {"maxItems": 3}
    settings = tuple(setting.model_copy(update={"parameter": True}) for setting in describe(Cfg, "WORDS__"))
    params = call(text(one_step(settings=settings)), "dag")["params"]
    assert "minimum=0, exclusiveMaximum=10" in params
    assert "minLength=1" in params
    assert "maxItems=3" in params


# Dates


def test_dates_of_a_run_are_values_of_settings():
    from jinja2 import StrictUndefined
    from jinja2.sandbox import SandboxedEnvironment

    source = text(one_step({"schedule": NIGHTLY}, settings=(DATE, TIME)), dates=DATES, data_interval="1d")
    env = ast.literal_eval(call(source, "words")["env"].replace("**ENV, ", ""))
    assert call(source, "dag")["user_defined_macros"] == "{'moment': moment}"
    assert "interval=timedelta(days=1)" in call(source, "dag")["schedule"]

    class Moment:
        def __init__(self, date):
            self.date = date

        def to_date_string(self):
            return f"day of {self.date}"

        def to_iso8601_string(self):
            return f"moment of {self.date}"

    def render(name, **context):
        run = type("Run", (), {"run_after": "start"})
        template = SandboxedEnvironment(undefined=StrictUndefined).from_string(env[name])
        return template.render(moment=Moment, dag_run=run, **context)

    assert render("WORDS__DAY", data_interval_end="end") == "day of end"
    assert render("WORDS__DAY", data_interval_end=None) == render("WORDS__DAY") == "day of start"
    assert render("WORDS__AT", logical_date="then") == "moment of then"


def test_dates_name_settings_without_another_value():
    def found(setting, dates):
        return problems(one_step(settings=(setting,)), dates=dates)

    assert found(DATE, DATES)[0].count("names WORDS__AT, which is not the variable of a setting") == 1
    for fields, what in [
        ({"given": True, "value": "x"}, "set in the configuration"),
        ({"parameter": True}, "a parameter"),
        ({"secret": True}, "a secret"),
    ]:
        (problem,) = found(DATE.model_copy(update=fields), {"WORDS__DAY": "logical_date"})[:1]
        assert f"which is {what}" in problem
    assert problems(one_step(settings=(DATE,), image="x/y:1"), dates={"WORDS__DAY": "logical_date"}, **PODS) == []
    (problem,) = problems(one_step(), data_interval="1d")
    assert "without a schedule" in problem


# Assets


def test_assets_start_runs_and_are_read_by_sources():
    steps = (*one_step().steps, plain_step(id="b", run="m:B", input=WORDS, needs=("words",)))
    pipeline = Pipeline(name="p", steps=steps)
    source = text(pipeline, on_assets=["docs", "pages"])
    assert call(source, "dag")["schedule"] == "[Asset('docs'), Asset('pages')]"
    assert call(source, "words")["inlets"] == "[Asset('docs'), Asset('pages')]"
    assert "inlets" not in call(source, "b")
    assert call(text(pipeline, assets="all"), "b")["inlets"] == "[Asset('p/words')]"
    nightly = pipeline.model_copy(update={"schedule": NIGHTLY})
    schedule = call(text(nightly, on_assets=["docs"]), "dag")["schedule"]
    assert schedule.startswith("AssetOrTimeSchedule(timetable=CronTriggerTimetable('0 4 * * *',")
    old = text(nightly, on_assets=["docs"], version="2.11")
    assert "DatasetOrTimeSchedule" in call(old, "dag")["schedule"]
    assert "datasets=[Dataset('docs')]" in call(old, "dag")["schedule"]


@pytest.mark.parametrize("version", ["3", "2.11"])
def test_files_are_laid_out_as_ruff_does(check_layout, version):  # noqa: F811
    every = NIGHTLY.model_copy(update={"cron": "@every 1h"})
    fields = {"on_assets": ["docs", "x" * 90], "dates": DATES, "version": version, "assets": "all"}
    step = {"settings": (DATE, TIME), "retry": Retry(limit=1)}
    sources = [text(one_step({"schedule": one}, **step), **fields, data_interval="1d") for one in (NIGHTLY, every)]
    sources += [text(one_step({"schedule": every}), data_interval="90m", version=version)]
    sources += [text(one_step({"schedule": one}, **step), **fields) for one in (NIGHTLY, every)]
    sources += [text(one_step(**step), **fields)]
    check_layout(sources, "AIR" if version == "3" else "AIR0")
