"""`wurzel layout`: which layouts and requests would save what, by what `wurzel run --measure` has written."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from wurzel.cli.declare import declared
from wurzel.cli.options import configuration_options, pipeline_argument
from wurzel.cli.saying import print_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from wurzel.backends.job import Job
    from wurzel.project.advice import Cost
    from wurzel.runtime.measures import Measure


@declared("layout")
@pipeline_argument
@click.option("-t", "--target", "targets", multiple=True, metavar="TARGET", help="Only this target; repeatable.")
@click.option(
    "--start",
    type=click.FloatRange(min=0),
    default=20.0,
    show_default=True,
    metavar="SECONDS",
    help="Seconds to start a job: machine or pod, checkout, installation.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@configuration_options
def command(
    pipeline: str | None,
    targets: tuple[str, ...],
    start: float,
    as_json: bool,
    environment: str | None,
    sets: tuple[str, ...],
) -> None:
    """Show what other layouts and requests would save.

    It reads PIPELINE.measures.json, which `wurzel run --measure` writes, and changes nothing.
    """
    from wurzel.project.advice import has_layout, requests
    from wurzel.project.jobs import Request, open_jobs
    from wurzel.project.open import open_pipeline
    from wurzel.runtime.measures import measures_path, read_measures

    resolved = open_pipeline(pipeline, environment, sets).pipeline
    measures = read_measures(measures_path(Path(), resolved.name))
    jobs, _ = open_jobs(Request([pipeline or resolved.name], targets, environment, sets))
    found = [job for job in jobs if has_layout(job.options)]
    if as_json:
        print_json([_data(job, measures, start) for job in found])
    else:
        lines = [line for job in found for line in _of_target(job, measures, start)]
        lines += [f"{step}: {text}" for step, text in requests(resolved, measures)]
        for line in lines:
            click.echo(line)
    if missing := [step.id for step in resolved.steps if step.id not in measures]:
        click.echo(f"not measured: {', '.join(missing)}; run: wurzel run --measure --force", err=True)


def _data(job: Job, measures: Mapping[str, Measure], start: float) -> dict[str, Any]:
    """A target with its layout, and what each possible layout would cost."""
    now, *others = _costs(job, measures, start)
    layouts = {
        cost.layout: {
            "machine_seconds": round(cost.seconds, 3),
            "wall_seconds": round(cost.wall, 3),
            "jobs": {group.name: list(group.ids) for group in cost.jobs},
        }
        for cost in (now, *others)
    }
    return {"target": job.label, "layout": now.layout, "layouts": layouts}


def _costs(job: Job, measures: Mapping[str, Measure], start: float) -> Sequence[Cost]:
    from wurzel.backends.registry import get
    from wurzel.project.advice import costs

    return costs(get(job.target), job, measures, start)


def _of_target(job: Job, measures: Mapping[str, Measure], start: float) -> Iterator[str]:
    from wurzel.project.advice import short_jobs

    now, *others = _costs(job, measures, start)
    yield f"{job.label}: layout: {now.layout} is {_cost_text(now)}"
    if (short := short_jobs(now.jobs, measures, start)) and len(now.jobs) > 1:
        yield f"  below a job's start of {start:g} s: {', '.join(short)}"
    not_slower = [cost for cost in others if cost.wall <= now.wall]
    best = min(not_slower, key=lambda cost: (cost.seconds, cost.wall), default=now)
    if best.seconds < now.seconds:
        yield f"  layout: {best.layout} would be {_cost_text(best)}:"
        yield from (f"    {group.name}: {', '.join(group.ids)}" for group in best.jobs)


def _cost_text(cost: Cost) -> str:
    jobs = "1 job" if cost.runs == 1 else f"{cost.runs} jobs"
    return f"{jobs}, {cost.seconds:.0f} s of machines, {cost.wall:.0f} s from start to end"
