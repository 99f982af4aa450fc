"""How a step's process ends: cleanly when it is asked to, and with a reason where the platform looks for one."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from wurzel.exceptions import first_line
from wurzel.regular_file import write_file
from wurzel.runtime.logs import logger
from wurzel.runtime.masking import CURRENT

if TYPE_CHECKING:
    from wurzel.exceptions import WurzelError

TERMINATION_LOG = "/dev/termination-log"
"""Where Kubernetes reads why a container ended: at most 4096 bytes
(https://kubernetes.io/docs/tasks/debug/debug-application/determine-reason-pod-failure/)."""

LEFT = "Code of the step, or of a library, ends the process (os._exit, exec); let run() return instead."
"""What to do about a process that has ended before its dataset was stored."""
_LONGEST = 1024
_ENDING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Terminated(SystemExit):
    """This process was asked to end; it does so with 128 and the number of the signal, as shells say it."""


@contextlib.contextmanager
def ended_by_signals() -> Iterator[None]:
    """Let TERM, INT and HUP unwind what runs meanwhile, so that nothing half-written stays behind."""
    owner = os.getpid()

    def end(number: int, _frame: FrameType | None) -> None:
        if os.getpid() != owner:  # a process that the step forked: it ends as it would without us
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
            return
        for other in before:  # once is enough: what cleans up now must not be cut short
            signal.signal(other, signal.SIG_IGN)
        reason = f"ended by {signal.Signals(number).name}"
        write_reason(reason)
        logger.warning(reason)
        raise Terminated(128 + number)

    # What was ignored when we were started (by nohup, say) stays so.
    before = {number: old for number in _ENDING if (old := signal.getsignal(number)) is not signal.SIG_IGN}
    for number in before:
        signal.signal(number, end)
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)


def write_termination_log(error: WurzelError) -> None:
    """Write the first line of an error to the termination log, where there is one."""
    reason = first_line(error)
    write_reason(f"{error.where}: {reason}" if error.where else reason, error.exit_code)


def write_reason(reason: str, code: int | None = None) -> None:
    """Write one line to the file in `WURZEL_TERMINATION_LOG`, or to the one of Kubernetes if it exists.

    It ends with the exit code, if that is given: some engines show this line alone.
    """
    named = os.environ.get("WURZEL_TERMINATION_LOG")
    path = Path(named or TERMINATION_LOG)
    if named or path.exists():
        end = "" if code is None else f" (exit code {code})"
        text = " ".join(CURRENT.text(reason).split()).removesuffix(end)
        if text.endswith(f": exit code {code}"):
            text = text.removesuffix(f"exit code {code}") + "failed"
        line = text.encode("utf-8", "replace")[:_LONGEST]
        with contextlib.suppress(OSError):
            write_file(path, line + f"{end}\n".encode())
