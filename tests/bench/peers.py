"""Other generators writing the same graph: hera (Argo Workflows) and the compiler of kfp (Kubeflow Pipelines)."""

from typing import NamedTuple

from tests.bench.measure import ROUNDS, in_turn, installed, python, run
from tests.bench.scaling import code, render

SIZES = (100, 190, 1_000)
LAYERS = """
layer = [{new} for _ in range(10)]
for _ in range({steps} // 10 - 1):
    below = [{new} for _ in range(10)]
    for n, upper in enumerate(layer):
        for m in sorted({{n, (n + 1) % 10}}):
            {edge}
    layer = below
"""
HERA = """
from hera.workflows import DAG, Container, Task, Workflow
with Workflow(name="bench", entrypoint="dag") as workflow:
    work = Container(name="work", image="registry.example/bench:1", command=["wurzel", "step"])
    with DAG(name="dag"):
        number = iter(range({steps}))
{layers}
print(len(workflow.to_yaml()))
"""
COMPILER = """
from kfp import compiler, dsl
@dsl.container_component
def work():
    return dsl.ContainerSpec(image="registry.example/bench:1", command=["wurzel", "step"])
@dsl.pipeline(name="bench")
def bench():
{layers}
compiler.Compiler().compile(bench, "bench.yaml")
"""


class Peer(NamedTuple):
    """Whole processes that write one graph: CPU seconds of each by name."""

    steps: int
    cpu: dict[str, float]


def indented(text, depth):
    return "".join(" " * depth + line for line in text.splitlines(keepends=True))


def hera(steps):
    layers = LAYERS.format(steps=steps, new='Task(name=f"u{next(number)}", template=work)', edge="upper >> below[m]")
    return python(HERA.format(steps=steps, layers=indented(layers, 8)))


def kfp(steps, folder):
    layers = LAYERS.format(steps=steps, new="work()", edge="below[m].after(upper)")
    return [str(folder / "python"), "-c", COMPILER.format(layers=indented(layers, 4))]


def peers(work):
    """All in turn, for each size."""
    folder = installed("kfp", "kfp")
    found = []
    for steps in SIZES:
        targets = [name for name in ("argo", "gitlab") if not render(name, "diamonds", steps).refused]
        argvs = {f"wurzel, {name}": python(code(name, "diamonds", steps)) for name in targets}
        argvs["hera"] = hera(steps)
        if folder is not None:
            argvs["kfp"] = kfp(steps, folder)
        costs = in_turn([lambda argv=argv: run(argv, work) for argv in argvs.values()], rounds=min(3, ROUNDS))
        found.append(Peer(steps, {name: cost.cpu for name, cost in zip(argvs, costs, strict=True)}))
    return found
