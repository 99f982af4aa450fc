"""`wurzel new`: files to start from."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

import click

from wurzel.cli.group import CommandGroup
from wurzel.cli.saying import print_json

COMMANDS = {
    "project": "Write a project with a pipeline, its configuration and its tests.",
    "step": "Write a module with a step, and its test.",
    "backend": "Write a package with a target of your own to start from.",
    "pack": "Write a template pack to start from.",
}


@click.group("new", cls=CommandGroup, table=COMMANDS, home="wurzel.cli.new:{}")
def command() -> None:
    """Write a project, a step, a target or a template pack.

    Each is complete: it runs, or passes its tests, unchanged.
    """


json_option = click.option("--json", "as_json", is_flag=True, help="Print the paths of the files as JSON.")


@click.command("project")
@click.argument("name")
@json_option
def project(name: str, as_json: bool) -> None:
    """Write a project with a pipeline, its configuration and its tests.

    Writes the new folder NAME. It runs and passes its tests as it is.
    """
    from wurzel.new_file import write_folder
    from wurzel.project.new import project_files

    files = project_files(name)
    write_folder(Path(name), files)
    _tell(name, [f"{name}/{path}" for path in files], [f"cd {name} && wurzel run && pytest"], as_json=as_json)


@click.command("step")
@click.argument("name")
@json_option
def step(name: str, as_json: bool) -> None:
    """Write a module with a step, and its test.

    Writes drop_short.py and test_drop_short.py for the NAME drop-short into the current folder.
    """
    from wurzel.exceptions import UsageError
    from wurzel.new_file import write_file
    from wurzel.project.new import step_files

    files = step_files(name)
    for path in files:
        if Path(path).exists():
            raise UsageError("already exists", where=path, hint="Choose another name, or remove it first.")
    for path, text in files.items():
        write_file(Path(path), text)
    module = name.replace("-", "_")
    then = [f"write what it does in {module}.py", f"pytest test_{module}.py", "put it into a pipeline: … >> WZ(…)"]
    _tell(name, list(files), then, as_json=as_json)


@click.command("backend")
@click.argument("name")
@json_option
def backend(name: str, as_json: bool) -> None:
    """Write a package with a target of your own to start from.

    Writes the new folder wurzel-NAME: the backend of the documentation under your name, with a test that fails if it
    drops anything of a pipeline.
    """
    from wurzel.new_file import write_folder
    from wurzel.project.new import backend_files

    files, folder = backend_files(name), f"wurzel-{name}"
    write_folder(Path(folder), files)
    then = [f"pip install --editable {folder}", f"cd {folder} && pytest", f"wurzel render PIPELINE -t {name}"]
    _tell(folder, [f"{folder}/{path}" for path in files], then, as_json=as_json)


@click.command("pack")
@click.argument("name")
@json_option
def pack(name: str, as_json: bool) -> None:
    """Write a template pack to start from.

    Writes a Python package into the new folder NAME: defaults, templates for all targets, filters, policies and a
    test. It is the example of the documentation under your name; keep what you need and remove the rest.
    """
    from wurzel.new_file import write_folder
    from wurzel.project.new import pack_files

    files = pack_files(name)
    write_folder(Path(name), files)
    then = [
        f"pip install --editable {name}",
        f"cd {name} && wurzel templates check && pytest",
        f"templates: [{name}] and variables: {{owner: your-team}} in the wurzel.yaml of a project",
    ]
    _tell(name, [f"{name}/{path}" for path in files], then, as_json=as_json)


def _tell(name: str, files: Collection[str], then: Sequence[str], *, as_json: bool) -> None:
    """Say what was written, and what to do next."""
    if as_json:
        print_json(sorted(files))
        return
    click.echo(f"created {name} with {len(files)} files; next:", err=True)
    for line in then:
        click.echo(f"  {line}", err=True)
