"""How far the runs in a store have come, and why one is not whole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from wurzel.exceptions import StoreDamaged
from wurzel.named_tuples import NamedTuple
from wurzel.store import names
from wurzel.store.listing import Place, marks, output_at, places, sides
from wurzel.store.runs import Begun, Run, latest, reasons, time_text
from wurzel.store.threads import side_by_side

if TYPE_CHECKING:
    from wurzel.store.buckets import Bucket
    from wurzel.store.records import HandOver
    from wurzel.store.store import Store


class RunState(NamedTuple):
    """A run, and how far it has come."""

    name: str
    trusted: bool
    start: str
    """When it began, on the server's clock; earlier times sort first."""
    whole: bool
    latest: bool
    reasons: tuple[str, ...]
    """Why it is not whole."""


def runs(bucket: Bucket, pipeline: str) -> list[RunState]:
    """All runs of a pipeline, the newest first, those of jobs that are not trusted among them. Raises `StoreError`."""
    newest = latest(sides(bucket, pipeline)[0])
    found = [state for store in sides(bucket, pipeline) for state in _states(store, newest)]
    return sorted(found, key=lambda state: (state.start, state.name), reverse=True)


def _states(store: Store, newest: str | None) -> Iterator[RunState]:
    found = places(store)
    marked = set(marks(store))
    all_begun = side_by_side(lambda name: _begun(Run(store, name)), found, store.bucket.width)
    begun = dict(zip(found, all_begun, strict=True))
    known = _steps_by_definition(found, marked, begun)
    for name, handed in found.items():
        began, problem = begun[name]
        whole = name in marked
        start = began.start if began else time_text(min(handed.values())) if handed else ""
        why = () if whole else (problem,) if problem else tuple(_why(store, name, handed, began, known))
        yield RunState(name, store.trusted, start, whole, whole and store.trusted and name == newest, why)


def _begun(run: Run) -> tuple[Begun | None, str]:
    try:
        begun = run.begun()
    except StoreDamaged as error:
        return None, f"run.json {error.message}"
    return begun, "" if begun else "run.json is missing"


_Steps = set[tuple[str, str]]


def _steps_by_definition(
    found: Mapping[str, Iterable[Place]], marked: set[str], begun: Mapping[str, tuple[Begun | None, str]]
) -> dict[str, _Steps]:
    """All outputs of a pipeline by its definition, which a whole run of it shows."""
    return {
        began.definitions[-1]: {(place.step, place.output) for place in handed}
        for name, handed in found.items()
        if name in marked and (began := begun[name][0])
    }


def _why(
    store: Store, name: str, handed: Iterable[Place], began: Begun | None, known: Mapping[str, _Steps]
) -> Iterator[str]:
    """Why a run is not whole, as far as the store shows it: it does not keep the pipeline itself."""
    if not store.trusted:
        yield "jobs that are not trusted make no run whole"
        return
    definition = began.definitions[-1] if began else ""
    whole = sorted(place for place in handed if place.part == names.ALL)
    read = side_by_side(lambda place: output_at(Run(store, name), place), whole, store.bucket.width)
    there = {(one.place.step, one.place.output): one.found for one in read if one.found is not None}
    damaged = {(one.place.step, one.place.output): one.problem for one in read if one.problem}
    wanted = {(place.step, place.output) for place in handed} | known.get(definition, set()) | _inputs(there)
    missing = dict.fromkeys(sorted(wanted - set(damaged)))
    found = [f"{Place(*which, names.ALL).name} {problem}" for which, problem in damaged.items()]
    found += reasons({**missing, **there}, definition)
    yield from found or ["a step has not handed over, or the run was not published"]


def _inputs(there: Mapping[tuple[str, str], HandOver | None]) -> _Steps:
    return {names.output_in(name) for one in there.values() if one is not None for name in one.inputs}
