"""The CI files of `wurzel ci`, the action and the GitLab job: under every checker, in act and in gitlab-ci-local."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.engines.datasets import example, wurzel
from tests.engines.test_github import act as act  # noqa: PLC0414 - a fixture
from tests.engines.test_github import checkers as checkers  # noqa: PLC0414 - a fixture
from tests.engines.test_gitlab import gitlab as gitlab  # noqa: PLC0414 - a fixture
from wurzel.backends.ci.validation import check_github, check_gitlab
from wurzel.backends.github.options import PINS

pytestmark = pytest.mark.engine
ROOT = Path(__file__).parents[2]
CONFIG = 'version: 1\npipelines: {words: {entrypoint: "chain:pipeline", targets: {dvc: {}, local: {}}}}\n'
INSTALL = ["--install", "wurzel --version"]
TOKEN = "a'b\"c`d$HOME"


def sample(folder, *arguments):
    """A project whose rendered files are up to date, with its CI file."""
    example("chain", folder)
    (folder / "wurzel.yaml").write_text(CONFIG)
    (folder / ".gitignore").write_text("__pycache__/\n")
    git(folder, "init", "-q", "--initial-branch=main")
    wurzel(folder, "render")
    if arguments:
        wurzel(folder, "ci", *arguments, *INSTALL)
    return folder


def git(folder, *words):
    identity = ("-c", "user.name=t", "-c", "user.email=t@example.org")
    done = subprocess.run(["git", *identity, *words], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def commit(folder, message="start"):
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", message)


def outdate(folder):
    config = folder / "wurzel.yaml"
    config.write_text(config.read_text().replace("targets", "data_dir: other, targets"))


@pytest.mark.parametrize("arguments", [[], ["--push"], ["--push", "--token", "RENDER_TOKEN"]])
def test_every_checker_at_its_strictest_finds_nothing_for_github(checkers, tmp_path, arguments):
    sample(tmp_path / "p", "github", *arguments)
    path = tmp_path / "p/.github/workflows/wurzel.yml"
    found = check_github({".github/workflows/wurzel.yml": path.read_text()}, persona="auditor")
    accepted = {"secrets-outside-env"} if "--token" in arguments else set()
    assert [str(one) for one in found if not any(f"zizmor, {name})" in one.message for name in accepted)] == []


@pytest.mark.parametrize("image", ["ghcr.io/acme/rag", "123456789012.dkr.ecr.eu-west-1.amazonaws.com/rag", "acme/rag"])
def test_checkers_find_nothing_in_the_job_that_pushes_the_image(checkers, monkeypatch, tmp_path, image):
    monkeypatch.setenv("PATH", f"{ROOT / '.engines' / 'gitlab' / 'bin'}:{os.environ['PATH']}")
    folder = sample(tmp_path / "p")
    config = folder / "wurzel.yaml"
    config.write_text(f"{config.read_text()}container: {{base: python@sha256:{'0' * 64}, image: {image}}}\n")
    role = ["--role", "arn:aws:iam::123456789012:role/push"] if "ecr" in image else []
    for platform in ("github", "gitlab"):
        wurzel(folder, "ci", platform, "--image", "--secret", "PIP_CONF", *role, *INSTALL)
    path = ".github/workflows/wurzel-image.yml"
    found = check_github({path: (folder / path).read_text()}, persona="auditor")
    accepted = "zizmor, secrets-outside-env)"  # no environment is asked for: the job runs on the main branch alone
    assert [str(one) for one in found if accepted not in one.message] == []
    text = (folder / ".gitlab/wurzel-image.yml").read_text()
    assert [str(one) for one in check_gitlab({".gitlab-ci.yml": text})] == []


@pytest.mark.parametrize("arguments", [[], ["--push"]])
def test_the_official_schema_and_the_listing_for_gitlab(monkeypatch, tmp_path, arguments):
    home = ROOT / ".engines" / "gitlab" / "bin"
    monkeypatch.setenv("PATH", f"{home}:{os.environ['PATH']}")
    sample(tmp_path / "p", "gitlab", *arguments)
    text = (tmp_path / "p/.gitlab/wurzel.yml").read_text()
    assert [str(one) for one in check_gitlab({".gitlab-ci.yml": text})] == []


def test_the_action_and_the_workflow_that_uses_it(checkers, tmp_path):
    folder = tmp_path / ".github" / "workflows"
    folder.mkdir(parents=True)
    shutil.copytree(ROOT / "integrations" / "github", tmp_path / "check")
    workflow = folder / "check.yml"
    workflow.write_text(action_workflow(f"acme/wurzel/integrations/github@{'0' * 40} # v1.0.0"))
    for command in (["actionlint"], ["zizmor", "--offline", "--no-progress", "--persona=auditor", str(tmp_path)]):
        git(tmp_path, "init", "-q")
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    action = yaml.safe_load((ROOT / "integrations/github/action.yml").read_text())
    for step in action["runs"]["steps"]:
        assert "${{" not in step.get("run", "")
        if "uses" in step:
            name, _, commit = step["uses"].partition("@")
            assert PINS[name][0] == commit


def action_workflow(where):
    return f"""name: check
on:
  workflow_dispatch: {{}}
permissions: {{}}
concurrency:
  group: check
  cancel-in-progress: true
jobs:
  check:
    name: Check
    runs-on: ubuntu-24.04
    permissions:
      contents: read # to check out
    steps:
      - name: Check out
        uses: actions/checkout@{PINS["actions/checkout"][0]} # {PINS["actions/checkout"][1]}
        with:
          persist-credentials: false
      - name: Check
        uses: {where}
        with:
          packages: ''
          python-version: ''
"""


@pytest.mark.parametrize("state", ["current", "outdated"])
def test_the_action_in_act(act, tmp_path, state):
    project = sample(tmp_path / "project")
    shutil.copytree(ROOT / "integrations" / "github", project / "check")
    (project / ".github/workflows").mkdir(parents=True)
    (project / ".github/workflows/check.yml").write_text(action_workflow("./check"))
    if state == "outdated":
        outdate(project)
    commit(project)
    done, _ = act(project, f"--env=PATH={Path(sys.executable).parent}:{os.environ['PATH']}")
    output = done.stdout + done.stderr
    if state == "current":
        assert done.returncode == 0, output
    else:
        assert done.returncode == 1, output
        assert "data_dir" in output
        assert "wurzel.yaml:2:" in output
        assert "::error" in output or "❗" in output


def test_the_workflow_checks_and_pushes_in_act(act, tmp_path):
    project = sample(tmp_path / "project", "github", "--push")
    commit(project)
    bare = tmp_path / "bare.git"
    git(tmp_path, "clone", "-q", "--bare", str(project), str(bare))
    event = tmp_path / "event.json"
    event.write_text(json.dumps({"head_commit": {"message": "change"}, "ref": "refs/heads/main"}))
    home = tmp_path / "home" / "gitconfig"
    home.write_text(home.read_text() + f'[url "{bare}"]\n  pushInsteadOf = https://github.com/acme/rag.git\n')
    path = f"--env=PATH={Path(sys.executable).parent}:{os.environ['PATH']}"
    done, _ = act(project, "-e", str(event), path, event="push")
    assert done.returncode == 0, done.stdout + done.stderr
    assert git(bare, "log", "--format=%s") == "start"

    outdate(project)
    commit(project, "change")
    git(project, "push", "-q", str(bare), "main")
    done, _ = act(project, "-e", str(event), path, event="push")
    output = done.stdout + done.stderr
    assert done.returncode == 0, output
    assert git(bare, "log", "--format=%s") == "Render pipelines\nchange\nstart", output
    changed = git(bare, "show", "--stat", "--format=", "HEAD")
    assert "dvc.yaml" in changed
    assert "report" not in changed
    again = tmp_path / "again"
    git(tmp_path, "clone", "-q", str(bare), str(again))
    assert wurzel(again, "render", "--check").returncode == 0

    event.write_text(json.dumps({"head_commit": {"message": "Render pipelines"}, "ref": "refs/heads/main"}))
    git(project, "pull", "-q", str(bare), "main")
    done, _ = act(project, "-e", str(event), path, event="push")
    assert done.returncode == 0
    assert git(bare, "log", "--format=%s") == "Render pipelines\nchange\nstart"


def test_the_gitlab_jobs_check_and_push(gitlab, tmp_path):
    project = sample(tmp_path / "project", "gitlab", "--push")
    (project / ".gitlab-ci.yml").write_text("include: {local: .gitlab/wurzel.yml}\n")
    commit(project)
    bare = tmp_path / "bare.git"
    git(tmp_path, "clone", "-q", "--bare", str(project), str(bare))
    git(bare, "config", "receive.advertisePushOptions", "true")
    home = tmp_path / "home" / "gitconfig"
    home.write_text(home.read_text() + f'[url "{bare}"]\n  pushInsteadOf = https://gitlab.com/acme/rag.git\n')
    checked, _ = gitlab(project, "wurzel-check", source="web")
    assert checked.returncode == 0, checked.stdout + checked.stderr

    outdate(project)
    commit(project, "change")
    git(project, "push", "-q", str(bare), "main")
    checked, _ = gitlab(project, "wurzel-check", source="web")
    assert checked.returncode != 0
    assert "dvc.yaml: out of date" in checked.stdout + checked.stderr
    missing, _ = gitlab(project, source="push")
    assert missing.returncode != 0
    assert "make a project access token" in missing.stdout + missing.stderr
    # gitlab-ci-local does not set the address of the repository.
    variables = [f"--variable=WURZEL_PUSH_TOKEN={TOKEN}", f"--variable=CI_REPOSITORY_URL={bare}"]
    done, _ = gitlab(project, *variables, source="push")
    output = done.stdout + done.stderr
    assert done.returncode == 0, output
    assert git(bare, "log", "--format=%s") == "Render pipelines\nchange\nstart", output
    again = tmp_path / "again"
    git(tmp_path, "clone", "-q", str(bare), str(again))
    assert wurzel(again, "render", "--check").returncode == 0


def test_the_includable_gitlab_job(gitlab, tmp_path):
    project = sample(tmp_path / "project")
    shutil.copy(ROOT / "integrations/gitlab/check.yml", project / "check.yml")
    (project / ".gitlab-ci.yml").write_text(
        "include:\n  - local: check.yml\n    inputs: {job: rendered, packages: ''}\n"
    )
    commit(project)
    done, _ = gitlab(project, "rendered", source="web")
    assert done.returncode == 0, done.stdout + done.stderr
    outdate(project)
    commit(project, "change")
    done, _ = gitlab(project, "rendered", source="web")
    assert done.returncode != 0
    assert "dvc.yaml: out of date" in done.stdout + done.stderr
