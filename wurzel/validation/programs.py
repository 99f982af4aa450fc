"""Runs the platforms' own checkers on rendered files, as far as they are installed. None of them uses the network."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from wurzel.core.program import captured
from wurzel.exceptions import Problem
from wurzel.named_tuples import NamedTuple

_log = logging.getLogger(__name__)
_SECONDS = 300
_TOLD: ContextVar[set[str] | None] = ContextVar("told", default=None)
"""Messages about skipped checks since `told_once`; `None` outside of it."""


class Done(NamedTuple):
    """How a program ended, and its output."""

    code: int
    out: str
    err: str


def find(program: str) -> str | None:
    """Where a program is: beside this Python, or on the PATH."""
    import shutil

    return shutil.which(program, path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")


def found(program: str, how: str) -> str | None:
    """The same; if it is not installed, a warning says `how` to install it."""
    place = find(program)
    if place is None:
        tell_skipped(f"{program} is not installed, so its checks were skipped ({how})")
    return place


@contextmanager
def told_once() -> Iterator[None]:
    """Log each skipped check once within this context, for all files together."""
    token = _TOLD.set(set())
    try:
        yield
    finally:
        _TOLD.reset(token)


def tell_skipped(text: str) -> None:
    """Log that checks are skipped, and why."""
    told = _TOLD.get()
    if told is None or text not in told:
        _log.warning("%s", text)
    if told is not None:
        told.add(text)


def run(argv: Sequence[str], cwd: Path | None = None, text: str = "", env: Mapping[str, str] | None = None) -> Done:
    """Run a program that reads `text`, with `env` added to its environment.

    It ends with its children if it hangs, or when we are interrupted.
    """
    environment = {**os.environ, "NO_COLOR": "1", **(env or {})}
    try:
        with captured(argv, cwd=cwd, env=environment, stdin=subprocess.PIPE) as process:
            out, err = process.communicate(text, timeout=_SECONDS)
    except subprocess.TimeoutExpired:
        return Done(1, "", f"it did not end within {_SECONDS} s")
    except OSError as error:
        return Done(1, "", f"it did not start: {error}")
    return Done(process.returncode, out, err)


def asked(argv: Sequence[str], cwd: Path | None = None, text: str = "") -> tuple[Any, list[Problem]]:
    """The JSON that a program prints, or the problem that it printed none."""
    done = run(argv, cwd, text)
    try:
        return json.loads(done.out), []
    except ValueError:
        output = done.err.strip() or done.out.strip()
        return None, [Problem(f"{Path(argv[0]).name} failed ({done.code}): {output}")]


def write(path: Path, text: str) -> None:
    """Write a file for a program to read, and the folders around it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
