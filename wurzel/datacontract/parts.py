"""The bytes of one part of a dataset."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wurzel.datacontract.datacontract import DataModel


def save(contract: type[DataModel], path: Path, obj: Any) -> Path:
    """Write one object to a file."""
    raise NotImplementedError


def load(contract: type[DataModel], path: Path, annotation: Any) -> Any:
    """Read one object from a file."""
    raise NotImplementedError
