"""The same steps run by `wurzel run`, by make, one after another without anything, and by DVC."""

import shlex
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

from tests.bench.measure import ENVIRONMENT, ROUNDS, in_turn, run, wurzel

PIPELINES = Path(__file__).resolve().parents[1] / "pipelines"
DVC = Path(__file__).resolve().parents[2] / ".engines" / "dvc" / "bin" / "dvc"
GRAPHS = [(3, 3), (10, 10)]
PIPELINE = """\
from steps import Join, Upper, Words

from wurzel.utils import WZ

layer = [WZ(Words, name=f"s0-{{n}}") for n in range({width})]
for row in range(1, {depth}):
    below = [WZ(Upper, name=f"s{{row}}-{{n}}") for n in range({width})]
    for n, upper in enumerate(layer):
        upper >> below[n]
        upper >> below[(n + 1) % {width}]
    layer = below
pipeline = WZ(Join)
for step in layer:
    step >> pipeline
"""


class Ran(NamedTuple):
    """Who ran how many steps, in how much CPU and wall time."""

    steps: int
    title: str
    cpu: float
    wall: float


def edges(width, depth):
    """Step to the steps before it, as `PIPELINE` makes them."""
    found = {f"s0-{n}": [] for n in range(width)}
    for row in range(1, depth):
        for n in range(width):
            before = sorted({n, (n - 1) % width}, key=lambda upper: (upper != n - 1, upper))
            found[f"s{row}-{n}"] = [f"s{row - 1}-{upper}" for upper in before]
    found["join"] = [f"s{depth - 1}-{n}" for n in range(width)]
    return found


def commands(graph, data):
    """The call of each step, in an order in which they can run."""
    kinds = {"s0": "Words", "join": "Join"}
    for name, before in edges(*graph).items():
        of = kinds.get(name.split("-")[0], "Upper")
        inputs = [word for other in before for word in ("-i", f"{data}/{other}")]
        yield name, before, wurzel("step", f"steps:{of}", "--id", name, *inputs, "-o", f"{data}/{name}")


def makefile(graph, data):
    rules = [
        f"{name}: {' '.join(before)}\n\t@{shlex.join(argv)}\n.PHONY: {name}"
        for name, before, argv in commands(graph, data)
    ]
    return "all: join\n" + "\n".join(rules) + "\n"


def runs(work):
    """Each graph by everyone in turn, from nothing; the data of all is the same, or this fails."""
    return [ran for graph in GRAPHS for ran in _graph(work / "-".join(map(str, graph)), graph)]


def _graph(work, graph):
    work.mkdir()
    shutil.copy(PIPELINES / "steps.py", work)
    (work / "graph.py").write_text(PIPELINE.format(width=graph[0], depth=graph[1]))
    (work / "Makefile").write_text(makefile(graph, "by-make"))
    calls = [shlex.join(argv) for _, _, argv in commands(graph, "by-calls")]
    (work / "calls.sh").write_text("set -e\n" + "\n".join(calls) + "\n")
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
    # Of a hundred steps one round, without another before it: DVC alone takes more than a minute.
    costs = in_turn(calls, min(3, ROUNDS)) if graph == GRAPHS[0] else [call() for call in calls]
    parts = {(work / data / "join" / "part-00000.json").read_bytes() for _, data in callers.values()}
    if len(parts) != 1:
        raise SystemExit("they do not agree on the data")
    return [
        Ran(graph[0] * graph[1] + 1, title, cost.cpu, cost.wall) for title, cost in zip(callers, costs, strict=True)
    ]


def fresh(argv, work, data, env):
    """Run the command where nothing has run before."""
    shutil.rmtree(work / data, ignore_errors=True)
    shutil.rmtree(work / ".wurzel", ignore_errors=True)
    return run(argv, work, env)
