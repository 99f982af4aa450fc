"""A hundred steps in a row that add a letter to a text: `wurzel run`, make, Metaflow, kedro, DVC and plain Python."""

import shlex
import subprocess
import sys
from functools import partial
from pathlib import Path

from tests.bench.measure import ENVIRONMENT, installed, run, wurzel
from tests.bench.running import DVC, Ran

STEPS = 100
PIPELINE = """
from wurzel import NoSettings, PydanticModel, TypedStep, WZ

class Letters(PydanticModel):
    text: str = ""

class First(TypedStep[NoSettings, None, Letters]):
    def run(self, inpt: None) -> Letters:
        return Letters(text="x")

class More(TypedStep[NoSettings, Letters, Letters]):
    def run(self, inpt: Letters) -> Letters:
        return Letters(text=inpt.text + "x")

last = WZ(First, name="s0")
for number in range(1, {steps}):
    after = WZ(More, name=f"s{{number}}")
    last >> after
    last = after
"""
FLOW = """
from metaflow import FlowSpec, step
class Chain(FlowSpec):
    @step
    def start(self):
        self.text = "x"
        self.next(self.s1)
{steps}
    @step
    def end(self):
        assert len(self.text) == {number}
Chain()
"""
STEP = """
    @step
    def {name}(self):
        self.text += "x"
        self.next(self.{after})
"""
NODES = """
from kedro.io import DataCatalog, MemoryDataset
from kedro.pipeline import node, pipeline
from kedro.runner import SequentialRunner
def more(text):
    return text + "x"
nodes = [node(more, f"d{{number}}", f"d{{number + 1}}", name=f"s{{number}}") for number in range({steps})]
SequentialRunner().run(pipeline(nodes), DataCatalog({{"d0": MemoryDataset("")}}))
"""
PLAIN = "text = ''\nfor _ in range({steps}):\n    text += 'x'\nprint(len(text))\n"


def makefile():
    """The same steps as rules, each the command that a rendered file would call."""
    rules = []
    for number in range(STEPS):
        read = ["-i", f"by-make/s{number - 1}"] if number else []
        kind = "More" if number else "First"
        argv = wurzel("step", f"chain:{kind}", "--id", f"s{number}", *read, "-o", f"by-make/s{number}")
        rules.append(f"s{number}: {f's{number - 1}' if number else ''}\n\t@{shlex.join(argv)}\n.PHONY: s{number}")
    return f"all: s{STEPS - 1}\n" + "\n".join(rules) + "\n"


def chains(work):
    """Each once, from nothing."""
    (work / "chain.py").write_text(PIPELINE.format(steps=STEPS))
    (work / "Makefile").write_text(makefile())
    (work / "plain.py").write_text(PLAIN.format(steps=STEPS))
    names = [f"s{number}" for number in range(1, STEPS - 1)]
    steps = [STEP.format(name=name, after=after) for name, after in zip(names, [*names[1:], "end"], strict=True)]
    (work / "flow.py").write_text(FLOW.format(steps="\n".join(steps), number=STEPS - 1))
    (work / "nodes.py").write_text(NODES.format(steps=STEPS))
    env = {"PATH": f"{Path(wurzel()[0]).parent}:{ENVIRONMENT['PATH']}", "USER": "bench", "PYTHONWARNINGS": "ignore"}
    env |= {"DO_NOT_TRACK": "1", "KEDRO_DISABLE_TELEMETRY": "1"}
    calls = {title: partial(run, argv, work, env) for title, argv in callers(work).items()}
    return [
        Ran(STEPS, title, cost.cpu, cost.wall) for title, cost in ((title, call()) for title, call in calls.items())
    ]


def callers(work):
    """Who runs the chain by which command, of those that are installed."""
    found = {
        "wurzel run -j 1": wurzel("-q", "run", "chain:last", "-j", "1"),
        "make, a `wurzel step` for each": ["make", "-s"],
        "plain Python, one process, nothing kept": [sys.executable, "plain.py"],
    }
    if bin_ := installed("runners", "metaflow", "kedro", "setuptools<81"):
        found["Metaflow, a process for each step"] = [str(bin_ / "python"), "flow.py", "--quiet", "run"]
        found["kedro, one process, data in memory"] = [str(bin_ / "python"), "nodes.py"]
    if DVC.exists():
        subprocess.run(wurzel("render", "chain:last", "-t", "dvc"), cwd=work, env=ENVIRONMENT, check=True)
        subprocess.run([DVC, "init", "-q", "--no-scm"], cwd=work, env=ENVIRONMENT, check=True)
        found["dvc repro, the rendered dvc.yaml"] = [str(DVC), "repro", "-q"]
    return found
