"""What the checkers of CI files say, as far as the extra `validate` brings them; the others are tried as engines."""

import sys

import pytest

from wurzel.backends.ci.validation import check_github, check_gitlab, find
from wurzel.backends.github.options import GithubOptions
from wurzel.backends.gitlab.options import GitlabOptions
from wurzel.testing import full_pipeline, render_texts

PATH = ".github/workflows/everything.yml"


@pytest.fixture(scope="module")
def workflow():
    return render_texts(full_pipeline(), "github", GithubOptions())[PATH]


def gitlab(**options):
    return render_texts(full_pipeline(), "gitlab", GitlabOptions.model_validate(options))


def test_what_we_write_is_valid(workflow, tmp_path, monkeypatch):
    """Also where the project is in a folder of its repository, above which the file is written."""
    (tmp_path / "a").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "a"))
    assert check_github({f"../../{PATH}": workflow}) == []
    assert [*tmp_path.rglob("*")] == [tmp_path / "a"]
    for kind in ("root", "include", "component"):
        assert check_gitlab(gitlab(kind=kind), kind) == []


def test_findings_on_workflows_say_where_and_what(workflow):
    broken = workflow.replace("timeout-minutes", "timeout-minuets").replace(
        "        with:\n          persist-credentials: false\n", ""
    )
    found = check_github({PATH: broken, "other.txt": "not: [looked at"})
    assert {problem.where for problem in found} == {PATH}
    messages = "\n".join(problem.message for problem in found)
    assert "(official schema)" in messages
    assert "(zizmor, artipacked)" in messages


def test_findings_on_gitlab_files(monkeypatch):
    (path, text) = next(iter(gitlab(kind="component").items()))
    (problem, *_) = check_gitlab({path: text.replace("parallel: 3", "parallel: 300")}, "component")
    assert problem.where == path
    assert "300" in problem.message


def test_text_that_is_no_yaml_is_a_finding():
    assert check_github({PATH: "jobs: [\n"})
    assert check_gitlab({".gitlab-ci.yml": "jobs: [\n"})


@pytest.mark.parametrize("check", [check_github, check_gitlab])
def test_without_any_checker_there_is_one_finding_that_says_what_to_install(monkeypatch, check):
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    monkeypatch.setenv("PATH", "/nowhere")
    assert find("zizmor") is None
    (problem,) = check({"a.yml": "jobs: {}"})
    assert problem.hint == "pip install 'wurzel[validate]'"


def test_a_checker_that_is_missing_is_named(workflow, monkeypatch, caplog):
    monkeypatch.setenv("PATH", "/nowhere")
    check_github({PATH: workflow})
    assert "actionlint is not installed, so its checks were skipped" in caplog.text
