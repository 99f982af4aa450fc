"""The same steps run by `wurzel run`, by make, one after another without anything, and by DVC."""

import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

from tests.bench.measure import ENVIRONMENT, ROUNDS, in_turn, run, wurzel

PIPELINES = Path(__file__).resolve().parents[1] / "pipelines"
DVC = Path(__file__).resolve().parents[2] / ".engines" / "dvc" / "bin" / "dvc"
WIDTH, DEPTH = 3, 3
PIPELINE = f"""\
from steps import Join, Upper, Words

from wurzel.utils import WZ

layer = [WZ(Words, name=f"s0-{{n}}") for n in range({WIDTH})]
for depth in range(1, {DEPTH}):
    below = [WZ(Upper, name=f"s{{depth}}-{{n}}") for n in range({WIDTH})]
    for n, upper in enumerate(layer):
        upper >> below[n]
        upper >> below[(n + 1) % {WIDTH}]
    layer = below
pipeline = WZ(Join)
for step in layer:
    step >> pipeline
"""


class Ran(NamedTuple):
    """Who ran the pipeline, in how much CPU and wall time."""

    title: str
    cpu: float
    wall: float


def edges():
    """Step to the steps before it, as `PIPELINE` makes them."""
    found = {f"s0-{n}": [] for n in range(WIDTH)}
    for depth in range(1, DEPTH):
        for n in range(WIDTH):
            before = sorted({n, (n - 1) % WIDTH}, key=lambda upper: (upper != n - 1, upper))
            found[f"s{depth}-{n}"] = [f"s{depth - 1}-{upper}" for upper in before]
    found["join"] = [f"s{DEPTH - 1}-{n}" for n in range(WIDTH)]
    return found


def commands(data):
    """The call of each step, in an order in which they can run."""
    kind = {"s0": "Words", "jo": "Join"}
    for name, before in edges().items():
        inputs = [word for other in before for word in ("-i", f"{data}/{other}")]
        yield (
            name,
            before,
            wurzel("step", f"steps:{kind.get(name[:2], 'Upper')}", "--id", name, *inputs, "-o", f"{data}/{name}"),
        )


def makefile(data):
    rules = [
        f"{name}: {' '.join(before)}\n\t@{' '.join(argv)}\n.PHONY: {name}" for name, before, argv in commands(data)
    ]
    return "all: join\n" + "\n".join(rules) + "\n"


def runs(work):
    """Everyone in turn, from nothing; the data of all is the same, or this fails."""
    for name in ("steps.py",):
        shutil.copy(PIPELINES / name, work)
    (work / "graph.py").write_text(PIPELINE)
    (work / "Makefile").write_text(makefile("by-make"))
    (work / "calls.sh").write_text("set -e\n" + "\n".join(" ".join(argv) for _, _, argv in commands("by-calls")) + "\n")
    callers = {
        "wurzel run -j 2": (wurzel("-q", "run", "graph:pipeline", "-j", "2", "--data-dir", "by-wurzel"), "by-wurzel"),
        "make -j 2, the same commands": (["make", "-s", "-j", "2"], "by-make"),
        "the same commands, one after another": (["sh", "calls.sh"], "by-calls"),
    }
    if DVC.exists():
        subprocess.run(wurzel("render", "graph:pipeline", "-t", "dvc"), cwd=work, env=ENVIRONMENT, check=True)
        subprocess.run([DVC, "init", "-q", "--no-scm"], cwd=work, env=ENVIRONMENT, check=True)
        callers["dvc repro, the rendered dvc.yaml"] = ([str(DVC), "repro", "-q", "--force"], "data")
    path = {"PATH": f"{Path(wurzel()[0]).parent}:{ENVIRONMENT['PATH']}"}
    calls = [lambda argv=argv, data=data: fresh(argv, work, data, path) for argv, data in callers.values()]
    costs = in_turn(calls, rounds=min(3, ROUNDS))
    parts = {(work / data / "join" / "part-00000.json").read_bytes() for _, data in callers.values()}
    if len(parts) != 1:
        raise SystemExit("they do not agree on the data")
    return [Ran(title, cost.cpu, cost.wall) for title, cost in zip(callers, costs, strict=True)]


def fresh(argv, work, data, env):
    """Run the command where nothing has run before."""
    shutil.rmtree(work / data, ignore_errors=True)
    shutil.rmtree(work / ".wurzel", ignore_errors=True)
    return run(argv, work, env)
