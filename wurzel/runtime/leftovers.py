"""What runs of a pipeline have left in its folders, and its removal."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

from wurzel.datacontract.folders import remove
from wurzel.datacontract.writer import check_ours
from wurzel.exceptions import UsageError, WriteError
from wurzel.invocation.command import dataset
from wurzel.named_tuples import NamedTuple
from wurzel.runtime.history import past_runs
from wurzel.runtime.recording import LOGS, RUNS, size_of
from wurzel.runtime.state import REPLACED, locked

if TYPE_CHECKING:
    from wurzel.ir.model import Pipeline


_OURS = frozenset(
    {"cache", "digests.json", "last", LOGS, "objects", "reports", "retired", RUNS, REPLACED, ".digests.json.tmp"}
)


class Left(NamedTuple):
    """A folder that runs have left."""

    path: Path
    size: int
    """Bytes of all files in it."""


def leftovers(pipeline: Pipeline, root: Path, state_dir: str, *, data: bool) -> list[Left]:
    """The state of a pipeline: earlier results, logs, records of runs; with `data` also the datasets of its steps.

    Raises `DatasetError` when something else than a dataset is where a step would write one, `UsageError` when the
    folder of the state contains what no run writes.
    """
    state = root / state_dir / pipeline.name
    _check_state(state)
    found = [state]
    if data:
        datasets = [root / dataset(pipeline, step.id) for step in pipeline.steps]
        for folder in datasets:
            check_ours(folder)
        found += datasets
    return [Left(path, size_of(str(path))) for path in found if path.is_dir() and not path.is_symlink()]


def clear(pipeline: Pipeline, root: Path, state_dir: str, found: list[Left]) -> None:
    """Remove folders that `leftovers` found. Raises `WriteError`, also when a run is going on."""
    if not found:
        return
    data = root / pipeline.data_dir
    with locked(data), locked(data, [step.id for step in pipeline.steps]):  # of whole runs, and of those with --only
        _check_runs(root / state_dir, pipeline.name)
        for left in found:
            try:
                remove(left.path)
            except OSError as error:
                raise WriteError(f"cannot be removed: {error.strerror}", where=str(left.path)) from error
    with contextlib.suppress(OSError):
        data.rmdir()  # where nothing is left in it


def _check_runs(top: Path, pipeline: str) -> None:
    """A run with --data-dir locks another data folder, but has its state here."""
    for run in past_runs(top, pipeline):
        if run.ended == "running":
            raise WriteError(f"run {run.id} is going on", where=str(top / pipeline), hint="Wait until it has ended.")


def _check_state(folder: Path) -> None:
    try:
        found = [path.name for path in folder.iterdir()]
    except (FileNotFoundError, NotADirectoryError):
        return
    except PermissionError as error:
        raise UsageError(f"cannot be read: {error.strerror}", where=str(folder)) from None
    for name in found:
        if name not in _OURS:
            hint = "Name the folder that `wurzel run --state-dir` was given."
            raise UsageError(f"contains {name!r}, which no run writes", where=str(folder), hint=hint)
