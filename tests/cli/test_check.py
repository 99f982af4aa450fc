"""`wurzel check` looks at everything, whatever it finds first."""

from pathlib import Path

import pytest

from tests.command import program


def check(*words):
    done = program("check", *words)
    return done.returncode, done.stderr, done.stdout


@pytest.fixture
def here(project):
    root = project("credentials")
    Path("wurzel.yaml").write_text(Path("wurzel.yaml").read_text() + "    targets: {local: {}}\n")
    return root


def test_everything_is_checked_and_the_worst_decides(here, monkeypatch):
    code, said, printed = check()
    assert code == 1
    assert printed == ""
    assert "pipelines: ok\n" in said
    assert "templates: ok\n" in said
    assert "files: rendered files are out of date\n  run-credentials.sh: missing\n" in said
    assert "environment: credentials: " in said
    assert "SHARED_TOKEN" in said
    program("render", code=0)
    assert check("--skip", "environment")[0] == 0
    monkeypatch.setenv("SHARED_TOKEN", "x")
    monkeypatch.setenv("SECRET_SUFFIX__TOKEN", "x")
    code, said, _ = check()
    assert (code, said.count(": ok\n")) == (0, 4)
    Path("wurzel.yaml").write_text(
        Path("wurzel.yaml").read_text()
        + "  chain: {entrypoint: 'credentials:pipeline', secrets: {SHARED_TOKEN: {name: a, key: b}}}\n"
    )
    code, said, _ = check("--skip", "files")
    assert code == 0
    assert "pipelines: credentials: ok\npipelines: chain: ok\n" in said
    assert '"pipeline": "chain"' in check("--json")[2]


def test_a_broken_pipeline_does_not_hide_broken_templates(here):
    Path("wurzel.yaml").write_text(Path("wurzel.yaml").read_text().replace("entrypoint: ", "entrypoint: nowhere."))
    Path("wurzel.yaml").write_text(Path("wurzel.yaml").read_text() + "templates: [mine]\n")
    Path("mine/local").mkdir(parents=True)
    Path("mine/local/run.sh.j2").write_text("{% if %}")
    code, said, _ = check()
    assert code == 2
    assert "pipelines: " in said
    assert "nowhere" in said
    assert "templates: " in said
    assert "run.sh.j2" in said
    assert "ok\n" not in said


def test_without_a_project_there_is_nothing_to_check(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, said, _ = check()
    assert (code, said.splitlines()[0]) == (2, "error: there is no wurzel.yaml here")


def test_another_program_of_this_name_is_named(here, monkeypatch, tmp_path):
    """What rendered files start is the `wurzel` on the path; the index of pip has another one."""
    program("render", code=0)
    for name in ("SHARED_TOKEN", "SECRET_SUFFIX__TOKEN"):
        monkeypatch.setenv(name, "x")
    other = tmp_path / "bin/wurzel"
    other.parent.mkdir()
    other.write_text("#!/bin/sh\necho wurzel 3.3.1\n")
    other.chmod(0o755)
    monkeypatch.setenv("PATH", f"{other.parent}:/usr/bin:/bin")
    code, said, _ = check()
    assert code == 1
    assert f"environment: {other}: is another program than this wurzel" in said
    assert "--version prints 'wurzel 3.3.1'" in said
    assert "Put this one first in PATH" in said


def test_mistakes_of_every_environment_are_found_without_choosing_one(here):
    """`render` finds those that are never right; `check` also those that do not fit the rest."""
    environments = """environments:
  prod:
    pipelines:
      credentials:
        targets: {local: {outptu: x.sh}}
  dev:
    pipelines:
      credentials:
        steps: {nowhere: {timeout: 1h}}
"""
    Path("wurzel.yaml").write_text(Path("wurzel.yaml").read_text() + environments)
    rendered = program("render", code=2).stderr
    assert "unknown key 'outptu' in environments.prod.pipelines.credentials.targets.local" in rendered
    assert "Did you mean output?" in rendered
    code, said, _ = check()
    assert code == 2
    assert "unknown key 'outptu' in targets.local" in said
    assert "there is no step 'nowhere'" in said
    assert check("-e", "dev", "--skip", "files", "--skip", "environment")[1].count("unknown key") == 0
