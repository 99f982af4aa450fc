"""What a container needs to use the store of its pipeline: keys by reference, or a token of the pod's account."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wurzel.store.credentials import KEYS, ROLE, TOKEN_FILE

if TYPE_CHECKING:
    from wurzel.ir.model import Pipeline, StoreIdentity

_VOLUME = "store-token"
_PATH = "/var/run/secrets/wurzel-store"
_FILE = "token"
_AUDIENCE = "sts.amazonaws.com"
_SECONDS = 3600  # the kubelet writes a new token when four fifths of it are over


def store_env(pipeline: Pipeline) -> dict[str, Any]:
    """Variables with the credentials of the store; none where the pod has an identity by itself."""
    store = pipeline.store
    if store is None:
        return {}
    if store.secrets is not None:
        references = (store.secrets.access_key_id, store.secrets.secret_access_key)
        return {
            name: {"secretKeyRef": {"name": reference.name, "key": reference.key}}
            for name, reference in zip(KEYS, references, strict=True)
        }
    if store.identity is not None:
        return {ROLE: store.identity.role, TOKEN_FILE: f"{_PATH}/{_FILE}"}
    return {}


def store_volumes(pipeline: Pipeline) -> list[dict[str, Any]]:
    """The volume with the token that the role is assumed with, where there is a role.

    https://kubernetes.io/docs/concepts/storage/projected-volumes/#serviceaccounttoken
    """
    identity = _identity(pipeline)
    if identity is None:
        return []
    token = {"path": _FILE, "audience": identity.audience or _AUDIENCE, "expirationSeconds": _SECONDS}
    return [{"name": _VOLUME, "projected": {"sources": [{"serviceAccountToken": token}]}}]


def store_mounts(pipeline: Pipeline) -> list[dict[str, Any]]:
    """Where that volume is mounted."""
    if _identity(pipeline) is None:
        return []
    return [{"name": _VOLUME, "mountPath": _PATH, "readOnly": True}]


def _identity(pipeline: Pipeline) -> StoreIdentity | None:
    store = pipeline.store
    return None if store is None or store.secrets is not None else store.identity
