"""Which pods a run has: one for each step, or for several that `wurzel run` runs; their slices and names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wurzel.backends import kubernetes as k8s
from wurzel.backends.argo.storage import store
from wurzel.backends.grouped import Grouped
from wurzel.ir.requests import deadline

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wurzel.backends.argo.options import ArgoOptions
    from wurzel.ir.jobs import Job, Place
    from wurzel.ir.model import Pipeline, Step

START = 300
"""Seconds that a pod has beyond its steps, for its image and its data."""


class Pods(Grouped):
    """The jobs of a pipeline, each a template, and what crosses between them."""

    def __init__(self, pipeline: Pipeline, options: ArgoOptions) -> None:
        """Group the steps as the options say."""
        super().__init__(pipeline, options.layout, place(pipeline, options))
        self.options = options
        self.by_artifact = not self.stored and options.artifacts.volume is None
        """Whether data crosses as artifacts, rather than through a store or on a volume."""
        self._together = not self.by_artifact or store(options.artifacts).fills

    def slices(self, job: Job) -> int:
        """How many pods a job may have; 1 unless each slice of its step has its own."""
        return job.steps[0].shards.max if self.sliced(job) else 1

    def apart(self, job: Job) -> bool:
        """Whether each slice of a job is a task with its own artifact.

        Pods that fill one folder of a volume or bucket, or use a store, are one task for all slices.
        """
        return self.sliced(job) and not self._together

    def counted(self, job: Job) -> bool:
        """Whether the slices of a job are counted once the data is there; slices that are apart all run."""
        return self._together and super().counted(job)

    def native(self, job: Job) -> bool:
        """Whether Argo retries a job as its step asks; otherwise wurzel does within the pod."""
        return self.single and _is_native(job.steps[0], self.options.version)

    def deadline(self, job: Job) -> int | None:
        """Seconds after which a pod must be stuck; none if a step may take any time.

        A pod of `wurzel step` is ended by its step's `timeout`; `wurzel run` ends its steps itself, and names them.
        """
        native = self.native(job)
        if not self.run:
            return job.steps[0].timeout if native else None
        return deadline(job.steps, self.pipeline.timeout, setup=START, native=native)


def place(pipeline: Pipeline, options: ArgoOptions) -> Place:
    """Fields of which a pod has only one value."""
    return lambda step: k8s.placed(pipeline, step, options)


def _is_native(step: Step, version: str) -> bool:
    """Argo takes only whole factors, and a `cap` for waits since 3.7; `maxDuration` limits all attempts together."""
    retry = step.retry
    return not retry.limit or (retry.factor == int(retry.factor) and (retry.max is None or version != "3.6"))


def names(step_ids: Sequence[str]) -> dict[str, str]:
    """The name of the task and template of each step, which must not start with a digit."""
    found: dict[str, str] = {}
    taken = set(step_ids)
    for step_id in step_ids:
        name = step_id
        while name[0].isdigit() or (name != step_id and name in taken):
            name = f"step-{name}"
        taken.add(name)
        found[step_id] = name
    return found


def unused(name: str, taken: set[str]) -> str:
    """`name`, or a similar name that is not taken."""
    while name in taken:
        name = f"{name}-dag"
    return name
