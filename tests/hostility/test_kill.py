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
from pathlib import Path

import psutil
import pytest

from tests.hostility.budget import KILLS

KILL_AT = [sys.executable, str(Path(__file__).with_name("kill_at.py"))]
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
TIMES = KILLS or 25
EACH = 1 if KILLS else 5
"""Of the points to be killed at, each fifth, or every one."""
OURS = re.compile(r"(^|/)\.([^/]*\.(new|old|shards|tmp)|wurzel[^/]*)(/|$)")
"""What is on its way, and what is kept beside data and files."""
VERSIONS = ("first", "second")
STEPS = ("file-words", "suffix", "upper", "join")


@pytest.fixture
def root(project):
    """A project whose configuration and input say `first` or `second`, so that every file and dataset has two forms."""
    folder = project("chain")
    (folder / "killed.py").write_text(PIPELINE)
    return folder


def write(root, version):
    (root / "wurzel.yaml").write_text(CONFIG.format(version=version))
    (root / "words.txt").write_text(f"{version}\nb\nc\n" * 50)


def run(root, *arguments, command=WURZEL):
    return subprocess.run([*command, *arguments], cwd=root, capture_output=True, text=True, check=False)


def contents(folder):
    """Bytes by path, of all files that are in their place."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not OURS.search(path.relative_to(folder).as_posix())
    }


def left_over(folder):
    return [path.name for path in folder.rglob(".*") if OURS.search(path.name)]


class Killer:
    """Starts a command in a process group of its own and kills it after some part of the time that it needs."""

    def __init__(self, root, *arguments, seed=0):
        self.root, self.argv, self.random = root, [*WURZEL, *arguments], random.Random(seed)
        started = time.monotonic()
        subprocess.run(self.argv, cwd=root, capture_output=True, check=True)
        self.longest = time.monotonic() - started

    def kill(self, *, steps=False):
        """Kill the group, or the group of one of its steps; whether it lived long enough to be killed."""
        process = subprocess.Popen(
            self.argv, cwd=self.root, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        time.sleep(self.random.uniform(0, self.longest))
        children = psutil.Process(process.pid).children() if process.poll() is None else []
        one = self.random.choice(children).pid if steps and children else process.pid
        with contextlib.suppress(ProcessLookupError):
            os.killpg(one, signal.SIGKILL)
        return process.wait() < 0


@pytest.fixture
def expected(root):
    """What each version's datasets hold: bytes by path below the data folder."""
    found = {}
    for version in VERSIONS:
        write(root, version)
        done = run(root, "run", "p")
        assert done.returncode == 0, done.stderr
        found[version] = contents(root / "data")
    assert all(
        found["first"][f"{step}/part-00000.json"] != found["second"][f"{step}/part-00000.json"] for step in STEPS
    )
    shutil.rmtree(root / "data")
    shutil.rmtree(root / ".wurzel")
    return found


def check_datasets(root, expected):
    """Each dataset is absent, or whole and of one version."""
    for step in STEPS:
        folder = root / "data" / step
        if folder.exists():
            forms = [
                {path: data for path, data in expected[version].items() if path.startswith(f"{step}/")}
                for version in VERSIONS
            ]
            assert {f"{step}/{path}": data for path, data in contents(folder).items()} in forms, step


def complete(root, expected, version):
    done = run(root, "run", "p", "-j", "4")
    assert done.returncode == 0, done.stderr
    assert contents(root / "data") == expected[version]
    assert left_over(root / "data") == []


def test_a_run_is_killed_at_random(root, expected):
    write(root, "first")
    killer = Killer(root, "run", "p", "-j", "4")
    killed = 0
    for number in range(TIMES):
        version = VERSIONS[number % 3 % 2]
        write(root, version)
        killed += killer.kill(steps=number % 4 == 3)
        check_datasets(root, expected)
        if number % 8 == 7:
            complete(root, expected, version)
    complete(root, expected, version)
    assert killed


def test_a_run_is_killed_before_each_change(root, expected):
    """The process that watches the steps, which keeps states, digests and logs."""
    for number in range(1, 1000, EACH):
        version = VERSIONS[number // EACH % 2]
        write(root, version)
        done = run(root, str(number), "run", "p", "-j", "4", command=KILL_AT)
        check_datasets(root, expected)
        if done.returncode == 0:
            break
        assert done.returncode == -signal.SIGKILL, done.stderr
    assert number > 5
    complete(root, expected, version)


def test_a_step_is_killed_before_each_change(root, expected):
    """The process that writes a dataset: new, and in place of another one."""
    for number in range(1, 1000, EACH):
        version = VERSIONS[number // EACH % 2]
        write(root, version)
        step = ["step", "steps:FileWords", "--id", "file-words", "-o", "data/file-words"]
        done = subprocess.run(
            [*KILL_AT, str(number), *step],
            cwd=root,
            env=os.environ | {"FILE_WORDS__FILE": "words.txt"},
            capture_output=True,
            text=True,
            check=False,
        )
        check_datasets(root, expected)
        if done.returncode == 0:
            break
        assert done.returncode == -signal.SIGKILL, done.stderr
    assert number > 3
    complete(root, expected, version)


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
    for number in range(1, 1000, EACH):
        version = VERSIONS[number // EACH % 2]
        write(root, version)
        done = run(root, str(number), "render", "-o", "out", command=KILL_AT)
        check_files(root, texts)
        if done.returncode == 0:
            break
        assert done.returncode == -signal.SIGKILL, done.stderr
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
        killed += killer.kill()
        check_files(root, texts)
        if number % 8 == 7:
            rendered(root, texts, version)
    rendered(root, texts, version)
    assert killed
