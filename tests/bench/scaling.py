"""Introspecting and rendering pipelines of 100 to 10,000 steps, verification included."""

import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from tests.bench.measure import ENVIRONMENT
from wurzel.backends.registry import names

PIPELINES = Path(__file__).resolve().parents[1] / "pipelines"
SIZES = (100, 1_000, 10_000)
SHAPES = ("chain", "diamonds")
# 1,000 steps are more than a controller of Argo takes as it is installed, and less than etcd takes.
OPTIONS = {"argo": {"max_workflow_size": "1536Ki"}}
CODE = """
import resource, sys, time
sys.path.insert(0, {pipelines!r})
from steps import Upper, Words
from wurzel.utils import WZ
width = 1 if {shape!r} == "chain" else 10
layer = [WZ(Words, name=f"w{{n}}") for n in range(width)]
for depth in range({steps} // width - 1):
    below = [WZ(Upper, name=f"u{{depth}}-{{n}}") for n in range(width)]
    for n, upper in enumerate(layer):
        for m in sorted({{n, (n + 1) % width}}):
            upper >> below[m]
    layer = below
from wurzel.exceptions import WurzelError
start = time.process_time()
from wurzel.backends.job import Job
from wurzel.backends.rendering import render
from wurzel.backends.registry import get
from wurzel.ir.introspect import introspect
from wurzel.project.resolve import resolve
from wurzel.render import Renderer
backend = get({target!r})
try:
    pipeline = introspect(layer, name="bench", entrypoint="bench:bench")
    pipeline = resolve(pipeline, None, sets=["image=registry.example/bench:1"]).pipeline
    result = render([Job(pipeline, {target!r}, backend.options_model(**{options!r}), "bench")], Renderer())
except WurzelError as error:
    print(str(error).splitlines()[0], file=sys.stderr)
    sys.exit(3)
size = sum(len(file.rendered.text) for file in result[0].files)
print(time.process_time() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, size)
"""


class Point(NamedTuple):
    """One render: CPU seconds without the making of the steps, peak MB, bytes written; or why it is refused."""

    target: str
    shape: str
    steps: int
    cpu: float = 0
    memory: float = 0
    size: int = 0
    refused: str = ""


def points():
    """A render of each size and shape for each target; a larger one is not tried where a smaller one is refused."""
    found = []
    for target in names():
        for shape in SHAPES:
            for steps in SIZES:
                point = render(target, shape, steps)
                found.append(point)
                print(f"{target:8} {shape:9} {steps:6} {point.refused or f'{point.cpu:.2f} s {point.memory:.0f} MB'}")
                if point.refused:
                    break
    return found


def code(target, shape, steps):
    """The Python that makes the steps, renders them, and prints what `Point` holds."""
    return CODE.format(
        pipelines=str(PIPELINES), shape=shape, steps=steps, target=target, options=OPTIONS.get(target, {})
    )


def render(target, shape, steps):
    """One render in a separate process."""
    argv = [sys.executable, "-c", code(target, shape, steps)]
    done = subprocess.run(argv, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    if done.returncode == 3:
        return Point(target, shape, steps, refused=done.stderr.strip())
    if done.returncode:
        sys.exit(done.stderr)
    cpu, memory, size = done.stdout.split()
    return Point(target, shape, steps, float(cpu), float(memory), int(size))
