"""The template of a job: its container, datasets and retries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from wurzel.backends import kubernetes as k8s
from wurzel.backends.argo.container import SHARD, SLICES_FILE, Runs
from wurzel.backends.argo.dag import SLICES, read, written
from wurzel.backends.argo.manifest import Template
from wurzel.backends.kubernetes import without_empty
from wurzel.backends.kubernetes.preflight import object_name

if TYPE_CHECKING:
    from wurzel.backends.argo.container import Steps
    from wurzel.backends.argo.dag import Dag
    from wurzel.backends.argo.manifest import Container
    from wurzel.backends.argo.parts import Output
    from wurzel.ir.jobs import Job
    from wurzel.ir.model import Step

LAST = "last"
"""Name of the artifact with a step's output of an earlier run."""
_FOLDER = "shard-{{=replace(inputs.parameters.shard, '/', '-of-')}}"
"""Folder of a slice whose parameter is `1/3`."""
_LONGEST_LABEL = 63


class Templates:
    """Makes the templates of the jobs of a DAG."""

    def __init__(self, dag: Dag, containers: Steps | Runs) -> None:
        self.dag = dag
        self.pods = dag.pods
        self.pipeline = dag.pipeline
        self.options = dag.options
        self._containers = containers
        steps = [step for job in dag.pods.all for step in job.steps]
        self._read = {(edge.step, edge.output) for step in steps for edge in step.needs}

    def all(self, jobs: Sequence[Job]) -> list[Template]:
        """The templates of some jobs, each after the one that counts its slices, if any."""
        found, containers = [], self._containers
        for job in jobs:
            if job.name in self.dag.counters and isinstance(containers, Runs):
                found.append(self._counter(job, containers.counter(job)))
            found.append(self.of(job))
        return found

    def of(self, job: Job) -> Template:
        """The template of a job."""
        first = job.steps[0]
        sliced, feeds = self.pods.sliced(job), job.name in self.dag.feeders.values()
        return Template(
            name=self.dag.names[job.name],
            steps=job.steps,
            step=first if len(job.steps) == 1 else None,
            inputs=without_empty(
                parameters=[{"name": "shard"}] if sliced else [],
                artifacts=[
                    *self._inputs(self.pods.reads(job)),
                    *(item for step in job.steps for item in self._last_output(job, step)),
                ],
            ),
            outputs=without_empty(
                parameters=[_SLICES] if feeds else [],
                artifacts=[item for step in job.steps for item in self._outputs(job, step)],
            ),
            labels=self._labels(job),
            retry_strategy=self._retry(job),
            active_deadline_seconds=self.pods.deadline(job),
            service_account=None if self.options.service_account else first.service_account,
            node_selector=first.node_selector,
            tolerations=[k8s.toleration(toleration) for toleration in first.tolerations],
            **k8s.single_values(job.steps),
            container=self._containers.of(job),
        )

    def _counter(self, job: Job, container: Container) -> Template:
        """The template that counts the slices of a step."""
        return replace(
            self.of(job),
            name=self.dag.counters[job.name],
            inputs=without_empty(artifacts=self._inputs(self.dag.counts(job))),
            outputs={"parameters": [_SLICES]},
            container=container,
            counts=True,
        )

    def _labels(self, job: Job) -> dict[str, str]:
        """Labels of the pod; steps that share one agree on theirs."""
        if len(job.steps) == 1:
            return k8s.labels(self.pipeline, job.steps[0])
        name = {"app.kubernetes.io/component": job.name} if len(job.name) <= _LONGEST_LABEL else {}
        return {**name, **job.steps[0].labels}

    def _retry(self, job: Job) -> dict[str, Any]:
        """Argo retries single steps as they ask; if wurzel retries within the pod, Argo replaces lost pods."""
        if self.pods.native(job):
            return self._elsewhere(_retry(job.steps[0]))
        if not self.pods.run or self.pods.single:
            return {}
        fatal = ("2", "3") if any(step.retry.limit for step in job.steps) else ("1", "2", "3")
        return self._elsewhere({"limit": "1", "retryPolicy": "Always", "expression": _unless(fatal)})

    def _elsewhere(self, strategy: dict[str, Any]) -> dict[str, Any]:
        wanted = self.options.retry_on_other_nodes and bool(strategy)
        return {**strategy, "affinity": {"nodeAntiAffinity": {}}} if wanted else strategy

    def _inputs(self, outputs: Sequence[Output]) -> list[dict[str, Any]]:
        if not self.pods.by_artifact:
            return []
        found: list[dict[str, Any]] = []
        for output in outputs:
            pieces = self.dag.handed(output)
            found += [{"name": piece.name, "path": piece.path} for piece in pieces]
            if not pieces:
                place = {"archive": {"none": {}}, **self.dag.store.dataset(*output)}
                found.append({"name": read(output), "path": self.dag.folder(*output), **place})
        return found

    def _last_output(self, job: Job, step: Step) -> list[dict[str, Any]]:
        if not (self.pods.by_artifact and step.self_consuming and self.dag.store.addressed):
            return []
        kept = self.dag.store.kept(object_name(self.pipeline, self.options), step.id)
        return [{"name": _last(job, step), "path": self.dag.folder(step.id), "optional": True, **kept}]

    def _outputs(self, job: Job, step: Step) -> list[dict[str, Any]]:
        """The artifacts of a step; in a job of several steps, only results and what other jobs read."""
        if not self.pods.by_artifact:
            return []
        gc = self.options.artifact_gc
        ports = [port.name for port in step.outputs]
        if self.pods.run and step not in self.pods.results(job):
            ports = [name for of, name in self.pods.leaving(job) if of is step]
        found = [self._output(job, step, name) for name in ports]
        if step.self_consuming and self.dag.store.addressed:
            kept = self.dag.store.kept(object_name(self.pipeline, self.options), step.id)
            never = {"artifactGC": {"strategy": "Never"}} if gc else {}
            found.append({"name": _last(job, step), "path": self.dag.folder(step.id), **never, **kept})
        return found

    def _output(self, job: Job, step: Step, name: str) -> dict[str, Any]:
        shard, count = "", self.pods.slices(job)
        if count > 1:
            counted = job.name in self.dag.counters or job.name in self.dag.feeders
            shard = _FOLDER if counted else f"shard-{SHARD}-of-{count}"
        path = "/".join(filter(None, (self.dag.folder(step.id), shard, name)))
        gc = self.options.artifact_gc
        last = (step.id, name) not in self._read
        keep = {"artifactGC": {"strategy": "Never"}} if gc and gc.keep_results and last else {}
        place = self.dag.store.dataset(step.id, name, shard)
        archive: dict[str, Any] = {self.options.artifacts.archive: {}}
        return {"name": written(job, (step.id, name)), "path": path, "archive": archive, **keep, **place}


_SLICES = {"name": SLICES, "valueFrom": {"path": SLICES_FILE}}


def _last(job: Job, step: Step) -> str:
    """Name of the artifact with a step's last output."""
    return LAST if len(job.steps) == 1 else f"{step.id}_{LAST}"


def _unless(codes: Sequence[str]) -> str:
    """The expression that retries unless the exit code is one of these; a lost pod has no exit code."""
    return f"lastRetry.exitCode not in [{', '.join(f'{chr(34)}{code}{chr(34)}' for code in codes)}]"


def _retry(step: Step) -> dict[str, Any]:
    retry = step.retry
    if not retry.limit:
        return {}
    backoff: dict[str, Any] = {}
    if retry.backoff:
        backoff = without_empty(
            duration=duration(retry.backoff),
            factor=str(int(retry.factor)) if retry.factor != 1 else None,
            cap=duration(retry.max) if retry.max is not None else None,
        )
    return without_empty(limit=str(retry.limit), retryPolicy="Always", expression=_unless(("2", "3")), backoff=backoff)


def duration(seconds: int) -> str:
    """A duration in Go's notation, which has no unit for days."""
    hours, rest = divmod(seconds, 3600)
    minutes, seconds = divmod(rest, 60)
    parts = [f"{count}{unit}" for count, unit in ((hours, "h"), (minutes, "m"), (seconds, "s")) if count]
    return "".join(parts) or "0s"
