"""What a layout costs in CI and on a real controller: forty steps of 0.2 s in a row, by jobs, bytes and time."""

import time
from typing import NamedTuple

import yaml

from tests.engines.cases import Case
from tests.engines.drivers.layouts import LaidOut
from tests.engines.report import OUTRO
from wurzel.engines.argo import ROLE, binding
from wurzel.engines.driver import wurzel
from wurzel.engines.github import GitHub
from wurzel.engines.gitlab import GitLab

STEPS, PAUSE = 40, 0.2
PIPELINE = f"""
import time

from steps import Upper, Word, Words

from wurzel import WZ


class Slow(Upper):
    def run(self, inpt: list[Word]) -> list[Word]:
        time.sleep({PAUSE})
        return super().run(inpt)


def forty():
    last = WZ(Words)
    for number in range(1, {STEPS}):
        last = last >> WZ(Slow, name=f"slow-{{number}}")
    return last
"""
LAST = f"slow-{STEPS - 1}"
SECONDS = 1800
CI = (
    (GitHub(SECONDS), "artifacts-*", "cache"),
    (GitLab(SECONDS), "clone-*/.gitlab-ci-local/artifacts", "clone-*/.gitlab-ci-local/cache"),
)
"""Engines, and where they keep what jobs hand over and what is for the next run."""
TITLE = "## What a layout costs"
TEXT = f"""
{STEPS} steps of {PAUSE} s in a row. In CI by act and gitlab-ci-local, with rendering and the clone; what is stored are
artifacts and the cache for the next run. On Argo by the cluster's own controller, with artifacts in an S3 server on its
node, from the start of the workflow to its end. The data of the last step is the same in each.

| engine | layout | jobs | stored | time | times as fast |
|---|---|---|---|---|---|
"""


class Row(NamedTuple):
    engine: str
    layout: str
    jobs: int
    stored: int
    """Bytes."""
    seconds: float
    data: bytes
    """Of the last step."""


class Forty(Case):
    """The pipeline in a project."""

    def project(self, folder):
        project = super().project(folder)
        (project / "forty.py").write_text(PIPELINE)
        return project

    def pipeline(self, _project):
        return "forty:forty"


def measured(cluster, project, folder, parts):
    """A row for each layout of each engine that has one of the parts in its name.

    `project` is in the image of the cluster, with `PIPELINE` as `forty.py`.
    """
    rows = list(in_ci(folder, [one for one in CI if any(part in one[0].name for part in parts)]))
    if cluster.bucket and not cluster.reason and any(part in "Argo" for part in parts):
        rows += in_pods(cluster, project)
    if len({row.data for row in rows}) > 1:
        raise RuntimeError("the layouts do not agree on the data")
    return rows


def in_ci(folder, chosen):
    for driver, *kept in chosen:
        for layout in ("steps", "auto"):
            home = folder / f"{driver.target}-{layout}"
            outcome = LaidOut(driver, layout).run_all([Forty("forty", "chain")], home)["forty"]
            if outcome.code != 0:
                raise RuntimeError(f"{driver.name}, {layout}: {outcome.code}: {outcome.log[-2000:]}")
            stored = sum(size(path) for pattern in kept for path in (home / "forty").glob(pattern))
            data = b"".join(outcome.data[path] for path in sorted(outcome.data) if path.startswith(f"{LAST}/part-"))
            yield Row(driver.name, layout, ci_jobs(home / "forty" / "project"), stored, outcome.seconds, data)


def ci_jobs(project):
    """How many jobs the rendered file of a project has."""
    (file,) = [*project.glob(".github/workflows/*.yml"), *project.glob(".gitlab-ci.yml")]
    content = yaml.safe_load(file.read_text())
    jobs = content.get("jobs") or {name: job for name, job in content.items() if not name.startswith(".")}
    return sum(isinstance(job, dict) and bool({"steps", "script"} & set(job)) for job in jobs.values())


def in_pods(cluster, project):
    cluster.apply(cluster.bucket.secret, ROLE, binding(cluster.namespace))
    for layout in ("steps", "auto", "single"):
        words = [
            f"image={cluster.image}", f"targets.argo.layout={layout}", "targets.argo.image_pull_policy=IfNotPresent",
            f"targets.argo.artifacts={cluster.bucket.artifacts}", "data_dir=data",
        ]  # fmt: skip
        sets = [f"--set={word}" for word in words]
        text = wurzel(project, "render", "forty:forty", "-t", "argo", "--stdout", *sets).stdout
        name, (code, log) = cluster.submitted(yaml.safe_load(text))
        if code != 0:
            raise RuntimeError(f"{layout}: {code}: {log}")
        handed = handed_over(cluster, name)
        data = b"".join(path.read_bytes() for path in sorted(handed[LAST].glob("part-*")))
        took = seconds(cluster.read("get", name)["status"])
        yield Row("Argo", layout, len(cluster.pods(name)), sum(map(size, handed.values())), took, data)


def seconds(status):
    """From the start of a workflow to its end."""
    start, end = (time.strptime(str(status[key]), "%Y-%m-%dT%H:%M:%SZ") for key in ("startedAt", "finishedAt"))
    return time.mktime(end) - time.mktime(start)


def handed_over(cluster, name):
    """The artifacts of a workflow, as the bucket has them, by the last part of their path."""
    artifacts = [one for node in cluster.pods(name) for one in node.get("outputs", {}).get("artifacts", [])]
    return {one["path"].rpartition("/")[2]: cluster.bucket.folder / one["s3"]["key"] for one in artifacts}


def size(path):
    """Bytes of a file, or of all files below a folder."""
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file())


def section(rows, page):
    """The part of the page; engines that were not run now keep the rows that an old page has of them."""
    first = {row.engine: row.seconds for row in rows if row.layout == "steps"}
    new = {
        (row.engine, row.layout): f"| {row.engine} | {row.layout} | {row.jobs} | {row.stored / 1024:.0f} KiB"
        f" | {row.seconds:.0f} s | {first[row.engine] / row.seconds:.1f} |"
        for row in rows
    }
    old = [line for line in kept_section(page).splitlines() if line.startswith("| ")][1:]
    known = {tuple(line.strip("| ").split(" | ")[:2]): line for line in old}
    return f"\n{TITLE}\n{TEXT}" + "\n".join((new | known | new).values()) + "\n"


def kept_section(page):
    """That part of an old page, or ''."""
    text = page.partition(f"\n{TITLE}")[2].partition(OUTRO)[0].partition("\n## ")[0]
    return f"\n{TITLE}{text}" if text else ""
