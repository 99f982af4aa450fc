"""What the CronJob templates see: a pipeline as the parts of a pod."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypedDict

from wurzel.backends import kubernetes as k8s
from wurzel.backends.command import dataset, step_argv
from wurzel.backends.kubernetes import given
from wurzel.backends.kubernetes.preflight import object_name
from wurzel.backends.quantity import largest, times
from wurzel.ir.serialize import dump

if TYPE_CHECKING:
    from wurzel.backends.cronjob.options import CronJobOptions
    from wurzel.ir.model import Pipeline, Step

STARTING_DEADLINE = 3600
"""Seconds a run may be late when the schedule does not say."""
CONFIGURATION = 2
"""Exit code of wurzel when the user must act; another try gives the same."""
PIPELINE = "pipeline"
"""Name of the volume that holds the pipeline as the one container that runs it reads it."""
PIPELINE_PATH = "/etc/wurzel"
PIPELINE_FILE = "pipeline.json"
_RUN = {"fieldRef": {"fieldPath": "metadata.labels['batch.kubernetes.io/controller-uid']"}}
"""The Job's uid: the same for all its pods, another for every run (a label of pods since Kubernetes 1.27)."""


@dataclass(frozen=True)
class Container:
    """One container; `steps` are those it runs."""

    name: str
    """Name of the container."""
    steps: Sequence[Step]
    """The steps it runs, as the IR has them."""
    image: str
    """Its image."""
    image_pull_policy: str | None
    """`imagePullPolicy`; null for the default of Kubernetes."""
    command: Sequence[str]
    """`command`."""
    args: Sequence[str]
    """`args`: the words that run its steps."""
    env: Sequence[Mapping[str, Any]]
    """`env`."""
    env_from: Sequence[Mapping[str, Any]]
    """`envFrom`."""
    resources: Mapping[str, Any]
    """`resources`: requests and limits."""
    security_context: Mapping[str, Any]
    """`securityContext`."""
    volume_mounts: Sequence[Mapping[str, Any]]
    """`volumeMounts`."""


@dataclass(frozen=True)
class Pod:
    """The pod that runs the pipeline in one container, or in one per step: all but the last are init containers."""

    labels: Mapping[str, str]
    """Labels of the pod."""
    annotations: Mapping[str, str]
    """Annotations of the pod."""
    service_account: str | None
    """`serviceAccountName`."""
    automount_token: bool
    """`automountServiceAccountToken`."""
    security_context: Mapping[str, Any]
    """`securityContext` of the pod."""
    image_pull_secrets: Sequence[Mapping[str, str]]
    """`imagePullSecrets`."""
    priority_class: str | None
    """`priorityClassName`."""
    node_selector: Mapping[str, str]
    """Labels that its node must have."""
    tolerations: Sequence[Mapping[str, Any]]
    """`tolerations`."""
    affinity: Mapping[str, Any]
    """`affinity`."""
    grace_period: int
    """Seconds that steps get to end when they are asked to."""
    init_containers: Sequence[Container]
    """Containers that run one after the other, before the last one."""
    containers: Sequence[Container]
    """The container that runs last, or alone."""
    volumes: Sequence[Mapping[str, Any]]
    """`volumes`."""


@dataclass(frozen=True)
class Job:
    """The Job, alone or as the template of a CronJob."""

    backoff_limit: int
    """Pods that are tried after the first."""
    active_deadline_seconds: int
    """Seconds a whole run may take."""
    ttl: int | None
    """Seconds a Job that has ended is kept; null for ever."""
    pod_failure_policy: Mapping[str, Any]
    """`podFailurePolicy`: which failures count."""
    pod: Pod
    """Its pod."""


@dataclass(frozen=True)
class Cron:
    """What a CronJob says of its schedule."""

    schedule: str
    """The cron expression."""
    time_zone: str
    """IANA name."""
    concurrency_policy: str
    """`Allow`, `Forbid` or `Replace`."""
    starting_deadline_seconds: int
    """Seconds a run may be late."""
    successful_history: int
    """Jobs that ended well and are kept."""
    failed_history: int
    """Jobs that failed and are kept."""
    suspend: bool
    """No run starts by the clock."""


@dataclass(frozen=True)
class Metadata:
    """What an object is called; `names` are its `name` and `namespace`."""

    names: Mapping[str, str]
    """`name` and `namespace`."""
    labels: Mapping[str, str]
    """Labels of the object."""
    annotations: Mapping[str, str] = field(default_factory=dict)
    """Annotations of the object."""


@dataclass(frozen=True)
class Companions:
    """The objects beside it, each with what its template writes, or nothing."""

    config_map: Mapping[str, Any] | None
    """The pipeline, for the one container that runs it; null when there are several."""
    claim: Mapping[str, Any] | None
    """The claim that keeps the data; null when it is not ours to make."""
    service_account: Mapping[str, Any] | None
    """The service account; null unless asked for."""
    network_policy: Mapping[str, Any] | None
    """The network policy; null unless asked for."""


class ManifestContext(TypedDict):
    """What the templates of this target see."""

    pipeline: Pipeline
    """The pipeline, as the IR has it."""
    metadata: Metadata
    """Name, namespace, labels and annotations of the CronJob or Job."""
    cron: Cron | None
    """The schedule of the CronJob; null for a Job."""
    job: Job
    """The Job, alone or as the template of a CronJob."""
    companions: Companions
    """The objects beside it."""
    indent: int
    """Columns that the specification of the Job stands in."""


class FolderContext(ManifestContext):
    """What the template of `kustomization.yaml` sees."""

    resources: Sequence[str]
    """Names of the other files in the folder."""


def document(pipeline: Pipeline, options: CronJobOptions) -> dict[str, Any]:
    """The names the templates see besides `pipeline`: `metadata`, `cron`, `job`, `companions`, `indent`."""
    description = {"kubernetes.io/description": pipeline.description} if pipeline.description else {}
    metadata = _metadata(pipeline, options, object_name(pipeline, options))
    return {
        "metadata": replace(metadata, annotations={**description, **pipeline.annotations}),
        "cron": _cron(pipeline, options),
        "job": _Builder(pipeline, options).job(),
        "companions": _companions(pipeline, options),
        "indent": 6 if pipeline.schedule else 2,
    }


def single_pod(pipeline: Pipeline, options: CronJobOptions) -> bool:
    """Whether one container runs all steps: as the option says, or when steps do not differ in what they need."""
    if options.mode != "auto":
        return options.mode == "single-pod"
    first = pipeline.steps[0]
    return all(
        (step.image, step.resources, step.limits) == (None, first.resources, first.limits) and not step.secrets
        for step in pipeline.steps
    )


def has_claim(options: CronJobOptions) -> bool:
    """Whether a claim is to be written."""
    return options.data.claim is not None and options.data.claim.size is not None


def described_by(name: str) -> str:
    """Name of the ConfigMap that holds the pipeline for the one container that runs it."""
    return f"{name}-pipeline"


def width(pipeline: Pipeline) -> int:
    """How many steps can run at one time, as far as their distance from the sources tells."""
    depth: dict[str, int] = {}
    counts: dict[int, int] = {}
    for step in pipeline.steps:
        depth[step.id] = 1 + max((depth[need] for need in step.needs), default=0)
        counts[depth[step.id]] = counts.get(depth[step.id], 0) + 1
    return max(counts.values(), default=1)


def _metadata(pipeline: Pipeline, options: CronJobOptions, name: str) -> Metadata:
    return Metadata(given(name=name, namespace=options.namespace), k8s.labels(pipeline))


def _cron(pipeline: Pipeline, options: CronJobOptions) -> Cron | None:
    schedule = pipeline.schedule
    if schedule is None:
        return None
    return Cron(
        schedule=schedule.cron,
        time_zone=schedule.timezone,
        concurrency_policy=schedule.concurrency.capitalize(),
        starting_deadline_seconds=STARTING_DEADLINE if schedule.deadline is None else schedule.deadline,
        successful_history=options.history.successful,
        failed_history=options.history.failed,
        suspend=options.suspend,
    )


def _companions(pipeline: Pipeline, options: CronJobOptions) -> Companions:
    name = object_name(pipeline, options)
    account = options.service_account or pipeline.service_account or name

    def companion(name: str, **fields: Any) -> dict[str, Any]:
        return {"metadata": _metadata(pipeline, options, name), **fields}

    claim = None
    if has_claim(options) and options.data.claim is not None:
        wanted = options.data.claim
        spec = given(
            accessModes=[wanted.access_mode],
            storageClassName=wanted.storage_class,
            resources={"requests": {"storage": wanted.size}},
        )
        claim = companion(f"{name}-data", spec=spec)
    selector = {"matchLabels": {key: k8s.labels(pipeline)[key] for key in _SELECTED}}
    described = companion(described_by(name), data={PIPELINE_FILE: dump(pipeline)})
    policy = companion(name, spec={"podSelector": selector, "policyTypes": ["Ingress"]})
    return Companions(
        config_map=described if single_pod(pipeline, options) else None,
        claim=claim,
        service_account=companion(account) if options.companions.service_account else None,
        network_policy=policy if options.companions.network_policy else None,
    )


_SELECTED = ("app.kubernetes.io/name", "app.kubernetes.io/managed-by")


class _Builder:
    """Puts the Job together."""

    def __init__(self, pipeline: Pipeline, options: CronJobOptions) -> None:
        self.pipeline = pipeline
        self.options = options
        self.name = object_name(pipeline, options)
        self.single = single_pod(pipeline, options)

    def job(self) -> Job:
        timeout = self.pipeline.timeout
        return Job(
            backoff_limit=self.options.backoff_limit,
            active_deadline_seconds=self.options.active_deadline if timeout is None else timeout,
            ttl=self.options.ttl,
            pod_failure_policy={
                "rules": [
                    {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]},
                    {"action": "FailJob", "onExitCodes": {"operator": "In", "values": [CONFIGURATION]}},
                ]
            },
            pod=self._pod(),
        )

    def _pod(self) -> Pod:
        pipeline, options = self.pipeline, self.options
        containers = [self._whole()] if self.single else [self._step(step) for step in pipeline.steps]
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
            priority_class=options.priority_class,
            node_selector={key: value for step in pipeline.steps for key, value in step.node_selector.items()},
            tolerations=[item for index, item in enumerate(tolerations) if item not in tolerations[:index]],
            affinity=options.affinity,
            grace_period=options.grace_period,
            init_containers=containers[:-1],
            containers=containers[-1:],
            volumes=self._volumes(),
        )

    def _merged(self, field: str) -> dict[str, str]:
        own: dict[str, str] = k8s.labels(self.pipeline) if field == "labels" else dict(self.pipeline.annotations)
        for step in self.pipeline.steps:
            own |= getattr(step, field)
        return own

    def _volumes(self) -> list[dict[str, Any]]:
        described = [{"name": PIPELINE, "configMap": {"name": described_by(self.name)}}] if self.single else []
        extras = [k8s.volume(extra) for extra in self.options.volumes]
        return [self._data(), k8s.tmp_volume(self.options), *described, *extras]

    def _data(self) -> dict[str, Any]:
        data = self.options.data
        if data.claim:
            return {
                "name": k8s.DATA,
                "persistentVolumeClaim": {"claimName": data.claim.name or f"{self.name}-data"},
            }
        if data.ephemeral:
            spec = given(
                accessModes=["ReadWriteOnce"],
                storageClassName=data.ephemeral.storage_class,
                resources={"requests": {"storage": data.ephemeral.size}},
            )
            return {"name": k8s.DATA, "ephemeral": {"volumeClaimTemplate": {"spec": spec}}}
        return {"name": k8s.DATA, **(k8s.empty_dir(data.empty_dir) if data.empty_dir else {"emptyDir": {}})}

    def _mounts(self, steps: Sequence[Step]) -> list[dict[str, Any]]:
        folder = self.name if self.options.data.claim else None
        described = [{"name": PIPELINE, "mountPath": PIPELINE_PATH, "readOnly": True}] if self.single else []
        return [
            given(name=k8s.DATA, mountPath=self.options.mount, subPath=folder),
            {"name": k8s.TMP, "mountPath": k8s.TMP_PATH},
            *described,
            *k8s.mounts(self.options),
            *k8s.mounts(self.options, [step.id for step in steps]),
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
            volume_mounts=self._mounts(steps),
            image_pull_policy=options.image_pull_policy,
            env_from=k8s.env_from_list(options.env_from),
            security_context=k8s.container_security(options.security),
            **fields,
        )

    def _step(self, step: Step) -> Container:
        argv = step_argv(
            self.pipeline,
            step,
            inputs=[self._folder(need) for need in step.needs],
            output=self._folder(step.id),
            emulate=("retry", "timeout", "shards"),
        )
        args = [k8s.escape(word) for word in argv[1:]]
        if self.options.data.claim:
            args += ["--once", f"$({k8s.RUN_ID})"]
        return self._container(
            step.id,
            [step],
            image=k8s.image_of(self.pipeline, step),
            command=argv[:1],
            args=args,
            env=self._env({**k8s.pipeline_env(self.pipeline), **k8s.step_env(step)}),
            resources=k8s.resources(step),
        )

    def _whole(self) -> Container:
        pipeline, mount = self.pipeline, self.options.mount
        jobs = self._jobs()
        args = ["run", "--from-ir", f"{PIPELINE_PATH}/{PIPELINE_FILE}", "-j", str(jobs)]
        args += ["--data-dir", f"{mount}/{pipeline.data_dir}", "--state-dir", f"{mount}/.wurzel"]
        secrets = {name: value for step in pipeline.steps for name, value in k8s.secret_env(step).items()}
        env = {**k8s.pipeline_env(pipeline), **secrets}
        return self._container(
            self.name,
            list(pipeline.steps),
            image=pipeline.image or k8s.image_of(pipeline, pipeline.steps[0]),
            command=["wurzel"],
            args=[k8s.escape(word) for word in args],
            env=self._env(env),
            resources=self._resources(jobs),
        )

    def _jobs(self) -> int:
        return self.pipeline.parallelism or width(self.pipeline)

    def _resources(self, jobs: int) -> dict[str, Any]:
        """Room for as many steps as run at one time, each as large as the largest; one limit is a limit for all."""
        steps = self.pipeline.steps
        found: dict[str, Any] = {"requests": {}, "limits": {}}
        for kind in ("cpu", "memory"):
            if (asked := largest(*(getattr(step.resources, kind) for step in steps))) is not None:
                found["requests"][kind] = times(asked, jobs)
            if (limit := largest(*(getattr(step.limits, kind) for step in steps))) is not None:
                found["limits"][kind] = times(largest(limit, asked) or limit, jobs)
        gpus = max((step.resources.gpu or 0 for step in steps), default=0)
        if gpus:
            found["limits"]["nvidia.com/gpu"] = str(gpus * jobs)
        return given(**found)
