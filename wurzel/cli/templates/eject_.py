"""`wurzel templates eject`: a template, or one block of it, becomes the project's own."""

from __future__ import annotations

from pathlib import Path

import click

from wurzel.cli.templates.names import BlockName, TemplateName, open_renderer


@click.command("eject")
@click.argument("template", type=TemplateName())
@click.option("--block", type=BlockName(), help="Only this block, in a file that extends the template.")
@click.option("--force", is_flag=True, help="Overwrite a template that is there.")
def command(template: str, block: str | None, force: bool) -> None:
    """Copy a template, or one block of it, into the project.

    It is written into the first folder that wurzel.yaml names under `templates`. Prefer blocks: a file that extends
    keeps what it does not change through upgrades. A whole copy is brought up to date by `wurzel templates update`.
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
