"""Commands on a pseudo-terminal."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import termios
from collections.abc import Sequence
from typing import Any

STREAMS = ("stdin", "stdout", "stderr")


def on_a_terminal(
    command: Sequence[str], columns: int, rows: int, *, streams: Sequence[str] = STREAMS, **options: Any
) -> tuple[int, str]:
    """Exit code of a command, and all it writes to a terminal of this size.

    Args:
        command: argument list.
        columns: letters of a line.
        rows: lines.
        streams: which of its streams are the terminal.
        options: more for `subprocess.Popen`.
    """
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    process = subprocess.Popen(command, **dict.fromkeys(streams, follower), **options)
    os.close(follower)
    written = b""
    while True:
        try:
            data = os.read(leader, 65536)
        except OSError:  # Linux, when the last writer is gone
            break
        if not data:
            break
        written += data
    os.close(leader)
    return process.wait(30), written.decode()
