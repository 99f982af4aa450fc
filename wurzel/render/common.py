"""What every template sees, whatever it writes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypedDict


class Common(TypedDict):
    """What every template sees."""

    variables: Mapping[str, Any]
    """Every variable that a pack declares, with the value that the project gives it for the pipeline."""
    environment: str | None
    """The environment of `wurzel.yaml` that is rendered, as given to `-e`; null for none."""
