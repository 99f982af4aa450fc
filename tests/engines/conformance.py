"""Runs every example pipeline in every engine, compares the datasets, and writes docs/conformance.md.

    make conformance                                    # all engines of this machine, and what `make cluster` made
    make conformance KUBECONFIG=~/.kube/config IMAGE=registry.example/wurzel-conformance:1 CLUSTER=kind

See `drivers/cluster.py` for what a cluster needs; `--context DIR` writes a folder to build the image of.
"""

import argparse
import os
import shutil
import sys
import tempfile
import time
import traceback
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from tests.engines import containers, layouts, stores  # noqa: E402 - this folder is no package that is installed
from tests.engines.cases import Case, Rag  # noqa: E402
from tests.engines.cluster import host  # noqa: E402
from tests.engines.cluster.node import KUBECONFIG  # noqa: E402
from tests.engines.drivers.argo import ArgoSimulation  # noqa: E402
from tests.engines.drivers.cluster import Cluster, ClusterCronJob, ClusterWorkflow  # noqa: E402
from tests.engines.drivers.cronjob import CronJobPod  # noqa: E402
from tests.engines.drivers.layouts import LaidOut  # noqa: E402
from tests.engines.drivers.slurm import Slurm  # noqa: E402
from tests.engines.drivers.stored import SimulatedJob, SimulatedWorkflow, StoredJob, StoredWorkflow  # noqa: E402
from tests.engines.report import PAGE, Result, kept, page, write  # noqa: E402
from wurzel.engines.airflow import AirflowDags  # noqa: E402
from wurzel.engines.driver import Outcome  # noqa: E402
from wurzel.engines.dvc import Dvc  # noqa: E402
from wurzel.engines.github import GitHub  # noqa: E402
from wurzel.engines.gitlab import GitLab  # noqa: E402
from wurzel.engines.local import Script, WurzelRun  # noqa: E402
from wurzel.engines.process import ENGINES  # noqa: E402

WORDS = "steps.words.settings.WORDS=[{}]"
LANGUAGE = (
    Case("join", "join"),
    Case("outputs", "outputs"),
    Case("files", "files"),
    Case("stream", "stream"),
    Case("if", "branch"),
    Case("else", "branch", (WORDS.format('"a", "b"'),)),
    Case("fan-out-0", "fanout", (WORDS.format(""),)),
    Case("fan-out-1", "fanout", (WORDS.format('"a"'),)),
    Case("fan-out-3", "fanout"),
    Case("program", "program"),
)
CASES = (
    Case("chain", "chain"),
    Case("diamond", "diamond"),
    Case("fan-in", "fanin"),
    Case("shards-1", "sharded", ("steps.loud.shards=1",)),
    Case("shards-3", "sharded", same_as="shards-1"),
    Case("shards-7", "sharded", ("steps.loud.shards=7",), same_as="shards-1"),
    Case("named", "named"),
    Case("hostile", "hostile"),
    Case("flaky", "flaky"),
    Case("failing", "failing", fails=("failing", "reverse")),
    *LANGUAGE,
    Rag("rag", "rag", ("steps.embed.settings.MODEL=words",)),  # containers have no wheels of a language model
)
DOCKERFILE = """FROM python:3.12-slim
COPY wurzel /src
RUN pip install --no-cache-dir /src
COPY examples /app
WORKDIR /app
"""


def laid_out():
    """Engines that run files of each layout, with whatever keeps the data of a job of several steps."""
    return GitHub(), GitLab(), AirflowDags("3"), ArgoSimulation("volume")


def drivers(docker, cluster):
    """All engines; the first is the one that the others are compared with."""
    return [
        WurzelRun(),
        Script("dash"),
        Script("bash", "--posix"),
        Dvc(),
        GitHub(),
        GitLab(),
        AirflowDags("3"),
        AirflowDags("2.11"),
        Slurm(),
        ArgoSimulation("s3"),
        ArgoSimulation("tar"),
        ArgoSimulation("default repository"),
        ArgoSimulation("s3", docker),
        CronJobPod("single", docker),
        CronJobPod("steps", docker),
        *(LaidOut(driver, layout) for driver in laid_out() for layout in ("auto", "single")),
        ClusterCronJob(cluster, "single"),
        ClusterCronJob(cluster, "steps"),
        *(ClusterWorkflow(cluster, "claim", layout) for layout in ("steps", "single", "auto")),
        ClusterWorkflow(cluster, "s3"),
    ]


def on_one_store(cluster):
    """The engines that use a store."""
    shells = [Script("dash"), Script("bash", "--posix")]
    here = [WurzelRun(), *shells, GitHub(), GitLab(), AirflowDags("3"), AirflowDags("2.11")]
    pods = [kind(cluster, layout) for kind in (StoredWorkflow, StoredJob) for layout in ("steps", "single")]
    return [*here, SimulatedWorkflow("steps"), SimulatedJob("single"), *pods]


def parts_of(wanted, section):
    """Parts of the names of engines for a section: `DVC` of `store, DVC`, and '' if all are wanted."""
    return [part.removeprefix(section).strip(", ") for part in wanted or [section] if part.startswith(section)]


def with_a_store(wanted, cluster, folder, page_now):
    """The cells of each engine with a store, by name: those that were run now, and those of the last page."""
    drivers = on_one_store(cluster)
    parts = parts_of(wanted, "store")
    now = stores.told([driver for driver in drivers if any(part in driver.name for part in parts)], folder)
    known = stores.kept_rows(page_now) | now
    return now, {driver.name: known[driver.name] for driver in drivers if driver.name in known}


def verdict(case, outcome, reference):
    """`same` and the like in the words of the page, or in capitals what is wrong.

    Args:
        case: what was run.
        outcome: what came of it.
        reference: the outcome of the case whose datasets it must have, in the first engine.
    """
    if case.fails:
        return _of_failure(case, outcome, reference)
    if outcome.code != 0:
        return f"FAILED: {outcome.code}"
    if outcome.data != reference.data or not outcome.data:
        return "DIFFERENT"
    return "same, retried" if case.example == "flaky" else "same"


def _of_failure(case, outcome, reference):
    if outcome.code == 0:
        return "WRONG: the run did not fail"
    if wrong := sorted(outcome.steps & set(case.fails)):
        return f"WRONG: a dataset of {', '.join(wrong)}"
    if outcome.data == reference.data:
        return "failed, as it must"
    if outcome.data and outcome.stops_early and outcome.data.items() < reference.data.items():
        return "failed, as it must; stopped there"
    return "DIFFERENT"


def is_right(said):
    """Whether a verdict is a good one."""
    return said.startswith(("same", "failed, as it must", "not run"))


def run(driver, folder, cases):
    """Outcome of each case by label; what an engine cannot even begin is an outcome too."""
    try:
        return driver.run_all(cases, folder)
    except Exception:  # noqa: BLE001 - one broken engine must not hide the others
        return {case.label: Outcome("ERROR", {}, traceback.format_exc()) for case in cases}


def results(chosen, folder, cases=CASES):
    """Every engine's result, as it comes; the first one runs whatever others are compared with."""
    compared = [case for case in CASES if case in cases or case.label in {other.same_as for other in cases}]
    reference = {}
    for number, driver in enumerate(chosen):
        if missing := driver.missing():
            print(f"{driver.name}: not run: {missing}", flush=True)
            yield Result(driver, missing=missing)
            continue
        started = time.monotonic()
        mine = cases if number else compared
        outcomes = run(driver, folder / str(number), mine)
        reference = reference or outcomes
        verdicts = {
            case.label: verdict(case, outcomes[case.label], reference[case.same_as or case.label]) for case in mine
        }
        for label, said in verdicts.items():
            print(f"{driver.name}, {label}: {said} ({outcomes[label].seconds:.1f} s)", flush=True)
            if not is_right(said):
                print(outcomes[label].log[-4000:], file=sys.stderr)
        print(f"{driver.name}: {time.monotonic() - started:.0f} s", flush=True)
        yield Result(driver, outcomes, verdicts)


@contextmanager
def surroundings(image, kind, folder):
    """A docker that is started when it is first asked for, and a cluster."""

    @cache
    def docker():
        return containers.begin(folder / "docker")

    with ExitStack() as stack:
        if host.running() and os.environ.get("KUBECONFIG", "") in {"", str(KUBECONFIG)}:
            write_examples(folder / "examples")
            (folder / "examples" / "forty.py").write_text(layouts.PIPELINE)
            (folder / "bucket").mkdir()
            cluster = stack.enter_context(Cluster.local(folder / "examples", folder / "bucket"))
        else:
            cluster = stack.enter_context(Cluster(image, kind))
        try:
            yield docker, cluster
        finally:
            if docker.cache_info().currsize and not isinstance(found := docker(), str):
                found.stop()


def write_context(folder):
    """A folder with a Dockerfile, wurzel and the examples, each pipeline importable from the same working folder."""
    (folder / "wurzel").mkdir(parents=True)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder / "wurzel")
    for name in ("wurzel", "templates"):
        shutil.copytree(ROOT / name, folder / "wurzel" / name, ignore=shutil.ignore_patterns("__pycache__"))
    write_examples(folder / "examples")
    (folder / "Dockerfile").write_text(DOCKERFILE)
    print(f"docker build -t wurzel-conformance:1 {folder}")


def write_examples(folder):
    """All examples in one folder."""
    for case in {case.example: case for case in CASES}.values():
        project = case.project(folder / case.example)
        (project / "wurzel.yaml").unlink(missing_ok=True)
        shutil.copytree(project, folder, dirs_exist_ok=True)
        shutil.rmtree(project)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--image", default=os.environ.get("IMAGE", ""), help="image that holds wurzel and the examples")
    parser.add_argument("--cluster", default=os.environ.get("CLUSTER", ""), help="what the cluster is, for the page")
    parser.add_argument("--context", metavar="DIR", type=Path, help="write a folder to build that image of, and stop")
    parser.add_argument(
        "--only",
        metavar="ENGINE",
        action="append",
        help="engines, by a part of their names; with a store: store, NAME; what their layouts cost: layouts, NAME",
    )
    parser.add_argument("--case", action="append", help="with --only: these cases, by their labels")
    parser.add_argument("--update", action="store_true", help="with --only: write what was run, and leave the rest")
    options = parser.parse_args()
    os.environ[ENGINES] = str(ROOT / ".engines")
    if options.context:
        write_context(options.context)
        return 0
    with tempfile.TemporaryDirectory() as folder, surroundings(options.image, options.cluster, Path(folder)) as found:
        first, *others = drivers(*found)
        wanted = [driver for driver in others if not options.only or any(part in driver.name for part in options.only)]
        cases = [case for case in CASES if not (options.only and options.case) or case.label in options.case]
        told = list(results([first, *wanted], Path(folder), cases))
        page_now = (ROOT / PAGE).read_text(encoding="utf-8")
        old = page_now if options.only else ""
        costs = layouts.kept_section(page_now)
        if parts := parts_of(options.only, "layouts"):
            measured = layouts.measured(found[1], Path(folder) / "examples", Path(folder) / "layouts", parts)
            costs = layouts.section(measured, page_now)
        shared, rows = with_a_store(options.only, found[1], Path(folder), page_now)
        costs = stores.section(rows) + costs
        if len(cases) < len(CASES):
            told = [replace(result, lines=kept(result.driver, old).lines) for result in told]
        new = {result.driver: result for result in told}
        all_told = [new.get(driver) or kept(driver, old) for driver in (first, *others)]
    wrong = [f"{result.driver.name}: {label}" for result in told for label in result.wrong(is_right)]
    wrong += [f"{name}: with a store" for name, cells in shared.items() if not stores.is_right(cells)]
    if options.update or not options.only:
        print(write(ROOT / PAGE, page(all_told, CASES, old, costs)))
    print("conformance: " + (f"{len(wrong)} wrong: {'; '.join(wrong)}" if wrong else "all as it must be"))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
