"""How many bytes a pipeline takes in a store, by what they are for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from itertools import chain
from typing import TYPE_CHECKING

from wurzel.named_tuples import NamedTuple
from wurzel.store import names
from wurzel.store.listing import run_names, sides
from wurzel.store.references import entries, hand_overs

if TYPE_CHECKING:
    from wurzel.store.buckets import Bucket
    from wurzel.store.store import Store

_SHARED = ""


class Usage(NamedTuple):
    """Bytes on one side of a pipeline: what trusted jobs wrote, or what others did."""

    pipeline: str
    trusted: bool
    runs: int
    steps: dict[str, int]
    """Bytes of files that only this step has, in any run or entry."""
    shared: int
    """Bytes of files that several steps have."""
    unreferenced: int
    """Bytes of files that nothing leads to."""
    records: int
    """Bytes of what is not data: entries, manifests, hand-overs."""

    @property
    def total(self) -> int:
        """All bytes."""
        return sum(self.steps.values()) + self.shared + self.unreferenced + self.records


def usage(bucket: Bucket, pipeline: str) -> list[Usage]:
    """What a pipeline takes, and what untrusted jobs wrote, if anything. Raises `StoreError`."""
    both = sides(bucket, pipeline)
    owners: dict[bool, dict[str, str]] = {True: {}, False: {}}
    for reference in chain.from_iterable(read(store) for store in both for read in (entries, hand_overs)):
        for data in reference.datas:
            of_home = owners[data.trusted]
            for part in data.manifest.parts:
                of_home[part.sha256] = (
                    reference.step if of_home.get(part.sha256, reference.step) == reference.step else _SHARED
                )
    found = [_usage(store, pipeline, owners[store.trusted]) for store in both]
    return [each for each in found if each.trusted or each.total]


def _usage(store: Store, pipeline: str, owners: Mapping[str, str]) -> Usage:
    steps: Counter[str] = Counter()
    unreferenced = records = 0
    for kind in names.LAYOUT:
        for item in store.bucket.list(store.key(f"{kind}/")):
            owner = owners.get(item.key.rpartition("/")[2])
            if kind != "objects":
                records += item.size
            elif owner is None:
                unreferenced += item.size
            else:
                steps[owner] += item.size
    shared = steps.pop(_SHARED, 0)
    count = len(run_names(store))
    return Usage(pipeline, store.trusted, count, dict(sorted(steps.items())), shared, unreferenced, records)
