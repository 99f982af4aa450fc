"""The parts of the manifests, as the CronJob templates see them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import TYPE_CHECKING, Any

from wurzel.backends.base import PipelineContext
from wurzel.records import dataclass

if TYPE_CHECKING:
    from wurzel.ir.model import Step


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
    """`imagePullPolicy`; null for Kubernetes' default."""
    command: Sequence[str]
    """`command`."""
    args: Sequence[str]
    """`args`: the arguments that run its steps."""
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
    step: Step | None
    """The step, as the IR has it; null for the container that runs several."""


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
    """Labels that the pod's node must have."""
    tolerations: Sequence[Mapping[str, Any]]
    """`tolerations`."""
    affinity: Mapping[str, Any]
    """`affinity`."""
    grace_period: int
    """`terminationGracePeriodSeconds`: time for steps to stop."""
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
    """`backoffLimit`: pods after the first one."""
    active_deadline_seconds: int
    """`activeDeadlineSeconds`: longest time of a whole run."""
    ttl: int | None
    """`ttlSecondsAfterFinished`; null for no limit."""
    repeated: bool
    """Whether a tool that creates what is missing would run it again once it has been removed."""
    pod_failure_policy: Mapping[str, Any]
    """`podFailurePolicy`: which failures count."""
    pod: Pod
    """Its pod."""


@dataclass(frozen=True)
class Cron:
    """The schedule of a CronJob."""

    schedule: str
    """The cron expression."""
    time_zone: str
    """IANA name."""
    concurrency_policy: str
    """`Allow`, `Forbid` or `Replace`."""
    starting_deadline_seconds: int
    """`startingDeadlineSeconds`: how late a run may start."""
    successful_history: int
    """`successfulJobsHistoryLimit`: successful Jobs to keep."""
    failed_history: int
    """`failedJobsHistoryLimit`: failed Jobs to keep."""
    suspend: bool
    """`suspend`: the schedule is switched off."""


@dataclass(frozen=True)
class Metadata:
    """Metadata of an object; `names` are its `name` and `namespace`."""

    names: Mapping[str, str]
    """`name` and `namespace`."""
    labels: Mapping[str, str]
    """Labels of the object."""
    annotations: Mapping[str, str] = field(default_factory=dict)
    """Annotations of the object."""


@dataclass(frozen=True)
class Companions:
    """The objects beside it; null for each that is not written."""

    config_map: Mapping[str, Any] | None
    """The pipeline, for the single container that runs it; null if there are several."""
    claim: Mapping[str, Any] | None
    """The claim that keeps the data; null if wurzel does not create it."""
    service_account: Mapping[str, Any] | None
    """The service account; null unless enabled."""
    disruption_budget: Mapping[str, Any] | None
    """The disruption budget; null unless enabled."""
    network_policy: Mapping[str, Any] | None
    """The network policy; null unless enabled."""


class ManifestContext(PipelineContext):
    """What the templates of this target see."""

    metadata: Metadata
    """Name, namespace, labels and annotations of the CronJob or Job."""
    cron: Cron | None
    """The schedule of the CronJob; null for a Job."""
    job: Job
    """The Job, alone or as the template of a CronJob."""
    companions: Companions
    """The objects beside it."""
    indent: int
    """Indentation of the Job's specification, in columns."""


class FolderContext(ManifestContext):
    """What the template of `kustomization.yaml` sees."""

    resources: Sequence[str]
    """Names of the other files in the folder."""
