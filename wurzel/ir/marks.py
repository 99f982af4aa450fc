"""What all models of the IR share, and the mark of what a target must honour."""

from __future__ import annotations

from wurzel.models import Model
from wurzel.named_tuples import NamedTuple


class Feature(NamedTuple):
    """Marks a field of the IR as something a target must render, emulate or report."""

    name: str


class IRModel(Model):
    """Base of all models of the IR."""
