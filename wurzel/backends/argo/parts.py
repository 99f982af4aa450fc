"""Pipelines with more steps than fit into one Argo object: split into parts, each a WorkflowTemplate with its own DAG.

Why `templateRef` and not `inline` templates: docs/decisions/argo-parts.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wurzel.backends.argo.storage import counted, tasks_of
from wurzel.backends.kubernetes.preflight import object_name

if TYPE_CHECKING:
    from wurzel.backends.argo.options import ArgoOptions
    from wurzel.ir.model import Pipeline, Step

MOST_TEMPLATES = 200
"""Templates of one object, and tasks of one template (the CRD)."""


Output = tuple[str, str]
"""Id of a step, and name of one of its outputs; '' for the one without a name."""


@dataclass(frozen=True)
class Part:
    """Steps that one WorkflowTemplate contains.

    Attributes:
        name: of the WorkflowTemplate, unique in the cluster's namespace.
        task: name of the task that runs it.
        steps: their ids, in the pipeline's order.
        needs: outputs of steps of other parts that are read here, to the task that runs the part they are in.
        gives: outputs that other parts read.
    """

    name: str
    task: str
    steps: Sequence[str]
    needs: Mapping[Output, str]
    gives: Sequence[Output]


def reads(step: Step) -> list[Output]:
    """The outputs that a step reads, each once, in the order of the `>>`s."""
    return list(dict.fromkeys((edge.step, edge.output) for edge in step.needs))


def own_templates(options: ArgoOptions) -> int:
    """Templates of a workflow besides those of its steps: the DAG, and the exit handler."""
    handler = options.on_exit
    return 1 + (0 if handler is None else 1 if handler.when == "always" else 2)


def split(pipeline: Pipeline, options: ArgoOptions) -> list[Part]:
    """The parts in an order in which they can run; none when everything fits into one object.

    Parts are slices of the pipeline's topological order, so a part only reads from earlier parts.
    """
    sizes = [tasks_of(step, options.artifacts) for step in pipeline.steps]
    templates = len(pipeline.steps) + sum(counted(step, options.artifacts) for step in pipeline.steps)
    if templates + own_templates(options) <= MOST_TEMPLATES and sum(sizes) <= MOST_TEMPLATES:
        return []
    slices: list[list[Step]] = []
    room = 0
    for step, size in zip(pipeline.steps, sizes, strict=True):
        if size > room:
            slices.append([])
            room = MOST_TEMPLATES - 1
        slices[-1].append(step)
        room -= size
    tasks = [f"part-{number}" for number in range(1, len(slices) + 1)]
    home = {step.id: task for task, steps in zip(tasks, slices, strict=True) for step in steps}
    needs = [
        {need: home[need[0]] for step in steps for need in reads(step) if home[need[0]] != task}
        for task, steps in zip(tasks, slices, strict=True)
    ]
    read = {need for outside in needs for need in outside}
    return [
        Part(
            name=f"{object_name(pipeline, options)}-{task}",
            task=task,
            steps=[step.id for step in steps],
            needs=outside,
            gives=[(step.id, port.name) for step in steps for port in step.outputs if (step.id, port.name) in read],
        )
        for task, steps, outside in zip(tasks, slices, needs, strict=True)
    ]
