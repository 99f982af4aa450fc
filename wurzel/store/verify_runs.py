"""Finds what is wrong with the runs of a pipeline: how they began, what they handed over, which are whole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

from wurzel.exceptions import StoreDamaged
from wurzel.named_tuples import NamedTuple
from wurzel.store import names
from wurzel.store.gc_plan import CONDEMNED
from wurzel.store.listing import marks, place_of
from wurzel.store.records import unseal
from wurzel.store.runs import Run

if TYPE_CHECKING:
    from wurzel.datacontract.manifest import Manifest
    from wurzel.store.buckets import Item
    from wurzel.store.references import Reference
    from wurzel.store.store import Store

MISSING = "is missing"
FOREIGN = "was not written by wurzel"


class Finding(NamedTuple):
    """Something in a store that is not as it was written."""

    key: str
    problem: str
    item: Item | None = None
    """As it was listed; `None` where it is missing."""
    leads: tuple[Item, ...] = ()
    """Entries, hand-overs and marks that lead to it."""
    manifest: Manifest | None = None
    """What the manifest of a dataset has to be, where something leads to it."""


_Output = tuple[str, str]
"""Id of a step, and the name of its output."""


class _Handed(NamedTuple):
    """What is kept of a hand-over while everything is read."""

    item: Item
    definition: str
    inputs: tuple[str, ...]


class RunCheck:
    """The runs on the side of a store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._bucket = store.bucket
        self._runs: dict[str, dict[_Output, _Handed]] = {}

    def add(self, reference: Reference) -> None:
        """Note a hand-over."""
        run, *path = reference.item.key.removeprefix(self._store.key("runs/")).split("/")
        place = place_of(path)
        if place is not None:
            handed = _Handed(reference.item, reference.definition, reference.inputs)
            self._runs.setdefault(run, {})[place.step, place.output] = handed

    def findings(self) -> Iterator[Finding]:
        """What is wrong with the runs, once all hand-overs have been added."""
        yield from self._beginnings()
        good: dict[str, list[Item]] = {}
        for run, items in marks(self._store).items():
            for item in items:
                problem = self._problem_of_mark(item, run)
                if problem:
                    yield Finding(item.key, problem, item)
                else:
                    good.setdefault(run, []).append(item)
        complete = self._outputs_by_definition(good)
        for run, items in good.items():
            yield from self._lacking(run, items, complete)
        yield from self._notes()

    def _beginnings(self) -> Iterator[Finding]:
        prefix = self._store.key("runs/")
        for run, listed in groupby(self._bucket.list(prefix), lambda item: item.key[len(prefix) :].partition("/")[0]):
            items = list(listed)
            paths = {item: item.key.removeprefix(prefix).split("/")[1:] for item in items}
            foreign = [item for item, path in paths.items() if place_of(path) is None and path != ["run.json"]]
            for item in foreign:
                yield Finding(item.key, FOREIGN, item)
            if len(foreign) < len(items):
                yield from self._beginning(run, [item for item in items if item not in foreign])

    def _beginning(self, run: str, items: Sequence[Item]) -> Iterator[Finding]:
        key = self._store.key(names.run_key(run))
        try:
            begun = Run(self._store, run).begun()
        except StoreDamaged as error:
            yield Finding(key, error.message, self._bucket.head(key))
            return
        leads = tuple(item for item in items if begun is None and self._is_there(item))
        if leads:
            yield Finding(key, MISSING, None, leads)

    def _problem_of_mark(self, item: Item, run: str) -> str:
        start = item.key.removeprefix(self._store.key("whole/")).partition("~")[0]
        fields = self._unsealed(item)
        if not self._is_there(item):
            return ""
        if fields is None or (fields.get("run"), fields.get("start")) != (run, start):
            return "is damaged, or marks another run"
        if run in self._runs or next(self._bucket.list(self._store.key(f"runs/{run}/")), None) is not None:
            return ""  # it may have begun while hand-overs were read
        return "marks a run that has handed over nothing"

    def _outputs_by_definition(self, whole: Iterable[str]) -> dict[str, set[_Output]]:
        """All outputs of a pipeline, by its definition, which its whole runs show together."""
        found: dict[str, set[_Output]] = {}
        for run in whole:
            for output, handed in self._runs.get(run, {}).items():
                if handed.definition:  # of a damaged one it is not known
                    found.setdefault(handed.definition, set()).add(output)
        return found

    def _lacking(self, run: str, items: Sequence[Item], complete: dict[str, set[_Output]]) -> Iterator[Finding]:
        """What a run that is marked as whole has not handed over, although its steps read it or other runs have it."""
        handed = self._runs.get(run, {})
        wanted: dict[_Output, list[Item]] = {}
        for each in handed.values():
            for output in complete.get(each.definition, ()):
                wanted.setdefault(output, [])
            for name in each.inputs:
                wanted.setdefault(names.output_in(name), []).append(each.item)
        for output in sorted(wanted.keys() - handed.keys()):
            key = self._store.key(names.hand_over_key(run, *output, names.ALL))
            if all(map(self._is_there, items)) and self._bucket.head(key) is None:
                yield Finding(key, MISSING, None, (*items, *wanted[output]))

    def _notes(self) -> Iterator[Finding]:
        item = self._bucket.head(self._store.key(CONDEMNED))
        if item is not None and self._unsealed(item) is None and self._is_there(item):
            yield Finding(item.key, "is damaged: the next gc begins again", item)

    def _is_there(self, item: Item) -> bool:
        return self._bucket.head(item.key) == item

    def _unsealed(self, item: Item) -> dict[str, Any] | None:
        text = self._bucket.get(item.key)
        try:
            return None if text is None else unseal(text)
        except (ValueError, RecursionError):
            return None
