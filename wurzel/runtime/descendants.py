"""What the processes that we start leave behind, wherever it has gone: on Linux it becomes our own child."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

GRACE = 10.0
"""Seconds between asking a process to end (TERM) and killing it (KILL)."""

_PR_SET_CHILD_SUBREAPER = 36
_AFTER_KILL = 2.0  # what survives KILL this long is a zombie that nobody reaps, or hangs in the kernel


def adopt(wanted: bool = True) -> None:
    """Become the parent of every descendant whose own parent ends, as process 1 of a container is; Linux only.

    https://man7.org/linux/man-pages/man2/PR_SET_CHILD_SUBREAPER.2const.html
    """
    if sys.platform != "linux":
        return
    # `ctypes` itself, which has a class for every type of C, costs a fiftieth of a step's cold start.
    with contextlib.suppress(ImportError, OSError, AttributeError):
        import _ctypes

        class Int(_ctypes._SimpleCData):  # type: ignore[type-arg, misc, unused-ignore] # noqa: SLF001
            _type_ = "i"

        class Call(_ctypes.CFuncPtr):
            _flags_ = _ctypes.FUNCFLAG_CDECL
            _restype_ = Int

        library = _ctypes.dlopen(None, 0)  # type: ignore[arg-type, unused-ignore] # the process itself
        Call(_ctypes.dlsym(library, "prctl"))(_PR_SET_CHILD_SUBREAPER, int(wanted), 0, 0, 0)


def children(pid: int) -> list[int]:
    """The processes that a process is the parent of, as far as the system tells."""
    found: list[int] = []
    with contextlib.suppress(OSError, ValueError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            with contextlib.suppress(OSError):
                found += map(int, (task / "children").read_bytes().split())
    return found


def tree(roots: list[int]) -> list[int]:
    """These processes and all below them."""
    found: dict[int, None] = {}
    todo = list(roots)
    while todo:
        pid = todo.pop()
        if pid not in found:
            found[pid] = None
            todo += children(pid)
    return list(found)


def send(pids: list[int], signum: int) -> None:
    """Send a signal to each of these processes that is still there."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signum)


def end_all(grace: Callable[[], float], rest: Callable[[float], object]) -> None:
    """End every child that is left: TERM, and KILL once `grace` seconds are over. `rest` waits some seconds."""
    began, pause = time.monotonic(), 0.001
    asked: set[int] = set()
    while reap() and time.monotonic() - began < grace() + _AFTER_KILL:
        left = tree(children(os.getpid()))
        if time.monotonic() - began > grace():
            send(left, signal.SIGKILL)
        new = [pid for pid in left if pid not in asked]
        send(new, signal.SIGTERM)
        send(new, signal.SIGCONT)  # a stopped process would sleep through TERM
        asked.update(new)
        rest(pause)
        pause = min(pause * 2, 0.05)


def reap() -> bool:
    """Collect the children that have ended; whether there are others."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return False
    return True
