"""The commands that show something: inspect, graph, targets."""

import json
from pathlib import Path

import jsonschema
import pytest

from tests.command import invoke as run
from wurzel.backends.registry import BUILT_IN
from wurzel.exceptions import UsageError
from wurzel.ir.features import FEATURES


def test_inspect_for_people(project):
    project("scheduled")
    text = run("inspect", "scheduled").output
    assert "schedule 0 4 * * * Europe/Berlin" in text
    assert "SUFFIX = ?" in text
    assert 'resources {"cpu": "4", "memory": "8Gi", "gpu": {"nvidia.com/mig-1g.10gb": 1}' in text


def test_inspect_hides_secrets(project):
    project("credentials")
    assert "TOKEN = (secret)" in run("inspect", "credentials").output


def test_inspect_json_is_the_ir(project):
    project("scheduled")
    data = json.loads(run("inspect", "scheduled", "--json").output)
    assert data["version"] == 2
    assert [step["id"] for step in data["steps"]] == ["words", "suffix", "join"]


def test_inspect_explains(project):
    project("scheduled")
    lines = run("inspect", "scheduled", "--explain", "--set", "steps.suffix.resources.gpu=2").output.splitlines()
    (gpu,) = [line for line in lines if line.startswith("steps.suffix.resources.gpu")]
    assert gpu.split()[1] == "2"
    assert "--set" in gpu
    (memory,) = [line for line in lines if line.startswith("steps.join.resources.memory")]
    lines = Path("wurzel.yaml").read_text().splitlines()
    place = next(number for number, line in enumerate(lines, 1) if "memory: 1Gi" in line)
    assert f"wurzel.yaml:{place}:" in memory


@pytest.mark.parametrize(
    "words", [("inspect", "--json", "--explain"), ("env", "--check", "--dotenv"), ("render", "--diff", "--explain")]
)
def test_what_is_printed_is_asked_for_once(words):
    done = run(*words)
    assert done.exception.exit_code == 2
    assert f"{words[1]} and {words[2]} are mutually exclusive" in str(done.exception)


def test_the_schema_of_the_ir_accepts_what_inspect_prints(project):
    project("scheduled")
    schema = json.loads(run("schema", "--ir").output)
    data = json.loads(run("inspect", "scheduled", "--json").output)
    jsonschema.validate(data, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**data, "stpes": []}, schema)


def test_graph_as_text(project):
    project("diamond")
    assert run("graph", "diamond:pipeline").output.splitlines() == [
        "words",
        "upper    <- words",
        "reverse  <- words",
        "join     <- upper, reverse",
    ]


def test_graph_as_mermaid_and_dot(project):
    project("diamond")
    mermaid = run("graph", "diamond:pipeline", "--format", "mermaid").output
    assert mermaid.startswith("flowchart LR\n")
    assert 's1 -- "list#91;Word#93;" --> s3' in mermaid
    dot = run("graph", "diamond:pipeline", "--format", "dot").output
    assert '"upper" -> "join" [label="list[Word]"];' in dot


def test_graph_as_svg_needs_no_other_program(project, monkeypatch):
    project("diamond")
    monkeypatch.setenv("PATH", "")
    assert run("graph", "diamond:pipeline", "--format", "svg").output.startswith("<svg ")


def test_targets_as_json_is_the_whole_table():
    table = json.loads(run("targets", "--json").output)
    assert list(table) == list(BUILT_IN)
    for backend in table.values():
        assert list(FEATURES) == [name for name in FEATURES if name in backend["features"]]


def test_targets_for_people():
    text = run("targets").output
    for name in FEATURES:
        assert name in text
    detail = run("targets", "dvc").output
    assert "params.yaml" in detail
    assert "unsupported" in detail


def test_an_unknown_target():
    error = run("targets", "dcv").exception
    assert isinstance(error, UsageError)
    assert "unknown target 'dcv'" in str(error)
    assert "Did you mean dvc?" in str(error)


def test_a_graph_shows_the_jobs_of_a_target(project):
    project("grouped")
    assert run("graph", "grouped", "-t", "github").output.splitlines() == [
        "words:",
        "  words",
        "letters:",
        "  upper    <- words",
        "  reverse  <- words",
        "suffix:",
        "  suffix   <- upper",
        "join-shout:",
        "  join     <- suffix, reverse",
        "  shout    <- join",
    ]
    assert (
        '    subgraph j1["letters"]\n        s1\n'
        in run("graph", "grouped", "-t", "gitlab", "--format", "mermaid").output
    )
    dot = run("graph", "grouped", "-t", "cronjob", "--set", "image=x", "--format", "dot").output
    assert '  subgraph cluster_1 { label="letters"; "upper"; "reverse"; }' in dot
    assert "words:" in run("graph", "grouped", "-t", "argo").output
