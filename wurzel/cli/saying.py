"""What commands print: errors and warnings, notes, and JSON."""

from __future__ import annotations

import json
import os
import sys
from typing import Literal

_COLOURS = {"error": "red", "warning": "yellow"}


def say(level: Literal["error", "warning"], text: object) -> None:
    """Write an error or a warning to standard error; on a terminal its first word has a colour."""
    label = f"{level}:"
    plain = "NO_COLOR" in os.environ or os.environ.get("TERM") == "dumb"
    if not plain and sys.stderr is not None and sys.stderr.isatty():
        from click import style

        label = style(label, fg=_COLOURS[level], bold=True)
    inform(f"{label} {text}")


def inform(line: str) -> None:
    """Write a line to standard error."""
    if sys.stderr is not None:
        sys.stderr.write(f"{line}\n")
        sys.stderr.flush()


def write(text: str) -> None:
    """Write text to standard output."""
    if sys.stdout is not None:
        sys.stdout.write(text)
        sys.stdout.flush()


def print_json(data: object) -> None:
    """Print JSON for other programs."""
    text = json.dumps(data, indent=2, ensure_ascii=False, default=str)
    try:
        text.encode()
    except UnicodeEncodeError:  # a path that is not UTF-8
        text = json.dumps(data, indent=2, default=str)
    write(f"{text}\n")
