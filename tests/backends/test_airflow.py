import ast
import builtins
import keyword
import subprocess
import sys
from copy import deepcopy
from pathlib import Path

import pytest

from tests.conftest import EXAMPLES
from tests.plain import WORDS, plain_step
from wurzel.backends.airflow import AirflowBackend
from wurzel.backends.airflow.dag import dag, with_triggers
from wurzel.backends.airflow.environment import literal, template
from wurzel.backends.airflow.layout import span
from wurzel.backends.airflow.names import variables
from wurzel.backends.airflow.options import AirflowOptions
from wurzel.backends.airflow.parts import Span
from wurzel.backends.airflow.validation import validate
from wurzel.backends.job import Job
from wurzel.backends.rendering import render
from wurzel.backends.support import unsupported_uses
from wurzel.ir.model import (
    Edge,
    InputPort,
    OnFailure,
    OutputPort,
    Pipeline,
    Retry,
    SecretRef,
    Setting,
    Shards,
    Step,
    Triggers,
)
from wurzel.ir.pods import Resources, Volume
from wurzel.ir.schedule import Schedule
from wurzel.project.jobs import Request, open_jobs
from wurzel.render import Renderer
from wurzel.testing import check_backend, full_pipeline

RENDERER = Renderer()
PODS = {"operator": "kubernetes", "kubernetes": {"claim": "rag"}}
CONTAINERS = {
    "operator": "docker",
    "docker": {"mounts": [{"source": "/srv/data", "target": "/wurzel"}]},
}


def one_step(pipeline=None, **fields):
    step = plain_step(**{"id": "words", "run": "steps:Words", "output": WORDS, **fields})
    return Pipeline(**{"name": "p", "steps": (step,), **(pipeline or {})})


def options(**fields):
    return AirflowOptions.model_validate(fields)


def text(pipeline, **fields):
    (result,) = render([Job(pipeline, "airflow", options(**fields), "")], RENDERER)
    return result.files[0].rendered.text


@pytest.mark.parametrize("target", [None, "everyone"])
def test_the_account_of_the_target_wins_over_that_of_a_step_over_that_of_the_pipeline(target):
    kubernetes = {"claim": "rag", "service_account": target}
    ours = {"service_account": "ours", "image": "acme/words:1"}
    pipeline = one_step(ours, service_account="own")
    found = call(text(pipeline, operator="kubernetes", kubernetes=kubernetes), "words")
    assert found["service_account_name"] == repr(target or "own")
    found = call(text(one_step(ours), **PODS), "words")
    assert found["service_account_name"] == "'ours'"


def call(source, name):
    """Keyword arguments of the call that is assigned to `name` (of `DAG(…)` for `dag`), as source."""
    for node in ast.walk(ast.parse(source)):
        if name == "dag" and isinstance(node, ast.With) and ast.unparse(node.items[0].context_expr.func) == "DAG":
            return {key.arg: ast.unparse(key.value) for key in node.items[0].context_expr.keywords}
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name and isinstance(node.value, ast.Call):
            found = {key.arg: ast.unparse(key.value) for key in node.value.keywords}
            inner = node.value.func
            if isinstance(inner, ast.Attribute) and inner.attr == "expand":
                found |= {key.arg: ast.unparse(key.value) for key in inner.value.keywords}
            return found
    raise AssertionError(f"no {name} in\n{source}")


def problems(pipeline, **fields):
    return [str(problem) for problem in AirflowBackend().preflight(pipeline, options(**fields))]


@pytest.mark.parametrize("fields", [{}, PODS, CONTAINERS, {"version": "2.11"}], ids=["bash", "pods", "docker", "2.11"])
def test_every_field_of_a_pipeline_changes_the_file_or_is_reported(fields):
    assert check_backend("airflow", **fields) > 30


# Layout


@pytest.fixture
def check_layout(tmp_path):
    """Hold sources to `ruff format`, at its own and at a wide line length, to isort and to the rules for Airflow."""
    ruff = str(Path(sys.executable).with_name("ruff"))

    def check(sources, rules="AIR"):
        folder = tmp_path / "layout"
        folder.mkdir()
        for number, source in enumerate(sources):
            (folder / f"dag_{number}.py").write_text(source, encoding="utf-8")
        formats = [["format", "--isolated", "--diff", "--line-length", width] for width in ("88", "120")]
        for command in [*formats, ["check", "--isolated", "--select", f"E4,E7,E9,F,I,{rules}"]]:
            done = subprocess.run([ruff, *command, str(folder)], capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stdout + done.stderr

    return check


@pytest.mark.parametrize("name", EXAMPLES)
def test_examples_are_laid_out_as_ruff_does(project, check_layout, name):
    folder = project(name)
    pipeline = name if (folder / "wurzel.yaml").exists() else f"{name}:pipeline"
    jobs, _ = open_jobs(Request([pipeline], ["airflow"]))
    (result,) = render(jobs, Renderer())
    check_layout([file.rendered.text for file in result.files if file.output.path.endswith(".py")])


EVERYTHING = {
    "task_groups": "always",
    "keep_days": 30,
    "fail_fast": True,
    "paused": False,
    "owner": "data",
    "pool": "p",
    "queue": "q",
    "on_failure": "acme.alerts:notify",
    "assets": "all",
    "steps": {"suffix": {"pool": "gpu", "pool_slots": 2, "queue": "x", "priority_weight": 3}},
}
POD_EVERYTHING = {
    "claim": "rag",
    "namespace": "ml",
    "service_account": "everyone",
    "image_pull_policy": "Always",
    "image_pull_secrets": ["registry"],
    "volumes": [
        {"name": "cache", "mount_path": "/cache", "claim": {"name": "cache"}, "steps": ["suffix"]},
        {"name": "etc", "mount_path": "/etc/acme", "config_map": {"name": "acme"}},
    ],
    "env_from": [{"config_map": "common"}, {"secret": "more", "prefix": "X_"}],
    "priority_class": "high",
    "deferrable": True,
    "connection": "cluster",
    "in_cluster": True,
}
DOCKER_EVERYTHING = CONTAINERS["docker"] | {
    "url": "tcp://docker:2375",
    "connection": "registry",
    "network": "bridge",
    "user": "1000",
    "working_dir": "/app",
}


@pytest.mark.parametrize("version", ["3", "2.11"])
def test_every_option_is_laid_out_as_ruff_does(check_layout, version):
    operators = [
        {},
        {"operator": "kubernetes", "kubernetes": POD_EVERYTHING},
        {"operator": "docker", "docker": DOCKER_EVERYTHING},
    ]
    sources = [text(full_pipeline(), version=version, **fields, **EVERYTHING) for fields in operators]
    check_layout(sources, "AIR" if version == "3" else "AIR0")


def test_long_and_reserved_names_are_laid_out_as_ruff_does(check_layout):
    ids = [f"{'a' * 55}-{number}" for number in range(4)]
    sources = [plain_step(id=name, run="steps:Words", output=WORDS) for name in [*ids[:3], "filter", "2nd", "import"]]
    join = plain_step(id=ids[3], run="steps:Join", output=WORDS, needs=tuple(ids[:3]))
    last = plain_step(id="z" * 63, run="steps:Join", output=WORDS, needs=(ids[3],), shards=2)
    mapped = plain_step(id="map", run="steps:Join", output=WORDS, needs=("filter",), shards=2)
    many = [
        plain_step(id=f"{'b' * 40}-{number}", run="steps:Join", output=WORDS, needs=("import",)) for number in range(3)
    ]
    source = text(Pipeline(name="p" * 63, steps=(*sources, join, last, mapped, *many)))
    check_layout([source])
    nodes = ast.walk(ast.parse(source))
    lists = [node for node in nodes if isinstance(node, ast.BinOp) and isinstance(node.op, ast.RShift)]
    assert len(lists) == 6
    assert not any(isinstance(node.left, ast.List) and isinstance(node.right, ast.List) for node in lists)


HOSTILE = [
    'it\'s "both" "twice"',
    '"',
    "'",
    "\\",
    "\\n",
    "{{ run_id }} {% raw %} {# c #}",
    "line one\nline two\n",
    "a\r\nb",
    "\x1b\x7f\u2028\ufeff\U0001f331",
    "ends in.sh",
    " ",
    "x" * 200,
    "${x} $(x) $$ %(a)s {0}",
]


def test_any_text_is_laid_out_as_ruff_does(check_layout):
    sources = []
    for value in HOSTILE:
        pipeline = one_step(
            {"description": value, "env": {"A": value}, "annotations": {"a": value}, "image": "x/y:1"},
            description=value,
        )
        sources += [text(pipeline), text(pipeline, **PODS)]
        assert ast.literal_eval(call(sources[-1], "dag")["description"]) == value
    check_layout(sources)


# Text that Airflow would read as a template


@pytest.mark.parametrize(
    "value", ["{{ x }}", "{% x %}", "{# x #}", "end\n", "a\rb", "x.sh", "x.bash", "x.env", "x.json", "a {{{ b"]
)
def test_text_that_airflow_would_change_is_literal(value):
    assert literal(value).literal
    source = text(one_step(env={"A": value}))
    assert f"'A': literal({value!r})" in call(source, "words")["env"]
    assert "literal" in source.partition("ENV")[0]


@pytest.mark.parametrize("value", ["", "a b", "{ x }", "100% }}", "a\nb", "a.shx", 'it\'s "x"', "$HOME `id`", "\u2028"])
def test_other_text_stands_as_it_is(value):
    assert not literal(value).literal
    source = text(one_step(env={"A": value}))
    assert f"'A': {value!r}" in call(source, "words")["env"]
    assert "literal" not in source


def test_a_template_gives_its_text():
    from jinja2 import Environment

    for value in ["{{ x }}", "{%", "a{#b", "{{{", "{", "}}", "{{ '{' }}", "it's"]:
        assert Environment(autoescape=False).from_string(template(value)).render() == value


def test_nothing_a_user_writes_stands_in_a_command():
    hostile = "{{ x }}'; touch pwned #"
    pipeline = one_step(
        {"data_dir": f"d {hostile}", "description": hostile, "env": {"A": hostile}},
        env={"B": hostile},
        description=hostile,
        settings=(Setting(name="S", variable="WORDS__S", given=True, value=hostile),),
    )
    arguments = call(text(pipeline), "words")
    assert ast.literal_eval(arguments["bash_command"]) == 'wurzel step steps:Words --id words -o "$WURZEL_RUN/words"'
    assert arguments["env"].count("literal(") == 2


def test_the_command_is_quoted_for_a_shell():
    source = text(one_step(), command=["/opt/it's here/python", "-m", "wurzel"])
    command = ast.literal_eval(call(source, "words")["bash_command"])
    done = subprocess.run(
        ["bash", "-c", f"printf '%s\\n' {command}"],
        env={"WURZEL_RUN": "a b"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines() == [
        "/opt/it's here/python",
        *["-m", "wurzel", "step", "steps:Words", "--id", "words", "-o", "a b/words"],
    ]


# Runs and their data


def run_folder(run_id, pipeline=None, **fields):
    from jinja2.sandbox import SandboxedEnvironment

    found = dag(pipeline or one_step(), options(**fields))
    value = found.shared["ENV"]["WURZEL_RUN"]
    assert not value.literal
    return SandboxedEnvironment().from_string(value.value).render(run_id=run_id)


def test_runs_never_share_a_folder():
    ids = [
        "a",
        "a/b",
        "a%2Fb",
        "a b",
        "a+b",
        "..",
        ".",
        "../x",
        "x/../y",
        "A",
        "ä",
        "manual__2026-01-01T00:00:00+00:00",
        "",
    ]
    folders = [run_folder(run_id) for run_id in ids]
    assert len(set(folders)) == len(ids)
    for folder in folders:
        assert Path(folder).parent == Path("data/p")
        assert Path(folder).name.startswith("run_")


def test_pipelines_in_one_data_folder_do_not_share_it_and_hostile_names_hold():
    assert run_folder("r", one_step({"name": "q"})) == "data/q/run_r"
    assert run_folder("r", one_step({"data_dir": "a {{ b }} {% c"})) == "a {{ b }} {% c/p/run_r"
    assert run_folder("r", dag_id="other", data_dir="/mnt/x/") == "/mnt/x/other/run_r"
    assert run_folder("r", one_step({"data_dir": "$(x) $$"}), **PODS) == "/wurzel/$$(x) $$$/p/run_r"


def test_a_step_that_reads_its_own_last_output_keeps_it_beside_the_runs():
    reader = plain_step(id="reader", run="steps:Upper", output=WORDS, needs=("words",))
    pipeline = one_step(self_consuming=True)
    source = text(pipeline.model_copy(update={"steps": (*pipeline.steps, reader)}))
    assert '-o "$WURZEL_DATA/state/words"' in ast.literal_eval(call(source, "words")["bash_command"])
    assert call(source, "words")["max_active_tis_per_dag"] == "1"
    assert '-i "$WURZEL_DATA/state/words" -o "$WURZEL_RUN/reader"' in call(source, "reader")["bash_command"]
    assert "WURZEL_DATA" not in text(one_step())


def test_old_runs_are_removed_and_nothing_else(tmp_path):
    source = text(one_step(self_consuming=True), keep_days=2)
    command = ast.literal_eval(call(source, "remove_old_runs")["bash_command"])
    home = tmp_path / "it's data"
    subprocess.run(["sh", "-c", command], env={"WURZEL_DATA": str(home), "PATH": "/usr/bin:/bin"}, check=True)
    ages = {"run_old": "49 hours", "run_new": "47 hours", "state": "9 days", "run_it's $HOME": "9 days"}
    for name, age in ages.items():
        (home / name / "words").mkdir(parents=True)
        subprocess.run(["touch", "-d", f"{age} ago", home / name], check=True)
    subprocess.run(["sh", "-c", command], env={"WURZEL_DATA": str(home), "PATH": "/usr/bin:/bin"}, check=True)
    assert sorted(path.name for path in home.iterdir()) == ["run_new", "state"]
    assert "remove_old_runs" not in text(one_step())


@pytest.mark.parametrize(("output", "cwd"), [(None, "/.."), ("rag.py", ""), ("a/b/./c.py", "/../..")])
def test_commands_run_in_the_project(output, cwd):
    defaults = ast.parse(call(text(one_step(), output=output), "dag")["default_args"], mode="eval").body
    entries = {key.value: value for key, value in zip(defaults.keys, defaults.values, strict=True)}
    assert entries["cwd"].value == "{{ task.dag.folder }}" + cwd
    assert entries["append_env"].value is True
    assert '"cwd": "{{ var.value.project }}"' in text(one_step(), project_dir="{{ var.value.project }}")


# Schedule and limits


def schedule(cron, **fields):
    return call(text(one_step({"schedule": Schedule(cron=cron, timezone="Europe/Berlin", **fields)})), "dag")


@pytest.mark.parametrize(
    ("cron", "written"),
    [
        ("0 4 * * *", "0 4 * * *"),
        ("0 0 */1 * MON", "0 0 * * MON"),
        ("0 0 ? * MON", "0 0 * * MON"),
        ("*/15 */2 1,15 */1 *", "*/15 */2 1,15 * *"),
        ("@midnight", "@daily"),
        ("@weekly", "@weekly"),
    ],
)
def test_a_schedule_is_a_timetable_in_its_zone(cron, written):
    found = schedule(cron)
    assert found["schedule"] == f"CronTriggerTimetable('{written}', timezone='Europe/Berlin')"
    assert found["start_date"] == "pendulum.datetime(2024, 1, 1, tz='Europe/Berlin')"
    assert found["catchup"] == "False"


def test_an_interval_is_a_timetable_too():
    assert schedule("@every 1h30m")["schedule"] == "DeltaTriggerTimetable(timedelta(minutes=90))"


def test_no_schedule_is_said_and_runs_may_overlap():
    found = call(text(one_step()), "dag")
    assert found["schedule"] == "None"
    assert "max_active_runs" not in found


def test_concurrency_becomes_active_runs():
    assert schedule("0 4 * * *")["max_active_runs"] == "1"
    assert "max_active_runs" not in schedule("0 4 * * *", concurrency="allow")
    replacing = one_step({"schedule": Schedule(cron="0 4 * * *", concurrency="replace")})
    assert "cannot stop a run" in problems(replacing)[0]
    assert not problems(replacing, max_active_runs=3)
    assert call(text(replacing, max_active_runs=3), "dag")["max_active_runs"] == "3"


def test_a_deadline_stands_before_all_roots():
    pipeline = full_pipeline()
    source = text(pipeline)
    assert "in_time >> words" in source
    assert "timedelta(minutes=10)" in source
    assert "starts_in_time" not in text(one_step({"schedule": Schedule(cron="0 4 * * *")}))


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0, ("seconds", 0)), (90, ("seconds", 90)), (120, ("minutes", 2)), (7200, ("hours", 2)), (172800, ("days", 2))],
)
def test_times_are_written_in_the_largest_unit(seconds, expected):
    assert span(seconds) == Span(*expected)


def test_retries_that_most_steps_share_are_said_once():
    retry = Retry(limit=2, backoff=30, factor=2, max=600)
    steps = [
        plain_step(id="a", run="s:A", output=WORDS, retry=retry, timeout=60),
        plain_step(id="b", run="s:A", output=WORDS, retry=retry, timeout=60),
        plain_step(id="c", run="s:A", output=WORDS),
        plain_step(id="d", run="s:A", output=WORDS, retry=Retry(limit=2), timeout=60),
    ]
    source = text(Pipeline(name="p", steps=tuple(steps)))
    defaults = call(source, "dag")["default_args"]
    assert "'retries': 2, 'retry_delay': timedelta(seconds=30), 'retry_exponential_backoff': 2.0" in defaults
    assert "'max_retry_delay': timedelta(minutes=10), 'retry_policy'" in defaults
    assert "'execution_timeout': timedelta(minutes=1)" in defaults
    names = {"retries", "retry_delay", "retry_exponential_backoff", "max_retry_delay", "execution_timeout"}
    found = {name: {k: v for k, v in call(source, name).items() if k in names} for name in "abcd"}
    assert found["a"] == found["b"] == {}
    assert found["c"] == {"retries": "0", "execution_timeout": "None"}
    assert found["d"] == {
        "retry_delay": "timedelta(seconds=0)",
        "retry_exponential_backoff": "0",
        "max_retry_delay": "None",
    }


def test_airflow_2_doubles_or_wurzel_retries():
    double = one_step(retry=Retry(limit=2, backoff=30, factor=2), timeout=60)
    assert "'retry_exponential_backoff': True" in call(text(double, version="2.11"), "dag")["default_args"]
    triple = one_step(retry=Retry(limit=2, backoff=30, factor=3), timeout=60)
    source = text(triple, version="2.11")
    assert "'retries': 0" in call(source, "dag")["default_args"]
    assert "--retries 2 --backoff 30s --backoff-factor 3 --timeout 1m" in call(source, "words")["bash_command"]
    assert "'retry_exponential_backoff': 3.0" in call(text(triple), "dag")["default_args"]


# Shards, parameters, secrets


def instances(source, name, argument):
    """What an argument of a mapped task is, by the functions of its file."""
    known = {}
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef):
            exec(ast.unparse(node), known)
    return eval(call(source, name)[argument], known)


@pytest.mark.parametrize("fields", [{}, PODS, CONTAINERS], ids=["bash", "pods", "docker"])
def test_the_number_of_slices_makes_no_file_longer(fields):
    few, many = (text(one_step(shards=shards, image="acme/p:1"), **fields).count("\n") for shards in (2, 64))
    assert few == many


def test_shards_are_one_mapped_task():
    commands = instances(text(full_pipeline()), "suffix", "bash_command")
    assert [command.rpartition(" ")[2] for command in commands] == ["1/3", "2/3", "3/3"]
    arguments = instances(text(full_pipeline(), **PODS), "suffix", "arguments")
    assert [words[-2:] for words in arguments] == [["--shard", f"{number}/3"] for number in (1, 2, 3)]
    assert arguments[0][:8] == [
        "step",
        "steps:Suffix",
        "--id",
        "suffix",
        "-i",
        "$(WURZEL_RUN)/words",
        "-o",
        "$(WURZEL_RUN)/suffix",
    ]


def halves(shards=None, **fields):
    """A step with two outputs, and slices that the data decides; one reads an output of it, and what it reads."""
    cut = Step(
        id="cut",
        run="steps:Cut",
        needs=(Edge(step="words"),),
        inputs=(InputPort(type=WORDS),),
        outputs=(OutputPort(name="train", type=WORDS), OutputPort(name="test", type=WORDS)),
        shards=shards or Shards(items=500, max=64),
        **fields,
    )
    fit = Step(
        id="fit",
        run="steps:Fit",
        needs=(Edge(step="cut", output="train", input="docs"), Edge(step="words", input="all")),
        inputs=(InputPort(name="all", type=WORDS), InputPort(name="docs", type=WORDS)),
        outputs=(OutputPort(type=WORDS),),
    )
    words = plain_step(id="words", run="steps:Words")
    return Pipeline(name="p", image="acme/p:1", steps=(words, cut, fit))


def assigns(node, name):
    return isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name


def test_an_edge_reads_one_output_and_says_which_input_it_is_for():
    command = call(text(halves(Shards(max=2))), "fit")["bash_command"]
    assert ' -i docs="$WURZEL_RUN/cut/train" -i all="$WURZEL_RUN/words" -o "$WURZEL_RUN/fit"' in command
    words = ast.literal_eval(call(text(halves(Shards(max=2)), **PODS), "fit")["arguments"])
    assert words[4:8] == ["-i", "docs=$(WURZEL_RUN)/cut/train", "-i", "all=$(WURZEL_RUN)/words"]
    docker = call(text(halves(Shards(max=2)), **CONTAINERS), "fit")["command"]
    assert 'docs="$WURZEL_RUN/cut/train"' in docker


@pytest.mark.parametrize("version", ["3", "2.11"])
def test_slices_are_counted_by_what_makes_the_data(version):
    source = text(halves(), version=version)
    assert "import json\n" in source
    maker = call(source, "words")
    assert maker["bash_command"] == "RUN + ' --only words --slices cut=-'"
    assert maker["output_processor"] == "json.loads"
    assert "words.output.map(lambda shard: RUN + ' --only cut --shard ' + shard)" in call(source, "cut").values()
    assert "[cut, words] >> fit" in source


def test_a_null_parameter_is_taken_away_where_airflow_renders_no_templates(tmp_path):
    """In a command that is mapped over an XCom; the shell asks a variable instead."""
    null = Setting(name="X", variable="CUT__X", type="str | None", text=True, parameter=True, default=None)
    source = text(halves(settings=(null,)))
    assert '"NULL_CUT__X": "{{ params.CUT__X is none }}"' in source
    program = tmp_path / "wurzel"
    program.write_text('#!/bin/sh\necho "${CUT__X-none} $*"\n')
    program.chmod(0o755)
    (run,) = (ast.literal_eval(node.value) for node in ast.parse(source).body if assigns(node, "RUN"))
    for value, null_is, seen in (("a b", "False", "a b"), ("None", "True", "none")):
        env = {"PATH": f"{tmp_path}:/usr/bin:/bin", "CUT__X": value, "NULL_CUT__X": null_is, "WURZEL_RUN": "/r"}
        line = f"{run} --only cut --shard 2/7"
        done = subprocess.run(["sh", "-c", line], env=env, capture_output=True, text=True, check=True)
        assert done.stdout.startswith(f"{seen} run --from-ir"), done
        assert done.stdout.rstrip().endswith("--shard 2/7")


def test_more_slices_than_airflow_maps_over_are_refused():
    busy = halves()
    cut = busy.steps[1].model_copy(update={"shards": Shards(items=1, max=2000)})
    busy = busy.model_copy(update={"steps": (busy.steps[0], cut, busy.steps[2])})
    (problem,) = problems(busy)
    assert "up to 2000 slices, and Airflow maps a task over at most 1024" in problem
    assert problems(busy, max_map_length=2000) == []
    assert problems(busy, **CONTAINERS) == [], "docker has a container for each, whatever the data"


def test_containers_are_always_the_most():
    source = text(halves(), **CONTAINERS)
    assert call(source, "cut")["command"] == """word_slices(['-c', RUN + ' --only cut --shard "$0"'], 64)"""


@pytest.mark.parametrize("fields", [{}, PODS, CONTAINERS], ids=["bash", "pods", "docker"])
def test_slices_that_are_counted_are_laid_out_as_ruff_does(check_layout, fields):
    null = Setting(name="X", variable="CUT__X", type="str | None", text=True, parameter=True, default=None)
    check_layout([text(halves(), **fields), text(halves(settings=(null,)), **fields)])


def setting(kind, **fields):
    return Setting(**{"name": "X", "variable": "WORDS__X", "type": kind, "text": False, "parameter": True, **fields})


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (setting("str", text=True, default="a"), "Param('a', type='string', title='X', section='words')"),
        (setting("int", default=1), "Param(1, type='integer', title='X', section='words')"),
        (setting("int", default=1, given=True, value=3), "Param(3, type='integer', title='X', section='words')"),
        (setting("float | None", default=None), "Param(None, type=['null', 'number'], title='X', section='words')"),
        (setting("Optional[int]", default=2), "Param(2, type=['null', 'integer'], title='X', section='words')"),
        (setting("bool", default=True), "Param(True, type='boolean', title='X', section='words')"),
        (setting("list[str]", default=["a"]), "Param(['a'], type='array', title='X', section='words')"),
        (
            setting("list[int]", default=[]),
            "Param([], type='array', items={'type': 'integer'}, title='X', section='words')",
        ),
        (setting("dict[str, int]", default={}), "Param({}, type='object', title='X', section='words')"),
        (
            setting("Literal['a', 'b']", text=True, default="a"),
            "Param('a', enum=['a', 'b'], title='X', section='words')",
        ),
        (
            setting("str | None", text=True, default=None, description="why"),
            "Param(None, type=['null', 'string'], title='X', description='why', section='words')",
        ),
        (setting("Path", text=True, computed=True), "Param(None, type=['null', 'string'], title='X', section='words')"),
        (setting("int", required=True), "Param(type='integer', title='X', section='words')"),
        (setting("Weird", default={"a": 1}), "Param({'a': 1}, title='X', section='words')"),
    ],
)
def test_parameters_are_typed(found, expected):
    source = text(one_step(settings=(found,)))
    assert call(source, "dag")["params"] == f"{{'WORDS__X': {expected}}}"


def test_parameters_reach_the_step_by_its_variable():
    words, numbers = (
        setting("str", text=True, default="a"),
        setting("list[int]", name="Y", variable="WORDS__Y", default=[]),
    )
    pipeline = one_step({"image": "x/y:1"}, settings=(words, numbers))
    env = call(text(pipeline), "words")["env"]
    assert "'WORDS__X': '{{ params.WORDS__X }}'" in env
    assert "'WORDS__Y': '{{ params.WORDS__Y | tojson }}'" in env
    env = call(text(pipeline, **PODS), "words")["env_vars"]
    assert (
        "params.WORDS__X | replace('$', '$$')"
        in ast.literal_eval("[" + env.partition(", ")[2][:-1].partition(": ")[2].partition(", 'WORDS__Y'")[0] + "]")[0]
    )


def test_a_parameter_that_is_null_leaves_the_step_its_own_default():
    pipeline = one_step({"image": "x/y:1"}, settings=(setting("str | None", text=True, default=None),))
    command = ast.literal_eval(call(text(pipeline), "words")["bash_command"])
    assert command.startswith("{% if params.WORDS__X is none %}unset WORDS__X; {% endif %}wurzel step")
    found = call(text(pipeline, **PODS), "words")
    assert found["cmds"] == "['sh', '-c']"
    (script,) = ast.literal_eval(found["arguments"])
    assert script == (
        "{% if params.WORDS__X is none %}unset WORDS__X; {% endif %}"
        'exec wurzel step steps:Words --id words -o "$WURZEL_RUN/words"'
    )


def test_parameters_without_a_value_need_a_run_by_hand():
    pipeline = one_step(settings=(setting("int", required=True),))
    assert not problems(pipeline)
    scheduled = pipeline.model_copy(update={"schedule": Schedule(cron="0 4 * * *")})
    assert "has no value" in problems(scheduled)[0]
    assert "could see its value" in problems(one_step(settings=(setting("SecretStr", secret=True, default=None),)))[0]


def test_secrets_are_references():
    pipeline = one_step(
        {"image": "x/y:1", "secrets": {"SHARED": SecretRef(name="shared", key="token")}},
        secrets={"WORDS__token": SecretRef(name="vault/own", key="api-key")},
    )
    source = text(pipeline)
    assert "{{ secret('vault/own', 'api-key') }}" in call(source, "words")["env"]
    assert "{{ secret('shared', 'token') }}" in source
    assert "mask_secret(value)" in source
    inherited = text(pipeline, secrets="environment")
    assert "secret(" not in inherited  # the worker has the values; commands name the variables, so that logs are masked
    assert "--secret SHARED" in inherited
    pods = text(pipeline, **PODS)
    assert (
        "ExactSecret(deploy_type='env', deploy_target='WORDS__token', secret='vault/own', key='api-key')"
        in (call(pods, "words")["secrets"])
    )
    assert '"valueFrom": {' in pods
    assert "mask_secret" not in pods


# Names


def test_variables_hide_nothing():
    ids = ["filter", "import", "2nd", "task", "literal", "a-b", "pendulum", "dag", "in-time", "secret", "k8s", "join"]
    found = variables(ids)
    assert len(set(found.values())) == len(ids)
    for name in found.values():
        assert name.isidentifier()
        assert not keyword.iskeyword(name)
        assert not hasattr(builtins, name)
    assert {"task", "literal", "pendulum", "in_time", "secret", "k8s"}.isdisjoint(found.values())
    assert (found["a-b"], found["join"], found["2nd"], found["filter"]) == ("a_b", "join", "_2nd", "filter_")


def test_options_that_do_not_fit_are_said():
    assert "Did you mean words?" in problems(one_step(), steps={"wrods": {"pool": "x"}})[0]
    volume = {"name": "x", "mount_path": "/x", "empty_dir": {}, "steps": ["wrods"]}
    assert "Did you mean words?" in problems(one_step(), kubernetes={"volumes": [volume]})[0]
    assert "has 101 characters" in problems(one_step(), tags=["x" * 101])[0]
    assert "which the DAG sets itself" in problems(one_step(env={"WURZEL_RUN": "x"}))[0]
    for wrong in [
        {"dag_id": "a b"},
        {"on_failure": "no colon"},
        {"version": "1"},
        {"command": []},
        {"opreator": "bash"},
    ]:
        with pytest.raises(ValueError, match=next(iter(wrong))):
            options(**wrong)
    assert options(version=2.11).version == "2.11"
    assert options(version=3).version == "3"


def test_pods_and_containers_need_an_image_and_a_place_for_data():
    bare = problems(one_step(), operator="kubernetes")
    assert "no image" in bare[0]
    assert "kubernetes.claim" in bare[1]
    assert not problems(one_step({"image": "x/y:1"}), **PODS)
    assert "docker.mounts" in problems(one_step({"image": "x/y:1"}), operator="docker")[0]
    assert not problems(one_step({"image": "x/y:1"}), **CONTAINERS)
    mixed = full_pipeline()
    assert "must see the same data" in problems(mixed, steps={"words": {"operator": "bash"}}, **PODS)[-1]


def test_settings_that_nothing_gives_are_said_where_nothing_is_inherited():
    needed = Setting(name="A__B", variable="WORDS__A__B", required=True)
    pipeline = one_step({"image": "x/y:1"}, settings=(needed,))
    assert not problems(pipeline)
    assert "needs the setting A__B" in problems(pipeline, **PODS)[0]
    assert not problems(pipeline, operator="kubernetes", kubernetes={"claim": "c", "env_from": [{"secret": "s"}]})
    for variable in ("WORDS__A__B", "WORDS__A"):
        provided = one_step({"image": "x/y:1"}, settings=(needed,), env={variable: "x"})
        assert not problems(provided, **PODS)


# What is reported


def reported(pipeline, **fields):
    found = unsupported_uses(AirflowBackend(), pipeline, options=options(**fields))
    return {report.feature: report.paths for report in found if report.feature != "push"}  # nowhere


def test_what_an_operator_cannot_do_is_reported():
    bash = reported(full_pipeline())
    assert set(bash) == {
        *("image", "step_image", "cpu", "memory", "gpu", "ephemeral_storage", "hugepages", "limits"),
        *("node_selector", "tolerations", "service_account", "priority", "volumes", "env_from"),
    }
    assert reported(full_pipeline(), **PODS) == {}
    docker = reported(full_pipeline(), **CONTAINERS)
    assert set(docker) == {
        *("memory", "ephemeral_storage", "hugepages", "limits", "node_selector", "tolerations", "service_account"),
        *("priority", "volumes", "env_from"),
    }
    assert docker["limits"] == ("steps.suffix.limits.cpu", "steps.suffix.limits.ephemeral_storage")
    other = one_step({"image": "x/y:1"}, resources=Resources(gpu={"nvidia.com/gpu": 1, "amd.com/gpu": 1}))
    assert reported(other, **CONTAINERS) == {"gpu": ("steps.words.resources.gpu",)}
    mixed = reported(full_pipeline(), steps={"suffix": {"operator": "kubernetes"}}, kubernetes={"claim": "c"})
    assert mixed == {}


def test_a_step_with_its_own_volumes_variables_and_priority_has_its_own_pod():
    body = full_pipeline()
    chosen = options(operator="kubernetes", kubernetes={"claim": "c", "priority_class": "low"})
    pods = dag(body, chosen).pods
    assert set(pods) == {"POD", "POD_SUFFIX"}
    assert (pods["POD"]["spec"]["priorityClassName"], pods["POD_SUFFIX"]["spec"]["priorityClassName"]) == (
        "low",
        "batch",
    )
    (container,) = pods["POD_SUFFIX"]["spec"]["containers"]
    assert container["envFrom"] == [{"prefix": "S_", "configMapRef": {"name": "suffix"}}]
    assert {"name": "models", "mountPath": "/models", "subPath": "de"} in container["volumeMounts"]
    assert "envFrom" not in pods["POD"]["spec"]["containers"][0]
    source = text(body, operator="kubernetes", kubernetes={"claim": "c", "priority_class": "low"})
    known = {"deepcopy": deepcopy}
    for node in ast.parse(source).body:
        if isinstance(node, ast.Assign | ast.AugAssign) and "POD" in ast.unparse(node):
            exec(ast.unparse(node), known)
    assert {name: known[name] for name in pods} == pods
    assert source.count('"kind": "Pod"') == 1
    alone = body.model_copy(update={"steps": (body.steps[1].model_copy(update={"needs": (), "inputs": ()}),)})
    assert list(dag(alone, chosen).pods) == ["POD", "POD_SUFFIX"], "default_args name the first"


def test_volumes_of_one_pod_differ_in_name_and_place():
    cache = {"name": "cache", "mount_path": "/cache", "claim": {"name": "c"}}

    def found(*volumes, steps=(), **fields):
        pods = {"claim": "rag", "volumes": list(volumes), **fields}
        made = [one_step(id=name, volumes=(Volume(**volume),)).steps[0] for name, volume in steps]
        body = one_step({"steps": tuple(made)} if made else {"image": "acme/p:1"})
        return problems(body.model_copy(update={"image": "acme/p:1"}), operator="kubernetes", kubernetes=pods)

    here = "targets.airflow.kubernetes.volumes: "
    assert found(cache) == []
    assert f"{here}'cache' is the name of the volume for another entry" in found(cache, cache | {"mount_path": "/x"})[0]
    assert f"{here}'x' is mounted at /cache, where another entry, 'cache' is" in found(cache, cache | {"name": "x"})[0]
    assert f"{here}'data' is the name of the volume for the datasets" in found(cache | {"name": "data"})[0]
    assert f"{here}'cache' is mounted at /tmp, where /tmp is" in found(cache | {"mount_path": "/tmp"})[0]
    assert found(cache | {"mount_path": "/tmp"}, security={"read_only_root": False}) == []
    other = cache | {"claim": {"name": "other"}}
    assert found(steps=[("words", cache), ("upper", other)]) == [], "each step has its own pod"
    assert "steps.words.volumes: 'cache' is the name of the volume" in found(cache, steps=[("words", other)])[0]


def test_what_starts_a_dag_besides_the_clock():
    subject = one_step({"triggers": Triggers(after=("ingest/load",), data=("s3://acme/docs",), webhook=True)})
    found = dag(subject, with_triggers(subject, options(on_assets=["own"])))
    assert found.on_assets == ("own", "ingest/load", "s3://acme/docs")
    assert "A POST to /api/v2/dags/p/dagRuns starts it." in found.doc
    assert '"ingest/load"' in text(subject)
    loose = one_step({"triggers": Triggers(after=("ingest",))})
    assert "triggers: {after: [ingest/STEP]}" in problems(loose)[0]


TOLD = [
    OnFailure(webhook="https://chat.example/hook", link="https://airflow.example/runs/{run}"),
    OnFailure(webhook=SecretRef(name="chat" * 9, key="url" * 9)),
    OnFailure(command=("notify", "it's a {{ run_id }}"), secrets={"TOKEN": SecretRef(name="mail", key="token")}),
    OnFailure(webhook=SecretRef(name="chat", key="url"), command=("notify", "x" * 50, "y" * 50)),
]


@pytest.mark.parametrize("fields", [{}, PODS, {"version": "2.11"}, {"secrets": "environment"}], ids=str)
def test_who_is_told_of_a_failure_is_called_by_airflow_itself(check_layout, fields):
    sources = [text(one_step({"image": "x/y:1", "on_failure": told}), **fields) for told in TOLD]
    check_layout(sources, "AIR0" if "version" in fields else "AIR")
    assert [call(source, "dag")["on_failure_callback"] for source in sources] == ["tell"] * len(TOLD)
    assert ("def secret(" in sources[1]) == (fields != {"secrets": "environment"})
    assert "user_defined_macros" not in sources[1]  # no task needs the secret
    both = text(one_step({"image": "x/y:1", "on_failure": TOLD[0]}), on_failure="acme:notify", **fields)
    assert call(both, "dag")["on_failure_callback"] == "[tell, on_failure]"


def test_missed_runs_are_made_up_for_from_a_day_on():
    subject = one_step({"schedule": Schedule(cron="0 4 * * *", catch_up=True)})
    assert "start_date: 2026-01-31" in problems(subject)[0]
    assert "catchup=True" in text(subject, start_date="2026-02-01")
    assert "catchup=False" in text(one_step({"schedule": Schedule(cron="0 4 * * *")}))


def test_operators_differ_from_step_to_step():
    source = text(
        full_pipeline(),
        steps={"suffix": {"operator": "kubernetes"}},
        kubernetes={"claim": "c"},
        data_dir="/wurzel/data",
    )
    assert "words = BashOperator(" in source
    assert "suffix = KubernetesPodOperator.partial(" in source
    assert "'env': BASH_ENV" in call(source, "dag")["default_args"]
    assert "env" not in call(source, "words")
    assert "'env_vars': KUBERNETES_ENV" in call(source, "dag")["default_args"]
    assert "**KUBERNETES_ENV" in call(source, "suffix")["env_vars"]


def test_containers_take_what_docker_has():
    source = text(full_pipeline(), **CONTAINERS)
    assert "'environment': ENV" in call(source, "dag")["default_args"]
    found = call(source, "suffix")
    assert found["cpus"] == "1.0"
    assert found["mem_limit"] == str(2 * 1024**3)
    assert "count=1" in found["device_requests"]
    assert found["entrypoint"] == "['sh']"


# Groups and assets


def wide(count):
    sources = [plain_step(id=f"s-{number}", run="s:A", output=WORDS) for number in range(count)]
    return Pipeline(name="p", steps=(*sources, plain_step(id="z", run="s:B", output=WORDS, needs=("s-0", "s-1"))))


def test_large_pipelines_are_grouped_by_depth(check_layout):
    assert "TaskGroup" not in text(wide(23))
    source = text(wide(24))
    assert source.count("with TaskGroup(") == 2
    assert "TaskGroup" not in text(wide(24), task_groups="never")
    check_layout([source])


def test_assets_are_what_other_dags_wait_for():
    pipeline = wide(3)
    assert call(text(pipeline), "z")["outlets"] == "[Asset('p/z')]"
    assert "outlets" not in call(text(pipeline), "s_0")
    assert call(text(pipeline, assets="all", version="2.11"), "s_0")["outlets"] == "[Dataset('p/s-0')]"
    assert "Asset" not in text(pipeline, assets="none")


def test_the_asset_of_shards_is_updated_once():
    pipeline = one_step(shards=2, id="map")
    source = text(pipeline)
    assert "outlets" not in call(source, "map_")
    assert call(source, "map___complete") == {"task_id": "'map___complete'", "outlets": "[Asset('p/map')]"}
    assert "    map_ >> map___complete\n" in source
    assert "complete" not in text(pipeline, assets="none")
    assert "name as a task" in problems(one_step(id="a--complete"))[0]
    assert "name as a task" in problems(one_step(id="starts-in-time"))[0]


def test_labels_are_tags_and_documents_end_in_a_line_break():
    found = call(text(full_pipeline(), tags=["a"]), "dag")
    assert found["tags"] == "['a', 'team:data']"
    assert ast.literal_eval(found["doc_md"]).endswith(" share\n")
    assert ast.literal_eval(call(text(one_step(description="see x.md")), "words")["doc_md"]) == "see x.md\n"


# Validation


def test_validation_compiles_and_asks_ruff(monkeypatch):
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent))
    good = text(full_pipeline())
    assert list(validate({"dags/p.py": good}, "3")) == []
    broken = validate({"dags/p.py": good + "\n)"}, "3")
    assert "is not valid Python" in str(broken[0])
    (undefined,) = validate({"dags/p.py": good + "\nlate = k8s_client.V1Pod()\n"}, "3")
    assert "F821 Undefined name `k8s_client`" in str(undefined)
    old = text(full_pipeline(), version="2.11")
    assert list(validate({"dags/p.py": old}, "2.11")) == []
    findings = validate({"dags/p.py": old}, "3")
    assert any("AIR3" in str(finding) for finding in findings)
    assert all(finding.where.startswith("dags/p.py:") for finding in findings)


def test_a_checker_that_is_missing_is_named(monkeypatch, caplog):
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr("sys.executable", "/nowhere/python")
    assert list(validate({"dags/p.py": text(full_pipeline())}, "3")) == []
    said = [record.message.partition(",")[0] for record in caplog.records]
    assert said == ["ruff is not installed", "Airflow is not installed"]


def test_a_pipeline_file_lies_below_dags_unless_said():
    (file,) = AirflowBackend().files(one_step(), options())
    assert file.path == "dags/p.py"
    (file,) = AirflowBackend().files(one_step(), options(output="airflow/x.py"))
    assert file.path == "airflow/x.py"


def test_the_file_grows_with_the_steps():
    sizes = [len(text(wide(count), task_groups="never")) for count in (100, 200)]
    assert sizes[1] < 2.2 * sizes[0]


def test_a_version_is_3_or_2_11():
    assert [options(version=version).version for version in ("3", 3, 2.11)] == ["3", "3", "2.11"]
    with pytest.raises(
        ValueError, match=r"3\.4 is not a supported version; write '3', which is 3\.3 and newer, or '2\.11'"
    ):
        options(version=3.4)
