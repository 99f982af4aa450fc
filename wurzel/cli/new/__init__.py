"""`wurzel new`: files to start from."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import click

from wurzel.cli.group import CommandGroup
from wurzel.cli.saying import print_json

COMMANDS = {
    "project": "Write a project with a pipeline, its configuration and its tests.",
    "step": "Write a module with a step, and its test.",
    "backend": "Write a package with a target of your own to start from.",
    "pack": "Write a template pack to start from.",
}


@click.group("new", cls=CommandGroup, table=COMMANDS, home="wurzel.cli.new.{}")
def command() -> None:
    """Write a project, a step, a target or a template pack.

    Each is complete: it runs, or passes its test, as it is written.
    """


json_option = click.option("--json", "as_json", is_flag=True, help="Print the paths of the files as JSON.")


def tell(name: str, files: Collection[str], then: Sequence[str], *, as_json: bool) -> None:
    """Say what was written, and what to do next."""
    if as_json:
        print_json(sorted(files))
        return
    click.echo(f"created {name} with {len(files)} files; next:", err=True)
    for line in then:
        click.echo(f"  {line}", err=True)
