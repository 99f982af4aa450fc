"""The DAG: which task runs when, and which artifacts pass between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from wurzel.backends.argo.manifest import Task
from wurzel.backends.argo.naming import names, unused
from wurzel.backends.argo.parts import reads, split
from wurzel.backends.argo.storage import Store, apart, counted, store
from wurzel.backends.kubernetes import without_empty
from wurzel.backends.kubernetes.preflight import object_name
from wurzel.invocation.command import cut_edges, dataset

if TYPE_CHECKING:
    from wurzel.backends.argo.options import ArgoOptions
    from wurzel.backends.argo.parts import Output, Part
    from wurzel.ir.model import Pipeline, Step

SLICES = "slices"
"""Name of the parameter that lists the slices of a step, as `--shard` takes them."""


def written(output: str) -> str:
    """Name of the artifact that a step writes; none is a prefix of another, for repositories that forbid it."""
    return f"{output}-dataset" if output else "dataset"


def read(output: Output) -> str:
    """Name of the artifact where a step reads it; no step id contains a `_`."""
    return "_".join(part for part in output if part)


class Piece(NamedTuple):
    """An output of a step, or one slice of it, as the artifact of a task."""

    name: str
    """Name of the artifact where it is read."""
    task: str
    kept: str
    """Name of the artifact where it is written."""
    path: str
    """Where a reader finds it."""

    @property
    def origin(self) -> str:
        """Argo's expression for it, within the DAG that makes it."""
        return f"{{{{tasks.{self.task}.outputs.artifacts.{self.kept}}}}}"


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
        self.counters = self._counters()
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
        return without_empty(artifacts=[{"name": piece.name} for need in part.needs for piece in self.handed(need)])

    def outputs_of(self, part: Part) -> dict[str, Any]:
        """`outputs` of the DAG of a part."""
        pieces = [piece for output in part.gives for piece in self.handed(output)]
        return without_empty(artifacts=[{"name": piece.name, "from": piece.origin} for piece in pieces])

    def entry(self, part: Part) -> str:
        """Name of the template that holds the DAG of a part."""
        return unused(part.task, self.taken)

    @property
    def taken(self) -> set[str]:
        """Names of the templates of steps, and of those that count their slices."""
        return {*self.names.values(), *self.counters.values()}

    def folder(self, step_id: str, output: str = "") -> str:
        """Where containers find the dataset of a step, or one of its outputs."""
        return "/".join(filter(None, (self.options.mount, dataset(self.pipeline, step_id), output)))

    def handed(self, need: Output) -> list[Piece]:
        """The artifacts that pass an output of a step on; none where readers find it at a known place."""
        step_id, output = need
        step, name, kept = self.steps[step_id], read(need), written(output)
        if self.options.artifacts.volume is not None or (step.shards.max > 1 and self.store.fills):
            return []
        if step.shards.max == 1:
            return [Piece(name, self.names[step_id], kept, self.folder(step_id, output))]
        return [
            Piece(
                f"{name}_{number}",
                self.slices[step_id, number],
                kept,
                "/".join(filter(None, (self.folder(step_id), f"shard-{number}-of-{step.shards.max}", output))),
            )
            for number in range(1, step.shards.max + 1)
        ]

    def tasks(self, step: Step, part: Part | None = None) -> list[Task]:
        """The task of a step, or one per slice if each has its own artifact; before it, the one that counts slices."""
        artifacts = self._arguments(reads(step), part)
        task = Task(
            name=self.names[step.id],
            template=self.names[step.id],
            depends=self._depends(reads(step), part),
            arguments=without_empty(artifacts=artifacts),
        )
        if step.shards.max == 1:
            return [task]
        if (step.id, 1) in self.slices:
            return [
                replace(task, name=name, arguments=_with_shard(str(number), artifacts))
                for number, name in enumerate(self._tasks_of(step.id), 1)
            ]
        task = replace(task, arguments=_with_shard("{{item}}", artifacts))
        if step.id in self.counters:
            return [self._counter(step, part), self._mapped(task, step, part)]
        return [replace(task, with_sequence={"start": "1", "count": str(step.shards.max)})]

    def counts(self, step: Step) -> list[Output]:
        """What the task that counts the slices of a step reads: the input that is cut."""
        return list(dict.fromkeys((edge.step, edge.output) for edge in cut_edges(step)))

    def _counter(self, step: Step, part: Part | None) -> Task:
        """The task that counts the slices of a step."""
        name = self.counters[step.id]
        artifacts = self._arguments(self.counts(step), part)
        return Task(
            name=name,
            template=name,
            depends=self._depends(self.counts(step), part),
            arguments=without_empty(artifacts=artifacts),
        )

    def _mapped(self, task: Task, step: Step, part: Part | None) -> Task:
        """A task that runs once for each slice that another has counted; what that one waits for is not named again."""
        counter = self.counters[step.id]
        others = [need for need in reads(step) if need not in self.counts(step)]
        return replace(
            task,
            depends=" && ".join(filter(None, (counter, self._depends(others, part)))),
            with_param=f"{{{{tasks.{counter}.outputs.parameters.{SLICES}}}}}",
        )

    def _arguments(self, needs: Sequence[Output], part: Part | None) -> list[dict[str, str]]:
        outside = part.needs if part else {}
        return [
            {"name": piece.name, "from": f"{{{{inputs.artifacts.{piece.name}}}}}" if need in outside else piece.origin}
            for need in needs
            for piece in self.handed(need)
        ]

    def _depends(self, needs: Sequence[Output], part: Part | None) -> str:
        outside = part.needs if part else {}
        return " && ".join(self._waits([need for need in needs if need not in outside]))

    def _waits(self, needs: Sequence[Output]) -> list[str]:
        """The tasks that write these outputs, each once."""
        return list(dict.fromkeys(name for step_id, _ in needs for name in self._tasks_of(step_id)))

    def _tasks_of(self, need: str) -> list[str]:
        numbers = range(1, self.steps[need].shards.max + 1)
        return [self.slices[need, number] for number in numbers] if (need, 1) in self.slices else [self.names[need]]

    def _call(self, part: Part) -> Task:
        """The task that runs a part, after the parts it reads from."""
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
            arguments=without_empty(artifacts=artifacts),
        )

    def _slices(self) -> dict[tuple[str, int], str]:
        """Step id and number of a slice to its task, where each slice has one."""
        taken, found = {*self.names.values(), self.entrypoint}, {}
        for step in self.pipeline.steps:
            count = step.shards.max if apart(step, self.options.artifacts) else 0
            for number in range(1, count + 1):
                found[step.id, number] = unused(f"{self.names[step.id]}-{number}", taken)
                taken.add(found[step.id, number])
        return found

    def _counters(self) -> dict[str, str]:
        """Step id to the task that counts its slices, where one does."""
        taken, found = {*self.names.values(), *self.slices.values(), self.entrypoint}, {}
        for step in self.pipeline.steps:
            if counted(step, self.options.artifacts):
                found[step.id] = unused(f"{self.names[step.id]}-{SLICES}", taken)
                taken.add(found[step.id])
        return found


def _with_shard(number: str, artifacts: Sequence[Mapping[str, str]]) -> dict[str, Any]:
    return without_empty(parameters=[{"name": "shard", "value": number}], artifacts=artifacts)
