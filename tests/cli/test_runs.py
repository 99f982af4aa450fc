"""`wurzel runs`, `logs`, `show` and `clean`: what runs left, shown and removed."""

import fcntl
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.command import program
from wurzel.cli.show import _print_table
from wurzel.exceptions import UsageError
from wurzel.report import content
from wurzel.runtime.history import past_runs

FLOW = """
import os, time
from pathlib import Path
from wurzel import WZ, File, NoSettings, Outputs, PydanticModel, Settings, TypedStep

class Word(PydanticModel):
    text: str
    note: str | None = None

class Opts(Settings):
    COUNT: int = 25
    FAIL: bool = False
    WAIT: float = 0

class Words(TypedStep[Opts, None, list[Word]]):
    def run(self, inpt: None) -> list[Word]:
        print("making", self.settings.COUNT)
        time.sleep(self.settings.WAIT)
        if self.settings.FAIL:
            raise ValueError("no words today")
        return [Word(text=f"w{number}\\x1b[2J[bold]") for number in range(self.settings.COUNT)]

class Note(File):
    suffix = ".txt"

class Both(Outputs):
    upper: list[Word]
    note: Note

class Split(TypedStep[NoSettings, list[Word], Both]):
    def run(self, inpt: list[Word]) -> Both:
        path = self.workdir / "note.txt"
        path.write_text("hello")
        return Both(upper=[Word(text=word.text.upper(), note="n") for word in inpt], note=Note(path))

chain = WZ(Words) >> WZ(Split)
"""
PROJECT = "version: 1\npipelines: {flow: {entrypoint: 'flow:chain'}}\n"


def wurzel(*words, code=0):
    done = program(*words, code=code)
    return done.stdout if code == 0 else done.stderr


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """A project with a run, and one more after a setting has changed; no test changes it."""
    root = tmp_path_factory.mktemp("runs")
    (root / "flow.py").write_text(FLOW)
    (root / "wurzel.yaml").write_text(PROJECT)
    for options in ([], ["--set", "steps.words.settings.COUNT=3"]):
        program("run", *options, code=0, cwd=root)
    return root


@pytest.fixture
def here(ran, monkeypatch):
    monkeypatch.chdir(ran)
    return ran


@pytest.fixture
def copy(ran, tmp_path, monkeypatch):
    shutil.copytree(ran, tmp_path / "copy", symlinks=True)
    monkeypatch.chdir(tmp_path / "copy")
    return tmp_path / "copy"


def test_runs_are_listed_with_the_newest_first(here):
    second, first = json.loads(wurzel("runs", "--json"))
    assert (first["ended"], first["exit_code"], first["counts"]["ran"]) == ("ok", 0, 2)
    assert first["started"] < second["started"]
    head, *lines = wurzel("runs").splitlines()
    assert head.split() == ["RUN", "PIPELINE", "STARTED", "STEPS", "TOOK", "ENDED"]
    assert [line.split()[0] for line in lines] == [second["id"], first["id"]]
    assert wurzel("runs", "--pipeline", "other") == ""


def test_a_run_says_what_became_of_each_step_and_why(here):
    lines = wurzel("runs", "show").splitlines()
    step, state, _, memory, unit, items, why = lines[2].split(maxsplit=6)
    assert (step, state, unit, items, why) == ("words", "ran", "MB", "3", "settings changed")
    assert int(memory) > 10
    assert lines[3].endswith("input data changed")
    first = json.loads(wurzel("runs", "--json"))[1]["id"]
    steps = json.loads(wurzel("runs", "show", first[:6], "--json"))["steps"]
    assert steps["words"]["reason"] == "first run here"
    assert steps["words"]["report"]["items_out"] == 25
    assert steps["words"]["begin"] < steps["words"]["end"] <= steps["split"]["begin"]


def test_a_difference_names_settings_and_datasets(here):
    second, first = (run["id"] for run in json.loads(wurzel("runs", "--json")))
    lines = wurzel("runs", "diff", first).splitlines()
    assert lines[0] == "words.COUNT: setting default → 3"
    assert lines[1].startswith("words: dataset ")
    assert [line.split(":")[0] for line in lines[2:]] == ["split.upper"]  # the note is the same
    assert wurzel("runs", "diff", second, second) == ""
    assert "there is no run 'zz'" in wurzel("runs", "diff", "zz", code=2)


def test_commands_about_runs_without_a_project_say_what_is_missing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert wurzel("show", "words", code=2) == (
        "error: there is no wurzel.yaml here\n  Name the pipeline: wurzel show words --pipeline module:attribute\n"
    )
    for words in (["logs", "words"], ["logs"], ["runs", "show"], ["report"]):
        assert wurzel(*words, code=2).startswith("error: no run has been recorded here\n  Run `wurzel run` first")


def test_the_records_of_someone_else_are_not_taken_for_none(tmp_path, monkeypatch):
    def denied(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "iterdir", denied)  # root, as which tests may run, may read all folders
    with pytest.raises(UsageError, match=r"\.wurzel: cannot be read: Permission denied"):
        past_runs(tmp_path / ".wurzel")


@pytest.mark.parametrize("words", [["logs"], ["show", "words"], ["runs", "show"]])
def test_closed_standard_streams_are_no_error(here, words):
    done = subprocess.run(["sh", "-c", 'exec "$@" >&- 2>&-', "sh", sys.executable, "-m", "wurzel", *words], check=False)
    assert done.returncode == 0


def test_logs_of_past_runs_are_kept(here):
    first = json.loads(wurzel("runs", "--json"))[1]["id"]
    assert wurzel("logs", "words").startswith("making 3\n")
    assert wurzel("logs", "words", "--run", first).startswith("making 25\n")
    assert "==> words <==\nmaking 3\n" in wurzel("logs")
    assert "step 'nope' has no log here\n  Steps that ran: words, split." in wurzel("logs", "nope", code=2)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (Path.mkdir, "it is a folder"),
        (os.mkfifo, "it is a pipe"),
        (lambda path: path.symlink_to("gone"), "No such file or directory"),
    ],
)
def test_what_is_not_a_log_is_not_printed(copy, make, message):
    log = max(Path(".wurzel/flow/runs").iterdir()) / "logs" / "words.log"
    log.unlink()
    make(log)
    assert f"words.log: cannot be read: {message}" in wurzel("logs", "words", code=2)


def test_data_is_shown_as_a_table(here):
    lines = wurzel("show", "words").splitlines()
    assert lines[0].startswith("words: 3 items of list[flow:Word], 129 bytes, sha256 ")
    assert [line.split() for line in lines[1:]] == [
        ["#", "text", "note"],
        *([str(number), f"w{number}\\x1b[2J[bold]", "null"] for number in range(3)),
    ]
    assert wurzel("show", "split.upper", "--head", "1").splitlines()[-1] == "… 2 more"
    assert [line.split()[0] for line in wurzel("show", "words", "--sample", "2").splitlines()[2:4]] == ["0", "1"]


def test_data_is_shown_as_json_with_fields_and_files(here):
    first, *_ = wurzel("show", "split.upper", "--json").splitlines()
    assert json.loads(first) == {"text": "W0\x1b[2J[BOLD]", "note": "n"}
    fields = [json.loads(line) for line in wurzel("show", "words", "--schema", "--json").splitlines()]
    assert fields[1] == {"name": "note", "types": [], "present": 0, "missing": 3}
    assert "00000/note.txt" in wurzel("show", "split.note")
    assert "Its outputs: split.upper, split.note." in wurzel("show", "split", code=2)
    assert "Did you mean words?" in wurzel("show", "wrds", code=2)


def test_damaged_data_is_not_shown(copy):
    part = next(Path("data/words").glob("part-*"))
    part.write_bytes(part.read_bytes().replace(b"w1", b"x1"))
    assert "is damaged" in wurzel("show", "words", code=1)


def test_a_table_keeps_numbers_beside_long_values_and_says_what_it_leaves_out(capsys):
    _print_table(("#", "text", "n"), [("123", "x" * 10_000, "5")])
    head, line = capsys.readouterr().out.splitlines()
    assert head.split() == ["#", "text", "n"]
    assert re.fullmatch(r"123  x+…  5", line)
    _print_table(("#", *(f"c{number}" for number in range(60))), [("1", *["v" * 20] * 60)])
    head, line, left = capsys.readouterr().out.splitlines()
    assert head.split() == ["#", *(f"c{number}" for number in range(11))]
    assert line.split()[:2] == ["1", "vvvvvvv…"]
    assert left.startswith("… 49 more columns; --json prints all: c11, c12, ")


TABLE = """
import pandas as pd
from wurzel import WZ, NoSettings, TypedStep
from wurzel.datacontract import PanderaDataFrameModel
from pandera.typing import DataFrame

class Row(PanderaDataFrameModel):
    n: int

class Tab(TypedStep[NoSettings, None, DataFrame[Row]]):
    def run(self, inpt: None) -> DataFrame[Row]:
        return pd.DataFrame({"n": [1, 2], "raw": [b"\\xff\\x00", b"ok"], "raws": [[b"\\xff"], []]})

tab = WZ(Tab)
"""


def test_bytes_in_a_table_are_shown(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("tables.py").write_text(TABLE)
    wurzel("run", "tables:tab")
    lines = wurzel("show", "tab", "--pipeline", "tables:tab", "--json").splitlines()
    assert json.loads(lines[0]) == {"n": 1, "raw": "_wA=", "raws": ["_w=="]}
    assert wurzel("show", "tab", "--pipeline", "tables:tab").splitlines()[2].split()[-1] == '["_w=="]'
    (run,) = past_runs(Path(".wurzel"))
    assert content(run)["runs"][0]["steps"]["tab"]["previews"][0]["rows"][0][3] == '["_w=="]'


def test_a_failed_and_a_killed_run_are_recorded(copy):
    wurzel("run", "--set", "steps.words.settings.FAIL=true", code=1)
    assert wurzel("runs").splitlines()[1].split()[-1] == "failed"
    assert "no words today" in wurzel("logs", "words")
    waiting = [sys.executable, "-m", "wurzel", "run", "--set", "steps.words.settings.WAIT=60"]
    with subprocess.Popen(waiting, stderr=subprocess.DEVNULL) as going_on:
        try:
            while wurzel("runs").splitlines()[1].split()[-1] != "running":
                time.sleep(0.1)
            while "making 25" not in (log := wurzel("logs", "--run", "latest")):
                time.sleep(0.1)
        finally:
            going_on.send_signal(signal.SIGKILL)
    assert wurzel("runs").splitlines()[1].split()[-1] == "killed"
    wurzel("run", "--force")
    assert wurzel("logs", "words", "--run", "latest~1") == log


def test_damaged_records_do_not_count(copy):
    for number, text in enumerate((b"", b"[]", b"{}", b'{"id": 1, "pipeline": "flow", "started": "x"}', b"[" * 10**5)):
        folder = Path(f".wurzel/flow/runs/2{number}")
        folder.mkdir()
        (folder / "run.json").write_bytes(text)
    os.mkfifo(".wurzel/flow/runs/20/pipe")
    assert len(json.loads(wurzel("runs", "--json"))) == 2


@pytest.mark.parametrize(
    "change",
    [
        {"seconds": "x"},
        {"id": 5},
        {"ended": 7},
        {"counts": [1]},
        {"data_dir": "a\0b"},
        {"graph": {"words": ["split"], "split": ["words"]}},
        {"graph": {"words": ["gone"]}},
        {"graph": {"words": None}},
        {"steps": {"/etc/passwd": {"state": "ran"}}},
        {"steps": {"\ud800": {"state": "ran"}}},
        {"steps": {"words": {"state": 5}}},
        {"steps": {"words": {"state": "ran", "memory": "x"}}},
        {"steps": {"words": {"state": "ran", "begin": 1, "end": None}}},
        {"steps": {"words": {"state": "ran", "datasets": {"../../etc": "x"}}}},
        {"steps": {"words": {"state": "ran", "report": [1]}}},
        {"steps": {"words": {"state": "ran", "report": {"metrics": {"loss": float("nan")}}}}},
    ],
)
def test_a_record_with_something_else_in_it_does_not_count(copy, change):
    last = max(Path(".wurzel/flow/runs").iterdir()) / "run.json"
    last.write_text(json.dumps({**json.loads(last.read_text()), **change}))
    assert len(past_runs(Path(".wurzel"))) == 1
    content(past_runs(Path(".wurzel"))[0])


def test_records_without_graph_or_steps_count(copy):
    last = max(Path(".wurzel/flow/runs").iterdir()) / "run.json"
    record = json.loads(last.read_text())
    last.write_text(json.dumps({key: record[key] for key in ("id", "pipeline", "started")}))
    run = past_runs(Path(".wurzel"))[0]
    assert (run.id, run.ended, run.steps) == (record["id"], "killed", {})
    assert content(run)["steps"] == []


def test_texts_of_a_record_cannot_steer_a_terminal(copy):
    last = max(Path(".wurzel/flow/runs").iterdir()) / "run.json"
    record = json.loads(last.read_text())
    record["id"] = "a\x1b[2J"
    record["steps"]["words"]["reason"] = "\x1b]0;title\x07\nnext"
    last.write_text(json.dumps(record))
    for words in (["runs"], ["runs", "show"], ["runs", "diff"]):
        assert "\x1b" not in wurzel(*words)
    assert wurzel("runs", "show").splitlines()[2].endswith("\\x1b]0;title\\x07\\nnext")


def test_a_step_is_no_pattern(here):
    for name in ("*", "/etc/passwd", "../../logs/words", "word?"):
        assert f"step '{name}' has no log here" in wurzel("logs", name, code=2)


def test_options_of_the_list_hold_for_what_is_shown(copy):
    Path("wurzel.yaml").write_text(
        "version: 1\npipelines: {flow: {entrypoint: 'flow:chain'}, b: {entrypoint: 'flow:chain'}}\n"
    )
    wurzel("run", "b", "--data-dir", "b")
    assert json.loads(wurzel("runs", "--pipeline", "flow", "--json", "show"))["pipeline"] == "flow"
    assert "words.COUNT: setting default → 3" in wurzel("runs", "--pipeline", "flow", "diff")
    assert "there is no run 'latest~1'" in wurzel("runs", "diff", code=2)  # the one before is one of flow
    wurzel("run", "flow", "--set", "steps.words.settings.COUNT=4")
    assert "words.COUNT: setting 3 → 4" in wurzel("runs", "diff")


def test_old_records_are_removed(copy, monkeypatch):
    from wurzel.runtime import recording

    runs = sorted(Path(".wurzel/flow/runs").iterdir())
    monkeypatch.setattr(recording, "_MOST_RUNS", 1)
    recording._prune(Path(".wurzel/flow/runs"), runs[0].name)
    assert sorted(Path(".wurzel/flow/runs").iterdir()) == runs  # of a run that is just over, nothing is removed
    recording._prune(Path(".wurzel/flow/runs"), runs[1].name)
    assert sorted(Path(".wurzel/flow/runs").iterdir()) == runs[1:]


def test_a_run_goes_on_where_nothing_can_be_recorded(copy):
    shutil.rmtree(".wurzel/flow/runs")
    Path(".wurzel/flow/runs").write_text("in the way")
    wurzel("run", "--force")
    assert wurzel("runs") == ""


def test_clean_removes_what_runs_left_and_nothing_else(copy):
    before = sorted(copy.rglob("*"))
    assert wurzel("clean", "--data", "--dry-run").startswith("would remove .wurzel/flow (")
    assert sorted(path for path in copy.rglob("*") if "__pycache__" not in path.parts) == [
        path for path in before if "__pycache__" not in path.parts
    ]
    Path(".wurzel/flow/states.jsonl").touch()  # of version 0.1.0
    wurzel("clean")
    assert not Path(".wurzel/flow").exists()
    assert Path("data/words/manifest.json").exists()
    assert wurzel("clean", "--data").splitlines()[0].startswith("removed data/words (")
    assert not Path("data").exists()
    assert Path("flow.py").exists()


def test_clean_removes_nothing_that_is_not_ours_or_in_use(copy):
    Path("data/words/mine.txt").write_text("mine")
    assert "contains 'mine.txt', which is not part of a dataset" in wurzel("clean", "--data", code=2)
    Path("state/flow").mkdir(parents=True)
    Path("state/flow/main.py").write_text("mine")
    assert "state/flow: contains 'main.py', which no run writes" in wurzel("clean", "--state-dir", "state", code=2)
    with Path("data/.wurzel.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert "another run is using this data folder" in wurzel("clean", code=1)
    assert Path(".wurzel/flow/runs").exists()


@pytest.mark.parametrize("name", [".git", ".env"])
def test_clean_removes_no_hidden_file_of_others(copy, name):
    Path("flow/logs").mkdir(parents=True)
    Path("flow", name).write_text("mine")
    assert f"flow: contains '{name}', which no run writes" in wurzel("clean", "--state-dir", ".", code=2)
    assert Path("flow", name).exists()


def test_clean_waits_for_runs_with_another_data_folder(copy):
    waiting = [sys.executable, "-m", "wurzel", "run", "--data-dir", "other", "--set", "steps.words.settings.WAIT=60"]
    with subprocess.Popen(waiting, stderr=subprocess.DEVNULL) as going_on:
        try:
            while past_runs(Path(".wurzel"))[0].ended != "running":
                time.sleep(0.1)
            assert f".wurzel/flow: run {past_runs(Path('.wurzel'))[0].id} is going on" in wurzel("clean", code=1)
        finally:
            going_on.send_signal(signal.SIGKILL)
    assert wurzel("clean").startswith("removed .wurzel/flow (")


def test_data_that_only_a_store_has_is_pointed_to(copy):
    Path("wurzel.yaml").write_text(PROJECT + "store: store\n")
    shutil.rmtree("data/words")
    said = wurzel("show", "words", code=2)
    assert said == (
        "error: data/words: there is no such dataset in the data folder\n"
        "  Get it from the store: wurzel store get flow/words -o DIR\n"
    )


def test_logs_and_clean_as_json(here):
    lines = [json.loads(line) for line in wurzel("logs", "words", "--json").splitlines()]
    assert {"log": "words", "line": "making 3"} in lines
    left = json.loads(wurzel("clean", "--dry-run", "--json"))
    assert [entry["path"] for entry in left] == [".wurzel/flow"]
    assert left[0]["bytes"] > 0


def test_check_and_env_as_json(here):
    results = json.loads(wurzel("check", "--json", "--skip", "files"))
    assert [result["part"] for result in results] == ["pipelines", "templates", "environment"]
    assert {result["exit_code"] for result in results} == {0}
    names = {variable["name"]: variable["required"] for variable in json.loads(wurzel("env", "--json"))}
    assert names["WORDS__COUNT"] is False


def test_what_differs_from_the_data_of_a_run(here):
    lines = wurzel("show", "words", "--diff", "latest~1", "--head", "2").splitlines()
    assert lines[0].startswith('- {"text":"w3')
    assert lines[2:] == ["- … 20 more", "words: 22 removed, 0 added, 3 the same"]
    removed = [json.loads(line) for line in wurzel("show", "words", "--diff", "latest~1", "--json").splitlines()]
    assert [change["removed"]["text"][:3] for change in removed[-2:]] == ["w23", "w24"]
    assert wurzel("show", "words", "--diff", "latest") == "words: 0 removed, 0 added, 3 the same\n"
    assert wurzel("show", "split.note", "--diff", "latest~1") == "split.note: 0 removed, 0 added, 1 the same\n"
    refused = wurzel("show", "words", "--diff", "latest", "--schema", code=2)
    assert refused == "error: --diff compares all items; leave out --schema and --sample\n"


def test_data_of_a_run_that_is_no_longer_kept(copy):
    shutil.rmtree(".wurzel/flow/cache")
    message = wurzel("show", "words", "--diff", "latest~1", code=2)
    assert re.fullmatch(r"error: the data that words had in the run \w+ is no longer kept\n  .*\n", message)
