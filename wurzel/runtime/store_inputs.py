"""What the steps of a run read from steps that it does not run: handed over in the same run, or by fingerprint."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from wurzel.exceptions import PreflightError, Problem
from wurzel.invocation.command import dataset
from wurzel.invocation.fingerprint import always_runs
from wurzel.ir.model import Shards
from wurzel.runtime.stored import manifests_in
from wurzel.store.records import Data, Entry

if TYPE_CHECKING:
    from wurzel.ir.model import Pipeline, Step
    from wurzel.runtime.archive import Fingerprint, Key
    from wurzel.runtime.handing import Handing
    from wurzel.runtime.options import RunOptions

_WHOLE = Shards()
"""Of a step that runs in one job."""


class StoreInputs:
    """Finds what some steps of a pipeline read from the others."""

    def __init__(self, handing: Handing | None, pipeline: Pipeline, steps: Sequence[Step], options: RunOptions) -> None:
        """Look for what `steps` read. `handing` has what other jobs of the run give, if this is one of several."""
        self._handing = handing
        self._pipeline = pipeline
        self._options = options
        self._chosen = {step.id: step for step in steps}
        read = {(edge.step, edge.output) for step in steps for edge in step.needs} - {
            (step.id, port.name) for step in steps for port in step.outputs
        }
        self._handed = {key for key in read if handing is not None and options.in_run(key[0])}
        self._others = read - self._handed

    def handed_over(self, gather: Callable[[Step], Entry | None]) -> dict[Key, Data]:
        """What other jobs of the run have handed over, by one request for each dataset.

        `gather` puts the slices of a step together, if all are there. Raises `PreflightError` when a step has not
        handed over, `StoreError` when a hand-over is damaged.
        """
        found: dict[Key, Data] = {}
        if self._handing is None:
            return found
        problems = []
        ids = {step_id for step_id, _ in self._handed}
        for step in (step for step in self._pipeline.steps if step.id in ids):
            given = self._handing.handed_over(step)
            if given is not None:
                found |= {(step.id, name): one.data for name, one in given.items()}
            elif (entry := gather(step) if step.shards != _WHOLE else None) is not None:
                found |= {(step.id, name): data for name, data in entry.datasets.items()}
            else:
                message = f"step {step.id} has handed over nothing in the run {self._handing.run.name}"
                problems.append(Problem(message, self._where(step), "Run its job again, or a new run."))
        if problems:
            raise PreflightError(problems)
        return found

    def by_fingerprint(self, key: Fingerprint, find: Callable[[Step, str], Entry | None]) -> dict[Key, Data]:
        """What steps would give now that are not of the run, as the store has it.

        Raises `PreflightError` when it does not have it.
        """
        data: dict[Key, Data] = {}
        problems = []
        for step in self._before():
            if any((edge.step, edge.output) not in data for edge in step.needs):
                continue  # what it reads is missing already
            given = self._found_before(step, key, find, {key: one.digest for key, one in data.items()})
            if given is None:
                kept = "and it is never cached" if always_runs(step) else "for its present code, settings and inputs"
                message = f"the store has no result of step {step.id} {kept}"
                first = self._reader(step)
                problems.append(Problem(message, self._where(step), f"Run it as well: --only {step.id},{first}"))
            else:
                data |= {(step.id, name): one for name, one in given.items()}
        if problems:
            raise PreflightError(problems)
        return {key: one for key, one in data.items() if key in self._others}

    def _found_before(
        self, step: Step, key: Fingerprint, find: Callable[[Step, str], Entry | None], data: dict[Key, str]
    ) -> dict[str, Data] | None:
        if always_runs(step):  # only the data folder can have it
            folder = self._options.root / dataset(self._pipeline, step.id)
            manifests = manifests_in(folder, [port.name for port in step.outputs])
            return None if manifests is None else {name: Data(one) for name, one in manifests.items()}
        entry = find(step, key(step, data))
        return None if entry is None else dict(entry.datasets)

    def _before(self) -> Iterator[Step]:
        """The steps that are not of the run, and all that they depend on, each after what it reads."""
        ids = {step_id for step_id, _ in self._others}
        for step in reversed(self._pipeline.steps):
            if step.id in ids:
                ids |= set(step.predecessors)
        return (step for step in self._pipeline.steps if step.id in ids)

    def _reader(self, step: Step) -> str:
        return next((one.id for one in self._chosen.values() if step.id in one.predecessors), ",".join(self._chosen))

    def _where(self, step: Step) -> str:
        return f"{self._pipeline.name}: step {self._reader(step)}"
