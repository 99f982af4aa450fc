"""`wurzel store du`: bytes by pipeline and step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click

from wurzel.cli.saying import print_json
from wurzel.cli.store.place import PipelineInStore, meant, open_place, store_options
from wurzel.cli.text import counted, size, table

if TYPE_CHECKING:
    from wurzel.store.references import Usage


@click.command("du")
@click.argument("pipeline", type=PipelineInStore(), required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@store_options
def command(pipeline: str | None, as_json: bool, url: str | None, environment: str | None) -> None:
    """Show how many bytes each step takes.

    A file that several steps have is counted once, as shared; `gc` removes what is unreferenced. Without PIPELINE, of
    all pipelines in the store.
    """
    from wurzel.store.references import usage

    bucket = open_place(url, environment, pipeline).bucket
    found = [each for name in meant(bucket, pipeline) for each in usage(bucket, name)]
    if as_json:
        print_json([each._asdict() | {"total": each.total} for each in found])
    elif not found:
        click.echo("the store is empty", err=True)
    else:
        rows = [row for each in found for row in _rows(each)]
        total = ("total", "", size(sum(each.total for each in found)))
        click.echo("\n".join(table([*rows, total])))


def _rows(found: Usage) -> Iterator[Sequence[str]]:
    name = found.pipeline if found.trusted else f"{found.pipeline} (untrusted)"
    for step, count in found.steps.items():
        yield name, step, size(count)
    about = {
        "shared by several steps": found.shared,
        "unreferenced": found.unreferenced,
        f"records of {counted(found.runs, 'run')} and of the cache": found.records,
    }
    for text, count in about.items():
        yield name, f"({text})", size(count)
