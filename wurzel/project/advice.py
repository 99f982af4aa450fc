"""What layouts would cost, by what steps took: a job has its own start, so many short jobs are mostly starts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, get_args

from wurzel.ir.jobs import Layout
from wurzel.ir.quantity import amount
from wurzel.ir.requests import longest_path
from wurzel.named_tuples import NamedTuple

if TYPE_CHECKING:
    from wurzel.backends.base import Backend
    from wurzel.backends.job import Job
    from wurzel.ir.jobs import Job as Group
    from wurzel.ir.model import Pipeline
    from wurzel.runtime.measures import Measure

_ROOM = 1.5
"""Times the peak: what a request should be."""
_TOO_MUCH = 4
"""Times the peak: a larger request is worth a word."""
_SIZES = [2**power for power in range(6, 20)]
"""Amounts to request, in MiB: 64Mi, 128Mi, …"""


class Cost(NamedTuple):
    """What a layout costs."""

    layout: str
    jobs: Sequence[Group]
    runs: int
    """Jobs that run: one for each slice that has its own."""
    seconds: float
    """Seconds of all jobs, each with its start."""
    wall: float
    """Seconds until the last of them has ended, if none has to wait for a machine."""


def costs(backend: Backend, job: Job, measures: Mapping[str, Measure], start: float) -> list[Cost]:
    """What the layouts cost that are possible: the one that is configured, then the others."""
    current = getattr(job.options, "chosen_layout", None) or job.options.layout
    names = [current, *(name for name in get_args(Layout) if name != current)]
    found = []
    for name in names:
        options = job.options if name == current else job.options.model_copy(update={"layout": name})
        if name == current or not backend.preflight(job.pipeline, options):
            found.append(_cost(name, backend.jobs(job.pipeline, options), measures, start))
    return found


def has_layout(options: Any) -> bool:
    """Whether a target has layouts."""
    return "layout" in type(options).model_fields


def short_jobs(jobs: Sequence[Group], measures: Mapping[str, Measure], start: float) -> list[str]:
    """Names of jobs that take less time than their start."""
    return [
        job.name
        for job in jobs
        if all(name in measures for name in job.ids) and sum(measures[name].seconds for name in job.ids) < start
    ]


def requests(pipeline: Pipeline, measures: Mapping[str, Measure]) -> Iterator[tuple[str, str]]:
    """Steps whose memory request is too small, or far too large, with what to say of each."""
    for step in pipeline.steps:
        asked, peak = step.resources.memory, measures[step.id].memory if step.id in measures else 0
        if asked is None or not peak:
            continue
        wanted = next((size for size in _SIZES if size * 2**20 >= peak * _ROOM), _SIZES[-1])
        text = f"memory: {asked} requested, {peak / 2**20:.0f}Mi at its peak; memory: {_size_text(wanted)}"
        if amount(asked) < peak:
            yield step.id, f"{text} has room for it"
        elif amount(asked) > peak * _TOO_MUCH and amount(asked) > wanted * 2**20:
            yield step.id, f"{text} would do"


def _cost(layout: str, jobs: Sequence[Group], measures: Mapping[str, Measure], start: float) -> Cost:
    runs = sum(job.steps[0].shards.max if len(job.steps) == 1 else 1 for job in jobs)
    seconds = {name: measure.seconds for name, measure in measures.items()}
    work = sum(seconds.get(name, 0) for job in jobs for name in job.ids)
    ends: dict[str, float] = {}
    for job in jobs:
        begin = max((ends[need] for need in job.needs), default=0.0)
        ends[job.name] = begin + start + longest_path(job.steps, lambda step: seconds.get(step.id, 0))
    return Cost(layout, jobs, runs, runs * start + work, max(ends.values()))


def _size_text(mebibytes: int) -> str:
    return f"{mebibytes}Mi" if mebibytes < 1024 else f"{mebibytes // 1024}Gi"  # noqa: PLR2004 - of a Gi
