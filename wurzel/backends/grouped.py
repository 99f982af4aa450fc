"""How the options of a target group the steps of a pipeline into jobs, and which jobs have slices or count them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wurzel.invocation.command import cut_edges
from wurzel.ir.crossing import Crossing
from wurzel.ir.jobs import Job, Layout, Place, are_runs, jobs_of
from wurzel.ir.requests import width

if TYPE_CHECKING:
    from wurzel.ir.model import Pipeline


class Grouped(Crossing):
    """The jobs of a pipeline on a target, and what crosses between them."""

    def __init__(self, pipeline: Pipeline, layout: Layout, place: Place) -> None:
        """`place` says what a job has only once, so that only steps that agree on it share one."""
        super().__init__(pipeline, jobs_of(pipeline, layout, place))
        self.run = are_runs(pipeline, layout)
        """Whether jobs are `wurzel run`; otherwise each is `wurzel step`."""
        self.single = all(len(job.steps) == 1 for job in self.all)
        """Whether every job runs one step, so that the platform can retry steps and wurzel need not."""

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
        """Name of a job whose slices are counted to the one that makes all that they cut; each counts for one only."""
        found: dict[str, str] = {}
        for job in filter(self.counted, self.all):
            makers = {self.home[edge.step].name: self.home[edge.step] for edge in cut_edges(job.steps[0])}
            for name, maker in makers.items() if len(makers) == 1 else ():
                if self.may_count(maker) and name not in found.values():
                    found[job.name] = name
        return found
