"""Where Argo keeps datasets between pods: keys and locations of artifacts, and what a store can do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from wurzel.backends.kubernetes import without_empty
from wurzel.records import dataclass

if TYPE_CHECKING:
    from wurzel.backends.argo.options import S3, Artifacts, Azure, Gcs, Oss
    from wurzel.backends.kubernetes.options import KeyRef

RUN = "{{workflow.uid}}"
"""Argo's expression for a value that is unique to each run."""


@dataclass(frozen=True)
class Store:
    """What the chosen store can do.

    Attributes:
        location: key to the mapping that names it, e.g. `{"s3": {"bucket": …, "key": …}}`; empty when the
            cluster chooses the keys.
        prefix: what keys start with, or ''.
        folders: datasets are kept as folders of files, so that several tasks can fill one.
        suffix: what the key of a dataset ends with.
    """

    kind: str
    fields: Mapping[str, Any]
    prefix: str
    folders: bool
    suffix: str

    @property
    def addressed(self) -> bool:
        """Whether wurzel chooses the keys."""
        return bool(self.kind)

    def location(self, *parts: str) -> dict[str, Any]:
        """The location of the key made of these parts; empty when the cluster chooses the keys."""
        if not self.kind:
            return {}
        key = "/".join(part for part in (self.prefix, *parts) if part)
        return {self.kind: {**self.fields, "blob" if self.kind == "azure" else "key": key}}

    @property
    def fills(self) -> bool:
        """Whether several pods can fill one folder that others then read as a whole."""
        return self.addressed and self.folders

    def dataset(self, step_id: str, output: str = "", shard: str = "") -> dict[str, Any]:
        """Location in this run of an output of a step, '' for the one without a name, or of one slice of it.

        No key is a prefix of another: some stores would read `split-de` along with `split`.
        A folder of S3 ends with a slash: Argo's garbage collection only removes folders whose key does.
        """
        if shard and not self.folders:
            return self.location(RUN, step_id, output, "data", f"{shard}{self.suffix}")
        found = self.location(RUN, step_id, output, f"data{self.suffix}", shard)
        if self.folders and self.kind == "s3":
            found["s3"]["key"] += "/"
        return found

    def kept(self, pipeline: str, step_id: str) -> dict[str, Any]:
        """Location of a step's last output, the same for all runs."""
        return self.location(pipeline, "last", f"{step_id}.tgz")


def store(artifacts: Artifacts) -> Store:
    """The store that the options choose; one without locations for a repository or a volume."""
    folders = artifacts.archive == "none"
    suffix = {"none": "", "tar": ".tgz", "zip": ".zip"}[artifacts.archive]
    if artifacts.s3:
        return Store("s3", _s3(artifacts.s3), artifacts.s3.prefix or "", folders, suffix)
    if artifacts.gcs:
        return Store("gcs", _gcs(artifacts.gcs), artifacts.gcs.prefix or "", folders, suffix)
    if artifacts.azure:
        return Store("azure", _azure(artifacts.azure), artifacts.azure.prefix or "", folders, suffix)
    if artifacts.oss:
        return Store("oss", _oss(artifacts.oss), artifacts.oss.prefix or "", folders, suffix)
    return Store("", {}, "", folders, suffix)


def _s3(options: S3) -> dict[str, Any]:
    return without_empty(
        endpoint=options.endpoint,
        bucket=options.bucket,
        region=options.region,
        insecure=options.insecure or None,
        accessKeySecret=_ref(options.access_key),
        secretKeySecret=_ref(options.secret_key),
        sessionTokenSecret=_ref(options.session_token),
        roleARN=options.role_arn,
        useSDKCreds=options.use_sdk_credentials or None,
        caSecret=_ref(options.ca_certificate),
    )


def _gcs(options: Gcs) -> dict[str, Any]:
    return without_empty(bucket=options.bucket, serviceAccountKeySecret=_ref(options.service_account_key))


def _azure(options: Azure) -> dict[str, Any]:
    return without_empty(
        endpoint=options.endpoint,
        container=options.container,
        accountKeySecret=_ref(options.account_key),
        useSDKCreds=options.use_sdk_credentials or None,
    )


def _oss(options: Oss) -> dict[str, Any]:
    return without_empty(
        endpoint=options.endpoint,
        bucket=options.bucket,
        accessKeySecret=_ref(options.access_key),
        secretKeySecret=_ref(options.secret_key),
        useSDKCreds=options.use_sdk_credentials or None,
    )


def _ref(ref: KeyRef | None) -> dict[str, Any] | None:
    return {"name": ref.name, "key": ref.key} if ref else None
