"""`wurzel templates`: lists, shows, copies, checks, updates and tries templates.

One module per sub-command, each imported only when it is called.
"""

from __future__ import annotations

from importlib import import_module

import click

COMMANDS = {
    "list": "List templates with their blocks, parts and names.",
    "show": "Print the source of a template.",
    "eject": "Copy a template, or one block of it, into the project.",
    "check": "Find errors in templates without rendering.",
    "update": "Merge upstream changes into ejected templates.",
    "try": "Show how templates change rendered files, at each save.",
}


class TemplatesGroup(click.Group):
    """Lists its commands by name and imports `wurzel.cli.templates.<name>_` only for the one that is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order of `COMMANDS`."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The click command of that name."""
        if cmd_name not in COMMANDS:
            return None
        command = import_module(f"wurzel.cli.templates.{cmd_name}_").command
        assert isinstance(command, click.Command)  # noqa: S101 - narrows the type; a test calls every command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The table of commands, without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group("templates", cls=TemplatesGroup)
def command() -> None:
    """List, copy, check and update templates."""
