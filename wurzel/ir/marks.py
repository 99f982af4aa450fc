"""What all models of the IR share, and the mark of what a target must honour."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from wurzel.named_tuples import NamedTuple


class Feature(NamedTuple):
    """Marks a field of the IR as something a target must render, emulate or report."""

    name: str


class IRModel(BaseModel):
    """Base of all IR models: frozen, and strict about unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)
