"""telekom/wurzel 3.x rendering the module of steps that we render: the authoring API is the same."""

from typing import NamedTuple

from tests.bench.measure import ROUNDS, attempt, in_turn, installed, run, wurzel

VERSION = "3.3.1"
STEPS = """\
import os

from wurzel.core import NoSettings, TypedStep
from wurzel.datacontract import MarkdownDataContract
from wurzel.utils import WZ

Docs = list[MarkdownDataContract]


class Source(TypedStep[NoSettings, None, Docs]):
    def run(self, inpt: None) -> Docs:
        return [MarkdownDataContract(md="text", keywords="", url="")]


def same(number):
    class Same(TypedStep[NoSettings, Docs, Docs]):
        def run(self, inpt: Docs) -> Docs:
            return inpt

    Same.__name__ = Same.__qualname__ = f"Same{number}"
    globals()[Same.__name__] = Same
    return WZ(Same)


shape, steps = os.environ["BENCH_GRAPH"].split()
pipeline = WZ(Source)
for number in range(0, int(steps) - 1, 1 if shape == "chain" else 3):
    if shape == "chain":
        pipeline = pipeline >> same(number)
    else:
        left, right, joined = (same(number + n) for n in range(3))
        pipeline >> left >> joined
        pipeline >> right >> joined
        pipeline = joined
"""
CONFIGURATION = """\
version: 1
pipelines: {bench: {entrypoint: "bench_steps:pipeline", image: "registry.example/bench:1"}}
"""
# Diamonds one below the other: 1 + 3 n steps, 2 ** n paths.
GRAPHS = [("chain", 49), ("diamonds", 4), ("diamonds", 25), ("diamonds", 40), ("diamonds", 49)]
BACKENDS = {"dvc": "DvcBackend", "argo": "ArgoBackend"}


class Compared(NamedTuple):
    """CPU seconds of ours and of upstream for one graph and target; none of upstream's where it ends with an error."""

    target: str
    shape: str
    steps: int
    ours: float
    theirs: float | None
    conflict: bool
    """The error is hera's, for two tasks of one name."""


def compared(work):
    """Both in turn, for each graph and target; nothing where upstream can not be installed."""
    upstream = installed("upstream", f"wurzel=={VERSION}", "hera")
    if upstream is None:
        return []
    (work / "bench_steps.py").write_text(STEPS)
    (work / "wurzel.yaml").write_text(CONFIGURATION)
    return [_pair(work, upstream / "wurzel", target, *graph) for target in BACKENDS for graph in GRAPHS]


def _pair(work, upstream, target, shape, steps):
    env = {"BENCH_GRAPH": f"{shape} {steps}", "PYTHONPATH": "."}
    ours = wurzel("render", "bench", "-t", target, "--stdout")
    theirs = [str(upstream), "generate", "bench_steps:pipeline", "-b", BACKENDS[target]]
    said = attempt(theirs, work, env)
    argvs = [ours] if said else [ours, theirs]
    costs = in_turn([lambda argv=argv: run(argv, work, env) for argv in argvs], rounds=min(2, ROUNDS))
    theirs_cpu = None if said else costs[1].cpu
    return Compared(target, shape, steps, costs[0].cpu, theirs_cpu, "NodeNameConflict" in said)
