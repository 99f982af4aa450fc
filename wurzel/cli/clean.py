"""`wurzel clean`: remove what runs left."""

from __future__ import annotations

from pathlib import Path

import click

from wurzel.cli.declare import declared
from wurzel.cli.options import configuration_options, pipeline_argument
from wurzel.cli.runs import state_dir_option
from wurzel.cli.saying import print_json
from wurzel.cli.text import size


@declared("clean")
@pipeline_argument
@click.option("--data", is_flag=True, help="Also remove the datasets of its steps.")
@click.option("-n", "--dry-run", is_flag=True, help="Show what would be removed; remove nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print the folders and their bytes as JSON.")
@state_dir_option
@configuration_options
def command(
    pipeline: str | None,
    data: bool,
    dry_run: bool,
    as_json: bool,
    state_dir: str,
    environment: str | None,
    sets: tuple[str, ...],
) -> None:
    """Remove earlier results, logs and records of runs.

    They are below `.wurzel`. The next run computes every step again.
    """
    from wurzel.project.open import open_pipeline
    from wurzel.runtime.leftovers import clear, leftovers

    found = open_pipeline(pipeline, environment, sets).pipeline
    left = leftovers(found, Path(), state_dir, data=data)
    if not dry_run:
        clear(found, Path(), state_dir, left)
    if as_json:
        print_json([{"path": str(folder.path), "bytes": folder.size} for folder in left])
        return
    for folder in left:
        click.echo(f"{'would remove' if dry_run else 'removed'} {folder.path} ({size(folder.size)})")
    if not left:
        click.echo(f"{found.name}: nothing to remove", err=True)
