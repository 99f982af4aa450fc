"""CPU, wall time and memory of commands that run in turn, so that what slows the machine slows all of them."""

import os
import statistics
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

BENCH = Path(__file__).resolve().parents[2] / ".bench"
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
ENVIRONMENT = {
    **{name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"},
    "DVC_NO_ANALYTICS": "1",
}


class Cost(NamedTuple):
    """What one run of a command and its children took: CPU and wall time in seconds, largest process in MB."""

    cpu: float
    wall: float
    memory: float


# A process counts the memory of the one that started it as its own until it has replaced its program. This one is
# small, and writes what the command took to the descriptor of its first argument.
LAUNCH = """
import os, sys, time
started = time.monotonic()
child = os.posix_spawnp(sys.argv[2], sys.argv[2:], os.environ)
_, status, used = os.wait4(child, 0)
cost = (used.ru_utime + used.ru_stime, time.monotonic() - started, used.ru_maxrss / 1024)
os.write(int(sys.argv[1]), " ".join(map(str, cost)).encode())
sys.exit(os.waitstatus_to_exitcode(status) % 256)
"""


def run(argv, cwd, env=None, code=0):
    """Run a command once.

    Exits when it ends with another code, with what it said.
    """
    read, write = os.pipe()
    with os.fdopen(read, "rb") as taken:
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-c", LAUNCH, str(write), *argv],
            cwd=cwd,
            env=ENVIRONMENT | (env or {}),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=(write,),
            check=False,
        )
        os.close(write)
        if done.returncode != code:
            sys.exit(f"{argv} failed:\n{done.stdout.decode(errors='replace')}")
        return Cost(*map(float, taken.read().split()))


def attempt(argv, cwd, env=None):
    """Run a command once; what it said when it failed, otherwise nothing."""
    done = subprocess.run(
        argv, cwd=cwd, env=ENVIRONMENT | (env or {}), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )
    return (done.stdout.decode(errors="replace") or "nothing") if done.returncode else ""


def installed(name, *packages):
    """The `bin` of an environment of its own with packages that cannot share ours; none where they do not install."""
    folder = BENCH / name
    if not (folder / "installed").exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        done = subprocess.run([str(folder / "bin" / "pip"), "install", "--quiet", *packages], check=False)
        if done.returncode:
            return None
        (folder / "installed").touch()
    return folder / "bin"


def in_turn(calls, rounds=None, take=statistics.median):
    """The median cost of several calls that give a `Cost`, each done once per round; the first round does not count.

    `take=min` gives the least cost, which what else runs on the machine changes little.
    """
    rows = [[call() for call in calls] for _ in range((rounds or ROUNDS) + 1)][1:]
    return [Cost(*map(take, zip(*column, strict=True))) for column in zip(*rows, strict=True)]


def python(code):
    """The command that runs a line of Python."""
    return [sys.executable, "-c", code]


def wurzel(*arguments):
    """The installed command."""
    return [str(Path(sys.executable).parent / "wurzel"), *arguments]
