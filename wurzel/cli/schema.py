"""`wurzel schema`: JSON Schemas with which editors complete and check `wurzel.yaml` and `wurzel-pack.yaml`."""

from __future__ import annotations

import click

from wurzel.cli.saying import print_json


@click.command("schema")
@click.option("--ir", is_flag=True, help="Print the JSON Schema of the IR (`inspect --json`) instead.")
@click.option("--pack", is_flag=True, help="Print the JSON Schema of wurzel-pack.yaml instead.")
def command(ir: bool, pack: bool) -> None:
    """Print the JSON Schema of wurzel.yaml.

    It includes the variables that the project's packs declare. Editors with a YAML language server use it to complete
    and check: write it to a file and name that file in the first line of wurzel.yaml, as `wurzel init` does.
    """
    if ir and pack:
        raise click.UsageError("--ir and --pack are mutually exclusive.")
    if ir:
        from wurzel.ir import serialize

        print_json(serialize.json_schema())
        return
    from wurzel.exceptions import WurzelError
    from wurzel.project.open import open_project
    from wurzel.project.schema import json_schema, pack_schema, text

    if pack:
        click.echo(text(pack_schema()), nl=False)
        return
    try:
        project = open_project()
        packs = project.packs() if project is not None else ()
    except WurzelError as error:  # print it all the same: the schema helps to correct the file
        click.echo(f"note: without the variables of packs, since these cannot be read: {error}", err=True)
        packs = ()
    variables = [each for pack in packs for each in pack.variables.values()]
    presets = [name for pack in packs for name in pack.names]
    click.echo(text(json_schema(variables, presets) if packs else json_schema()), nl=False)
