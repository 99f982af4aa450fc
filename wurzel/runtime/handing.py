"""What one run hands over in a store: begun by its first job, read by the jobs that come after, whole in the end."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING

from wurzel.exceptions import StoreError
from wurzel.store.names import ALL
from wurzel.store.records import Data, Entry, HandOver
from wurzel.store.runs import Begun, Run
from wurzel.store.threads import side_by_side

if TYPE_CHECKING:
    from wurzel.ir.model import Pipeline, Step
    from wurzel.runtime.archive import Key
    from wurzel.store.store import Store


class Handing:
    """The hand-overs of one run; all methods may be called from several threads."""

    def __init__(self, store: Store, name: str, pipeline: Pipeline) -> None:
        """Begin the run, in a thread, since nothing has to wait for it but hand-overs."""
        self.run = Run(store, name)
        self._width = store.bucket.width
        self._pipeline = pipeline
        self._definition = definition(pipeline)
        self._given: dict[Key, HandOver] = {}
        self._begun: Begun | Exception | None = None
        self._ready = threading.Event()
        threading.Thread(target=self._begin, daemon=True).start()

    def begun(self) -> Begun:
        """How the run began. Raises `StoreError` when it could not begin."""
        self._ready.wait()
        if not isinstance(self._begun, Begun):
            raise self._begun or StoreError("the run could not begin")
        return self._begun

    def hand_over(
        self,
        step: Step,
        entry: Entry,
        read: Mapping[str, str],
        *,
        part: str = ALL,
        key: str = "",
        superseded: bool = False,
    ) -> None:
        """Hand over a result of a step, or of a slice of it.

        Args:
            step: of the pipeline.
            entry: its result.
            read: digests of what it has read, by `step/output`.
            part: the slice, unless it is the whole.
            key: fingerprint of the whole step, if its results may be kept.
            superseded: whether another run's result is handed over in place of its own.

        Raises:
            StoreError: when it cannot be written.
        """
        self.begun()
        given = [
            HandOver(
                self.run.name,
                step.id,
                output,
                data,
                self._definition,
                part,
                read,
                superseded,
                key,
                {name: value for name, value in entry.report.items() if name != "cached"},
            )
            for output, data in entry.datasets.items()
        ]
        side_by_side(self.run.hand_over, given, self._width)
        if part == ALL:
            self._given.update({(step.id, one.output): one for one in given})

    def reopen(self, step: Step, entry: Entry) -> bool:
        """Take back that the run is whole where a step that was tried again gave other data; whether that was so.

        Raises `StoreError`.
        """
        begun = self.begun()
        if not self.run.is_whole(begun):
            return False
        before = self.handed_over(step)
        if before is not None and {name: one.data.digest for name, one in before.items()} == entry.digests:
            return False
        self.run.reopen(begun)
        return True

    def handed_over(self, step: Step, part: str = ALL) -> dict[str, HandOver] | None:
        """What a step, or a slice of it, has handed over, by output; `None` unless it is all there.

        Raises `StoreError` when a hand-over is damaged, or the store cannot be read.
        """
        names = [port.name for port in step.outputs]
        found = side_by_side(lambda name: self.run.handed_over(step.id, name, part), names, self._width)
        there = {name: one for name, one in zip(names, found, strict=True) if one is not None}
        return there if len(there) == len(names) else None

    def last_output(self, step: Step) -> dict[str, Data] | None:
        """What a self-consuming step reads: its output in the latest whole run before this. Raises `StoreError`."""
        latest = self.begun().latest
        if latest is None:
            return None
        earlier = Run(self.run.store, latest)
        found = {port.name: earlier.handed_over(step.id, port.name, trusted=True) for port in step.outputs}
        if all(one is None for one in found.values()):
            if earlier.begun() is None:
                raise StoreError(f"the run {latest} has been removed", where=step.id, hint="Start a new run.")
            return None  # the pipeline did not have this step then
        missing = [name or step.id for name, one in found.items() if one is None]
        if missing:
            raise StoreError(f"the run {latest} has no {', '.join(missing)}", where=step.id, hint="Start a new run.")
        return {name: one.data for name, one in found.items() if one is not None}

    def finish(self) -> list[str]:
        """Mark the run as whole, or give the reasons why it is not. Raises `StoreError`."""
        wanted = {step.id: [port.name for port in step.outputs] for step in self._pipeline.steps}
        known = (
            self._given
            if self._given.keys() == {(one, name) for one, names in wanted.items() for name in names}
            else {}
        )
        return self.run.finish(wanted, known)

    def _begin(self) -> None:
        try:
            self._begun = self.run.begin(self._definition)
        except Exception as error:  # noqa: BLE001 - raised where someone waits for it
            self._begun = error
        self._ready.set()


def definition(pipeline: Pipeline) -> str:
    """A digest of the pipeline and its parameters; where its data is does not count."""
    from hashlib import sha256

    from wurzel.ir.serialize import dump

    plain = pipeline.model_copy(update={"store": None, "data_dir": type(pipeline).model_fields["data_dir"].default})
    return sha256(dump(plain).encode(errors="surrogatepass")).hexdigest()
