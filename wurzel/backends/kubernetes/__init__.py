"""What both Kubernetes targets write: labels, environment, resources, security contexts, volumes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from wurzel.invocation.command import setting_variables
from wurzel.ir.requests import devices, hugepages, limited, requested

if TYPE_CHECKING:
    from wurzel.backends.kubernetes.options import History, KeyRef, PodFields, Security, StepVolume
    from wurzel.ir.model import Pipeline, SecretRef, Step
    from wurzel.ir.pods import EmptyDir, EnvFrom, Limits, Resources, Toleration, Volume
    from wurzel.ir.schedule import Schedule

RUN_ID = "WURZEL_RUN_ID"
"""Variable that carries the platform's own identifier of a run into the logs."""
DATA = "data"
"""Name of the volume that holds the datasets."""
TMP = "tmp"
"""Name of the volume at `TMP_PATH`."""
TMP_PATH = "/tmp"  # noqa: S108 - a path in a container
"""Where programs expect scratch space, which a read-only root file system does not give."""

PIPELINE = "pipeline"
"""Name of the volume with the pipeline, for containers of `wurzel run`."""
PIPELINE_PATH = "/etc/wurzel"
PIPELINE_FILE = "pipeline.json"

STARTING_DEADLINE = 3600
"""Seconds a run may be late if the schedule sets no deadline: Argo's default of 0 loses missed runs."""

AMOUNTS = {"cpu": "cpu", "memory": "memory", "ephemeral-storage": "ephemeral_storage"}
"""Kubernetes' name of each amount, and the field of the IR that has it."""

SINGLE_VALUES = {"priority": ("priority_class", "priorityClassName")}
"""Fields of steps of which a pod has one value: the name in options and contexts, and Kubernetes' own."""

Env = dict[str, Any]
"""Variable to its text, or to a mapping that is its `valueFrom`."""


def escape(text: str) -> str:
    """Text escaped for the kubelet, which expands `$(NAME)` and turns `$$` into `$`."""
    return re.sub(r"\$(?=[$(])", "$$", text)


def pipeline_env(pipeline: Pipeline) -> Env:
    """Variables that every step gets; values are not escaped."""
    return {**pipeline.env, **secret_env(pipeline)}


def step_env(step: Step) -> Env:
    """Variables of a single step: its env, its secrets, its settings; values are not escaped."""
    return {**step.env, **secret_env(step), **setting_variables(step)}


def secret_env(owner: Pipeline | Step) -> Env:
    """Variables that are taken from secrets, by reference."""
    return references(owner.secrets)


def references(secrets: Mapping[str, SecretRef | KeyRef]) -> Env:
    """Variables that are taken from these secrets."""
    return {variable: {"secretKeyRef": {"name": ref.name, "key": ref.key}} for variable, ref in secrets.items()}


def env_list(env: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The variables as Kubernetes writes them; values must be escaped already."""
    return [
        {"name": name, "value": value} if isinstance(value, str) else {"name": name, "valueFrom": value}
        for name, value in env.items()
    ]


def env_from_list(sources: Sequence[EnvFrom]) -> list[dict[str, Any]]:
    """Whole ConfigMaps and Secrets as variables."""
    return [
        without_empty(
            prefix=source.prefix,
            configMapRef=without_empty(name=source.config_map),
            secretRef=without_empty(name=source.secret),
        )
        for source in sources
    ]


def labels(pipeline: Pipeline, step: Step | None = None) -> dict[str, str]:
    """The recommended labels, then the pipeline's own (`step`: those of that step's pod alone).

    https://kubernetes.io/docs/concepts/overview/working-with-objects/common-labels/
    """
    if step is not None:
        return {"app.kubernetes.io/component": step.id, **step.labels}
    return {"app.kubernetes.io/name": pipeline.name, "app.kubernetes.io/managed-by": "wurzel", **pipeline.labels}


def cron_fields(schedule: Schedule, history: History) -> dict[str, Any]:
    """What contexts of a CronJob and of a CronWorkflow have in common."""
    return {
        "concurrency_policy": schedule.concurrency.capitalize(),
        "starting_deadline_seconds": STARTING_DEADLINE if schedule.deadline is None else schedule.deadline,
        "successful_history": history.successful,
        "failed_history": history.failed,
    }


def resources(asked: Resources, limits: Limits) -> dict[str, Any]:
    """Requests and limits of a container that runs one step."""
    requests = {name: getattr(asked, field) for name, field in AMOUNTS.items()}
    bounds = {name: getattr(limits, field) for name, field in AMOUNTS.items()}
    return amounts(requests, bounds, asked.devices, asked.hugepages)


def job_resources(steps: Sequence[Step], jobs: int) -> dict[str, Any]:
    """Enough for what runs side by side, `jobs` steps or slices at a time; a limit only if every step has one."""
    requests = {name: requested(steps, field, jobs) for name, field in AMOUNTS.items()}
    bounds = {name: limited(steps, field, jobs) for name, field in AMOUNTS.items()}
    return amounts(requests, bounds, devices(steps, jobs), hugepages(steps, jobs))


def amounts(
    requests: Mapping[str, str | None],
    limits: Mapping[str, str | None],
    devices: Mapping[str, int],
    pages: Mapping[str, str],
) -> dict[str, Any]:
    """`resources`; devices and huge pages are limits, since Kubernetes takes no other request for them."""
    whole = {name: str(count) for name, count in devices.items()}
    huge = {f"hugepages-{size}": text for size, text in pages.items()}
    return without_empty(requests=without_empty(**requests), limits=without_empty(**limits) | whole | huge)


def pod_security(security: Security) -> dict[str, Any]:
    """The pod's part of the "restricted" Pod Security Standard.

    https://kubernetes.io/docs/concepts/security/pod-security-standards/
    """
    if not security.restricted:
        return {}
    return without_empty(
        runAsNonRoot=True,
        runAsUser=security.run_as_user,
        runAsGroup=security.run_as_group,
        fsGroup=security.fs_group,
        fsGroupChangePolicy="OnRootMismatch" if security.fs_group else None,
        seccompProfile={"type": "RuntimeDefault"},
    )


def container_security(security: Security) -> dict[str, Any]:
    """A container's part of the "restricted" Pod Security Standard."""
    if not security.restricted:
        return {}
    return without_empty(
        allowPrivilegeEscalation=False,
        readOnlyRootFilesystem=True if security.read_only_root else None,
        capabilities={"drop": ["ALL"]},
    )


def empty_dir(options: EmptyDir) -> dict[str, Any]:
    """Scratch space as a volume source."""
    return {"emptyDir": without_empty(medium="Memory" if options.memory else None, sizeLimit=options.size)}


def claim_spec(size: str | None, storage_class: str | None, mode: str = "ReadWriteOnce") -> dict[str, Any]:
    """`spec` of a new claim."""
    requests = {"requests": {"storage": size}}
    return without_empty(accessModes=[mode], storageClassName=storage_class, resources=requests)


def tmp_volume(options: PodFields) -> dict[str, Any]:
    """The volume at `/tmp`, which a read-only root file system needs."""
    return {"name": TMP, **empty_dir(options.tmp)}


def volumes_of(pipeline: Pipeline, options: PodFields) -> list[StepVolume]:
    """The volumes of the options, then those of steps; steps that have the same volume share an entry."""
    from wurzel.backends.kubernetes.options import StepVolume

    users: dict[Volume, list[str]] = {}
    for step in pipeline.steps:
        for extra in step.volumes:
            users.setdefault(extra, []).append(step.id)
    found = [StepVolume.model_construct(**dict(extra), steps=tuple(steps)) for extra, steps in users.items()]
    return [*options.volumes, *found]


def pod_volumes(volumes: Sequence[StepVolume]) -> list[dict[str, Any]]:
    """The volumes as Kubernetes writes them, each once, wherever it is mounted."""
    return list({extra.name: volume(extra) for extra in volumes}.values())


def volume(extra: Volume) -> dict[str, Any]:
    """A volume of the options, or of a step, as Kubernetes writes it."""
    if extra.config_map:
        source: dict[str, Any] = {
            "configMap": without_empty(name=extra.config_map.name, optional=extra.config_map.optional or None)
        }
    elif extra.secret:
        source = {"secret": without_empty(secretName=extra.secret.name, optional=extra.secret.optional or None)}
    elif extra.claim:
        source = {
            "persistentVolumeClaim": without_empty(claimName=extra.claim.name, readOnly=extra.is_read_only or None)
        }
    else:
        assert extra.empty_dir is not None  # noqa: S101 - one of the four is given
        source = empty_dir(extra.empty_dir)
    return {"name": extra.name, **source}


def mounts(volumes: Sequence[StepVolume], step_ids: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Mounts of the volumes meant for all steps, or of those meant for some of `step_ids`."""
    return [
        without_empty(
            name=extra.name, mountPath=extra.mount_path, subPath=extra.sub_path, readOnly=extra.is_read_only or None
        )
        for extra in volumes
        if (set(extra.steps) & set(step_ids) if step_ids else not extra.steps)
    ]


def pipeline_mount() -> dict[str, Any]:
    """Where containers of `wurzel run` find the pipeline."""
    return {"name": PIPELINE, "mountPath": PIPELINE_PATH, "readOnly": True}


def toleration(wanted: Toleration) -> dict[str, Any]:
    """A toleration as Kubernetes writes it."""
    return without_empty(
        key=wanted.key,
        operator=wanted.operator,
        value=wanted.value,
        effect=wanted.effect,
        tolerationSeconds=wanted.toleration_seconds,
    )


def image_of(pipeline: Pipeline, step: Step) -> str:
    """The image a step runs in; pre-flight has made sure that there is one."""
    return step.image or pipeline.image or ""


def placed(pipeline: Pipeline, step: Step, options: PodFields) -> dict[str, Any]:
    """Fields of which a pod has only one value: steps that differ in one need separate pods."""
    return {
        "image": image_of(pipeline, step),
        "variables": step.variables,  # templates may depend on them
        **{field: getattr(step, field) for field in (*SINGLE_VALUES, "node_selector", "labels", "annotations")},
        "account": options.service_account or step.service_account or pipeline.service_account,
        "tolerations": [toleration(wanted) for wanted in step.tolerations],
    }


def single_values(steps: Sequence[Step], options: PodFields | None = None) -> dict[str, Any]:
    """The fields of contexts in `SINGLE_VALUES`, for the pod of these steps: a step's value, or the options'."""
    return {
        name: next((value for step in steps if (value := getattr(step, field))), getattr(options, name, None))
        for field, (name, _) in SINGLE_VALUES.items()
    }


def has_own_pod(step: Step) -> bool:
    """Whether the pod of a step has something that not every pod of its pipeline has."""
    return any(getattr(step, field) for field in (*SINGLE_VALUES, "volumes", "env_from"))


def without_empty(**fields: Any) -> dict[str, Any]:
    """The fields without those that are `None` or empty; false and zero are kept."""
    return {name: value for name, value in fields.items() if value is not None and value not in ({}, [], (), "")}
