"""Names that every template sees."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypedDict


class Common(TypedDict):
    """Names that every template sees."""

    variables: Mapping[str, Any]
    """Every variable that a pack declares, with its value for the pipeline."""
    environment: str | None
    """The environment of `wurzel.yaml`, as passed to `-e`; null for none."""
