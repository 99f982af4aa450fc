"""The template of a step: its container, datasets and retries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from wurzel.backends import kubernetes as k8s
from wurzel.backends.argo.dag import SLICES, read, written
from wurzel.backends.argo.environment import braced, step_env, text
from wurzel.backends.argo.manifest import Container, Template
from wurzel.backends.argo.parts import reads
from wurzel.backends.kubernetes import without_empty
from wurzel.backends.kubernetes.preflight import object_name
from wurzel.invocation.command import slices_argv, step_argv, step_inputs

if TYPE_CHECKING:
    from wurzel.backends.argo.dag import Dag
    from wurzel.backends.argo.parts import Output
    from wurzel.invocation.command import Emulated
    from wurzel.ir.model import Step

LAST = "last"
"""Name of the artifact with a step's output of an earlier run."""
_FILE = f"{k8s.TMP_PATH}/slices.json"
_SHARD = "{{inputs.parameters.shard}}"
_FOLDER = "shard-{{=replace(inputs.parameters.shard, '/', '-of-')}}"
"""Folder of a slice whose parameter is `1/3`."""


class Templates:
    """Makes the templates of the steps of a DAG."""

    def __init__(self, dag: Dag, default_env: Mapping[str, str]) -> None:
        self.dag = dag
        self.pipeline = dag.pipeline
        self.options = dag.options
        self.volumes = k8s.volumes_of(dag.pipeline, dag.options)
        self._default_env = default_env
        self._read = {output for step in dag.pipeline.steps for output in reads(step)}

    def all(self, step_ids: Sequence[str]) -> list[Template]:
        """The templates of some steps, each after the one that counts its slices, if any."""
        found = []
        for step in (self.dag.steps[step_id] for step_id in step_ids):
            found += [self._counter(step)] if step.id in self.dag.counters else []
            found.append(self.of(step))
        return found

    def of(self, step: Step) -> Template:
        """The template of a step."""
        native = _retries_natively(step, self.options.version)
        emulate: list[Emulated] = [] if native else ["retry", "timeout"]
        return Template(
            name=self.dag.names[step.id],
            step=step,
            inputs=without_empty(
                parameters=[{"name": "shard"}] if step.shards.max > 1 else [],
                artifacts=[*self._inputs(reads(step)), *self._last_output(step)],
            ),
            outputs=without_empty(artifacts=self._outputs(step)),
            labels=k8s.labels(self.pipeline, step),
            retry_strategy=_retry(step) if native else {},
            active_deadline_seconds=step.timeout if native else None,
            service_account=None if self.options.service_account else step.service_account,
            node_selector=step.node_selector,
            tolerations=[k8s.toleration(toleration) for toleration in step.tolerations],
            priority_class=step.priority,
            container=self._container(step, emulate),
        )

    def _counter(self, step: Step) -> Template:
        """What counts the slices of a step; it reads what is cut, and needs none of the settings and secrets."""
        counts = self.dag.counts(step)
        argv = slices_argv(step, [self.dag.folder(*output) for output in counts], _FILE)
        args = [text(word) for word in argv[1:]]
        return replace(
            self.of(step),
            name=self.dag.counters[step.id],
            inputs=without_empty(artifacts=self._inputs(counts)),
            outputs={"parameters": [{"name": SLICES, "valueFrom": {"path": _FILE}}]},
            container=Container(
                image=k8s.image_of(self.pipeline, step),
                command=argv[:1],
                args=args,
                env=k8s.env_list(braced({}, args)),
                resources=k8s.resources(step.resources.without_devices(), step.limits),
            ),
            counts=True,
        )

    def _inputs(self, outputs: Sequence[Output]) -> list[dict[str, Any]]:
        if self.options.artifacts.volume:
            return []
        found: list[dict[str, Any]] = []
        for output in outputs:
            pieces = self.dag.handed(output)
            found += [{"name": piece.name, "path": piece.path} for piece in pieces]
            if not pieces:
                place = {"archive": {"none": {}}, **self.dag.store.dataset(*output)}
                found.append({"name": read(output), "path": self.dag.folder(*output), **place})
        return found

    def _last_output(self, step: Step) -> list[dict[str, Any]]:
        if self.options.artifacts.volume or not (step.self_consuming and self.dag.store.addressed):
            return []
        kept = self.dag.store.kept(object_name(self.pipeline, self.options), step.id)
        return [{"name": LAST, "path": self.dag.folder(step.id), "optional": True, **kept}]

    def _outputs(self, step: Step) -> list[dict[str, Any]]:
        if self.options.artifacts.volume:
            return []
        gc = self.options.artifact_gc
        found = [self._output(step, port.name) for port in step.outputs]
        if step.self_consuming and self.dag.store.addressed:
            kept = self.dag.store.kept(object_name(self.pipeline, self.options), step.id)
            never = {"artifactGC": {"strategy": "Never"}} if gc else {}
            found.append({"name": LAST, "path": self.dag.folder(step.id), **never, **kept})
        return found

    def _output(self, step: Step, name: str) -> dict[str, Any]:
        shard = ""
        if step.shards.max > 1:
            shard = _FOLDER if step.id in self.dag.counters else f"shard-{_SHARD}-of-{step.shards.max}"
        path = "/".join(filter(None, (self.dag.folder(step.id), shard, name)))
        gc = self.options.artifact_gc
        last = (step.id, name) not in self._read
        keep = {"artifactGC": {"strategy": "Never"}} if gc and gc.keep_results and last else {}
        place = self.dag.store.dataset(step.id, name, shard)
        return {"name": written(name), "path": path, "archive": {self.options.artifacts.archive: {}}, **keep, **place}

    def _container(self, step: Step, emulate: Sequence[Emulated]) -> Container:
        argv = step_argv(
            self.pipeline,
            step,
            inputs=step_inputs(step, self.dag.folder),
            output=self.dag.folder(step.id),
            emulate=emulate,
        )
        args = [text(word) for word in argv[1:]]
        if step.shards.max > 1:
            args += ["--shard", _SHARD if step.id in self.dag.counters else f"{_SHARD}/{step.shards.max}"]
        return Container(
            image=k8s.image_of(self.pipeline, step),
            command=argv[:1],
            args=args,
            env=k8s.env_list(step_env(self.pipeline, step, args, self._default_env)),
            resources=k8s.resources(step.resources, step.limits),
            env_from=k8s.env_from_list([*self.options.env_from, *step.env_from] if step.env_from else []),
            volume_mounts=k8s.mounts(self.volumes, [step.id]),
        )


def _retries_natively(step: Step, version: str) -> bool:
    """Argo takes only whole factors, and a `cap` for waits since 3.7; `maxDuration` limits all attempts together."""
    retry = step.retry
    return not retry.limit or (retry.factor == int(retry.factor) and (retry.max is None or version != "3.6"))


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
    return without_empty(
        limit=str(retry.limit), retryPolicy="Always", expression='lastRetry.exitCode != "2"', backoff=backoff
    )


def duration(seconds: int) -> str:
    """A duration in Go's notation, which has no unit for days."""
    hours, rest = divmod(seconds, 3600)
    minutes, seconds = divmod(rest, 60)
    parts = [f"{count}{unit}" for count, unit in ((hours, "h"), (minutes, "m"), (seconds, "s")) if count]
    return "".join(parts) or "0s"
