import hashlib
import json
import os
import subprocess
import sys

import pytest

from wurzel.invocation.layout import layout_digest
from wurzel.ir.model import Shards
from wurzel.ir.serialize import dump_for_jobs, parse
from wurzel.runtime.run_id import target
from wurzel.store.names import run_name

FAILING = """
from wurzel import WZ, NoSettings, PydanticModel, TypedStep

class A(PydanticModel):
    x: int

class Fail(TypedStep[NoSettings, None, A]):
    def run(self, inpt: None) -> A:
        raise ValueError

pipeline = WZ(Fail)
"""


def wurzel(folder, *arguments, env=None):
    command = [sys.executable, "-m", "wurzel", *arguments]
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)


def test_a_pipeline_runs_as_its_ir_says(project, tmp_path):
    folder = project("named")
    ir = tmp_path / "pipeline.json"
    described = json.loads(wurzel(folder, "inspect", "named", "--json").stdout)
    (step,) = [item for item in described["steps"] if item["id"] == "suffix-de"]
    next(item for item in step["settings"] if item["name"] == "SUFFIX")["value"] = "-other"
    ir.write_text(json.dumps(described))
    done = wurzel(folder, "run", "--from-ir", str(ir), "--data-dir", str(tmp_path / "elsewhere"))
    assert done.returncode == 0, done.stderr
    assert "-other" in (tmp_path / "elsewhere" / "suffix-de" / "part-00000.json").read_text()
    assert "left out" not in done.stderr


def test_an_ir_file_says_all(project, tmp_path):
    folder = project("chain")
    for further in (["chain:pipeline"], ["--set", "image=a"], ["-e", "prod"]):
        done = wurzel(folder, "run", "--from-ir", "x.json", *further)
        assert done.returncode == 2
        assert "--from-ir takes no PIPELINE" in done.stderr


def test_without_either_there_is_nothing_to_run(project):
    done = wurzel(project("chain"), "run")
    assert done.returncode == 2
    assert done.stderr.startswith("error: no PIPELINE is given\n  There is no wurzel.yaml with pipelines here.")


def environment(**variables):
    platform = ("WURZEL_RUN_ID", "GITHUB_RUN_ID", "CI_PIPELINE_ID", "GITHUB_ACTIONS", "GITLAB_CI")
    return {name: value for name, value in os.environ.items() if name not in platform} | variables


def test_the_ir_may_be_in_a_variable(project):
    folder = project("chain")
    ir = wurzel(folder, "inspect", "chain:pipeline", "--json").stdout
    done = wurzel(folder, "run", "--from-ir", "env:IR", env=environment(IR=ir))
    assert done.returncode == 0, done.stderr
    done = wurzel(folder, "run", "--from-ir", "env:IRR", env=environment(IR=ir))
    assert (done.returncode, done.stderr) == (2, "error: --from-ir: the variable IRR is not set\n")
    done = wurzel(folder, "run", "--from-ir", "env:IR", env=environment(IR="{"))
    assert done.returncode == 2
    assert "error: env:IR: is not JSON" in done.stderr


def test_an_ir_file_of_another_digest_is_refused(project):
    folder = project("chain")
    ir = wurzel(folder, "inspect", "chain:pipeline", "--json").stdout
    (folder / "ir.json").write_text(ir)
    digest = hashlib.sha256(ir.encode()).hexdigest()
    assert wurzel(folder, "run", "--from-ir", "ir.json", env=environment(WURZEL_IR_SHA256=digest)).returncode == 0
    (folder / "ir.json").write_text(ir + " ")
    done = wurzel(folder, "run", "--from-ir", "ir.json", env=environment(WURZEL_IR_SHA256=digest))
    assert done.returncode == 1  # another try may find all files
    assert f"but WURZEL_IR_SHA256 is {digest}" in done.stderr
    (folder / "ir.json").unlink()
    done = wurzel(folder, "run", "--from-ir", "ir.json", env=environment(WURZEL_IR_SHA256=digest))
    assert (done.returncode, "ir.json does not exist" in done.stderr) == (1, True)
    assert wurzel(folder, "run", "--from-ir", "ir.json").returncode == 2


def test_the_file_of_jobs_runs_what_the_configuration_runs(project):
    """Same fingerprints, so nothing is computed again; a run whose parameters were changed is not the latest."""
    folder = project("named")
    done = wurzel(folder, "run", "named", "--store", "store")
    assert done.returncode == 0, done.stderr
    told = wurzel(folder, "inspect", "named", "--json").stdout
    (folder / "ir.json").write_text(dump_for_jobs(parse(told.encode(), "")))
    same = environment(SUFFIX_EN__SUFFIX="th", WURZEL_RUN_ID="ci")
    done = wurzel(folder, "run", "--from-ir", "ir.json", "--store", "store", env=same)
    assert done.returncode == 0, done.stderr
    assert "done in" not in done.stderr
    other = environment(SUFFIX_EN__SUFFIX="-x", WURZEL_RUN_ID="ci")
    done = wurzel(folder, "run", "--from-ir", "ir.json", "--store", "store", env=other)
    assert "suffix-en: done in" in done.stderr
    runs = wurzel(folder, "store", "ls", "named", "--store", "store").stdout
    assert len([line for line in runs.splitlines() if line.startswith("run-ci")]) == 2
    assert [line.split()[0] for line in runs.splitlines() if "latest" in line] == ["run-ci"]


def test_a_file_that_was_not_rendered_again_never_leaves_a_step_out(project):
    folder = project("chain")
    pipeline = parse(wurzel(folder, "inspect", "chain:pipeline", "--json").stdout.encode(), "")
    digest = layout_digest(pipeline)
    assert wurzel(folder, "run", "chain:pipeline", env=environment(WURZEL_LAYOUT=digest)).returncode == 0
    done = wurzel(folder, "run", "chain:pipeline", env=environment(WURZEL_LAYOUT="0123456789abcdef"))
    assert done.returncode == 2
    assert f"rendered for the layout 0123456789abcdef, but the pipeline pipeline has {digest}" in done.stderr


def test_the_layout_is_step_ids_edges_and_shards_and_nothing_else(project):
    pipeline = parse(wurzel(project("chain"), "inspect", "chain:pipeline", "--json").stdout.encode(), "")
    first, *others = pipeline.steps

    def changed(**fields):
        return layout_digest(pipeline.model_copy(update={"steps": (first.model_copy(update=fields), *others)}))

    same = layout_digest(pipeline)
    assert changed(run="a:B", timeout=7, settings=(), image="a:1") == same
    assert len({same, changed(id="other"), changed(shards=Shards(max=3)), changed(shards=Shards(items=3))}) == 4
    assert layout_digest(pipeline.model_copy(update={"steps": pipeline.steps[:-1]})) != same


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"WURZEL_RUN_ID": "a", "GITHUB_RUN_ID": "1", "CI_PIPELINE_ID": "2"}, "a"),
        ({"GITHUB_RUN_ID": "1", "CI_PIPELINE_ID": "2"}, "1"),
        ({"CI_PIPELINE_ID": "2"}, "2"),
    ],
)
def test_the_run_has_the_id_that_its_platform_gives(project, variables, expected):
    done = wurzel(project("chain"), "--log-format", "json", "run", "chain:pipeline", env=environment(**variables))
    assert {json.loads(line)["run"] for line in done.stderr.splitlines()} == {expected}


@pytest.mark.parametrize(
    ("run_id", "environ", "expected"),
    [
        ("17", {"GITHUB_ACTIONS": "true"}, "github-17"),
        ("17", {"GITLAB_CI": "true"}, "gitlab-17"),
        ("17", {"WURZEL_RUN_ID": "17"}, "run-17"),
        ("argo-17", {"WURZEL_RUN_ID": "argo-17"}, "argo-17"),
        ("argo", {"WURZEL_RUN_ID": "argo"}, "run-argo"),
        ("17", {}, "run-17"),
    ],
)
def test_a_run_is_named_after_its_platform_in_a_store(run_id, environ, expected):
    assert run_name(target(environ), run_id) == expected
    assert run_name(target(environ), run_id, "0123456789abcdef") == f"{expected}-0123456789ab"


def test_a_step_is_tried_once_where_the_platform_retries(project):
    folder = project("chain")
    retry = ["--set", "defaults.retry={limit: 2}"]
    (folder / "failing.py").write_text(FAILING)
    done = wurzel(folder, "run", "failing:pipeline", *retry, "--no-retry")
    assert (done.returncode, "trying again" in done.stderr) == (1, False)
    assert "trying again" in wurzel(folder, "run", "failing:pipeline", *retry).stderr
