"""What is in a store: its pipelines, their runs, how far each has come, and what it handed over."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from wurzel.exceptions import StoreDamaged, StoreSetupError, UsageError
from wurzel.named_tuples import NamedTuple
from wurzel.store import names
from wurzel.store.local import LocalBucket
from wurzel.store.runs import Begun, Run, latest, reasons, time_text
from wurzel.store.store import Store
from wurzel.store.threads import side_by_side
from wurzel.suggestion import did_you_mean

if TYPE_CHECKING:
    from wurzel.store.buckets import Bucket, Item
    from wurzel.store.records import HandOver

LATEST = "latest"
_MOST_NAMES = 10


class Place(NamedTuple):
    """Where a run keeps one hand-over."""

    step: str
    output: str
    """`""` where the step has no named outputs."""
    part: str

    @property
    def name(self) -> str:
        """`split`, or `split.train` for a named output."""
        return f"{self.step}.{self.output}" if self.output else self.step


class Output(NamedTuple):
    """What a step, or a slice of it, handed over in a run."""

    run: str
    place: Place
    found: HandOver | None
    """`None` where it is damaged, or has gone meanwhile."""
    problem: str = ""


def check_folder(bucket: Bucket) -> None:
    """Make sure that a store in a folder is there, and that it is a folder. Raises `StoreSetupError` when it is not."""
    if not isinstance(bucket, LocalBucket) or bucket.root.is_dir():
        return
    if bucket.root.exists() or bucket.root.is_symlink():
        raise StoreSetupError("is not a folder, so it cannot be a store", where=str(bucket.root))
    raise StoreSetupError("there is no such folder", where=str(bucket.root), hint="The first run with it makes it.")


def pipelines(bucket: Bucket) -> list[str]:
    """Names of the pipelines in a store, untrusted ones included. Raises `StoreSetupError` when it is not a store."""
    check_folder(bucket)
    top = bucket.folders("")
    found = set(_pipelines(bucket, "", top))
    if names.UNTRUSTED in top:
        prefix = f"{names.UNTRUSTED}/"
        found |= set(_pipelines(bucket, prefix, bucket.folders(prefix)))
    if not found and (other := _foreign(bucket, top)):
        hint = "Name the folder that `store` in wurzel.yaml names."
        where = str(bucket.root) if isinstance(bucket, LocalBucket) else ""
        raise StoreSetupError(f"is not a store: it has no pipeline, but {other!r}", where=where, hint=hint)
    return sorted(found)


def check_pipeline(bucket: Bucket, name: str) -> None:
    """Raise `UsageError` unless a store has something of a pipeline; the message names those that there are."""
    known = pipelines(bucket)
    if name not in known:
        raise unknown("pipeline", name, known, "the store")


def unknown(kind: str, name: str, known: Sequence[str], where: str) -> UsageError:
    """The error for a name that is not there, with the nearest one, or those that there are."""
    known = [one for one in known if one.isprintable()]  # jobs that are not trusted choose names, too
    more = ", …" if len(known) > _MOST_NAMES else ""
    there = f"{kind.capitalize()}s: {', '.join(known[:_MOST_NAMES])}{more}." if known else f"There are no {kind}s."
    return UsageError(f"{where} has no {kind} {name!r}", hint=did_you_mean(name, known) or there)


def sides(bucket: Bucket, pipeline: str) -> tuple[Store, Store]:
    """The stores of a pipeline: what trusted jobs wrote, and what others did."""
    return Store(bucket, pipeline), Store(bucket, pipeline, "read")


def places(store: Store, run: str = "") -> dict[str, dict[Place, datetime]]:
    """The hand-overs of each run, or of one, with their times; a key that is not one is left out."""
    prefix = store.key("runs/")
    found: dict[str, dict[Place, datetime]] = {}
    for item in store.bucket.list(f"{prefix}{run}/" if run else prefix):
        name, *rest = item.key.removeprefix(prefix).split("/")
        of_run = found.setdefault(name, {})
        if (place := place_of(rest)) is not None:
            of_run[place] = item.modified
    return found


def place_of(path: Sequence[str]) -> Place | None:
    """The hand-over that is kept at a path below its run; `None` for any other path."""
    if len(path) != len(Place._fields) or not path[2].endswith(".json"):
        return None
    return Place(path[0], "" if path[1] == "_" else path[1], path[2].removesuffix(".json"))


def find_run(bucket: Bucket, pipeline: str, wanted: str) -> tuple[Store, Run]:
    """A run by its name or by the end of it that its engine knows, or the latest whole one. Raises `UsageError`."""
    check_pipeline(bucket, pipeline)
    if wanted == LATEST:
        store = sides(bucket, pipeline)[0]
        name = latest(store)
        if name is None:
            hint = f"`wurzel store ls {pipeline}` says why; --run takes one that is not whole, too."
            raise UsageError(f"{pipeline} has no whole run in the store", hint=hint)
        return store, Run(store, name)
    known = {name: store for store in reversed(sides(bucket, pipeline)) for name in run_names(store)}
    ends = [name for name in known if name.endswith(f"-{wanted}")]
    name = wanted if wanted in known or len(ends) != 1 else ends[0]
    if name not in known:
        raise unknown("run", wanted, sorted(known), pipeline)
    return known[name], Run(known[name], name)


def marks(store: Store) -> dict[str, list[Item]]:
    """What marks runs as whole, by the name of the run."""
    found: dict[str, list[Item]] = {}
    for item in store.bucket.list(store.key("whole/")):
        found.setdefault(item.key.rpartition("~")[2], []).append(item)
    return found


def run_names(store: Store) -> Sequence[str]:
    """Names of the runs on the side of a store."""
    return store.bucket.folders(store.key("runs/"))


def steps(bucket: Bucket, pipeline: str) -> list[str]:
    """Ids of the steps that have handed over in any run of a pipeline."""
    runs_of = [of_run for store in sides(bucket, pipeline) for of_run in places(store).values()]
    return sorted({place.step for of_run in runs_of for place in of_run})


def outputs(store: Store, run: Run, step: str = "") -> list[Output]:
    """What a run, or one step of it, handed over, in the order of the names."""
    found = sorted(place for place in places(store, run.name).get(run.name, ()) if step in {"", place.step})
    return side_by_side(lambda place: output_at(run, place), found, store.bucket.width)


def output_at(run: Run, place: Place) -> Output:
    """What a run handed over at one place."""
    try:
        return Output(run.name, place, run.handed_over(*place))
    except StoreDamaged as error:
        return Output(run.name, place, None, error.message)


def _pipelines(bucket: Bucket, prefix: str, found: Iterable[str]) -> Iterator[str]:
    for name in found:
        if names.is_pipeline(name) and set(names.LAYOUT) & set(bucket.folders(f"{prefix}{name}/")):
            yield name


def _foreign(bucket: Bucket, top: Sequence[str]) -> str:
    """Something in a folder, or bucket, that no store has."""
    if isinstance(bucket, LocalBucket):
        return min((path.name for path in bucket.root.iterdir() if not path.name.startswith(".")), default="")
    return min((name for name in top if name != names.UNTRUSTED), default="")


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
        yield "jobs that are not trusted cannot complete a run"
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
    yield from found or ["a step has not handed over its data, or the run was not published"]


def _inputs(there: Mapping[tuple[str, str], HandOver | None]) -> _Steps:
    return {names.output_in(name) for one in there.values() if one is not None for name in one.inputs}
