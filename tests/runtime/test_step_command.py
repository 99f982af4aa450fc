import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.command import program
from wurzel.cli.step import child_arguments, command
from wurzel.datacontract.dataset import open_dataset

STEPS = """
import logging, os, signal, sys, time, warnings
from pathlib import Path
from pydantic import SecretStr
from wurzel.core import NoSettings, PydanticModel, Settings, TypedStep

class Word(PydanticModel):
    text: str

class Opts(Settings):
    TEXT: str | None = "default"
    COUNT: int = 1
    TOKEN: SecretStr = SecretStr("")

class Make(TypedStep[Opts, None, list[Word]]):
    def run(self, inpt: None) -> list[Word]:
        return [Word(text=str(self.settings.TEXT))] * self.settings.COUNT

class Upper(TypedStep[NoSettings, list[Word], list[Word]]):
    def run(self, inpt: list[Word]) -> list[Word]:
        return [Word(text=word.text.upper()) for word in inpt]

class Chatty(Make):
    def run(self, inpt: None) -> list[Word]:
        print("printed")
        logging.getLogger("mine").info("logged %s", "here", extra={"count": 3, "where": Path("x")})
        logging.getLogger("mine").debug("details")
        warnings.warn("warned")
        return []

class Fails(Make):
    def run(self, inpt: None) -> list[Word]:
        raise RuntimeError(f"no luck\\nat all")

class Slow(Make):
    def run(self, inpt: None) -> list[Word]:
        try:
            Path("started").write_text(str(os.getpid()))
            while True:
                time.sleep(0.01)
        except Exception:
            return []
        finally:
            Path("tidied").write_text("")

class Forks(Make):
    def run(self, inpt: None) -> list[Word]:
        reader, writer = os.pipe()
        child = os.fork()
        if not child:
            try:
                os.write(writer, b"ready")
                time.sleep(30)
            finally:
                os._exit(9)
        os.read(reader, 5)
        os.kill(child, signal.SIGTERM)
        return [Word(text=str(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])))]

class Huge(Make):
    def run(self, inpt: None) -> list[Word]:
        return [Word(text="x" * 1000)] * 1000
"""


@pytest.fixture
def steps(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("WURZEL_TERMINATION_LOG", "WURZEL_RUN_ID", "WURZEL_PIPELINE"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "cmdsteps.py").write_text(textwrap.dedent(STEPS))
    return tmp_path


def wurzel(*arguments, before=(), env=None, **options):
    return program(*before, "step", *arguments, env=env or {}, timeout=60, **options)


def read(path):
    return [item["text"] for part in open_dataset(path / "out").parts for item in json.loads(part.read())]


def test_it_works_and_prints_nothing_but_a_log_line(steps):
    done = wurzel("cmdsteps:Make", "-o", "out", env={"MAKE__TEXT": "hello"})
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.splitlines()[0].split(" ", 1)[1].startswith("INFO Make: 0 items in, 1 items out, ")
    assert read(steps) == ["hello"]


def test_settings_from_a_file_and_nulls(steps):
    (steps / "params.yaml").write_text("rag:\n  make:\n    TEXT: 2024-01-02\n    COUNT: 2\n")
    done = wurzel("cmdsteps:Make", "-o", "out", "--settings", "params.yaml#rag.make", env={"MAKE__TEXT": "env"})
    assert done.returncode == 0, done.stderr
    assert read(steps) == ["2024-01-02"] * 2
    done = wurzel("cmdsteps:Make", "-o", "out", "--settings", "params.yaml#rag.make", "--null", "TEXT")
    assert read(steps) == ["None"] * 2
    (steps / "params.json").write_text('{"TEXT": "json"}')
    wurzel("cmdsteps:Make", "-o", "out", "--settings", "params.json")
    assert read(steps) == ["json"]


def test_output_logs_and_warnings_go_where_they_belong(steps):
    done = wurzel("cmdsteps:Chatty", "-o", "out", "--id", "my-id")
    assert done.stdout == "printed\n"
    assert "INFO my-id: logged here\n" in done.stderr
    assert "WARNING my-id: " in done.stderr
    assert "warned" in done.stderr
    assert "details" not in done.stderr
    assert "details" in wurzel("cmdsteps:Chatty", "-o", "out", before=["-v"]).stderr
    quiet = wurzel("cmdsteps:Chatty", "-o", "out", before=["-q"]).stderr
    assert "warned" in quiet
    assert "INFO" not in quiet


def test_logs_as_json(steps):
    env = {"WURZEL_RUN_ID": "run-7", "WURZEL_PIPELINE": "rag"}
    done = wurzel("cmdsteps:Chatty", "-o", "out", "--id", "my-id", before=["--log-format", "json"], env=env)
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert all((line["pipeline"], line["step"], line["run"]) == ("rag", "my-id", "run-7") for line in lines)
    assert [line["level"] for line in lines] == ["info", "warning", "info"]
    assert (lines[0]["logger"], lines[0]["message"], lines[0]["count"], lines[0]["where"]) == (
        "mine",
        "logged here",
        3,
        "x",
    )
    assert (lines[2]["items_in"], lines[2]["items_out"]) == (0, 0)
    assert 0 < lines[2]["duration"] < 30
    assert lines[2]["time"].endswith("+00:00")
    failed = wurzel("cmdsteps:Fails", "-o", "out", before=["--log-format", "json"], env=env)
    assert failed.returncode == 1
    (line,) = [json.loads(line) for line in failed.stderr.splitlines()]
    assert line["level"] == "error"
    assert "RuntimeError: no luck" in line["message"]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["cmdsteps:Fails", "-o", "out"], 1, "error: step 'fails': RuntimeError: no luck at all\nTraceback"),
        (["cmdsteps:Upper", "-i", "nowhere", "-o", "out"], 1, "error: nowhere: there is no such dataset"),
        (["cmdsteps:Upper", "-o", "out"], 2, "error: Upper needs an input"),
        (["cmdsteps:Uper", "-o", "out"], 2, "Did you mean Upper?"),
        (["nomodule:Upper", "-o", "out"], 2, "there is no module 'nomodule'"),
        (["cmdsteps", "-o", "out"], 2, "'cmdsteps' is the id of a step, and no --pipeline is given"),
        (["cmdsteps:Make"], 2, "there is no folder to write to"),
        (["cmdsteps:Make", "-o", "out", "--shard", "0/2"], 2, "'0/2' is not a slice"),
        (["cmdsteps:Make", "-o", "out", "--shard", "3/2"], 2, "'3/2' is not a slice"),
        (["cmdsteps:Make", "-o", "out", "--shard", "a/b"], 2, "'a/b' is not a slice"),
        (["cmdsteps:Make", "-o", "out", "--timeout", "soon"], 2, "'soon' is not a duration"),
        (["cmdsteps:Make", "-o", "out", "--shard", "1/2", "--shards", "2"], 2, "cannot be given together"),
        (["cmdsteps:Make", "-o", "out", "--settings", "no.yaml"], 2, "no.yaml: cannot be read: No such file"),
        (
            ["cmdsteps:Make", "-o", "out", "--null", "COUNT"],
            2,
            "MAKE__COUNT: Input should be a valid integer, not None",
        ),
        (["cmdsteps:Make", "-o", "out", "--null", "TEXTS"], 2, "did you mean MAKE__TEXT?"),
        (["cmdsteps:Make", "-o", "cmdsteps.py"], 2, "cmdsteps.py: is a file"),
        (["cmdsteps:Make", "-o", "/proc/self/x/out"], 1, "cannot be written"),
    ],
)
def test_what_goes_wrong_has_a_message_and_an_exit_code(steps, arguments, code, message):
    done = wurzel(*arguments)
    assert (done.returncode, done.stdout) == (code, "")
    assert message in done.stderr
    assert not (steps / "out").exists()


def test_a_module_that_cannot_be_imported_shows_its_own_lines(steps):
    (steps / "inner.py").write_text("def f():\n    return 1 / 0\nf()\n")
    (steps / "outer.py").write_text("import inner\n")
    done = wurzel("outer:Make", "-o", "out")
    assert done.returncode == 2
    assert "error: outer: the module cannot be imported:\nTraceback" in done.stderr
    assert [line.split('"')[1] for line in done.stderr.splitlines() if line.startswith("  File")] == [
        str(steps / "outer.py"),
        str(steps / "inner.py"),
        str(steps / "inner.py"),
    ]
    (steps / "outer.py").write_text("import nothing_like_it\n")
    assert "ModuleNotFoundError: No module named 'nothing_like_it'" in wurzel("outer:Make", "-o", "out").stderr
    (steps / "outer.py").write_text("def broken(:\n")
    done = wurzel("outer:Make", "-o", "out")
    assert (done.returncode, "SyntaxError" in done.stderr, "line 1" in done.stderr) == (2, True, True)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["cmdsteps:Fails", "-o", "out"], "step 'fails': RuntimeError: no luck at all (exit code 1)\n"),
        (["cmdsteps:Upper", "-i", "nowhere", "-o", "out"], "nowhere: there is no such dataset (exit code 1)\n"),
        (["cmdsteps:Make", "-o", "out", "--null", "COUNT"], "settings of step 'make': MAKE__COUNT: Input should"),
    ],
)
def test_the_reason_is_left_where_the_platform_looks_for_it(steps, arguments, reason):
    wurzel(*arguments, env={"WURZEL_TERMINATION_LOG": str(steps / "reason")})
    text = (steps / "reason").read_text()
    assert text.startswith(reason)
    assert re.search(r" \(exit code [123]\)\n\Z", text)
    assert text.count("\n") == 1


def test_a_reason_that_cannot_be_written_is_no_matter(steps):
    done = wurzel("cmdsteps:Fails", "-o", "out", env={"WURZEL_TERMINATION_LOG": str(steps / "no" / "folder")})
    assert done.returncode == 1
    assert "no luck" in done.stderr


def test_a_full_disk_is_said_and_costs_nothing(steps):
    assert wurzel("cmdsteps:Make", "-o", "out").returncode == 0
    done = wurzel(
        "cmdsteps:Huge",
        "-o",
        "out",
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, 500_000)),
    )
    assert done.returncode == 1
    assert "cannot be written: File too large" in done.stderr
    assert "Free some space" in done.stderr
    assert "Traceback" not in done.stderr
    assert read(steps) == ["default"]
    assert sorted(path.name for path in steps.iterdir() if path.name != "__pycache__") == ["cmdsteps.py", "out"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_it_cleanly(steps, number):
    assert wurzel("cmdsteps:Make", "-o", "out").returncode == 0
    argv = [sys.executable, "-m", "wurzel", "step", "cmdsteps:Slow", "-o", "out"]
    env = {**os.environ, "WURZEL_TERMINATION_LOG": str(steps / "reason")}
    with subprocess.Popen(argv, env=env, stderr=subprocess.PIPE, text=True) as process:
        deadline = time.monotonic() + 30
        while not (steps / "started").exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        process.send_signal(number)
        _, err = process.communicate(timeout=30)
    assert process.returncode == 128 + number
    assert "Traceback" not in err
    assert f"ended by {number.name}" in err
    assert (steps / "tidied").exists()
    assert (steps / "reason").read_text() == f"ended by {number.name}\n"
    assert read(steps) == ["default"]
    assert not [path.name for path in steps.iterdir() if path.name.startswith(".out")]


def test_a_process_that_the_step_forked_ends_by_itself(steps):
    done = wurzel("cmdsteps:Forks", "-o", "out", env={"WURZEL_TERMINATION_LOG": str(steps / "reason")})
    assert done.returncode == 0, done.stderr
    assert read(steps) == [str(-signal.SIGTERM)]
    assert not (steps / "reason").exists()


def test_the_arguments_of_a_child_are_those_it_was_called_with():
    options = {
        "target": "m:C",
        "step_id": "id",
        "inputs": ["a b", "c"],
        "output": "out",
        "settings": "p.yaml#k",
        "portion": 500,
        "shard_by": "docs",
        "nulls": ("A", "B"),
        "secrets": ("TOKEN",),
    }
    assert child_arguments(options, {"log_format": "json", "level": "DEBUG"}) == [
        *("--log-format", "json", "-v", "step", "m:C", "--id", "id", "-i", "a b", "-i", "c", "-o", "out"),
        *("--null", "A", "--null", "B", "--portion", "500", "--shard-by", "docs", "--secret", "TOKEN"),
        *("--settings", "p.yaml#k"),
    ]


def test_retries_and_slices_are_handed_to_the_supervisor(steps):
    wurzel("cmdsteps:Make", "-o", "words", env={"MAKE__COUNT": "5"})
    done = wurzel("cmdsteps:Upper", "-i", "words", "-o", "out", "--shards", "2", "--report", "report.json")
    assert done.returncode == 0, done.stderr
    assert read(steps) == ["DEFAULT"] * 5
    assert json.loads((steps / "report.json").read_text())["items_out"] == 5
    done = wurzel("cmdsteps:Fails", "-o", "failed", "--retries", "1")
    assert done.returncode == 1
    assert done.stderr.count("error: step 'fails': RuntimeError") == 2


def test_further_options_and_variables_come_from_a_file_and_the_command_line_wins(steps):
    (steps / "dvc.yaml").write_text(
        "stages:\n  a:\n    meta:\n      options:\n        retries: 1\n        backoff: 0s\n"
        "        env: {MAKE__TEXT: '\\${x}'}\n  b:\n    meta: {run: x}\n  c:\n    meta: {options: {retry: 1}}\n"
    )
    done = wurzel("cmdsteps:Make", "-o", "out", "--options", "dvc.yaml#stages.a.meta")
    assert done.returncode == 0, done.stderr
    assert read(steps) == ["${x}"]
    tries = [["--options", "dvc.yaml#stages.a.meta"], ["--options", "dvc.yaml#stages.a.meta", "--retries", "0"]]
    tries.append(["--options", "dvc.yaml#stages.b.meta"])
    counts = [wurzel("cmdsteps:Fails", "-o", "no", *words).stderr.count("RuntimeError: no luck") for words in tries]
    assert counts[0] == 2 * counts[1] == 2 * counts[2] > 0
    done = wurzel("cmdsteps:Make", "-o", "out", "--options", "dvc.yaml#stages.c.meta")
    assert done.returncode == 2
    assert "dvc.yaml#stages.c.meta: has the option 'retry', which does not exist" in done.stderr


def content(folder):
    return {path.name: path.read_bytes() for path in Path(folder).iterdir()}


def test_slices_are_gathered_with_their_reports(steps):
    wurzel("cmdsteps:Make", "-o", "words", env={"MAKE__COUNT": "5"})
    wurzel("cmdsteps:Upper", "-i", "words", "-o", "whole", "--report", "whole.json")
    cuts = steps / "cut"
    for number in (1, 2, 3):
        report = f"cut/shard-{number}-of-3/.report.json"
        done = wurzel("cmdsteps:Upper", "-i", "words", "-o", "cut", "--shard", f"{number}/3", "--report", report)
        assert done.returncode == 0, done.stderr
    gathering = ("cmdsteps:Upper", "--gather", "-i", "cut", "-o", "out")
    done = wurzel(*gathering, "--report", "out.json")
    assert done.returncode == 0, done.stderr
    assert content("out") == content("whole")
    assert (steps / "out.json").read_bytes() == (steps / "whole.json").read_bytes()
    (cuts / "shard-2-of-3" / ".report.json").write_text("{")
    assert (
        "shard-2-of-3/.report.json: is not the report of a slice" in wurzel(*gathering, "--report", "out.json").stderr
    )
    shutil.rmtree(cuts / "shard-2-of-3")
    done = wurzel(*gathering)
    assert done.returncode == 1
    assert "of 3 slices, these are missing: 2" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-i", "words"], "words: contains no slices"),
        (["-i", "cut/shard-1-of-1"], "contains no slices"),
        ([], "--gather takes one folder of slices, not 0"),
        (["-i", "cut", "-i", "words"], "--gather takes one folder of slices, not 2"),
        (["-i", "cut", "--shard", "1/2"], "--gather and --shard cannot be given together"),
        (["-i", "cut", "--retries", "2"], "--gather and --retries cannot be given together"),
    ],
)
def test_only_slices_are_gathered(steps, arguments, message):
    wurzel("cmdsteps:Make", "-o", "words")
    wurzel("cmdsteps:Upper", "-i", "words", "-o", "cut", "--shard", "1/1")
    done = wurzel("cmdsteps:Upper", "--gather", *arguments, "-o", "out")
    assert done.returncode in {1, 2}
    assert message in done.stderr
    assert not (steps / "out").exists()


def test_no_more_slices_run_than_there_are_portions(steps):
    assert wurzel("cmdsteps:Make", "-o", "data", env={"MAKE__COUNT": "6"}).returncode == 0
    done = wurzel("cmdsteps:Upper", "-i", "data", "-o", "upper", "--portion", "5", "--shards", "9", before=["-v"])
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("items in,") == 2
    assert open_dataset(steps / "upper").items == 6


def test_help_names_every_option():
    text = CliRunner().invoke(command, ["--help"]).output
    for option in (
        "--id",
        "--settings",
        "--null",
        "--report",
        "--shard ",
        "--shards",
        "--gather",
        "--retries",
        "--timeout",
    ):
        assert option in text


def test_a_trivial_step_imports_nothing_it_does_not_need(steps):
    code = (
        "import sys\n"
        "from wurzel.cli import cli\n"
        "cli.main(['step', 'cmdsteps:Make', '-o', 'out'], standalone_mode=False)\n"
        "print([name for name in ('pandas', 'pandera', 'pydantic_settings', 'ruamel.yaml', 'rich', 'jinja2', 'asyncio',"
        "'subprocess', 'multiprocessing', 'logging.handlers', 'wurzel.ir', 'wurzel.project', 'wurzel.render')"
        " if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_program_that_calls_the_command_line_goes_on_once(steps):
    code = """
from pathlib import Path
from click.testing import CliRunner
from wurzel.cli import cli
assert CliRunner().invoke(cli, ["step", "cmdsteps:Make", "-o", "out"]).exit_code == 0
with Path("after").open("a") as file:
    file.write("once")
"""
    subprocess.run([sys.executable, "-c", code], check=True)
    assert (steps / "after").read_text() == "once"
    assert read(steps) == ["default"]
