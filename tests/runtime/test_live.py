"""The table of running steps on a terminal, and what a failure says."""

import os
import re
import sys

from reference.terminal import on_a_terminal
from wurzel.runtime.live import LiveDisplay, _duration
from wurzel.runtime.outcome import Failure, Note, RunResult, report, tail, with_cause
from wurzel.runtime.progress import Event

FLOW = """
import time
from wurzel import WZ, NoSettings, PydanticModel, TypedStep

class Word(PydanticModel):
    text: str

class Words(TypedStep[NoSettings, None, list[Word]]):
    def run(self, inpt: None) -> list[Word]:
        return [Word(text=str(number)) for number in range(4)]

class Cut(TypedStep[NoSettings, list[Word], list[Word]]):
    shards = {"items": 2, "max": 2}
    def run(self, inpt: list[Word]) -> list[Word]:
        print("cutting [bold]\\x1b[2J")
        time.sleep(1.5)
        return inpt

class Flaky(TypedStep[NoSettings, list[Word], list[Word]]):
    retry = {"limit": 1, "backoff": 1}
    def run(self, inpt: list[Word]) -> list[Word]:
        raise ConnectionError("the server said no")

words = WZ(Words)
chain = [words >> WZ(Cut), words >> WZ(Flaky)]
"""


def test_the_table_of_running_steps(tmp_path):
    (tmp_path / "flow.py").write_text(FLOW)
    env = {name: value for name, value in os.environ.items() if name != "NO_COLOR"} | {
        "TERM": "xterm",
        "COLUMNS": "120",
    }
    command = [sys.executable, "-m", "wurzel", "run", "flow:chain"]
    code, shown = on_a_terminal(command, 120, 24, streams=["stderr"], env=env, cwd=tmp_path)
    assert code == 1
    plain = re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "", shown)
    assert re.search(r"cut +\S+ +0/2 +\d+Mi +cutting \[bold\]\\x1b\[2J", plain)
    assert "\x1b[2J" not in shown
    why = "ConnectionError: the server said no (exit code 1"
    assert re.search(rf"flaky +\S+ +(\d+Mi)? *trying again in 1s: {re.escape(why)}\)", plain)
    assert plain.count(f"flaky: failed: {why}, 2 tries)") == 1
    end = plain[plain.index("flaky: the end of") :]
    assert end.count("Traceback") == 1
    assert "\x1b[1;31mflaky: failed" in shown


def test_the_slowest_steps_of_a_long_run(capsys):
    display = LiveDisplay(3)
    for step, seconds in (("a", 40), ("b", 100.4), ("c", 2), ("d", 9.94)):
        display.tell(Event("done", step, "done", seconds))
    display._begun -= 60
    display.close()
    assert capsys.readouterr().err.splitlines()[-1] == "slowest: b 1m40s, a 40s, d 9.9s"


def test_notes_without_a_table(capsys):
    LiveDisplay(1).say([Note("all is well"), Note("a: the end of log", "error", "a", ["x"]), Note("bad", "error")])
    assert capsys.readouterr().err == "all is well\na: the end of log\n  | x\n\x1b[1;31mbad\x1b[0m\n"


def test_the_cause_is_in_the_log_of_the_last_try(tmp_path):
    log = tmp_path / "a.log"
    log.write_text(
        "error: step 'a': first\n--- exit code 1; trying again in 2s ---\nx\nerror: step 'a': se\x1b[2Jcond\n"
    )
    assert with_cause("exit code 1", log) == "se\\x1b[2Jcond (exit code 1)"
    assert with_cause("exit code 1", log, 2) == "se\\x1b[2Jcond (exit code 1, 2 tries)"
    assert with_cause("timed out after 3s", log, 2) == "timed out after 3s (2 tries)"
    assert with_cause("exit code 1", tmp_path / "none.log") == "exit code 1"
    assert tail(log) == ["x", "error: step 'a': se\\x1b[2Jcond"]


def test_a_failure_is_said_once(tmp_path):
    log = tmp_path / "a.log"
    result = RunResult(failed={"a": Failure("no (exit code 1)", log)})
    log.write_text("error: step 'a': no\nTraceback\n")
    *notes, last = report(result, "flow", "data")
    shown = ["error: step 'a': no", "Traceback"]
    assert [(note.text, list(note.details)) for note in notes] == [(f"a: the end of {log}", shown)]
    assert "no (exit code 1)" not in last.text
    log.write_text("error: step 'a': no\n")
    assert len(list(report(result, "flow", "data"))) == 1


def test_durations():
    assert [_duration(seconds) for seconds in (0.04, 9.9, 10.9, 59.9, 60, 3725)] == [
        "0.0s",
        "9.9s",
        "10s",
        "59s",
        "1m00s",
        "62m05s",
    ]
