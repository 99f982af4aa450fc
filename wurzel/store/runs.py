"""Runs: what each step handed over, and which runs are whole."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING

from wurzel.exceptions import StoreDamaged, StoreError
from wurzel.named_tuples import NamedTuple
from wurzel.patterns import pattern
from wurzel.store import names
from wurzel.store.records import HandOver, hand_over_of, seal, unseal
from wurzel.store.threads import side_by_side

if TYPE_CHECKING:
    from wurzel.store.store import Store

_NONE: Mapping[tuple[str, str], HandOver] = MappingProxyType({})
_TRIES = 3
_TIME = "%Y%m%dT%H%M%S.%fZ"  # sorts as text
_MARK = pattern(r"[0-9]{8}T[0-9.]+Z~[a-z0-9._-]+")


class Begun(NamedTuple):
    """How a run began."""

    definitions: tuple[str, ...]
    """Digests of pipeline and parameters; more than one where the run went on after a change, the newest last."""
    latest: str | None
    """The latest whole run at that time, which a self-consuming step reads."""
    start: str
    """When it began, on the server's clock; earlier times sort first."""


class Run:
    """One run of a pipeline."""

    def __init__(self, store: Store, name: str) -> None:
        """See `run_name` for the name."""
        self.name = name
        self.store = store

    def begin(self, definition: str) -> Begun:
        """Begin the run, or join it: how it began, with this definition as the newest.

        A run that was whole with another definition no longer is. Raises `StoreError` when the store cannot be used;
        `StoreDamaged` when what says how the run began is.
        """
        for _ in range(_TRIES):
            begun = self.begun()
            if begun is None:
                self._write((definition,), _newest(self.store), "", create=True)  # unless another job is faster
            elif begun.definitions[-1] == definition:
                return begun
            else:
                self.reopen(begun)
                others = tuple(one for one in begun.definitions if one != definition)
                self._write((*others, definition), ("", begun.latest), begun.start)
            begun = self.begun()
            if begun is not None:
                return begun
            # It was an old run, which gc has just removed.
        raise StoreError("the record of how the run began has been removed", where=self._key, hint="Start a new run.")

    def begun(self) -> Begun | None:
        """How the run began; `None` when it has not. Raises `StoreError` when that is damaged, or names another run."""
        found = self.store.bucket.dated(self._key)
        if found is None:
            return None
        text, written = found
        try:
            fields = unseal(text)
            _check(fields["run"] == self.name, f"it names the run {fields['run']}")
            definitions, before, start = fields["definitions"], fields["latest"], fields["start"]
            texts = [*definitions, start, "" if before is None else before]
            _check(definitions and all(isinstance(text, str) for text in texts), "it does not say how the run began")
            return Begun(tuple(definitions), before, start or _later(time_text(written), fields.get("after")))
        except (ValueError, KeyError, TypeError) as error:
            raise _damaged(self._key, error) from None

    def hand_over(self, given: HandOver) -> None:
        """Hand over a dataset, in place of what an earlier try handed over. Raises `StoreError`."""
        self.store.bucket.sync()
        key = names.hand_over_key(self.name, given.step, given.output, given.part)
        self.store.bucket.put(self.store.key(key), given._replace(run=self.name).text())

    def handed_over(
        self, step: str, output: str = "", part: str = names.ALL, *, trusted: bool | None = None
    ) -> HandOver | None:
        """What a step, or a slice of it, handed over; `None` when it has not.

        `part` is a slice of it; `trusted` says whether to look among what trusted jobs wrote, by default where this
        process writes. Raises `StoreError` when that is damaged, or names another run, step, output or slice.
        """
        key = self.store.key(names.hand_over_key(self.name, step, output, part), trusted=trusted)
        text = self.store.bucket.get(key)
        if text is None:
            return None
        try:
            found = hand_over_of(text)
            same = (found.run, found.step, found.output, found.part) == (self.name, step, output, part)
            _check(same, f"it is that of {found.step}, {found.part}, in the run {found.run}")
            _check(found.data.trusted or not self.store.trusted, "its data is not trusted")
        except ValueError as error:
            raise _damaged(key, error) from None
        return found

    def slices(self, step: str, output: str = "") -> dict[str, datetime]:
        """Which slices of a step have been handed over, `all` among them, and when; by one request."""
        prefix = self.store.key(names.hand_over_key(self.name, step, output, "")).removesuffix(".json")
        found = self.store.bucket.list(prefix)
        return {item.key.removeprefix(prefix).removesuffix(".json"): item.modified for item in found}

    def finish(
        self, outputs: Mapping[str, Collection[str]], known: Mapping[tuple[str, str], HandOver] = _NONE
    ) -> list[str]:
        """Mark the run as whole, if it is; otherwise the reasons why it is not.

        `outputs` has the names of the outputs of every step, `""` where it has none; `known` hand-overs that this
        process has just written, which are not read again. Raises `StoreError` when the store cannot be used, or a
        hand-over is damaged.
        """
        if not self.store.trusted:
            return ["jobs that are not trusted cannot complete a run"]
        begun = self.begun()
        if begun is None:
            return ["the run has not begun"]
        wanted = [(step, output) for step, fields in outputs.items() for output in fields]
        unread = [one for one in wanted if one not in known]
        read = side_by_side(lambda one: self.handed_over(*one), unread, self.store.bucket.width)
        found = {**known, **dict(zip(unread, read, strict=True))}
        why = reasons({one: found[one] for one in wanted}, begun.definitions[-1])
        if not why:
            self.store.bucket.put(self._mark(begun), seal({"run": self.name, "start": begun.start}))
        return why

    def is_whole(self, begun: Begun) -> bool:
        """Whether the run is marked as whole. Raises `StoreError`."""
        return self.store.bucket.head(self._mark(begun)) is not None

    def reopen(self, begun: Begun) -> None:
        """Take back that the run is whole, before something in it changes. Raises `StoreError`."""
        self.store.bucket.delete([self._mark(begun)])

    def _mark(self, begun: Begun) -> str:
        return self.store.key(f"whole/{begun.start}~{self.name}")

    @property
    def _key(self) -> str:
        return self.store.key(names.run_key(self.name))

    def _write(
        self, definitions: Collection[str], latest: tuple[str, str | None], start: str, *, create: bool = False
    ) -> bool:
        """Say how the run began; `latest` is the run that was latest then, after when that began."""
        after, run = latest
        fields = {"run": self.name, "definitions": list(definitions), "latest": run, "start": start, "after": after}
        return self.store.bucket.put(self._key, seal(fields), create=create)


def latest(store: Store) -> str | None:
    """The name of the latest whole run of trusted jobs: of those, the one that began last."""
    return _newest(store)[1]


def _newest(store: Store) -> tuple[str, str | None]:
    """When the latest whole run began, and its name."""
    prefix = store.key("whole/", trusted=True)
    found = [item.key.removeprefix(prefix) for item in store.bucket.list(prefix)]
    marks = [name for name in found if _MARK.fullmatch(name)]  # file browsers leave files of their own in folders
    start, _, name = max(marks, default="").partition("~")
    return start, name or None


def _later(start: str, after: object) -> str:
    """When a run began, just after the run that was latest then: that may have begun while the clock was ahead."""
    try:
        least = datetime.strptime(str(after), _TIME).replace(tzinfo=UTC) + timedelta(microseconds=1)
    except (ValueError, OverflowError):
        return start
    return max(start, time_text(least))


def newest_first(written: Iterable[tuple[int, datetime]]) -> list[int]:
    """Numbers of slices, those of the slices that were written last first, given the number and time of each slice."""
    last: dict[int, datetime] = {}
    for of, time in written:
        last[of] = max(time, last.get(of, time))
    return sorted(last, key=lambda of: (last[of], of), reverse=True)


def time_text(time: datetime) -> str:
    """A time as text that sorts as the times do."""
    return time.astimezone(UTC).strftime(_TIME)


def reasons(found: Mapping[tuple[str, str], HandOver | None], definition: str) -> list[str]:
    """Why a run is not whole, if so: all must be handed over under `definition`, the pipeline's digest."""
    now = {f"{step}/{output or '_'}": one.data.digest for (step, output), one in found.items() if one is not None}
    why = []
    for (step, output), one in found.items():
        name = f"{step}.{output}" if output else step
        if one is None:
            why.append(f"{name} has not handed over")
        elif one.definition != definition:
            why.append(f"{name} was handed over by another version of the pipeline")
        else:
            stale = [read for read, digest in one.inputs.items() if now.get(read) != digest]
            why += [f"{name} was made of what {read} no longer is" for read in stale]
    return why


def _check(good: object, reason: str) -> None:
    if not good:
        raise ValueError(reason)


def _damaged(key: str, error: Exception) -> StoreDamaged:
    reason = f"it has no {error}" if isinstance(error, KeyError) else str(error)
    return StoreDamaged(f"is damaged: {reason}", where=key, hint="Run the step that writes it again, or a new run.")
