"""Calls code of the step's author: what it raises becomes an error that shows its author the lines to look at."""

from __future__ import annotations

import os
import sys
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from wurzel.exceptions import USAGE, StepFailed, WurzelError
from wurzel.runtime.ending import Terminated


class UserCodeFailed(StepFailed):
    """Code of the step raised an error; `reason` says which in one line, the message has the traceback."""

    def __init__(self, reason: str, traceback: str, where: str, *, is_final: bool = False) -> None:
        super().__init__(f"{reason}\n{traceback}" if traceback else reason, where=where)
        self.reason = reason
        if is_final:
            self.exit_code = USAGE


@contextmanager
def user_code(step_id: str, doing: str = "") -> Iterator[None]:
    """Turn what the step's own code raises into an error that shows its author the lines to look at."""
    from wurzel.core.tracebacks import first_of, one_line, place_of, shortened

    where = f"step {step_id!r}"
    here = _current_folder()
    try:
        with _in_this_process():
            yield
    except (Terminated, KeyboardInterrupt, GeneratorExit):
        raise
    except WurzelError as error:
        error.where = error.where or where
        raise
    except SystemExit as error:
        raise UserCodeFailed(f"it calls sys.exit({error.code!r}){doing}", place_of(error), where) from None
    except BaseException as error:  # asyncio.CancelledError is not an Exception
        first = first_of(error)[0]
        if isinstance(first, WurzelError):  # raised within a TaskGroup
            first.where = first.where or where
            raise first from error
        is_final = isinstance(first, ModuleNotFoundError)  # another try would not install the package
        raise UserCodeFailed(f"{one_line(error)}{doing}", shortened(error), where, is_final=is_final) from error
    finally:
        if here is not None:  # what we were told is relative to it
            with suppress(OSError):
                os.chdir(here)


@contextmanager
def _in_this_process() -> Iterator[None]:
    """End a process that the step has forked where its code is over: the dataset is written by one process alone."""
    owner, code = os.getpid(), 0
    try:
        yield
    except BaseException as error:
        if os.getpid() == owner:
            raise
        code = 1
        if isinstance(error, SystemExit):
            code = error.code if isinstance(error.code, int) else int(error.code is not None)
        else:
            sys.excepthook(type(error), error, error.__traceback__)
    if os.getpid() != owner:
        with suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def _current_folder() -> Path | None:
    try:
        return Path.cwd()
    except FileNotFoundError:  # removed while we are in it
        return None


def awaited(result: Awaitable[Any]) -> Any:
    """What an `async def run` gives."""
    import asyncio

    async def wait() -> Any:
        return await result

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(wait())
    # A notebook, or an asynchronous test, has a loop in this thread already.
    from concurrent.futures import ThreadPoolExecutor
    from contextvars import copy_context

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(copy_context().run, asyncio.run, wait()).result()
