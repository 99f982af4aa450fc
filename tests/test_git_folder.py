"""Nothing that is given a path writes into git's own folder."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.command import invoke
from wurzel.core import PydanticModel
from wurzel.datacontract.dataset import gather, writing
from wurzel.datacontract.shape import shape_of
from wurzel.exceptions import WurzelError
from wurzel.git_folder import git, ignored, in_git
from wurzel.regular_file import replace_file
from wurzel.runtime.ending import write_reason
from wurzel.runtime.state import StateFolder


class Word(PydanticModel):
    text: str


@pytest.fixture(autouse=True)
def repository(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path(".git").mkdir()
    Path("link").symlink_to(".git")


def store(folder):
    with writing(folder, shape_of(list[Word])) as writer:
        writer.add([Word(text="a")])


def gathered(folder):
    store(Path("data"))
    gather(Path("data"), folder)


@pytest.mark.parametrize(
    "act", [store, gathered, lambda path: replace_file(path, b""), lambda path: StateFolder(path, "p")]
)
@pytest.mark.parametrize(
    "path", [".git/x", ".GIT/x", "a/../.git/x", "link/x", ".git", "sub/.git/x", ".g\u200cit/x", ".git ./x", "GIT~1/x"]
)
def test_it_is_refused(act, path):
    with pytest.raises(WurzelError, match=r"is inside git's own folder, which wurzel never writes to"):
        act(Path(path))
    assert not any(Path(".git").iterdir())


@pytest.mark.parametrize(
    "path", ["x", ".github/workflows/x.yml", ".gitignore", ".git-x/y", "a.git/x", "git/x", ".gitx./y"]
)
def test_other_paths_are_not(path):
    assert not in_git(path)


@pytest.mark.parametrize(
    "words",
    [
        ["init"],
        ["run", "x", "--data-dir", ".git/x"],
        ["run", "x", "--data-dir", "link/x"],
        ["step", "no:Such", "-o", ".git/x"],
        ["step", "no:Such", "-o", "data", "--report", "link/x"],  # before anything is imported
        ["step", "no:Such", "-o", "data", "--report", "link/x", "--retries", "1"],
        ["step", "no:Such", "-o", "data", "--gather", "-i", "a", "--report", ".git/hooks/x"],
    ],
)
def test_commands_refuse_it(words, monkeypatch, project):
    project("chain")
    if words[0] != "run":
        monkeypatch.chdir(".git")
    words = ["chain:pipeline" if word == "x" else word for word in words]
    done = invoke(*words)
    assert isinstance(done.exception, WurzelError)
    assert "git's own folder" in str(done.exception)


def test_a_reason_is_not_written_there(monkeypatch):
    monkeypatch.setenv("WURZEL_TERMINATION_LOG", "link/x")
    write_reason("no")
    assert not any(Path(".git").iterdir())


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give files away")
def test_git_answers_whoever_owns_the_repository(tmp_path):
    """As in a container, whose user is rarely the owner of what is mounted."""
    top = tmp_path / "other"
    subprocess.run(["git", "init", "-q", str(top)], check=True)
    (top / ".gitignore").write_text("notes.txt\n")
    (top / "watch").write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    (top / "watch").chmod(0o755)
    subprocess.run(["git", "config", "core.fsmonitor", str(top / "watch")], cwd=top, check=True)
    for path in (top, *top.rglob("*")):
        os.chown(path, 65534, 65534)
    assert ignored(top, ["notes.txt", "code.py"]) == {"notes.txt"}
    assert git(top, ["grep", "--untracked", "-l", "touch"]) == (0, b"watch\n")
    assert not (tmp_path / "ran").exists()
    assert git(top, ["grep", "--untracked", "-l", "gone"])[0] == 1
