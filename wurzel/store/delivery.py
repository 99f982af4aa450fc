"""Writes what a step handed over into a folder, as the step itself would have written it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from wurzel.datacontract.folders import remove, replacing
from wurzel.datacontract.gathering import gather_outputs
from wurzel.datacontract.manifest import NAME
from wurzel.datacontract.opening import output_names, shard_folder, shard_of
from wurzel.datacontract.partfiles import explained
from wurzel.datacontract.writer import check_ours
from wurzel.exceptions import NotOurs, StoreError
from wurzel.store import names
from wurzel.store.listing import Place, places, unknown
from wurzel.store.local import LocalBucket
from wurzel.store.runs import newest_first

if TYPE_CHECKING:
    from datetime import datetime

    from wurzel.store.records import Data
    from wurzel.store.runs import Run
    from wurzel.store.store import Store

_STAGE = ".stage"


def deliver(store: Store, run: Run, step: str, output: str | None, folder: Path) -> dict[str, Data]:
    """Write what a step handed over in a run into a folder, whose previous dataset is replaced, or none of it.

    `folder` becomes the dataset, or the folder of the step with its named outputs. Without `output`, all are written,
    each in a folder of its name where they have names. Gives what was written, by output; slices by `output/2-of-3`.
    Raises `UsageError` when there is no such step or output; the message names those that there are; `StoreError` when
    something is missing or damaged; `NotOurs` when the folder is not a dataset, so that it is not replaced;
    `DatasetError` when it cannot be written.
    """
    found = places(store, run.name).get(run.name, {})
    chosen = _chosen(run, found, step, output)
    wanted = {place: data for parts in chosen.values() for place, data in _read(run, parts).items()}
    _check(store, folder)
    with explained(folder):
        _replace(store, wanted, folder, by_name=output is None)
    return {_label(place): data for place, data in wanted.items()}


def _chosen(run: Run, found: Mapping[Place, datetime], step: str, output: str | None) -> dict[str, list[Place]]:
    """By the name of the output, the hand-over of the whole, or those of all slices."""
    steps = sorted({place.step for place in found})
    if step not in steps:
        raise unknown("step", step, steps, f"the run {run.name}")
    of_step = [place for place in found if place.step == step]
    known = sorted({place.output for place in of_step})
    if output is not None and output not in known:
        named = [name for name in known if name]
        raise unknown("output", output, named, f"the step {step}")
    return {
        name: _whole(run, step, {place: found[place] for place in of_step if place.output == name})
        for name in ([output] if output is not None else known)
    }


def _whole(run: Run, step: str, parts: Mapping[Place, datetime]) -> list[Place]:
    """The whole, or all slices; of those that tries with other data have handed over, the ones written last."""
    for place in parts:
        if place.part == names.ALL:
            return [place]
    slices = {cut: place for place in parts if (cut := shard_of(f"shard-{place.part}")) is not None}
    missing: dict[int, list[int]] = {}
    for of in newest_first((of, parts[place]) for (_, of), place in slices.items()):
        missing[of] = [number for number in range(1, of + 1) if (number, of) not in slices]
        if not missing[of]:
            return [slices[number, of] for number in range(1, of + 1)]
    of = min(missing, key=lambda of: len(missing[of]), default=0)
    shown = ", ".join(map(str, missing.get(of, [])[:5]))
    message = f"{step} is incomplete in the run {run.name}: of {of} slices, these are missing: {shown}"
    raise StoreError(message, hint="Wait for the run to go on, or name another one.")


def _read(run: Run, parts: Sequence[Place]) -> dict[Place, Data]:
    """What was handed over: a whole, or slices that belong together."""
    found = {place: run.handed_over(*place) for place in parts}
    given = {place: one for place, one in found.items() if one is not None}
    gone = next((place for place in parts if place not in given), None)
    if gone is not None:
        raise StoreError(f"{gone.name} has been removed from the run {run.name} meanwhile", hint="Try again.")
    if len({(one.fingerprint, *sorted(one.inputs.items())) for one in given.values()}) > 1:
        message = f"{parts[0].name} has slices of different inputs or settings in the run {run.name}"
        raise StoreError(message, hint="Wait for the run to go on, or name another one.")
    return {place: one.data for place, one in given.items()}


def _check(store: Store, folder: Path) -> None:
    """Replace nothing but a dataset, nor a folder of hidden files alone, and write nothing into the store itself."""
    bucket = store.bucket
    if isinstance(bucket, LocalBucket) and folder.resolve().is_relative_to(bucket.root.resolve()):
        raise NotOurs("is inside the store", where=str(folder), hint="Give another folder with -o.")
    check_ours(folder)
    there = sorted(path.name for path in folder.iterdir()) if folder.exists() else []
    if there and NAME not in there and not output_names(folder) and not any(map(shard_of, there)):
        message = f"contains {there[0]!r}, and is not a dataset, so it is not replaced"
        raise NotOurs(message, where=str(folder), hint="Give another folder with -o.")


def _replace(store: Store, wanted: Mapping[Place, Data], folder: Path, *, by_name: bool) -> None:
    whole = [place for place in wanted if place.part == names.ALL and not (by_name and place.output)]
    if whole:
        store.fetch(wanted[whole[0]], folder)
        return
    with replacing(folder) as new:
        stage = new / _STAGE  # the new folder itself is locked
        for output in dict.fromkeys(place.output for place in wanted):
            made = stage / (output or "_")
            _make(store, {place: data for place, data in wanted.items() if place.output == output}, made)
            for path in [made] if by_name and output else list(made.iterdir()):
                path.rename(new / path.name)
        remove(stage)


def _make(store: Store, parts: Mapping[Place, Data], made: Path) -> None:
    for place, data in parts.items():
        if place.part == names.ALL:
            store.fetch(data, made)
            return
        number, of = place.part.split("-of-")
        store.fetch(data, shard_folder(made, int(number), int(of)))
    gather_outputs(made)


def _label(place: Place) -> str:
    return place.output if place.part == names.ALL else f"{place.output}/{place.part}"
