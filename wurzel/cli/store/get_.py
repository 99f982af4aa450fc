"""`wurzel store get`: what a step handed over, as a folder."""

from __future__ import annotations

from pathlib import Path

import click

from wurzel.cli.store.place import StepName, named, open_place, run_option, store_options, what_is_meant
from wurzel.cli.text import counted, size


@click.command("get")
@click.argument("wanted", metavar="PIPELINE/STEP[.OUTPUT]", type=StepName())
@run_option
@click.option("-o", "--output", "folder", metavar="DIR", required=True, help="Folder to write; a dataset is replaced.")
@store_options
def command(wanted: str, run: str | None, folder: str, url: str | None, environment: str | None) -> None:
    """Write what a step handed over into a folder.

    Every file is verified; the folder appears complete or not at all. Without .OUTPUT, a step with named outputs is
    written as a folder for each of them.
    """
    from wurzel.exceptions import UsageError
    from wurzel.store.delivery import deliver
    from wurzel.store.listing import LATEST, find_run

    asked = what_is_meant(wanted, step=True)
    if asked.step is None:
        raise UsageError(f"{wanted!r} does not name a step", hint="Write PIPELINE/STEP or PIPELINE/STEP.OUTPUT.")
    place = open_place(url, environment, asked.pipeline)
    store, found = find_run(place.bucket, named(place), run or LATEST)
    written = deliver(store, found, asked.step, asked.output, Path(folder))
    parts = [part for data in written.values() for part in data.manifest.parts]
    click.echo(
        f"wrote {wanted} of {found.name} to {Path(folder).as_posix()}:"
        f" {counted(len(parts), 'file')}, {size(sum(part.size for part in parts))}",
        err=True,
    )
