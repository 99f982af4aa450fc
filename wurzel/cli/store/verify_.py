"""`wurzel store verify`: reads everything in a store."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from wurzel.cli.saying import print_json
from wurzel.cli.store.place import PipelineInStore, meant, open_place, store_options
from wurzel.cli.text import counted, one_line, size

if TYPE_CHECKING:
    from wurzel.store.verify_runs import Finding


@click.command("verify")
@click.argument("pipeline", type=PipelineInStore(), required=False)
@click.option("--fix", is_flag=True, help="Remove what is wrong, with what leads to it, so that jobs make it again.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@store_options
def command(pipeline: str | None, fix: bool, as_json: bool, url: str | None, environment: str | None) -> None:
    """Read everything, and find what is damaged or missing.

    Prints each finding with what leads to it, and exits 3 if anything is wrong (with --fix: if anything still is).
    Jobs may run meanwhile. Without PIPELINE, for all pipelines in the store.
    """
    from wurzel.exceptions import BROKEN_CONTRACT
    from wurzel.store.verify import repair, verify

    bucket = open_place(url, environment, pipeline).bucket
    found: list[Finding] = []
    left: list[Finding] = []
    names = meant(bucket, pipeline)
    if not names:
        click.echo("the store is empty", err=True)
    for name in names:
        checked = verify(bucket, name)
        found += checked.findings
        left += repair(bucket, name, checked.findings) if fix else checked.findings
        if not as_json:
            for line in _lines(checked.findings, left, fix=fix):
                click.echo(line)
            count = len(checked.findings)
            read = f"{counted(checked.files, 'file')} ({size(checked.size)}), {counted(checked.records, 'record')}"
            click.echo(f"{name}: read {read}; {counted(count, 'finding') if count else 'nothing is wrong'}", err=True)
    if as_json:
        print_json([_record(each, fixed=fix and each not in left) for each in found])
    sys.exit(BROKEN_CONTRACT if left else 0)


def _lines(found: list[Finding], left: list[Finding], *, fix: bool) -> Iterator[str]:
    for each in found:
        done = "" if not fix else " (left as it is)" if each in left else " (fixed)"
        yield one_line(f"{each.key}: {each.problem}{done}")
        for item in each.leads:
            yield one_line(f"  named by {item.key}")


def _record(each: Finding, *, fixed: bool) -> dict[str, object]:
    leads = [item.key for item in each.leads]
    return {"key": each.key, "problem": each.problem, "leads": leads, "fixed": fixed}
