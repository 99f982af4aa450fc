"""Why a file is not what would be written: with each target, and with a backend and templates that are not ours."""

import json
import re
import sys
from pathlib import Path

import pytest

from tests.command import invoke
from wurzel.backends import registry
from wurzel.backends.base import Backend, OutputFile, native
from wurzel.backends.registry import BUILT_IN
from wurzel.drift.compare import Difference, differences, flatten
from wurzel.ir.features import FEATURES

CONFIG = """version: 1
pipelines:
  words:
    entrypoint: chain:pipeline
    image: registry.example/words:1
    schedule: {cron: "0 4 * * *", timezone: Europe/Berlin}
    env: {LOG_LEVEL: info}
    defaults:
      retry: {limit: 2, backoff: 10s}
    steps:
      upper:
        resources: {memory: 2Gi}
        timeout: 10m
    targets: {github: {layout: steps}, gitlab: {layout: steps}}
"""


def run(*arguments):
    return invoke("render", *arguments)


@pytest.fixture
def words(project):
    """A project of the chain; gives a function that changes its configuration."""
    project("chain")
    Path("wurzel.yaml").write_text(CONFIG)

    def change(old, new):
        text = Path("wurzel.yaml").read_text()
        assert old in text
        Path("wurzel.yaml").write_text(text.replace(old, new))

    return change


def why(target):
    result = run("words", "-t", target, "--check")
    assert result.exit_code == 1
    return str(result.exception)


@pytest.mark.parametrize("target", sorted(BUILT_IN))
def test_a_setting_of_all_steps_is_named_with_its_place(words, target):
    run("words", "-t", target)
    words("limit: 2", "limit: 5")
    assert re.search(r"retry\.limit .*→ .*\(wurzel\.yaml:9:22\)", why(target))


@pytest.mark.parametrize("target", sorted(set(BUILT_IN) - {"dvc", "local", "github", "airflow"}))
def test_a_setting_of_one_step_names_the_step(words, target):
    run("words", "-t", target)
    words("2Gi", "4Gi")
    assert re.search(r"memory \"?2Gi\"? → \"?4Gi\"? \(wurzel\.yaml:12:29\)", why(target))
    assert "limit" not in why(target)


@pytest.mark.parametrize(
    ("target", "old", "new", "line"),
    [
        ("gitlab", "10m", "20m", 14),
        ("github", "10m", "20m", 14),
        ("cronjob", "10m", "20m", 14),
        ("gitlab", "10s", "90s", 10),
        ("cronjob", "limit: 2", "limit: 3", 10),
    ],
)
def test_a_deadline_names_what_changed_it(words, target, old, new, line):
    """It depends on all three; the commands of the steps show which one it was."""
    words("defaults:", "defaults:\n      timeout: 5m")
    run("words", "-t", target)
    words(old, new)
    lines = [each for each in why(target).splitlines() if " → " in each]
    assert len(lines) > 1
    assert all(f"(wurzel.yaml:{line}:" in each for each in lines)


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("timeout: 10m", "timeout: 80m", "14:18"),
        ("backoff: 10s", "backoff: 5m", "10:34"),  # beyond the longest wait, so that more would not change it
    ],
)
def test_a_deadline_names_all_that_may_have_changed_it_where_no_command_shows_it(words, old, new, place):
    words("steps}, gitlab: {layout: steps}", "single}, gitlab: {}")
    words("backoff: 10s", "backoff: 10s, max: 1m")
    words("defaults:", "defaults:\n      timeout: 5m")
    run("words", "-t", "github")
    words(old, new)
    assert re.search(rf"timeout-minutes \d+ → \d+ \(.*wurzel.yaml:{place}\b", why("github"))


@pytest.mark.parametrize("layout", ["steps", "single"])
def test_a_deadline_that_the_pipeline_limits_names_the_step_that_changed_it(words, layout):
    words("targets: {", f"targets: {{cronjob: {{layout: {layout}}}, ")
    words("retry: {limit: 2, backoff: 10s}", "timeout: 5m")
    words("defaults:", "timeout: 30m\n    defaults:")
    words("timeout: 10m", "timeout: 1m")
    run("words", "-t", "cronjob")
    words("timeout: 1m", "timeout: 10m")
    (reason,) = re.findall(r"timeout 1620 → 1800 \((.*)\)", why("cronjob"))
    every = ["wurzel.yaml:10:16", "wurzel.yaml:14:18", "wurzel.yaml:8:14"]  # no command shows which step it was
    assert reason.split(" or ") == (["wurzel.yaml:14:18"] if layout == "steps" else every)


@pytest.mark.parametrize("target", ["github", "gitlab"])
def test_what_is_not_set_any_more_is_not_blamed_on_others(words, target):
    words("defaults:", "defaults:\n      timeout: 5m")
    run("words", "-t", target)
    words("\n      retry: {limit: 2, backoff: 10s}", "")
    text = why(target)
    assert not re.findall(r": (store|shard_by|needs|timeout --retries) .* → ", text)
    assert ("retry.limit 26 → 15" in text) == (target == "github")


def test_a_time_in_another_unit_is_one_change(words):
    run("words", "-t", "airflow")
    words("backoff: 10s", "backoff: 2m")
    assert "retry.backoff 10 seconds → 2 minutes (wurzel.yaml:9:34)" in why("airflow")
    assert " removed " not in why("airflow")


def test_another_word_of_a_description(words):
    words("image: ", "description: Counts the words\n    image: ")
    run("words", "-t", "github")
    words("Counts the", "Counts all")
    assert "description the → all (wurzel.yaml:5:18)" in why("github")


@pytest.mark.parametrize("target", ["argo", "cronjob", "gitlab", "github"])
def test_a_schedule(words, target):
    run("words", "-t", target)
    words("0 4 * * *", "0 5 * * *")
    assert "schedule.cron 4 → 5 (wurzel.yaml:6:22)" in why(target)


def test_the_reason_for_another_layout_is_named(words):
    run("words", "-t", "github")
    words("github: {layout: steps}", "github: {layout: single}")
    assert "(wurzel.yaml:14:" in why("github")


def test_a_digest_is_not_blamed_on_a_setting_that_did_not_change(words):
    """The DAG has that of the file with the pipeline, which any setting changes."""
    words("layout: steps}}", "layout: steps}, airflow: {layout: single}}")
    run("words", "-t", "airflow")
    words("limit: 2", "limit: 5")
    (line,) = [line for line in why("airflow").splitlines() if re.search("[0-9a-f]{50}", line)]
    assert "WURZEL_IR_SHA256" in line
    assert "wurzel.yaml" not in line
    assert re.search(r"retry\.limit 2, → 5, \(wurzel\.yaml:9:22\)", why("airflow"))


def test_what_is_added_and_removed(words):
    run("words", "-t", "argo")
    words("timeout: 10m", "labels: {team: docs}")
    words("LOG_LEVEL: info", "LOG_LEVEL: info, MORE: '1'")
    text = why("argo")
    assert "upper: labels.team added docs (wurzel.yaml:13:24)" in text
    assert "upper: timeout removed 600" in text
    assert "MORE" in text


def test_what_was_reset_to_its_default_is_named(words):
    before = Path("wurzel.yaml").read_text()
    words("env: {", "timeout: 2h\n    parallelism: 3\n    env: {")
    words("LOG_LEVEL: info", "LOG_LEVEL: info, MORE: one")
    words("upper:\n", "upper:\n        labels: {team: docs}\n")
    words("github: {", "argo: {pod_gc: OnWorkflowSuccess}, github: {")
    run("words", "-t", "argo")
    Path("wurzel.yaml").write_text(before)
    text = why("argo")
    assert "timeout or targets.argo.active_deadline 7200 → 86400 (wurzel!argo/" in text
    assert "parallelism removed 3\n" in text
    assert "env.MORE removed\n" in text
    assert "upper: labels.team removed docs\n" in text
    assert "targets.argo.pod_gc removed OnWorkflowSuccess\n" in text


def test_a_changed_template_is_the_reason_where_no_setting_is(words):
    run("words", "-t", "dvc")
    layer = Path("layer/dvc")
    layer.mkdir(parents=True)
    (layer / "dvc.yaml.j2").write_text(
        '{% extends "!dvc/dvc.yaml.j2" %}\n{% block desc %}\n    desc: changed\n{% endblock %}\n'
    )
    words("version: 1", "version: 1\ntemplates: [layer]")
    text = why("dvc")
    assert "upper: " in text
    assert "(layer/dvc/dvc.yaml.j2:3)" in text


def test_the_summary_of_a_write_says_why(words):
    run("words", "-t", "argo")
    words("2Gi", "4Gi")
    result = run("words", "-t", "argo")
    assert "updated argo/words.yaml: upper: memory 2Gi → 4Gi (wurzel.yaml:12:29)\n" in result.stderr


def test_a_comment_alone_is_a_reason(words):
    run("words", "-t", "github")
    words("image: ", "description: What it is for\n    image: ")
    assert "description added" in why("github")


class Lines(Backend):
    """A backend of somebody else, which writes a shell script."""

    name = "lines"
    summary = "lines"
    support = dict.fromkeys(FEATURES, native())

    def files(self, pipeline, options):
        steps = [{"id": step.id, "memory": step.resources.memory or "none"} for step in pipeline.steps]
        return [OutputFile("lines.sh", "lines/lines.sh.j2", {"steps": steps})]


def test_a_backend_of_somebody_else(words, monkeypatch):
    templates = Path("theirs")
    (templates / "lines").mkdir(parents=True)
    (templates / "lines" / "lines.sh.j2").write_text(
        "#!/bin/sh\n{% for step in steps %}\nrun {{ step.id }} --memory {{ step.memory }}\n{% endfor %}\n"
    )
    Lines.templates = templates.resolve()
    monkeypatch.setattr(registry, "_installed", lambda: {"lines": f"{__name__}:{Lines.__qualname__}"})
    run("words", "-t", "lines")
    words("2Gi", "4Gi")
    assert "upper: memory 2Gi → 4Gi (wurzel.yaml:12:29)" in why("lines")
    explained = run("words", "-t", "lines", "--explain").stdout
    (line,) = [line for line in explained.splitlines() if "4Gi" in line]
    assert line.startswith("wurzel!lines/lines.sh.j2:3")
    assert line.endswith("[upper: resources.memory wurzel.yaml:12:29]")


def test_explain_as_data(words):
    data = json.loads(run("words", "-t", "argo", "--explain", "--format", "json").stdout)
    (file,) = data["files"]
    (line,) = [line for line in file["lines"] if "2Gi" in line["text"]]
    assert {"field": "resources.memory", "steps": ["upper"], "place": "wurzel.yaml:12:29"} in line["fields"]
    assert line["template"].startswith("wurzel!argo/")
    template = line["template"].removeprefix("wurzel!")
    source = (Path(__file__).parents[2] / "templates" / template).read_text().splitlines()
    assert any(value in source[line["template_line"] - 1] for value in line["values"])


def test_a_large_pipeline_is_not_tried_for_ever(words, monkeypatch):
    monkeypatch.setattr("wurzel.drift.influence.WORK", 6)
    run("words", "-t", "argo")
    words("2Gi", "4Gi")
    assert re.search(r"\(\d+ settings were not tried because the pipeline is large\)", why("argo"))


def test_no_key_of_a_hand_edit_is_shown_as_a_reason(words):
    run("words", "-t", "github")
    (path,) = Path(".github/workflows").iterdir()
    key = "ghp_" + "a1B2" * 9
    path.write_text(path.read_text().replace("LOG_LEVEL: info", f"LOG_LEVEL: {key}"))
    text = why("github")
    assert "edited by hand" in text
    assert key not in text


@pytest.mark.parametrize(
    ("name", "old", "new", "found"),
    [
        ("a.yaml", "a: {b: 1}\n", "a: {b: 2}\n", [(("a", "b"), "1", "2")]),
        (
            "a.yaml",
            "- name: x\n  v: 1\n- name: y\n  v: 1\n",
            "- name: y\n  v: 2\n",
            [(("x",), "", None), (("y", "v"), "1", "2")],
        ),
        ("a.yaml", "a: [1, 2, 3]\n", "a: [1, 3]\n", [(("a",), "2", None)]),
        ("a.yaml", "a: |\n  x\n  y\n", "a: |\n  x\n  z\n", [(("a",), "y", "z")]),
        ("a.yaml", "# x\na: 1\n", "# y\na: 1\n", [((), "# x", "# y")]),
        ("a.yaml", "\tno: [yaml\n", "a: 1\n", None),
        ("a.yaml", "[" * 5000, "a: 1\n", None),
        ("a.py", "def broken(:\n", "A = 1\n", None),
        ("a.py", "A = f(task_id='x', m=1)\n", "A = f(task_id='x', m=2)\n", [(("A", "x", "m"), "1", "2")]),
        ("a.py", "A = {'k': [1]}\n", "A = {'k': [1, 2]}\n", [(("A", "k"), None, "2")]),
        ("a.sh", "a\nb\n", "a\nc\n", [((), "b", "c")]),
        ("a.yaml", "", "a: 1\n", None),
        ("a.yaml", "a: 1\n", "a: 1\n", []),
        (
            "a.yaml",
            "kind: A\nmetadata: {name: x}\nv: 1\n",
            "kind: B\nmetadata: {name: y}\n---\nkind: A\nmetadata: {name: x}\nv: 2\n",
            [(("B y",), None, ""), (("A x", "v"), "1", "2")],
        ),
    ],
)
def test_differences(name, old, new, found):
    result = differences(name, old, new)
    if found is None:
        assert result
    else:
        assert [(one.path, one.old, one.new) for one in result] == found


def test_the_words_that_differ():
    assert Difference((), "a b c d", "a x d", 1).words == ((1, 3), (1, 2))
    assert Difference((), "a", "a b", 1).words == ((1, 1), (1, 2))
    assert Difference((), None, "a", 1).words == ((0, 0), (0, 1))


def test_lines_are_those_of_the_file():
    text = "a:\n  - name: x\n    run: |\n      one\n      two\nb: 1\n"
    leaves = flatten("a.yaml", text)
    lines = text.splitlines()
    for leaf in leaves.values():
        for value, line in zip(leaf.values, leaf.lines, strict=True):
            assert value in lines[line - 1]


def test_a_dependency_that_is_gone_is_not_blamed_on_a_setting_that_nobody_set(project):
    root = project("chain")
    (root / "helper.py").write_text("def sign():\n    return '!'\n")
    steps = (root / "steps.py").read_text()
    (root / "steps.py").write_text(f"from helper import sign\n{steps}\nMARK = sign\n")
    Path("wurzel.yaml").write_text(
        'version: 1\npipelines: {words: {entrypoint: "chain:pipeline", targets: {dvc: {}}}}\n'
    )
    invoke("render")
    dvc = Path("dvc.yaml").read_text()
    assert "- helper.py\n" in dvc
    (root / "steps.py").write_text(steps)
    for module in ("steps", "chain", "helper"):
        sys.modules.pop(module, None)
    shown = str(invoke("render", "--check").exception)
    assert "removed helper.py" in shown
    assert "shards" not in shown
