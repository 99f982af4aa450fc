"""Signals by name, and the one by which the kernel kills a process whose watcher vanishes, however that happens."""

from __future__ import annotations

import contextlib
import os
import signal
import sys

if sys.platform == "linux":
    from fcntl import F_GETFL, F_SETFL, F_SETOWN, F_SETSIG, fcntl


def tie(reader: int, owner: int) -> None:
    """Let the kernel kill a process, or the group of a negative number, when whoever has the other end vanishes.

    The process keeps the reading end of a pipe whose writing end only its watcher has. Once that one is gone the pipe
    hangs up, and `F_SETSIG` (Linux, fcntl(2)) makes that hang-up a KILL to the owner.
    """
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            fcntl(reader, F_SETOWN, owner)
            fcntl(reader, F_SETSIG, signal.SIGKILL)
            fcntl(reader, F_SETFL, fcntl(reader, F_GETFL) | os.O_ASYNC)


def untie(reader: int) -> None:
    """Send no signal any more, whoever still has this end of the pipe."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            fcntl(reader, F_SETFL, fcntl(reader, F_GETFL) & ~os.O_ASYNC)


def signal_name(number: int) -> str:
    """`SIGTERM` for 15; the number itself where it has no name."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return str(number)
