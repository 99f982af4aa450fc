"""Removes what is wrong in a store, with what leads to it, so that jobs make it again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from wurzel.store import names
from wurzel.store.listing import marks, sides
from wurzel.store.verify_runs import FOREIGN, Finding

if TYPE_CHECKING:
    from wurzel.store.buckets import Bucket, Item
    from wurzel.store.store import Store

_ORDER = ("whole", "cache", "runs", "gc", "datasets", "objects")
"""What leads to something is removed before it."""
_BEGUN = "/run.json"


def repair(bucket: Bucket, pipeline: str, findings: Iterable[Finding]) -> list[Finding]:
    """Remove what is wrong, unless it was written again meanwhile, with entries, hand-overs and marks that lead to it.

    A manifest of a dataset is written again instead, where something leads to it. A run of which it cannot be read how
    it began is removed as a whole. Gives what is left as it is, since others have put it there. Raises `StoreError`
    when the store cannot be written.
    """
    asked = list(findings)
    chosen = [finding for finding in asked if finding.problem != FOREIGN]
    stores = sides(bucket, pipeline)
    doomed = {item.key: item for finding in chosen for item in _with_leads(bucket, finding)}
    for store in stores:
        doomed |= {item.key: item for item in _marks(store, list(doomed))}
    for kind in _ORDER:
        bucket.discard(item for key, item in doomed.items() if _kind(key) == kind)
    for finding in chosen:
        if finding.manifest is not None:
            bucket.put(finding.key, finding.manifest.canonical_text())
    return [finding for finding in asked if finding.problem == FOREIGN]


def _with_leads(bucket: Bucket, finding: Finding) -> Iterator[Item]:
    """What has to be removed for one finding."""
    if finding.manifest is not None and _kind(finding.key) == "datasets":
        return  # what leads to it says what it is
    if finding.item is not None:
        yield finding.item
    if _kind(finding.key) != "runs":
        yield from finding.leads
    elif finding.key.endswith(_BEGUN):
        yield from bucket.list(finding.key.removesuffix(_BEGUN) + "/")
    else:  # one that is missing: the run is not whole, but what others have handed over stays
        yield from (item for item in finding.leads if _kind(item.key) == "whole")


def _marks(store: Store, doomed: Sequence[str]) -> Iterator[Item]:
    """What marks runs as whole that lose something."""
    prefix = store.key("runs/")
    runs = {key.removeprefix(prefix).partition("/")[0] for key in doomed if key.startswith(prefix)}
    return (item for run, items in marks(store).items() if run in runs for item in items)


def _kind(key: str) -> str:
    return key.removeprefix(f"{names.UNTRUSTED}/").split("/")[1]
