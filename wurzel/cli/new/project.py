"""`wurzel new project`: a project with a pipeline, its configuration and its tests."""

from __future__ import annotations

from pathlib import Path

import click

from wurzel.cli.new import json_option, tell


@click.command("project")
@click.argument("name")
@json_option
def command(name: str, as_json: bool) -> None:
    """Write a project with a pipeline, its configuration and its tests.

    Writes the new folder NAME. It runs and passes its tests as it is.
    """
    from wurzel.new_file import write_folder
    from wurzel.project.new_project import project_files

    files = project_files(name)
    write_folder(Path(name), files)
    tell(name, [f"{name}/{path}" for path in files], [f"cd {name} && wurzel run && pytest"], as_json=as_json)
