"""What a layout costs on a real controller: forty steps of 0.2 s in a row, by pods and by time."""

import time

import yaml

from tests.engines.report import OUTRO
from wurzel.engines.argo import ROLE, binding
from wurzel.engines.driver import wurzel

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
TITLE = "## What a layout costs on Argo"
TEXT = f"""
{STEPS} steps of {PAUSE} s in a row, by the cluster's own controller, with artifacts in an S3 server on its node; from
the start of the workflow to its end, as the controller recorded it. The data of the last step is the same in each.

| layout | pods | time | times as fast |
|---|---|---|---|
"""


def measured(cluster, project):
    """The pods and the seconds of each layout, in the image of a cluster that has `PIPELINE` as `forty.py`."""
    cluster.apply(cluster.bucket.secret, ROLE, binding(cluster.namespace))
    found, digests = {}, set()
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
        found[layout] = (len(cluster.pods(name)), seconds(cluster.read("get", name)["status"]))
        digests.add(last_output(cluster, name))
    if len(digests) != 1:
        raise RuntimeError("the layouts do not agree on the data")
    return found


def seconds(status):
    """From the start of a workflow to its end."""
    start, end = (time.strptime(str(status[key]), "%Y-%m-%dT%H:%M:%SZ") for key in ("startedAt", "finishedAt"))
    return time.mktime(end) - time.mktime(start)


def last_output(cluster, name):
    """The bytes of the last step's dataset, as the bucket has them."""
    key = next(
        artifact["s3"]["key"]
        for node in cluster.pods(name)
        for artifact in node.get("outputs", {}).get("artifacts", [])
        if artifact.get("path", "").endswith(f"/slow-{STEPS - 1}")
    )
    return b"".join(path.read_bytes() for path in sorted((cluster.bucket.folder / key).glob("part-*")))


def section(found):
    """The part of the page."""
    first = found["steps"][1]
    rows = [f"| {layout} | {pods} | {took:.0f} s | {first / took:.1f} |" for layout, (pods, took) in found.items()]
    return f"\n{TITLE}\n{TEXT}" + "\n".join(rows) + "\n"


def kept_section(page):
    """That part of an old page, or ''."""
    text = page.partition(f"\n{TITLE}")[2].partition(OUTRO)[0].partition("\n## ")[0]
    return f"\n{TITLE}{text}" if text else ""
