"""Programs of engines: where they are, and running them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from wurzel.core.program import captured, end
from wurzel.exceptions import WurzelError

ENGINES = "WURZEL_ENGINES"
"""Environment variable that names a folder of engines, each with its programs in `<engine>/bin`."""
KILLED = 137
"""Exit code of a program that took too long, as a shell would see it."""

Finished = subprocess.CompletedProcess[str]

_GRACE = 10.0
"""Seconds between TERM and KILL, which gitlab-ci-local needs."""
_RUNNING: set[subprocess.Popen[str]] = set()
_ENDED = threading.Event()
"""Set once threads must start nothing more; the main thread still cleans up."""


def engine_path() -> str:
    """PATH for engines: the wurzel of this process comes first, since rendered files call `wurzel`."""
    return f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"


class EngineFailed(WurzelError):
    """A program that prepares a run has failed."""


def found(engine: str, program: str) -> Path | None:
    """A program of an engine: below the folder of engines if there is one, else beside this Python or on the PATH."""
    if folder := os.environ.get(ENGINES):
        own = Path(folder, engine, "bin", program)
        if own.exists():
            return own.absolute()
    path = shutil.which(program, path=engine_path())
    return Path(path) if path else None


def program_of(engine: str, program: str) -> Path:
    """As `found`, for an engine that is known to be here."""
    path = found(engine, program)
    if path is None:
        raise EngineFailed(f"{program} is not on the PATH")
    return path


def not_found(engine: str, program: str, install: str) -> str:
    """Why an engine cannot run and how to get it; '' if it is here."""
    return "" if found(engine, program) else f"{program} is not on the PATH: `{install}`"


def finished(
    words: Sequence[str | Path],
    folder: Path,
    environment: Mapping[str, str],
    *,
    seconds: float | None = None,
    check: bool = False,
) -> Finished:
    """Run a program to its end. One that takes longer than `seconds` is killed with all that it has started.

    Raises `EngineFailed` with `check`, when its exit code is not 0, and in a thread once all is ended.
    """
    if _ENDED.is_set() and threading.current_thread() is not threading.main_thread():
        raise EngineFailed("ended")
    argv = [*map(str, words)]
    with captured(argv, _GRACE, cwd=folder, env=environment, stdin=subprocess.DEVNULL) as process:
        _RUNNING.add(process)
        try:
            code, out, err = _ended(process, seconds)
        finally:
            _RUNNING.discard(process)
    if check and code:
        raise EngineFailed(f"{Path(argv[0]).name} {argv[1]} ended with exit code {code}:\n{(out + err)[-4000:]}")
    return Finished(argv, code, out, err)


def _ended(process: subprocess.Popen[str], seconds: float | None) -> tuple[int, str, str]:
    """The exit code of a program and what it printed, once it and all that it has started have ended."""
    try:
        out, err = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        end(process, _GRACE)
        out, err = process.communicate()
        return KILLED, out, f"{err}\nkilled: it took longer than {seconds:.0f} s\n"
    return process.returncode, out, err


def kill_all() -> None:
    """End all programs that other threads wait for, and let these threads start no other."""
    _ENDED.set()
    for process in list(_RUNNING):
        end(process, _GRACE)


def said_version(*command: str | Path) -> str:
    """The first line that a program prints about its version."""
    done = finished(command, Path.cwd(), os.environ)
    return (done.stdout + done.stderr).strip().partition("\n")[0]
