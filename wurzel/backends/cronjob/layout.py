"""Which containers the pod of a run has: one for each step, or for several, which `wurzel run` runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wurzel.backends import kubernetes as k8s
from wurzel.ir.jobs import Job, Place, are_runs, jobs_of

if TYPE_CHECKING:
    from wurzel.backends.cronjob.options import CronJobOptions
    from wurzel.ir.model import Pipeline, Step


def uses_run(pipeline: Pipeline, options: CronJobOptions) -> bool:
    """Whether containers are `wurzel run` on the pipeline in a ConfigMap: with a store, or with several steps each."""
    return are_runs(pipeline, options.layout)


def containers(pipeline: Pipeline, options: CronJobOptions) -> list[Job]:
    """The containers, in the order they run."""
    return jobs_of(pipeline, options.layout, place(pipeline))


def place(pipeline: Pipeline) -> Place:
    """What a container has only once, and the pod has not: its image, and variables that are read as a whole."""

    def of(step: Step) -> dict[str, Any]:
        found: dict[str, Any] = {"image": k8s.image_of(pipeline, step)}
        return found | ({"env_from": k8s.env_from_list(step.env_from)} if step.env_from else {})

    return of
