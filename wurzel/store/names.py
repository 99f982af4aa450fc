"""Names in the store: of runs, slices and keys."""

from __future__ import annotations

import re
from hashlib import sha256

from wurzel import store_url
from wurzel.exceptions import StoreSetupError
from wurzel.patterns import pattern

UNTRUSTED = store_url.UNTRUSTED
OBJECTS = "objects/"
LAYOUT = ("objects", "datasets", "cache", "runs", "whole", "gc")
"""What there is below the name of a pipeline."""

ALL = "all"
"""Stands for the whole of what a step gives, where a slice stands as `2-of-3`."""

_LONGEST = 120
_PIPELINE = pattern(r"[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?")


def run_name(target: str, run_id: str, parameters: str = "") -> str:
    """The name of a run: target, the id that its engine gives, and a digest of the given parameters if there are any.

    `argo-3f0c…`, `airflow-rag-scheduled__2026-01-01t00-00-00-00-00-1a2b3c4d`. Equal for every job and retry of a run.
    """
    return escape("-".join(filter(None, (target, run_id, parameters[:12]))))


def escape(text: str) -> str:
    """A text as part of a key: `[a-z0-9._-]`, with a short digest of the text where that is not the text itself."""
    name = re.sub(r"[^a-z0-9._-]", "-", text.lower()).lstrip(".")[:_LONGEST]
    return name if name == text and name else f"{name}-{sha256(text.encode()).hexdigest()[:8]}"


def slice_name(number: int, of: int) -> str:
    """The name of slice `number` (from 1) of `of`."""
    return f"{number}-of-{of}"


def slice_fingerprint(fingerprint: str, number: int, of: int) -> str:
    """The fingerprint of a slice, from that of the whole step; `of` is the number of slices that the data has."""
    return sha256(f"{fingerprint}\0{number}\0{of}".encode()).hexdigest()


def is_pipeline(name: str) -> bool:
    """Whether this can be the name of a pipeline."""
    return name != UNTRUSTED and _PIPELINE.fullmatch(name) is not None


def checked_pipeline(name: str) -> str:
    """The name of a pipeline, as part of a key. Raises `StoreSetupError` when it cannot be one."""
    if name == UNTRUSTED:
        raise StoreSetupError(
            f"a pipeline with a store cannot be called {UNTRUSTED!r}: jobs that are not trusted write there",
            hint="Give the pipeline another name.",
        )
    if not is_pipeline(name):
        raise StoreSetupError(f"{name!r} is not the name of a pipeline")
    return name


def object_key(digest: str) -> str:
    """The key of a part or file, below the pipeline."""
    return f"{OBJECTS}{digest[:2]}/{digest}"


def dataset_key(digest: str) -> str:
    """The key of a dataset's canonical manifest, below the pipeline."""
    return f"datasets/{digest}.json"


def entry_key(fingerprint: str) -> str:
    """The key of an entry of the cache, below the pipeline."""
    return f"cache/{fingerprint}.json"


def run_key(run: str) -> str:
    """The key of what says when a run began, below the pipeline."""
    return f"runs/{run}/run.json"


def output_in(text: str) -> tuple[str, str]:
    """Step and output of `step/output`, as hand-overs name their inputs; `_` stands for an output without a name."""
    step, _, output = text.partition("/")
    return step, "" if output == "_" else output


def hand_over_key(run: str, step: str, output: str, part: str) -> str:
    """The key of a hand-over, below the pipeline."""
    return f"runs/{run}/{step}/{output or '_'}/{part}.json"
