"""Errors and warnings of commands."""

from __future__ import annotations

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
