"""What a second run costs on each engine, in a new checkout with the store of the first."""

import os
import resource
import time
from pathlib import Path
from typing import NamedTuple

from tests.engines import stores
from tests.engines.cases import Rag
from tests.engines.conformance import ROOT, surroundings
from tests.engines.drivers.stored import StoredJob, StoredWorkflow
from wurzel.engines.airflow import AirflowDags
from wurzel.engines.github import GitHub
from wurzel.engines.gitlab import GitLab
from wurzel.engines.local import Script, WurzelRun
from wurzel.engines.process import ENGINES

CASE = Rag("second", "rag", ("steps.embed.settings.MODEL=words",))


class Pair(NamedTuple):
    """The first and the second run on one engine: wall time and CPU in seconds, and how many steps were computed."""

    title: str
    walls: tuple[float, float]
    cpus: tuple[float, float]
    """Of processes of this machine; pods of a cluster are not among them."""
    computed: tuple[int, int]


def pairs(work):
    """Every engine that is installed, and the cluster where there is one."""
    os.environ[ENGINES] = str(ROOT / ".engines")
    with surroundings("", "", work) as (_, cluster):
        here = [WurzelRun(), Script("dash"), GitHub(), GitLab(), AirflowDags("3")]
        for number, driver in enumerate([*here, StoredWorkflow(cluster, "steps"), StoredJob(cluster, "single")]):
            if driver.missing():
                continue
            store = stores.place(driver, "store", Path(work, f"second-{number}"))
            runs = [_timed(driver, store, store.folder.parent / name) for name in ("first", "second")]
            yield Pair(driver.name, *zip(*runs, strict=True))


def _timed(driver, store, folder):
    started, cpu = time.monotonic(), _cpu()
    outcome, computed = stores.ran(driver, store, folder, CASE)
    if outcome.code != 0:
        raise SystemExit(f"{driver.name}: {outcome.log[-2000:]}")
    return time.monotonic() - started, _cpu() - cpu, len({entry.partition(" ")[0] for entry in computed})


def _cpu():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
