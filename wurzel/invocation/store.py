"""What a job needs of its platform to use the store of its pipeline."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wurzel.store_url import KEYS

if TYPE_CHECKING:
    from wurzel.ir.model import Pipeline, SecretRef, StoreIdentity


def key_references(pipeline: Pipeline) -> dict[str, SecretRef]:
    """Variables with the keys of the store, to where they are kept; none without keys."""
    keys = None if pipeline.store is None else pipeline.store.secrets
    return {} if keys is None else dict(zip(KEYS, (keys.access_key_id, keys.secret_access_key), strict=True))


def identity_of(pipeline: Pipeline) -> StoreIdentity | None:
    """The identity that jobs have for the store; `None` where they have keys, or the platform's own identity."""
    return None if pipeline.store is None or pipeline.store.secrets is not None else pipeline.store.identity
