"""Slices that jobs of one run have handed over, put together by whoever comes to need the whole."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wurzel.datacontract.dataset import shard_folder
from wurzel.datacontract.folders import remove
from wurzel.datacontract.gathering import gathered
from wurzel.datacontract.writer import check_ours
from wurzel.runtime import slices
from wurzel.runtime.report import read_recorded, report_data, write_recorded
from wurzel.store.names import slice_name
from wurzel.store.records import Entry
from wurzel.store.runs import newest_first

if TYPE_CHECKING:
    from wurzel.ir.model import Step
    from wurzel.runtime.handing import Handing
    from wurzel.store.records import HandOver
    from wurzel.store.store import Store

_PART = re.compile(r"[1-9][0-9]*-of-([1-9][0-9]*)")

Given = Mapping[str, "HandOver"]
"""What a slice has handed over, by output."""


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
