"""`WZ`, at the path authors know."""

from __future__ import annotations

from wurzel.core.typed_step import WZ

__all__ = ["WZ"]
