"""`wurzel schema`: what editors need to know of `wurzel.yaml`."""

from __future__ import annotations

import click


@click.command("schema")
@click.option("--ir", is_flag=True, help="Print the JSON Schema of the IR instead, which `inspect --json` writes.")
def command(ir: bool) -> None:
    """Print the JSON Schema of wurzel.yaml.

    Editors with a YAML language server use it to complete and check: write it to a file and name that in the first
    line of wurzel.yaml, as `wurzel init` does.
    """
    if ir:
        import json

        from wurzel.ir.serialize import json_schema

        click.echo(json.dumps(json_schema(), indent=2, ensure_ascii=False))
        return
    from wurzel.project.schema import text

    click.echo(text(), nl=False)
