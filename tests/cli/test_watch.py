"""Watching, with real processes: no time is asserted, only what comes in which order."""

import os
import signal
import subprocess
import sys

import pytest

from tests.command import program
from wurzel.cli.watch import stamps, wait


class Watched:
    """A command that watches, read line by line."""

    def __init__(self, argv, folder):
        self.process = subprocess.Popen(
            argv,
            cwd=folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
            # A shell starts background jobs, such as this test may be part of, with Ctrl-C switched off.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
        )

    def until(self, text):
        """Everything up to the line that holds the text."""
        seen = []
        for line in self.process.stderr:
            seen.append(line)
            if text in line:
                return "".join(seen)
        raise AssertionError("".join(seen))

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        rest = self.process.stderr.read()
        return self.process.wait(60), rest


@pytest.fixture
def watched(tmp_path):
    started = []

    def start(*arguments):
        started.append(Watched([sys.executable, "-m", "wurzel", *arguments], tmp_path))
        return started[-1]

    yield start
    for each in started:
        each.process.kill()
        each.process.wait()
        each.process.stderr.close()


def test_render_follows_configuration_modules_and_templates(project, watched):
    root = project("named")
    config = root / "wurzel.yaml"
    config.write_text(config.read_text().replace("version: 1", "version: 1\ntemplates: [layer]"))
    (root / "layer" / "dvc").mkdir(parents=True)
    render = watched("render", "named", "-t", "dvc", "--watch")
    first = render.until("watching")
    assert "created dvc.yaml" in first

    config.write_text(config.read_text().replace("version: 1", "version: 2"))
    failed = render.until("watching")
    assert "changed: wurzel.yaml" in failed
    assert "version 2 is not supported" in failed
    config.write_text(config.read_text().replace("version: 2", "version: 1"))
    assert "files are up to date" in render.until("watching")

    steps = root / "steps.py"
    steps.write_text(steps.read_text().replace("Give words.", "Give all words."))
    assert "updated dvc.yaml" in render.until("watching")
    assert "Give all words." in (root / "dvc.yaml").read_text()
    good = steps.read_text()
    steps.write_text("def broken(:\n")
    assert "steps.py" in render.until("watching")
    steps.write_text(good)
    render.until("watching")

    (root / "layer" / "dvc" / "dvc.yaml.j2").write_text(
        '{% extends "!dvc/dvc.yaml.j2" %}\n{% block top %}\n# ours\n{% endblock %}\n'
    )
    assert "changed: layer/dvc/dvc.yaml.j2" in render.until("watching")
    assert "# ours" in (root / "dvc.yaml").read_text()
    code, rest = render.stop()
    assert (code, rest.strip()) == (0, "stopped")


READER = """
from pathlib import Path
import kit
from pydantic import FilePath
from wurzel import WZ, PydanticModel, Settings, TypedStep

class Word(PydanticModel):
    text: str

class Opts(Settings):
    FILE: FilePath = Path("words.txt")

class Words(TypedStep[Opts, None, list[Word]]):
    def run(self, inpt: None) -> list[Word]:
        return [Word(text=text) for text in self.settings.FILE.read_text().split()]

chain = WZ(Words)
"""


def test_run_follows_code_and_input_files(tmp_path, watched):
    (tmp_path / "reader.py").write_text(READER)
    (tmp_path / "kit").mkdir()
    (tmp_path / "kit" / "__init__.py").touch()
    (tmp_path / "words.txt").write_text("a b")
    run = watched("run", "reader:chain", "--watch")
    assert "words: done" in run.until("watching")
    (tmp_path / "words.txt").write_text("a b c")
    seen = run.until("watching")
    assert "changed: words.txt" in seen
    assert "words: started (input files changed)" in seen
    (tmp_path / "words.txt").unlink()
    assert "words: failed" in run.until("watching")
    (tmp_path / "words.txt").write_text("a b")
    assert "words: unchanged" in run.until("watching")
    (tmp_path / "reader.py").write_text(READER.replace(".split()", ".split()[:1]"))
    assert "words: started (code changed)" in run.until("watching")
    (tmp_path / "kit" / "prompt.txt").write_text("Be brief.")
    seen = run.until("watching")
    assert "changed: kit/prompt.txt" in seen
    assert "words: started (code changed)" in seen
    code, rest = run.stop()
    assert (code, rest.strip()) == (0, "stopped")


def test_a_new_file_of_a_package_that_contains_the_data_folder_is_seen(tmp_path, watched):
    package = tmp_path / "kit"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "reader.py").write_text(READER)
    (tmp_path / "words.txt").write_text("a b")
    run = watched("run", "kit.reader:chain", "--watch", "--data-dir", "kit/data", "--state-dir", "kit/state")
    assert "words: done" in run.until("watching")
    (package / "prompt.txt").write_text("Be brief.")
    seen = run.until("watching")
    assert seen.startswith("changed: kit/prompt.txt\n")
    assert "words: started (code changed)" in seen
    assert seen.count("changed: ") == 1  # what the run has written is not a change
    (package / "data" / "words" / "note.txt").touch()
    (package / "later.txt").touch()
    assert run.until("watching").startswith("changed: kit/later.txt\n")
    assert run.stop()[0] == 0


def test_what_cannot_be_watched_is_an_error(tmp_path):
    done = program("run", "--watch", "--plan", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (2, "error: --watch runs whole steps; leave out --plan\n")


def test_a_module_that_cannot_be_read_at_first_is_watched(project, watched):
    root = project("chain")
    good = (root / "chain.py").read_text()
    (root / "chain.py").write_text("def broken(:\n")
    render = watched("render", "chain:pipeline", "-t", "dvc", "--watch")
    assert "error: " in render.until("watching")
    (root / "chain.py").write_text(good)
    assert "created dvc.yaml" in render.until("watching")
    assert render.stop()[0] == 0


def test_files_that_appear_change_and_go(tmp_path):
    (tmp_path / ".hidden").mkdir()
    (tmp_path / "venv").mkdir()
    (tmp_path / "venv" / "pyvenv.cfg").touch()
    (tmp_path / "a").write_text("1")
    for name in (".hidden/x", "venv/x", ".swap"):
        (tmp_path / name).write_text("1")
    before = stamps([tmp_path, tmp_path / "absent"])
    assert list(before) == [tmp_path / "a"]
    (tmp_path / "absent").write_text("")
    (tmp_path / "a").unlink()
    assert wait([tmp_path], before, interval=0.001) == [tmp_path / "a", tmp_path / "absent"]


def test_a_file_of_the_same_size_and_time_has_changed(tmp_path):
    file = tmp_path / "a"
    file.write_text("1")
    os.utime(file, (2**33, 2**33))
    before = stamps([file])
    file.write_text("2")
    os.utime(file, (2**33, 2**33))
    assert wait([file], before, interval=0.001) == [file]
