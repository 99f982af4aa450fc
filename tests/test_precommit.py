"""pre-commit's own runner runs both hooks, installed by it from a git clone of this working tree."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.command import program
from tests.conftest import PIPELINES

pytest.importorskip("pre_commit", reason="pre-commit comes with the extra `dev`")
ROOT = Path(__file__).resolve().parents[1]


def git(*words, cwd):
    done = subprocess.run(["git", *words], cwd=cwd, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def repository(folder):
    git("init", "-q", cwd=folder)
    git("config", "user.name", "t", cwd=folder)
    git("config", "user.email", "t@example.org", cwd=folder)
    git("add", "-A", cwd=folder)
    git("commit", "-qm", "start", cwd=folder)
    return git("rev-parse", "HEAD", cwd=folder)


def test_both_hooks(tmp_path):
    hooks, sample = tmp_path / "hooks", tmp_path / "sample"
    for name in git("ls-files", "-co", "--exclude-standard", cwd=ROOT).splitlines():
        if (ROOT / name).is_file() and name.partition("/")[0] not in {"snapshots", "tests"}:
            (hooks / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, hooks / name)
    revision = repository(hooks)
    sample.mkdir()
    for name in ("steps.py", "chain.py"):
        shutil.copy(PIPELINES / name, sample)
    config = sample / "wurzel.yaml"
    config.write_text('version: 1\npipelines: {words: {entrypoint: "chain:pipeline", targets: {dvc: {}}}}\n')
    below = sample / "services" / "words"
    shutil.copytree(sample, below)
    for folder in (sample, below):
        program("render", code=0, cwd=folder)
    (sample / ".gitignore").write_text("__pycache__/\n")
    (sample / ".pre-commit-config.yaml").write_text(
        f"repos:\n- repo: {hooks}\n  rev: {revision}\n"
        "  hooks: [{id: wurzel-check}, {id: wurzel-render, stages: [manual]},\n"
        "    {id: wurzel-check, alias: below, entry: wurzel -C services/words render --check, stages: [manual]}]\n"
    )
    repository(sample)
    environment = {**os.environ, "PRE_COMMIT_HOME": str(tmp_path / "home")}

    def hook(*arguments):
        command = [sys.executable, "-m", "pre_commit", "run", "--color=never", "--verbose", *arguments]
        return subprocess.run(command, cwd=sample, env=environment, capture_output=True, text=True, check=False)

    first = hook("wurzel-check")
    if "No matching distribution" in first.stdout + first.stderr or "ConnectionError" in first.stdout:
        pytest.skip("pre-commit cannot install from a package registry here")
    assert first.returncode == 0, first.stdout + first.stderr
    assert hook("below", "--hook-stage", "manual").returncode == 0
    git("rm", "-q", "services/words/dvc.yaml", cwd=sample)
    outdated = hook("below", "--hook-stage", "manual")
    assert outdated.returncode == 1
    assert "dvc.yaml: missing" in outdated.stdout
    program("render", code=0, cwd=below)
    config.write_text(config.read_text().replace("targets", "data_dir: other, targets"))
    git("add", "-A", cwd=sample)
    checked = hook("wurzel-check")
    assert checked.returncode == 1
    assert "(wurzel.yaml:2:" in checked.stdout
    assert "Run: wurzel render" in checked.stdout
    before = (sample / "dvc.yaml").read_text()
    rendered = hook("wurzel-render", "--hook-stage", "manual")
    assert rendered.returncode == 1, rendered.stdout
    assert "files were modified by this hook" in rendered.stdout
    assert (sample / "dvc.yaml").read_text() != before
    config.write_text(config.read_text().replace("dvc: {}", "dvc: {}, local: {}"))
    git("add", "-A", cwd=sample)
    created = hook("wurzel-render", "--hook-stage", "manual")
    assert created.returncode == 1, created.stdout  # pre-commit itself does not see a new file
    assert "created run-words.sh" in created.stdout
    git("add", "-A", cwd=sample)
    assert hook("wurzel-check").returncode == 0
    assert hook("wurzel-render", "--hook-stage", "manual").returncode == 0
