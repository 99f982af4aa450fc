"""`wurzel store gc`: removes old runs, and what nothing needs any more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from wurzel.cli.saying import print_json
from wurzel.cli.store.place import PipelineInStore, meant, open_place, store_options
from wurzel.cli.text import counted, size
from wurzel.cli.types import DurationText

if TYPE_CHECKING:
    from wurzel.store.gc_plan import Removed


@click.command("gc")
@click.argument("pipeline", type=PipelineInStore(), required=False)
@click.option(
    "--keep", type=DurationText(), metavar="TIME", required=True, help="Keep runs that are younger: 30d, 36h."
)
@click.option("--dry-run", is_flag=True, help="Show what would be removed; remove nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@store_options
def command(
    pipeline: str | None, keep: int, dry_run: bool, as_json: bool, url: str | None, environment: str | None
) -> None:
    """Remove old runs, and what nothing needs any more.

    Removes runs older than --keep, but never the latest; then results in the cache that are older and that no run has;
    and files that nothing has led to for 24 hours, so it has to be called twice. Jobs may run meanwhile. Without
    PIPELINE, of all pipelines in the store.
    """
    from datetime import timedelta

    from wurzel.store.gc import gc

    bucket = open_place(url, environment, pipeline).bucket
    found = gc(bucket, meant(bucket, pipeline), timedelta(seconds=keep), dry_run=dry_run)
    if as_json:
        print_json([each._asdict() for each in found])
        return
    for each in found:
        click.echo(_line(each, dry_run=dry_run))
    if not found:
        click.echo("nothing to remove", err=True)


def _line(found: Removed, *, dry_run: bool) -> str:
    name = found.pipeline if found.trusted else f"{found.pipeline} (untrusted)"
    what = [
        counted(len(found.runs), "run"),
        f"{counted(found.entries, 'entry')} of the cache",
        f"{counted(found.files, 'file')} ({size(found.size)} together)",
    ]
    later = f"{counted(found.condemned, 'file')} ({size(found.condemned_size)})"
    return (
        f"{name}: {'would remove' if dry_run else 'removed'} {', '.join(what)}; unreferenced, for a later gc: {later}"
    )
