"""Killed at any point, `wurzel run`, `step` and `render` leave whole datasets and files, and the next call completes.

Two ways: before each change of the file system in turn, and after a random time. `make fuzz` does hundreds of each.
"""

import contextlib
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time

import psutil
import pytest

from tests.command import program
from tests.hostility.budget import KILLS
from tests.hostility.killing import calls

WURZEL = [sys.executable, "-m", "wurzel"]
CONFIG = """\
version: 1
pipelines:
  p:
    entrypoint: killed:pipeline
    description: {version}
    image: registry.example/p:1
    schedule: {{cron: "0 4 * * *"}}
    steps:
      file-words: {{settings: {{FILE: words.txt}}}}
      suffix: {{shards: 2, settings: {{SUFFIX: "-{version}"}}}}
    targets:
      argo: {{artifacts: {{s3: {{bucket: words}}}}}}
      dvc: {{}}
      gitlab: {{}}
      github: {{}}
      airflow: {{}}
      local: {{}}
      cronjob: {{}}
"""
PIPELINE = """\
from steps import FileWords, Join, Suffix, Upper

from wurzel.utils import WZ

words, join = WZ(FileWords), WZ(Join)
words >> WZ(Suffix) >> join
words >> WZ(Upper) >> join
pipeline = join
"""
TIMES = KILLS or 6
"""How often something is killed at random."""
OURS = re.compile(r"(^|/)\.([^/]*\.(new|old|slices|tmp)|wurzel[^/]*)(/|$)")
"""What is on its way, and what is kept beside data and files."""
VERSIONS = ("first", "second")


def points(total):
    """Of that many points to be killed at, one in the middle, or every one."""
    return range(1, total + 1) if KILLS else [total // 2]


def contents(folder):
    """Bytes by path, of all files that are in their place."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not OURS.search(path.relative_to(folder).as_posix())
    }


def left_over(folder):
    return [path.name for path in folder.rglob(".*") if OURS.search(path.name)]


def datasets(folder):
    """Contents of datasets by name: where one was being replaced by another, of the one that will be put back."""
    found = {}
    for path in sorted(folder.glob("[!.]*")):
        found[path.name] = contents(path)
    for path in folder.glob(".*.old"):
        found.setdefault(path.name[1:].split(".")[0], contents(path))
    return found


def check(folder, before, *versions):
    """Each dataset is whole and of one version, or absent, if it was not there before."""
    now = datasets(folder)
    assert set(before) <= set(now)
    for name, data in now.items():
        assert data in [version[name] for version in versions], name


@pytest.fixture
def root(project):
    """A project whose configuration and input say `first` or `second`, so that every file and dataset has two forms."""
    folder = project("chain")
    (folder / "killed.py").write_text(PIPELINE)
    return folder


def write(root, version):
    (root / "wurzel.yaml").write_text(CONFIG.format(version=version))
    (root / "words.txt").write_text(f"{version}\nb\nc\n" * 50)


def run(root, *arguments):
    return program(*arguments, cwd=root)


# Runs of whole pipelines.


class Example:
    """A pipeline in a folder, whose source gives `first` or `second`."""

    def __init__(self, root, name, source):
        self.root, self.name, self._source = root, name, source

    @property
    def data(self):
        return self.root / "data"

    def run(self, version, jobs=2):
        if self._source is None:
            write(self.root, version)
            return ["run", "p", f"-j{jobs}"]
        name = self.name if (self.root / "wurzel.yaml").exists() else f"{self.name}:pipeline"
        return ["run", name, f"-j{jobs}", "--set", f"steps.{self._source}.settings.WORDS=[a, {version}, b, c]"]

    def forget(self):
        shutil.rmtree(self.data, ignore_errors=True)
        shutil.rmtree(self.root / ".wurzel", ignore_errors=True)


@pytest.fixture(
    params=[("chain", "words"), ("diamond", "words"), ("fanin", "words-a"), ("sharded", "words"), ("killed", None)],
    ids=lambda param: param[0],
)
def example(request, root, project):
    name, source = request.param
    if source:
        project(name)
    return Example(root, name, source)


def test_a_run_is_killed_before_each_change(example):
    with calls(example.root) as call:
        changes, expected = {}, {}
        for version in VERSIONS:
            assert call(*example.run(version), changes=10**9)[0] == 0
            changes[version] = 10**9 - int((example.root.parent / "changes").read_text())
            expected[version] = datasets(example.data)
        first, second = (expected[version] for version in VERSIONS)
        assert all(
            first[name] != second[name] for name in first if name not in {"words-b", "words-c", "join-b", "join-c"}
        )
        for number in points(changes["second"]):
            version, fresh = VERSIONS[number % 2], number % 3 == 0
            if fresh:
                example.forget()
            before = {} if fresh else datasets(example.data)
            code, errors = call(*example.run(version, jobs=1 + number % 4), changes=number)
            assert code in {0, 1, -signal.SIGKILL}, errors  # 1: a step was killed, not the run
            check(example.data, before, first, second)
            code, errors = call(*example.run(version))
            assert code == 0, errors
            assert datasets(example.data) == expected[version]
            assert left_over(example.data) == []


def test_a_run_that_is_asked_to_end_as_it_begins_leaves_nothing(root):
    example = Example(root, "killed", None)
    with calls(root) as call:
        for number in range(1, 11):
            example.forget()
            code, errors = call(*example.run("first"), changes=number, KILL_SIGNAL=str(int(signal.SIGTERM)))
            assert code in {-signal.SIGTERM, 128 + signal.SIGTERM}, errors
            assert left_over(example.data) == []


def marked(mark):
    """Processes that a command with this variable has started, and that still run."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.environ().get("KILLED") == mark and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


class Killer:
    """Starts a command in a process group of its own and ends it after some part of the time that it needs."""

    def __init__(self, root, *arguments, seed=0):
        self.root, self.random = root, random.Random(seed)
        started = time.monotonic()
        done = run(root, *arguments)
        assert done.returncode == 0, done.stderr
        self.longest = time.monotonic() - started

    def end(self, *arguments, signum=signal.SIGKILL, one_step=False):
        """Signal the command, or one of its steps; its exit code, when nothing that it started runs any more."""
        mark = str(self.random.random())
        process = subprocess.Popen(
            [*WURZEL, *arguments],
            cwd=self.root,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            env=os.environ | {"KILLED": mark},
        )
        time.sleep(self.random.uniform(0, self.longest))
        children = []
        with contextlib.suppress(psutil.Error):  # it may have just ended
            children = psutil.Process(process.pid).children() if one_step and process.poll() is None else []
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.random.choice(children).pid if children else process.pid, signum)
        code = process.wait()
        end = time.monotonic() + 20
        while (left := marked(mark)) and sys.platform == "linux" and signum == signal.SIGKILL:
            assert time.monotonic() < end, left
            time.sleep(0.01)
        assert left == []
        return code


def test_a_run_is_ended_at_random(root):
    example = Example(root, "killed", None)
    expected = {}
    for version in VERSIONS:
        killer = Killer(root, *example.run(version, jobs=4))
        expected[version] = datasets(example.data)
    ended = 0
    for number in range(TIMES):
        version, fresh = VERSIONS[number % 3 % 2], number % 5 == 4
        if fresh:
            example.forget()
        before, left = {} if fresh else datasets(example.data), set(left_over(example.data))
        signum = [signal.SIGKILL, signal.SIGTERM, signal.SIGKILL, signal.SIGINT][number % 4]
        code = killer.end(*example.run(version, jobs=1 + number % 4), signum=signum, one_step=number % 8 == 2)
        ended += code != 0
        check(example.data, before, *expected.values())
        assert signum == signal.SIGKILL or set(left_over(example.data)) <= left
        if number % 4 == 3 or number == TIMES - 1:
            done = run(root, *example.run(version, jobs=4))
            assert done.returncode == 0, done.stderr
            assert datasets(example.data) == expected[version]
            assert left_over(example.data) == []
    assert ended


# Single steps, as engines call them.

SUFFIX = ["step", "steps:Suffix", "--id", "suffix"]
SLICES = [[*SUFFIX, "-i", "data/file-words", "-o", "slices", "--shard", f"{number}/2"] for number in (1, 2)]
COMMANDS = {
    "whole": (["step", "steps:FileWords", "--id", "file-words", "-o", "out/words", "--report", "out.json"], 1),
    "slice": ([*SUFFIX, "-i", "data/file-words", "-o", "out", "--shard", "1/2"], 1),
    "gather": ([*SUFFIX, "--gather", "-i", "slices", "-o", "out/suffix"], 1),
    "in slices": ([*SUFFIX, "-i", "data/file-words", "-o", "out/suffix", "--shards", "2", "--report", "out.json"], 5),
    "once": (["step", "steps:FileWords", "--id", "file-words", "-o", "out/words", "--once", "VERSION"], 1),
}


def prepare(call, root, version):
    """What the commands read."""
    write(root, version)
    shutil.rmtree(root / "slices", ignore_errors=True)
    assert call("step", "steps:FileWords", "--id", "file-words", "-o", "data/file-words", **VARIABLES)[0] == 0
    for cut in SLICES:
        assert call(*cut)[0] == 0


VARIABLES = {"FILE_WORDS__FILE": "words.txt"}


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("previous", [True, False] if KILLS else [True], ids=["replaced", "new"][: 1 + bool(KILLS)])
def test_a_step_is_killed_before_each_change_and_within_each_write(root, name, previous):
    arguments, each = COMMANDS[name]
    out, kept = root / "out", root / "kept"
    with calls(root) as call:
        expected = {}
        for version in VERSIONS:
            prepare(call, root, version)
            shutil.rmtree(out, ignore_errors=True)
            code, errors = call(*(version if word == "VERSION" else word for word in arguments), **VARIABLES)
            assert code == 0, errors
            expected[version] = datasets(out)
            if version == "first":
                shutil.copytree(out, kept)
        assert expected["first"] != expected["second"]
        read = contents(root / "data") | contents(root / "slices")
        killed = 0
        for kind, step in (("changes", 1 if KILLS else 3 * each), ("size", 50 if KILLS else 1500)):
            for number in range(1, 10**6, step):
                shutil.rmtree(out, ignore_errors=True)
                if previous:
                    shutil.copytree(kept, out)
                code, errors = call(*arguments, **VARIABLES, **{kind: number})
                check(out, datasets(kept) if previous else {}, *expected.values())
                assert contents(root / "data") | contents(root / "slices") == read
                killed += code != 0
                if code == 0:
                    break
                code, errors = call(*arguments, **VARIABLES)
                assert code == 0, errors
                assert datasets(out) == expected["second"]
                assert left_over(out) == []
        assert killed > 3
    assert list(root.glob(".out*")) == []


# Renders.


@pytest.fixture
def texts(root):
    """What each version's files hold, by path; at the end there are none."""
    found = {}
    for version in VERSIONS:
        write(root, version)
        done = run(root, "render", "-o", "out")  # the header of a file names the folder
        assert done.returncode == 0, done.stderr
        found[version] = contents(root / "out")
        shutil.rmtree(root / "out")
    assert len(found["first"]) > 7
    return found


def check_files(root, texts):
    """Each file is absent, or one whole version."""
    for path, data in contents(root / "out").items():
        assert data in {texts[version].get(path) for version in VERSIONS}, path


def rendered(root, texts, version):
    done = run(root, "render", "-o", "out")
    assert done.returncode == 0, done.stderr
    assert contents(root / "out") == texts[version]
    assert left_over(root / "out") == []


def test_a_render_is_killed_before_each_change(root, texts):
    (root / "out").mkdir()
    with calls(root) as call:
        for number in range(1, 1000, 1 if KILLS else 17):
            version = VERSIONS[number % 2]
            write(root, version)
            code, errors = call("render", "-o", "out", changes=number)
            check_files(root, texts)
            if code == 0:
                break
            assert code == -signal.SIGKILL, errors
    assert number > 2 * len(texts["first"])
    rendered(root, texts, version)


def test_a_render_is_killed_at_random(root, texts):
    (root / "out").mkdir()
    write(root, "first")
    killer = Killer(root, "render", "-o", "out")
    killed = 0
    for number in range(TIMES):
        version = VERSIONS[number % 2]
        write(root, version)
        killed += killer.end("render", "-o", "out") < 0
        check_files(root, texts)
        if number % 8 == 7:
            rendered(root, texts, version)
    rendered(root, texts, version)
    assert killed
