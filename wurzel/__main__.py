"""The `wurzel` command, and `python -m wurzel`."""

import os
import sys

# Python puts the current folder first, where a `types.py` or `random.py` of the project would hide Python's own from
# wurzel. It is made importable later, when code of the project is.
try:
    if not sys.flags.safe_path and sys.path[:1] == [os.getcwd()]:  # noqa: PTH109 - pathlib would be imported before
        del sys.path[0]
except FileNotFoundError:  # the current folder was removed; `main` says so
    pass

import signal

_INTERRUPT = signal.getsignal(signal.SIGINT)
if _INTERRUPT is signal.default_int_handler:
    # While modules are imported there is nothing to clean up: Ctrl-C ends the process without a traceback.
    signal.signal(signal.SIGINT, signal.SIG_DFL)

from wurzel import cli  # noqa: E402 - after the above


def main() -> None:
    """Run the command line."""
    signal.signal(signal.SIGINT, _INTERRUPT)
    cli.main()


if __name__ == "__main__":
    main()
