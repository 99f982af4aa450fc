"""`wurzel new`: files to start from."""

from __future__ import annotations

import click

from wurzel.cli.group import CommandGroup

COMMANDS = {"pack": "Write a template pack to start from."}


@click.group("new", cls=CommandGroup, table=COMMANDS, home="wurzel.cli.new.{}")
def command() -> None:
    """Write files to start from: a template pack."""
