"""Whether a step must run: its datasets are there, the cache has them, or they have to be made."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from wurzel.invocation.fingerprint import UNKNOWN, Fingerprints, always_runs, fingerprint, reason
from wurzel.runtime.stored import Stored, verified

if TYPE_CHECKING:
    from wurzel.invocation.digests import FileDigests
    from wurzel.ir.model import Pipeline, Step
    from wurzel.runtime.cache import Cache, Entry
    from wurzel.runtime.options import RunOptions


class Decision(NamedTuple):
    """What is known of a step before it starts."""

    inputs: Mapping[str, str]
    """Digests by kind of everything that its output may depend on."""
    key: str
    """Its fingerprint."""
    unchanged: Stored | None
    """Its datasets in the data folder, if they are what it would write now."""
    why: str
    """Why it must run, unless the cache has its result; '' if it is unchanged."""
    cacheable: bool
    """Whether its results are kept, and handed over where nothing has changed."""
    cached: Entry | None
    """Its result, if the cache may be asked and has it; files may be missing or damaged."""


class Decider:
    """Decides for the steps of one pipeline, in one state of project, configuration and environment."""

    def __init__(self, pipeline: Pipeline, options: RunOptions, cache: Cache, digests: FileDigests) -> None:
        """Belong to a run of the pipeline, or to a plan of one."""
        self._cache = cache
        self._digests = digests
        self._force = options.force
        self._fingerprints = Fingerprints(
            pipeline,
            digests,
            root=options.root,
            environ=options.environ,
            not_input=[options.root / folder for folder in (pipeline.data_dir, options.state_dir)],
        )

    def of(self, step: Step, folder: Path, data: Mapping[tuple[str, str], str]) -> Decision:
        """What to do with a step.

        Args:
            step: of the pipeline.
            folder: of its datasets.
            data: digests of the datasets that it reads, by step and output.
        """
        inputs = self._fingerprints.of(step, data)
        key = fingerprint(inputs)
        stored = verified(folder, [port.name for port in step.outputs], self._digests)
        cacheable = not always_runs(step) and UNKNOWN not in inputs.values()
        entry = self._cache.find(key) if cacheable and not self._force else None
        why = self._why(step, inputs, stored, entry)
        return Decision(inputs, key, None if why else stored, why, cacheable, entry if why else None)

    def _why(self, step: Step, inputs: Mapping[str, str], stored: Stored | None, entry: Entry | None) -> str:
        if self._force:
            return "forced"
        if always := always_runs(step):
            return always
        if stored is not None and entry is not None and entry.digests == stored.digests:
            return ""
        last = self._cache.last(step.id)
        output = None if stored is None else stored.digest
        before = last and (last.inputs, Stored(last.digests, skipped=False).digest)
        return reason(before, inputs, output) or "output changed by something else"
