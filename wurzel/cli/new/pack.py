"""`wurzel new pack`: a template pack of an organisation to start from."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("pack")
@click.argument("name")
def command(name: str) -> None:
    """Write a template pack to start from.

    Writes a Python package into the new folder NAME: defaults, templates for all targets, filters, policies and a
    test. It is the example of the documentation under your name; keep what you need and remove the rest.
    """
    from wurzel.new_file import write_folder
    from wurzel.project.new_pack import pack_files

    files = pack_files(name)
    write_folder(Path(name), files)
    click.echo(f"created {name} with {len(files)} files; next:", err=True)
    for line in (
        f"pip install --editable {name}",
        f"cd {name} && wurzel templates check && pytest",
        f"templates: [{name}] and variables: {{owner: your-team}} in the wurzel.yaml of a project",
    ):
        click.echo(f"  {line}", err=True)
