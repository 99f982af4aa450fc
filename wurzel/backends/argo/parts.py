"""Pipelines with more pods than fit into one Argo object: split into parts, each a WorkflowTemplate with its own DAG.

Why `templateRef` and not `inline` templates: docs/decisions/argo-parts.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from wurzel.backends.kubernetes.preflight import object_name
from wurzel.records import dataclass

if TYPE_CHECKING:
    from wurzel.backends.argo.layout import Pods
    from wurzel.backends.argo.options import ArgoOptions
    from wurzel.ir.jobs import Job
    from wurzel.ir.model import Pipeline

MOST_TEMPLATES = 200
"""Templates of one object, and tasks of one template (the CRD)."""


Output = tuple[str, str]
"""Id of a step, and name of one of its outputs; '' for the one without a name."""


@dataclass(frozen=True)
class Part:
    """Jobs that one WorkflowTemplate contains.

    Attributes:
        name: of the WorkflowTemplate, unique in the cluster's namespace.
        task: name of the task that runs it.
        jobs: in an order in which they can run.
        needs: outputs of steps of other parts that are read here, to the task that runs the part they are in.
        gives: outputs that other parts read.
    """

    name: str
    task: str
    jobs: Sequence[Job]
    needs: Mapping[Output, str]
    gives: Sequence[Output]


def own_templates(pipeline: Pipeline, options: ArgoOptions) -> int:
    """Templates of a workflow besides those of its steps: the DAG, and the exit handler."""
    if options.on_exit is None:
        return 1 if pipeline.on_failure is None else 3
    return 2 if options.on_exit.when == "always" else 3


def tasks_of(pods: Pods, job: Job) -> int:
    """Number of tasks of a job: one per slice if each has its own artifact, otherwise one, and one that counts."""
    return pods.slices(job) if pods.apart(job) else 1 + pods.counted(job)


def split(pods: Pods) -> list[Part]:
    """The parts in an order in which they can run; none when everything fits into one object.

    Parts are slices of the topological order of the jobs, so a part only reads from earlier parts.
    """
    sizes = [tasks_of(pods, job) for job in pods.all]
    templates = len(pods.all) + sum(pods.counted(job) for job in pods.all)
    if templates + own_templates(pods.pipeline, pods.options) <= MOST_TEMPLATES and sum(sizes) <= MOST_TEMPLATES:
        return []
    slices: list[list[Job]] = []
    room = 0
    for job, size in zip(pods.all, sizes, strict=True):
        if size > room:
            slices.append([])
            room = MOST_TEMPLATES - 1
        slices[-1].append(job)
        room -= size
    tasks = [f"part-{number}" for number in range(1, len(slices) + 1)]
    home = {step: task for task, jobs in zip(tasks, slices, strict=True) for job in jobs for step in job.ids}
    needs = [
        {need: home[need[0]] for job in jobs for need in pods.reads(job) if home[need[0]] != task}
        for task, jobs in zip(tasks, slices, strict=True)
    ]
    read = {need for outside in needs for need in outside}
    name = object_name(pods.pipeline, pods.options)
    return [
        Part(f"{name}-{task}", task, jobs, outside, [output for output in _outputs(jobs) if output in read])
        for task, jobs, outside in zip(tasks, slices, needs, strict=True)
    ]


def _outputs(jobs: Sequence[Job]) -> Iterator[Output]:
    return ((step.id, port.name) for job in jobs for step in job.steps for port in step.outputs)
