"""`wurzel new pack`: a template pack of an organisation to start from."""

from __future__ import annotations

from pathlib import Path

import click

from wurzel.cli.new import json_option, tell


@click.command("pack")
@click.argument("name")
@json_option
def command(name: str, as_json: bool) -> None:
    """Write a template pack to start from.

    Writes a Python package into the new folder NAME: defaults, templates for all targets, filters, policies and a
    test. It is the example of the documentation under your name; keep what you need and remove the rest.
    """
    from wurzel.new_file import write_folder
    from wurzel.project.new_pack import pack_files

    files = pack_files(name)
    write_folder(Path(name), files)
    then = [
        f"pip install --editable {name}",
        f"cd {name} && wurzel templates check && pytest",
        f"templates: [{name}] and variables: {{owner: your-team}} in the wurzel.yaml of a project",
    ]
    tell(name, [f"{name}/{path}" for path in files], then, as_json=as_json)
