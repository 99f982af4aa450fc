"""How a step's process ends: cleanly when it is asked to, and with a reason where the platform looks for one."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wurzel.exceptions import WurzelError

TERMINATION_LOG = "/dev/termination-log"
"""Where Kubernetes reads why a container ended: at most 4096 bytes
(https://kubernetes.io/docs/tasks/debug/debug-application/determine-reason-pod-failure/)."""

_LONGEST = 1024


class Terminated(SystemExit):
    """This process was asked to end; it does so with 128 and the number of the signal, as shells say it."""


@contextlib.contextmanager
def ended_by_sigterm() -> Iterator[None]:
    """Let SIGTERM unwind what runs meanwhile, so that nothing half-written stays behind."""

    def end(number: int, _frame: FrameType | None) -> None:
        signal.signal(number, signal.SIG_IGN)  # once is enough: what cleans up now must not be cut short
        write_reason("ended by SIGTERM")
        raise Terminated(128 + number)

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def write_termination_log(error: WurzelError) -> None:
    """Write the first line of an error to the termination log, where there is one."""
    reason = getattr(error, "reason", None) or error.message.partition("\n")[0]
    write_reason(f"{error.where}: {reason}" if error.where else reason)


def write_reason(reason: str) -> None:
    """Write one line to the file in `WURZEL_TERMINATION_LOG`, or to the one of Kubernetes if it exists."""
    named = os.environ.get("WURZEL_TERMINATION_LOG")
    path = Path(named or TERMINATION_LOG)
    if named or path.exists():
        line = " ".join(reason.split()).encode("utf-8", "replace")[:_LONGEST]
        with contextlib.suppress(OSError):
            path.write_bytes(line + b"\n")
