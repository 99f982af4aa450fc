"""The objects beside a Job or CronJob: the pipeline it reads, its claim, its account, its network policy."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any

from wurzel.backends import kubernetes as k8s
from wurzel.backends.cronjob.layout import uses_run
from wurzel.backends.cronjob.manifest import Companions, Metadata
from wurzel.backends.kubernetes import without_empty
from wurzel.backends.kubernetes.preflight import object_name
from wurzel.ir.serialize import dump

if TYPE_CHECKING:
    from wurzel.backends.cronjob.options import CronJobOptions
    from wurzel.ir.model import Pipeline

_DNS = {"ports": [{"protocol": protocol, "port": 53} for protocol in ("UDP", "TCP")]}
_SELECTED = ("app.kubernetes.io/name", "app.kubernetes.io/managed-by")


def companions_of(pipeline: Pipeline, options: CronJobOptions) -> Companions:
    """The objects beside the Job or CronJob."""
    name = object_name(pipeline, options)
    account = options.service_account or pipeline.service_account or name

    def companion(name: str, **fields: Any) -> dict[str, Any]:
        return {"metadata": metadata_of(pipeline, options, name), **fields}

    claim = None
    if has_claim(options) and options.data.claim is not None:
        wanted = options.data.claim
        spec = without_empty(
            accessModes=[wanted.access_mode],
            storageClassName=wanted.storage_class,
            resources={"requests": {"storage": wanted.size}},
        )
        claim = companion(f"{name}-data", spec=spec)
    selector = {"matchLabels": {key: k8s.labels(pipeline)[key] for key in _SELECTED}}
    described = companion(described_by(pipeline, options), data={k8s.PIPELINE_FILE: _described(pipeline)})
    policy: dict[str, Any] = {"podSelector": selector, "policyTypes": ["Ingress"]}
    if options.companions.egress is not None:
        policy = {**policy, "policyTypes": ["Ingress", "Egress"], "egress": [_DNS, *options.companions.egress]}
    budget = {"minAvailable": 1, "selector": selector, "unhealthyPodEvictionPolicy": "AlwaysAllow"}
    return Companions(
        config_map=described if uses_run(pipeline, options) else None,
        claim=claim,
        service_account=companion(account) if options.companions.service_account else None,
        disruption_budget=companion(name, spec=budget) if options.disruption_budget else None,
        network_policy=companion(name, spec=policy) if options.companions.network_policy else None,
    )


def metadata_of(pipeline: Pipeline, options: CronJobOptions, name: str) -> Metadata:
    """The metadata of an object of this name."""
    return Metadata(without_empty(name=name, namespace=options.namespace), k8s.labels(pipeline))


def _described(pipeline: Pipeline) -> str:
    """The pipeline as JSON, without `variables`, which only templates read."""
    if pipeline.variables:
        steps = tuple(step.model_copy(update={"variables": {}}) for step in pipeline.steps)
        pipeline = pipeline.model_copy(update={"variables": {}, "steps": steps})
    return dump(pipeline)


def has_claim(options: CronJobOptions) -> bool:
    """Whether a PersistentVolumeClaim is written."""
    return options.data.claim is not None and options.data.claim.size is not None


def described_by(pipeline: Pipeline, options: CronJobOptions) -> str:
    """Name of the ConfigMap with the pipeline, with a digest of it, since it is immutable."""
    digest = sha256(_described(pipeline).encode("utf-8", "surrogatepass")).hexdigest()[:10]
    return f"{object_name(pipeline, options)}-pipeline-{digest}"
