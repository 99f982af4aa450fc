"""The parts of a manifest, as the Argo template sees them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import TYPE_CHECKING, Any

from wurzel.backends.base import PipelineContext
from wurzel.records import dataclass

if TYPE_CHECKING:
    from wurzel.ir.model import Step


@dataclass(frozen=True)
class Task:
    """One task of the DAG."""

    name: str
    """Name of the task."""
    template: str
    """Name of the template it runs."""
    template_ref: Mapping[str, Any] = field(default_factory=dict)
    """`templateRef`: a template of another object; empty when it is in this one."""
    depends: str = ""
    """`depends`: the tasks that must have succeeded."""
    arguments: Mapping[str, Any] = field(default_factory=dict)
    """`arguments` of the template: the number of a slice, artifacts of other tasks."""
    with_sequence: Mapping[str, Any] = field(default_factory=dict)
    """`withSequence`: the numbers of the slices; empty for one pod."""
    with_param: str = ""
    """`withParam`: the slices that another task has counted; empty unless the data decides."""


@dataclass(frozen=True)
class Container:
    """A container; variables and mounts without those of `templateDefaults`."""

    image: str
    """Image of the step."""
    command: Sequence[str]
    """`command`."""
    args: Sequence[str] = ()
    """`args`: the arguments that run the step."""
    env: Sequence[Mapping[str, Any]] = ()
    """`env`, without what all templates have."""
    env_from: Sequence[Mapping[str, Any]] = ()
    """`envFrom`, with what all templates have; empty if it has nothing more."""
    resources: Mapping[str, Any] = field(default_factory=dict)
    """`resources`: requests and limits."""
    volume_mounts: Sequence[Mapping[str, Any]] = ()
    """`volumeMounts`, without those that all templates have."""


@dataclass(frozen=True)
class Defaults:
    """`templateDefaults`: what every template has, or most have, mostly its container.

    Templates still see their own values, also where they equal these; only what differs is written again.
    """

    image: str
    """`image` that most templates have; empty for none."""
    command: Sequence[str]
    """`command` that most templates have; empty for none."""
    resources: Mapping[str, Any]
    """`resources` that most templates have; empty unless all others replace each of them."""
    active_deadline_seconds: int | None
    """`activeDeadlineSeconds` that most templates have; null unless all have one."""
    pod_spec_patch: str
    """`podSpecPatch`, as text."""
    image_pull_policy: str | None
    """`imagePullPolicy`; null for Kubernetes' default."""
    env: Sequence[Mapping[str, Any]]
    """`env` of every container."""
    env_from: Sequence[Mapping[str, Any]]
    """`envFrom` of every container."""
    security_context: Mapping[str, Any]
    """`securityContext` of every container."""
    volume_mounts: Sequence[Mapping[str, Any]]
    """`volumeMounts` of every container."""


@dataclass(frozen=True)
class Template:
    """The template of one job; `steps` are those it runs."""

    name: str
    """Name of the template, and of its task."""
    steps: Sequence[Step]
    """The steps it runs, as the IR has them."""
    step: Step | None
    """The step, as the IR has it; null if there are several."""
    inputs: Mapping[str, Any]
    """`inputs`: the number of a slice, datasets of other steps."""
    outputs: Mapping[str, Any]
    """`outputs`: the dataset of the step."""
    labels: Mapping[str, str]
    """Labels of the pod."""
    retry_strategy: Mapping[str, Any]
    """`retryStrategy`; empty if `wurzel step` retries, or there are no retries."""
    active_deadline_seconds: int | None
    """`activeDeadlineSeconds` of one attempt."""
    service_account: str | None
    """`serviceAccountName`, if it differs from the workflow's."""
    node_selector: Mapping[str, str]
    """Labels that the pod's node must have."""
    tolerations: Sequence[Mapping[str, Any]]
    """`tolerations` of the pod."""
    priority_class: str | None
    """`priorityClassName` of the pod, if it has its own."""
    container: Container
    """Its container."""
    counts: bool = False
    """It runs nothing of the step, and counts its slices."""


@dataclass(frozen=True)
class ExitHandler:
    """The template that runs at the end, and the one that decides whether it does."""

    name: str
    """Name of the template that decides."""
    notify: str
    """Name of the template that is run."""
    when: str
    """`when` it is run; empty for always."""
    container: Container
    """Its container."""
    active_deadline_seconds: int | None = None
    """`activeDeadlineSeconds` of its pod; null for none."""


@dataclass(frozen=True)
class Spec:
    """The specification that Workflow, CronWorkflow and WorkflowTemplate share."""

    entrypoint: str
    """Name of the template that holds the DAG."""
    parameters: Sequence[Mapping[str, Any]]
    """Parameters of a run, each with its value if it has one."""
    service_account: str | None
    """`serviceAccountName` of all pods."""
    automount_token: bool | None
    """`automountServiceAccountToken`; null for the default."""
    executor: Mapping[str, Any]
    """`executor`: the account that reports to Argo, when it is another."""
    security_context: Mapping[str, Any]
    """`securityContext` of all pods."""
    pod_labels: Mapping[str, str]
    """Labels of all pods."""
    pod_annotations: Mapping[str, str]
    """Annotations of all pods."""
    ir: str
    """The pipeline as pods read it, for an annotation; empty where each runs `wurzel step`."""
    image_pull_secrets: Sequence[Mapping[str, str]]
    """`imagePullSecrets` of all pods."""
    priority_class: str | None
    """`podPriorityClassName`."""
    node_selector: Mapping[str, str]
    """Node labels that pods without their own node selector require."""
    affinity: Mapping[str, Any]
    """`affinity` of all pods."""
    active_deadline_seconds: int | None
    """`activeDeadlineSeconds`: longest time of a whole run."""
    parallelism: int | None
    """`parallelism`: pods that may run at the same time."""
    ttl_strategy: Mapping[str, Any]
    """`ttlStrategy`: how long workflows that have ended are kept."""
    pod_gc: Mapping[str, Any]
    """`podGC`: when pods that have ended are removed."""
    artifact_gc: Mapping[str, Any]
    """`artifactGC`: when datasets are removed."""
    archive_logs: bool | None
    """`archiveLogs`; null for the default."""
    artifact_repository_ref: Mapping[str, Any]
    """`artifactRepositoryRef`: the ConfigMap that says where datasets are kept."""
    synchronization: Mapping[str, Any]
    """`synchronization`: locks that runs take."""
    restricts_executor: bool
    """Whether `podSpecPatch` drops privileges of the containers that Argo adds to a pod."""
    hides_token: bool
    """Whether `podSpecPatch` gives the service account's token to the containers that Argo adds, but not to steps."""
    volumes: Sequence[Mapping[str, Any]]
    """`volumes` of all pods."""
    volume_claim_templates: Sequence[Mapping[str, Any]]
    """`volumeClaimTemplates`: the claim of a run, when it has one."""
    defaults: Defaults
    """`templateDefaults`: what every template has."""
    inputs: Mapping[str, Any]
    """`inputs` of the template that holds the DAG; empty unless it is a part."""
    outputs: Mapping[str, Any]
    """`outputs` of the template that holds the DAG; empty unless it is a part."""
    tasks: Sequence[Task]
    """One task for each step, in an order in which they can run."""
    templates: Sequence[Template]
    """The template of each step."""
    on_exit: ExitHandler | None
    """The exit handler; null if there is none."""


@dataclass(frozen=True)
class Cron:
    """The schedule of a CronWorkflow."""

    schedules: Sequence[str]
    """Cron expressions."""
    timezone: str
    """IANA name."""
    concurrency_policy: str
    """`Allow`, `Forbid` or `Replace`."""
    starting_deadline_seconds: int
    """`startingDeadlineSeconds`: how late a run may start."""
    successful_history: int
    """`successfulJobsHistoryLimit`: successful runs to keep."""
    failed_history: int
    """`failedJobsHistoryLimit`: failed runs to keep."""
    suspend: bool
    """`suspend`: the schedule is switched off."""


@dataclass(frozen=True)
class Document:
    """The manifest: `kind` is that of the object with the specification, indented by `indent` columns.

    `refers`: a CronWorkflow that refers to that object follows. `part`: it is a WorkflowTemplate with some steps of
    a large pipeline, and only tasks of another object refer to it.
    """

    kind: str
    """Workflow, CronWorkflow, WorkflowTemplate or ClusterWorkflowTemplate."""
    name: str
    """Name of the object."""
    metadata: Mapping[str, str]
    """`name` or `generateName`, and `namespace` of the object."""
    labels: Mapping[str, str]
    """Labels of the object."""
    annotations: Mapping[str, str]
    """Annotations of the object."""
    cron: Cron | None
    """The schedule; null without one."""
    indent: int
    """Indentation of the specification, in columns."""
    refers: bool
    """Whether a CronWorkflow that refers to the object follows it."""
    part: bool = False
    """Whether it is a part: it contains templates that another object refers to."""
    once: bool = False
    """Whether it is for one run of some steps: it then stands alone, without the block `bottom`."""


class ManifestContext(PipelineContext):
    """What the templates of this target see."""

    workflow: Document
    """The object as a whole: kind, name, labels, schedule."""
    spec: Spec
    """The specification of the workflow."""
