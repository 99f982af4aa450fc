"""The job of `wurzel ci … --push` that may push: really run, on patches that a job without rights could make."""

import os
import re
import shutil
import subprocess
import textwrap
from pathlib import Path

import pytest
import yaml

from tests.command import invoke, program
from wurzel.drift.accept import HEADER
from wurzel.render.header import sign

CONFIG = """\
version: 1
requires: ./wheels/wurzel.whl
pipelines: {words: {entrypoint: "chain:pipeline", image: "a/b:1", targets: {github: {}, local: {ignore: [image]}}}}
"""
PIPELINES = Path(__file__).parents[1] / "pipelines"
WORKFLOW = ".github/workflows/words.yml"
SCRIPT = "run-words.sh"
SHEBANG = "#!/bin/sh\n"
XML = '<?xml version="1.0"?>\n<a/>\n'


def git(folder, *words, data=None):
    identity = ("-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "core.fileMode=true")
    done = subprocess.run(["git", *identity, *words], cwd=folder, check=True, capture_output=True, input=data)
    return done.stdout


@pytest.fixture(scope="module", params=["github", "gitlab"])
def repositories(request, tmp_path_factory):
    """A project and what it was cloned to, made once."""
    folder = tmp_path_factory.mktemp(request.param)
    root = folder / "project"
    shutil.copytree(PIPELINES, root, ignore=shutil.ignore_patterns("__pycache__"))
    (root / "wurzel.yaml").write_text(CONFIG)
    (root / ".gitignore").write_text("__pycache__/\n")
    git(root, "init", "-q", "--initial-branch=main")
    for words in (["render"], ["ci", request.param, "--push"]):
        program(*words, code=0, cwd=root)
    (root / "words.json").write_text("{}\n")
    (root / "link").symlink_to("run-words.sh")
    git(root, "add", "-A")
    git(root, "commit", "-qm", "start")
    git(folder, "clone", "-q", "--bare", str(root), "bare.git")
    git(folder / "bare.git", "config", "receive.advertisePushOptions", "true")
    return request.param, folder


@pytest.fixture
def push(repositories, tmp_path, monkeypatch):
    """A function from a patch to how the job ended, with the repository that it pushes to."""
    platform, folder = repositories
    shutil.copytree(folder, tmp_path / "all", symlinks=True)
    monkeypatch.chdir(tmp_path / "all/project")
    return Push(platform, tmp_path / "all/project", tmp_path / "all/bare.git", tmp_path)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.yaml.j2", ""),
        ("a.sql.j2", ""),
        ("a.md.j2", ""),
        ("a.js.j2", ""),
        ("a.sh.j2", "#!/bin/sh\n"),
        ("a.xml.j2", XML),
    ],
)
def test_the_header_of_each_format_is_accepted(name, text):
    signed = sign(text, command="wurzel render p -t dvc", source="chain:pipeline", packs="acme 1.0", template=name)
    assert HEADER.match(signed.encode())
    assert not HEADER.match(signed.replace("wurzel render", "curl render").encode())


class Push:
    def __init__(self, platform, root, bare, folder):
        self.platform, self.root, self.bare, self.folder = platform, root, bare, folder

    def script(self):
        path = {"github": ".github/workflows/wurzel.yml", "gitlab": ".gitlab/wurzel.yml"}[self.platform]
        data = yaml.safe_load((self.root / path).read_text())
        return (
            data["jobs"]["push"]["steps"][-1]["run"] if self.platform == "github" else data["wurzel-push"]["script"][0]
        )

    def __call__(self, patch, *, beside=()):
        """Run the job on a patch; on GitLab the artifact may hold other files beside it."""
        clone = self.folder / "clone"
        git(self.folder, "clone", "-q", str(self.bare), str(clone))
        temp = self.folder / "temp" / "wurzel"
        temp.mkdir(parents=True)
        for path in (temp / "wurzel.patch", clone / "wurzel.patch"):
            path.write_bytes(patch)
        for path, text in beside:
            (clone / path).write_text(text)
            (clone / path).chmod(0o755)
        # What a repository could try to be imported by a Python that looks into the current folder.
        (clone / "re.py").write_text("raise SystemExit(0)\n")
        variables = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "RUNNER_TEMP": str(temp.parent),
            "TOKEN": "t",
            "GITHUB_SERVER_URL": "https://github.com",
            "GITHUB_REF_NAME": "main",
            "WURZEL_PUSH_TOKEN": "t",
            "CI_REPOSITORY_URL": str(self.bare),
            "CI_COMMIT_SHA": git(self.bare, "rev-parse", "main").decode().strip(),
            "CI_PROJECT_URL": str(self.bare).removesuffix(".git"),
            "CI_COMMIT_BRANCH": "main",
        }
        return subprocess.run(
            ["bash", "-c", self.script()], cwd=clone, env=variables, capture_output=True, text=True, check=False
        )

    def log(self):
        return git(self.bare, "log", "--format=%s", "main").decode().split("\n")[:-1]

    def staged(self, change):
        """The patch that a change of the working tree makes, as the rendering job would keep it."""
        change(self.root)
        git(self.root, "add", "-A")
        return git(self.root, "diff", "--cached", "--binary")


def replace(path, old, new):
    def change(root):
        file = root / path
        assert old in file.read_text()
        file.write_text(file.read_text().replace(old, new))

    return change


def append(path, text):
    def change(root):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        with (root / path).open("a") as file:
            file.write(text)

    return change


def header(root):
    return (root / WORKFLOW).read_text().partition("\n")[0]


def link(root):
    (root / WORKFLOW).unlink()
    (root / WORKFLOW).symlink_to("/etc/passwd")


def new_link(root):
    (root / "argo").symlink_to(".git")


def renamed(root):
    (root / WORKFLOW).rename(root / ".github/workflows/other.yml")


def submodule(root):
    git(root, "update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},vendored")


def binary(root):
    (root / "data.bin").write_bytes(bytes(range(256)) * 9)


def forged(root):
    (root / ".github/workflows/evil.yml").write_text(f"{header(root)}\non: push\n")


def replaced_link(root):
    (root / "link").unlink()
    (root / "link").write_text(f"{header(root)}\n")


REFUSED = {
    "new workflow": append(".github/workflows/evil.yml", "on: push\n"),
    "new workflow with a forged header": forged,
    "workflow of wurzel ci": append(".github/workflows/wurzel.yml", "# evil\n"),
    "file of wurzel ci": append(".gitlab/wurzel.yml", "# evil\n"),
    "GitLab's root file": append(".gitlab-ci.yml", "evil: {script: [id]}\n"),
    "edited code": append("chain.py", "import evil\n"),
    "configuration": append("wurzel.yaml", "# evil\n"),
    "another file": append("words.json", "1\n"),
    "removed code": lambda root: (root / "chain.py").unlink(),
    "link instead of a rendered file": link,
    "new link": new_link,
    "file instead of a link": replaced_link,
    "executable": lambda root: (root / WORKFLOW).chmod(0o755),
    "not executable": lambda root: (root / SCRIPT).chmod(0o644),
    "rename": renamed,
    "binary": binary,
    "attributes": append(".gitattributes", "* filter=evil\n"),
    "submodules": append(".gitmodules", '[submodule "x"]\n  path = x\n  url = https://example.org\n'),
    "header gone": replace(WORKFLOW, "# Rendered by", "# Written by"),
    "new file of an unknown pipeline": append("argo/other.yaml", "kind: Workflow\n"),
    "one of two": lambda root: [append(SCRIPT, "# x\n")(root), append("steps.py", "# x\n")(root)],
}


ONLY_GITHUB = pytest.mark.parametrize("repositories", ["github"], indirect=True)  # both run the same check


@ONLY_GITHUB
@pytest.mark.parametrize("change", REFUSED.values(), ids=REFUSED)
def test_nothing_but_rendered_files_is_pushed(push, change):
    done = push(push.staged(change))
    assert done.returncode != 0
    assert len(re.findall("^refused '", done.stderr, re.MULTILINE)) == 1, done.stderr
    assert push.log() == ["start"]


@ONLY_GITHUB
def test_a_submodule_is_not_pushed(push):
    submodule(push.root)
    done = push(git(push.root, "diff", "--cached", "--binary"))
    assert "refused 'vendored': links and submodules are not accepted" in done.stderr
    assert push.log() == ["start"]


@ONLY_GITHUB
@pytest.mark.parametrize(
    "path",
    ["../evil", "/tmp/evil", ".git/hooks/pre-push", "a/../.git/config", ".GIT/config", "link/evil", "a//b", "./a"],
)
def test_a_path_that_leads_elsewhere_is_not_pushed(push, path):
    patch = f"""\
        diff --git a/{path} b/{path}
        new file mode 100755
        --- /dev/null
        +++ b/{path}
        @@ -0,0 +1 @@
        +touch evil
        """
    done = push(textwrap.dedent(patch).encode())
    assert done.returncode != 0
    assert push.log() == ["start"]
    assert not list(push.folder.rglob("evil"))


def test_both_platforms_refuse(push):
    done = push(push.staged(REFUSED["one of two"]))
    assert done.returncode != 0
    assert "refused 'steps.py': the committed file was not rendered" in done.stderr
    assert push.log() == ["start"]


@pytest.mark.parametrize("repositories", ["gitlab"], indirect=True)  # GitHub unpacks artifacts outside the checkout
@pytest.mark.parametrize("name", ["core.fsmonitor", "core.hooksPath", "index"])
def test_what_an_artifact_puts_into_the_git_folder_is_not_used(push, name):
    evil = push.folder / "evil"
    script = f"#!/bin/sh\ntouch {evil}\nexit 1\n"
    section, _, key = name.partition(".")
    value = f"{push.folder}/clone/.git/hooks" if key == "hooksPath" else f"{push.folder}/clone/.git/hooks/pre-push"
    config = f"[core]\n\trepositoryformatversion = 0\n\tbare = false\n[{section}]\n\t{key} = {value}\n"
    poison = [(".git/hooks/pre-push", script), (".git/config", config)] if key else [(".git/index", "garbage")]
    done = push(push.staged(ACCEPTED["rendered files"]), beside=poison)
    assert done.returncode == 0, done.stderr
    assert not evil.exists()
    assert push.log() == ["Render pipelines", "start"]


@ONLY_GITHUB
@pytest.mark.parametrize("patch", [b"garbage", b"\0" * 100], ids=["text", "zeros"])
def test_what_is_not_a_patch_is_not_pushed(push, patch):
    assert push(patch).returncode != 0
    assert push.log() == ["start"]


def changed(root):
    append(WORKFLOW, "# later\n")(root)
    append(SCRIPT, "# later\n")(root)


ACCEPTED = {
    "rendered files": changed,
    "removed file": lambda root: (root / SCRIPT).unlink(),
}


@pytest.mark.parametrize("change", ACCEPTED.values(), ids=ACCEPTED)
def test_rendered_files_are_pushed(push, change):
    done = push(push.staged(change))
    assert done.returncode == 0, done.stderr
    assert push.log() == ["Render pipelines", "start"]


def test_a_new_file_is_pushed_where_the_configuration_names_it(push):
    text = (push.root / SCRIPT).read_bytes()
    (push.root / SCRIPT).unlink()
    git(push.root, "commit", "-qam", "gone")
    git(push.root, "push", "-q", str(push.bare), "main")
    (push.root / SCRIPT).write_bytes(text)
    (push.root / SCRIPT).chmod(0o755)
    git(push.root, "add", "-A")
    patch = git(push.root, "diff", "--cached", "--binary")
    done = push(patch)
    assert done.returncode == 0, done.stderr
    assert push.log() == ["Render pipelines", "gone", "start"]
    assert git(push.bare, "ls-tree", "main", SCRIPT).startswith(b"100755")


def test_a_new_file_that_the_job_does_not_know_is_noted_when_it_is_rendered(push):
    Path("wurzel.yaml").write_text(CONFIG.replace("github: {}", "github: {}, cronjob: {}"))
    done = invoke("render")
    assert f"run: wurzel ci {push.platform} --push" in done.stderr
    invoke("ci", push.platform, "--push")
    Path("cronjob/words.yaml").unlink()
    assert "note:" not in invoke("render").stderr
