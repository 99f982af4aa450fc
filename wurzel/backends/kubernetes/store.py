"""What a container needs to use the store of its pipeline: keys by reference, or a token of the pod's account."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from wurzel.backends.kubernetes import references
from wurzel.invocation.variables import identity_of, key_references
from wurzel.store_url import AUDIENCE, ROLE, TOKEN_FILE, scheme_of

if TYPE_CHECKING:
    from wurzel.backends.kubernetes.options import PodFields
    from wurzel.ir.model import Pipeline

_VOLUME = "store-token"
_PATH = "/var/run/secrets/wurzel-store"
_FILE = "token"
_SECONDS = 3600  # the kubelet writes a new token when four fifths of it are over


def shared_mounts(options: PodFields) -> list[str]:
    """Where all pods mount a volume that they can write to and that outlives them, as only a claim does."""
    return [
        volume.mount_path
        for volume in options.volumes
        if volume.claim is not None and not volume.is_read_only and not volume.steps
    ]


def folder_outside(pipeline: Pipeline, mounts: Sequence[str]) -> str:
    """The folder of the store if it is on none of these mounts of all containers; '' otherwise."""
    url = pipeline.store.url if pipeline.store else ""
    if not url or scheme_of(url) not in {"", "file"}:
        return ""
    path = unquote(urlsplit(url).path) if scheme_of(url) else url
    return "" if any(f"{path}/".startswith(f"{mount.rstrip('/')}/") for mount in mounts) else path


def store_env(pipeline: Pipeline) -> dict[str, Any]:
    """Variables with the credentials of the store; none where the pod has an identity by itself."""
    identity = identity_of(pipeline)
    if identity is not None:
        return {ROLE: identity.role, TOKEN_FILE: f"{_PATH}/{_FILE}"}
    return references(key_references(pipeline))


def store_volumes(pipeline: Pipeline) -> list[dict[str, Any]]:
    """The volume with the token that the role is assumed with, where there is a role.

    https://kubernetes.io/docs/concepts/storage/projected-volumes/#serviceaccounttoken
    """
    identity = identity_of(pipeline)
    if identity is None:
        return []
    token = {"path": _FILE, "audience": identity.audience or AUDIENCE, "expirationSeconds": _SECONDS}
    return [{"name": _VOLUME, "projected": {"sources": [{"serviceAccountToken": token}]}}]


def store_mounts(pipeline: Pipeline) -> list[dict[str, Any]]:
    """Where that volume is mounted."""
    if identity_of(pipeline) is None:
        return []
    return [{"name": _VOLUME, "mountPath": _PATH, "readOnly": True}]
