"""`wurzel env`: what a pipeline needs from its surroundings, and never a value."""

import json
import shlex
import subprocess
from pathlib import Path

import pytest

from tests.command import invoke
from wurzel.exceptions import CheckFailed
from wurzel.project.variables import _quoted

MARKER = "m4rk3r-value"


@pytest.fixture
def run(project, monkeypatch):
    """Run `wurzel env` on an example; gives output and the error, if there is one."""
    for name in ("SHARED_TOKEN", "SECRET_SUFFIX__TOKEN", "SECRETSUFFIX__TOKEN"):
        monkeypatch.delenv(name, raising=False)

    def call(example, *args):
        project(example)
        return invoke("env", example, *args)

    return call


def rows(text):
    return {line.split()[0]: " ".join(line.split()[1:]) for line in text.splitlines()[1:] if line}


def test_the_table(run):
    found = rows(run("credentials").stdout)
    assert found["SHARED_TOKEN"] == "all required - secret shared, key token (wurzel.yaml:5:29), not set here"
    assert found["SECRET_SUFFIX__TOKEN"] == (
        "secret-suffix required - secret suffix, key api-token (wurzel.yaml:7:40), not set here"
    )
    assert found["SECRET_SUFFIX__USER"] == "secret-suffix optional anna default"


def test_the_datasets_that_a_step_started_by_hand_needs(project):
    project("outputs")
    result = invoke("env", "outputs:pipeline", "--set", "data_dir=my data")
    assert result.exit_code == 0, result.exception
    table = result.stdout.partition("\n\n")[2]
    assert table.splitlines()[0].split() == ["STEP", "INPUTS", "OUTPUT"]
    found = rows(table)
    assert found["words"] == "- -o 'my data/words'"
    assert found["cut"] == "-i 'my data/words' -o 'my data/cut'"
    inputs = ("left=my data/upper", "right=my data/reverse", "left=my data/cut/test")
    assert found["compare"] == " ".join([f"-i '{one}'" for one in inputs] + ["-o 'my data/compare'"])


def test_where_each_value_comes_from(run, monkeypatch):
    monkeypatch.setenv("SHARED_TOKEN", MARKER)
    monkeypatch.setenv("SECRETSUFFIX__USER", MARKER)
    result = run("credentials", "--set", "steps.words.settings.WORDS=[a]", "--set", "env.OTHER=x")
    found = rows(result.stdout)
    assert found["SHARED_TOKEN"].endswith("set here")
    assert not found["SHARED_TOKEN"].endswith("not set here")
    assert found["SECRET_SUFFIX__USER"].endswith("environment (SECRETSUFFIX__USER)")
    assert found["WORDS__WORDS"].endswith("--set steps.words.settings.WORDS")
    assert "OTHER" not in found
    assert MARKER not in result.output


def test_a_variable_of_the_configuration_gives_a_setting(run):
    found = rows(run("credentials", "--set", "env.SECRET_SUFFIX__USER=bob").stdout)
    assert found["SECRET_SUFFIX__USER"].endswith("--set env.SECRET_SUFFIX__USER")


def test_check_fails_while_something_is_missing(run, monkeypatch):
    result = run("credentials", "--check")
    assert isinstance(result.exception, CheckFailed)
    assert "the secret SHARED_TOKEN is missing" in str(result.exception)
    assert "Set SECRET_SUFFIX__TOKEN" in str(result.exception)
    assert result.exception.exit_code == 1
    monkeypatch.setenv("SHARED_TOKEN", MARKER)
    monkeypatch.setenv("SECRETSUFFIX__TOKEN", MARKER)
    result = run("credentials", "--check")
    assert result.exit_code == 0
    assert "all 2 required variables are set" in result.stderr
    assert MARKER not in result.output


def test_a_setting_that_configuration_gives_is_not_missing(run):
    assert isinstance(run("hostile", "--check", "--set", "steps.file-words.settings=").exception, CheckFailed)
    assert run("hostile", "--check").exit_code == 0


def test_dotenv_reads_back_as_the_defaults(run, monkeypatch, tmp_path):
    monkeypatch.setenv("SHARED_TOKEN", MARKER)
    text = run("credentials", "--dotenv").stdout
    assert MARKER not in text
    assert "SHARED_TOKEN=\n" in text
    assert "SECRET_SUFFIX__TOKEN=\n" in text
    assert "# secret-suffix: never shown (secret), secret suffix, key api-token (wurzel.yaml:7:40)\n" in text
    default = next(line for line in text.splitlines() if "WORDS__WORDS=" in line).removeprefix("# ")
    assert json.loads(shlex.split(default)[0].partition("=")[2]) == ["one", "two", "three", "four", "five"]
    (tmp_path / "x.env").write_text(text)
    shell = subprocess.run(
        ["sh", "-euc", "set -a; . ./x.env; env"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert shell.returncode == 0
    assert "SHARED_TOKEN=\n" in shell.stdout


@pytest.mark.parametrize("value", ["plain", "a b", "it's", '"$HOME"`id`', "back\\slash", "", "#x", "ü"])
def test_quoting_of_defaults_survives_a_shell(value):
    shell = subprocess.run(
        ["sh", "-c", f'X={_quoted(value)}; printf %s "$X"'], capture_output=True, text=True, check=False
    )
    assert shell.stdout == value


@pytest.mark.parametrize(
    "command",
    [
        ["env", "credentials"],
        ["env", "credentials", "--dotenv"],
        ["env", "credentials", "--check"],
        ["inspect", "credentials"],
        ["inspect", "credentials", "--json"],
        ["inspect", "credentials", "--explain"],
        ["graph", "credentials"],
        ["render", "credentials", "-t", "local", "--stdout"],
        ["render", "credentials", "-t", "dvc", "--stdout"],
        ["env", "credentials", "--set", f"env.SECRET_SUFFIX__TOKEN={MARKER}"],
        ["env", "credentials", "--set", f"steps.secret-suffix.settings.TOKEN={MARKER}"],
        ["env", "credentials", "--set", f"secrets.OTHER={MARKER}"],
        ["env", "credentials", "--set", f"env.URL=https://me:{MARKER}@h.example"],
    ],
)
def test_no_command_prints_a_secret(run, monkeypatch, command):
    for name in ("SHARED_TOKEN", "SECRET_SUFFIX__TOKEN", "SECRETSUFFIX__TOKEN"):
        monkeypatch.setenv(name, MARKER)
    run("credentials")
    result = invoke(*command)
    assert result.exit_code in {0, 1}
    assert MARKER not in result.output
    assert MARKER not in str(result.exception)


def test_the_keys_of_a_store_are_listed_by_where_they_are_kept(run, monkeypatch):
    keys = "{access_key_id: {name: minio, key: id}, secret_access_key: {name: minio, key: secret}}"
    run("credentials")
    with Path("wurzel.yaml").open("a") as file:
        file.write(f"store: {{url: 's3://acme/rag', secrets: {keys}}}\n")
    monkeypatch.setenv("WURZEL_STORE_ACCESS_KEY_ID", MARKER)
    done = invoke("env", "credentials")
    lines = done.stdout.partition("\n\n")[0].splitlines()[-2:]
    assert lines[0].split()[:3] == ["WURZEL_STORE_ACCESS_KEY_ID", "store", "optional"]
    assert "secret minio, key id (wurzel.yaml:" in lines[0]
    assert lines[0].endswith("), set here")
    assert lines[1].endswith("), not set here")
    assert MARKER not in "".join(lines)
