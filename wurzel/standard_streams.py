"""Standard input, output and error, which whoever starts us may have closed."""

import os


def open_standard_streams() -> None:
    """Give what is closed of them a place, so that no file or pipe of ours becomes somebody's output."""
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest number that is free
