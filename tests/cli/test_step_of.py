"""`wurzel step ID`: a step as its pipeline and wurzel.yaml configure it."""

import json
from pathlib import Path

import pytest
from click.shell_completion import ShellComplete

from tests.command import program
from wurzel.cli import cli

FLOW = """
from pydantic import SecretStr
from wurzel import WZ, PydanticModel, Settings, TypedStep

class Word(PydanticModel):
    text: str

class Opts(Settings):
    COUNT: int = 1
    NOTE: str | None = "note"
    TOKEN: SecretStr = SecretStr("")

class Words(TypedStep[Opts, None, list[Word]]):
    def run(self, inpt: None) -> list[Word]:
        return [Word(text=f"{self.settings.NOTE}{number}") for number in range(self.settings.COUNT)]

class Upper(TypedStep[Opts, list[Word], list[Word]]):
    shards = {"items": 2, "max": 9}
    def run(self, inpt: list[Word]) -> list[Word]:
        print(len(inpt), "in a call,", self.settings.TOKEN.get_secret_value())
        return inpt[: self.settings.COUNT]

chain = WZ(Words) >> WZ(Upper, name="shout")
"""
PROJECT = """
version: 1
environments: {small: {pipelines: {flow: {steps: {words: {settings: {COUNT: 1}}}}}}}
pipelines:
  flow:
    entrypoint: step_flow:chain
    data_dir: here
    env: {SHOUT__COUNT: "2"}
    steps: {words: {settings: {COUNT: 3, NOTE: null}}}
"""


@pytest.fixture
def flow(tmp_path, monkeypatch):
    (tmp_path / "step_flow.py").write_text(FLOW)
    (tmp_path / "wurzel.yaml").write_text(PROJECT)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def step(*words, code=0):
    done = program("step", *words, code=code)
    return done.stdout if code == 0 else done.stderr


def texts(folder):
    return [item["text"] for path in sorted(Path(folder).glob("part-*.json")) for item in json.loads(path.read_bytes())]


def test_a_step_runs_as_the_pipeline_configures_it(flow, monkeypatch):
    step("words")
    assert texts("here/words") == ["None0", "None1", "None2"]
    monkeypatch.setenv("SHOUT__TOKEN", "hidden-token")
    assert step("shout", "--pipeline", "flow") == "2 in a call, ***\n1 in a call, ***\n"
    assert texts("here/shout") == ["None0", "None1", "None2"]


def test_options_of_the_command_line_win(flow):
    step("words", "--set", "steps.words.settings.COUNT=1", "--set", "steps.words.settings.NOTE=hi", "-o", "mine")
    assert texts("mine") == ["hi0"]
    step("words", "-e", "small")
    assert texts("here/words") == ["None0"]


def test_a_run_uses_what_the_step_has_written(flow):
    step("words")
    done = program("run", "--only", "shout", code=0)
    assert "shout: done" in done.stderr


def test_messages(flow):
    assert step("shoot", code=2) == (
        "error: STEP: the pipeline flow has no step 'shoot'\n  Did you mean shout? Its steps are words, shout.\n"
    )
    assert step("step_flow:Words", "-o", "x", "--pipeline", "flow", code=2) == (
        "error: 'step_flow:Words' is a class, which takes no --pipeline, --env or --set\n"
        "  Leave out --pipeline, or name a step: wurzel step STEP --pipeline flow\n"
    )
    (flow / "wurzel.yaml").unlink()
    assert step("words", code=2) == (
        "error: 'words' is the id of a step, and no --pipeline is given\n"
        "  There is no wurzel.yaml with pipelines here. A class is written module:Class.\n"
    )


def test_ids_are_completed(flow):
    complete = ShellComplete(cli, {}, "wurzel", "_WURZEL_COMPLETE")
    assert [item.value for item in complete.get_completions(["step"], "sh")] == ["shout"]
    assert [item.value for item in complete.get_completions(["run", "--only"], "words,+s")] == ["words,+shout"]
    assert [item.value for item in complete.get_completions(["run", "flow", "--from"], "")] == ["words", "shout"]
    assert complete.get_completions(["run", "nothing", "--from"], "") == []
