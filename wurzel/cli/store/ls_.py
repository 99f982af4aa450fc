"""`wurzel store ls`: the runs in a store, or what one of them handed over."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

from wurzel.cli.saying import print_json
from wurzel.cli.store.place import StepName, named, open_place, run_option, store_options, what_is_meant
from wurzel.cli.text import iso, moment, size, table

if TYPE_CHECKING:
    from wurzel.store.buckets import Bucket
    from wurzel.store.listing import Output, RunState

_MOST_REASONS = 1
_DIGITS = 12


@click.command("ls")
@click.argument("wanted", metavar="[PIPELINE[/STEP]]", type=StepName(), required=False)
@run_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@store_options
def command(wanted: str | None, run: str | None, as_json: bool, url: str | None, environment: str | None) -> None:
    """List runs, or what a run handed over.

    PIPELINE lists its runs, the newest first; with --run, what the steps of that run handed over. PIPELINE/STEP lists
    what the step handed over in each run. Without an argument, lists the pipelines if there are several.
    """
    asked = what_is_meant(wanted)
    place = open_place(url, environment, asked.pipeline)
    if asked.step is not None or run is not None:
        rows, records, nothing = _outputs(place.bucket, named(place), run, asked.step, asked.output)
    elif place.pipeline is not None:
        rows, records, nothing = _runs(place.bucket, place.pipeline, given=asked.pipeline is not None)
    else:
        rows, records, nothing = _pipelines(place.bucket)
    if as_json:
        print_json(records)
    elif len(rows) == 1:
        click.echo(nothing, err=True)
    else:
        click.echo("\n".join(table(rows)))


_Found = tuple[list[Sequence[str]], list[dict[str, Any]], str]
"""Rows with their heading, the same for programs, and what to say where there are none."""


def _pipelines(bucket: Bucket) -> _Found:
    from wurzel.store.listing import pipelines, run_names, sides
    from wurzel.store.runs import latest

    found = [
        (name, sum(map(len, map(run_names, sides(bucket, name)))), latest(sides(bucket, name)[0]))
        for name in pipelines(bucket)
    ]
    records = [{"pipeline": name, "runs": count, "latest": newest} for name, count, newest in found]
    rows = [(name, str(count), newest or "none") for name, count, newest in found]
    return [("PIPELINE", "RUNS", "LATEST WHOLE RUN"), *rows], records, "the store is empty"


def _runs(bucket: Bucket, pipeline: str, *, given: bool) -> _Found:
    from wurzel.store.listing import check_pipeline, runs

    if given:
        check_pipeline(bucket, pipeline)
    found = runs(bucket, pipeline)
    records = [
        {
            "run": each.name,
            "start": iso(each.start),
            "whole": each.whole,
            "latest": each.latest,
            "trusted": each.trusted,
            "reasons": list(each.reasons),
        }
        for each in found
    ]
    rows = [(each.name, moment(each.start), _state(each)) for each in found]
    return [("RUN", "BEGAN", "STATE"), *rows], records, f"{pipeline} has no runs in the store"


def _state(run: RunState) -> str:
    if run.whole:
        return "latest" if run.latest else "whole"
    more = len(run.reasons) - _MOST_REASONS
    return f"not whole: {'; '.join(run.reasons[:_MOST_REASONS])}" + (f" (and {more} more)" if more > 0 else "")


def _outputs(bucket: Bucket, pipeline: str, run: str | None, step: str | None, output: str | None) -> _Found:
    from wurzel.store.listing import unknown

    there = list(_handed_over(bucket, pipeline, run, step))
    found = [each for each in there if output in {None, each.place.output}]
    if there and not found:
        raise unknown("output", output or "", sorted({each.place.output for each in there} - {""}), f"the step {step}")
    rows = [_row(each) for each in found]
    nothing = f"{pipeline} has nothing of {step}" if step else f"{pipeline} has nothing of this run"
    return [("RUN", "OUTPUT", "DATASET", "ITEMS", "BYTES", ""), *rows], [_record(each) for each in found], nothing


def _handed_over(bucket: Bucket, pipeline: str, run: str | None, step: str | None) -> Iterator[Output]:
    from wurzel.store.listing import check_pipeline, find_run, outputs, runs, sides, steps, unknown
    from wurzel.store.runs import Run

    check_pipeline(bucket, pipeline)
    if step is not None and step not in (known := steps(bucket, pipeline)):
        raise unknown("step", step, known, pipeline)
    if run is not None:
        yield from outputs(*find_run(bucket, pipeline, run), step or "")
        return
    trusted, untrusted = sides(bucket, pipeline)
    for state in runs(bucket, pipeline):
        store = trusted if state.trusted else untrusted
        yield from outputs(store, Run(store, state.name), step or "")


def _row(each: Output) -> Sequence[str]:
    name = each.place.name + ("" if each.place.part == "all" else f" {each.place.part}")
    if each.found is None:
        return each.run, name, each.problem or "removed meanwhile", "", "", ""
    manifest = each.found.data.manifest
    notes = {"skipped": manifest.skipped, "superseded": each.found.superseded, "untrusted": not each.found.data.trusted}
    total = size(sum(part.size for part in manifest.parts))
    said = ", ".join(note for note, holds in notes.items() if holds)
    return each.run, name, manifest.digest[:_DIGITS], str(manifest.items), total, said


def _record(each: Output) -> dict[str, Any]:
    about = {"run": each.run, "step": each.place.step, "output": each.place.output, "part": each.place.part}
    if each.found is None:
        return about | {"problem": each.problem or "removed meanwhile"}
    manifest = each.found.data.manifest
    return about | {
        "digest": manifest.digest,
        "contract": manifest.contract,
        "items": manifest.items,
        "bytes": sum(part.size for part in manifest.parts),
        "skipped": manifest.skipped,
        "trusted": each.found.data.trusted,
        "superseded": each.found.superseded,
    }
