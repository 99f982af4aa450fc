"""The `wurzel` command, and `python -m wurzel`."""

import atexit
import gc
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
    # Imports allocate a lot and free nothing: garbage collection during them costs a tenth of a cold start.
    usual = gc.get_threshold()
    gc.set_threshold(100_000, 20, 100)
    opened = _opened()
    if _runs_step(sys.argv[1:]):
        from wurzel.runtime.guard import begin

        begin(sys.argv[1:])
    from wurzel import cli

    signal.signal(signal.SIGINT, _INTERRUPT)
    cli.owns_process = True
    cli.collection = usual
    try:
        cli.main()
    except SystemExit as end:
        _leave(end.code, opened)
        raise


def _leave(code: object, opened: tuple[int, int]) -> None:
    """End the process without taking all objects apart, which is a sixth of a cold render.

    Only where that changes nothing: no code of an author has left a file or thread open, or an object of a step. The
    client of a store leaves its connections open.
    """
    threads = sys.modules.get("threading")
    if not isinstance(code, int | None) or "wurzel.runtime.step" in sys.modules:
        return
    now = _opened()
    if opened[0] < 0 or opened[0] != now[0] or (opened != now and "obstore" not in sys.modules):
        return
    if threads is not None and threads.active_count() > 1:
        return
    atexit._run_exitfuncs()  # noqa: SLF001 - as Python does at its end
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except (OSError, ValueError, AttributeError):  # Python reports it, and chooses the exit code
        return
    os._exit(code or 0)


def _opened() -> tuple[int, int]:
    """How many files and how many sockets are open, those that were inherited included; -1 where nothing tells."""
    try:
        names = os.listdir("/dev/fd")  # noqa: PTH208 - pathlib would be imported before
    except OSError:
        return -1, 0
    sockets = sum(map(_is_socket, names))
    return len(names) - sockets, sockets


def _is_socket(name: str) -> bool:
    try:
        kind = os.readlink(f"/dev/fd/{name}")  # noqa: PTH115
    except OSError:
        return False  # also the folder that was just read
    return kind.startswith(("socket:", "anon_inode:"))


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
