"""Clones of one project that share a store, each with a data folder of its own, as on several machines."""

import json
import os
import shutil
import subprocess
import sys

from tests.runtime.test_cache import FLOW
from wurzel.store.runs import Run
from wurzel.store.store import open_store

IDS = {"WURZEL_RUN_ID", "GITHUB_RUN_ID", "CI_PIPELINE_ID", "GITHUB_ACTIONS", "GITLAB_CI", "WURZEL_STORE"}
A, B = ("--set", "steps.words.settings.TEXT=a"), ("--set", "steps.words.settings.TEXT=b")

HEAD = """
import os, time
from pathlib import Path
from wurzel import WZ, NoSettings, PydanticModel, Settings, TypedStep
from wurzel.core import SelfConsumingLeafStep
from wurzel.exceptions import StepFailed

class Word(PydanticModel):
    text: str

class Opts(Settings):
    TEXT: str = "a"

def note(text):
    with open("calls.txt", "a") as file:
        file.write(text + "\\n")

class Words(TypedStep[Opts, None, list[Word]]):
    def run(self, inpt: None) -> list[Word]:
        note("words")
        return [Word(text=f"{self.settings.TEXT}{number}") for number in range(4)]

class Upper(TypedStep[NoSettings, list[Word], list[Word]]):
    def run(self, inpt: list[Word]) -> list[Word]:
        note("upper")
        return [Word(text=word.text.upper()) for word in inpt]
"""
PAIR = HEAD + "chain = WZ(Words) >> WZ(Upper)\n"

RUNNER = """
import json, os, signal, sys

import wurzel.cli.run, wurzel.project.open, wurzel.project.resolve, wurzel.project.typecheck
import wurzel.runtime.pipeline, wurzel.runtime.slice_job, wurzel.runtime.store_archive
from wurzel.cli import main
from wurzel.store import store
from wurzel.store.local import LocalBucket

def killing(number, when):
    left = number

    class Killing(LocalBucket):
        def _request(self):
            nonlocal left
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    def counted(name):
        def call(self, *args, **kwargs):
            if when == "before":
                self._request()
            result = getattr(LocalBucket, name)(self, *args, **kwargs)
            if when == "after" and name in {"put", "put_file", "delete"}:
                self._request()
            return result
        return call

    for name in ("get", "dated", "put", "put_file", "stream", "sizes", "list", "delete"):
        setattr(Killing, name, counted(name))
    return Killing

for line in sys.stdin:
    asked = json.loads(line)
    child = os.fork()
    if not child:
        os.chdir(asked["cwd"])
        os.environ.clear()
        os.environ.update(asked["env"])
        said = os.open(asked["log"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(said, 1)
        os.dup2(said, 2)
        sys.path.insert(0, asked["cwd"])
        if asked["kill"]:
            store.LocalBucket = killing(asked["kill"], asked["when"])
        main(asked["words"])
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""
"""Runs commands, each in a fork of one process that has imported wurzel; kills it at a request if one is named."""


class Runner:
    """The process that runs commands."""

    def __init__(self, folder):
        self._log = folder / "said"
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "cwd": folder}
        self._process = subprocess.Popen([sys.executable, "-P", "-c", RUNNER], **pipes)

    def __call__(self, words, cwd, env, kill=0, when="before"):
        asked = {"words": words, "cwd": str(cwd), "env": env, "kill": kill, "when": when, "log": str(self._log)}
        print(json.dumps(asked), file=self._process.stdin, flush=True)
        code = int(self._process.stdout.readline())
        return code, self._log.read_text()

    def close(self):
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()


class Clone:
    """A clone of the project."""

    def __init__(self, folder, store, runner):
        self.folder = folder
        self.store = store
        self.data = folder / "data"
        self._runner = runner

    def outcome(self, *words, run=None, entry="flow:chain", kill=0, when="before", **environ):
        """Run it; gives the exit code, and what it says. `run` is the id that an engine gives."""
        return self._runner(["run", entry, *words], self.folder, self.environ(run, **environ), kill, when)

    def __call__(self, *words, code=0, kill=0, **options):
        """Run it, see `outcome`; gives what it says."""
        got, said = self.outcome(*words, kill=kill, **options)
        if not kill:
            assert got == code, said
        assert "Traceback" not in said
        return said

    def environ(self, run=None, **more):
        """The environment of a run."""
        found = {name: value for name, value in os.environ.items() if name not in IDS}
        return found | {"WURZEL_STORE": str(self.store)} | ({"WURZEL_RUN_ID": run} if run else {}) | more

    def start(self, *words, run=None, entry="flow:chain", **environ):
        """Start it, beside others."""
        command = [sys.executable, "-m", "wurzel", "run", entry, *words]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
        return subprocess.Popen(command, cwd=self.folder, env=self.environ(run, **environ), **pipes)

    def calls(self):
        """What has called since the last time."""
        path = self.folder / "calls.txt"
        found = path.read_text().split() if path.exists() else []
        path.unlink(missing_ok=True)
        return sorted(found)

    def contents(self):
        """Bytes and executable bit of all files of datasets."""
        paths = [path for path in sorted(self.data.rglob("*")) if path.relative_to(self.data).parts[0][0] != "."]
        return {
            str(path.relative_to(self.data)): (path.is_file() and path.read_bytes(), path.stat().st_mode & 0o111)
            for path in paths
        }

    def texts(self, dataset):
        """Texts of all items of a dataset in the data folder."""
        parts = sorted((self.data / dataset).glob("part-*.json"))
        return [item["text"] for part in parts for item in json.loads(part.read_text())]

    def clean(self):
        """Leave nothing but the project, as on the machine of another job."""
        for path in (self.data, self.folder / ".wurzel"):
            shutil.rmtree(path, ignore_errors=True)

    def report(self, step, pipeline="chain"):
        """The report of a step."""
        return json.loads((self.folder / f".wurzel/{pipeline}/reports/{step}.json").read_text())

    def opened(self, pipeline="chain"):
        """Its store."""
        return open_store(str(self.store), pipeline)

    def handed_over(self, run, step, output="", pipeline="chain"):
        """What a step handed over in a run of an engine."""
        return Run(self.opened(pipeline), f"run-{run}").handed_over(step, output)


def cloning(folder, runner):
    """What makes clones below a folder, by name."""

    def make(name="one", text=FLOW):
        home = folder / name
        home.mkdir(exist_ok=True)
        (home / "flow.py").write_text(text)
        return Clone(home, folder / "store", runner)

    return make
