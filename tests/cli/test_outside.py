"""What a project names stays within it, unless the command line says otherwise; the folder of git is left alone."""

import os
from pathlib import Path

import pytest

from tests.command import invoke as run

CONFIG = """\
version: 1
{top}
pipelines: {{p: {{entrypoint: "chain:pipeline", {pipeline} targets: {{{targets}}}}}}}
"""


@pytest.fixture
def configure(project, tmp_path_factory, monkeypatch):
    project("chain")
    monkeypatch.setenv("WURZEL_ALLOW_OUTSIDE", "")  # what the command sets ends with the test
    Path(".git").mkdir()
    outside = tmp_path_factory.mktemp("outside")
    Path("link").symlink_to(outside)

    def write(*, targets="dvc: {}", top="", pipeline=""):
        Path("wurzel.yaml").write_text(CONFIG.format(targets=targets, top=top, pipeline=pipeline))
        return outside

    return write


TARGETS = [
    "dvc: {{output: {}}}",
    "dvc: {{params: {}}}",
    "argo: {{output: {}}}",
    "local: {{output: {}}}",
    "github: {{output: {}}}",
    "gitlab: {{output: {}}}",
    "airflow: {{output: {}}}",
    "cronjob: {{output: {}}}",
]


@pytest.mark.parametrize("path", [".git/hooks/pre-push", "a/.GIT/config", "a/../.git/config", "../evil", "/tmp/evil"])
@pytest.mark.parametrize("target", TARGETS)
def test_no_output_leaves_the_project_or_enters_the_folder_of_git(configure, target, path):
    configure(targets=target.format(path), pipeline='image: "a/b:1",')
    done = run("render")
    assert getattr(done.exception, "exit_code", None) == 2
    assert "git" in str(done.exception) or "outside the project" in str(done.exception) or "../" in str(done.exception)
    assert list(Path(".git").rglob("*")) == []
    assert not Path("../evil").exists()
    assert not Path("/tmp/evil").exists()


@pytest.mark.parametrize("folder", [".git", ".git/hooks", "a/../.git"])
def test_nor_does_what_the_command_line_says(configure, folder):
    configure()
    done = run("render", "-o", folder)
    assert "git's own folder" in str(done.exception)
    assert list(Path(".git").rglob("*")) == []


def test_a_link_into_the_folder_of_git_is_none_either(configure):
    configure(targets="dvc: {output: dvc/dvc.yaml}")
    Path("dvc").symlink_to(".git")
    assert "git's own folder" in str(run("render").exception)
    assert list(Path(".git").rglob("*")) == []


def test_the_command_line_may_say_another_folder(configure, tmp_path_factory):
    configure()
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    assert run("render", "-o", str(elsewhere)).exit_code == 0
    assert (elsewhere / "dvc.yaml").exists()


@pytest.mark.parametrize("folder", ["../..", "..", "link", "/"])
@pytest.mark.parametrize(
    "words", [["render"], ["render", "--check"], ["templates", "list"], ["ci", "github"], ["inspect", "p"]]
)
def test_template_folders_stay_within_the_project(configure, folder, words):
    configure(top=f"templates: ['{folder}']")
    done = run(*words)
    assert getattr(done.exception, "exit_code", None) == 2
    assert f"wurzel.yaml:2:13: templates: {folder!r} is outside the project" in str(done.exception)


def test_unless_the_command_line_says_so(configure):
    outside = configure(top="templates: [link]")
    (outside / "dvc").mkdir()
    (outside / "dvc/dvc.yaml.j2").write_text(
        '{% extends "!dvc/dvc.yaml.j2" %}{% block top %}\n# ours\n{% endblock %}\n'
    )
    assert run("--allow-outside", "render").exit_code == 0
    assert "# ours" in Path("dvc.yaml").read_text()
    Path("requirements.txt").write_text("")
    assert "run: wurzel --allow-outside render --check\n" in run("--allow-outside", "ci", "github", "--stdout").stdout
    os.environ["WURZEL_ALLOW_OUTSIDE"] = "1"
    assert run("render", "--check").exit_code == 0


@pytest.mark.parametrize("url", ["s3://bucket/data", "gs://b", "file:///data", "S3://b"])
def test_a_url_is_not_a_folder_of_datasets(configure, url):
    configure(pipeline=f'data_dir: "{url}",')
    assert f"data_dir: {url!r} is a URL" in str(run("render").exception)
    configure()
    assert f"{url!r} is a URL" in str(run("run", "p", "--data-dir", url).exception)
    assert f"{url!r} is a URL" in run("step", "steps:Words", "-o", url).stderr
    assert not Path("s3:").exists()


def test_datasets_never_go_into_the_folder_of_git(configure):
    configure(pipeline='data_dir: ".git/data",')
    assert "is in the folder of git itself" in str(run("render").exception)
