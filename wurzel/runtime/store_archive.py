"""Results that are kept in a store: what one machine has computed no other computes again."""

from __future__ import annotations

import contextlib
import threading
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from wurzel.datacontract.folders import remove
from wurzel.datacontract.writer import check_ours
from wurzel.exceptions import StoreError, StoreSetupError
from wurzel.invocation.command import cut_edges, dataset
from wurzel.invocation.fingerprint import always_runs
from wurzel.ir.jobs import results
from wurzel.regular_file import read_file, replace_private
from wurzel.runtime import slices
from wurzel.runtime.archive import NONE, Archive, Cut, Kept, Key, named_as, replaceable
from wurzel.runtime.handing import Handing
from wurzel.runtime.report import write_recorded
from wurzel.runtime.store_ahead import Ahead
from wurzel.runtime.store_inputs import StoreInputs, all_slices, gather
from wurzel.runtime.stored import verified
from wurzel.store.names import slice_fingerprint, slice_name

if TYPE_CHECKING:
    from wurzel.invocation.digests import FileDigests
    from wurzel.ir.model import Pipeline, Step
    from wurzel.runtime.archive import Fingerprint
    from wurzel.runtime.decision import Question
    from wurzel.runtime.options import RunOptions
    from wurzel.store.records import Data, Entry
    from wurzel.store.store import Store


_MOST_REASONS = 3


class StoreArchive(Archive):
    """See `Archive`. Datasets are downloaded only for steps that run, and where the data folder has others.

    An entry is complete when it is found. Slices are stored as soon as they are complete, and stay until gc removes
    them: other runs may be at work on them.
    """

    remote = True
    place = "the store"

    def __init__(
        self, store: Store, pipeline: Pipeline, options: RunOptions, state: Path, digests: FileDigests, *, plan: bool
    ) -> None:
        self.store = store
        self.handing = None if plan else Handing(store, options.run_name, pipeline)
        self.data: dict[Key, Data] = {}
        """What steps of this run have given, or were found to have given."""
        self._pipeline = pipeline
        self._options = options
        self._last = state / "last"
        self._digests = digests
        self._locks: defaultdict[Key, threading.Lock] = defaultdict(threading.Lock)
        self._here: set[tuple[Key, str]] = set()
        """Datasets that have been fetched by now."""
        self._ahead = Ahead(store)
        self._first = ""
        self._gathered: set[str] = set()
        self._reopened: set[str] = set()
        """Steps that gave other data in a run that was whole."""
        self._of_slices: defaultdict[str, set[str]] = defaultdict(set)
        """Digests of files that have been stored as those of slices, which the whole may have as well."""

    def found(self, steps: Sequence[Step], key: Fingerprint) -> dict[Key, str]:
        """See `Archive`."""
        self._first = steps[0].id
        handing = self.handing if self._options.engine else None
        inputs = StoreInputs(handing, self._pipeline, steps, self._options)
        self.data = inputs.handed_over(lambda step: self.gather(step, {}))
        self.data |= inputs.by_fingerprint(key, self.find)
        digests = {key: data.digest for key, data in self.data.items()}
        self._ahead.follow(steps, digests, key)
        return digests

    def items(self, step: Step) -> int:
        """Items of what slices of a step cut."""
        return sum(self.data[edge.step, edge.output].manifest.items for edge in cut_edges(step))

    def find(self, step: Step, fingerprint: str) -> Entry | None:
        """See `Archive`."""
        return named_as(step, self._ahead.find(step, fingerprint))

    def last(self, step_id: str) -> Entry | None:
        """See `Archive`."""
        try:
            return self.store.entry(read_file(self._last / step_id).decode())
        except (OSError, ValueError):
            return None

    def reuse(self, step: Step, entry: Entry, here: Mapping[str, str]) -> bool:
        """See `Archive`: replaces what is in the data folder, so that nothing there is of another state."""
        if here != entry.digests:
            folder = self._folder(step.id)
            if folder.exists() and not replaceable(folder):
                return False
            try:
                self._refresh(step, entry, here)
            except StoreSetupError:
                raise
            except StoreError:
                return False  # the bad file has been removed: the step writes it again
        self._know(step, entry)
        return True

    def lacking(self, step: Step) -> list[Key]:
        """See `Archive`."""
        if step.self_consuming:
            return [(step.id, port.name) for port in step.outputs]
        keys = dict.fromkeys((edge.step, edge.output) for edge in step.needs)
        return [key for key in keys if not self._is_here(key)]

    def fetch(self, step: Step, keys: Iterable[Key], only: Mapping[Key, Collection[str]] = NONE) -> None:
        """See `Archive`; no step runs where its result could not be handed over."""
        if self.handing is not None:
            self.handing.begun()
        if step.self_consuming:
            self._fetch_last_output(step)
            return
        for key in keys:
            self._fetch(key, self.data[key], only.get(key))

    def keep(self, step: Step, made: Entry, *, cacheable: bool) -> Kept:
        """See `Archive`: files, dataset, entry, hand-over, in this order."""
        entry = self._stored(made, self._folder(step.id), self._of_slices[step.id])
        return self._count(step, entry, self._read(step), cacheable=cacheable)

    def hand_over(self, step: Step, entry: Entry) -> None:
        """See `Archive`."""
        if self.handing is not None:
            self.handing.hand_over(step, entry, self._read(step), key=entry.fingerprint)

    def restore_slice(self, step: Step, key: str, cut: Cut) -> bool:
        """See `Archive`."""
        entry = named_as(step, self.store.look_up(slice_fingerprint(key, *cut)))
        return entry is not None and self.fetch_slice(step, cut, entry.datasets, entry.report)

    def fetch_slice(self, step: Step, cut: Cut, datasets: Mapping[str, Data], report: Mapping[str, object]) -> bool:
        """Write a slice beside the others; False when one of its files turns out to be damaged."""
        folder = slices.folder(self._folder(step.id), *cut)
        try:
            for name, data in datasets.items():
                self.store.fetch(data, folder / name)
        except StoreSetupError:
            raise
        except StoreError:
            return False
        write_recorded(folder / slices.REPORT, report)
        return True

    def keep_slice(self, step: Step, made: Entry, cut: Cut) -> None:
        """See `Archive`."""
        self.store_slice(made, slices.folder(self._folder(step.id), *cut), cacheable=True)

    def store_slice(self, made: Entry, folder: Path, *, cacheable: bool) -> Entry:
        """Store a slice; gives the entry that counts."""
        entry = self._stored(made, folder)
        self._of_slices[made.step.partition(" ")[0]].update(part.sha256 for part in entry.parts)
        return self._recorded(entry) if cacheable else entry

    def hand_over_slice(self, step: Step, entry: Entry, cut: Cut, question: Question) -> bool:
        """Hand over a slice; whether it was the last one, so that the whole has been handed over too."""
        if self.handing is None:
            return False
        key = question.key if question.cacheable else ""
        self.handing.hand_over(step, entry, self._read(step), part=slice_name(*cut), key=key)
        return self.gather(step, question.inputs, cut.of) is not None

    def gather(self, step: Step, kinds: Mapping[str, str], of: int | None = None) -> Entry | None:
        """Put the slices of a step together that jobs of this run have handed over, if all `of` are there."""
        given = None if self.handing is None else all_slices(self.handing, step, of)
        if given is None:
            return None
        entry = gather(self.store, step, given, self._folder(step.id), slices.staging(self.stage(step)))
        self._gathered.add(step.id)
        read = next(iter(given[0].values())).inputs
        return self._count(step, entry._replace(inputs=kinds), read, cacheable=bool(entry.fingerprint)).entry

    def stage(self, step: Step) -> Path:
        """Stands for the output where slices are written beside it: no other job on this disk uses the folder."""
        part = "-{}-of-{}".format(*self._options.shard) if self._options.shard else ""
        return self._folder(step.id).with_name(f"{step.id}.for-{self._first}{part}")

    def finish(self, steps: Sequence[Step]) -> str:
        """See `Archive`: the run may be whole now."""
        # Only jobs that have a step whose output no other step reads can complete a run.
        mine = {step.id for step in steps} & {step.id for step in results(self._pipeline)}
        if self.handing is None or (self._options.shard and not mine & self._gathered):
            return ""
        name = self.handing.run.name
        if not mine:
            reopened = ", ".join(sorted(self._reopened))
            return f"the run {name} is no longer whole: {reopened} gave other data" if reopened else ""
        if not self._options.engine and not self._options.publish:
            return f"the run {name} does not become the latest one without --publish"
        if self._options.given:
            return f"the run {name} does not become the latest one, since parameters were given"
        reasons = self.handing.finish()
        more = f"; and {len(reasons) - _MOST_REASONS} more" if len(reasons) > _MOST_REASONS else ""
        text = "; ".join(reasons[:_MOST_REASONS])
        return f"the run {name} is not whole: {text}{more}" if reasons else f"the run {name} is whole"

    def _stored(self, made: Entry, folder: Path, written: Collection[str] = ()) -> Entry:
        """A result whose files and datasets are in the store."""
        stored = {name: self.store.put_dataset(folder / name, written) for name in made.datasets}
        return made._replace(datasets=stored)

    def _recorded(self, entry: Entry) -> Entry:
        """The entry that counts, whose datasets name it, so that it is removed if one of them is damaged."""
        key = entry.fingerprint
        led = {name: data._replace(fingerprint=key) for name, data in entry.datasets.items()}
        counts = self.store.record(entry._replace(datasets=led), force=self._options.force)
        return counts._replace(
            datasets={name: data._replace(fingerprint=key) for name, data in counts.datasets.items()}
        )

    def _know(self, step: Step, entry: Entry) -> None:
        self.data.update({(step.id, name): data for name, data in entry.datasets.items()})
        if not always_runs(step):
            self._last.mkdir(mode=0o700, exist_ok=True)
            replace_private(self._last / step.id, entry.fingerprint.encode())

    def _count(self, step: Step, entry: Entry, read: Mapping[str, str], *, cacheable: bool) -> Kept:
        """Record a result whose datasets are stored, and hand over the one that counts."""
        kept = self._recorded(entry) if cacheable else entry
        superseded = kept.digests != entry.digests
        if superseded:
            self._refresh(step, kept, entry.digests)
        self._know(step, kept)
        if self.handing is not None:
            if self._options.engine and self.handing.reopen(step, kept):
                self._reopened.add(step.id)
            key = entry.fingerprint if cacheable else ""
            self.handing.hand_over(step, kept, read, key=key, superseded=superseded)
        return Kept(kept, superseded)

    def _read(self, step: Step) -> dict[str, str]:
        """Digests of what a step has read of this run."""
        keys = [(edge.step, edge.output) for edge in step.needs]
        return {f"{step_id}/{output or '_'}": self.data[step_id, output].digest for step_id, output in keys}

    def _is_here(self, key: Key) -> bool:
        step_id, output = key
        wanted = self.data[key].digest
        here = verified(self._folder(step_id), [output], self._digests)
        return output in here and here[output].digest == wanted

    def _refresh(self, step: Step, entry: Entry, here: Mapping[str, str]) -> None:
        """Replace what the data folder has of a step's datasets, but for those with the right digests."""
        for name, data in entry.datasets.items():
            if here.get(name) != data.digest and (self._folder(step.id) / name).exists():
                self._fetch((step.id, name), data)

    def _fetch(self, key: Key, data: Data, only: Collection[str] | None = None) -> None:
        """Bring a dataset into the data folder, once, whoever needs it."""
        folder = self._folder(key[0]) / key[1]
        with self._locks[key]:
            if (key, data.digest) in self._here:
                return
            check_ours(folder)
            self.store.fetch(data, folder, only)
            self._here.add((key, data.digest))

    def _fetch_last_output(self, step: Step) -> None:
        """Bring what the run is to continue from; without one, an engine's run begins with nothing."""
        if self.handing is None:
            return
        last = self.handing.last_output(step)
        for name, data in (last or {}).items():
            folder = self._folder(step.id) / name
            check_ours(folder)
            self.store.fetch(data, folder)
        if last is None and self._options.engine:
            folder = self._folder(step.id)
            check_ours(folder)
            with contextlib.suppress(FileNotFoundError):
                remove(folder)

    def _folder(self, step_id: str) -> Path:
        return self._options.root / dataset(self._pipeline, step_id)
