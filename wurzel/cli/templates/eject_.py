"""`wurzel templates eject`: copies a template, or one block of it, into the project."""

from __future__ import annotations

from pathlib import Path

import click

from wurzel.cli.templates.names import BlockName, TemplateName, open_renderer


@click.command("eject")
@click.argument("template", type=TemplateName())
@click.option("--block", type=BlockName(), help="Only this block, in a file that extends the template.")
@click.option("--force", is_flag=True, help="Overwrite an existing template.")
def command(template: str, block: str | None, force: bool) -> None:
    """Copy a template, or one block of it, into the project.

    It is written to the first folder that wurzel.yaml lists under `templates`. Prefer blocks: a file that extends
    another gets upgrades of everything it does not change. `wurzel templates update` updates whole copies.
    """
    from wurzel.project.templates import first_folder
    from wurzel.render.ejected import eject, eject_block

    with first_folder() as (project, folder):
        layers = open_renderer(project).layers
        layer = next(layer for layer in layers.layers if layer.folder == folder)
        if block is None:
            path = eject(layers, layer, template, force=force)
        else:
            path = eject_block(layers, layer, template, block, force=force)
    click.echo(f"wrote {Path(path).as_posix()}", err=True)
