"""How the options of a target group steps into jobs, what crosses between jobs, and which jobs have slices."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wurzel.invocation.command import cut_edges
from wurzel.ir.jobs import Job, Layout, Place, are_runs, jobs_of, results
from wurzel.ir.requests import width

if TYPE_CHECKING:
    from wurzel.ir.model import Pipeline, Step


class Grouped:
    """The jobs of a pipeline on a target, and the outputs that one writes and another reads."""

    def __init__(self, pipeline: Pipeline, layout: Layout, place: Place) -> None:
        """`place` says what a job has only once, so that only steps that agree on it share one."""
        self.pipeline = pipeline
        self.all = jobs_of(pipeline, layout, place)
        self.stored = pipeline.store is not None
        """Whether data crosses jobs through a store, so that nothing else has to keep it."""
        self.home = {step.id: job for job in self.all for step in job.steps}
        self.steps = {step.id: step for step in pipeline.steps}
        self._crossing = {output for job in self.all for output in self.reads(job)}
        self._results = {step.id for step in results(pipeline)}
        self.run = are_runs(pipeline, layout)
        """Whether jobs are `wurzel run`; otherwise each is `wurzel step`."""
        self.single = all(len(job.steps) == 1 for job in self.all)
        """Whether every job runs one step, so that the platform can retry steps and wurzel need not."""

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

    def named(self, name: str) -> Job:
        """The job of this name."""
        return next(job for job in self.all if job.name == name)

    def sliced(self, job: Job) -> bool:
        """Whether each slice of its step runs apart from the others."""
        return self.is_sliced(job.steps[0])

    def width(self, job: Job) -> int:
        """How many steps, or slices, run side by side in a job."""
        return 1 if self.sliced(job) else width(job.steps, self.pipeline.parallelism)

    def counted(self, job: Job) -> bool:
        """Whether the slices of a job are counted once the data is there."""
        return self.sliced(job) and job.steps[0].shards.items is not None

    def may_count(self, job: Job) -> bool:
        """Whether a job can count the slices of another along with its own work."""
        return not self.sliced(job)

    def feeders(self) -> dict[str, str]:
        """For each job with counted slices the one that counts them: it writes all that they cut; each for one only."""
        found: dict[str, str] = {}
        for job in filter(self.counted, self.all):
            makers = {self.home[edge.step].name: self.home[edge.step] for edge in cut_edges(job.steps[0])}
            for name, maker in makers.items() if len(makers) == 1 else ():
                if self.may_count(maker) and name not in found.values():
                    found[job.name] = name
        return found
