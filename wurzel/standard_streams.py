"""Standard input, output and error, which whoever starts us may have closed, and threads of the user print into."""

import io
import os
import sys
from _thread import get_ident
from typing import Any


def open_standard_streams() -> None:
    """Open closed standard streams on /dev/null, so that none of our files or pipes gets their number."""
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number
    for descriptor, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:  # Python's, where they were closed; code asks them whether they are a terminal
            setattr(sys, name, open(descriptor, "w" if descriptor else "r", closefd=False))  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.errors == "strict" and stream.encoding.lower() != "utf-8":
            stream.reconfigure(errors="backslashreplace")  # a terminal in Latin-1 has no `…`, nor all texts of users


def own_standard_output() -> None:
    """Write what this thread prints to standard output, and all else to standard error, to the end of the process.

    Modules of the user may start threads and programs that go on printing while a document is written. Does nothing
    where a caller has sent standard output elsewhere.
    """
    try:
        if sys.stdout.fileno() != 1:
            return
        kept = os.dup(1)
        os.dup2(2, 1)
    except OSError:
        return
    sys.stdout.flush()
    sys.stdout = _Own(os.fdopen(kept, "wb"), encoding=sys.stdout.encoding, errors=sys.stdout.errors)


class _Own(io.TextIOWrapper):
    """Text of the thread that it was made in; that of others goes to standard error."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._owner = get_ident()

    def write(self, text: str) -> int:
        return super().write(text) if get_ident() == self._owner else sys.stderr.write(text)
