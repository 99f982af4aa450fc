"""One pipeline in every engine, compared with `wurzel run`."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from wurzel.engines.airflow import AirflowDags
from wurzel.engines.argo import ClusterWorkflow
from wurzel.engines.compare import Difference, first_difference
from wurzel.engines.cronjob import ClusterCronJob, CronJobPod
from wurzel.engines.driver import Outcome
from wurzel.engines.dvc import Dvc
from wurzel.engines.github import GitHub
from wurzel.engines.gitlab import GitLab
from wurzel.engines.local import Script, WurzelRun
from wurzel.engines.process import EngineFailed, kill_all

if TYPE_CHECKING:
    from wurzel.engines.cluster import Cluster
    from wurzel.engines.driver import Case, Driver

AT_ONCE = (os.cpu_count() or 1) + 1
"""Engines of this machine that run side by side; most of them run one step at a time, and wait in between."""
TARGETS = ("argo", "cronjob", "airflow", "github", "gitlab", "dvc", "local")
"""Targets that have an engine; those that take longest come first, so that none is alone at the end."""
_LOG = 4000


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
