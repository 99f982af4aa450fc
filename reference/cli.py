"""The command line, read off the click commands."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

import click

from wurzel.cli import cli

TOP = """\
# Command line

Every command, read off the program: `wurzel COMMAND --help` says the same. Rendered text and machine output go to
stdout, everything else to stderr.

| exit code | means |
|---|---|
| 0 | all is well |
| 1 | `--check` found a difference, a check failed, or a step failed |
| 2 | the user must act: usage, configuration, pipeline, template, or something unsupported under `--strict` |
| 3 | data or types break a contract, or `store verify` has found something damaged or missing |
"""


def page() -> str:
    """Every command: usage, what it does, its arguments and options."""
    context = click.Context(cli, info_name="wurzel")
    return "\n".join([TOP, *_command(cli, context)]).rstrip() + "\n"


def _command(command: click.Command, context: click.Context) -> Iterator[str]:
    usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    yield f"## {context.command_path}\n"
    yield f"```text\n{usage}\n```\n"
    yield inspect.cleandoc(command.help or "").replace("\b\n", "") + "\n"
    yield from _table(command, context)
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            if child is not None and not child.hidden:
                yield from _command(child, click.Context(child, info_name=name, parent=context))


def _table(command: click.Command, context: click.Context) -> Iterator[str]:
    options = [parameter for parameter in command.get_params(context) if isinstance(parameter, click.Option)]
    records = [option.get_help_record(context) for option in options if "--help" not in option.opts]
    rows = [record for record in records if record]
    if rows:
        yield "| option | |\n|---|---|"
        yield from (f"| `{_cell(names)}` | {_cell(text).replace('<', '&lt;')} |" for names, text in rows)
        yield ""


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
