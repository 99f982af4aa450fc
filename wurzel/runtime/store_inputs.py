"""What a run reads of steps that it does not run: handed over in the same run, in slices too, or by fingerprint."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wurzel.datacontract.dataset import shard_folder
from wurzel.datacontract.folders import remove
from wurzel.datacontract.gathering import gathered
from wurzel.datacontract.writer import check_ours
from wurzel.exceptions import PreflightError, Problem
from wurzel.invocation.command import dataset
from wurzel.invocation.fingerprint import always_runs
from wurzel.ir.model import Shards
from wurzel.runtime import slices
from wurzel.runtime.report import read_recorded, report_data, write_recorded
from wurzel.runtime.stored import manifests_in
from wurzel.store.names import slice_name
from wurzel.store.records import Data, Entry
from wurzel.store.runs import newest_first

if TYPE_CHECKING:
    from wurzel.ir.model import Pipeline, Step
    from wurzel.runtime.archive import Fingerprint, Key
    from wurzel.runtime.handing import Handing
    from wurzel.runtime.options import RunOptions
    from wurzel.store.records import HandOver
    from wurzel.store.store import Store

_PART = re.compile(r"[1-9][0-9]*-of-([1-9][0-9]*)")

Given = Mapping[str, "HandOver"]
"""What a slice has handed over, by output."""
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


def all_slices(handing: Handing, step: Step, of: int | None) -> list[Given] | None:
    """What all slices of a step have handed over, in their order; `None` while one is missing, or of other inputs.

    A retry with other data may have left slices of another number: `of` is the number that a slice which was just
    handed over belongs to. A reader, which does not know it, takes those that were written last. One request tells
    which there are; they are read only when none is missing. Raises `StoreError` when a hand-over is damaged, or the
    store cannot be read.
    """
    there = handing.run.slices(step.id, step.outputs[0].name)
    sets = [(int(match[1]), written) for part, written in there.items() if (match := _PART.fullmatch(part))]
    for number_of in newest_first(one for one in sets if of in {None, one[0]}):
        parts = [slice_name(number, number_of) for number in range(1, number_of + 1)]
        if not there.keys() >= set(parts):
            continue
        given: list[Given] = [one for part in parts if (one := handing.handed_over(step, part)) is not None]
        if len(given) == number_of and _agree(given):
            return given
    return None


def gather(store: Store, step: Step, given: Sequence[Given], folder: Path, stage: Path) -> Entry:
    """The result that slices make together; its data is moved only where its files are not those of the slices.

    The dataset is written to `folder`, of the step, if it has to be written. Slices go to `stage` until then; it is
    removed. Raises `StoreError` when a file is damaged or missing, or the store cannot be used; `DatasetError` when
    they cannot be put together.
    """
    names = [port.name for port in step.outputs]
    first = given[0][names[0]]
    parts = {name: [one[name].data for one in given] for name in names}
    whole = {name: gathered([data.manifest for data in parts[name]], f"step {step.id}") for name in names}
    known = {name: manifest for name, manifest in whole.items() if manifest is not None}
    if len(known) < len(names):
        check_ours(folder)
        report = _written(store, given, folder, stage)
        return Entry(first.fingerprint, step.id, {name: store.put_dataset(folder / name) for name in names}, report)
    datasets = {
        name: store.put_manifest(manifest, trusted=all(data.trusted for data in parts[name]))
        for name, manifest in known.items()
    }
    cut = first.data.manifest.slice
    reports = [one[names[0]].report for one in given]
    merged = slices.merged(reports, cut.by if cut is not None else "", known)
    return Entry(first.fingerprint, step.id, datasets, report_data(merged))


def _written(store: Store, given: Sequence[Given], folder: Path, stage: Path) -> dict[str, Any]:
    """Write slices as one dataset into the folder of their step; gives the report of the whole."""
    report = stage / slices.REPORT
    try:
        remove(stage)
        for number, one in enumerate(given, 1):
            target = shard_folder(stage, number, len(given))
            for name, hand_over in one.items():
                store.fetch(hand_over.data, target / name)
            write_recorded(target / slices.REPORT, next(iter(one.values())).report)
        slices.join(stage, folder, report)
        return read_recorded(report)
    finally:
        remove(stage)


def _agree(given: Iterable[Given]) -> bool:
    """Whether all slices are of one fingerprint and of the same inputs."""
    return len({(one.fingerprint, *sorted(one.inputs.items())) for part in given for one in part.values()}) == 1
