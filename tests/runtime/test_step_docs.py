import json
import re
import sys
from pathlib import Path

from tests.command import program
from wurzel.ir.introspect import introspect

PAGE = Path(__file__).parents[2] / "docs" / "steps.md"


def test_the_example_of_the_page_runs_as_it_is_written(tmp_path, monkeypatch):
    code, commands = re.findall(r"```(?:python|console)\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)[:2]
    (tmp_path / "mysteps.py").write_text(code)
    for line in commands.splitlines():
        argv = line.removeprefix("$ wurzel ").split()
        program(*argv, code=0, cwd=tmp_path)
    items = json.loads((tmp_path / "data" / "shorten" / "part-00000.json").read_text())
    assert items == [{"title": "one", "text": "About one."}, {"title": "two", "text": "About two."}]
    monkeypatch.syspath_prepend(str(tmp_path))
    import mysteps

    steps = introspect(mysteps.pipeline, name="docs").steps
    assert [(step.id, step.retry.limit) for step in steps] == [("read", 0), ("shorten", 2)]
    del sys.modules["mysteps"]
