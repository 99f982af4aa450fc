"""`wurzel.run` and `wurzel run --in-process`: the same results, from Python and within reach of a debugger."""

import asyncio
import os
import shutil
import subprocess
import sys
import threading
import time
from importlib import import_module
from pathlib import Path

import pytest

import wurzel
from tests.command import program as command
from wurzel.exceptions import UsageError, WurzelError

FLOW = """
import os
from wurzel import WZ, PydanticModel, Settings, TypedStep

class Word(PydanticModel):
    text: str

class Opts(Settings):
    COUNT: int = 2
    NOTE: str | None = "note"

class Words(TypedStep[Opts, None, list[Word]]):
    def run(self, inpt: None) -> list[Word]:
        stop()
        print("in", os.getpid(), self.settings.NOTE)
        return [Word(text=f"w{number}") for number in range(self.settings.COUNT)]

class Upper(TypedStep[Opts, list[Word], list[Word]]):
    retry = 2
    shards = 2
    def run(self, inpt: list[Word]) -> list[Word]:
        if self.settings.COUNT < 0:
            raise ValueError("less than nothing")
        return [Word(text=word.text.upper()) for word in inpt]

def stop():
    pass

chain = WZ(Words) >> WZ(Upper)
"""
PROJECT = """
version: 1
pipelines:
  flow:
    entrypoint: calling_flow:chain
    steps: {words: {parameters: [COUNT]}}
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    (tmp_path / "calling_flow.py").write_text(FLOW)
    (tmp_path / "wurzel.yaml").write_text(PROJECT)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(sys.modules, "calling_flow", raising=False)
    monkeypatch.setattr("wurzel.runtime.here._IMPORTED", {})
    return tmp_path


def test_both_ways_give_the_same_results_and_use_those_of_each_other(here, capfd):
    first = wurzel.run("flow", params={"words.COUNT": 3}, quiet=True)
    assert (first.ran, first.exit_code) == (["words", "upper"], 0)
    manifests = [path.read_bytes() for path in sorted(here.glob("data/*/manifest.json"))]
    assert len(manifests) == 2
    again = wurzel.run(in_process=True, params={"words.COUNT": 3})
    assert again.unchanged == ["words", "upper"]
    forced = wurzel.run(in_process=True, params={"words.COUNT": 3}, force=True, only=["words,upper"])
    assert forced.ran == ["words", "upper"]
    assert f"in {os.getpid()} note" in capfd.readouterr().out
    assert [path.read_bytes() for path in sorted(here.glob("data/*/manifest.json"))] == manifests
    assert wurzel.run("flow", params={"words.COUNT": 3}, quiet=True).unchanged == ["words", "upper"]


def test_a_failure_has_its_error_in_process_and_its_log_elsewhere(here, capfd):
    sets = ["steps.upper.settings.COUNT=-1"]
    failure = wurzel.run(sets=sets, in_process=True).failed["upper"]
    assert failure.reason == "ValueError: less than nothing"  # once, whatever `retry` says
    assert isinstance(failure.error.__cause__, ValueError)
    assert "COUNT" not in os.environ
    shown = capfd.readouterr().err
    assert shown.count("Traceback") == 1
    assert 'raise ValueError("less than nothing")' in shown
    assert shown.count("upper: failed: ValueError: less than nothing") == 1
    assert "upper: where it failed\n" in shown
    apart = wurzel.run(sets=[*sets, "steps.upper.retry.limit=0"]).failed["upper"]
    assert (apart.code, apart.error) == (1, None)
    assert "less than nothing" in Path(apart.log).read_text()


@pytest.mark.parametrize(
    ("leaving", "how"),
    [
        ("os._exit(0)", "ended the process with exit code 0"),
        ("os.execlp('env', 'env')", f"let {shutil.which('env')} take the place of the process"),
    ],
)
def test_a_step_that_ends_the_process_has_failed(here, leaving, how):
    ending = f"if os.fork() == 0:\n        os._exit(0)\n    assert os.wait()[1] == 0\n    {leaving}"
    text = FLOW.replace("    pass", f"    {ending}")
    (here / "calling_flow.py").write_text(text)
    done = command("run", "flow", "--in-process", code=1)
    assert done.stderr.count(f"error: the step {how} before the dataset was stored") == 1
    assert not (here / "data/words/manifest.json").exists()


@pytest.mark.parametrize("in_process", [True, False])
def test_what_cannot_begin_is_an_error(here, capfd, in_process):
    with pytest.raises(WurzelError, match="unknown pipeline 'flaw'\n  Did you mean flow") as caught:
        wurzel.run("flaw", in_process=in_process)
    assert caught.value.exit_code == 2
    with pytest.raises(UsageError, match="--only takes a list, not the text 'words'"):
        wurzel.run("flow", only="words", in_process=in_process)


def test_null_reaches_a_step_in_this_process(here, capfd):
    wurzel.run(in_process=True, only=["words"], sets=["steps.words.settings.NOTE=null"])
    assert f"in {os.getpid()} None" in capfd.readouterr().out


def test_results_of_code_that_has_changed_since_it_was_imported_are_not_kept(here, capfd):
    assert wurzel.run(in_process=True).ran == ["words", "upper"]
    (here / "calling_flow.py").write_text(FLOW.replace('f"w', 'f"v'))
    assert wurzel.run(in_process=True).ran == ["words", "upper"]
    assert b"w0" in (here / "data/words/part-00000.json").read_bytes()
    assert wurzel.run(quiet=True).ran == ["words", "upper"]
    assert b"v0" in (here / "data/words/part-00000.json").read_bytes()


def test_another_thread_gets_an_error_in_process(here):
    caught = []

    def call():
        try:
            wurzel.run(in_process=True)
        except UsageError as error:
            caught.append(str(error))

    thread = threading.Thread(target=call)
    thread.start()
    thread.join()
    assert caught == ["steps run in this process only from its main thread\n  Leave out in_process=True."]


def test_a_breakpoint_works_in_process(here):
    (here / "calling_flow.py").write_text(FLOW.replace("    pass", "    breakpoint()"))
    debugged = command("run", "--in-process", input="up\np self.settings.COUNT + 40\ncontinue\n")
    assert debugged.returncode == 0, debugged.stderr
    assert "(Pdb) 42\n" in debugged.stdout
    assert "flow: 2 ran in" in debugged.stderr


@pytest.mark.parametrize("option", ["--shard=1/2", "--jobs=2"])
def test_what_has_no_meaning_in_process_is_an_error(here, option):
    refused = command("run", "--in-process", "--only=words", option)
    assert refused.returncode == 2
    name = option.partition("=")[0]
    assert refused.stderr == (f"error: --in-process runs whole steps, one after the other, so {name} has no meaning\n")


def test_importing_wurzel_imports_nothing_of_it():
    shown = command("--version").stdout  # warms bytecode
    assert shown
    code = "import sys, wurzel; print(*sorted(name for name in sys.modules if name.partition('.')[0] in FOUND))"
    code = code.replace("FOUND", "{'wurzel', 'click', 'pydantic', 'subprocess'}")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["wurzel"]


def test_async_steps_work_where_a_loop_runs(here, capfd):
    text = FLOW.replace("    def run(self, inpt: None)", "    async def run(self, inpt: None)")
    (here / "calling_flow.py").write_text(text)

    async def notebook():
        return wurzel.run(in_process=True)

    assert asyncio.run(notebook()).ran == ["words", "upper"]
    assert "files=" not in repr(wurzel.run(in_process=True))


NOTEBOOK = """
import calling_flow, wurzel
from wurzel import WZ, NoSettings, TypedStep

class Last(TypedStep[NoSettings, list[calling_flow.Word], list[calling_flow.Word]]):
    def run(self, inpt: list[calling_flow.Word]) -> list[calling_flow.Word]:
        return inpt[-1:]

def flow():
    return WZ(calling_flow.Words) >> WZ(Last)
"""


def test_a_pipeline_itself_runs_with_the_configuration_of_its_name(here):
    flow = import_module("calling_flow")
    first = wurzel.run(flow.chain, name="flow", params={"words.COUNT": 3}, quiet=True)
    assert (first.ran, first.exit_code) == (["words", "upper"], 0)
    assert wurzel.run("flow", params={"words.COUNT": 3}, quiet=True).unchanged == ["words", "upper"]
    named = wurzel.run(lambda: [flow.chain], name="other", sets=["data_dir=other"], quiet=True)
    assert (named.ran, (here / "other" / "upper").is_dir()) == (["words", "upper"], True)
    assert wurzel.run(flow.chain, only=["words"], in_process=True, quiet=True).ran == ["words"]
    assert (here / ".wurzel" / "upper").is_dir(), "named after its last step"


def test_steps_of_a_notebook_run_in_its_process_each_time(here):
    time.sleep(0.05)  # a process is known by hundredths of a second to have begun after a file was written
    cells = f"{NOTEBOOK}\nfor _ in range(2):\n    print(wurzel.run(flow, in_process=True, quiet=True).ran)\n"
    done = subprocess.run([sys.executable, "-"], input=cells, capture_output=True, text=True, check=False)
    assert done.stdout.splitlines()[-1] == "['last']", done.stderr
    assert (here / "data" / "last" / "part-00000.json").read_text() == '[\n{"text":"w1"}\n]\n'
    done = subprocess.run(
        [sys.executable, "-"], input=f"{NOTEBOOK}\nwurzel.run(flow)\n", capture_output=True, text=True, check=False
    )
    assert done.stderr.endswith(
        "PipelineError: __main__:Last: the step 'last' cannot be imported by its name\n"
        "  Define step classes at the top level of a module that can be imported. wurzel.run(…, in_process=True) also"
        " runs those of a notebook.\n"
    )


def test_a_pipeline_without_a_name_and_a_name_for_a_name_are_refused(here):
    with pytest.raises(UsageError, match=r"this pipeline has no name\n  Pass one: wurzel\.run"):
        wurzel.run(lambda: None)
    with pytest.raises(UsageError, match="name= is for a pipeline that is passed itself"):
        wurzel.run("flow", name="flow")
