"""Cold starts, divided by the imports that they cannot do without."""

import shutil
from pathlib import Path
from typing import NamedTuple

from tests.bench.measure import in_turn, python, run, wurzel
from wurzel.backends.registry import names

DOCS = Path(__file__).resolve().parents[2] / "docs"
IMPORTS = "import click, jinja2, pydantic, ruamel.yaml"
TRIVIAL = """\
from wurzel.core import NoSettings, TypedStep
from wurzel.datacontract import PydanticModel


class Item(PydanticModel):
    text: str = "x"


class Trivial(TypedStep[NoSettings, None, Item]):
    def run(self, inpt: None) -> Item:
        return Item()
"""
STARTS = 15
"""Rounds, of which the least CPU counts."""
MODEL = "from pydantic import BaseModel\nclass Item(BaseModel):\n text: str = 'x'\nItem().model_dump_json()"


class Start(NamedTuple):
    """CPU seconds of a command, of what it is divided by, and the ratio that the project holds itself to."""

    title: str
    ours: float
    baseline: str
    theirs: float
    limit: float

    @property
    def ratio(self):
        return self.ours / self.theirs


def starts(work):
    """Every cold start, in turn with the imports it is divided by."""
    shutil.copytree(DOCS, work / "docs")
    project = work / "docs" / "examples" / "rag"
    (work / "trivial.py").write_text(TRIVIAL)
    for words in (["render", "rag", "--force"], ["run", "rag"]):
        run(wurzel(*words), project)
    commands = [
        *((f"render rag -t {name}", wurzel("render", "rag", "-t", name, "--force"), project) for name in names()),
        ("run rag, nothing to do", wurzel("run", "rag"), project),
        ("render rag --check, all targets", wurzel("render", "rag", "--check"), project),
        ("--help", wurzel("--help"), work),
        ("step of a trivial step", wurzel("step", "trivial:Trivial", "-o", "out/trivial"), work),
    ]
    baselines = {
        IMPORTS: python(IMPORTS),
        "import click": python("import click"),
        "pydantic and one model": python(f"import click\n{MODEL}"),
    }
    calls = [lambda argv=argv, cwd=cwd: run(argv, cwd) for _, argv, cwd in commands]
    calls += [lambda argv=argv: run(argv, work) for argv in baselines.values()]
    costs = [cost.cpu for cost in in_turn(calls, STARTS, take=min)]
    base = dict(zip(baselines, costs[len(commands) :], strict=True))
    by = [(IMPORTS, 1.6)] * (len(names()) + 1)
    by += [(IMPORTS, 3.0), ("import click", 1.3), ("pydantic and one model", 1.3)]
    return [
        Start(title, cost, name, base[name], limit)
        for (title, _, _), cost, (name, limit) in zip(commands, costs[: len(commands)], by, strict=True)
    ]
