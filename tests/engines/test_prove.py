"""`wurzel prove`: every fault in a rendered file is found, with the step and the item where the data differs first."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pandas as pd
import psutil
import pytest

from tests.command import program
from tests.engines.cases import Case
from tests.engines.containers import Containers
from tests.engines.datasets import example
from wurzel.datacontract.manifest import Manifest
from wurzel.engines.airflow import dag_data, stored
from wurzel.engines.cluster import Cluster
from wurzel.engines.driver import Outcome
from wurzel.engines.github import runner_labels
from wurzel.engines.local import Script, WurzelRun
from wurzel.engines.page import Proof, write
from wurzel.engines.process import ENGINES, EngineFailed
from wurzel.engines.project import ProjectCase, case_of
from wurzel.engines.proof import Difference, Row, drivers_of, first_difference, proven, row
from wurzel.project.open import open_pipeline

PYTHON = Path(sys.executable).parent


def prove(folder, *words, path=f"{PYTHON}:/usr/bin:/bin", **environ):
    return subprocess.run(
        [sys.executable, "-m", "wurzel", "prove", *words],
        cwd=folder, env={"PATH": path, "HOME": str(folder), **environ}, capture_output=True, text=True, check=False,
    )  # fmt: skip


CHANGING = """
import time
from wurzel import NoSettings, TypedStep
from wurzel.utils import WZ
from steps import Upper, Word, Words

class Stamp(TypedStep[NoSettings, list[Word], list[Word]]):
    def run(self, inpt: list[Word]) -> list[Word]:
        return [*inpt[:2], Word(text=f"made at {time.time_ns()}")]

words, stamp, upper = WZ(Words), WZ(Stamp), WZ(Upper)
words >> stamp >> upper
pipeline = upper
"""


def test_a_step_that_gives_other_data_each_time_is_named(tmp_path):
    project = example("chain", tmp_path / "project")
    (project / "changing.py").write_text(CHANGING)
    done = prove(project, "changing:pipeline", "-t", "local", "-t", "dvc", "--report", "proof.json")
    assert done.returncode == 1, done.stderr
    assert re.search(r"sh +different .*stamp/part-00000\.json: item 2, field 'text' is 'made at \d+', not", done.stdout)
    assert "dvc is not on the PATH: `uv tool install dvc`" in done.stdout
    assert "not the same in run-*.sh in sh; 1 not run" in done.stderr
    first, script, dvc = json.loads((project / "proof.json").read_text())["engines"]
    assert (first["verdict"], script["verdict"], dvc["verdict"]) == ("reference", "different", "not run")
    assert script["difference"]["step"] == "stamp"
    assert script["difference"]["item"] == 2
    assert not (project / "data").exists()
    assert not (project / "run-pipeline.sh").exists()


def test_an_unknown_target_is_named_before_anything_runs(tmp_path):
    done = prove(example("chain", tmp_path / "project"), "chain:pipeline", "-t", "argoo")
    assert done.returncode == 2
    assert done.stderr == "error: unknown target 'argoo'\n  Did you mean argo?\n"


def test_a_sample_of_a_project_gives_the_same_everywhere(tmp_path):
    project = example("hostile", tmp_path / "project")
    (project / ".gitignore").write_text("in put\n")
    done = prove(project, "hostile", "-t", "local", "--sample", "2", "--report", "proof.md", "--report", "proof.html")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "the same bytes in 1 engine\n" in done.stderr
    text = (project / "proof.md").read_text()
    assert text.startswith("# hostile: the first 2 items of each source, wurzel ")
    assert "<td>same</td>" in (project / "proof.html").read_text()


TWO = """version: 1
pipelines:
  chain:
    entrypoint: chain:pipeline
    targets:
      local: {}
      prod: {target: local, environment: prod}
environments:
  prod: {pipelines: {chain: {env: {WURZEL_SAMPLE: "1"}}}}
"""


def test_a_named_target_is_compared_with_a_run_in_its_environment(tmp_path):
    project = example("chain", tmp_path / "project")
    (project / "wurzel.yaml").write_text(TWO)
    (project / "run-other.sh").write_text("exit 1\n")
    done = prove(project, "chain", "--report", "proof.json")
    assert done.returncode == 0, done.stdout + done.stderr
    rows = json.loads((project / "proof.json").read_text())["engines"]
    assert [(row["engine"], row["verdict"]) for row in rows] == [
        ("wurzel run", "reference"), ("run-*.sh in sh", "same"),
        ("wurzel run -e prod", "reference"), ("run-*.sh in sh (prod)", "same"),
    ]  # fmt: skip
    assert rows[0]["digest"] != rows[2]["digest"]


def test_data_that_stays_within_a_job_is_not_compared_but_named():
    expected = Outcome(0, data(a=ITEMS, b=ITEMS))
    found = Outcome(0, data(b=ITEMS), partial=True)
    assert row(Script("sh"), found, expected, ["a", "b"], ["a"]).verdict == "different"
    same = row(Script("sh"), found, expected, ["a", "b"], ["b"])
    assert (same.verdict, same.note) == ("same", "not compared, since it stays within a job: the data of a")
    assert row(Script("sh"), Outcome(0, data(b=[])), expected, ["a", "b"], ["b"]).verdict == "different"


def test_what_cannot_be_proven_is_said_at_once(tmp_path):
    project = example("chain", tmp_path / "project")
    for words, message in (
        (["-t", "slurm"], "slurm"),
        (["--timeout", "soon"], "'soon' is not a duration"),
        (["--report", "proof.pdf"], "the name must end in .md, .json or .html"),
        (["--set", "steps.nothing.shards=2"], "nothing"),
    ):
        done = prove(project, "chain:pipeline", *words)
        assert (done.returncode, message in done.stderr) == (2, True), done.stderr


def test_a_pipeline_that_fails_here_is_not_run_elsewhere(tmp_path):
    project = example("failing", tmp_path / "project")
    done = prove(project, "failing:pipeline", "-t", "local")
    assert done.returncode == 1
    assert "wurzel run" in done.stdout
    assert "failed" in done.stdout
    assert "sh" not in done.stdout.replace("wurzel", "")
    assert "--- wurzel run" in done.stderr


SUFFIXES = [
    # step, in the rendered script, instead, item that differs first (one of `words` has the number)
    ("suffix-0", "SUFFIX=yes'", "SUFFIX=True'", 0),
    ("suffix-1", "SUFFIX=0123'", "SUFFIX=83'", 0),
    ("suffix-2", "SUFFIX=1:30'", "SUFFIX=90'", 0),
    ("suffix-3", "{{item}} ${X}'", "{{item}} '", 0),
    ("suffix-4", "SUFFIX=line one\nline two\n\n'", "SUFFIX=line one\nline two'", 0),
    ("suffix-5", "'SUFFIX_5__SUFFIX='\\''; touch pwned #'", "'SUFFIX_5__SUFFIX=; touch pwned #'", 0),
    ("suffix-6", "'SUFFIX_6__SUFFIX=$(touch pwned)`touch pwned`'", '"SUFFIX_6__SUFFIX=$(true)`true`"', 0),
    ("suffix-7", "SUFFIX=\\'", "SUFFIX=\\\\'", 0),
    ("suffix-8", "{c: d}] # e'", "{c: d}]'", 0),
    ("suffix-9", "SUFFIX=ends in.sh'", "SUFFIX=ends in.sh '", 0),
    ("suffix-10", "SUFFIX=\ttab", "SUFFIX= tab", 0),
    ("suffix-11", "SUFFIX= lead and trail '", "SUFFIX=lead and trail'", 0),
    ("suffix-12", "SUFFIX=null'", "SUFFIX='", 0),
    ("suffix-13", "SUFFIX='", "SUFFIX=None'", 0),
]
STRUCTURE = [
    ("suffix-1", "steps:Suffix --id suffix-1", "steps:Upper --id suffix-1", None),
    ("suffix-2", "'SUFFIX_2__SUFFIX=1:30'", "'SUFFIX_3__SUFFIX=1:30'", 0),
    ("suffix-3", "'SUFFIX_3__SUFFIX=${{ github.actor }} {{item}} ${X}'", "-u NOTHING", 0),
    ("suffix-4", "env 'SUFFIX_4__SUFFIX=line one\nline two\n\n' \\\n        wurzel step steps:Suffix",
     "wurzel step steps:Reverse", 0),
    ("suffix-5", "-o 'da ta/$HOME it'\\''s/suffix-5'", "-o 'da ta/suffix-5'", None),
    ("suffix-6", "env 'SUFFIX_6__SUFFIX", "env SUFFIX_6__TIMES=2 'SUFFIX_6__SUFFIX", 0),
    ("file-words", "-o 'da ta/$HOME it'\\''s/file-words'", "-o 'da ta/$HOME it'\\''s/file-word'", None),
]  # fmt: skip
LAYER = """{% extends "!local/run.sh.j2" %}
{% block environment %}
{{ super() }}
export SUFFIX_8__TIMES=2
{% endblock %}
{% block step scoped %}
    {{ case.id }})
      needs={{ case.needs }}
      followers={{ case.followers }}
      set --
{% for line in case.command %}
{% set dropped = {"suffix-0": loop.first, "suffix-3": loop.last, "suffix-4": loop.index == 3} %}
{% if not dropped.get(step.id) %}
      set -- "$@"{% if step.id == "suffix-1" and
 loop.index == 2 %} env SUFFIX_1__TIMES=2{% endif %}{% for word in line %} {{ word }}{% endfor %}

{% endif %}
{% endfor %}
      ;;
{% endblock %}
{% block before_step %}
    case "$*" in
      *"--id suffix-6 "*) shift 2 ;;
      *"--id suffix-7 "*) cd / ;;
      *"--id suffix-9 "*) export SUFFIX_9__TIMES=0 ;;
    esac
{% endblock %}
"""
TEMPLATES = [
    # step, item that differs first
    ("suffix-0", 0), ("suffix-1", 0), ("suffix-3", None), ("suffix-4", None), ("suffix-6", 0), ("suffix-7", None),
    ("suffix-8", 0), ("suffix-9", 0),
]  # fmt: skip
CODE = """        found = [Word(text=word.text + suffix, count=word.count) for word in inpt]
        faults = {
            "yes": found[:-1],
            "0123": [*found[:2], found[3], found[2], *found[4:]],
            "1:30": [*found[:5], Word(text=found[5].text, count=found[5].count + 1), *found[6:]],
            "null": [*found, found[-1]],
        }
        return faults.get(self.settings.SUFFIX, found)
"""
STEPS = [("suffix-0", 12), ("suffix-1", 2), ("suffix-2", 5), ("suffix-12", 13)]
SOURCE = [("words", '"1e3", "{{ x }}"', '"1000.0", "{{ x }}"', 2)]


class Mutated(Case):
    """The hostile example with faults in its rendered script."""

    faults = ()

    def render(self, project, target, *sets, env=None):
        done = super().render(project, target, *sets, env=env)
        (script,) = project.glob("run-*.sh")
        text = script.read_text(encoding="utf-8")
        for step, old, new, _ in self.faults:
            begin = text.index(f"    {step})\n")
            assert old in text[begin:], step
            text = text[:begin] + text[begin:].replace(old, new, 1)
        script.write_text(text, encoding="utf-8")
        return done


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    return WurzelRun().run(Case("hostile", "hostile"), tmp_path_factory.mktemp("hostile") / "run").data


@pytest.mark.engine
@pytest.mark.parametrize("faults", [SUFFIXES, STRUCTURE, SOURCE], ids=["quoting", "structure", "source"])
def test_each_of_22_mutants_of_a_script_is_found_with_step_and_item(hostile, tmp_path, faults):
    case = Mutated("hostile", "hostile")
    object.__setattr__(case, "faults", faults)
    found = Script("sh").run(case, tmp_path / "run").data
    check(hostile, found, [(step, item) for step, *_, item in faults])


class Changed(Case):
    """The hostile example with a template of its own, or with other code in its steps."""

    changes = ()

    def project(self, folder):
        project = super().project(folder)
        for name, old, new in self.changes:
            file = project / name
            file.parent.mkdir(parents=True, exist_ok=True)
            text = file.read_text() if file.exists() else ""
            assert old in text
            file.write_text(text.replace(old, new, 1))
        return project


IN_TEMPLATES = [
    ("layer/local/run.sh.j2", "", LAYER),
    ("wurzel.yaml", "\n", "\ntemplates: [layer]\n"),
]
RETURNED = "        return [Word(text=word.text + suffix, count=word.count) for word in inpt]\n"


@pytest.mark.engine
@pytest.mark.parametrize(
    ("changes", "faults"),
    [(IN_TEMPLATES, TEMPLATES), ([("steps.py", RETURNED, CODE)], STEPS)],
    ids=["templates", "steps"],
)
def test_each_of_12_mutants_of_templates_and_steps_is_found_with_step_and_item(hostile, tmp_path, changes, faults):
    case = Changed("hostile", "hostile")
    object.__setattr__(case, "changes", changes)
    outcome = Script("sh").run(case, tmp_path / "run")
    check(hostile, outcome.data, faults)


def check(hostile, found, faults):
    """Each fault is found alone, by step and item, and of all together the first; no other step differs."""
    order = ["words", "file-words", *(f"suffix-{number}" for number in range(14))]
    for step, item in faults:
        alone = {path: data for path, data in found.items() if path.startswith(f"{step}/")}
        others = {path: data for path, data in hostile.items() if not path.startswith(f"{step}/")}
        difference = first_difference(order, hostile, others | alone)
        assert (difference.step, difference.item) == (step, item), difference
        if item is not None:
            assert f"item {item}" in difference.what
    assert first_difference(order, hostile, found).step == min((step for step, _ in faults), key=order.index)
    wrong = {step for step, _ in faults}
    others = {path: data for path, data in hostile.items() if path.partition("/")[0] not in wrong}
    assert others.items() <= found.items() or any(step == "words" for step in wrong)


def data(**items):
    """Datasets of one part each."""
    made = {}
    for step, values in items.items():
        made[f"{step}/manifest.json"] = json.dumps({"items": len(values)}).encode()
        made[f"{step}/part-00000.json"] = json.dumps(values).encode()
    return made


ITEMS = [{"text": "x", "tags": ["a", "b"]}, {"text": "y", "tags": []}]


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (data(b=ITEMS, a=ITEMS), None),
        (data(b=ITEMS), Difference("a", "", None, "it has no dataset")),
        (data(a=ITEMS, b=ITEMS, c=[]), Difference("c", "", None, "it has a dataset, and should have none")),
        (
            data(a=[ITEMS[0], {"text": "y", "tags": [None]}], b=[]),
            Difference("a", "part-00000.json", 1, "item 1, field 'tags' is [None], not []"),
        ),
        (
            data(a=[{"text": "x", "tags": ["a", "c"]}, ITEMS[1]], b=ITEMS),
            Difference("a", "part-00000.json", 0, "item 0, field 'tags[1]' is 'c', not 'b'"),
        ),
        (
            data(a=ITEMS[:1], b=ITEMS),
            Difference(
                "a", "part-00000.json", 1,
                "it has 1 items, not 2; the first without a counterpart is item 1, {'text': 'y', 'tags': []}",
            ),
        ),
        (
            data(a=ITEMS, b=ITEMS) | {"a/manifest.json": b"{}"},
            Difference("a", "manifest.json", None, "field 'items' is nothing, not 2"),
        ),
        (
            data(a=ITEMS, b=ITEMS) | {"a/manifest.json": b'{"items":2}'},
            Difference("a", "manifest.json", None, "11 bytes, not 12; the first that differs is byte 9"),
        ),
        (
            data(a=ITEMS, b=ITEMS) | {"b/00000/page.md": b"text"},
            Difference("b", "00000/page.md", None, "the file should not be there"),
        ),
    ],
)  # fmt: skip
def test_the_first_difference(found, expected):
    assert first_difference(["a", "b"], data(a=ITEMS, b=ITEMS), found) == expected


def test_what_a_dag_keeps_beside_its_run_belongs_to_its_data(tmp_path):
    for name in ("run_1/words", "state/memory"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "manifest.json").write_bytes(Manifest("m:D", ("list",), ()).text())
    assert sorted(dag_data(tmp_path)) == ["memory/manifest.json", "words/manifest.json"]


def test_a_store_has_the_data_of_its_run(project, tmp_path):
    root, name, sets = project("sources"), "sources:pipeline", ("store=s3://bucket/prefix",)
    program("run", name, f"--set=store=file://{tmp_path}/store", code=0)
    found = stored(tmp_path / "store", tmp_path / "stored")
    assert {path: json.loads(text)[0]["text"] for path, text in found.items() if "part" in path} == {
        "memory/part-00000.json": "again", "polling/part-00000.json": "polled", "upper/part-00000.json": "POLLED",
    }  # fmt: skip
    case = case_of(open_pipeline(name, None, sets).pipeline, name, root, None, sets, None)
    assert (case.remembers, case.sets) == (True, (*sets, "store=none"))
    assert stored(tmp_path / "nothing", tmp_path / "other") == {}


@pytest.mark.engine
def test_airflow_needs_a_store_where_steps_read_their_last_output(tmp_path):
    project = example("sources", tmp_path / "project")
    sets = ["--set=store=s3://bucket/prefix", "--set=targets.airflow.layout=single"]
    done = prove(project, "sources:pipeline", "-t", "airflow", *sets, "--engines", os.environ[ENGINES])
    assert re.search(r"Airflow 3 +same .* a new store\n", done.stdout), done.stdout + done.stderr


def test_items_are_counted_over_all_parts():
    one = data(a=ITEMS) | {"a/part-00001.json": b'[{"n": 1}]'}
    other = data(a=ITEMS) | {"a/part-00001.json": b'[{"n": 1}, {"n": 2}]'}
    difference = first_difference(["a"], one, other)
    assert (difference.file, difference.item) == ("part-00001.json", 3)


@pytest.mark.parametrize(
    ("found", "what"),
    [
        (b'[{"n": NaN, "m": 1.0}]', "item 0, field 'm' is 1.0, not 1"),
        (b'[{"n": NaN, "m": true}]', "item 0, field 'm' is True, not 1"),
        (b'[{"n": NaN, "m": 1}, 2]', "it has 2 items, not 1; the first without a counterpart is item 1, 2"),
        (b'[{"n": NaN, "m": 1} ]', "21 bytes, not 20; the first that differs is byte 19"),
    ],
)
def test_items_are_compared_as_they_are_stored(found, what):
    before = {"a/manifest.json": b"{}", "a/part-00000.json": b'[{"n": NaN, "m": 1}]'}
    assert first_difference(["a"], before, before | {"a/part-00000.json": found}).what == what


def test_items_and_files_are_in_the_same_parts_with_the_same_marks():
    parts = {"a/manifest.json": b"", "a/part-00000.json": b"[1,2]", "a/part-00001.json": b"[3]"}
    other = parts | {"a/part-00000.json": b"[1]", "a/part-00001.json": b"[2,3]"}
    what = "item 1 is in this part, not in part-00000.json"
    assert first_difference(["a"], parts, other) == Difference("a", "part-00001.json", 1, what)
    marked, plain = (
        {"a/manifest.json": json.dumps({"parts": [{"file": "00000/x"}, {"file": "00001/y", **mark}]}).encode()}
        for mark in ({"executable": True}, {})
    )
    assert first_difference(["a"], marked, plain).what == "field 'parts[1].executable' is nothing, not True"
    one, other = {"a/00000/x.txt": b"ab"}, {"a/00000/x.txt": b"ac"}
    assert first_difference(["a"], one, other).what == "2 bytes; the first that differs is byte 1"


def test_rows_of_tables_are_counted_like_items():
    frames = [pd.DataFrame({"n": [1, last], "text": ["a", None]}) for last in (2, 3)]
    before, after, damaged = (
        {"a/manifest.json": b"{}", "a/part-00000.parquet": table}
        for table in (*(frame.to_parquet() for frame in frames), b"PAR1")
    )
    assert first_difference(["a"], before, after) == Difference(
        "a", "part-00000.parquet", 1, "item 1, field 'n' is 3, not 2"
    )
    damaged = first_difference(["a"], before, damaged)
    assert (damaged.file, damaged.item) == ("part-00000.parquet", 0)


def test_a_failure_names_its_first_difference_and_secrets_stay_on_their_platform(tmp_path):
    expected = Outcome(0, data(a=ITEMS, b=ITEMS))
    found = row(Script("sh"), Outcome(1, data(a=ITEMS), "the log"), expected, ["a", "b"])
    assert (found.verdict, found.why, found.difference.step, found.log) == ("failed", "exit code 1", "b", "the log")
    assert row(Script("sh"), Outcome(0, {}), Outcome(0, {}), []).why == "there are no datasets"

    drivers = [*drivers_of("github", "3", Cluster()), *drivers_of("argo", "3", Cluster())]
    case = ProjectCase("case", "chain:pipeline", root=example("chain", tmp_path / "project"), secrets=("TOKEN",))
    rows = list(proven(case, ["words"], drivers, tmp_path))
    why = "it would take TOKEN from secrets of the platform"
    assert [(one.target, one.verdict, one.why) for one in rows[1:]] == [
        ("argo", "not run", why), ("github", "not run", why)
    ]  # fmt: skip
    rows = list(proven(replace(case, secrets=()), ["words"], drivers[1:], tmp_path / "more"))
    assert [one.why for one in rows[1:]] == ["it has no `image`, which pods are made of"]
    rows = list(proven(replace(case, secrets=()), ["words"], [Refused("sh"), Script("sh")], tmp_path / "last"))
    assert {(one.verdict, one.log) for one in rows[1:]} == {("failed", "it needs a store"), ("same", "")}


class Refused(Script):
    """Its files cannot be rendered, which must not hide the other engines."""

    def run_all(self, cases, folder):
        raise EngineFailed("it needs a store")


def test_reports_escape_what_comes_from_a_run():
    rows = [
        Row("wurzel run", "local", verdict="reference", digest="0" * 64),
        Row("sh", "local", verdict="different", why="a|b\n<b>", log="<script>alert(1)</script>\n| x"),
    ]
    proof = Proof("rag", None, "1.0", rows)
    assert "a\\|b <b>" in write(proof, "md")
    page = write(proof, "html")
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    assert json.loads(write(proof, "json"))["engines"][1]["log"] == rows[1].log
    assert proof.verdict == "not the same in sh"
    rows[1] = replace(rows[1], verdict="not run", log="")
    assert proof.verdict == "nothing was compared; 1 not run"


def test_a_copy_has_all_that_steps_read_and_nothing_of_earlier_runs(project, tmp_path_factory):
    root = project("hostile")
    for name in (".git/config", "da ta/$HOME it's/words/manifest.json", ".venv/x", "notes/.gitignore", "notes/a.md"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("x")
    outside = tmp_path_factory.mktemp("outside") / "words.txt"
    outside.write_text("one\n")
    sets = (f"steps.file-words.settings.FILE={Path('..', *outside.parts[-2:])}", "image=acme/x:1")
    (root / "in put").mkdir()
    pipeline = open_pipeline("hostile", None, sets).pipeline
    case = case_of(pipeline, "hostile", root, None, sets, 5)
    copy = case.project(tmp_path_factory.mktemp("copies") / "copy")
    names = {path.relative_to(copy).as_posix() for path in copy.rglob("*") if path.is_file()}
    assert names - {"pyproject.toml"} == {"wurzel.yaml", "steps.py", "hostile.py", "notes/a.md"}
    assert f"steps.file-words.settings.FILE={outside}" in case.sets
    assert 'env.WURZEL_SAMPLE="5"' in case.sets
    assert case.adapted("github")[0] == ("image=null",)
    assert case.adapted("gitlab")[0] == ("image=null", "data_dir=data")


def test_act_is_told_of_every_runner_that_a_workflow_asks_for(tmp_path):
    folder = tmp_path / ".github" / "workflows"
    folder.mkdir(parents=True)
    (folder / "a.yml").write_text(
        "on: push\njobs:\n  one: {runs-on: ubuntu-24.04}\n  two: {runs-on: [self-hosted, gpu=a100]}\n"
        "  three: {runs-on: {group: big, labels: [linux]}}\n  four: {uses: ./x.yml}\n  five: {runs-on: '${{ x }}'}\n"
    )
    assert runner_labels(tmp_path) == ["linux", "self-hosted", "ubuntu-24.04"]


STAND_INS = Path(__file__).parent / "stand_ins"
SETS = ("--set=image=acme/words:1", "--set=schedule={cron: '0 4 * * *', timezone: UTC}")


def stand_in(name, folder):
    """A program that stands in for another, in a folder for the PATH; what was asked of it is in `calls` beside it."""
    folder.mkdir()
    program = folder / name
    program.write_text(f"#!{sys.executable}\n{(STAND_INS / name).with_suffix('.py').read_text()}")
    program.chmod(0o755)
    return folder


def cluster(folder):
    """A project, and the folder of a kubectl whose claims have its data."""
    project, programs = example("chain", folder / "project"), stand_in("kubectl", folder / "bin")
    WurzelRun().run(Case("chain", "chain"), folder / "run")
    shutil.copytree(folder / "run" / "data", programs / "data")
    return project, programs


def test_a_cluster_runs_it_in_a_namespace_that_is_removed(tmp_path):
    project, programs = cluster(tmp_path)
    words = ["chain:pipeline", "-t", "argo", "-t", "cronjob", *SETS]
    environ = {"KUBECONFIG": "config", "DOCKER_HOST": "unix:///nowhere"}
    done = prove(project, *words, path=f"{programs}:{PYTHON}:/usr/bin:/bin", **environ)
    assert done.returncode == 0, done.stdout + done.stderr
    versions = "Kubernetes v1.36, kubelet v1.36, containerd://1"
    assert re.search(rf"Argo, cluster +same .* argoexec:v4, {versions}", done.stdout), done.stdout
    assert re.search(r"CronJob, cluster +same ", done.stdout)
    assert re.search(r"CronJob, containers +not run; docker", done.stdout)
    assert "without accounts, locks and notices" in done.stdout
    calls = (programs / "calls").read_text().splitlines()
    assert [line.split()[0] for line in calls].count("exec") == 2
    (start,) = [line for line in calls if line.startswith("create job")]
    assert re.fullmatch(r"create job --from=cronjob/(case-\w{6}) \1", start)
    assert re.fullmatch(r"delete namespace wurzel-prove-\w{8} --wait=false", calls[-1])


def test_an_image_that_cannot_be_pulled_ends_the_run(tmp_path):
    project, programs = cluster(tmp_path)
    (programs / "image").write_text("acme/gone:1")
    words = ["chain:pipeline", "-t", "cronjob", *SETS]
    done = prove(project, *words, path=f"{programs}:{PYTHON}:/usr/bin:/bin", KUBECONFIG="config")
    assert done.returncode == 1
    assert re.search(r"CronJob, cluster +failed .*acme/gone:1 cannot be pulled", done.stdout), done.stdout


def test_ending_it_removes_the_namespace(tmp_path):
    project, programs = cluster(tmp_path)
    (programs / "endless").touch()
    calls = programs / "calls"
    with subprocess.Popen(
        [sys.executable, "-m", "wurzel", "prove", "chain:pipeline", "-t", "cronjob", *SETS],
        cwd=project, env={"PATH": f"{programs}:{PYTHON}:/usr/bin:/bin", "KUBECONFIG": "config"},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    ) as process:  # fmt: skip
        end = time.monotonic() + 120
        while not calls.exists() or "get pods" not in calls.read_text():
            assert time.monotonic() < end
            time.sleep(0.05)
        process.terminate()
        assert process.wait(30) == 128 + signal.SIGTERM
    assert calls.read_text().splitlines()[-1].startswith("delete namespace wurzel-prove-")


def test_docker_runs_each_container_as_restricted_as_rendered(tmp_path):
    project = example("chain", tmp_path / "project")
    programs = stand_in("docker", tmp_path / "bin")
    shutil.copytree(project, programs / "image")
    words = ["chain:pipeline", "-t", "cronjob", *SETS]
    done = prove(project, *words, path=f"{programs}:{PYTHON}:/usr/bin:/bin")
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"CronJob, containers +same ", done.stdout), done.stdout
    assert "there is no cluster: set KUBECONFIG" in done.stdout
    calls = (programs / "calls").read_text().splitlines()
    runs = [line for line in calls if line.startswith("run ")]
    assert len(runs) == 3
    for line in runs:
        assert line.startswith("run --rm --user=")
        assert "--read-only --security-opt=no-new-privileges --cap-drop=ALL" in line
        assert "--entrypoint=wurzel acme/words:1 step steps:" in line


@pytest.mark.engine
@pytest.mark.timeout(1800)
def test_real_containers_give_the_same_bytes(docker, tmp_path):
    project = example("diamond", tmp_path / "project")
    image = Containers.of(docker, project).image
    words = ["diamond:pipeline", "-t", "cronjob", f"--set=image={image}"]
    done = prove(project, *words, DOCKER_HOST=docker.options[1])
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"CronJob, containers +same .* docker \d", done.stdout), done.stdout


SLOW = """
import time
from pathlib import Path
from wurzel import WZ, NoSettings, TypedStep
from steps import Word

class Slow(TypedStep[NoSettings, None, list[Word]]):
    def run(self, inpt: None) -> list[Word]:
        if "reference" not in str(Path.cwd()):
            Path("PLACE").touch()
            time.sleep(120)
        return [Word(text="a")]

pipeline = WZ(Slow)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ending_it_ends_the_engines(tmp_path, number):
    project = example("chain", tmp_path / "project")
    (project / "slow.py").write_text(SLOW.replace("PLACE", str(tmp_path / "sleeping")))
    with subprocess.Popen(
        [sys.executable, "-m", "wurzel", "prove", "slow:pipeline", "-t", "local"],
        cwd=project, env={"PATH": f"{PYTHON}:/usr/bin:/bin", "TMPDIR": str(tmp_path)},
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        end = time.monotonic() + 60
        while not (tmp_path / "sleeping").exists():
            assert time.monotonic() < end
            time.sleep(0.05)
        process.send_signal(number)
        assert process.wait(30) == 128 + number
    below = str(tmp_path)
    left = [one for one in psutil.process_iter(["cwd"]) if (one.info["cwd"] or "").startswith(below)]
    _, alive = psutil.wait_procs(left, 10)
    assert alive == []
    assert list(tmp_path.glob("wurzel-prove-*")) == []
