import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from wurzel.runtime.processes import Command
from wurzel.runtime.supervise import RetryPolicy, run_supervised, run_tasks


def counting(folder: Path, script: str) -> list[str]:
    """A shell command that writes one line per try to `tries`, then does what `script` says."""
    return ["sh", "-c", f'echo try >> "$1"; {script}', "sh", str(folder / "tries")]


def tries(folder: Path) -> int:
    return len((folder / "tries").read_text().splitlines())


def gone(pid: int, seconds: float = 5) -> bool:
    """Whether the process ends within some seconds; a zombie has ended."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
        time.sleep(0.01)
    return False


def read_pid(path: Path) -> int:
    end = time.monotonic() + 10
    while time.monotonic() < end:
        if path.exists() and (text := path.read_text()).endswith("\n"):
            return int(text)
        time.sleep(0.01)
    raise AssertionError(f"{path} was not written")


@pytest.mark.parametrize(
    ("script", "code", "count", "reason"),
    [
        ("exit 0", 0, 1, ""),
        ("exit 1", 1, 3, "exit code 1"),
        ("exit 2", 2, 1, "exit code 2"),
        ("exit 7", 1, 3, "exit code 7"),
        ("kill -SEGV $$", 1, 3, "ended by signal SIGSEGV"),
        ('[ "$(wc -l < "$1")" -ge 2 ]', 0, 2, ""),
    ],
)
def test_what_is_tried_again(tmp_path, script, code, count, reason):
    outcome = run_supervised(counting(tmp_path, script), retry=RetryPolicy(2))
    assert (outcome.code, outcome.tries, outcome.reason) == (code, count, reason)
    assert tries(tmp_path) == count


def test_waits_grow_by_the_factor_up_to_the_longest():
    policy = RetryPolicy(limit=9, backoff=10, factor=2, max=60)
    assert [policy.wait(retry) for retry in (1, 2, 3, 4, 5, 5000)] == [10, 20, 40, 60, 60, 60]
    assert RetryPolicy(limit=2, backoff=5).wait(2) == 5


def test_it_waits_between_tries(tmp_path, capfd):
    began = time.monotonic()
    run_supervised(counting(tmp_path, "exit 1"), retry=RetryPolicy(2, 0.1, 2))
    assert 0.3 <= time.monotonic() - began < 3
    lines = capfd.readouterr().err.splitlines()
    assert lines == ["wurzel: exit code 1; trying again in 0.1s", "wurzel: exit code 1; trying again in 0.2s"]


def test_a_timeout_ends_grandchildren_and_is_tried_again(tmp_path):
    script = f'sleep 100 & echo $! > "{tmp_path}/pid"; wait'
    outcome = run_supervised(counting(tmp_path, script), timeout=0.3, retry=RetryPolicy(1))
    assert (outcome.code, outcome.tries, outcome.reason) == (1, 2, "timed out after 0.3s")
    assert tries(tmp_path) == 2
    assert gone(read_pid(tmp_path / "pid"))


def test_what_a_finished_command_leaves_behind_is_ended(tmp_path):
    outcome = run_supervised(["sh", "-c", f'sleep 100 & echo $! > "{tmp_path}/pid"'])
    assert outcome.code == 0
    assert gone(read_pid(tmp_path / "pid"), 0.1)


def test_the_log_holds_both_streams_of_every_try(tmp_path):
    log = tmp_path / "step.log"
    run_supervised(["sh", "-c", "echo out; echo err >&2; exit 1"], retry=RetryPolicy(1), log=log)
    assert log.read_text() == "out\nerr\n" * 2


def test_environment_and_folder_are_those_given(tmp_path):
    log = tmp_path / "log"
    run_supervised(["/bin/sh", "-c", 'echo "$A"; pwd; cat'], env={"A": "ä b"}, cwd=tmp_path, log=log)
    assert log.read_text() == f"ä b\n{tmp_path}\n"


def test_a_command_that_cannot_start_is_for_the_user_to_mend():
    outcome = run_supervised(["/nonesuch/program"], retry=RetryPolicy(3))
    assert (outcome.code, outcome.tries) == (2, 1)
    assert "/nonesuch/program" in outcome.reason


def test_no_more_run_at_once_than_allowed_and_one_failure_stops_no_other(tmp_path):
    script = (
        f': > "{tmp_path}/$1"; ls "{tmp_path}" | wc -l >> "{tmp_path}.seen"; sleep 0.1; rm "{tmp_path}/$1"; exit $2'
    )
    commands = [Command(["sh", "-c", script, "sh", str(n), str(int(n == 2))]) for n in range(8)]
    outcomes = run_tasks(commands, retry=RetryPolicy(), jobs=2)
    assert [outcome.code for outcome in outcomes] == [0, 0, 1, 0, 0, 0, 0, 0]
    assert max(int(line) for line in Path(f"{tmp_path}.seen").read_text().split()) == 2


SUPERVISOR = """
import sys
from wurzel.runtime.supervise import RetryPolicy, run_supervised
sys.exit(run_supervised(["sh", "-c", sys.argv[1]], retry=RetryPolicy(5, 60)).code)
"""


def supervisor(script: str, **options) -> subprocess.Popen:
    return subprocess.Popen([sys.executable, "-c", SUPERVISOR, script], stderr=subprocess.DEVNULL, **options)


@pytest.mark.parametrize(("signum", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGHUP, 129)])
def test_a_signal_ends_the_group_and_then_the_supervisor(tmp_path, signum, code):
    process = supervisor(f'sleep 100 & echo $! > "{tmp_path}/pid"; wait')
    pid = read_pid(tmp_path / "pid")
    process.send_signal(signum)
    assert process.wait(10) == code
    assert gone(pid, 0.1)


def test_a_signal_ends_the_wait_for_a_retry(tmp_path):
    process = supervisor(f'echo $$ > "{tmp_path}/pid"; exit 1')
    gone(read_pid(tmp_path / "pid"))
    process.terminate()
    assert process.wait(10) == 143


def test_a_second_signal_kills_what_ignores_the_first(tmp_path):
    process = supervisor(f"""trap '' TERM; sh -c 'trap "" TERM; echo $$ > "{tmp_path}/pid"; sleep 100'""")
    pid = read_pid(tmp_path / "pid")
    process.terminate()
    time.sleep(0.3)
    assert process.poll() is None
    process.terminate()
    assert process.wait(10) == 143
    assert gone(pid, 0.1)


@pytest.mark.skipif(sys.platform != "linux", reason="needs F_SETSIG")
def test_nothing_outlives_a_killed_supervisor(tmp_path):
    process = supervisor(
        f'trap "" TERM HUP INT; sleep 100 & echo $! > "{tmp_path}/pid"; echo $$ > "{tmp_path}/shell"; wait'
    )
    pids = [read_pid(tmp_path / "pid"), read_pid(tmp_path / "shell")]
    process.kill()
    process.wait(10)
    assert all(gone(pid, 2) for pid in pids)


def test_ignored_signals_stay_ignored(tmp_path):
    def ignore():
        signal.signal(signal.SIGINT, signal.SIG_IGN)

    process = supervisor(f'echo $$ > "{tmp_path}/pid"; sleep 0.4', preexec_fn=ignore)
    read_pid(tmp_path / "pid")
    process.send_signal(signal.SIGINT)
    assert process.wait(10) == 0


def test_handlers_of_the_caller_are_restored():
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD)]
    run_supervised(["true"])
    assert before == [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD)]


def test_no_descriptor_is_left_open():
    def descriptors() -> int:
        return len(list(Path("/dev/fd").iterdir()))

    run_supervised(["true"])
    before = descriptors()
    for _ in range(5):
        run_supervised(["false"], retry=RetryPolicy(1))
        run_supervised(["/nonesuch/program"])
    assert descriptors() == before
