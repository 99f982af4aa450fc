import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from wurzel.runtime.processes import Command
from wurzel.runtime.supervise import ONCE, Outcome, RetryPolicy, run_tasks, supervise_step


def run_supervised(argv, *, retry=ONCE, **how) -> Outcome:
    """What becomes of one command."""
    return run_tasks([Command(argv, **how)], retry=retry, jobs=1)[0]


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


def test_what_a_finished_command_leaves_behind_is_asked_to_end(tmp_path):
    began = time.monotonic()
    outcome = run_supervised(["sh", "-c", f'sleep 100 & echo $! > "{tmp_path}/pid"'])
    assert (outcome.code, time.monotonic() - began < 8) == (0, True)
    assert gone(read_pid(tmp_path / "pid"), 0.1)


def test_a_stopped_command_is_ended_too():
    began = time.monotonic()
    assert run_supervised(["sh", "-c", "kill -STOP $$"], timeout=0.2).code == 1
    assert time.monotonic() - began < 8


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


def test_no_more_run_at_once_than_allowed(tmp_path):
    script = f': > "{tmp_path}/$1"; ls "{tmp_path}" | wc -l >> "{tmp_path}.seen"; sleep 0.1; rm "{tmp_path}/$1"'
    commands = [Command(["sh", "-c", script, "sh", str(n)]) for n in range(8)]
    assert [outcome.code for outcome in run_tasks(commands, retry=RetryPolicy(), jobs=2)] == [0] * 8
    assert max(int(line) for line in Path(f"{tmp_path}.seen").read_text().split()) == 2


def test_once_one_has_failed_for_good_no_more_are_started():
    commands = [Command(["sh", "-c", f"exit {int(n == 2)}"]) for n in range(5)]
    outcomes = run_tasks(commands, retry=RetryPolicy(1), jobs=1)
    assert [(outcome.code, outcome.tries) for outcome in outcomes] == [(0, 1), (0, 1), (1, 2), (1, 0), (1, 0)]


def step_command(root, target, output, *inputs):
    folders = [word for folder in inputs for word in ("-i", folder)]
    return [sys.executable, "-m", "wurzel", "-q", "step", target, *folders, "-o", str(output)]


def test_slices_of_a_step_are_the_whole_step(project):
    root = project("sharded")
    words, loud, whole = root / "words", root / "loud", root / "whole"
    assert supervise_step(step_command(root, "steps:Words", words), output=words) == 0
    argv = step_command(root, "sharded:Loud", whole, str(words))
    assert supervise_step(argv, output=whole, report=root / "whole.json") == 0
    argv = step_command(root, "sharded:Loud", loud, str(words))
    assert supervise_step(argv, output=loud, report=root / "loud.json", shards=3) == 0
    assert [path.read_bytes() for path in sorted(loud.iterdir())] == [
        path.read_bytes() for path in sorted(whole.iterdir())
    ]
    assert (root / "loud.json").read_bytes() == (root / "whole.json").read_bytes()
    assert not [path for path in root.iterdir() if path.name.startswith(".")]
    argv = step_command(root, "sharded:Loud", root / "second", str(words))
    assert supervise_step(argv, output=root / "second", shard=(2, 3)) == 0
    assert [path.name for path in (root / "second").iterdir()] == ["shard-2-of-3"]


def test_a_failing_slice_fails_the_step_and_leaves_its_last_output(project, capfd):
    root = project("sharded")
    words, loud = root / "words", root / "loud"
    supervise_step(step_command(root, "steps:Words", words), output=words)
    shutil.copytree(words, loud)
    argv = step_command(root, "steps:Failing", loud, str(words))
    assert supervise_step(argv, output=loud, shards=2, retry=RetryPolicy(1)) == 1
    assert [path.read_bytes() for path in sorted(loud.iterdir())] == [
        path.read_bytes() for path in sorted(words.iterdir())
    ]
    assert not list(root.glob(".*"))
    assert "wurzel: slice 1 of 2: exit code 1; trying again\n" in capfd.readouterr().err


def test_options_of_wurzel_step_reach_the_supervisor(project, capfd):
    root = project("flaky")
    words = root / "words"
    supervise_step(step_command(root, "steps:Words", words), output=words)
    options = ["--retries", "1", "--backoff", "1s", "--backoff-max", "0", "--timeout", "1m"]
    argv = step_command(root, "steps:Flaky", root / "flaky", str(words))
    assert subprocess.run([*argv, *options], check=False).returncode == 0
    assert "wurzel: exit code 1; trying again\n" in capfd.readouterr().err
    (root / "steps.py").write_text(
        "import time\n" + (root / "steps.py").read_text().replace("return inpt", "time.sleep(60)")
    )
    done = subprocess.run([*argv, "--timeout", "2s"], check=False)
    assert done.returncode == 1
    assert "error: timed out after 2s\n" in capfd.readouterr().err


SUPERVISOR = """
import sys
from wurzel.runtime.processes import Command
from wurzel.runtime.supervise import RetryPolicy, run_tasks
sys.exit(run_tasks([Command(["sh", "-c", sys.argv[1]])], retry=RetryPolicy(5, 60), jobs=1)[0].code)
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
    time.sleep(0.5)  # it may not have come to tie them to itself
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


def test_few_files_slow_a_run_down_and_fail_nothing():
    code = (
        "import resource, sys\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40))\n"
        "from wurzel.runtime import supervise\n"
        "from wurzel.runtime.processes import Command\n"
        "supervise._OWN_FILES = int(sys.argv[1])\n"
        "outcomes = supervise.run_tasks([Command(['sleep', '0.2'])] * 60, retry=supervise.ONCE, jobs=60)\n"
        "print(*{(outcome.code, outcome.reason) for outcome in outcomes})"
    )
    for own in ("32", "0"):  # by the limit, and by what the system refuses
        done = subprocess.run([sys.executable, "-c", code, own], capture_output=True, text=True, check=False)
        assert (done.stdout, done.stderr) == ("(0, '')\n", "")


@pytest.mark.parametrize("tries", [0, 1])
def test_the_most_memory_of_all_tries_is_known(tmp_path, tries):
    allocate = "import os; n = 200_000_000 if not os.path.exists('again') else 1; bytearray(n); "
    fail = "open('again', 'w').close(); raise SystemExit(n > 1)" if tries else ""
    # In a process of its own: what it starts begins with the memory that it holds, and pytest may hold a lot.
    supervising = (
        "import sys; from wurzel.runtime.processes import Command\n"
        "from wurzel.runtime.supervise import RetryPolicy, run_tasks\n"
        f"command = Command([sys.executable, '-c', {allocate + fail!r}])\n"
        f"outcome, = run_tasks([command], retry=RetryPolicy({tries}), jobs=1)\n"
        "print(outcome.code, outcome.tries, outcome.memory)"
    )
    done = subprocess.run([sys.executable, "-c", supervising], cwd=tmp_path, capture_output=True, text=True, check=True)
    code, count, memory = map(int, done.stdout.split())
    assert (code, count) == (0, tries + 1)
    assert 200_000_000 < memory < 400_000_000
