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


def wurzel(example, *arguments, **variables):
    environment = {**os.environ, **variables, "PYTHONDONTWRITEBYTECODE": "1", "NO_COLOR": "1"}
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

    rows = first["index/00000/passages.index"].partition(b"\n")[2]
    assert len(rows) % len(passages) == 0
    questions = json.loads((example / "questions.json").read_text())
    answers = json.loads(first["answer/part-00000.json"])
    assert [answer["question"] for answer in answers] == [question["text"] for question in questions]
    assert all(set(answer["sources"]) <= sources for answer in answers)
    score = json.loads(first["evaluate/part-00000.json"])
    assert score["questions"] == sum("source" in question for question in questions)
    assert score["questions"] >= score["listed"] >= score["first"] >= score["questions"] // 4
    report = first["report/00000/answers.md"].decode()
    assert all(f"## {question['text']}" in report for question in questions)


def test_words_alone_will_do_and_without_known_sources_there_is_no_score(example):
    (example / "questions.json").write_text('[{"text": "When does dvc repro run a stage again?"}]')
    wurzel(example, "run", "rag", "-j", "2", EMBED__MODEL="words")
    found = files(example / "data")
    assert found["index/00000/passages.index"].startswith(b"words\n")
    assert json.loads(found["evaluate/manifest.json"])["skipped"] is True
    report = found["report/00000/answers.md"].decode()
    assert "When does dvc repro" in report
    assert "came first" not in report


def test_it_renders_without_a_warning(example):
    done = wurzel(example, "render", "--strict", "-t", "dvc", "-t", "local")
    assert "warning" not in done.stderr
    assert {"dvc.yaml", "params.yaml", "run-rag.sh"} <= {path.name for path in example.iterdir()}
