"""Whole runs of pipelines with conditions, portions and programs: what is skipped is seen, slices follow the data."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

STEPS = """
from wurzel import WZ, CommandStep, File, NoSettings, PydanticModel, SelfConsumingLeafStep, Settings, TypedStep

class Word(PydanticModel):
    text: str

class Opts(Settings):
    COUNT: int = 5

class Words(TypedStep[Opts, None, list[Word]]):
    def run(self, inpt: None) -> list[Word]:
        return [Word(text=f"w{number:03d}") for number in range(self.settings.COUNT)]

class Many(TypedStep[NoSettings, list[Word], list[Word]]):
    def when(self, inpt: list[Word]) -> bool:
        return len(inpt) > 3
    def run(self, inpt: list[Word]) -> list[Word]:
        return [Word(text=f"many {word.text}") for word in inpt]

class Few(TypedStep[NoSettings, list[Word], list[Word]]):
    def when(self, inpt: list[Word]) -> bool:
        return len(inpt) <= 3
    def run(self, inpt: list[Word]) -> list[Word]:
        return [Word(text=f"few {word.text}") for word in inpt]

class After(TypedStep[NoSettings, list[Word], list[Word]]):
    def run(self, inpt: list[Word]) -> list[Word]:
        return [Word(text=f"after {word.text}") for word in inpt]

class Join(After):
    pass

class Cut(TypedStep[NoSettings, list[Word], list[Word]]):
    shards = {"items": 2, "max": 3}
    def run(self, inpt: list[Word]) -> list[Word]:
        return [Word(text=f"{len(inpt)} {word.text}") for word in inpt]

class Memory(SelfConsumingLeafStep[Opts, list[Word]]):
    def when(self, inpt: list[Word] | None) -> bool:
        return self.settings.COUNT > 3
    def run(self, inpt: list[Word] | None) -> list[Word]:
        return [*(inpt or []), Word(text="again")]

class Text(File):
    suffix = ".txt"

class Write(TypedStep[NoSettings, list[Word], Text]):
    def run(self, inpt: list[Word]) -> Text:
        path = self.workdir / "words.txt"
        path.write_text("".join(f"{word.text}\\n" for word in inpt))
        return Text(path)

class Reverse(CommandStep[NoSettings, Text, Text]):
    command = ["sort", "-r", "{input}"]
    version = ["sh", "-c", "cat version.*"]  # a file that the code names would count as code

class Unversioned(CommandStep[NoSettings, Text, Text]):
    command = ["cat", "{input}"]

def branches():
    words, join = WZ(Words), WZ(Join)
    words >> WZ(Many) >> WZ(After) >> join
    words >> WZ(Few) >> join
    return join

cut = WZ(Words) >> WZ(Cut)
memory = WZ(Memory)
program = WZ(Words) >> WZ(Write) >> WZ(Reverse) >> WZ(Unversioned)
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "flows.py").write_text(STEPS)
    return tmp_path


def wurzel(*arguments, count=None):
    env = {**os.environ, "NO_COLOR": "1"}
    if count is not None:
        env |= {"WORDS__COUNT": str(count), "MEMORY__COUNT": str(count)}
    command = [sys.executable, "-P", "-m", "wurzel", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=env)


def run(*arguments, count=None):
    done = wurzel("run", *arguments, count=count)
    assert done.returncode == 0, done.stderr
    return done.stderr


def texts(step):
    parts = json.loads(Path("data", step, "manifest.json").read_bytes())["parts"]
    return [[item["text"] for item in json.loads(Path("data", step, part["file"]).read_bytes())] for part in parts]


def content():
    return {str(path): path.read_bytes() for path in sorted(Path("data").rglob("*")) if path.is_file()}


# --- conditions -----------------------------------------------------------------------------------------------------


def test_one_branch_runs_and_the_other_is_seen_to_be_skipped(project):
    output = run("flows:branches", count=5)
    assert "few: skipped\n" in output
    assert "4 ran, 1 skipped in" in output
    assert texts("join") == [[f"after after many w{number:03d}" for number in range(5)]]
    output = run("flows:branches", count=2)
    assert "many: skipped\n" in output
    assert "after: skipped\n" in output
    assert "3 ran, 2 skipped in" in output
    assert texts("join") == [["after few w000", "after few w001"]]


def test_what_is_skipped_is_not_decided_again_while_nothing_has_changed(project):
    run("flows:branches", count=5)
    output = run("flows:branches", count=5)
    assert "few: unchanged (skipped)\n" in output
    assert "5 unchanged in" in output


def test_json_lines_say_what_is_skipped(project):
    lines = wurzel("--log-format", "json", "run", "flows:branches", count=5).stderr.splitlines()
    events = [(line["step"], line["event"]) for line in map(json.loads, lines) if "event" in line and "step" in line]
    assert ("few", "skipped") in events
    assert ("many", "done") in events


def test_the_log_of_a_step_says_why_it_was_skipped(project):
    run("flows:branches", count=2)
    logs = project / ".wurzel" / "flows-branches" / "logs"
    logs = logs if logs.exists() else next((project / ".wurzel").glob("*/logs"))
    assert "skipped: its when() is False" in (logs / "many.log").read_text()
    assert "skipped: all steps before it were skipped" in (logs / "after.log").read_text()


def test_a_self_consuming_step_that_keeps_its_last_output_is_seen_to_be_skipped(project):
    run("flows:memory", count=5)
    before = content()
    assert "memory: skipped\n" in run("flows:memory", count=1)
    assert content() == before
    assert "memory: done in" in run("flows:memory", count=5)
    assert texts("memory") == [["again", "again"]]


# --- fan-out --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("count", "slices", "sizes"), [(0, 0, [0]), (2, 0, [2]), (3, 2, [2, 1]), (5, 3, [2, 2, 1]), (9, 3, [2, 2, 2, 2, 1])]
)
def test_there_are_as_many_slices_as_the_data_has_portions(project, count, slices, sizes):
    output = run("flows:cut", "-j", "2", count=count)
    assert (f"{slices} slices" in output) == bool(slices)
    assert [len(part) for part in texts("cut")] == sizes
    logs = next((project / ".wurzel").glob("*/logs"))
    assert len(list(logs.glob("cut.*-of-*.log"))) == slices
    sliced = content()
    run("flows:cut", "-j", "1", "--force", count=count)
    assert content() == sliced


def test_slices_are_written_as_json(project):
    run("flows:cut", "--only", "words", "--slices", "cut=slices.json", count=3)
    assert json.loads(Path("slices.json").read_text()) == ["1/2", "2/2"]
    assert not Path("data/cut").exists()
    done = wurzel("run", "flows:cut", "--slices", "cut=-", count=3)
    assert (done.returncode, json.loads(done.stdout)) == (0, ["1/2", "2/2"])


def test_slices_of_different_jobs_make_the_same_dataset(project):
    run("flows:cut", count=5)
    whole = Path("data/cut/manifest.json").read_bytes()
    run("flows:cut", "--only", "words", count=5)
    for shard in ("2/3", "1/3", "3/3"):
        assert f"cut: started (slice {shard[0]} of 3)" in run("flows:cut", "--only", "cut", "--shard", shard, count=5)
    assert wurzel("step", "flows:Cut", "--gather", "-i", "data/cut", "-o", "gathered").returncode == 0
    assert Path("gathered/manifest.json").read_bytes() == whole


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--only", "wrods"], "the pipeline cut has no step 'wrods'\n  Did you mean words? Its steps are words, cut."),
        (["--only", "cut"], "step cut: data/words: there is no such dataset"),
        (["--shard", "1/2"], "--shard runs a slice of one step"),
        (["--only", "words,cut", "--shard", "1/2"], "--shard runs a slice of one step"),
        (["--slices", "cut"], "--slices 'cut' is not STEP=FILE"),
        (["--slices", "cot=x"], "Did you mean cut?"),
        (["--slices", "cut=x"], "data/words: there is no such dataset"),
    ],
)
def test_what_cannot_be_chosen(project, arguments, message):
    done = wurzel("run", "flows:cut", *arguments)
    assert done.returncode in {1, 2}
    assert message in done.stderr
    assert not Path("x").exists()


def test_some_steps_of_a_pipeline(project):
    run("flows:branches", "--only", "words,many", count=5)
    assert sorted(path.name for path in Path("data").iterdir() if not path.name.startswith(".")) == ["many", "words"]
    output = run("flows:branches", "--only", "after", "--only", "few", count=5)
    assert "1 ran, 1 skipped in" in output


# --- programs -------------------------------------------------------------------------------------------------------


def test_a_program_runs_again_when_its_version_has_changed(project):
    Path("version.txt").write_text("1.0")
    run("flows:program")
    assert Path("data/reverse/00000/output.txt").read_text().splitlines()[0] == "w004"
    output = run("flows:program")
    assert "reverse: unchanged\n" in output
    assert "unversioned: started (is never cached)" in output
    Path("version.txt").write_text("2.0")
    assert "reverse: started (program changed)" in run("flows:program")
    Path("version.txt").unlink()
    assert "reverse: started (program changed)" in run("flows:program")
