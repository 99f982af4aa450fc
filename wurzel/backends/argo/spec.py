"""The specification of a workflow: what all its pods share, and how long things are kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from wurzel.backends import kubernetes as k8s
from wurzel.backends.argo.common import common, shared_env, with_env
from wurzel.backends.argo.container import Runs, Steps
from wurzel.backends.argo.dag import Dag
from wurzel.backends.argo.environment import braced, default_env, parameter, run_env, run_secrets, text
from wurzel.backends.argo.exit_handler import exit_handler
from wurzel.backends.argo.manifest import Defaults, Spec
from wurzel.backends.argo.one_off import part_of
from wurzel.backends.argo.storage import RUN
from wurzel.backends.argo.template import Templates
from wurzel.backends.kubernetes import without_empty
from wurzel.backends.kubernetes.preflight import object_name
from wurzel.backends.kubernetes.store import store_mounts, store_volumes
from wurzel.ir.serialize import dump_for_jobs

if TYPE_CHECKING:
    from wurzel.backends.argo.manifest import Template
    from wurzel.backends.argo.options import ArgoOptions
    from wurzel.backends.argo.parts import Part
    from wurzel.ir.jobs import Job
    from wurzel.ir.model import Pipeline


IR = "wurzel.dev/ir"
"""Annotation of pods with the pipeline; why: docs/decisions/argo-pods.md."""


class Specs:
    """Builds the specs of a pipeline: of the main object, and of each part."""

    def __init__(self, pipeline: Pipeline, options: ArgoOptions) -> None:
        self.pipeline = pipeline
        self.options = options
        self.dag = Dag(part_of(pipeline, options), options)
        self.run = self.dag.pods.run
        self.handler = exit_handler(pipeline, options, {*self.dag.taken, self.dag.entrypoint})
        self.templates = Templates(self.dag, self._containers())
        self._jobs = {job.name: self.templates.all([job]) for job in self.dag.pods.all}
        self._common = common([template for of in self._jobs.values() for template in of], self.handler)
        self._env = self._share_env()

    def _share_env(self) -> list[Mapping[str, Any]]:
        """The variables of `templateDefaults`; those that cannot be there are in each template instead."""
        more = self._of_jobs()[0] if self._shares_all else {}
        env = k8s.env_list({**(run_env(self.pipeline, self.options.of_run) if self.run else self._step_env()), **more})
        containers = [template.container for of in self._jobs.values() for template in of]
        kept = shared_env(env, [*containers, *([self.handler.container] if self.handler else [])])
        if len(kept) < len(env):
            self._jobs = {
                name: [replace(template, container=with_env(template.container, env, kept)) for template in of]
                for name, of in self._jobs.items()
            }
            if self.handler:
                self.handler = replace(self.handler, container=with_env(self.handler.container, env, kept))
        return kept

    def spec(self) -> Spec:
        """The spec of the main object."""
        pipeline, options = self.pipeline, self.options
        executor = options.executor_service_account
        parameters = [parameter(setting) for step in pipeline.steps for setting in step.settings if setting.parameter]
        return Spec(
            entrypoint=self.dag.entrypoint,
            parameters=parameters,
            service_account=options.service_account or pipeline.service_account,
            automount_token=False if executor else None,
            executor=without_empty(serviceAccountName=executor),
            security_context=k8s.pod_security(options.security),
            pod_labels=k8s.labels(pipeline),
            pod_annotations=pipeline.annotations,
            ir=dump_for_jobs(pipeline) if self.run else "",
            image_pull_secrets=[{"name": name} for name in options.image_pull_secrets],
            priority_class=options.priority_class,
            node_selector=options.node_selector,
            affinity=options.affinity,
            **self._of_runs(),
            restricts_executor=options.security.restricted,
            hides_token=not (options.token or executor),
            volumes=self._volumes(),
            volume_claim_templates=self._claims(),
            defaults=self._defaults(),
            inputs={},
            outputs={},
            tasks=self.dag.whole(),
            templates=[] if self.dag.parts else self.of_jobs(self.dag.pods.all),
            on_exit=self.handler,
        )

    def _of_runs(self) -> dict[str, Any]:
        """How long a run may take, what it waits for, and what is kept of it."""
        pipeline, options = self.pipeline, self.options
        return {
            "active_deadline_seconds": options.active_deadline if pipeline.timeout is None else pipeline.timeout,
            "parallelism": pipeline.parallelism,
            "ttl_strategy": without_empty(
                secondsAfterSuccess=options.ttl.success, secondsAfterFailure=options.ttl.failure
            ),
            "pod_gc": without_empty(strategy=options.pod_gc),
            "artifact_gc": self._artifact_gc(),
            "archive_logs": options.archive_logs,
            "artifact_repository_ref": self._repository(),
            "synchronization": self._synchronization(),
        }

    def part_spec(self, part: Part) -> Spec:
        """A part's own spec: its steps, and what checking the file alone needs; the main object has run limits."""
        return replace(
            self.spec(),
            entrypoint=self.dag.entry(part),
            active_deadline_seconds=None,
            parallelism=None,
            ttl_strategy={},
            pod_gc={},
            ir="",
            artifact_gc={},
            archive_logs=None,
            artifact_repository_ref={},
            synchronization={},
            restricts_executor=False,
            hides_token=False,
            inputs=self.dag.inputs_of(part),
            outputs=self.dag.outputs_of(part),
            tasks=self.dag.within(part),
            templates=self.of_jobs(part.jobs),
            on_exit=None,
        )

    def of_jobs(self, jobs: Sequence[Job]) -> list[Template]:
        """The templates of some jobs, each after the one that counts its slices, if any."""
        return [template for job in jobs for template in self._jobs[job.name]]

    def _repository(self) -> dict[str, Any]:
        ref = self.options.artifacts.repository
        return without_empty(configMap=ref.config_map, key=ref.key) if ref else {}

    def _artifact_gc(self) -> dict[str, Any]:
        gc = self.options.artifact_gc
        return without_empty(strategy=gc.strategy, serviceAccountName=gc.service_account) if gc else {}

    def _synchronization(self) -> dict[str, Any]:
        locks = self.options.synchronization
        if locks is None:
            return {}
        return without_empty(
            mutexes=[without_empty(name=lock.name, namespace=lock.namespace) for lock in locks.mutexes],
            semaphores=[
                without_empty(configMapKeyRef={"name": lock.config_map, "key": lock.key}, namespace=lock.namespace)
                for lock in locks.semaphores
            ],
        )

    def _patch(self) -> str:
        import json

        patch = self.options.pod_spec_patch
        if isinstance(patch, dict):
            return json.dumps(patch, ensure_ascii=False, indent=2)
        return patch or ""

    def _containers(self) -> Steps | Runs:
        if not self.run:
            return Steps(self.dag, default_env(self.pipeline))
        return Runs(self.dag, *(({}, []) if self._shares_all else self._of_jobs()))

    @property
    def _shares_all(self) -> bool:
        """Whether what jobs have may be in `templateDefaults`: an exit handler would get it too, with any image."""
        return self.handler is None

    def _of_jobs(self) -> tuple[k8s.Env, list[dict[str, Any]]]:
        """Variables by reference, and mounts, of all containers of `wurzel run`."""
        if not self.run:
            return {}, []
        return run_secrets(self.pipeline), [k8s.pipeline_mount(), *store_mounts(self.pipeline)]

    def _volumes(self) -> list[dict[str, Any]]:
        shared = self.options.artifacts.volume
        data: list[dict[str, Any]] = []
        if shared is None or self.dag.pods.stored:
            data = [{"name": k8s.DATA, "emptyDir": {}}]
        elif shared.name:
            data = [{"name": k8s.DATA, "persistentVolumeClaim": {"claimName": shared.name}}]
        ir = {"path": k8s.PIPELINE_FILE, "fieldRef": {"fieldPath": f"metadata.annotations['{IR}']"}}
        run = [{"name": k8s.PIPELINE, "downwardAPI": {"items": [ir]}}, *store_volumes(self.pipeline)]
        own = [*data, k8s.tmp_volume(self.options), *(run if self.run else [])]
        return [*own, *k8s.pod_volumes(self.dag.volumes)]

    def _claims(self) -> list[dict[str, Any]]:
        shared = self.options.artifacts.volume
        if shared is None or shared.name or self.dag.pods.stored:
            return []
        spec = k8s.claim_spec(shared.size, shared.storage_class, shared.access_mode)
        return [{"metadata": {"name": k8s.DATA}, "spec": spec}]

    def _defaults(self) -> Defaults:
        """What all containers share; Argo merges it into each template by name and mount path."""
        options = self.options
        # Argo refuses templates without an image in a ClusterWorkflowTemplate, whatever its templateDefaults say.
        without = {"image": ""} if options.workflow_template == "cluster" else {}
        mounts = self._of_jobs()[1] if self._shares_all else []
        mounts = [
            self._data_mount(),
            {"name": k8s.TMP, "mountPath": k8s.TMP_PATH},
            *mounts,
            *k8s.mounts(self.dag.volumes),
        ]
        return Defaults(
            **{**self._common, **without},
            pod_spec_patch=self._patch(),
            image_pull_policy=options.image_pull_policy,
            env=self._env,
            env_from=k8s.env_from_list(options.env_from),
            security_context=k8s.container_security(options.security),
            volume_mounts=mounts,
        )

    def _step_env(self) -> k8s.Env:
        run_id = {} if k8s.RUN_ID in self.pipeline.env else {k8s.RUN_ID: RUN}
        return braced({**run_id, **{name: text(value) for name, value in default_env(self.pipeline).items()}})

    def _data_mount(self) -> dict[str, Any]:
        shared = self.options.artifacts.volume
        folder = None
        if shared is not None and shared.name and not self.dag.pods.stored:
            folder = RUN if shared.per_run else object_name(self.pipeline, self.options)
        return without_empty(name=k8s.DATA, mountPath=self.options.mount, subPath=folder)
