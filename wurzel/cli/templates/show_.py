"""`wurzel templates show`: the source of a template."""

from __future__ import annotations

import click

from wurzel.cli.templates.names import TemplateName, open_renderer


@click.command("show")
@click.argument("template", type=TemplateName())
def command(template: str) -> None:
    """Print the source of a template.

    TEMPLATE is a name such as dvc/dvc.yaml.j2, which is looked up in the project, then in packs, then in wurzel itself.
    !dvc/dvc.yaml.j2 is the one below the project's own, acme!dvc/dvc.yaml.j2 that of the pack acme (or of the next
    layer below it), and wurzel!dvc/dvc.yaml.j2 wurzel's own.
    """
    from wurzel.render.layers import label

    found = open_renderer().layers.find(template)
    click.echo(f"# {label(found)}", err=True)
    click.echo(found.read(), nl=False)
