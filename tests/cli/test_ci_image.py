"""`wurzel ci … --image`: the job that builds and pushes the image, who may do what in it, and that its lines run."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.command import invoke
from wurzel.exceptions import WurzelError

DIGEST = f"sha256:{'0' * 64}"
ECR = "123456789012.dkr.ecr.eu-central-1.amazonaws.com"
ROLE = "arn:aws:iam::123456789012:role/push"
CONFIG = f"""version: 1
requires: wurzel==0.1.0
container: {{base: "python:3.12-slim@{DIGEST}", image: "IMAGE"}}
"""


@pytest.fixture(params=["", "services/rag"])
def project(request, tmp_path, monkeypatch):
    """A project at the top of a repository, and one in a folder; gives its folder there."""
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    (tmp_path / request.param).mkdir(parents=True, exist_ok=True)
    monkeypatch.chdir(tmp_path / request.param)
    Path("requirements.txt").write_text("click==8.0 --hash=sha256:00\n")
    return request.param


def written(platform, *arguments, image="ghcr.io/acme/rag:1.0"):
    Path("wurzel.yaml").write_text(CONFIG.replace("IMAGE", image))
    done = invoke("ci", platform, "--image", *arguments)
    assert done.exit_code == 0, done.exception
    path = done.stderr.split("\n")[0].removeprefix("created ")
    assert invoke("ci", platform, "--image", *arguments, "--check").exit_code == 0
    assert invoke("ci", platform, "--image", "--check", "--python", "3.11").exit_code != 0
    top = Path.cwd() if (Path.cwd() / ".git").exists() else Path.cwd().parents[1]
    return path, yaml.safe_load((top / path).read_text().replace("\non:", "\n'on':"))


@pytest.mark.parametrize(
    ("image", "arguments", "granted", "login"),
    [
        ("ghcr.io/acme/rag:1.0", [], {"packages": "write"}, '"$TOKEN" | docker login --username "$GITHUB_ACTOR"'),
        (f"{ECR}/acme/rag", ["--role", ROLE], {"id-token": "write"}, "aws ecr get-login-password | docker login"),
        ("registry.acme.example:5000/rag", [], {}, '"$USERNAME" --password-stdin registry.acme.example:5000'),
        ("acme/rag", [], {}, '"$USERNAME" --password-stdin docker.io'),
    ],
)
def test_on_github_the_job_may_only_read_and_push(project, image, arguments, granted, login):
    path, data = written("github", *arguments, image=image)
    suffix = "-services-rag" if project else ""
    assert path == f".github/workflows/wurzel-image{suffix}.yml"
    assert data["permissions"] == {}
    (job,) = data["jobs"].values()
    assert job["permissions"] == {"contents": "read", **granted}
    assert data["on"]["push"]["branches"] == ["main", "master"]
    assert data["on"]["push"].get("paths") == ([f"{project}/**", path] if project else None)
    assert "pull_request" not in data["on"]
    steps = job["steps"]
    assert steps[2]["run"] == "python -m pip install wurzel==0.1.0"
    assert steps[3]["run"] == "wurzel image --check"  # before anything may be pushed
    assert login in steps[4]["run"]
    assert [step.get("working-directory", "") for step in (steps[2], steps[3], steps[5])] == [project] * 3
    assert job["if"].endswith("|| github.ref_name == github.event.repository.default_branch")
    for step in steps:
        assert "${{" not in step.get("run", "")
        assert "@" not in step.get("uses", "") or len(step["uses"].partition("@")[2]) == 40


@pytest.mark.parametrize(
    ("image", "arguments", "login"),
    [
        ("registry.gitlab.com/acme/rag", [], 'if [ "$CI_REGISTRY" = registry.gitlab.com ]; then'),
        (f"{ECR}/acme/rag", ["--role", ROLE], "/tmp/aws/bin/aws ecr get-login-password | buildah login"),
    ],
)
def test_on_gitlab_it_runs_on_the_default_branch_with_the_platforms_token(project, image, arguments, login):
    path, data = written("gitlab", *arguments, image=image)
    suffix = "-services-rag" if project else ""
    assert path == f".gitlab/wurzel-image{suffix}.yml"
    job = data[f"wurzel-image{suffix}"]
    assert job["inherit"] == {"default": False}
    assert [rule["if"] for rule in job["rules"]] == ["$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH"]
    assert ("changes" in job["rules"][0]) is bool(project)
    assert login in "\n".join(job["script"])
    assert job.get("id_tokens") == ({"IDENTITY": {"aud": "sts.amazonaws.com"}} if arguments else None)
    assert job["before_script"][0] == (f"cd {project}" if project else job["before_script"][0])


@pytest.mark.parametrize("project", ["services/rag"], indirect=True)
def test_its_lines_run(project, tmp_path, monkeypatch):
    """As the runner would run them, with a docker that writes down what it is asked for."""
    _, data = written("github", "--secret", "PIP_CONF")
    assert invoke("image").exit_code == 0
    bin_folder, temp = tmp_path / "bin", tmp_path / "temp"
    for folder in (bin_folder, temp):
        folder.mkdir()
    asked = tmp_path / "asked"
    for name, script in {
        "docker": f'echo "docker $*" >> {asked}; cat /dev/null "$RUNNER_TEMP/pip" >> {asked} 2> /dev/null\n'
        f'[ "$2" != inspect ] || echo \'[{{"RepoDigests": ["ghcr.io/acme/rag@{DIGEST}"]}}]\'',
        "wurzel": f'exec {sys.executable} -m wurzel "$@"',
    }.items():
        (bin_folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (bin_folder / name).chmod(0o755)
    environ = {
        **os.environ,
        "PATH": f"{bin_folder}:{os.environ['PATH']}",
        "RUNNER_TEMP": str(temp),
        "GITHUB_OUTPUT": str(tmp_path / "output"),
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary"),
        "GITHUB_ACTOR": "ada",
        "TOKEN": "t0ken",
        "PIP_CONF": "[global]",
    }
    for step in data["jobs"]["image"]["steps"][3:]:
        folder = tmp_path / step.get("working-directory", ".")
        subprocess.run(["bash", "-eo", "pipefail", "-c", step["run"]], cwd=folder, env=environ, check=True)
    assert (
        (tmp_path / "output").read_text() == f"image=ghcr.io/acme/rag@{DIGEST}\n" == (tmp_path / "summary").read_text()
    )
    lines = asked.read_text()
    assert "docker login --username ada --password-stdin ghcr.io\n" in lines
    assert f"--secret id=pip,src={temp}/pip .\n[global]\n" in lines
    assert "docker push ghcr.io/acme/rag:1.0\n" in lines
    assert "t0ken" not in lines


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--push"], "--image writes a separate file; leave out --push, --merge-requests and --env"),
        (["--role", ROLE], "--role is for a registry of AWS, and the image is pushed to ghcr.io"),
        (["--secret", "PIP_INDEX_URL"], "--secret PIP_INDEX_URL: the Dockerfile has no secret for that"),
        (["--secret", "ghp_x"], "--secret takes the name of a secret, in capitals, not its value"),
    ],
)
@pytest.mark.parametrize("project", [""], indirect=True)
def test_bad_requests(project, arguments, message):
    Path("wurzel.yaml").write_text(CONFIG.replace("IMAGE", "ghcr.io/acme/rag:1.0"))
    done = invoke("ci", "github", "--image", *arguments)
    assert isinstance(done.exception, WurzelError)
    assert message in str(done.exception)
    assert not Path(".github").exists()


@pytest.mark.parametrize("project", [""], indirect=True)
def test_an_image_needs_a_name(project):
    Path("wurzel.yaml").write_text(CONFIG.replace(', image: "IMAGE"', ""))
    done = invoke("ci", "github", "--image")
    assert "container.image is missing" in str(done.exception)
    Path("wurzel.yaml").write_text(CONFIG.replace("IMAGE", f"{ECR}/rag"))
    done = invoke("ci", "github", "--image")
    assert "--role is missing" in str(done.exception)


@pytest.mark.parametrize("project", [""], indirect=True)
def test_an_organisation_changes_how_jobs_log_in(project):
    layer = Path("layer/ci")
    layer.mkdir(parents=True)
    (layer / "github-image.yml.j2").write_text(
        '{% extends "!ci/github-image.yml.j2" %}\n{% block login %}\n      - run: acme login\n{% endblock %}\n'
    )
    Path("wurzel.yaml").write_text(CONFIG.replace("IMAGE", "ghcr.io/acme/rag:1.0") + "templates: [layer]\n")
    done = invoke("ci", "github", "--image", "--stdout")
    assert "      - run: acme login\n" in done.stdout
    assert "docker login" not in done.stdout
    assert invoke("templates", "check").exit_code == 0
