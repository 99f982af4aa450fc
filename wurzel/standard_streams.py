"""Standard input, output and error, which whoever starts us may have closed."""

import os
import sys


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
