"""What a run asks of datasets on disk: are they complete, and what digest stands for them."""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

from wurzel.datacontract import folders
from wurzel.datacontract.manifest import NAME, Manifest
from wurzel.datacontract.manifest_file import read_manifest
from wurzel.exceptions import DatasetError
from wurzel.runtime.slices import SLICES, clear

if TYPE_CHECKING:
    from wurzel.invocation.digests import FileDigests


def verified(folder: Path, digests: FileDigests) -> str | None:
    """The digest of a dataset's manifest, if all its files are there with the bytes that were written."""
    manifest = _manifest(folder)
    if manifest is None or any(digests.file(part.path) != part.sha256 for part in manifest.parts):
        return None
    return digests.file(folder / NAME)


def written(folder: Path, digests: FileDigests) -> str | None:
    """As `verified`, for a dataset that a step has just written: its parts are taken at their word."""
    manifest = _manifest(folder)
    if manifest is None:
        return None
    for part in manifest.parts:
        digests.trust(part.path, part.sha256)
    return digests.file(folder / NAME)


def sweep(data: Path, ids: Collection[str]) -> None:
    """Remove from a data folder what killed processes and failed slices of these steps have left."""
    folders.sweep(data)
    left = [entry.name for entry in os.scandir(data) if entry.name.startswith(".") and entry.name.endswith(SLICES)]
    for name in left:
        if (step_id := name[1:].removesuffix(SLICES)) in ids:
            clear(data / step_id)


def _manifest(folder: Path) -> Manifest | None:
    try:
        manifest = read_manifest(folder)
    except (DatasetError, OSError):
        return None
    return manifest if manifest.slice is None else None
