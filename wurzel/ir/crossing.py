"""Which data crosses from job to job, where no store keeps it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wurzel.ir.jobs import Job
    from wurzel.ir.model import Pipeline, Step


def results(pipeline: Pipeline) -> list[Step]:
    """Steps whose output no other step reads, in their order: what the pipeline is for."""
    read = {edge.step for step in pipeline.steps for edge in step.needs}
    return [step for step in pipeline.steps if step.id not in read]


class Crossing:
    """The jobs of a pipeline, and the outputs that one writes and another reads."""

    def __init__(self, pipeline: Pipeline, jobs: Sequence[Job]) -> None:
        """`jobs` are all jobs of the pipeline, as `jobs_of` gives them."""
        self.pipeline = pipeline
        self.all = jobs
        self.stored = pipeline.store is not None
        """Whether data crosses jobs through a store, so that nothing else has to keep it."""
        self.home = {step.id: job for job in jobs for step in job.steps}
        self.steps = {step.id: step for step in pipeline.steps}
        self._crossing = {output for job in jobs for output in self.reads(job)}
        self._results = {step.id for step in results(pipeline)}

    @property
    def whole(self) -> bool:
        """Whether one job runs everything."""
        return len(self.all) == 1

    def is_sliced(self, step: Step) -> bool:
        """Whether each slice of a step has its own job; otherwise slices run side by side within one."""
        return step.shards.max > 1 and len(self.home[step.id].steps) == 1

    def reads(self, job: Job) -> list[tuple[str, str]]:
        """Outputs of steps of other jobs that a job reads, each once, by step and name; also with a store."""
        edges = {(edge.step, edge.output): None for step in job.steps for edge in step.needs}
        own = set(job.ids)
        return [(step, output) for step, output in edges if step not in own]

    def arriving(self, job: Job) -> list[tuple[Step, str]]:
        """Outputs of steps of other jobs that a job gets by other means than a store, each once."""
        return [] if self.stored else [(self.steps[step], output) for step, output in self.reads(job)]

    def leaving(self, job: Job) -> list[tuple[Step, str]]:
        """Outputs of a job that other jobs read, each once."""
        outputs = [] if self.stored else [(step, port.name) for step in job.steps for port in step.outputs]
        return [(step, name) for step, name in outputs if (step.id, name) in self._crossing]

    def results(self, job: Job) -> list[Step]:
        """Steps of a job that no other step reads: what the pipeline is for."""
        return [] if self.stored else [step for step in job.steps if step.id in self._results]
