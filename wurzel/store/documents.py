"""Small JSON documents that say whether they are as they were written."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

_SEAL = "sha256"


def seal(fields: Mapping[str, Any]) -> bytes:
    """A document of these fields, and a digest of them."""
    from pydantic_core import to_json

    return to_json({_SEAL: sha256(to_json(fields)).hexdigest(), **fields}) + b"\n"


def unseal(data: bytes) -> dict[str, Any]:
    """The fields of a document. Raises `ValueError` when it is torn, or not what was written."""
    from pydantic_core import from_json, to_json

    fields = from_json(data, allow_inf_nan=False)
    if not isinstance(fields, dict) or fields.pop(_SEAL, None) != sha256(to_json(fields)).hexdigest():
        raise ValueError("its digest is not that of its fields")
    return fields
