"""Opens the archive of a run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wurzel.invocation.digests import FileDigests
    from wurzel.ir.model import Pipeline
    from wurzel.runtime.archive import Archive
    from wurzel.runtime.options import RunOptions


def open_archive(
    pipeline: Pipeline, options: RunOptions, state: Path, digests: FileDigests, *, plan: bool = False
) -> Archive:
    """Where this run keeps its results, a store or a folder; with `plan`, nothing is to be written."""
    if options.store is None:
        from wurzel.runtime.local_archive import LocalArchive

        return LocalArchive(pipeline, options, state, plan=plan)
    from wurzel.runtime.store_archive import StoreArchive

    return StoreArchive(options.store, pipeline, options, state, digests, plan=plan)
