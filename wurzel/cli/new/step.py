"""`wurzel new step`: a module with a step, and its test."""

from __future__ import annotations

from pathlib import Path

import click

from wurzel.cli.new import json_option, tell


@click.command("step")
@click.argument("name")
@json_option
def command(name: str, as_json: bool) -> None:
    """Write a module with a step, and its test.

    Writes drop_short.py and test_drop_short.py for the NAME drop-short into the current folder.
    """
    from wurzel.exceptions import WriteError
    from wurzel.new_file import write_file
    from wurzel.project.new_project import step_files

    files = step_files(name)
    for path in files:
        if Path(path).exists():
            raise WriteError("already exists", where=path, hint="Choose another name, or remove it first.")
    for path, text in files.items():
        write_file(Path(path), text)
    module = name.replace("-", "_")
    then = [f"write what it does in {module}.py", f"pytest test_{module}.py", "put it into a pipeline: … >> WZ(…)"]
    tell(name, list(files), then, as_json=as_json)
