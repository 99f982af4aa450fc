"""What commands print: errors and warnings, and JSON."""

from __future__ import annotations

import json
import os
from typing import Literal

import click

_COLOURS = {"error": "red", "warning": "yellow"}


def say(level: Literal["error", "warning"], text: object) -> None:
    """Write an error or a warning to standard error; on a terminal its first word has a colour."""
    label = f"{level}:"
    if "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb":
        label = click.style(label, fg=_COLOURS[level], bold=True)  # `echo` drops it where there is no terminal
    click.echo(f"{label} {text}", err=True)


def print_json(data: object) -> None:
    """Print JSON for other programs."""
    text = json.dumps(data, indent=2, ensure_ascii=False, default=str)
    try:
        text.encode()
    except UnicodeEncodeError:  # a path that is not UTF-8
        text = json.dumps(data, indent=2, default=str)
    click.echo(text)
