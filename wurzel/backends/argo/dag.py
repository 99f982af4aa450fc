"""The DAG: which task runs when, and which artifacts pass between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from wurzel.backends import kubernetes as k8s
from wurzel.backends.argo.layout import Pods, names, unused
from wurzel.backends.argo.manifest import Task
from wurzel.backends.argo.parts import split
from wurzel.backends.argo.storage import Store, store
from wurzel.backends.kubernetes import without_empty
from wurzel.backends.kubernetes.preflight import object_name
from wurzel.invocation.command import cut_edges, dataset
from wurzel.named_tuples import NamedTuple

if TYPE_CHECKING:
    from wurzel.backends.argo.options import ArgoOptions
    from wurzel.backends.argo.parts import Output, Part
    from wurzel.ir.jobs import Job
    from wurzel.ir.model import Pipeline

SLICES = "slices"
"""Name of the parameter that lists the slices of a step, as `--shard` takes them."""


def written(job: Job, output: Output) -> str:
    """Name of the artifact that a job writes; none is a prefix of another, for repositories that forbid it."""
    step, name = output
    if len(job.steps) == 1:
        return f"{name}-dataset" if name else "dataset"
    return f"{step}_{name}-dataset" if name else f"{step}_dataset"


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
        self.pods = Pods(pipeline, options)
        self.volumes = k8s.volumes_of(pipeline, options)
        self.store: Store = store(options.artifacts)
        self.names = names([job.name for job in self.pods.all])
        self.entrypoint = unused(object_name(pipeline, options), set(self.names.values()))
        self.slices = self._slices()
        self.parts = split(self.pods)
        self.feeders = {} if self.parts else self.pods.feeders()
        self.counters = self._counters()

    def whole(self) -> list[Task]:
        """The tasks of the pipeline: those of its jobs, or of its parts."""
        if self.parts:
            return [self._call(part) for part in self.parts]
        return [task for job in self.pods.all for task in self.tasks(job)]

    def within(self, part: Part) -> list[Task]:
        """The tasks of a part."""
        return [task for job in part.jobs for task in self.tasks(job, part)]

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
        """Names of the templates of jobs, and of those that count slices."""
        return {*self.names.values(), *self.counters.values()}

    def folder(self, step_id: str, output: str = "") -> str:
        """Where containers find the dataset of a step, or one of its outputs."""
        return "/".join(filter(None, (self.options.mount, dataset(self.pipeline, step_id), output)))

    def handed(self, need: Output) -> list[Piece]:
        """The artifacts that hand on an output of a step; none if readers know where it is."""
        step_id, output = need
        job, name = self.pods.home[step_id], read(need)
        count = self.pods.slices(job)
        if not self.pods.by_artifact or (count > 1 and not self.pods.apart(job)):
            return []
        if count == 1:
            return [Piece(name, self.names[job.name], written(job, need), self.folder(step_id, output))]
        return [
            Piece(
                f"{name}_{number}",
                self.slices[job.name, number],
                written(job, need),
                "/".join(filter(None, (self.folder(step_id), f"shard-{number}-of-{count}", output))),
            )
            for number in range(1, count + 1)
        ]

    def tasks(self, job: Job, part: Part | None = None) -> list[Task]:
        """The task of a job, or one per slice if each has its own artifact; before it, the one that counts slices."""
        reads, count = self.pods.reads(job), self.pods.slices(job)
        artifacts = self._arguments(reads, part)
        task = Task(
            name=self.names[job.name],
            template=self.names[job.name],
            depends=self._depends(reads, part),
            arguments=without_empty(artifacts=artifacts),
        )
        if count == 1:
            return [task]
        if self.pods.apart(job):
            return [
                replace(task, name=name, arguments=_with_shard(str(number), artifacts))
                for number, name in enumerate(self._tasks_of(job), 1)
            ]
        task = replace(task, arguments=_with_shard("{{item}}", artifacts))
        if job.name in self.feeders:
            slices = f"{{{{tasks.{self.names[self.feeders[job.name]]}.outputs.parameters.{SLICES}}}}}"
            return [replace(task, with_param=slices)]
        if job.name in self.counters:
            return [self._counter(job, part), self._mapped(task, job, part)]
        return [replace(task, with_sequence={"start": "1", "count": str(count)})]

    def counts(self, job: Job) -> list[Output]:
        """What the task that counts the slices of a job reads: the input that is cut."""
        return list(dict.fromkeys((edge.step, edge.output) for edge in cut_edges(job.steps[0])))

    def _counter(self, job: Job, part: Part | None) -> Task:
        """The task that counts the slices of a job."""
        name = self.counters[job.name]
        artifacts = self._arguments(self.counts(job), part)
        return Task(
            name=name,
            template=name,
            depends=self._depends(self.counts(job), part),
            arguments=without_empty(artifacts=artifacts),
        )

    def _mapped(self, task: Task, job: Job, part: Part | None) -> Task:
        """A task that runs once for each counted slice; it waits for the counter, and what that does not wait for."""
        counter = self.counters[job.name]
        others = [need for need in self.pods.reads(job) if need not in self.counts(job)]
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
        writers = [self.pods.home[need[0]] for need in needs if need not in outside]
        return " && ".join(dict.fromkeys(name for job in writers for name in self._tasks_of(job)))

    def _tasks_of(self, job: Job) -> list[str]:
        numbers = range(1, self.pods.slices(job) + 1)
        return [self.slices[job.name, number] for number in numbers] if self.pods.apart(job) else [self.names[job.name]]

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
            template_ref={"name": part.name, "template": self.entry(part), **scope(self.options)},
            depends=" && ".join(dict.fromkeys(part.needs.values())),
            arguments=without_empty(artifacts=artifacts),
        )

    def _slices(self) -> dict[tuple[str, int], str]:
        """The task of each slice, by name of the job and number, if each slice is a task."""
        taken, found = {*self.names.values(), self.entrypoint}, {}
        for job in self.pods.all:
            count = self.pods.slices(job) if self.pods.apart(job) else 0
            for number in range(1, count + 1):
                found[job.name, number] = unused(f"{self.names[job.name]}-{number}", taken)
                taken.add(found[job.name, number])
        return found

    def _counters(self) -> dict[str, str]:
        """The task that counts the slices of a job, by name of the job, if there is one."""
        taken, found = {*self.names.values(), *self.slices.values(), self.entrypoint}, {}
        for job in self.pods.all:
            if self.pods.counted(job) and job.name not in self.feeders:
                found[job.name] = unused(f"{self.names[job.name]}-{SLICES}", taken)
                taken.add(found[job.name])
        return found


def scope(options: ArgoOptions) -> dict[str, bool]:
    """The additional field of a reference to a cluster-wide template."""
    return {"clusterScope": True} if options.workflow_template == "cluster" else {}


def _with_shard(number: str, artifacts: Sequence[Mapping[str, str]]) -> dict[str, Any]:
    return without_empty(parameters=[{"name": "shard", "value": number}], artifacts=artifacts)
