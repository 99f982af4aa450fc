"""What a run asks of datasets on disk: are they complete, and what digest stands for them."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from wurzel.datacontract import folders
from wurzel.datacontract.manifest_file import read_manifest
from wurzel.exceptions import DatasetError
from wurzel.invocation.digests import combine
from wurzel.named_tuples import NamedTuple
from wurzel.runtime.slices import SLICES, clear, staging

if TYPE_CHECKING:
    from wurzel.datacontract.manifest import Manifest
    from wurzel.invocation.digests import FileDigests


class Stored(NamedTuple):
    """The complete datasets of a step."""

    digests: Mapping[str, str]
    """By the name of the output; `""` where it has none."""
    skipped: bool
    """Whether the step was not run, because a condition was false."""

    @property
    def digest(self) -> str:
        """Stands for all of them."""
        if set(self.digests) == {""}:
            return self.digests[""]
        return combine(part for name, digest in sorted(self.digests.items()) for part in (name, digest))


def verified(
    folder: Path, outputs: Sequence[str], digests: FileDigests, *, sliced: bool = False
) -> dict[str, Manifest]:
    """The datasets of a step, or slice, that are complete: all their files have the bytes that were written."""
    manifests = {name: _manifest(folder / name, sliced=sliced) for name in outputs}
    return {
        name: manifest
        for name, manifest in manifests.items()
        if manifest is not None and all(digests.file(part.path) == part.sha256 for part in manifest.parts)
    }


def written(folder: Path, outputs: Sequence[str], digests: FileDigests) -> Stored | None:
    """As `verified`, for datasets that a step has just written: their parts are taken at their word."""
    manifests = {name: _manifest(folder / name) for name in outputs}
    for part in (part for manifest in manifests.values() if manifest is not None for part in manifest.parts):
        digests.trust(part.path, part.sha256)
    there = {name: manifest for name, manifest in manifests.items() if manifest is not None}
    if len(there) < len(manifests):
        return None
    found = {name: manifest.digest for name, manifest in there.items()}
    return Stored(found, all(manifest.skipped for manifest in there.values()))


def manifests_in(folder: Path, outputs: Sequence[str]) -> dict[str, Manifest] | None:
    """The manifests of the datasets in the folder of a step or slice; `None` unless all are complete."""
    try:
        return {name: read_manifest(folder / name) for name in outputs}
    except (DatasetError, OSError):
        return None


def sweep(data: Path, ids: Collection[str], keep: Callable[[Path], None]) -> None:
    """Remove from a data folder what killed processes and failed slices of these steps have left.

    `keep` is called with each folder of slices, to move away what is still of use.
    """
    if not data.is_dir():  # a step has removed it, and failed by that
        return
    folders.sweep(data)
    left = [entry.name for entry in os.scandir(data) if entry.name.startswith(".") and entry.name.endswith(SLICES)]
    for name in left:
        if (step_id := name[1:].removesuffix(SLICES)) in ids:
            keep(staging(data / step_id))
            clear(data / step_id)


def _manifest(folder: Path, *, sliced: bool = False) -> Manifest | None:
    try:
        manifest = read_manifest(folder)
    except (DatasetError, OSError):
        return None
    return manifest if (manifest.slice is not None) == sliced else None
