"""`wurzel templates`: lists, shows, copies, checks and updates templates.

One module per sub-command, each imported only when it is called.
"""

from __future__ import annotations

import click

from wurzel.cli.group import CommandGroup

COMMANDS = {
    "list": "List templates with their blocks, parts and names.",
    "show": "Print the source of a template.",
    "eject": "Copy a template, or one block of it, into the project.",
    "check": "Find errors in templates without rendering.",
    "update": "Merge upstream changes into ejected templates.",
}


@click.group("templates", cls=CommandGroup, table=COMMANDS, home="wurzel.cli.templates.{}_")
def command() -> None:
    """List, copy, check and update templates."""
