"""One pipeline in every engine, compared with `wurzel run`, and where its data differs first."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wurzel.datacontract.codec import place, short
from wurzel.datacontract.difference import ABSENT
from wurzel.datacontract.manifest import NAME
from wurzel.engines.airflow import AirflowDags
from wurzel.engines.argo import ClusterWorkflow
from wurzel.engines.cronjob import ClusterCronJob, CronJobPod
from wurzel.engines.driver import Outcome
from wurzel.engines.dvc import Dvc
from wurzel.engines.github import GitHub
from wurzel.engines.gitlab import GitLab
from wurzel.engines.local import Script, WurzelRun
from wurzel.engines.process import EngineFailed, kill_all
from wurzel.named_tuples import NamedTuple
from wurzel.runtime.preview import table_rows

if TYPE_CHECKING:
    from wurzel.engines.cluster import Cluster
    from wurzel.engines.driver import Case, Driver

AT_ONCE = (os.cpu_count() or 1) + 1
"""Engines of this machine that run side by side; most of them run one step at a time, and wait in between."""
TARGETS = ("argo", "cronjob", "airflow", "github", "gitlab", "dvc", "local")
"""Targets that have an engine; those that take longest come first, so that none is alone at the end."""
_LOG = 4000


Data = Mapping[str, bytes]
"""The bytes of every file of every dataset, by its path below the data folder."""


class Difference(NamedTuple):
    """The first place, in the order in which steps run, where a run has other data than the reference."""

    step: str
    file: str = ""
    """Path below the step's dataset; empty if the dataset is missing, or should not be there."""
    item: int | None = None
    """Number of the item in the dataset, from 0, if it is data of items."""
    what: str = ""
    """What differs there, values included."""

    def __str__(self) -> str:
        where = self.step if not self.file else f"{self.step}/{self.file}"
        return f"{where}: {self.what}"


@dataclass(frozen=True)
class Row:
    """What came of one engine."""

    engine: str
    target: str
    how: str = ""
    version: str = ""
    verdict: str = "same"
    """`reference`, `same`, `different`, `failed`, or `not run`."""
    digest: str = ""
    seconds: float = 0.0
    why: str = ""
    """Why it was not run, or failed."""
    note: str = ""
    """What was rendered or done otherwise than the project says."""
    difference: Difference | None = None
    log: str = ""

    @property
    def is_right(self) -> bool:
        """Whether the proof may pass: the engine gave the same data, or was not run."""
        return self.verdict in {"reference", "same", "not run"}


def drivers_of(target: str, version: str, cluster: Cluster, called: str = "") -> Sequence[Driver]:
    """The engines that run files of a target; none where there is no driver for one.

    `version` is that of Airflow; each engine runs as long as the cluster may, at most; `called` is the name of a named
    target.
    """
    seconds = cluster.seconds
    makers: dict[str, Callable[[], list[Driver]]] = {
        "local": lambda: [Script("sh")],
        "dvc": lambda: [Dvc()],
        "github": lambda: [GitHub(seconds)],
        "gitlab": lambda: [GitLab(seconds)],
        "airflow": lambda: [AirflowDags(version, seconds)],
        "argo": lambda: [ClusterWorkflow(cluster)],
        "cronjob": lambda: [CronJobPod(seconds), ClusterCronJob(cluster)],
    }
    drivers = makers.get(target, list)()
    for driver in drivers if called else ():
        driver.called, driver.name = called, f"{driver.name} ({called})"
    return drivers


def proven(case: Case, steps: Sequence[str], drivers: Sequence[Driver], folder: Path) -> Iterator[Row]:
    """The row of `wurzel run`, and then that of each engine as it ends; `folder` is for scratch."""
    reference = WurzelRun()
    expected = _run(reference, case, folder / "reference")
    first = row(reference, expected, expected, steps)
    yield replace(first, verdict="reference") if first.is_right else first
    if expected.code != 0:
        return
    with _pool(AT_ONCE + sum(driver.waits for driver in drivers)) as pool:
        jobs = {}
        for number, driver in enumerate(sorted(drivers, key=lambda driver: TARGETS.index(driver.target))):
            if missing := case.lacks(driver.target) or driver.missing():
                yield Row(driver.name, driver.target, driver.how, verdict="not run", why=missing)
                continue
            jobs[pool.submit(_run, driver, case, folder / str(number))] = driver
        for job in as_completed(jobs):
            yield row(jobs[job], job.result(), expected, steps, case.last)


@contextmanager
def _pool(size: int) -> Iterator[ThreadPoolExecutor]:
    """Threads that wait for engines; whatever ends this one early ends the engines as well."""
    with ThreadPoolExecutor(size) as pool:
        try:
            yield pool
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            kill_all()
            raise


def _run(driver: Driver, case: Case, folder: Path) -> Outcome:
    started = time.monotonic()
    try:
        outcome = driver.run_all([case], folder)[case.label]
    except EngineFailed as error:  # such as a target that cannot be rendered without the store
        outcome = Outcome("ERROR", {}, str(error))
    return replace(outcome, seconds=time.monotonic() - started)


def row(driver: Driver, outcome: Outcome, expected: Outcome, steps: Sequence[str], last: Sequence[str] = ()) -> Row:
    """What came of an engine, compared with the reference."""
    found = Row(
        driver.name, driver.target, driver.how, driver.version(), digest=outcome.digest, seconds=outcome.seconds,
        note=outcome.note,
    )  # fmt: skip
    wanted = expected.data
    within = [step for step in steps if step in expected.steps - outcome.steps]
    if outcome.partial and within and outcome.steps.issuperset(last):
        wanted = {path: data for path, data in wanted.items() if path.partition("/")[0] in outcome.steps}
        note = f"not compared, since it stays within a job: the data of {', '.join(within)}"
        found = replace(found, note="; ".join(filter(None, (found.note, note))))
    difference = first_difference(steps, wanted, outcome.data)
    if outcome.code != 0:
        why = f"exit code {outcome.code}" if isinstance(outcome.code, int) else str(outcome.code).lower()
        return replace(found, verdict="failed", why=why, difference=difference, log=outcome.log[-_LOG:])
    if difference is not None:
        return replace(found, verdict="different", difference=difference, log=outcome.log[-_LOG:])
    if not outcome.data:
        return replace(found, verdict="failed", why="there are no datasets", log=outcome.log[-_LOG:])
    return found


def first_difference(steps: Sequence[str], expected: Data, found: Data) -> Difference | None:
    """The first difference; `steps` come in the order in which they run."""
    others = sorted({path.partition("/")[0] for path in (*expected, *found)} - {*steps})
    for step in (*steps, *others):
        mine, theirs = _of(step, expected), _of(step, found)
        if mine != theirs:
            return _in_step(step, mine, theirs)
    return None


def _of(step: str, data: Data) -> dict[str, bytes]:
    start = f"{step}/"
    return {path[len(start) :]: content for path, content in sorted(data.items()) if path.startswith(start)}


def _in_step(step: str, expected: Data, found: Data) -> Difference:
    if not found:
        return Difference(step, what="it has no dataset")
    if not expected:
        return Difference(step, what="it has a dataset, and should have none")
    for folder in sorted({path.removesuffix(NAME) for path in (*expected, *found) if path.endswith(NAME)}):
        if (difference := _in_items(step, folder, expected, found)) is not None:
            return difference
    # Manifests come last: they differ wherever anything else does.
    path = min(
        (path for path in {*expected, *found} if expected.get(path) != found.get(path)),
        key=lambda path: (path.endswith(NAME), path),
    )
    return Difference(step, path, what=_of_file(path, expected.get(path), found.get(path)))


def _in_items(step: str, folder: str, expected: Data, found: Data) -> Difference | None:
    """The first item that differs among those of one output; nothing if it has no items, or the same ones."""
    mine, theirs = list(_items(folder, expected)), list(_items(folder, found))
    for number in range(max(len(mine), len(theirs))):
        file, value = mine[number] if number < len(mine) else (theirs[number][0], ABSENT)
        other = theirs[number][1] if number < len(theirs) else ABSENT
        if value is ABSENT or other is ABSENT:
            count = f"it has {len(theirs)} items, not {len(mine)}; the first without a counterpart is item {number}"
            return Difference(step, file, number, f"{count}, {short(other if value is ABSENT else value)}")
        if repr(value) != repr(other):  # unlike `==`, it tells 1 from True and 1.0, and takes NaN for NaN
            return Difference(step, file, number, _of_json(f"item {number}", value, other))
    for number, ((file, _), (other, _)) in enumerate(zip(mine, theirs, strict=True)):
        if file != other:
            return Difference(step, other, number, f"item {number} is in this part, not in {file.removeprefix(folder)}")
    return None


def _items(folder: str, data: Data) -> Iterator[tuple[str, Any]]:
    """The items or rows of an output and the file of each, in order; none if its files are neither JSON nor Parquet."""
    for path, content in data.items():
        inner = path.removeprefix(folder)
        if path.startswith(folder) and "/" not in inner and inner.startswith("part-"):
            yield from ((path, item) for item in _read(inner.rpartition(".")[2], content))


def _read(suffix: str, content: bytes) -> list[Any]:
    """The items or rows of a part; none of what cannot be read, whose bytes are compared."""
    try:
        if suffix == "parquet":
            return list(table_rows(content))
        value = json.loads(content) if suffix == "json" else []
    except (ValueError, OSError, ImportError):
        return []
    return value if isinstance(value, list) else [value]


def _of_file(path: str, expected: bytes | None, found: bytes | None) -> str:
    if found is None:
        return "the file is missing"
    if expected is None:
        return "the file should not be there"
    if path.endswith(NAME) and _loaded(expected) != _loaded(found):
        return _of_json("", _loaded(expected), _loaded(found))
    return _of_bytes(expected, found)


def _loaded(content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        return None


def _of_json(item: str, expected: Any, found: Any, path: tuple[str | int, ...] = ()) -> str:
    """The innermost value that differs."""
    names: Iterable[str | int] = ()
    if isinstance(expected, dict) and isinstance(found, dict):
        names = {**expected, **found}
    elif isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        names = range(len(expected))
    for name in names:
        mine, theirs = _inner(expected, name), _inner(found, name)
        if repr(mine) != repr(theirs):
            return _of_json(item, mine, theirs, (*path, name))
    return f"{place(item, path)} is {short(found)}, not {short(expected)}".lstrip()


def _inner(value: Any, name: str | int) -> Any:
    return value.get(name, ABSENT) if isinstance(value, dict) else value[name]


def _of_bytes(expected: bytes, found: bytes) -> str:
    same = next((at for at, (one, other) in enumerate(zip(expected, found, strict=False)) if one != other), None)
    at = min(len(expected), len(found)) if same is None else same
    size = f"{len(found)} bytes" + (f", not {len(expected)}" if len(found) != len(expected) else "")
    return f"{size}; the first that differs is byte {at}"
