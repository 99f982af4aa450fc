"""What gc removes on one side of a pipeline, and in which order."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from wurzel.exceptions import StoreDamaged, StoreError
from wurzel.named_tuples import NamedTuple
from wurzel.store import names
from wurzel.store.listing import marks
from wurzel.store.records import seal, unseal
from wurzel.store.references import Reference, entries
from wurzel.store.runs import Begun, Run, latest
from wurzel.store.threads import side_by_side

if TYPE_CHECKING:
    from wurzel.store.buckets import Item
    from wurzel.store.store import Store

CONDEMNED = "gc/condemned.json"
"""Names what the next gc may delete: files that nothing leads to, with when they were found so."""


class Note(NamedTuple):
    """When a file was found to be unreferenced, and its own time then; both on the server's clock."""

    since: datetime
    modified: datetime
    """A file that was written again has another one."""


def read_condemned(store: Store) -> dict[str, Note]:
    """The notes of earlier gcs by key; none where they are damaged, so that the time begins again."""
    text = store.bucket.get(store.key(CONDEMNED))
    try:
        fields = {} if text is None else unseal(text)["condemned"]
        return {str(key): Note(_time(since), _time(modified)) for key, (since, modified) in fields.items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}


def write_condemned(store: Store, notes: Mapping[str, Note]) -> None:
    """Replace the notes, or remove their file if there are none. Raises `StoreError` when they cannot be written."""
    if notes:
        fields = {key: [note.since.isoformat(), note.modified.isoformat()] for key, note in notes.items()}
        store.bucket.put(store.key(CONDEMNED), seal({"condemned": fields}))
    else:
        store.bucket.delete([store.key(CONDEMNED)])


def _time(text: str) -> datetime:
    time = datetime.fromisoformat(text)
    return time if time.tzinfo else time.replace(tzinfo=UTC)


DAY = timedelta(hours=24)
"""The least age of what is removed: no job takes as long from an upload to what names it."""

_CLOCK = "gc/clock-"
_TRIES = 5
_KINDS = ("objects", "datasets")


class Removed(NamedTuple):
    """What was removed on one side of a pipeline, or would be."""

    pipeline: str
    trusted: bool
    runs: tuple[str, ...] = ()
    entries: int = 0
    files: int = 0
    """Parts, files and manifests of datasets."""
    size: int = 0
    """Bytes of all of these."""
    condemned: int = 0
    """Files that nothing leads to, and that a later gc deletes."""
    condemned_size: int = 0


class Used:
    """What hand-overs and entries lead to; a file that is not trusted may be among those that are, too."""

    def __init__(self) -> None:
        self._kept: dict[bool, set[bytes]] = {True: set(), False: set()}
        self._leaving: dict[bool, set[bytes]] = {True: set(), False: set()}
        self._entries: set[tuple[bool, str]] = set()

    def add(self, store: Store, reference: Reference, *, kept: bool) -> None:
        """Count what an entry or a hand-over on the side of a store leads to, which is kept or removed now."""
        files = self._kept if kept else self._leaving
        for data in reference.datas:
            digests = {
                bytes.fromhex(digest) for digest in (data.digest, *(part.sha256 for part in data.manifest.parts))
            }
            for home in {True, store.trusted}:
                files[home] |= digests
            if kept:
                self._entries |= {(data.trusted, name) for name in reference.names}

    def has_file(self, store: Store, digest: str) -> bool:
        """Whether something that is kept leads to this file on the side of a store."""
        return bytes.fromhex(digest) in self._kept[store.trusted]

    def had_file(self, store: Store, digest: str) -> bool:
        """Whether something that is removed now has led to it: a job may have found it a moment ago."""
        return bytes.fromhex(digest) in self._leaving[store.trusted]

    def has_entry(self, store: Store, fingerprint: str) -> bool:
        """Whether a kept hand-over names this entry."""
        return (store.trusted, fingerprint) in self._entries


class Plan:
    """What is to be removed on one side of a pipeline."""

    def __init__(self, store: Store, now: datetime, before: datetime) -> None:
        self.store = store
        self._now = now
        self._before = before
        self._marks = marks(store)
        self._sizes: dict[str, int] = {}
        self._newest = self._list_runs()
        self._old = {name for name, time in self._newest.items() if time < before}
        self._entries: list[Item] = []

    @property
    def is_empty(self) -> bool:
        """Whether nothing is stored on this side."""
        return not self.store.bucket.folders(self.store.key(""))

    def keeps(self, hand_over: Reference) -> bool:
        """Whether the run of a hand-over stays; one that has begun since does."""
        return hand_over.item.key.removeprefix(self.store.key("runs/")).partition("/")[0] not in self._old

    def choose_entries(self, used: Used) -> None:
        """Choose the entries to remove; what the others lead to is used."""
        for reference in entries(self.store):
            old = reference.item.modified < self._before
            leaves = old and not any(used.has_entry(self.store, name) for name in reference.names)
            used.add(self.store, reference, kept=not leaves)
            if leaves:
                self._entries.append(reference.item)

    def describe(self, used: Used) -> Removed:
        """What would be removed."""
        notes, doomed, sizes = self._unreferenced(used, self._now)
        return self._removed(self._old, doomed, {key: sizes[key] for key in set(notes) - {item.key for item in doomed}})

    def carry_out(self, used: Used) -> Removed:
        """Remove it, in an order in which whatever is left at any time is right."""
        bucket = self.store.bucket
        runs = [name for name in self._old if self._remove_run(name)]
        self._entries = list(bucket.discard(self._entries))
        # The day begins now: until a moment ago jobs could find the entries, however long it has taken to come here.
        notes, doomed, sizes = self._unreferenced(used, server_time(self.store))
        write_condemned(self.store, notes)  # first, so that what is used again is not left in it
        deleted = bucket.discard(doomed)
        for item in deleted:
            del notes[item.key]
        if deleted:
            write_condemned(self.store, notes)
        self._remove_clocks()
        return self._removed(runs, deleted, {key: sizes[key] for key in notes})

    def spare(self, runs: Collection[str]) -> None:
        """Keep these runs, however old they are."""
        self._old -= set(runs)

    def read_by_others(self) -> Iterator[str]:
        """Runs to keep: the latest one, and those that self-consuming steps of unfinished runs read, on every try."""
        if self.store.trusted and (newest := latest(self.store)) is not None:
            yield newest
        # It is not known of a run of jobs that are not trusted whether it is finished.
        since = self._before if self.store.trusted else self._now - DAY
        open_runs = [name for name, time in self._newest.items() if time >= since and name not in self._marks]
        for begun in side_by_side(self._begun, open_runs, self.store.bucket.width):
            if begun is not None and begun.latest is not None:
                yield begun.latest

    def _list_runs(self) -> dict[str, datetime]:
        """When something was last handed over in each run; of a run that is gone, when it was marked as whole."""
        newest = {name: max(item.modified for item in found) for name, found in self._marks.items()}
        prefix = self.store.key("runs/")
        found: dict[str, datetime] = {}
        for item in self.store.bucket.list(prefix):
            run = item.key.removeprefix(prefix).partition("/")[0]
            found[run] = max(item.modified, found.get(run, item.modified))
            self._sizes[run] = self._sizes.get(run, 0) + item.size
        return newest | found

    def _begun(self, run: str) -> Begun | None:
        try:
            return Run(self.store, run).begun()
        except StoreDamaged:
            return None

    def _remove_run(self, name: str) -> bool:
        """Remove a run: first its mark, so that it is never the latest without its data; last what says it began."""
        bucket, begun = self.store.bucket, self.store.key(names.run_key(name))
        items = list(bucket.list(self.store.key(f"runs/{name}/")))
        if any(item.modified >= self._before for item in items) or not (items or name in self._marks):
            return False  # it goes on, or another gc was faster
        bucket.delete(item.key for item in self._marks.get(name, ()))
        others = [item for item in items if item.key != begun]
        if len(bucket.discard(others)) < len(others):
            return False
        bucket.discard(item for item in items if item.key == begun)
        return True

    def _unreferenced(self, used: Used, since: datetime) -> tuple[dict[str, Note], list[Item], dict[str, int]]:
        """Notes on all files that nothing leads to, those of them to delete now, and the sizes of all."""
        before = read_condemned(self.store)
        notes: dict[str, Note] = {}
        doomed: list[Item] = []
        sizes: dict[str, int] = {}
        for kind in _KINDS:
            for item in self.store.bucket.list(self.store.key(f"{kind}/")):
                digest = item.key.rpartition("/")[2].removesuffix(".json")
                if not re.fullmatch(r"[0-9a-f]{64}", digest) or used.has_file(self.store, digest):
                    continue
                note = before.get(item.key)
                written = note is None or note.modified != item.modified
                if note is None or written or note.since > self._now or used.had_file(self.store, digest):
                    note = Note(max(since, item.modified), item.modified)
                elif self._now - note.since >= DAY:
                    doomed.append(item)
                notes[item.key] = note
                sizes[item.key] = item.size
        return notes, doomed, sizes

    def _remove_clocks(self) -> None:
        """Remove what gcs that were killed have left."""
        found = self.store.bucket.list(self.store.key("gc/"))
        clocks = [item for item in found if item.key.startswith(self.store.key(_CLOCK))]
        self.store.bucket.delete(item.key for item in clocks if self._now - item.modified >= DAY)

    def _removed(self, runs: Iterable[str], deleted: Iterable[Item], condemned: Mapping[str, int]) -> Removed:
        files = list(deleted)
        size = sum(item.size for item in [*files, *self._entries]) + sum(self._sizes.get(run, 0) for run in runs)
        about = (self.store.pipeline, self.store.trusted, tuple(sorted(runs)), len(self._entries), len(files), size)
        return Removed(*about, len(condemned), sum(condemned.values()))


def server_time(store: Store) -> datetime:
    """The time on the server's clock."""
    for _ in range(_TRIES):  # another gc may take it for one that was left
        key = store.key(f"{_CLOCK}{os.urandom(8).hex()}")
        store.bucket.put(key, b"{}\n")
        item = store.bucket.head(key)
        store.bucket.delete([key])
        if item is not None:
            return item.modified
    raise StoreError("what was just written cannot be found", where=key, hint="Try again.")
