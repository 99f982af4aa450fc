"""`wurzel schema`: what editors need to know of `wurzel.yaml`."""

from __future__ import annotations

import click


@click.command("schema")
def command() -> None:
    """Print the JSON Schema of wurzel.yaml.

    Editors with a YAML language server use it to complete and check: write it to a file and name that in the first
    line of wurzel.yaml, as `wurzel init` does.
    """
    from wurzel.project.schema import text

    click.echo(text(), nl=False)
