"""Whether one container runs all steps, and how many run side by side in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wurzel.backends.cronjob.options import CronJobOptions
    from wurzel.ir.model import Pipeline


def single_pod(pipeline: Pipeline, options: CronJobOptions) -> bool:
    """Whether one container runs all steps: as the option says, or for `auto` if all steps need the same."""
    if options.mode != "auto":
        return options.mode == "single-pod"
    first = pipeline.steps[0]
    return all(
        (step.image, step.resources, step.limits) == (None, first.resources, first.limits) and not step.secrets
        for step in pipeline.steps
    )


def width(pipeline: Pipeline) -> int:
    """How many steps can run at the same time: the most at one distance from the sources."""
    depth: dict[str, int] = {}
    counts: dict[int, int] = {}
    for step in pipeline.steps:
        depth[step.id] = 1 + max((depth[need] for need in step.predecessors), default=0)
        counts[depth[step.id]] = counts.get(depth[step.id], 0) + 1
    return max(counts.values(), default=1)
