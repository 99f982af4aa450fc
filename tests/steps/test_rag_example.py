"""The example project runs as its README says, on the real documentation, and gives the same bytes each time."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.fixture
def example(tmp_path):
    shutil.copytree(DOCS, tmp_path / "docs", ignore=shutil.ignore_patterns("__pycache__", "data", ".wurzel", "*.sh"))
    return tmp_path / "docs" / "examples" / "rag"


def wurzel(example, *arguments):
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "NO_COLOR": "1"}
    command = [sys.executable, "-m", "wurzel", *arguments]
    done = subprocess.run(command, cwd=example, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done


def files(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_it_runs_and_runs_again_with_the_same_bytes(example):
    wurzel(example, "run", "rag", "-j", "2")
    first = files(example / "data")
    wurzel(example, "run", "rag", "-j", "2", "--force")
    assert files(example / "data") == first

    passages = json.loads(first["export/part-00000.json"])
    sources = {
        f"docs/{page.relative_to(DOCS)}" for name in ("backends", "decisions") for page in (DOCS / name).rglob("*.md")
    }
    assert {passage["source"] for passage in passages} == sources
    assert len({passage["id"] for passage in passages}) == len(passages)
    (report,) = [json.loads(first["report/part-00000.json"])]
    assert all(f"| {source} | " in report["md"] for source in sources)
    assert "| keyword | chunks |" in report["md"]


def test_it_renders_without_a_warning(example):
    done = wurzel(example, "render", "--strict", "-t", "dvc", "-t", "local")
    assert "warning" not in done.stderr
    assert {"dvc.yaml", "params.yaml", "run-rag.sh"} <= {path.name for path in example.iterdir()}
