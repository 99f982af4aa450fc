"""Code of steps runs with Python's own collection of garbage, though a command imports with less of it."""

import gc
import json
from pathlib import Path

import pytest

from tests.command import program

COLLECTING = """
import gc, json
from pathlib import Path

from wurzel import WZ, NoSettings, TypedStep
from wurzel.datacontract import MarkdownDataContract


class Source(TypedStep[NoSettings, None, list[MarkdownDataContract]]):
    def run(self, inpt):
        Path("collected").write_text(json.dumps(gc.get_threshold()))
        return []


def pipeline():
    return WZ(Source)
"""


@pytest.mark.parametrize(
    "words",
    [
        ("step", "collecting:Source", "-o", "out"),
        ("run", "collecting:pipeline"),
        ("run", "collecting:pipeline", "--in-process"),
    ],
    ids=" ".join,
)
def test_garbage_is_collected_as_usual_where_steps_run(words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("collecting.py").write_text(COLLECTING)
    done = program(*words)
    assert done.returncode == 0, done.stderr
    assert json.loads(Path("collected").read_text()) == [*gc.get_threshold()]
