"""The DAG: which task runs when, and what travels between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from wurzel.backends.argo.manifest import Task
from wurzel.backends.argo.naming import names, unused
from wurzel.backends.argo.parts import split
from wurzel.backends.argo.storage import Store, store, tasks_of
from wurzel.backends.kubernetes import given
from wurzel.backends.kubernetes.preflight import object_name
from wurzel.invocation.command import dataset

if TYPE_CHECKING:
    from wurzel.backends.argo.options import ArgoOptions
    from wurzel.backends.argo.parts import Part
    from wurzel.ir.model import Pipeline, Step

OUTPUT = "dataset"
"""Name of the artifact that holds what a step wrote."""


class Piece(NamedTuple):
    """A step's dataset, or one slice of it, as the artifact of a task."""

    name: str
    """Of the artifact where it is read; no step id holds a `_`."""
    task: str
    shard: int | None
    path: str
    """Where a reader finds it."""

    @property
    def origin(self) -> str:
        """Argo's expression for it, within the DAG that makes it."""
        return f"{{{{tasks.{self.task}.outputs.artifacts.{OUTPUT}}}}}"


class Dag:
    """The tasks of a pipeline, and what they hand each other."""

    def __init__(self, pipeline: Pipeline, options: ArgoOptions) -> None:
        self.pipeline = pipeline
        self.options = options
        self.store: Store = store(options.artifacts)
        self.names = names([step.id for step in pipeline.steps])
        self.steps = {step.id: step for step in pipeline.steps}
        self.entrypoint = unused(object_name(pipeline, options), set(self.names.values()))
        self.slices = self._slices()
        self.parts = split(pipeline, options)

    def whole(self) -> list[Task]:
        """The tasks of the pipeline: those of its steps, or of its parts."""
        if self.parts:
            return [self._call(part) for part in self.parts]
        return [task for step in self.pipeline.steps for task in self.tasks(step)]

    def within(self, part: Part) -> list[Task]:
        """The tasks of a part."""
        return [task for step_id in part.steps for task in self.tasks(self.steps[step_id], part)]

    def inputs_of(self, part: Part) -> dict[str, Any]:
        """`inputs` of the DAG of a part."""
        return given(artifacts=[{"name": piece.name} for need in part.needs for piece in self.handed(need)])

    def outputs_of(self, part: Part) -> dict[str, Any]:
        """`outputs` of the DAG of a part."""
        pieces = [piece for step_id in part.gives for piece in self.handed(step_id)]
        return given(artifacts=[{"name": piece.name, "from": piece.origin} for piece in pieces])

    def entry(self, part: Part) -> str:
        """Name of the template that holds the DAG of a part."""
        return unused(part.task, set(self.names.values()))

    def folder(self, step_id: str) -> str:
        """Where containers find the dataset of a step."""
        return f"{self.options.mount}/{dataset(self.pipeline, step_id)}"

    def handed(self, need: str) -> list[Piece]:
        """What travels from task to task of a step's dataset: nothing where it is read at a known place."""
        step, name, folder = self.steps[need], self.names[need], self.folder(need)
        if self.options.artifacts.volume is not None or (step.shards.max > 1 and self.store.fills):
            return []
        if step.shards.max == 1:
            return [Piece(need, name, None, folder)]
        return [
            Piece(
                f"{need}_{number}", self.slices[need, number], number, f"{folder}/shard-{number}-of-{step.shards.max}"
            )
            for number in range(1, step.shards.max + 1)
        ]

    def tasks(self, step: Step, part: Part | None = None) -> list[Task]:
        """The task of a step, or one per slice if each slice has its own artifact."""
        outside = part.needs if part else {}
        artifacts = [
            {"name": piece.name, "from": f"{{{{inputs.artifacts.{piece.name}}}}}" if need in outside else piece.origin}
            for need in step.predecessors
            for piece in self.handed(need)
        ]
        inside = [need for need in step.predecessors if need not in outside]
        needed = [name for need in inside for name in self._tasks_of(need)]
        task = Task(
            name=self.names[step.id],
            template=self.names[step.id],
            depends=" && ".join(needed),
            arguments=given(artifacts=artifacts),
        )
        if step.shards.max == 1:
            return [task]
        if (step.id, 1) in self.slices:
            return [
                replace(task, name=name, arguments=_with_shard(str(number), artifacts))
                for number, name in enumerate(self._tasks_of(step.id), 1)
            ]
        sequence = {"start": "1", "count": str(step.shards.max)}
        return [replace(task, arguments=_with_shard("{{item}}", artifacts), with_sequence=sequence)]

    def _tasks_of(self, need: str) -> list[str]:
        numbers = range(1, self.steps[need].shards.max + 1)
        return [self.slices[need, number] for number in numbers] if (need, 1) in self.slices else [self.names[need]]

    def _call(self, part: Part) -> Task:
        """The task that runs a part, when those that it reads from are through."""
        artifacts = [
            {"name": piece.name, "from": f"{{{{tasks.{task}.outputs.artifacts.{piece.name}}}}}"}
            for need, task in part.needs.items()
            for piece in self.handed(need)
        ]
        return Task(
            name=part.task,
            template="",
            template_ref={"name": part.name, "template": self.entry(part)},
            depends=" && ".join(dict.fromkeys(part.needs.values())),
            arguments=given(artifacts=artifacts),
        )

    def _slices(self) -> dict[tuple[str, int], str]:
        """Step id and number of a slice to its task, where each slice has one."""
        taken, found = {*self.names.values(), self.entrypoint}, {}
        for step in self.pipeline.steps:
            count = tasks_of(step, self.options.artifacts)
            for number in range(1, count + 1) if count > 1 else ():
                found[step.id, number] = unused(f"{self.names[step.id]}-{number}", taken)
                taken.add(found[step.id, number])
        return found


def _with_shard(number: str, artifacts: Sequence[Mapping[str, str]]) -> dict[str, Any]:
    return given(parameters=[{"name": "shard", "value": number}], artifacts=artifacts)
