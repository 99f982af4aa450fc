"""Where results of steps are kept and found again: below `.wurzel/`, or in a store that machines share."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol, TypeAlias

from wurzel.exceptions import DatasetError
from wurzel.named_tuples import NamedTuple

if TYPE_CHECKING:
    from wurzel.ir.model import Step
    from wurzel.store.records import Entry

Key = tuple[str, str]
"""A dataset of a run: id of its step, and name of the output, `""` where it has none."""


Fingerprint: TypeAlias = "Callable[[Step, Mapping[Key, str]], str]"


NONE: Mapping[Key, Collection[str]] = MappingProxyType({})


class Kept(NamedTuple):
    """A result that has been kept."""

    entry: Entry
    """What counts: that of another run, where it was first."""
    superseded: bool = False
    """Whether it is that of another run, with other data."""


class Cut(NamedTuple):
    """One slice of a step, and how many slices its data has."""

    number: int
    of: int


class Archive(Protocol):
    """Keeps results of one pipeline. What waits for a server is called in threads, all else in the main thread.

    Methods with a body say what holds where an archive has nothing to do.
    """

    remote: bool
    """Whether calls may wait for a server."""
    place: str
    """What results come from, in words: `the cache`."""

    def found(self, steps: Sequence[Step], key: Fingerprint) -> dict[Key, str]:
        """Digests of what these steps read from others, which are not run.

        `key` gives the fingerprint of another step, from the digests of what it reads. Raises `PreflightError` when a
        dataset is missing or damaged; it names the step that writes it.
        """

    def find(self, step: Step, fingerprint: str) -> Entry | None:
        """What an earlier run gave; files may be missing or damaged where that shows only when they are read."""

    def last(self, step_id: str) -> Entry | None:
        """What a step has last given here, as far as it is known."""

    def is_complete(self, step: Step, entry: Entry) -> bool:
        """Whether all files of a found entry are there, with the right sizes."""
        return True

    def reuse(self, step: Step, entry: Entry, here: Mapping[str, str]) -> bool:
        """Let an entry be the result of a step; False when the step has to run, since files are damaged.

        `here` has the digests of the complete datasets in the data folder, by output.
        """

    def lacking(self, step: Step) -> list[Key]:
        """What a step reads, its own last output among it, that is not in the data folder."""
        return []

    def fetch(self, step: Step, keys: Iterable[Key], only: Mapping[Key, Collection[str]] = NONE) -> None:
        """Bring datasets into the data folder.

        `only` names the parts that are read, of datasets of which the step does not read all. Raises `StoreError` when
        a file is damaged or missing, or the store cannot be used.
        """
        del step, keys, only

    def retiring(self, step: Step) -> Path | None:
        """Where the datasets go that a step, or its gathered slices, replace; `None` if they are removed."""
        return None

    def keep(self, step: Step, made: Entry, *, cacheable: bool) -> Kept:
        """Keep and hand over the datasets of a step; if `cacheable`, others may use them in place of running it."""

    def hand_over(self, step: Step, entry: Entry) -> None:
        """Hand over what was reused."""

    def restore_slice(self, step: Step, key: str, cut: Cut) -> bool:
        """Whether a slice was kept; it is then beside the others. `key` is the fingerprint of the whole step."""

    def keep_slice(self, step: Step, made: Entry, cut: Cut) -> None:
        """Keep a slice, so that it is not run again if another one fails."""

    def forget_slices(self, key: str, count: int) -> None:
        """The whole has been kept, so its slices are not needed any more."""
        del key, count

    def keep_left(self, folder: Path) -> None:
        """Keep what is of use in a folder of slices that a killed run has left."""
        del folder

    def finish(self, steps: Sequence[Step]) -> str:
        """These steps have ended well: what to say of the run as a whole, if anything. Raises `StoreError`."""
        return ""

    def close(self, steps: Collection[str]) -> None:
        """The run is over."""
        del steps


def replaceable(folder: Path) -> bool:
    """Whether nothing but a dataset is there; otherwise the step runs, and says what is."""
    from wurzel.datacontract.writer import check_ours  # a run with nothing to do replaces nothing

    try:
        check_ours(folder)
    except DatasetError:
        return False
    return True


def named_as(step: Step, entry: Entry | None) -> Entry | None:
    """The entry, if its datasets are the outputs of the step: names decide which folders are written."""
    return entry if entry is not None and entry.datasets.keys() == {port.name for port in step.outputs} else None
