"""Tracebacks for the authors of steps: their own lines, not ours and not those of the import system."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from traceback import FrameSummary, TracebackException

_PACKAGE = str(Path(__file__).resolve().parent.parent)
_STEPS = str(Path(_PACKAGE, "steps"))
_LIBRARY = str(Path(sys.modules["os"].__file__ or "").parent)
_IMPORTLIB = str(Path(_LIBRARY, "importlib"))
_INSTALLED = ("site-packages", "dist-packages")


def shortened(error: BaseException) -> str:
    """The traceback of an error and of its causes, with the user's frames and the place where it was raised."""
    from traceback import TracebackException

    whole = TracebackException.from_exception(error)
    todo: list[TracebackException | None] = [whole]
    while todo:
        part = todo.pop()
        if part is not None:
            _shorten(part)
            todo += [part.__cause__, part.__context__, *(part.exceptions or ())]
    return "".join(whole.format()).rstrip("\n")


def one_line(error: BaseException) -> str:
    """Class and text of an error on one line; for a group, such as that of a TaskGroup, those of its first error."""
    error, more = first_of(error)
    try:
        text = str(error)
    except Exception:  # noqa: BLE001 - the author's own __str__ may do anything
        text = "(its text cannot be shown)"
    rest = f" (and {more} more)" if more else ""
    return " ".join(f"{type(error).__name__}: {text}{rest}".split())


def first_of(error: BaseException) -> tuple[BaseException, int]:
    """The first error of a group, however deep within, and how many others there are; an error itself otherwise."""
    more = 0
    while isinstance(error, BaseExceptionGroup):
        more += len(error.exceptions) - 1
        error = error.exceptions[0]
    return error, more


def place_of(error: BaseException) -> str:
    """`file:line` of the user's line that led to an error, or an empty text."""
    from traceback import extract_tb

    frames = [frame for frame in extract_tb(error.__traceback__) if is_users(frame)]
    return f"{_relative(frames[-1].filename)}:{frames[-1].lineno}" if frames else ""


def is_users(frame: FrameSummary) -> bool:
    """Whether a frame is in code of the user, or of a ready-made step."""
    file = frame.filename
    if file.startswith("<") or any(part in _INSTALLED for part in Path(file).parts):
        return False
    if file.startswith(_PACKAGE):
        return file.startswith(_STEPS)
    return not file.startswith(_LIBRARY)


def _shorten(part: TracebackException) -> None:
    from traceback import StackSummary

    frames = list(part.stack)
    kept = [frame for frame in frames if is_users(frame)]
    if kept and frames[-1] is not kept[-1] and not frames[-1].filename.startswith(("<", _PACKAGE)):
        kept.append(frames[-1])
    if kept:
        part.stack = StackSummary.from_list(kept)
    elif all(frame.filename.startswith(("<", _PACKAGE, _IMPORTLIB)) for frame in frames):
        part.stack = StackSummary.from_list([])


def _relative(file: str) -> str:
    try:
        return str(Path(file).relative_to(Path.cwd()))
    except ValueError:
        return file
