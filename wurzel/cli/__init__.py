"""The `wurzel` command: one module per sub-command, each imported only when it is called."""

from __future__ import annotations

import errno
import os
import sys
import warnings
from contextlib import suppress
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, NoReturn

from wurzel.cli.saying import say

if TYPE_CHECKING:
    from collections.abc import Callable

    from wurzel.cli.declare import Command

DEFAULT_STATE = {"log_format": "text", "level": "INFO"}
"""What a command is told of the options before its name, where there are none."""
_UNWRITABLE = frozenset({errno.ENOSPC, errno.EPIPE, errno.EBADF, errno.EIO})


def __getattr__(name: str) -> Any:
    """`cli`, the group of all commands; most calls need none."""
    if name == "cli":
        from wurzel.cli.root import cli

        return cli
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def _check_folder() -> None:
    from wurzel.exceptions import UsageError

    try:
        os.getcwd()  # noqa: PTH109 - pathlib is not imported yet
    except OSError:
        raise UsageError("the current folder no longer exists", hint="Change to one that does.") from None


def _end_output() -> None:
    """Send what modules of the user print at the end of the process to standard error: our output may be a document."""
    if owns_process and sys.stdout is not None and "wurzel.runtime.step" not in sys.modules:
        sys.stdout.flush()
        if sys.stdout.fileno() == 1:
            os.dup2(2, 1)
        else:
            sys.stdout, ours = sys.stderr, sys.stdout
            ours.close()


def own_output() -> None:
    """Keep what modules of the user print, in threads too, out of the document that a command prints."""
    from wurzel.standard_streams import own_standard_output

    if owns_process:
        own_standard_output()


owns_process = False
"""Whether the process is a command `wurzel`, not a program that calls our command line: only then may it be forked."""
collection: tuple[int, int, int] | None = None
"""When Python collects garbage by default, in a command, which imports with less of it."""


def collect_as_usual() -> None:
    """Collect garbage as Python does by default; to be called before code of steps runs, which may make a lot."""
    if collection is not None:
        import gc

        gc.set_threshold(*collection)


def main(args: list[str] | None = None) -> NoReturn:
    """Run the command line and exit: 0 success, 1 a step or check failed, 2 the user must act; or a bug's traceback."""
    from wurzel.exceptions import WurzelError, WurzelWarning
    from wurzel.standard_streams import open_standard_streams

    open_standard_streams()
    show = warnings.showwarning
    warnings.showwarning = lambda message, category, *place: (
        say("warning", message) if issubclass(category, WurzelWarning) else show(message, category, *place)
    )
    try:
        _check_folder()
        try:
            _call(sys.argv[1:] if args is None else args)
        finally:
            _end_output()
    except WurzelError as error:
        say("error", error)
        sys.exit(error.exit_code)
    except OSError as error:
        if error.filename is not None or error.errno not in _UNWRITABLE:
            raise
        sys.stdout = sys.__stdout__ = None  # type: ignore[misc] # nothing is flushed into it at the end
        if error.errno != errno.EPIPE:  # whoever read it has closed it, as `head` does: not a word, as click does
            with suppress(OSError):
                say("error", f"cannot write the output: {error.strerror}")
        sys.exit(1)
    sys.exit(0)


def _call(words: list[str]) -> None:
    """Do what the words say, without click where they are plain."""
    try:
        call = _plain(words)
        if call is not None:
            call()
            return
        from wurzel.cli.root import cli

        cli.main(args=words, prog_name="wurzel", standalone_mode=True)
    except KeyboardInterrupt:  # also while click is imported, or a command
        from wurzel.exceptions import INTERRUPTED

        sys.exit(INTERRUPTED)


def _plain(words: list[str]) -> Callable[[], object] | None:
    """The call of a command, if the words are surely what click makes of them."""
    if words[:1] not in (["render"], ["run"]) or os.name == "nt" or "_WURZEL_COMPLETE" in os.environ:
        return None
    command: Command = import_module(f"wurzel.cli.{words[0]}").command
    values = command.values(words[1:], os.environ)
    state = [dict(DEFAULT_STATE)] if command.takes_state else []
    return None if values is None else partial(command.function, *state, **values)
