"""Writing the files of `wurzel ci` and `wurzel image`, or checking them."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from wurzel.render.output import Change


def write(changes: Sequence[Change], command: str, *, check: bool, force: bool) -> None:
    """Write the files, say what became of each, and show how those differ that are not written.

    Args:
        changes: what writing them would change.
        command: the command that writes them.
        check: write nothing.
        force: overwrite files that were edited by hand or not written by wurzel.

    Raises:
        CheckFailed: with `check`, when a file is out of date.
        WriteError: when one cannot be written.
    """
    from wurzel.exceptions import CheckFailed
    from wurzel.render.output import apply

    different = [change for change in changes if change.state != "same"]
    for change in different:
        if check or (change.is_blocked and not force):
            click.echo(change.diff(), nl=False)
            sys.stdout.flush()
    if check and different:
        raise CheckFailed(
            f"out of date: {', '.join(change.path for change in different)}", hint=_advice(different, command)
        )
    if not check:
        apply(changes, force=force)
    for change in changes:
        state = "is up to date" if change.state == "same" else "created" if change.old is None else "updated"
        click.echo(f"{change.path} {state}" if change.state == "same" else f"{state} {change.path}", err=True)


def _advice(different: Sequence[Change], command: str) -> str:
    """The command that updates the files; one that was written with other options may be right as it is."""
    from wurzel.render.header import command_of

    for change in different:
        written = shlex.join(command_of(change.old or b""))
        if written not in {"", command}:
            return f"It was written by: {written}\n  Check it with the same options, or run: {command}"
    return f"Run: {command}"


def write_report(path: str, text: str) -> None:
    """Write a file that an option names, and say so. Raises `WriteError`."""
    from wurzel.exceptions import WriteError
    from wurzel.regular_file import write_file

    try:
        write_file(path, text.encode())
    except OSError as error:
        raise WriteError(f"cannot be written: {error.strerror}", where=path) from None
    click.echo(f"wrote {path}", err=True)
