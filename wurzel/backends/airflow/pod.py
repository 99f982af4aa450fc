"""The parts of the pod spec that all pods of a DAG share: security, volumes, secrets of the pipeline."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from wurzel.backends import kubernetes
from wurzel.backends.kubernetes import DATA, TMP, without_empty
from wurzel.backends.kubernetes.store import store_mounts, store_volumes
from wurzel.invocation.variables import key_references

if TYPE_CHECKING:
    from wurzel.backends.airflow.options import PodOptions
    from wurzel.ir.model import Pipeline, Step

CONTAINER = "base"
"""What Airflow calls the container of a task."""


def pod(pipeline: Pipeline, options: PodOptions, steps: Sequence[Step] = ()) -> dict[str, Any]:
    """The pod that Airflow merges each task's pod into; with `steps`, also what only these steps have."""
    security, ids = options.security, [step.id for step in steps]
    volumes = kubernetes.volumes_of(pipeline, options)
    extra = [volume for volume in volumes if not volume.steps or set(volume.steps) & set(ids)]
    single = kubernetes.single_values(steps, options)
    data = [{"name": DATA, "persistentVolumeClaim": {"claimName": options.claim}}] if options.claim else []
    mounts = [{"name": DATA, "mountPath": options.mount}] if options.claim else []
    if security.read_only_root and security.restricted:
        data += [kubernetes.tmp_volume(options)]
        mounts += [{"name": TMP, "mountPath": "/tmp"}]  # noqa: S108 - a path in a container
    secrets = kubernetes.references(pipeline.secrets | key_references(pipeline))
    container = without_empty(
        name=CONTAINER,
        imagePullPolicy=options.image_pull_policy,
        securityContext=kubernetes.container_security(security),
        env=kubernetes.env_list(secrets),
        envFrom=kubernetes.env_from_list([*options.env_from, *(one for step in steps for one in step.env_from)]),
        volumeMounts=[
            *mounts,
            *store_mounts(pipeline),
            *kubernetes.mounts(extra),
            *(kubernetes.mounts(extra, ids) if ids else []),
        ],
    )
    spec = without_empty(
        automountServiceAccountToken=False if security.restricted else None,
        securityContext=kubernetes.pod_security(security),
        imagePullSecrets=[{"name": name} for name in options.image_pull_secrets],
        **{name: single[option] for option, name in kubernetes.SINGLE_VALUES.values()},
        affinity=options.affinity,
        containers=[container],
        volumes=[*data, *store_volumes(pipeline), *kubernetes.pod_volumes(extra)],
    )
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"labels": kubernetes.labels(pipeline)}, "spec": spec}
