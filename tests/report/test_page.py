"""What `wurzel report` writes; how it looks and behaves is tested in a browser, in tests/engines."""

import base64
import json
import re
from hashlib import sha256
from pathlib import Path

import pytest

from tests.command import program
from wurzel.report import content, page
from wurzel.runtime.history import past_runs


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    root = tmp_path_factory.mktemp("report")
    steps = Path(__file__).parents[1] / "pipelines"
    for name in ("steps.py", "chain.py"):
        (root / name).write_text((steps / name).read_text())
    program("run", "chain:pipeline", code=0, cwd=root)
    return root


def found(ran, monkeypatch):
    monkeypatch.chdir(ran)
    (run,) = past_runs(Path(".wurzel"))
    return run


def test_the_policy_of_the_page_allows_its_own_script_and_style_alone():
    text = page({"steps": []}, "<title>")
    assert "<title>&lt;title&gt;</title>" in text
    for tag, directive in (("style", "style-src"), ("script", "script-src")):
        body = re.search(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL)[1]
        digest = base64.b64encode(sha256(body.encode()).digest()).decode()
        assert f"{directive} 'sha256-{digest}'" in text
    assert "default-src 'none'" in text
    assert re.findall(r"(?:src|href)=", text) == []


def test_data_cannot_leave_its_element():
    evil = "</script><!--<script>@JS@ \u2028 é"
    text = page({"steps": [evil]}, "t")
    data = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)[1]
    assert json.loads(data) == {"steps": [evil]}
    assert "<" not in data


def test_steps_stand_where_they_are_drawn_with_data_and_logs(ran, monkeypatch):
    shown = content(found(ran, monkeypatch))
    assert shown["steps"] == ["words", "upper", "reverse"]
    assert [place.layer for place in shown["places"].values()] == [0, 1, 2]
    step = shown["runs"][0]["steps"]["upper"]
    (preview,) = step["previews"]
    assert preview["columns"] == ["#", "text", "count"]
    assert preview["rows"][0][1].isupper()
    assert "items out" in step["logs"][0]["text"]


def test_data_of_another_run_is_not_shown(ran, monkeypatch):
    run = found(ran, monkeypatch)
    part = next(Path("data/upper").glob("part-*"))
    before = part.read_bytes()
    try:
        part.write_bytes(before.replace(b"text", b"tExt"))
        (preview,) = content(run)["runs"][0]["steps"]["upper"]["previews"]
        assert preview["rows"] == []
        assert "is damaged" in preview["more"]
    finally:
        part.write_bytes(before)
    upper = {**run.steps["upper"], "datasets": {"": "0" * 64}}
    assert content(run._replace(steps={"upper": upper}))["runs"][0]["steps"]["upper"]["previews"] == []


def test_a_page_is_written_to_a_file_or_to_standard_output(ran, monkeypatch):
    monkeypatch.chdir(ran)
    printed = program("report", "-o", "-", code=0).stdout
    program("report", "-o", "a page.html", code=0)
    assert Path("a page.html").read_text() == printed
    assert printed.startswith("<!doctype html>")
    done = program("report", "-o", "nowhere/x.html")
    assert (done.returncode, done.stderr) == (
        1,
        "error: nowhere/x.html: cannot be written: No such file or directory\n",
    )
