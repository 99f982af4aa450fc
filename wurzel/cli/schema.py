"""`wurzel schema`: what editors need to know of `wurzel.yaml` and `wurzel-pack.yaml`."""

from __future__ import annotations

import click


@click.command("schema")
@click.option("--ir", is_flag=True, help="Print the JSON Schema of the IR instead, which `inspect --json` writes.")
@click.option("--pack", is_flag=True, help="Print the JSON Schema of wurzel-pack.yaml instead.")
def command(ir: bool, pack: bool) -> None:
    """Print the JSON Schema of wurzel.yaml.

    Editors with a YAML language server use it to complete and check: write it to a file and name that in the first
    line of wurzel.yaml, as `wurzel init` does.
    """
    if ir and pack:
        raise click.UsageError("--ir and --pack exclude each other.")
    if ir:
        import json

        from wurzel.ir.serialize import json_schema

        click.echo(json.dumps(json_schema(), indent=2, ensure_ascii=False))
        return
    from wurzel.project.schema import pack_schema, text

    click.echo(text(pack_schema() if pack else None), nl=False)
