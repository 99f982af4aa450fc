"""What a run asks of datasets on disk: are they complete, and what digest stands for them."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from wurzel.datacontract import folders
from wurzel.datacontract.manifest_file import read_manifest
from wurzel.exceptions import DatasetError
from wurzel.invocation.digests import combine
from wurzel.runtime.slices import SLICES, clear, staging

if TYPE_CHECKING:
    from wurzel.datacontract.manifest import Manifest
    from wurzel.invocation.digests import FileDigests


def digest_of(digests: Mapping[str, str]) -> str:
    """Stands for all datasets of a step, given the digest of each by the name of the output, `""` where it has none."""
    if set(digests) == {""}:
        return digests[""]
    return combine(part for name, digest in sorted(digests.items()) for part in (name, digest))


def verified(
    folder: Path, outputs: Sequence[str], digests: FileDigests, *, sliced: bool = False
) -> dict[str, Manifest]:
    """The datasets of a step, or slice, that are complete: all their files have the bytes that were written."""
    found: dict[str, Manifest] = {}
    for name in outputs:
        with contextlib.suppress(DatasetError, OSError):
            manifest = read_manifest(folder / name)
            whole = all(digests.file(part.path) == part.sha256 for part in manifest.parts)
            found |= {name: manifest} if whole and (manifest.slice is not None) == sliced else {}
    return found


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
