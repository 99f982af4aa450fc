"""`render --validate` with `argo` on the path: the real command, 4.0.5, built from source without its web pages."""

import os

import pytest

from tests.engines.datasets import example, wurzel
from tests.engines.install import ROOT
from tests.validation.faults import BASES
from wurzel.validation import check_files
from wurzel.validation.lint import lint
from wurzel.validation.manifest import documents

pytestmark = pytest.mark.engine
BIN = ROOT / "argo" / "bin"
PART = """
apiVersion: argoproj.io/v1alpha1
kind: WorkflowTemplate
metadata: {name: rag-part-1}
spec:
  templates:
    - name: part-1
      container: {image: "acme/words:1.0", command: [wurzel]}
"""


@pytest.fixture
def argo(monkeypatch):
    if not (BIN / "argo").exists():
        pytest.skip("argo is not built: there is no Go here, or its module cannot be had")
    monkeypatch.setenv("PATH", f"{BIN}:{os.environ['PATH']}")


def said(files):
    found = [document for file, text in files.items() for document in documents(file, text)[0]]
    return [str(problem) for problem in lint(files, found)]


@pytest.mark.parametrize("kind", ["Workflow", "CronWorkflow"])
def test_argo_lint_says_nothing_of_what_is_sound(kind, argo):
    assert said({"a.yaml": BASES[kind]}) == []


def test_argo_lint_names_the_file_and_what_is_wrong_in_each(argo):
    broken = BASES["Workflow"].replace("template: upper", "template: uper")
    problems = said({"sound.yaml": BASES["CronWorkflow"], "one.yaml": broken, "two.yaml": broken})
    assert [problem.partition(":")[0] for problem in problems] == ["one.yaml", "two.yaml"]
    assert all('argo lint: in "rag-" (Workflow)' in problem and "'uper' undefined" in problem for problem in problems)


def test_argo_lint_finds_a_template_in_another_file(argo):
    caller = (
        BASES["Workflow"]
        .replace("{name: words, template: words}", "{name: words, templateRef: {name: rag-part-1, template: part-1}}")
        .replace("{{tasks.words.outputs.artifacts.dataset}}", "{{workflow.uid}}")
    )
    (problem,) = said({"rag.yaml": caller})
    assert "rag-part-1" in problem
    assert not any("rag-part-1" in problem for problem in said({"rag.yaml": caller, "part.yaml": PART}))


def test_render_with_validate_asks_argo(argo, tmp_path):
    project = example("diamond", tmp_path / "diamond")
    arguments = ["render", "diamond:pipeline", "-t", "argo", "--set=image=acme/words:1.0", "--validate"]
    scheduled = [*arguments, "--set=schedule={cron: 0 4 * * *}", "--stdout"]
    wurzel(project, *scheduled, "--set=targets.argo.workflow_template=cluster")
    wurzel(project, *arguments)
    # A template of an organisation that names an exit handler and forgets to write it.
    templates = project / "templates" / "argo"
    templates.mkdir(parents=True)
    (templates / "workflow.yaml.j2").write_text(
        '{% extends "!argo/workflow.yaml.j2" %}{% block spec_top %}\nonExit: nobody\n{% endblock %}'
    )
    (project / "wurzel.yaml").write_text(
        "version: 1\ntemplates: [templates]\npipelines: {diamond: {entrypoint: 'diamond:pipeline'}}\n"
    )
    done = wurzel(project, *arguments, "--force", check=False)
    assert done.returncode != 0
    assert "argo lint" in done.stderr
    assert "nobody" in done.stderr


def test_a_broken_argo_is_a_problem_and_no_traceback(tmp_path, monkeypatch):
    program = tmp_path / "argo"
    program.write_text("#!/bin/sh\necho 'cannot read config' >&2\nexit 3\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert said({"a.yaml": BASES["Workflow"]}) == ["a.yaml: argo lint failed: cannot read config"]
    program.write_text("no program at all")
    assert any("did not run" in problem or "failed" in problem for problem in said({"a.yaml": BASES["Workflow"]}))


def test_what_is_no_object_of_argos_is_not_asked_about(tmp_path, monkeypatch):
    program = tmp_path / "argo"
    program.write_text("#!/bin/sh\nexit 3\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert check_files({"a.yaml": BASES["CronJob"]}) == []
