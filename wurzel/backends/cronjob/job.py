"""The Job and its pod, which has a container for each step, or for several, which `wurzel run` runs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from wurzel.backends import kubernetes as k8s
from wurzel.backends.cronjob.manifest import Container, Job, Pod
from wurzel.backends.kubernetes import without_empty
from wurzel.backends.kubernetes.preflight import object_name
from wurzel.backends.kubernetes.store import store_env, store_mounts, store_volumes
from wurzel.exceptions import BROKEN_CONTRACT, USAGE
from wurzel.invocation import call
from wurzel.invocation.command import dataset, step_argv, step_inputs
from wurzel.invocation.failure import notice_references
from wurzel.ir.jobs import Place, are_runs, jobs_of
from wurzel.ir.requests import attempts, longest_path, width
from wurzel.ir.serialize import dump_for_jobs
from wurzel.named_tuples import NamedTuple

if TYPE_CHECKING:
    from wurzel.backends.cronjob.options import CronJobOptions
    from wurzel.ir.jobs import Job as Group
    from wurzel.ir.model import Pipeline, Step

START = 300
"""Seconds for pulling images and starting pods."""
_RUN = {"fieldRef": {"fieldPath": "metadata.labels['batch.kubernetes.io/controller-uid']"}}
"""The Job's uid: the same for all its pods, different for every run (a label of pods since Kubernetes 1.27)."""
_MOST_TEXT = 900 * 1024
"""Largest pipeline that is written as text; a ConfigMap has at most 1 MiB."""


def uses_run(pipeline: Pipeline, options: CronJobOptions) -> bool:
    """Whether containers are `wurzel run` on the pipeline in a ConfigMap: with a store, or with several steps each."""
    return are_runs(pipeline, options.layout)


def containers(pipeline: Pipeline, options: CronJobOptions) -> list[Group]:
    """The containers, in the order they run."""
    return jobs_of(pipeline, options.layout, place(pipeline))


def place(pipeline: Pipeline) -> Place:
    """What a container has one value of: its image, and the ConfigMaps and Secrets that are its variables."""

    def of(step: Step) -> dict[str, Any]:
        found: dict[str, Any] = {"image": k8s.image_of(pipeline, step)}
        return found | ({"env_from": k8s.env_from_list(step.env_from)} if step.env_from else {})

    return of


class Described(NamedTuple):
    """The ConfigMap with the pipeline that containers read."""

    name: str
    """With a digest of the pipeline, since the ConfigMap is immutable."""
    file: str
    """Name of its only file; with `.bz2` where a ConfigMap might not hold the text."""
    text: str

    @property
    def path(self) -> str:
        """Where containers find the file."""
        return f"{k8s.PIPELINE_PATH}/{self.file}"


def described_by(pipeline: Pipeline, options: CronJobOptions) -> Described | None:
    """The ConfigMap with the pipeline, if containers read one."""
    if not uses_run(pipeline, options):
        return None
    text = dump_for_jobs(pipeline)
    encoded = text.encode()
    suffix = ".bz2" if len(encoded) > _MOST_TEXT else ""
    name = f"{object_name(pipeline, options)}-pipeline-{sha256(encoded).hexdigest()[:10]}"
    return Described(name, f"{k8s.PIPELINE_FILE}{suffix}", text)


class Builder:
    """Builds the Job."""

    def __init__(self, pipeline: Pipeline, options: CronJobOptions, described: Described | None) -> None:
        self.pipeline = pipeline
        self.options = options
        self.described = described
        self.name = object_name(pipeline, options)
        self.jobs = containers(pipeline, options)
        self.extras = k8s.volumes_of(pipeline, options)

    def job(self) -> Job:
        """The Job."""
        options = self.options
        ttl = None if options.gitops == "flux" and self.pipeline.schedule is None else options.ttl
        return Job(
            backoff_limit=options.backoff_limit,
            active_deadline_seconds=self._deadline(),
            ttl=ttl,
            repeated=self.pipeline.schedule is None and options.gitops is None,
            pod_failure_policy={
                "rules": [
                    {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]},
                    {"action": "FailJob", "onExitCodes": {"operator": "In", "values": [USAGE, BROKEN_CONTRACT]}},
                ]
            },
            pod=self._pod(),
        )

    def _deadline(self) -> int:
        """Seconds after which a run must be stuck, with all its pods; at most the timeout of the pipeline or option."""
        pipeline, options = self.pipeline, self.options
        most = options.active_deadline if pipeline.timeout is None else pipeline.timeout
        if any(step.timeout is None for step in pipeline.steps):
            return most
        longest = sum(self._longest(job.steps) for job in self.jobs)  # one container runs after the other
        return min(most, math.ceil(longest) * (1 + options.backoff_limit) + START)

    def _longest(self, steps: Sequence[Step]) -> float:
        """Seconds of the longest path; of all steps in turn if `parallelism` makes some wait."""

        def seconds(step: Step) -> float:
            return attempts(step, tries=1 + step.retry.limit)

        waits = width(steps, self.pipeline.parallelism) < width(steps)
        return sum(seconds(step) * step.shards.max for step in steps) if waits else longest_path(steps, seconds)

    def _pod(self) -> Pod:
        pipeline, options = self.pipeline, self.options
        found = [
            self._several(job, self.described.path) if self.described else self._step(*job.steps) for job in self.jobs
        ]
        account = options.service_account or pipeline.service_account
        if options.companions.service_account:
            account = account or self.name
        tolerations = [k8s.toleration(item) for step in pipeline.steps for item in step.tolerations]
        return Pod(
            labels=self._merged("labels"),
            annotations=self._merged("annotations"),
            service_account=account,
            automount_token=options.token,
            security_context=k8s.pod_security(options.security),
            image_pull_secrets=[{"name": name} for name in options.image_pull_secrets],
            **k8s.single_values(pipeline.steps, options),
            node_selector={key: value for step in pipeline.steps for key, value in step.node_selector.items()},
            tolerations=[item for index, item in enumerate(tolerations) if item not in tolerations[:index]],
            affinity=options.affinity,
            grace_period=options.grace_period,
            init_containers=found[:-1],
            containers=found[-1:],
            volumes=self._volumes(),
        )

    def _merged(self, field: str) -> dict[str, str]:
        own: dict[str, str] = k8s.labels(self.pipeline) if field == "labels" else dict(self.pipeline.annotations)
        for step in self.pipeline.steps:
            own |= getattr(step, field)
        return own

    def _volumes(self) -> list[dict[str, Any]]:
        described = [{"name": k8s.PIPELINE, "configMap": {"name": self.described.name}}] if self.described else []
        own = [self._data(), k8s.tmp_volume(self.options), *described, *store_volumes(self.pipeline)]
        return [*own, *k8s.pod_volumes(self.extras)]

    def _data(self) -> dict[str, Any]:
        data = self.options.data
        if data.claim:
            return {"name": k8s.DATA, "persistentVolumeClaim": {"claimName": data.claim.name or f"{self.name}-data"}}
        if data.ephemeral:
            spec = k8s.claim_spec(data.ephemeral.size, data.ephemeral.storage_class)
            return {"name": k8s.DATA, "ephemeral": {"volumeClaimTemplate": {"spec": spec}}}
        return {"name": k8s.DATA, **(k8s.empty_dir(data.empty_dir) if data.empty_dir else {"emptyDir": {}})}

    def _mounts(self, steps: Sequence[Step]) -> list[dict[str, Any]]:
        folder = self.name if self.options.data.claim else None
        described = [k8s.pipeline_mount()] if self.described else []
        return [
            without_empty(name=k8s.DATA, mountPath=self.options.mount, subPath=folder),
            {"name": k8s.TMP, "mountPath": k8s.TMP_PATH},
            *described,
            *store_mounts(self.pipeline),
            *k8s.mounts(self.extras),
            *k8s.mounts(self.extras, [step.id for step in steps]),
        ]

    def _folder(self, step_id: str) -> str:
        return f"{self.options.mount}/{dataset(self.pipeline, step_id)}"

    def _env(self, env: Mapping[str, Any]) -> list[dict[str, Any]]:
        run_id = {} if k8s.RUN_ID in env else {k8s.RUN_ID: _RUN}
        escaped = {name: k8s.escape(value) if isinstance(value, str) else value for name, value in env.items()}
        return k8s.env_list({**run_id, **escaped})

    def _container(self, name: str, steps: Sequence[Step], **fields: Any) -> Container:
        options = self.options
        return Container(
            name=name,
            steps=steps,
            step=steps[0] if len(steps) == 1 else None,
            volume_mounts=self._mounts(steps),
            image_pull_policy=options.image_pull_policy,
            env_from=k8s.env_from_list([*options.env_from, *steps[0].env_from]),
            security_context=k8s.container_security(options.security),
            **fields,
        )

    def _step(self, step: Step) -> Container:
        argv = step_argv(
            self.pipeline,
            step,
            inputs=step_inputs(step, self._folder),
            output=self._folder(step.id),
            emulate=("retry", "timeout", "shards"),
        )
        args = [k8s.escape(word) for word in argv[1:]]
        if self.options.data.claim:
            args += call.options(once=f"$({k8s.RUN_ID})")
        return self._container(
            step.id,
            [step],
            image=k8s.image_of(self.pipeline, step),
            command=argv[:1],
            args=args,
            env=self._env({**k8s.pipeline_env(self.pipeline), **k8s.step_env(step)}),
            resources=k8s.job_resources([step], step.shards.max),
        )

    def _several(self, job: Group, path: str) -> Container:
        """A container that runs some steps, or all of them, with settings and variables from the pipeline's file."""
        pipeline, mount = self.pipeline, self.options.mount
        jobs = width(job.steps, pipeline.parallelism)
        args = call.options(
            j=(len(job.steps) > 1 or width(job.steps) > 1) and jobs,
            only=len(self.jobs) > 1 and ",".join(job.ids),
            data_dir=f"{mount}/{pipeline.data_dir}",
            state_dir=f"{mount}/.wurzel",
        )
        secrets = {name: value for step in job.steps for name, value in k8s.secret_env(step).items()}
        # Only if no other container ever runs, so that a failure is reported once.
        if pipeline.on_failure is not None and len(self.jobs) == 1 and not self.options.backoff_limit:
            args += call.options(notify=True)
            secrets |= k8s.references(notice_references(pipeline))
        return self._container(
            self.name if len(self.jobs) == 1 else job.name,
            list(job.steps),
            image=k8s.image_of(pipeline, job.steps[0]),
            command=call.RunCall(from_ir=path).words(),
            args=[k8s.escape(word) for word in args],
            env=self._env({**k8s.pipeline_env(pipeline), **store_env(pipeline), **secrets}),
            resources=k8s.job_resources(job.steps, jobs),
        )
