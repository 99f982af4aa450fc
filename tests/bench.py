"""Measure start-up and scaling as ratios between commands that run in turn, in one run: `make bench`.

No test asserts a time; the limits printed beside the ratios are what the project holds itself to.
"""

import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
EXAMPLE = HERE.parent / "docs" / "examples" / "rag"
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "11"))
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def cpu(argv, cwd):
    """CPU seconds, user and system, of one run of a command and its children."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(argv, cwd=cwd, env=ENVIRONMENT, capture_output=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        sys.exit(f"{argv} failed:\n{done.stderr.decode()}")
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def compare(title, command, baseline, limit, cwd, extra=None):
    """Run two commands in turn and print the ratio of their median CPU; `extra` is subtracted from the first."""
    times = [
        (cpu(command, cwd), cpu(baseline, cwd), cpu(extra[0], cwd) - cpu(extra[1], cwd) if extra else 0)
        for _ in range(ROUNDS + 1)
    ][1:]
    ours, theirs, own = (statistics.median(column) for column in zip(*times, strict=True))
    note = f" (less {own * 1000:.0f} ms of the step's own imports)" if extra else ""
    verdict = "ok" if (ours - own) / theirs <= limit else "OVER"
    print(
        f"{title:42} {ours * 1000:6.0f} ms / {theirs * 1000:4.0f} ms = {(ours - own) / theirs:5.2f}"
        f"  limit {limit:4.2f}  {verdict}{note}"
    )


def python(code):
    """The command that runs a line of Python."""
    return [sys.executable, "-c", code]


def wurzel(*arguments):
    """The installed command."""
    return [str(Path(sys.executable).parent / "wurzel"), *arguments]


def startup(work):
    """Cold starts against the imports they cannot do without."""
    from wurzel.backends.registry import names

    project = work / "docs" / "examples" / "rag"
    shutil.copytree(EXAMPLE.parents[1], work / "docs")
    trivial = work / "trivial.py"
    trivial.write_text(
        "from wurzel.core import NoSettings, TypedStep\n"
        "from wurzel.datacontract import PydanticModel\n\n"
        "class Item(PydanticModel):\n    text: str = 'x'\n\n"
        "class Trivial(TypedStep[NoSettings, None, Item]):\n"
        "    def run(self, inpt: None) -> Item:\n        return Item()\n"
    )
    imports = python("import click, jinja2, pydantic, ruamel.yaml")
    for target in names():
        compare(f"render rag -t {target}", wurzel("render", "rag", "-t", target, "--force"), imports, 1.6, project)
    compare(
        "step of a trivial step",
        wurzel("step", "trivial:Trivial", "-o", "out/trivial"),
        python("import click, pydantic"),
        1.3,
        work,
        extra=(
            python(
                "from pydantic import BaseModel\nclass Item(BaseModel):\n text: str = 'x'\nItem().model_dump_json()"
            ),
            python("import pydantic"),
        ),
    )
    compare("--help", wurzel("--help"), python("import click"), 1.3, work)
    loading(project)


LOADING = """
import sys, time
from pathlib import Path
import click, pydantic, ruamel.yaml
start = time.process_time()
from wurzel.project.load import load
project = load(Path("wurzel.yaml"))
cold = time.process_time() - start
start = time.process_time()
load(Path("wurzel.yaml"))
print(cold, time.process_time() - start)
"""


def loading(project):
    """Reading wurzel.yaml, with the imports it needs and once more in the same process."""
    rows = []
    for _ in range(ROUNDS):
        done = subprocess.run(python(LOADING), cwd=project, env=ENVIRONMENT, capture_output=True, text=True, check=True)
        rows.append([float(number) for number in done.stdout.split()])
    cold, warm = (statistics.median(column) for column in zip(*rows, strict=True))
    base = statistics.median(cpu(python("import click, pydantic, ruamel.yaml"), project) for _ in range(ROUNDS))
    print(
        f"{'load wurzel.yaml, with imports':42} {cold * 1000:6.1f} ms / {base * 1000:4.0f} ms = {cold / base:5.2f}"
        f"  of `import click, pydantic, ruamel.yaml`; again {warm * 1000:.1f} ms"
    )


LAYERED = """
import resource, sys, time
sys.path.insert(0, {pipelines!r})
from steps import Join, Upper, Words
from wurzel.utils import WZ
layer = [WZ(Words, name=f"w{{n}}") for n in range(10)]
for depth in range({steps} // 10 - 1):
    below = [WZ(Upper, name=f"u{{depth}}-{{n}}") for n in range(10)]
    for n, lower in enumerate(below):
        layer[n] >> lower
        layer[(n + 1) % 10] >> lower
    layer = below
start = time.process_time()
from wurzel.backends.rendering import Job, render
from wurzel.backends.registry import get
from wurzel.ir.introspect import introspect
from wurzel.render import Renderer
pipeline = introspect(layer, name="layered", entrypoint="bench:layered")
backend = get({target!r})
result = render([Job(pipeline, {target!r}, backend.options_model(), "bench")], Renderer())
size = sum(len(file.rendered.text) for file in result[0].files)
print(time.process_time() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, size)
"""


def scaling(work, target="dvc"):
    """Introspecting and rendering 10,000 steps in layered diamonds against 1,000."""
    figures = {}
    for steps in (1_000, 10_000):
        runs = []
        for _ in range(3):
            code = LAYERED.format(pipelines=str(HERE / "pipelines"), steps=steps, target=target)
            done = subprocess.run(python(code), cwd=work, env=ENVIRONMENT, capture_output=True, text=True, check=False)
            if done.returncode:
                sys.exit(done.stderr)
            runs.append([float(number) for number in done.stdout.split()])
        figures[steps] = [statistics.median(column) for column in zip(*runs, strict=True)]
    (small, _, _), (large, memory, size) = figures[1_000], figures[10_000]
    print(
        f"{f'10,000 layered steps to {target}':42} {large:6.2f} s  / {small:4.2f} s  = {large / small:5.2f}"
        f"  limit 12.00  {'ok' if large / small <= 12 else 'OVER'}; peak {memory:.0f} MB"
        f" (limit 500), {size / 1e6:.1f} MB written"
    )


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        startup(Path(folder))
        scaling(Path(folder))
