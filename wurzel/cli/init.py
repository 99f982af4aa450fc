"""`wurzel init`: a `wurzel.yaml` to start from."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from wurzel.project.discover import Found

_SCHEMA = "wurzel.schema.json"


@click.command("init")
@click.option("--force", is_flag=True, help="Overwrite existing files without asking.")
def command(force: bool) -> None:
    """Write a starting wurzel.yaml.

    Looks for pipelines in the Python files of the current folder and imports those that look like one. Writes the
    JSON Schema for editors beside it. Asks before it overwrites.
    """
    from wurzel.new_file import write_file
    from wurzel.project.discover import find_pipelines
    from wurzel.project.load import FILE, find_project

    find_project()  # raises for a misnamed file, such as wurzel.yml
    taken = [name for name in (FILE, _SCHEMA) if Path(name).exists()]
    if taken and not force:
        _ask(" and ".join(taken))
    found, skipped = find_pipelines(Path())
    for item in skipped:
        click.echo(f"skipped {item.entrypoint}: {item.reason}", err=True)
    from wurzel.project.schema import text

    write_file(Path(_SCHEMA), text())
    write_file(Path(FILE), _text(found))
    for pipeline in found:
        click.echo(f"found {pipeline.name}: {pipeline.entrypoint}, {len(pipeline.steps)} steps", err=True)
    if not found:
        click.echo(f"no pipeline found: name yours in {FILE}", err=True)
    click.echo(f"wrote {FILE} and {_SCHEMA}", err=True)


def _ask(names: str) -> None:
    from wurzel.exceptions import UsageError, WriteError

    if not sys.stdin.isatty():
        raise UsageError("already exists", where=names, hint="Overwrite with --force.")
    if not click.confirm(f"Overwrite {names}?", err=True):
        raise WriteError("not overwritten", where=names)


def _text(found: list[Found]) -> str:
    from wurzel.backends.registry import names
    from wurzel.render import Renderer

    pipelines = [item._asdict() | {"steps": [step._asdict() for step in item.steps]} for item in found]
    context = {"schema": _SCHEMA, "pipelines": pipelines, "targets": names()}
    return Renderer().render("init/wurzel.yaml.j2", context).text
