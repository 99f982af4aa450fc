"""However a step ends, it has failed unless its dataset is stored, and nothing that it has started is left."""

import contextlib
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import psutil
import pytest

from tests.command import program
from wurzel.datacontract.dataset import open_dataset

STEPS = """
import atexit, ctypes, os, signal, subprocess, sys, threading, time
from pathlib import Path
from wurzel.core import NoSettings, PydanticModel, TypedStep

class Word(PydanticModel):
    text: str

class Base(TypedStep[NoSettings, None, list[Word]]):
    def run(self, inpt: None) -> list[Word]:
        print("before", flush=True)
        self.act()
        return [Word(text="a")]

    def act(self):
        pass

class Exit0(Base):
    def act(self):
        os._exit(0)

class Exit2(Base):
    def act(self):
        os._exit(2)

class Exit99(Base):
    def act(self):
        os._exit(99)

class Kill(Base):
    def act(self):
        os.kill(os.getpid(), signal.SIGKILL)

class Fault(Base):
    def act(self):
        ctypes.string_at(0)

class Thread(Base):
    def act(self):
        threading.Thread(target=os._exit, args=(0,)).start()
        time.sleep(20)

class Exec(Base):
    def act(self):
        os.execv("/bin/true", ["true"])

class Leaves(Base):
    def act(self):
        if os.fork():
            os._exit(0)
        time.sleep(0.2)

class Daemon(Base):
    def act(self):
        if os.fork() == 0:
            os.setsid()
            if os.fork():
                os._exit(0)
            Path("pid").write_text(f"{os.getpid()}\\n")
            time.sleep(100)
        while not Path("pid").exists() or not Path("pid").read_text():
            time.sleep(0.01)

class Stubborn(Base):
    def act(self):
        code = "import signal, time; signal.signal(15, signal.SIG_IGN); print('ready', flush=True); time.sleep(100)"
        child = subprocess.Popen(
            [sys.executable, "-c", code], start_new_session=True, env={}, stdout=subprocess.PIPE
        )
        child.stdout.readline()
        Path("pid").write_text(f"{child.pid}\\n")

class Copies(Base):
    def act(self):
        if os.fork() == 0:
            return
        os.wait()

class CopyFails(Base):
    def act(self):
        if os.fork() == 0:
            raise ValueError("in the copy")
        os.wait()

class AtExit(Base):
    def act(self):
        atexit.register(os._exit, 0)

class AtExit7(Base):
    def act(self):
        atexit.register(os._exit, 7)

class Cancelled(Base):
    async def run(self, inpt: None) -> list[Word]:
        import asyncio
        raise asyncio.CancelledError("given up")

class AfterStoring(Base):
    def finalize(self):
        os._exit(0)
"""


@pytest.fixture
def steps(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "guarded.py").write_text(textwrap.dedent(STEPS))
    return tmp_path


def wurzel(name, *arguments, **options):
    return program("step", f"guarded:{name}", "-o", "out", *arguments, timeout=60, **options)


def ended(pid):
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


@pytest.mark.parametrize(
    ("name", "code", "message"),
    [
        ("Exit0", 1, "its process ended with exit code 0 before the dataset was stored"),
        ("Exit2", 1, "its process ended with exit code 2 before"),
        ("Exit99", 1, "its process ended with exit code 99 before"),
        ("Thread", 1, "its process ended with exit code 0 before"),
        ("Exec", 1, "its process ended with exit code 0 before"),
        ("Leaves", 1, "its process ended with exit code 0 before"),
        ("Kill", 137, "ended by signal SIGKILL"),
        ("Fault", 139, "ended by signal SIGSEGV"),
    ],
)
def test_a_step_that_ends_without_a_dataset_has_failed(steps, name, code, message):
    env = {**os.environ, "WURZEL_TERMINATION_LOG": str(steps / "reason")}
    done = wurzel(name, "--id", "s", env=env)
    assert (done.returncode, done.stdout) == (code, "before\n")
    assert f"error: step 's': {message}" in done.stderr
    assert (steps / "reason").read_text().startswith(f"step 's': {message}")
    assert not (steps / "out").exists()


def test_a_retry_sees_it_too(steps):
    done = wurzel("Exit99", "--retries", "1")
    assert (done.returncode, done.stdout) == (1, "before\n" * 2)
    assert "trying again" in done.stderr
    done = wurzel("Kill", "--retries", "1")
    assert "wurzel: ended by signal SIGKILL; trying again" in done.stderr


def test_a_process_that_fails_after_storing_is_not_said_to_have_ended_before(steps):
    done = wurzel("AtExit7")
    assert done.returncode == 1
    assert "its process ended with exit code 7 although the dataset was stored" in done.stderr


def test_an_error_that_is_not_an_exception_shows_its_author_the_lines_to_look_at(steps):
    done = wurzel("Cancelled")
    assert done.returncode == 1
    assert "error: step 'cancelled': CancelledError: given up" in done.stderr
    assert "wurzel/runtime" not in done.stderr


@pytest.mark.parametrize("name", ["AtExit", "AfterStoring"])
def test_a_step_whose_dataset_is_stored_may_end_as_it_likes(steps, name):
    assert wurzel(name).returncode == 0
    assert open_dataset(steps / "out").items == 1


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux hands orphans to the guard")
@pytest.mark.parametrize("name", ["Daemon", "Stubborn"])
@pytest.mark.parametrize("supervised", [[], ["--timeout", "1m"]])
def test_what_has_left_session_and_group_is_ended(steps, name, supervised):
    began = time.monotonic()
    done = wurzel(name, *supervised)
    assert done.returncode == 0, done.stderr
    assert ended(int((steps / "pid").read_text()))
    assert time.monotonic() - began < 30


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux hands orphans to the guard")
def test_nothing_is_left_by_a_guard_that_was_killed(steps):
    code = "import time; time.sleep(100)"
    (steps / "guarded.py").write_text(
        textwrap.dedent(STEPS)
        + "class Slow(Base):\n    def act(self):\n"
        + f"        child = subprocess.Popen([sys.executable, '-c', {code!r}], start_new_session=True)\n"
        + "        Path('pid').write_text(f'{child.pid} {os.getppid()}\\n')\n        time.sleep(100)\n"
    )
    argv = [sys.executable, "-m", "wurzel", "step", "guarded:Slow", "-o", "out", "--timeout", "1m"]
    with subprocess.Popen(argv, stderr=subprocess.PIPE, text=True) as process:
        deadline = time.monotonic() + 30
        while not Path("pid").exists() or not Path("pid").read_text():
            assert time.monotonic() < deadline
            time.sleep(0.02)
        child, guard = map(int, Path("pid").read_text().split())
        os.kill(guard, signal.SIGKILL)
        _, err = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "ended by signal SIGKILL" in err
    assert ended(child)


@pytest.mark.parametrize("name", ["Copies", "CopyFails"])
def test_a_fork_of_the_step_writes_no_dataset(steps, name):
    done = wurzel(name)
    assert done.returncode == 0, done.stderr
    assert open_dataset(steps / "out").items == 1
    assert ("ValueError: in the copy" in done.stderr) == (name == "CopyFails")
    assert done.stderr.count("items out") == 1


def test_output_of_both_streams_keeps_its_order_in_one_file(steps):
    (steps / "guarded.py").write_text(
        textwrap.dedent(STEPS)
        + "class Mixed(Base):\n    def act(self):\n        for n in range(50):\n"
        + "            print(n, file=[sys.stdout, sys.stderr][n % 2], flush=True)\n"
    )
    with Path("log").open("wb") as log:
        argv = [sys.executable, "-m", "wurzel", "-q", "step", "guarded:Mixed", "-o", "out"]
        subprocess.run(argv, stdout=log, stderr=log, check=True)
    assert Path("log").read_text().split() == ["before", *map(str, range(50))]


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-", "> /dev/full"])
def test_closed_streams_fail_no_step(steps, closed):
    done = subprocess.run(
        ["sh", "-c", f'"$0" -m wurzel step guarded:Base -o out {closed}', sys.executable],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr


def on_terminal(argv, env):
    """What a command prints to a terminal, and its exit code."""
    import pty

    pid, master = pty.fork()
    if pid == 0:
        os.execve(sys.executable, argv, env)
    printed = b""
    with contextlib.suppress(OSError):  # EIO: nobody has the terminal open any more
        while data := os.read(master, 4096):
            printed += data
    os.close(master)
    return printed.decode(), os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


@pytest.mark.parametrize(
    ("variable", "words"),
    [
        *[("db_password", []), ("PGPASSWORD", []), ("GH_PAT", [])],
        *[("ANY", ["--secret", "ANY"]), ("ANY", ["--secret=ANY"]), ("DATABASE", [])],
    ],
)
def test_a_terminal_sees_no_secret(steps, variable, words):
    (steps / "guarded.py").write_text(
        textwrap.dedent(STEPS) + f"class Shown(Base):\n    def act(self):\n        print(os.environ[{variable!r}])\n"
    )
    value = "postgresql://me:sesame-9@db/x" if variable == "DATABASE" else "sesame-9"
    env = {"PATH": os.environ["PATH"], variable: value}
    argv = [sys.executable, "-m", "wurzel", "step", "guarded:Shown", "-o", "out", *words]
    printed, code = on_terminal(argv, env)
    assert code == 0, printed
    assert "***" in printed
    assert "sesame" not in printed


def test_a_terminal_stays_one_where_there_is_nothing_to_hide(steps):
    (steps / "guarded.py").write_text(
        textwrap.dedent(STEPS) + "class Shown(Base):\n    def act(self):\n        print('tty', os.isatty(1))\n"
    )
    argv = [sys.executable, "-m", "wurzel", "step", "guarded:Shown", "-o", "out"]
    printed, _ = on_terminal(argv, {"PATH": os.environ["PATH"], "PAGER": "less"})
    assert "tty True" in printed


@pytest.mark.parametrize("words", [["--own-group"], ["--own-group", "--null", "X", "--once", "r"]])
def test_the_guard_leads_a_group_with_the_step_in_it(steps, words):
    (steps / "guarded.py").write_text(
        textwrap.dedent(STEPS)
        + "class Shown(Base):\n    def act(self):\n        print(os.getpgrp() == os.getppid(), flush=True)\n"
    )
    done = wurzel("Shown", *(word for word in words if word not in {"--null", "X"}))
    assert done.stdout.split() == ["before", "True"], done.stderr


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["--nonsense"], 2, "No such option"),
        (["--help"], 0, ""),
        (["--shard", "2"], 2, "is not a slice"),
        (["-i", "nowhere"], 2, "source and takes no input"),
    ],
)
def test_what_ends_before_a_step_runs_says_so_once(steps, words, code, message):
    done = wurzel("Base", *words)
    assert done.returncode == code
    assert message in done.stderr
    assert "before the dataset was stored" not in done.stderr
    assert done.stderr.count("rror: ") <= 1


def test_a_plugin_of_pydantic_is_found(steps):
    (steps / "guarded.py").write_text(
        textwrap.dedent(STEPS)
        + "class Shown(Base):\n    def act(self):\n"
        + "        from pydantic.plugin._loader import get_plugins\n        print(*get_plugins(), sep='')\n"
    )
    assert wurzel("Shown").stdout == "before\n\n"
    (steps / "plug-1.dist-info").mkdir()
    (steps / "plug-1.dist-info" / "METADATA").write_text("Name: plug\nVersion: 1\n")
    (steps / "plug-1.dist-info" / "entry_points.txt").write_text("[pydantic]\nplug = plug:plugin\n")
    (steps / "plug.py").write_text(
        "class Plugin:\n    def new_schema_validator(self, *_args, **_options):\n        return None, None, None\n"
        "    def __str__(self):\n        return 'plugged'\nplugin = Plugin()\n"
    )
    env = {**os.environ, "PYTHONPATH": str(steps)}
    assert wurzel("Shown", env=env).stdout == "before\nplugged\n"
