"""The objects beside a Job or CronJob: the pipeline it reads, its claim, its account, its network policy."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from wurzel.backends import kubernetes as k8s
from wurzel.backends.cronjob.layout import uses_run
from wurzel.backends.cronjob.manifest import Companions, Metadata
from wurzel.backends.kubernetes import without_empty
from wurzel.backends.kubernetes.preflight import object_name
from wurzel.ir.serialize import dump_for_jobs
from wurzel.named_tuples import NamedTuple

if TYPE_CHECKING:
    from wurzel.backends.cronjob.options import CronJobOptions
    from wurzel.ir.model import Pipeline

_MOST_TEXT = 900 * 1024
"""Largest pipeline that is written as text; a ConfigMap has at most 1 MiB."""
_DNS = {"ports": [{"protocol": protocol, "port": 53} for protocol in ("UDP", "TCP")]}
_SELECTED = ("app.kubernetes.io/name", "app.kubernetes.io/managed-by")


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
