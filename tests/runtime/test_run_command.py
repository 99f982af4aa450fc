"""`wurzel run` as people use it: a process that is followed, interrupted, killed and started again."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from reference.terminal import on_a_terminal

SLOW = """
import os, subprocess, time
from pathlib import Path
from pydantic import SecretStr
from steps import Upper, Word, Words
from wurzel.core import NoSettings, Settings, TypedStep
from wurzel.utils import WZ


class SlowSettings(Settings):
    WAIT: bool = True
    NOTE: str = "note"
    SIZES: list[int] = [1]


class Slow(TypedStep[SlowSettings, list[Word], list[Word]]):
    def run(self, inpt: list[Word]) -> list[Word]:
        if self.settings.WAIT:
            process = subprocess.Popen(["sleep", "300"])
            Path("pids").write_text(f"{os.getpid()} {process.pid}\\n")
            process.wait()
        return [*inpt, *(Word(text=f"{self.settings.NOTE}{size}") for size in self.settings.SIZES)]


words = WZ(Words)
pipeline = [words >> WZ(Slow) >> WZ(Upper, name="after"), words >> WZ(Upper)]
"""
WURZEL = [sys.executable, "-m", "wurzel"]
RUN = [*WURZEL, "run", "slow:pipeline"]
DONE = "slow: {WAIT: false}"


BUSY = (3, 10, 40)
"""Seconds for a step to begin in: the first do, but not on a busy machine."""


@pytest.fixture
def slow(project):
    """A project whose step `slow` waits with a child of its own until it is told not to."""
    root = project("chain")
    (root / "slow.py").write_text(SLOW)
    return root


def start(*arguments, command=RUN):
    return subprocess.Popen([*command, "-j2", *arguments], stderr=subprocess.PIPE, text=True)


def run(*arguments, command=RUN, **variables):
    env = {**os.environ, **variables}
    return subprocess.run([*command, *arguments], capture_output=True, text=True, env=env, timeout=120, check=False)


def finish(*arguments):
    return run("--set", "steps.slow.settings.WAIT=false", *arguments)


def wait_for(claim):
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if claim():
            return
        time.sleep(0.02)
    raise AssertionError("it did not come true")


def waiting_pids(root):
    """Wait until `slow` waits and `upper` is done; gives the process of the step and the one it has started."""
    wait_for(lambda: (root / "pids").exists() and (root / "pids").read_text().endswith("\n"))
    wait_for((root / ".wurzel/pipeline/last/upper").exists)
    return [int(pid) for pid in (root / "pids").read_text().split()]


def gone(pid):
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def datasets():
    return sorted(path.name for path in Path("data").iterdir())


@pytest.mark.parametrize(("signum", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_everything_and_leaves_complete_datasets(slow, signum, code):
    process = start()
    pids = waiting_pids(slow)
    process.send_signal(signum)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == code
    assert errors.splitlines()[-1].startswith("pipeline: 2 ran, 2 not run in ")
    assert "; interrupted; datasets are in data" in errors
    assert all(gone(pid) for pid in pids)
    assert datasets() == ["upper", "words"]
    done = finish()
    assert done.returncode == 0
    assert [line for line in done.stderr.splitlines() if "unchanged" in line][:2] == [
        "words: unchanged",
        "upper: unchanged",
    ]
    assert datasets() == ["after", "slow", "upper", "words"]


@pytest.mark.skipif(sys.platform != "linux", reason="needs F_SETSIG")
def test_a_killed_run_leaves_nothing_running_and_is_resumed(slow):
    process = start()
    pids = waiting_pids(slow)
    process.kill()
    process.communicate()
    wait_for(lambda: all(gone(pid) for pid in pids))
    done = finish()
    assert done.returncode == 0
    assert "words: unchanged" in done.stderr
    assert "pipeline: 2 ran, 2 unchanged" in done.stderr
    assert datasets() == ["after", "slow", "upper", "words"]


def test_what_a_killed_step_left_is_removed(slow):
    assert finish().returncode == 0
    for name in (".slow.0123abcd.new", ".words.0123abcd.old", ".slow.slices/shard-1-of-2", ".other.slices"):
        Path("data", name).mkdir(parents=True)
    Path("data/.slow.0123abcd.new/part-00000.json").write_text("[")
    Path("data/upper").rename("data/.upper.0123abcd.old")
    done = finish()
    assert "4 unchanged" in done.stderr
    assert datasets() == [".other.slices", "after", "slow", "upper", "words"]  # not ours: it stays


def test_two_runs_at_once_are_kept_apart(slow):
    process = start()
    try:
        waiting_pids(slow)
        second = finish()
        assert second.returncode == 1
        assert f"data: another run is using this data folder (process {process.pid})" in second.stderr
        assert finish("--data-dir", "other", "--state-dir", "state").returncode == 0
        assert sorted(path.name for path in Path("other").iterdir()) == ["after", "slow", "upper", "words"]
        assert (Path("state/pipeline/logs/slow.log")).exists()
    finally:
        process.terminate()
        process.communicate(timeout=30)


def test_a_step_that_takes_too_long_is_ended_with_its_children(slow):
    for seconds in BUSY:
        done = run("--set", f"steps.slow.timeout={seconds}s", "--set", "steps.slow.retry.limit=1")
        assert done.returncode == 1
        assert f"slow: timed out after {seconds}s; trying again" in done.stderr
        assert f"slow: failed: timed out after {seconds}s (2 tries)" in done.stderr
        if Path("pids").exists():
            break
    assert all(gone(int(pid)) for pid in Path("pids").read_text().split())


def test_a_run_that_takes_too_long_is_ended(slow):
    for seconds in BUSY:
        done = run("--set", f"timeout={seconds}s")
        assert done.returncode == 1
        if Path("pids").exists():
            break
    assert "; time for the whole run is over; " in done.stderr.splitlines()[-1]
    assert all(gone(int(pid)) for pid in Path("pids").read_text().split())


def test_parameters_are_given_anew_for_one_run(slow):
    (slow / "wurzel.yaml").write_text(
        "version: 1\npipelines: {slow: {entrypoint: 'slow:pipeline', steps:"
        " {slow: {settings: {WAIT: false}, parameters: [NOTE, SIZES]}}}}\n"
    )
    command = [*WURZEL, "run", "slow"]
    assert run("--param", "slow.NOTE=yes = no", "--param", "slow.SIZES=[7]", command=command).returncode == 0
    assert '"YES = NO7"' in Path("data/after/part-00000.json").read_text()
    for text, message in {
        "slow.NOTE": "--param 'slow.NOTE' is not STEP.SETTING=VALUE",
        "slwo.NOTE=1": "there is no step 'slwo'\n  Did you mean slow?",
        "slow.NOT=1": "there is no parameter 'NOT'\n  Did you mean NOTE?",
        "slow.WAIT=1": "there is no parameter 'WAIT'\n  Parameters of slow: NOTE, SIZES.",
        "slow.NOTE=redis://:hunter2@cache": "--param slow.NOTE: the value looks like a secret (password in a URL;",
        "redis://:hunter2@cache": "--param … is not STEP.SETTING=VALUE",
        "slow.SIZES=x": "--param slow.SIZES: Input should be a valid list, not 'x'",
        "slow.SIZES={}": "--param slow.SIZES: Input should be a valid list",
    }.items():
        done = run("--param", text, command=command)
        assert (done.returncode, message in done.stderr) == (2, True), done.stderr
        assert "hunter2" not in done.stderr


def test_a_failure_ends_with_its_log(project):
    project("failing")
    done = run(command=[*WURZEL, "run", "failing:pipeline"])
    assert done.returncode == 1
    lines = done.stderr.splitlines()
    start = lines.index("failing: the end of .wurzel/pipeline/logs/failing.log")
    assert [line for line in lines if line.startswith("failing: failed: ")] == [
        "failing: failed: RuntimeError: this step always fails (exit code 1)"
    ]
    assert "this step always fails" in "".join(line for line in lines[start:] if line.startswith("  | "))
    assert lines[-1].startswith("pipeline: 2 ran, 1 failed, 1 not run in ")


def test_json_lines_carry_pipeline_step_run_and_duration(project):
    project("failing")
    done = run(command=[*WURZEL, "--log-format", "json", "run", "failing:pipeline"])
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert {line["pipeline"] for line in lines} == {"pipeline"}
    assert len({line["run"] for line in lines}) == 1
    assert {line["level"] for line in lines if line.get("step") == "failing"} == {"info", "error"}
    assert any(line["event"] == "done" and line["step"] == "words" and line["duration"] > 0 for line in lines)
    assert any("this step always fails" in text for line in lines for text in line.get("log", []))
    first = json.loads(Path(".wurzel/pipeline/logs/words.log").read_text().splitlines()[0])
    assert (first["pipeline"], first["run"], first["step"]) == ("pipeline", lines[0]["run"], "words")


def test_quiet_says_only_what_went_wrong(project):
    project("failing")
    done = run(command=[*WURZEL, "-q", "run", "failing:pipeline"])
    assert all("words" not in line and "upper" not in line for line in done.stderr.splitlines())
    assert "failing: failed" in done.stderr
    project("chain")
    assert run(command=[*WURZEL, "-q", "run", "chain:pipeline"]).stderr == ""


def shown_on_a_terminal(*arguments, **variables):
    """What a run shows on a terminal of 80 columns."""
    env = {name: value for name, value in os.environ.items() if name not in {"NO_COLOR", "TERM"}} | variables
    return on_a_terminal([*WURZEL, *arguments], 80, 24, streams=["stderr"], env=env)


@pytest.mark.parametrize("variables", [{"TERM": "xterm"}, {"TERM": "xterm", "NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_a_terminal_gets_a_live_display_unless_told_otherwise(project, variables):
    project("failing")
    code, shown = shown_on_a_terminal("run", "failing:pipeline", **variables)
    assert code == 1
    live = variables == {"TERM": "xterm"}
    assert ("\x1b[" in shown) == live
    assert ("\u2501" in shown) == live  # the bar
    assert "failing: failed: RuntimeError: this step always fails (exit code 1)" in shown
    assert "words: done in " in shown
    assert "pipeline: 2 ran, 1 failed, 1 not run in " in shown
