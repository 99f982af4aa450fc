"""Entries of a store before they are asked for: with 30 ms a request, steps in a row take one request each, not two."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from wurzel.invocation.fingerprint import always_runs

if TYPE_CHECKING:
    from wurzel.ir.model import Step
    from wurzel.runtime.archive import Fingerprint, Key
    from wurzel.store.records import Entry
    from wurzel.store.store import Store


class _Lookup:
    """An entry that a thread looks up."""

    def __init__(self) -> None:
        self.ready = threading.Event()
        self.entry: Entry | None = None
        self.error: Exception | None = None

    def result(self) -> Entry | None:
        self.ready.wait()
        if self.error is not None:
            raise self.error
        return self.entry


class Ahead:
    """Looks entries up. While the files of one are checked, those of the steps that read its result are looked up."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._lookups: dict[str, _Lookup] = {}
        self._after: defaultdict[str, list[Step]] = defaultdict(list)
        self._data: dict[Key, str] = {}
        self._key: Fingerprint | None = None

    def follow(self, steps: Sequence[Step], data: Mapping[Key, str], key: Fingerprint) -> None:
        """Look ahead for these steps, which may read `data` of others; `key` gives their fingerprints."""
        for step in steps if self._store.bucket.width > 1 else ():  # a folder answers at once
            for need in () if always_runs(step) else dict.fromkeys(step.predecessors):
                self._after[need].append(step)
        self._data.update(data)
        self._key = key

    def find(self, step: Step, fingerprint: str) -> Entry | None:
        """The entry of a step, if all its files are there. Raises `StoreError`."""
        lookup, mine = self._claimed(fingerprint)
        if mine:
            self._look_up(step, fingerprint, lookup)
        with self._lock:
            self._lookups.pop(fingerprint, None)  # whoever asks again wants to know what is there then
        return lookup.result()

    def _claimed(self, fingerprint: str) -> tuple[_Lookup, bool]:
        """The look-up of a fingerprint, and whether whoever asks has to make it."""
        with self._lock:
            there = self._lookups.get(fingerprint)
            if there is None:
                self._lookups[fingerprint] = _Lookup()
            return self._lookups[fingerprint], there is None

    def _look_up(self, step: Step, fingerprint: str, lookup: _Lookup) -> None:
        try:
            entry = self._store.entry(fingerprint)
            if entry is not None:
                self._go_on(step, entry)
                lookup.entry = entry if self._store.is_complete(entry) else self._store.look_up(fingerprint)
        except Exception as error:  # noqa: BLE001 - raised where someone waits for it
            lookup.error = error
        finally:
            lookup.ready.set()

    def _go_on(self, step: Step, entry: Entry) -> None:
        """Start to look up what reads this result, as far as all that it reads is known."""
        with self._lock:
            self._data.update({(step.id, name): digest for name, digest in entry.digests.items()})
            known, room = dict(self._data), self._store.bucket.width - len(self._lookups)
        ready = [one for one in self._after[step.id] if all((edge.step, edge.output) in known for edge in one.needs)]
        for after in ready[: max(room, 0)]:
            threading.Thread(target=self._ahead, args=(after, known), daemon=True).start()

    def _ahead(self, step: Step, data: Mapping[Key, str]) -> None:
        try:
            fingerprint = self._key(step, data) if self._key is not None else ""
        except Exception:  # noqa: BLE001 - whoever asks for this step meets it, too
            return
        lookup, mine = self._claimed(fingerprint)
        if mine:
            self._look_up(step, fingerprint, lookup)
