"""`wurzel new backend`: a target of your own to start from."""

from __future__ import annotations

from pathlib import Path

import click

from wurzel.cli.new import json_option, tell


@click.command("backend")
@click.argument("name")
@json_option
def command(name: str, as_json: bool) -> None:
    """Write a package with a target of your own to start from.

    Writes the new folder wurzel-NAME: the backend of the documentation under your name, with a test that fails where
    something of a pipeline is dropped.
    """
    from wurzel.new_file import write_folder
    from wurzel.project.new_backend import backend_files

    files, folder = backend_files(name), f"wurzel-{name}"
    write_folder(Path(folder), files)
    then = [f"pip install --editable {folder}", f"cd {folder} && pytest", f"wurzel render PIPELINE -t {name}"]
    tell(folder, [f"{folder}/{path}" for path in files], then, as_json=as_json)
