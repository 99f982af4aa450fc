"""`wurzel init`: finds pipelines, writes a file that loads, and asks before it overwrites."""

import json
import os
import pty
import select
import subprocess
import sys

import pytest

from tests.command import invoke
from wurzel.exceptions import ConfigError, UsageError, WriteError
from wurzel.project.discover import Skipped, find_pipelines
from wurzel.project.load import load

STEPS = """\
from pydantic import SecretStr
from wurzel.core import NoSettings, Settings, TypedStep
from wurzel.datacontract import PydanticModel
from wurzel.utils import WZ

class Doc(PydanticModel):
    text: str

class LoadSettings(Settings):
    FOLDER: str
    TOKEN: SecretStr
    DEPTH: int = 1

class Load(TypedStep[LoadSettings, None, list[Doc]]):
    def run(self, inpt: None) -> list[Doc]:
        return []

class Clean(TypedStep[NoSettings, list[Doc], list[Doc]]):
    def run(self, inpt: list[Doc]) -> list[Doc]:
        return inpt
"""
FLOWS = """\
from acme_flows.steps import Clean, Load
from wurzel.utils import WZ

load = WZ(Load)
whole = load >> WZ(Clean)

def rag_de():
    return WZ(Load) >> WZ(Clean, name="clean-de")

def with_argument(n):
    return WZ(Load)

def _private():
    return WZ(Load)

def helper(*, n=1):
    WZ(Load)
    return n
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A project: a package with pipelines, and much that is none."""
    package = tmp_path / "acme_flows"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "steps.py").write_text(STEPS)
    (package / "flows.py").write_text(FLOWS)
    (tmp_path / "pipeline.py").write_text(
        "from acme_flows.steps import Load\nfrom wurzel.utils import WZ\n\ndef pipeline():\n    return WZ(Load)\n"
    )
    (tmp_path / "broken.py").write_text("import wurzel\nimport acme_not_there\nx = WZ(1)\n")
    (tmp_path / "exits.py").write_text("import wurzel, sys\nsys.exit('no')\nx = WZ(1)\n")
    (tmp_path / "syntax.py").write_text("import wurzel\nWZ(")
    (tmp_path / "other.py").write_text("x = 1 >> 2\n")
    for name in (".hidden", "tests", "venv"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "flow.py").write_text(FLOWS)
    (tmp_path / "venv" / "pyvenv.cfg").write_text("")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if str(tmp_path) in (getattr(sys.modules[name], "__file__", None) or ""):
            del sys.modules[name]


def init(*args, **kwargs):
    return invoke("init", *args, **kwargs)


def test_what_is_found_is_written(folder):
    result = init()
    assert result.exit_code == 0
    assert result.stdout == ""
    project = load(folder / "wurzel.yaml")
    assert {name: project.entrypoint(name) for name in project.names()} == {
        "whole": "acme_flows.flows:whole",
        "rag-de": "acme_flows.flows:rag_de",
        "pipeline": "pipeline:pipeline",
    }
    assert "found rag-de: acme_flows.flows:rag_de, 2 steps" in result.stderr
    assert "skipped broken:x: " in result.stderr
    assert "skipped exits:x: " in result.stderr
    text = (folder / "wurzel.yaml").read_text()
    assert text.startswith("# yaml-language-server: $schema=wurzel.schema.json\n")
    assert "    #   clean-de:\n" in text
    assert "    #     settings: {FOLDER: …}  # required\n" in text
    assert "    #     secrets: {TOKEN: {name: secret, key: entry}}  # required\n" in text
    assert "DEPTH" not in text
    assert json.loads((folder / "wurzel.schema.json").read_text())["title"] == "wurzel.yaml"
    assert sorted(path.name for path in folder.iterdir() if path.name.startswith(".")) == [".hidden"]


def test_the_comments_hold_what_loads_when_they_are_taken_in(folder):
    init()
    lines = (folder / "wurzel.yaml").read_text().splitlines()
    start = lines.index("  rag-de:")
    taken = [
        line.replace("# ", "", 1) if index > start and "    # " in line else line for index, line in enumerate(lines)
    ]
    taken = [line for line in taken if "argo:" not in line]
    (folder / "wurzel.yaml").write_text("\n".join(taken).replace("…", "x"))
    assert "rag-de" in load(folder / "wurzel.yaml").names()


def test_a_project_without_pipelines_gets_an_example(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = init()
    assert "no pipeline found" in result.stderr
    assert load(tmp_path / "wurzel.yaml").names() == []


def test_without_a_terminal_nothing_is_overwritten(folder):
    (folder / "wurzel.yaml").write_text("version: 1\n# mine\n")
    result = init(input="y\n")
    assert isinstance(result.exception, UsageError)
    assert "--force" in str(result.exception)
    assert (folder / "wurzel.yaml").read_text() == "version: 1\n# mine\n"
    assert not (folder / "wurzel.schema.json").exists()
    assert init("--force").exit_code == 0
    assert "whole" in load(folder / "wurzel.yaml").names()


def test_a_configuration_of_another_name_is_said(folder):
    (folder / "wurzel.yml").write_text("version: 1\n")
    assert isinstance(init().exception, ConfigError)


def test_a_folder_that_cannot_be_written(folder):
    (folder / "wurzel.yaml").mkdir()
    result = init("--force")
    assert isinstance(result.exception, WriteError)
    assert not (folder / ".wurzel.yaml.new").exists()


def answer(folder, text):
    """Run `wurzel init` on a terminal and answer its question."""
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "wurzel", "init"], cwd=folder, stdin=follower, stdout=follower, stderr=follower
    )
    os.close(follower)
    shown = b""
    answered = False
    while select.select([leader], [], [], 60)[0]:
        try:
            data = os.read(leader, 4096)
        except OSError:
            break
        shown += data
        if b"Overwrite wurzel.yaml?" in shown and not answered:
            os.write(leader, text.encode())
            answered = True
    os.close(leader)
    return process.wait(60), shown.decode()


@pytest.mark.parametrize(("text", "code", "overwritten"), [("n\n", 1, False), ("y\n", 0, True)])
def test_on_a_terminal_it_asks(folder, text, code, overwritten):
    (folder / "wurzel.yaml").write_text("version: 1\n# mine\n")
    exit_code, shown = answer(folder, text)
    assert "Overwrite wurzel.yaml?" in shown
    assert exit_code == code
    assert ("# mine" not in (folder / "wurzel.yaml").read_text()) is overwritten


def test_only_what_is_not_a_pipeline_is_skipped_without_a_message(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "not_all_pipelines.py").write_text(
        "from wurzel.exceptions import UsageError\nfrom wurzel.utils import WZ\n\n"
        "def number():\n    return 8 >> 1\n\n"
        "def broken():\n    raise UsageError('the notes say that this is not a pipeline')\n    return WZ\n"
    )
    assert find_pipelines(tmp_path) == (
        [],
        [Skipped("not_all_pipelines:broken", "the notes say that this is not a pipeline")],
    )
