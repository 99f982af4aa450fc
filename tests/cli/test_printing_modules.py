"""Modules that print, change the folder or end the process while they are imported: nothing ends early with 0."""

import json
import sys
from pathlib import Path

import pytest

from tests.command import program

LOUD = """
import atexit, os, subprocess, sys
atexit.register(print, "ending")
atexit.register(os.write, 1, b"ended\\n")
print("printed")
sys.stdout.write("written ")
os.system("echo called")
os.write(1, b"low\\n")
sys.__stdout__.write("original\\n")
os.makedirs("elsewhere", exist_ok=True)
os.chdir("elsewhere")
from chain import pipeline as chain

def pipeline():
    print("building")
    return chain()
"""
NOISE = ["printed", "written", "called", "low", "original", "building", "ending", "ended"]
WURZEL = [sys.executable, "-m", "wurzel"]


@pytest.fixture
def loud(project):
    root = project("chain")
    (root / "loud.py").write_text(LOUD)
    return root


def run(*words):
    return program(*words)


@pytest.mark.parametrize(
    ("words", "start"),
    [
        (["inspect", "loud:pipeline", "--json"], "{"),
        (["render", "loud:pipeline", "-t", "dvc", "--stdout"], "# Rendered by"),
        (["render", "loud:pipeline", "-t", "dvc", "--format", "json"], "{"),
        (["render", "loud:pipeline", "-t", "dvc", "--explain", "--format", "json"], "{"),
        (["graph", "loud:pipeline", "--format", "svg"], "<svg"),
        (["env", "loud:pipeline", "--dotenv"], ""),
    ],
    ids=lambda words: " ".join(words) if isinstance(words, list) else "",
)
def test_standard_output_is_the_document_alone(loud, words, start):
    done = run(*words)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(start)
    assert not [word for word in NOISE if word in done.stdout]
    assert not [word for word in NOISE if word not in done.stderr]


THREADS = """
import os, subprocess, threading, time
from chain import pipeline

def talk():
    while True:
        print("threaded")
        os.write(1, b"threaded\\n")
        time.sleep(0.0005)

threading.Thread(target=talk, daemon=True).start()
subprocess.Popen(["sh", "-c", "for n in 1 2 3 4 5 6 7 8 9; do echo threaded; sleep 0.05; done"])
"""


@pytest.mark.parametrize("words", [["inspect", "--json"], ["render", "-t", "dvc", "--stdout"]], ids=" ".join)
def test_threads_and_programs_that_a_module_has_started_print_to_standard_error(project, words):
    (project("chain") / "threads.py").write_text(THREADS)
    done = run(words[0], "threads:pipeline", *words[1:])
    assert (done.returncode, done.stdout[:1]) in {(0, "{"), (0, "#")}
    assert "threaded" not in done.stdout
    assert "threaded" in done.stderr


LOUD_SETTINGS = """
from pydantic import Field, field_validator
from wurzel import WZ, PydanticModel, Settings, TypedStep

class Word(PydanticModel):
    text: str

def told():
    print("default")
    return "a"

class Opts(Settings):
    NAME: str = Field(default_factory=told)
    SIZE: int = Field(1, validate_default=True)

    @field_validator("SIZE")
    @classmethod
    def _seen(cls, size):
        print("validated")
        return size

class Source(TypedStep[Opts, None, list[Word]]):
    def run(self, inpt: None) -> list[Word]:
        return []

chain = WZ(Source)
"""


def test_a_plan_is_the_document_alone_though_settings_print(project):
    root = project("chain")
    (root / "settings.py").write_text(LOUD_SETTINGS)
    done = run("run", "settings:chain", "--plan", "--format", "json")
    assert json.loads(done.stdout)[0]["action"] == "run"
    assert {"default", "validated"} <= {*done.stderr.split()}


def test_an_ir_file_of_a_loud_module_runs(loud):
    (loud / "ir.json").write_text(run("inspect", "loud:pipeline", "--json").stdout)
    assert json.loads((loud / "ir.json").read_text())["version"] == 2
    done = run("run", "--from-ir", "ir.json")
    assert done.returncode == 0, done.stderr


def test_what_a_module_does_to_the_folder_moves_no_output(loud):
    assert run("render", "loud:pipeline", "-t", "local").returncode == 0
    (loud / "loudstep.py").write_text("import os\nos.chdir('elsewhere')\nfrom steps import Words\n")
    done = run("step", "loudstep:Words", "-o", "out")
    assert done.returncode == 0, done.stderr
    assert (loud / "run-pipeline.sh").exists()
    assert (loud / "out/manifest.json").exists()
    assert list(Path("elsewhere").iterdir()) == []


ENDING = {
    "import": "import os\nos._exit(0)\n",
    "call": "import os\n\ndef pipeline():\n    os._exit(0)\n",
    "exit": "import sys\n\ndef pipeline():\n    sys.exit(0)\n",
}


@pytest.mark.parametrize("where", ENDING)
@pytest.mark.parametrize("command", ["run", "render --check", "inspect", "env", "graph"])
def test_a_module_that_ends_the_process_ends_no_command_with_0(project, where, command):
    (project("chain") / "ending.py").write_text(ENDING[where])
    first, *more = command.split()
    done = run(first, "ending:pipeline", *more)
    assert done.returncode == 2
    assert "sys.exit(0)" in done.stderr if where == "exit" else "os._exit(0)" in done.stderr
    assert "ending.py:" in done.stderr


def test_a_process_that_a_module_forks_may_end_itself(project):
    (project("chain") / "forking.py").write_text(
        "import os\nfrom chain import pipeline\nif not (child := os.fork()):\n    os._exit(5)\n"
        "assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 5\n"
    )
    done = run("inspect", "forking:pipeline", "--json")
    assert done.returncode == 0, done.stderr


OPENING = """
import atexit, threading, time
from chain import pipeline as chain

{}
atexit.register(lambda: open("ended", "w").write("yes"))

def pipeline():
    return chain()
"""


@pytest.mark.parametrize(
    "opened",
    [
        'left = open("left", "w")\nleft.write("all of it")',
        'threading.Thread(target=lambda: (time.sleep(0.5), open("left", "w").write("all of it"))).start()',
    ],
    ids=["file", "thread"],
)
def test_what_a_module_leaves_open_is_ended_well(project, opened):
    root = project("chain")
    (root / "opening.py").write_text(OPENING.format(opened))
    done = run("render", "opening:pipeline", "-t", "dvc", "--stdout")
    assert (done.returncode, (root / "left").read_text(), (root / "ended").read_text()) == (0, "all of it", "yes")
