"""What leads where in the store of a pipeline: entries and hand-overs, the files that they name, and their size."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain, islice
from typing import TYPE_CHECKING, TypeVar

from wurzel.exceptions import StoreDamaged
from wurzel.named_tuples import NamedTuple
from wurzel.store.listing import place_of, run_names, sides, steps, unknown
from wurzel.store.names import LAYOUT, slice_fingerprint
from wurzel.store.records import entry_of
from wurzel.store.runs import Run
from wurzel.store.threads import side_by_side

if TYPE_CHECKING:
    from wurzel.store.buckets import Bucket, Item
    from wurzel.store.records import Data, HandOver
    from wurzel.store.store import Store

T = TypeVar("T")
R = TypeVar("R")

_LARGEST = 256 << 20
"""Bytes of an entry or hand-over of a million files; jobs that are not trusted could write any number of them."""
_TOO_LARGE = f"is larger than {_LARGEST >> 20} MiB"
_SHARED = ""
_AT_ONCE = 64
"""Requests for each of those side by side before their results are taken: what bounds the memory."""


class Reference(NamedTuple):
    """An entry or a hand-over, with what it leads to."""

    item: Item
    step: str
    """Empty where it cannot be read."""
    datas: tuple[Data, ...]
    names: frozenset[str] = frozenset()
    """Fingerprints: of the entry, or of those that the hand-over names."""
    problem: str = ""
    """Why it cannot be read; what is damaged leads nowhere."""
    inputs: tuple[str, ...] = ()
    """What the step of a hand-over read, by `step/output`."""
    definition: str = ""
    """Digest of the pipeline under which it was handed over."""


def entries(store: Store) -> Iterator[Reference]:
    """The entries that are on the side of a store."""
    prefix = store.key("cache/")

    def read(item: Item) -> Reference | None:
        if item.size > _LARGEST:
            return Reference(item, "", (), problem=_TOO_LARGE)
        text = store.bucket.get(item.key)
        name = item.key.removeprefix(prefix).removesuffix(".json")
        entry = None if text is None else entry_of(text, name, trusted=store.trusted)
        if entry is not None:
            return Reference(item, step_of(entry.step), tuple(entry.datasets.values()), frozenset({name}))
        damaged = Reference(item, "", (), frozenset({name}), "is damaged, or names another fingerprint")
        return None if text is None else damaged

    return present(in_turn(read, store.bucket.list(prefix), store.bucket.width))


def hand_overs(store: Store) -> Iterator[Reference]:
    """The hand-overs that are on the side of a store."""
    prefix = store.key("runs/")

    def read(item: Item) -> Reference | None:
        run, *path = item.key.removeprefix(prefix).split("/")
        place = place_of(path)
        if place is None:
            return None
        if item.size > _LARGEST:
            return Reference(item, "", (), problem=_TOO_LARGE)
        try:
            found = Run(store, run).handed_over(*place)
        except StoreDamaged as error:
            return Reference(item, "", (), problem=error.message)
        if found is None:
            return None
        return Reference(item, place.step, (found.data,), _named_by(found), "", tuple(found.inputs), found.definition)

    return present(in_turn(read, store.bucket.list(prefix), store.bucket.width))


def _named_by(given: HandOver) -> frozenset[str]:
    """Fingerprints of the entries that a hand-over names: what led to it, and that of its step or slice."""
    number, _, of = given.part.partition("-of-")
    named = {given.data.fingerprint, given.fingerprint}
    if given.fingerprint and number.isdecimal() and of.isdecimal():
        named.add(slice_fingerprint(given.fingerprint, int(number), int(of)))
    return frozenset(named - {""})


def forget(bucket: Bucket, pipeline: str, step: str | None) -> int:
    """Remove the entries of a step, or of all, so that the next run computes it again; gives how many they were.

    Raises `UsageError` when the store knows no such step, `StoreError` when the store cannot be read or written.
    """
    known: set[str] = set()
    found: list[Item] = []
    for store in sides(bucket, pipeline):
        for reference in entries(store):
            known.add(reference.step)
            if step in {None, reference.step}:
                found.append(reference.item)
    if step is not None and step not in known:
        there = sorted({*known, *steps(bucket, pipeline)} - {""})
        if step not in there:
            raise unknown("step", step, there, pipeline)
    bucket.delete(item.key for item in found)
    return len(found)


def step_of(text: str) -> str:
    """The id of the step in what an entry calls it, which has ` I/N` for a slice."""
    return text.partition(" ")[0]


def present(found: Iterable[R | None]) -> Iterator[R]:
    """Those that are not `None`."""
    return (each for each in found if each is not None)


def in_turn(call: Callable[[T], R], items: Iterable[T], width: int) -> Iterator[R]:
    """As `side_by_side`, for more items than should be in memory with their results."""
    for batch in batches(items, width * _AT_ONCE):
        yield from side_by_side(call, batch, width)


def batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Items in their order, some at a time."""
    rest = iter(items)
    while batch := list(islice(rest, size)):
        yield batch


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
    for kind in LAYOUT:
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
