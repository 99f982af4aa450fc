"""`wurzel new pack`: a folder that installs, passes its checks and its own test as it is written."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.command import invoke
from wurzel.project.new import example_folder, pack_files


def new(*arguments):
    return invoke("new", "pack", *arguments)


@pytest.mark.parametrize(("name", "module"), [("globex", "globex_wurzel"), ("big-corp", "big_corp_wurzel")])
def test_it_has_all_files_of_the_example_under_its_name(tmp_path, monkeypatch, name, module):
    monkeypatch.chdir(tmp_path)
    done = new(name)
    assert done.exit_code == 0, done.exception
    written = {path.relative_to(tmp_path / name).as_posix() for path in (tmp_path / name).rglob("*") if path.is_file()}
    assert f"created {name} with {len(written)} files; next:" in done.stderr
    assert {"pyproject.toml", "README.md", "wurzel.yaml", "tests/test_pack.py", f"{module}/policies.j2"} <= written
    templates = {path.relative_to(example_folder() / "acme_wurzel") for path in example_folder().rglob("*.j2")}
    assert {path.as_posix().replace("acme/", f"{name}/") for path in templates} == {
        path.removeprefix(f"{module}/") for path in written if path.endswith(".j2")
    }
    text = "".join(path.read_text() for path in (tmp_path / name).rglob("*") if path.is_file())
    assert "acme" not in text.lower()
    assert f'{name} = "{module}"' in text
    assert "renames" not in text
    assert (tmp_path / name).stat().st_mode & 0o777 == 0o777 & ~umask()


def umask():
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_it_installs_and_passes_its_check_and_its_test(tmp_path):
    here = tmp_path / "a folder with spaces"
    here.mkdir()
    pip = ["pip", "install", "--quiet", "--no-deps", "--no-index", "--no-build-isolation"]
    ran(here, tmp_path, "wurzel", "new", "pack", "big-corp")
    ran(here, tmp_path, *pip, "--target", str(tmp_path / "site"), "./big-corp")
    assert " templates are fine" in ran(here / "big-corp", tmp_path, "wurzel", "templates", "check")
    assert "1 passed" in ran(here / "big-corp", tmp_path, "pytest", "-q", "-p", "no:cacheprovider")


def ran(folder, home, *command):
    """What a program prints that is installed beside this Python."""
    done = subprocess.run(
        [str(Path(sys.executable).with_name(command[0])), *command[1:]],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(home / "site")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_a_project_runs_and_passes_its_tests_as_it_is(tmp_path):
    ran(tmp_path, tmp_path, "wurzel", "new", "project", "my-rag")
    folder = tmp_path / "my-rag"
    assert "my-rag: 2 ran in" in ran(folder, tmp_path, "wurzel", "run")
    assert "2 passed" in ran(folder, tmp_path, "pytest", "-q", "-p", "no:cacheprovider")
    assert "run-my-rag.sh" in ran(folder, tmp_path, "wurzel", "render")
    ran(folder, tmp_path, "ruff", "check", ".")
    ran(folder, tmp_path, "ruff", "format", "--check", ".")
    assert {path.name for path in folder.iterdir()} >= {"README.md", ".gitignore", "wurzel.yaml", "my_rag.py"}


def test_a_step_passes_its_test_and_replaces_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = invoke("new", "step", "drop-short", "--json")
    assert json.loads(done.stdout) == ["drop_short.py", "test_drop_short.py"]
    assert "1 passed" in ran(tmp_path, tmp_path, "pytest", "-q", "-p", "no:cacheprovider")
    Path("drop_short.py").unlink()
    again = invoke("new", "step", "drop-short")
    assert str(again.exception).startswith("test_drop_short.py: already exists")
    assert again.exception.exit_code == 2
    assert not Path("drop_short.py").exists()


def test_a_backend_installs_and_passes_its_test(tmp_path):
    ran(tmp_path, tmp_path, "wurzel", "new", "backend", "pbs")
    text = "".join(path.read_text() for path in (tmp_path / "wurzel-pbs").rglob("*") if path.is_file())
    assert "acme" not in text
    assert 'pbs = "wurzel_pbs.backend:PbsBackend"' in text
    pip = ["pip", "install", "--quiet", "--no-deps", "--no-index", "--no-build-isolation"]
    ran(tmp_path, tmp_path, *pip, "--target", str(tmp_path / "site"), "./wurzel-pbs")
    assert "1 passed" in ran(tmp_path / "wurzel-pbs", tmp_path, "pytest", "-q", "-p", "no:cacheprovider")


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("project", "types"),
        ("project", "a b"),
        ("step", "Split"),
        ("step", "class"),
        ("backend", "argo"),
        ("backend", "a-b"),
    ],
)
def test_names_that_cannot_be(tmp_path, monkeypatch, kind, name):
    monkeypatch.chdir(tmp_path)
    done = invoke("new", kind, name)
    assert done.exception.exit_code == 2
    assert f"{name!r} cannot be the name of a " in str(done.exception)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["Globex", "globex corp", "../globex", "globex/x", "9globex", "wurzel", "-x"])
def test_a_name_that_is_not_one(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    done = new("--", name)
    assert done.exception.exit_code == 2
    assert "cannot be the name of a pack" in str(done.exception)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("make", ["mkdir", "touch", "link"])
def test_nothing_is_overwritten(tmp_path, monkeypatch, make):
    monkeypatch.chdir(tmp_path)
    path = Path("globex")
    path.symlink_to("gone") if make == "link" else getattr(path, make)()
    before = os.lstat(path)
    done = new("globex")
    assert "globex: already exists" in str(done.exception)
    assert done.exception.exit_code == 2
    assert os.lstat(path) == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["globex"]


def test_a_folder_that_cannot_be_written_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(Path, "write_text", refuse)
    assert "globex: cannot be written: No space left on device" in str(new("globex").exception)
    assert list(tmp_path.iterdir()) == []


def refuse(*_arguments, **_named):
    raise OSError(28, "No space left on device")


def test_it_writes_no_pack_into_the_folder_of_git(tmp_path, monkeypatch):
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path / ".git")
    assert "git's own folder" in str(new("globex").exception)
    assert list((tmp_path / ".git").iterdir()) == []


def test_the_files_are_the_same_each_time():
    assert pack_files("globex") == pack_files("globex")
