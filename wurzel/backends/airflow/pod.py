"""The parts of the pod spec that all pods of a DAG share: security, volumes, secrets of the pipeline."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from wurzel.backends import kubernetes
from wurzel.backends.kubernetes import DATA, TMP, without_empty

if TYPE_CHECKING:
    from wurzel.backends.airflow.options import PodOptions
    from wurzel.backends.kubernetes.options import KubernetesOptions
    from wurzel.ir.model import Pipeline

CONTAINER = "base"
"""What Airflow calls the container of a task."""


def pod(pipeline: Pipeline, options: PodOptions, step_id: str = "") -> dict[str, Any]:
    """The pod that Airflow merges each task's pod into; with `step_id`, plus the volumes only that step gets."""
    shared = cast("KubernetesOptions", options)  # the two models name these fields alike
    security = options.security
    extra = [volume for volume in options.volumes if not volume.steps or step_id in volume.steps]
    data = [{"name": DATA, "persistentVolumeClaim": {"claimName": options.claim}}] if options.claim else []
    mounts = [{"name": DATA, "mountPath": options.mount}] if options.claim else []
    if security.read_only_root and security.restricted:
        data += [kubernetes.tmp_volume(shared)]
        mounts += [{"name": TMP, "mountPath": "/tmp"}]  # noqa: S108 - a path in a container
    secrets = {name: {"secretKeyRef": {"name": ref.name, "key": ref.key}} for name, ref in pipeline.secrets.items()}
    container = without_empty(
        name=CONTAINER,
        imagePullPolicy=options.image_pull_policy,
        securityContext=kubernetes.container_security(security),
        env=kubernetes.env_list(secrets),
        envFrom=kubernetes.env_from_list(options.env_from),
        volumeMounts=[
            *mounts,
            *kubernetes.mounts(shared),
            *(kubernetes.mounts(shared, [step_id]) if step_id else []),
        ],
    )
    spec = without_empty(
        automountServiceAccountToken=False if security.restricted else None,
        securityContext=kubernetes.pod_security(security),
        imagePullSecrets=[{"name": name} for name in options.image_pull_secrets],
        priorityClassName=options.priority_class,
        affinity=options.affinity,
        containers=[container],
        volumes=[*data, *(kubernetes.volume(volume) for volume in extra)],
    )
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"labels": kubernetes.labels(pipeline)}, "spec": spec}
