"""The CronJob or Job, and the objects beside it: the pipeline it reads, its claim, its account, its network policy."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from wurzel.backends import kubernetes as k8s
from wurzel.backends.cronjob.job import Builder, Described, described_by
from wurzel.backends.cronjob.manifest import Companions, Cron, Metadata
from wurzel.backends.kubernetes import without_empty
from wurzel.backends.kubernetes.preflight import object_name

if TYPE_CHECKING:
    from wurzel.backends.cronjob.options import CronJobOptions
    from wurzel.ir.model import Pipeline

_DNS = {"ports": [{"protocol": protocol, "port": 53} for protocol in ("UDP", "TCP")]}
_SELECTED = ("app.kubernetes.io/name", "app.kubernetes.io/managed-by")


def document(pipeline: Pipeline, options: CronJobOptions) -> dict[str, Any]:
    """The names the templates see besides `pipeline`: `metadata`, `cron`, `job`, `companions`, `indent`."""
    description = {"kubernetes.io/description": pipeline.description} if pipeline.description else {}
    metadata = metadata_of(pipeline, options, object_name(pipeline, options))
    described = described_by(pipeline, options)
    return {
        "metadata": replace(
            metadata, annotations={**description, **_gitops(pipeline, options), **pipeline.annotations}
        ),
        "cron": _cron(pipeline, options),
        "job": Builder(pipeline, options, described).job(),
        "companions": companions_of(pipeline, options, described),
        "indent": 6 if pipeline.schedule else 2,
    }


def _gitops(pipeline: Pipeline, options: CronJobOptions) -> dict[str, str]:
    """Annotations of a Job for the tool that applies it; what is immutable or gone would otherwise be an error."""
    if pipeline.schedule is not None or options.gitops is None:
        return {}
    if options.gitops == "flux":
        return {"kustomize.toolkit.fluxcd.io/force": "enabled"}
    return {
        "argocd.argoproj.io/hook": "Sync",
        "argocd.argoproj.io/hook-delete-policy": "BeforeHookCreation",
    }


def _cron(pipeline: Pipeline, options: CronJobOptions) -> Cron | None:
    schedule = pipeline.schedule
    if schedule is None:
        return None
    return Cron(
        schedule=schedule.cron,
        time_zone=schedule.timezone,
        **k8s.cron_fields(schedule, options.history),
        suspend=options.suspend,
    )


def companions_of(pipeline: Pipeline, options: CronJobOptions, described: Described | None) -> Companions:
    """The objects beside the Job or CronJob."""
    name = object_name(pipeline, options)
    account = options.service_account or pipeline.service_account or name

    def companion(name: str, **fields: Any) -> dict[str, Any]:
        return {"metadata": metadata_of(pipeline, options, name), **fields}

    claim = None
    if has_claim(options) and options.data.claim is not None:
        wanted = options.data.claim
        claim = companion(f"{name}-data", spec=k8s.claim_spec(wanted.size, wanted.storage_class, wanted.access_mode))
    selector = {"matchLabels": {key: k8s.labels(pipeline)[key] for key in _SELECTED}}
    policy: dict[str, Any] = {"podSelector": selector, "policyTypes": ["Ingress"]}
    if options.companions.egress is not None:
        policy = {**policy, "policyTypes": ["Ingress", "Egress"], "egress": [_DNS, *options.companions.egress]}
    budget = {"minAvailable": 1, "selector": selector, "unhealthyPodEvictionPolicy": "AlwaysAllow"}
    return Companions(
        config_map=companion(described.name, **_contents(described)) if described else None,
        claim=claim,
        service_account=companion(account) if options.companions.service_account else None,
        disruption_budget=companion(name, spec=budget) if options.disruption_budget else None,
        network_policy=companion(name, spec=policy) if options.companions.network_policy else None,
    )


def metadata_of(pipeline: Pipeline, options: CronJobOptions, name: str) -> Metadata:
    """The metadata of an object of this name."""
    return Metadata(without_empty(name=name, namespace=options.namespace), k8s.labels(pipeline))


def _contents(described: Described) -> dict[str, dict[str, str]]:
    if described.file == k8s.PIPELINE_FILE:
        return {"data": {described.file: described.text}, "binaryData": {}}
    import bz2

    # Not gzip: its bytes depend on which zlib Python was built with, and a rendered file must not.
    compressed = b64encode(bz2.compress(described.text.encode())).decode()
    return {"data": {}, "binaryData": {described.file: compressed}}


def has_claim(options: CronJobOptions) -> bool:
    """Whether a PersistentVolumeClaim is written."""
    return options.data.claim is not None and options.data.claim.size is not None
