"""`wurzel store forget`: results of a step that the next run is to compute again."""

from __future__ import annotations

import click

from wurzel.cli.store.place import StepName, named, open_place, store_options, what_is_meant
from wurzel.cli.text import counted


@click.command("forget")
@click.argument("wanted", metavar="[PIPELINE/]STEP", type=StepName(), required=False)
@click.option("--all", "whole", is_flag=True, help="Of all steps of a pipeline: give PIPELINE instead of a step.")
@store_options
def command(wanted: str | None, whole: bool, url: str | None, environment: str | None) -> None:
    """Remove results of a step from the cache, so that it runs again.

    The next run computes the step, even if nothing has changed; the steps after it run only if its result differs. Data
    of past runs stays.
    """
    from wurzel.exceptions import UsageError
    from wurzel.store.listing import check_pipeline, steps
    from wurzel.store.references import forget

    asked = what_is_meant(wanted, step=not whole)
    if whole and asked.step is not None:
        raise UsageError("--all takes a pipeline, not a step", hint="Leave it out, or give PIPELINE alone.")
    if not whole and asked.step is None:
        raise UsageError("no step is given", hint="Write PIPELINE/STEP, or PIPELINE --all for all steps.")
    if asked.output is not None:
        hint = f"Leave out .{asked.output}: the outputs of a step are computed together."
        raise UsageError(f"{wanted!r} names an output", hint=hint)
    place = open_place(url, environment, asked.pipeline)
    pipeline = named(place)
    check_pipeline(place.bucket, pipeline)
    if asked.pipeline is None and asked.step == pipeline and pipeline not in steps(place.bucket, pipeline):
        raise UsageError("no step is given", hint=f"Write {pipeline}/STEP, or {pipeline} --all for all steps.")
    count = forget(place.bucket, pipeline, asked.step)
    of = pipeline if asked.step is None else f"{pipeline}/{asked.step}"
    click.echo(f"removed {counted(count, 'entry')} of {of}", err=True)
