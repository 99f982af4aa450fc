"""A project in a folder of a repository, as act and gitlab-ci-local run what is rendered at the top of it."""

import shutil
import subprocess

import pytest

from tests.engines.datasets import example, wurzel
from wurzel.engines.driver import collected
from wurzel.engines.git import commit, git_home
from wurzel.engines.github import Act, unpacked
from wurzel.engines.gitlab import GitlabCiLocal

pytestmark = pytest.mark.engine
FOLDER = "services/words"
CONFIG = """version: 1
pipelines:
  words:
    entrypoint: "diamond:pipeline"
    targets:
      github: {layout: steps, install: wurzel --version}
      gitlab: {layout: steps, install: wurzel --version}
"""


@pytest.fixture
def project(tmp_path):
    """A repository with a project in a folder, and the datasets of a run here."""
    top = tmp_path / "repository"
    folder = example("diamond", top / FOLDER)
    (folder / "wurzel.yaml").write_text(CONFIG)
    subprocess.run(["git", "init", "-q", "--initial-branch=main", str(top)], check=True)
    here = tmp_path / "here"
    shutil.copytree(folder, here)
    wurzel(here, "run", "words")
    wurzel(folder, "render")
    (top / ".gitlab-ci.yml").write_text("include: {local: .gitlab/services-words-words.gitlab-ci.yml}\n")
    commit(top, git_home(tmp_path / "home"))
    return top, collected(here / "data")


def test_act_runs_its_jobs_in_the_folder(project, tmp_path):
    top, expected = project
    (tmp_path / "act").mkdir()
    done, store = Act(tmp_path / "act")(top)
    assert done.returncode == 0, done.stdout + done.stderr
    assert unpacked(store, tmp_path / "out") == expected


def test_gitlab_ci_local_runs_its_jobs_in_the_folder(project, tmp_path):
    top, expected = project
    (tmp_path / "gitlab").mkdir()
    run = GitlabCiLocal(tmp_path / "gitlab")
    done, clone = run(top, "--variable", "WURZEL_PIPELINE=services-words-words")
    assert done.returncode == 0, done.stdout + done.stderr
    assert collected(clone / FOLDER / "data") == expected
