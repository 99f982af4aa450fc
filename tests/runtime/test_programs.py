"""Programs as steps in real processes: how they end, and that nothing of them is left."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

STEPS = """
from pydantic import SecretStr
from wurzel import CommandStep, File, Folder, NoSettings, PydanticModel, Settings, TypedStep

class Text(File):
    suffix = ".txt"

class Opts(Settings):
    TOKEN: SecretStr = SecretStr("sesame-opens")
    WORDS: list[str] = ["pear", "apple"]

class Fruit(TypedStep[Opts, None, Text]):
    def run(self, inpt: None) -> Text:
        path = self.workdir / "fruit.txt"
        path.write_text("".join(f"{word}\\n" for word in self.settings.WORDS))
        return Text(path)

class Sort(CommandStep[NoSettings, Text, Text]):
    command = ["sort", "-o", "{output}", "{input}"]
    version = ["sort", "--version"]

class Split(CommandStep[NoSettings, Text, list[Text]]):
    command = ["split", "-l", "1", "--additional-suffix=.txt", "{input}", "{output}/part-"]

class Cat(CommandStep[NoSettings, list[Text], Text]):
    command = ["cat", "{input}"]

class Each(CommandStep[NoSettings, Text, Text]):
    command = ["sh", "-c", 'tr a-z A-Z <"$1" >"$2"', "sh", "{input}", "{output}"]

class Site(Folder):
    pass

class Unpack(CommandStep[NoSettings, Text, Site]):
    command = ["sh", "-c", 'mkdir -p "$2/a/empty"; cp "$1" "$2/a/index.html"', "sh", "{input}", "{output}"]

class Pack(CommandStep[NoSettings, Site, Text]):
    command = ["sh", "-c", 'cd "$1" && find . | LC_ALL=C sort', "sh", "{input}"]

class Leaks(CommandStep[Opts, None, Text]):
    command = ["sh", "-c", "echo token is $TOKEN >&2; echo fine"]
    env = {"TOKEN": "{settings.TOKEN}"}

class Family(CommandStep[NoSettings, None, Text]):
    command = ["sh", "-c", "sleep 60 & echo $! >pid.new; echo $$ >parent; mv pid.new pid; wait"]

class Sleeps(CommandStep[NoSettings, None, Text]):
    command = ["sh", "-c", "echo $$ >pid; exec sleep 60"]

class Stubborn(CommandStep[NoSettings, None, Text]):
    command = ["sh", "-c", "trap '' TERM INT; echo $$ >pid; while :; do sleep 1; done"]

class Background(CommandStep[NoSettings, None, Text]):
    command = ["sh", "-c", "setsid sleep 60 >/dev/null 2>&1 & echo $! >pid; echo done"]

class Exits(CommandStep[NoSettings, None, Text]):
    command = ["sh", "-c", "exit 2"]

class Killed(CommandStep[NoSettings, None, Text]):
    command = ["sh", "-c", "kill -9 $$"]

class Missing(CommandStep[NoSettings, None, Text]):
    command = ["no-such-program"]
"""


@pytest.fixture
def programs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "programs.py").write_text(STEPS)
    return tmp_path


def command(name, *arguments, output="out"):
    return [sys.executable, "-P", "-m", "wurzel", "step", f"programs:{name}", "-o", output, *arguments]


def step(name, *arguments, output="out"):
    return subprocess.run(command(name, *arguments, output=output), capture_output=True, text=True, check=False)


def stored(folder="out"):
    """Files of a dataset with their texts."""
    top = Path(folder)
    files = sorted(path for path in top.rglob("*") if path.is_file() and path.name != "manifest.json")
    return {str(path.relative_to(top)): path.read_text() for path in files}


def is_gone(pid, patience=5.0):
    end = time.monotonic() + patience
    while time.monotonic() < end:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.02)
    return False


def pid_of(folder, patience=30.0):
    end = time.monotonic() + patience
    while time.monotonic() < end:
        if (folder / "pid").exists() and (text := (folder / "pid").read_text().strip()):
            return int(text)
        time.sleep(0.02)
    raise AssertionError("the program did not start")


def test_files_flow_through_programs(programs):
    assert step("Fruit", output="fruit").returncode == 0
    assert step("Sort", "-i", "fruit", output="sorted").returncode == 0
    assert stored("sorted") == {"00000/output.txt": "apple\npear\n"}
    assert step("Split", "-i", "sorted", output="split").returncode == 0
    assert stored("split") == {"00000/part-aa.txt": "apple\n", "00001/part-ab.txt": "pear\n"}
    assert step("Each", "-i", "split", output="each").returncode == 0
    assert stored("each") == {"00000/output.txt": "APPLE\n", "00001/output.txt": "PEAR\n"}
    assert step("Cat", "-i", "each", "-i", "fruit", output="all").returncode == 0
    assert stored("all") == {"00000/output.txt": "APPLE\nPEAR\npear\napple\n"}
    assert sorted(path.name for path in programs.iterdir() if path.name.startswith(".")) == []


def test_folders_flow_through_programs(programs):
    step("Fruit", output="fruit")
    assert step("Unpack", "-i", "fruit", output="site").returncode == 0
    assert step("Pack", "-i", "site").returncode == 0
    assert stored() == {"00000/output.txt": ".\n./a\n./a/empty\n./a/index.html\n"}


@pytest.mark.parametrize("of", [1, 2, 3])
def test_slices_of_a_program_give_the_same_bytes(programs, of):
    step("Fruit", output="fruit")
    step("Split", "-i", "fruit", output="split")
    step("Each", "-i", "split", output="whole")
    assert step("Each", "-i", "split", "--shards", str(of), output="cut").returncode == 0
    assert stored("cut") == stored("whole")
    assert Path("cut/manifest.json").read_bytes() == Path("whole/manifest.json").read_bytes()


def test_a_secret_that_a_program_prints_is_masked(programs):
    done = step("Leaks")
    assert done.returncode == 0
    assert "token is ***" in done.stderr
    assert stored() == {"00000/output.txt": "fine\n"}


@pytest.mark.parametrize(
    ("name", "code", "message"),
    [
        ("Exits", 1, "sh ended with exit code 2"),
        ("Killed", 1, "sh was ended by signal SIGKILL"),
        ("Missing", 2, "the program 'no-such-program' was not found"),
    ],
)
def test_the_exit_code_says_whether_another_try_can_help(programs, name, code, message):
    done = step(name)
    assert (done.returncode, message in done.stderr) == (code, True), done.stderr
    assert not Path("out").exists()


def test_what_may_get_better_is_tried_again_and_what_may_not_is_not(programs):
    assert step("Exits", "--retries", "1").stderr.count("ended with exit code 2") == 2
    assert step("Missing", "--retries", "1").stderr.count("was not found") == 1


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_a_program_ends_with_its_step(programs, signum):
    process = subprocess.Popen(command("Sleeps"), stderr=subprocess.DEVNULL)
    pid = pid_of(programs)
    process.send_signal(signum)
    assert process.wait(30) == 128 + signum
    assert is_gone(pid)
    assert not Path("out").exists()
    assert [path.name for path in programs.iterdir() if path.name.startswith(".")] == []


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel does it on Linux only")
def test_a_program_and_what_it_started_end_when_the_step_is_killed(programs):
    process = subprocess.Popen(command("Family"), stderr=subprocess.DEVNULL)
    child = pid_of(programs)
    process.kill()
    process.wait(30)
    assert is_gone(child)
    assert is_gone(int((programs / "parent").read_text()))


def test_a_program_that_runs_too_long_is_ended(programs):
    done = step("Sleeps", "--timeout", "2s")
    assert done.returncode == 1
    assert "timed out after 2s" in done.stderr
    assert is_gone(pid_of(programs))


def test_a_program_that_does_not_want_to_end_is_killed(programs):
    process = subprocess.Popen(command("Stubborn"), stderr=subprocess.DEVNULL)
    pid = pid_of(programs)
    process.terminate()
    assert process.wait(30) == 143
    assert is_gone(pid)


def test_what_a_program_leaves_behind_is_ended(programs):
    assert step("Background").returncode == 0
    assert is_gone(pid_of(programs))
