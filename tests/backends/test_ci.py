"""What both CI platforms share: parameters, secrets, time budgets, shell lines."""

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.backends.small import setting, step
from tests.command import invoke
from wurzel.backends import ci
from wurzel.backends.ci.parameters import parameters
from wurzel.backends.ci.shell import command
from wurzel.ir.model import Retry, SecretRef


@pytest.mark.parametrize(
    ("fields", "kind", "default", "text"),
    [
        ({"default": 64}, "number", 64, "64"),
        ({"default": 64, "given": True, "value": 0}, "number", 0, "0"),
        ({"type": "float", "default": 0.5}, "number", 0.5, "0.5"),
        ({"default": 2**60}, "string", str(2**60), str(2**60)),
        ({"type": "bool", "default": False}, "boolean", False, "false"),
        ({"type": "str", "text": True, "default": ""}, "string", "", ""),
        ({"type": "list[str]", "default": ["a", "ü"]}, "string", '["a", "ü"]', '["a", "ü"]'),
        ({"type": "Literal['a', 'b']", "text": True, "default": "b"}, "choice", "b", "b"),
        ({"type": "int | None", "default": None}, "string", "null", "null"),
    ],
)
def test_a_parameter_is_a_typed_input(fields, kind, default, text):
    (parameter,) = parameters(step(settings=(setting(parameter=True, **fields),)))
    assert (parameter.type, parameter.default, parameter.text) == (kind, default, text)
    assert not parameter.required
    assert not parameter.blank


def test_a_default_only_the_step_knows_is_blank():
    text_none = setting(parameter=True, type="str | None", text=True)
    computed = setting(parameter=True, computed=True)
    assert [(item.blank, item.text) for item in parameters(step(settings=(text_none, computed)))] == [(True, "")] * 2
    required = parameters(step(settings=(setting(parameter=True, required=True),)))
    assert [(item.required, item.blank) for item in required] == [(True, False)]


@pytest.mark.parametrize(
    ("ref", "flat"), [(("openai", "api-key"), "OPENAI_API_KEY"), (("team/db.prod", "user"), "TEAM_DB_PROD_USER")]
)
def test_secrets_have_flat_names(ref, flat):
    assert ci.secret_name(SecretRef(name=ref[0], key=ref[1]), ci.CiOptions()) == flat


@pytest.mark.parametrize(
    ("cron", "minutes"), [("*/15 * * * *", 15), ("*/7 * * * *", 4), ("0 4 * * *", 1440), ("0 0 29 2 *", 1461 * 1440)]
)
def test_shortest_gap(cron, minutes):
    assert ci.shortest_gap(cron) == minutes


def test_descriptors_become_five_fields():
    assert ci.plain_cron("@daily") == "0 0 * * *"
    assert ci.plain_cron("0 4 ? * MON") == "0 4 * * MON"
    assert ci.plain_cron("@every 1h") is None


@pytest.mark.parametrize(
    ("fields", "tries", "seconds"),
    [
        ({}, 3, 6 * 3600),
        ({"timeout": 60}, 1, 660),
        ({"timeout": 60, "retry": Retry(limit=2, backoff=30, factor=2)}, 3, 3 * 60 + 30 + 60 + 600),
        ({"timeout": 60, "retry": Retry(limit=3, backoff=30, factor=2, max=40)}, 4, 4 * 60 + 30 + 40 + 40 + 600),
        ({"timeout": 60, "retry": Retry(limit=9999, backoff=30, factor=10)}, 10000, 30 * 86400),
    ],
)
def test_budget_holds_all_tries_and_waits(fields, tries, seconds):
    assert ci.budget(step(**fields), ci.CiOptions(), tries=tries) == seconds


@pytest.mark.parametrize("word", ["data/a", "da ta/$HOME it's", "`id`", 'a"b\\c', "$(id)", "", "ü", "!x", "a\\$b"])
def test_commands_reach_the_program_word_for_word(word):
    argv = ["printf", "%s\\n", "-o", word, "--long-option-name-to-break-the-line-somewhere", "x" * 60, word]
    for shell in ("sh", "bash"):
        out = subprocess.run([shell, "-c", command(argv)], capture_output=True, text=True, check=True).stdout
        assert out == "".join(f"{item}\n" for item in argv[2:])


def test_long_commands_break_before_options():
    argv = ["wurzel", "step", "m:C", *(["-i", "data/" + "x" * 30] * 4), "-o", "out"]
    lines = command(argv, "uv", '-s "$A"').split(" \\\n")
    assert lines[0].startswith("uv run --no-sync wurzel step m:C -i ")
    assert all(line.startswith("  -") for line in lines[1:])
    assert all(len(line) < 100 for line in lines)
    assert lines[-1].endswith('-o out -s "$A"')
    assert shlex.split(" ".join(lines)).count("-i") == 4


def rendered_job(home, target):
    """The variables of the only job, and its command."""
    file = {"github": ".github/workflows/pipeline.yml", "gitlab": ".gitlab-ci.yml"}[target]
    document = yaml.safe_load((home / file).read_text())
    if target == "github":
        (job,) = document["jobs"].values()
        env = document.get("env", {})
        line = next(item["run"] for item in job["steps"] if item["name"].startswith("Run"))
    else:
        env, line = document["pipeline"].get("variables", {}), document["pipeline"]["script"][-1]
    return {name: value["value"] if isinstance(value, dict) else value for name, value in env.items()}, line


def run_job(home, folder, target, **more):
    env, line = rendered_job(home, target)
    environ = {**os.environ, **env, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", **more}
    done = subprocess.run(["sh", "-ec", line], cwd=folder, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (folder / "data" / "join" / "manifest.json").is_file()


def render(target, *words, **sets):
    asked = [word for name, value in sets.items() for word in ("--set", f"targets.{target}.{name}={value}")]
    assert invoke("render", *words, "-t", target, *asked).exit_code == 0


@pytest.mark.parametrize("target", ["github", "gitlab"])
def test_without_a_checkout_jobs_use_the_project_in_the_image(project, tmp_path_factory, target):
    """Nothing is written there."""
    home = project("diamond")
    render(target, "diamond:pipeline", checkout="false", layout="single", project=home)
    before = set(home.rglob("*"))
    elsewhere = tmp_path_factory.mktemp("workspace")
    run_job(home, elsewhere, target, PYTHONDONTWRITEBYTECODE="1")
    assert set(home.rglob("*")) == before
    assert (elsewhere / ".wurzel").is_dir()


@pytest.mark.parametrize("target", ["github", "gitlab"])
def test_jobs_of_an_ir_file_read_the_one_beside_their_own(project, target):
    """`$` and braces reach the step as they are."""
    home = project("diamond")
    text = "${{ x }} $(y) $$ %z {{ a }}"
    asked = ["inspect", "diamond:pipeline", "--json", "--set", f"steps.words.env.TEXT={text}"]
    Path("given.json").write_text(invoke(*asked).stdout)
    render(target, "--from-ir", "given.json")
    Path("given.json").unlink()
    run_job(home, home, target)
    (beside,) = (path for path in home.rglob("*.ir.json") if "data" not in path.parts)
    assert json.loads(beside.read_text())["steps"][0]["env"] == {"TEXT": text}
