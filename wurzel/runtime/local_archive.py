"""Results that are kept on this machine: datasets in the data folder, earlier ones below `.wurzel/`."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from wurzel.datacontract.opening import shard_folder
from wurzel.invocation.command import dataset
from wurzel.invocation.fingerprint import always_runs
from wurzel.runtime import slices
from wurzel.runtime.archive import Archive, Cut, Kept, Key, named_as, replaceable
from wurzel.runtime.cache import Cache
from wurzel.runtime.report import write_recorded
from wurzel.runtime.selection import found
from wurzel.runtime.stored import verified
from wurzel.store.names import slice_fingerprint

if TYPE_CHECKING:
    from wurzel.invocation.digests import FileDigests
    from wurzel.ir.model import Pipeline, Step
    from wurzel.runtime.archive import Fingerprint
    from wurzel.runtime.options import RunOptions
    from wurzel.store.records import Entry


class LocalArchive(Archive):
    """See `Archive`. A first run copies nothing: files are moved below `.wurzel/` when others replace them."""

    remote = False
    place = "the cache"

    def __init__(self, pipeline: Pipeline, options: RunOptions, state: Path, *, plan: bool) -> None:
        self._pipeline = pipeline
        self._root = options.root
        self._cache = Cache(state)
        if not plan:
            self._cache.take_left()

    def found(self, steps: Sequence[Step], key: Fingerprint) -> dict[Key, str]:
        """See `Archive`: they are in the data folder."""
        return found(self._pipeline, steps, self._root)

    def find(self, step: Step, fingerprint: str) -> Entry | None:
        """See `Archive`."""
        return named_as(step, self._cache.find(fingerprint))

    def is_complete(self, step: Step, entry: Entry) -> bool:
        """See `Archive`."""
        return self._cache.complete(entry, self._folder(step))

    def reuse(self, step: Step, entry: Entry, here: Mapping[str, str]) -> bool:
        """See `Archive`."""
        if here == entry.digests:
            return True
        folder, retired = self._folder(step), self._cache.retired(step.id)
        if not replaceable(folder) or not self._cache.restore(entry, folder, retired):
            return False
        self._cache.take(retired, [data.manifest for data in entry.datasets.values()])
        return True

    def retiring(self, step: Step) -> Path | None:
        """See `Archive`."""
        return None if always_runs(step) else self._cache.retired(step.id).absolute()

    def keep(self, step: Step, made: Entry, *, cacheable: bool) -> Kept:
        """See `Archive`."""
        if not always_runs(step):
            self._cache.write(made)
            self._cache.handed_over(step.id, made.fingerprint)
        retired = self._cache.folder_of_retired(step.id)
        self._cache.take(retired, [data.manifest for data in made.datasets.values()])
        return Kept(made)

    def hand_over(self, step: Step, entry: Entry) -> None:
        """See `Archive`."""
        self._cache.handed_over(step.id, entry.fingerprint)

    def restore_slice(self, step: Step, key: str, cut: Cut) -> bool:
        """See `Archive`."""
        entry = self.find(step, slice_fingerprint(key, *cut))
        folder = slices.folder(self._folder(step), *cut)
        if entry is None or not self._cache.restore(entry, folder):
            return False
        write_recorded(folder / slices.REPORT, entry.report)
        return True

    def keep_slice(self, step: Step, made: Entry, cut: Cut) -> None:
        """See `Archive`."""
        self._cache.write(made)

    def reuse_slice(self, step: Step, key: str, cut: Cut, digests: FileDigests) -> bool:
        """Whether a slice that is run alone was kept; it is then in the step's folder. `key` is its fingerprint."""
        entry, folder = self.find(step, key), self._folder(step)
        home, name = shard_folder(folder, *cut), "{}.{}-of-{}".format(step.id, *cut)
        if entry is None or not replaceable(folder) or not self._cache.complete(entry, home):
            return False
        here = verified(home, [*entry.datasets], digests, sliced=True)
        if {output: manifest.digest for output, manifest in here.items()} == entry.digests:
            return True
        if folder.exists():
            from wurzel.datacontract.writer import make_room

            make_room(folder, cut.of)
        if not self._cache.restore(entry, home, self.retiring_as(name)):
            return False
        self._cache.take(self._cache.folder_of_retired(name), [data.manifest for data in entry.datasets.values()])
        return True

    def keep_lone_slice(self, made: Entry, name: str) -> None:
        """Keep a slice that was run alone, and what it replaces, which went to `retiring_as(name)`."""
        self._cache.write(made)
        self._cache.take(self._cache.folder_of_retired(name), [data.manifest for data in made.datasets.values()])

    def retiring_as(self, name: str) -> Path:
        """Where the datasets that a slice replaces go."""
        return self._cache.retired(name).absolute()

    def forget_slices(self, key: str, count: int) -> None:
        """See `Archive`."""
        for number in range(1, count + 1):
            self._cache.forget(slice_fingerprint(key, number, count))

    def keep_left(self, folder: Path) -> None:
        """See `Archive`."""
        self._cache.take(folder)

    def last(self, step_id: str) -> Entry | None:
        """See `Archive`."""
        return self._cache.last(step_id)

    def close(self, steps: Collection[str]) -> None:
        """See `Archive`."""
        self._cache.prune(steps)

    def _folder(self, step: Step) -> Path:
        return self._root / dataset(self._pipeline, step.id)
