"""Where Argo keeps datasets between pods: keys and locations of artifacts, and what a store can do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from wurzel.backends.options import Part
from wurzel.records import dataclass

if TYPE_CHECKING:
    from wurzel.backends.argo.options import Artifacts

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


_FIELDS = {
    "endpoint": "endpoint",
    "bucket": "bucket",
    "container": "container",
    "region": "region",
    "insecure": "insecure",
    "access_key": "accessKeySecret",
    "secret_key": "secretKeySecret",
    "session_token": "sessionTokenSecret",
    "service_account_key": "serviceAccountKeySecret",
    "account_key": "accountKeySecret",
    "role_arn": "roleARN",
    "use_sdk_credentials": "useSDKCreds",
    "ca_certificate": "caSecret",
}
"""An option of a store, and what Argo calls it; each kind of store has some of them."""


def store(artifacts: Artifacts) -> Store:
    """The store that the options choose; one without locations for a repository or a volume."""
    folders = artifacts.archive == "none"
    suffix = {"none": "", "tar": ".tgz", "zip": ".zip"}[artifacts.archive]
    for kind in ("s3", "gcs", "azure", "oss"):
        if chosen := getattr(artifacts, kind):
            return Store(kind, _fields(chosen), chosen.prefix or "", folders, suffix)
    return Store("", {}, "", folders, suffix)


def _fields(chosen: Part) -> dict[str, Any]:
    values = {ours: value for name, ours in _FIELDS.items() if (value := getattr(chosen, name, None))}
    return {name: dict(value) if isinstance(value, Part) else value for name, value in values.items()}
