"""Reads everything in the store of a pipeline, and finds and removes what is not as it was written."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from typing import TYPE_CHECKING

from wurzel.named_tuples import NamedTuple
from wurzel.store import names
from wurzel.store.listing import marks, sides
from wurzel.store.references import Reference, entries, hand_overs, in_turn
from wurzel.store.verify_runs import FOREIGN, MISSING, Finding, RunCheck

if TYPE_CHECKING:
    from wurzel.datacontract.manifest import Manifest
    from wurzel.store.buckets import Bucket, Item
    from wurzel.store.store import Store

_OBJECT = re.compile(r"(?:objects/([0-9a-f]{2})/(?=\1)|datasets/(?=.*\.json))[0-9a-f]{64}(?:\.json)?")

_ORDER = ("whole", "cache", "runs", "gc", "datasets", "objects")
"""What leads to something is removed before it."""
_BEGUN = "/run.json"


class Checked(NamedTuple):
    """What was read of a pipeline, and what is wrong."""

    files: int
    """Parts, files and manifests of datasets."""
    size: int
    """Their bytes."""
    records: int
    """Entries and hand-overs."""
    findings: list[Finding]


def verify(bucket: Bucket, pipeline: str) -> Checked:
    """Read everything of a pipeline, side by side, without keeping it.

    What jobs and gc change meanwhile is looked at again before it is called wrong. Raises `StoreError` when the store
    cannot be read.
    """
    check = _Check(bucket)
    both = sides(bucket, pipeline)
    for store in both:
        check.files(store)
    for store in both:
        runs = RunCheck(store)
        for reference in entries(store):
            check.follow(store, reference)
        for reference in hand_overs(store):
            check.follow(store, reference)
            runs.add(reference)
        check.findings += runs.findings()
    return Checked(check.count, check.size, check.records, [*check.findings, *check.bad_files()])


class _Check:
    """What has been read, as far as it is needed: of files their digests alone."""

    def __init__(self, bucket: Bucket) -> None:
        self.count = self.size = self.records = 0
        self.findings: list[Finding] = []
        self._bucket = bucket
        self._good: dict[bool, set[bytes]] = {True: set(), False: set()}
        self._bad: set[str] = set()
        self._leads: dict[str, list[Item]] = {}
        """Key of a bad or missing file to what leads to it."""
        self._manifests: dict[str, Manifest] = {}

    def files(self, store: Store) -> None:
        """Read all objects and manifests."""
        threads = max(self._bucket.width, os.cpu_count() or 1)  # a digest takes a processor, not only the disk
        for kind in ("objects", "datasets"):
            for item, good in in_turn(self._read, self._bucket.list(store.key(f"{kind}/")), threads):
                self.count += 1
                self.size += item.size
                if not _OBJECT.fullmatch(item.key.removeprefix(store.key(""))):
                    self.findings.append(Finding(item.key, FOREIGN, item))
                elif good:
                    self._good[store.trusted].add(bytes.fromhex(_digest(item.key)))
                elif good is not None:
                    self._bad.add(item.key)

    def follow(self, store: Store, reference: Reference) -> None:
        """Look for what an entry or a hand-over leads to."""
        self.records += 1
        if reference.problem:
            self.findings.append(Finding(reference.item.key, reference.problem, reference.item))
        for data in reference.datas:
            key = store.key(
                names.dataset_key(data.digest)
            )  # also of files that are trusted, if they were gathered here
            self._lead(reference.item, key, data.digest, {store.trusted, True})
            if key in self._leads:
                self._manifests[key] = data.manifest
            homes = {data.trusted, True}
            for part in data.manifest.parts:
                key = store.key(names.object_key(part.sha256), trusted=data.trusted)
                self._lead(reference.item, key, part.sha256, homes)

    def bad_files(self) -> Iterator[Finding]:
        """Files that are damaged, or missing although something leads to them, if that is still so."""
        for key in sorted(self._bad | self._leads.keys()):
            leads = tuple(item for item in self._leads.get(key, ()) if self._bucket.head(item.key) == item)
            item = self._bucket.head(key)
            if item is not None and not self._read(item)[1]:
                yield Finding(key, "is damaged: its digest is not its name", item, leads, self._manifests.get(key))
            elif item is None and leads:
                yield Finding(key, MISSING, None, leads, self._manifests.get(key))

    def _read(self, item: Item) -> tuple[Item, bool | None]:
        """Whether a file has the digest that its name says; `None` where it has gone meanwhile."""
        digest = sha256()
        try:
            for piece in self._bucket.stream(item.key, item.size):
                digest.update(piece)
        except FileNotFoundError:
            return item, None
        return item, digest.hexdigest() == _digest(item.key)

    def _lead(self, item: Item, key: str, digest: str, homes: Iterable[bool]) -> None:
        if not any(bytes.fromhex(digest) in self._good[home] for home in homes):
            self._leads.setdefault(key, []).append(item)


def _digest(key: str) -> str:
    return key.rpartition("/")[2].removesuffix(".json")


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
