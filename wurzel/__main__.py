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

_OTHERS = ("--gather", "--help", "--once", "--options", "--retries", "--shards", "--timeout", "--version", "-h")
"""Options of calls that run no step, or let other processes do it, or do it only sometimes."""


def main() -> None:
    """Run the command line; that of a step in a process under guard."""
    if _runs_step(sys.argv[1:]):
        from wurzel.runtime.guard import begin

        begin(sys.argv[1:])
    from wurzel import cli

    signal.signal(signal.SIGINT, _INTERRUPT)
    cli.owns_process = True
    cli.main()


def _runs_step(argv: list[str]) -> bool:
    """Whether this process is to run a step itself, as far as the words tell before they are parsed."""
    words = iter(argv)
    for word in words:
        if word in {"--log-format", "-C"}:
            next(words, None)
        elif not word.startswith("-"):
            return word == "step" and not any(other.partition("=")[0] in _OTHERS for other in argv)
    return False


if __name__ == "__main__":
    main()
