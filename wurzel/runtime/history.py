"""Past runs of this folder, as they were recorded: which there are, how they ended, and what differs between two."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from wurzel.exceptions import UsageError
from wurzel.named_tuples import NamedTuple
from wurzel.regular_file import read_file
from wurzel.runtime.recording import LOGS, RECORD, RUNS

LATEST = "latest"


class PastRun(NamedTuple):
    """A run that was recorded."""

    folder: Path
    id: str
    pipeline: str
    started: datetime
    ended: str
    """`ok`, `failed`, `interrupted`, `timed out`, `running`, or `killed` for one that could not say how it ended."""
    seconds: float | None
    """How long it took; `None` for one that is running or was killed."""
    counts: Mapping[str, int]
    """Number of steps by what became of them."""
    steps: Mapping[str, Mapping[str, Any]]
    """What became of each step, as `Recording` notes it and with its datasets, report and settings."""
    record: Mapping[str, Any]
    """All that was recorded."""

    def logs(self, step: str) -> list[Path]:
        """The logs of a step in this run, one for each slice; none where it did not run."""
        return [path for path in self.all_logs() if path.name.startswith(f"{step}.")]

    def all_logs(self) -> list[Path]:
        """The logs of all steps that ran or run, in the order of the steps where it is known."""
        order = {step: number for number, step in enumerate(self.record.get("graph", ()))}
        with contextlib.suppress(OSError):
            found = [path for path in (self.folder / LOGS).iterdir() if path.name.endswith("log")]
            return sorted(found, key=lambda path: (order.get(path.name.partition(".")[0], 0), path.name))
        return []


def past_runs(top: Path, pipeline: str | None = None) -> list[PastRun]:
    """All runs below a state folder, the newest first; records that are damaged do not count.

    Raises `UsageError` if a folder may not be read.
    """
    homes = [top / pipeline] if pipeline else folders(top)
    found = [run for home in homes for path in folders(home / RUNS) if (run := _read(path)) is not None]
    return sorted(found, key=lambda run: run.folder.name, reverse=True)


def steps_of(top: Path, pipeline: str, run: str) -> Mapping[str, Mapping[str, Any]]:
    """What became of each step in the run of an id; empty where that was not recorded."""
    return next((past.steps for past in past_runs(top, pipeline) if past.id == run), {})


def find_run(runs: Sequence[PastRun], name: str) -> PastRun:
    """The run that is meant: an id, or the beginning of one, `latest`, or `latest~2` for the second before it.

    Of several with one id, it is the newest. Raises `UsageError` when there is none, or the beginning is that of
    several ids.
    """
    if not runs:
        raise UsageError("no run has been recorded here", hint="Run `wurzel run` first, in this folder.")
    head, tilde, back = name.partition("~")
    if head == LATEST and (not tilde or back.isdecimal()):
        matching = runs[int(back or 0) :]
    else:
        matching = [run for run in runs if run.id == name] or [run for run in runs if run.id.startswith(name)]
    ids = list(dict.fromkeys(run.id for run in matching))
    if head != LATEST and len(ids) > 1:
        raise UsageError(f"{name!r} is ambiguous: {', '.join(ids[:5])}")
    if not matching:
        raise UsageError(f"there is no run {name!r}", hint="`wurzel runs` lists them; `latest` is the last one.")
    return matching[0]


class Change(NamedTuple):
    """What differs for a step between two runs."""

    step: str
    what: str
    """`step`, `dataset` or `setting`."""
    name: str
    """Of the output or setting; '' where there is no name."""
    before: str | None
    after: str | None


def changes(before: PastRun, after: PastRun) -> Iterator[Change]:
    """What differs: steps that one of them lacks, datasets by digest, and settings as they were configured."""
    for step in dict.fromkeys([*before.steps, *after.steps]):
        old, new = before.steps.get(step), after.steps.get(step)
        if old is None or new is None:
            yield Change(step, "step", "", *(about["state"] if about else None for about in (old, new)))
            continue
        for what, key in (("setting", "settings"), ("dataset", "datasets")):
            ours, theirs = old.get(key, {}), new.get(key, {})
            differ = [name for name in dict.fromkeys([*ours, *theirs]) if ours.get(name) != theirs.get(name)]
            yield from (Change(step, what, name, ours.get(name), theirs.get(name)) for name in differ)


def _read(folder: Path) -> PastRun | None:
    from wurzel.runtime.record import check_record

    try:
        record = json.loads(read_file(folder / RECORD))
        check_record(record)
        json.dumps(record, allow_nan=False)  # NaN is not JSON: a page with it shows nothing
        ended = record.get("ended") or ("running" if _is_locked(folder) else "killed")
        started = datetime.fromisoformat(record["started"])
        fields = record["id"], record["pipeline"], started, ended, record.get("seconds")
        return PastRun(folder, *fields, record.get("counts", {}), record.get("steps", {}), record)
    except (OSError, ValueError, RecursionError):
        return None


def _is_locked(folder: Path) -> bool:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def folders(path: Path) -> list[Path]:
    """The folders of a state folder, none where it is missing. Raises `UsageError` where only its owner may read it."""
    try:
        return sorted(entry for entry in path.iterdir() if entry.is_dir() and not entry.name.startswith("."))
    except PermissionError as error:
        hint = "Records of runs can be read by whoever ran them."
        raise UsageError(f"cannot be read: {error.strerror}", where=str(path), hint=hint) from None
    except OSError:
        return []
