"""Any graph of steps gives the same bytes: in any order, with any number of slices, gathered or read as they are."""

import os
import subprocess
import sys
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wurzel.datacontract.dataset import gather_outputs
from wurzel.runtime.step import Job, run_step

STEPS = """
from collections.abc import Iterator
from wurzel import WZ, Inputs, NoSettings, Outputs, PydanticModel, Settings, TypedStep

class Word(PydanticModel):
    text: str

class Opts(Settings):
    COUNT: int = 5

class Words(TypedStep[Opts, None, list[Word]]):
    def run(self, inpt: None) -> list[Word]:
        return [Word(text=f"{self.settings.COUNT}.{number}") for number in range(self.settings.COUNT)]

class Halves(Outputs):
    train: list[Word]
    test: list[Word]

class Cut(TypedStep[NoSettings, list[Word], Halves]):
    shards = {"items": 2, "max": 3}
    def when(self, inpt: list[Word]) -> bool:
        return len(inpt) % 3 > 0
    def run(self, inpt: list[Word]) -> Halves:
        return Halves(train=inpt[1:], test=inpt[:1])

class Upper(TypedStep[NoSettings, Iterator[Word], Iterator[Word]]):
    shards = {"items": 3, "max": 9}
    def run(self, inpt: Iterator[Word]) -> Iterator[Word]:
        for word in inpt:
            yield Word(text=word.text + "u")

class Each(TypedStep[NoSettings, list[Word], list[Word]]):
    def run(self, inpt: list[Word]) -> list[Word]:
        return [Word(text=word.text + "e") for word in inpt for _ in range(len(word.text) % 3)]

class Some(TypedStep[NoSettings, list[Word], list[Word]]):
    def when(self, inpt: list[Word]) -> bool:
        return len(inpt) % 2 == 0
    def run(self, inpt: list[Word]) -> list[Word]:
        return [Word(text=word.text + "s") for word in inpt]

class Shout(TypedStep[NoSettings, Word, Word]):
    def when(self, inpt: Word) -> bool:
        return len(inpt.text) % 2 == 1
    def run(self, inpt: Word) -> Word:
        return Word(text=inpt.text + "!!")

class Spell(TypedStep[NoSettings, Word, list[Word]]):
    def run(self, inpt: Word) -> list[Word]:
        return [Word(text=letter) for letter in inpt.text[:2]]

class Bag(TypedStep[NoSettings, Word, set[Word]]):
    def run(self, inpt: Word) -> set[Word]:
        return {Word(text=inpt.text[-1]), Word(text="z")}

class Both(Inputs):
    docs: list[Word]
    more: list[Word] | None

class Join(TypedStep[NoSettings, Both, list[Word]]):
    shards = {"items": 2, "max": 4}
    shard_by = "docs"
    def run(self, inpt: Both) -> list[Word]:
        size = "none" if inpt.more is None else str(len(inpt.more))
        return [Word(text=f"{word.text}j{size}") for word in inpt.docs]
"""

KINDS = ("Cut", "Upper", "Each", "Some", "Shout", "Spell", "Join")
"""Steps that take any of the outputs of another, and give words."""


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """New folders, with the steps importable."""
    root = tmp_path_factory.mktemp("graphs")
    (root / "graphsteps.py").write_text(STEPS)
    sys.path.insert(0, str(root))
    yield (root / str(number) for number in count())
    sys.path.remove(str(root))
    del sys.modules["graphsteps"]


@st.composite
def graphs(draw):
    """Steps as (kind, edges); an edge is (input, number of an earlier step, output)."""
    sizes = draw(st.lists(st.integers(0, 7), min_size=1, max_size=3))
    steps = [("Words", size, []) for size in sizes]
    for _ in range(draw(st.integers(1, 5))):
        kind = draw(st.sampled_from(KINDS))
        names = ["docs", "more"] if kind == "Join" else [""]
        edges = []
        for name in names:
            least = 0 if name == "more" else 1
            for before in draw(st.lists(st.integers(0, len(steps) - 1), min_size=least, max_size=3)):
                output = draw(st.sampled_from(["train", "test"])) if steps[before][0] == "Cut" else ""
                edges.append((name, before, output))
        steps.append((kind, 0, list(dict.fromkeys(edges))))
    steps.append(("Bag", 0, [("", len(steps) - 1, "train" if steps[-1][0] == "Cut" else "")]))
    return steps


def run_graph(root, steps, slices, *, gathered, order):
    """Run all steps, each after those it needs, and give the bytes of all datasets."""
    done, left = set(), list(order)
    while left:
        number = next(one for one in left if all(before in done for _, before, _ in steps[one][2]))
        left.remove(number)
        done.add(number)
        kind, size, edges = steps[number]
        folders = [
            Path(f"{name}={root / str(before) / output}" if name else root / str(before) / output)
            for name, before, output in edges
        ]
        job = Job(f"graphsteps:{kind}", root / str(number), folders)
        environ = {"WORDS__COUNT": str(size)}
        of = 1 if kind == "Words" else slices[number % len(slices)]
        for shard in [(one, of) for one in range(1, of + 1)] if of > 1 else [None]:
            run_step(job._replace(shard=shard), environ)
        if gathered:
            gather_outputs(root / str(number))
    for number in range(len(steps)):
        gather_outputs(root / str(number))
    return content(root)


def content(root):
    return {str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    steps=graphs(),
    slices=st.lists(st.integers(1, 4), min_size=1, max_size=3),
    gathered=st.booleans(),
    data=st.data(),
)
def test_any_graph_gives_the_same_bytes(folders, steps, slices, gathered, data):
    numbers = range(len(steps))
    whole = run_graph(next(folders), steps, [1], gathered=False, order=numbers)
    order = data.draw(st.permutations(numbers))
    assert run_graph(next(folders), steps, slices, gathered=gathered, order=order) == whole


PIPELINES = """
from graphsteps import *

def steps():
    return {
        "words": WZ(Words), "cut": WZ(Cut), "upper": WZ(Upper), "some": WZ(Some), "shout": WZ(Shout),
        "join": WZ(Join), "each": WZ(Each), "bag": WZ(Bag),
    }

ARROWS = [
    lambda s: s["words"] >> s["cut"],
    lambda s: s["cut"]["train"] >> s["upper"],
    lambda s: s["cut"]["test"] >> s["some"],
    lambda s: s["words"] >> s["shout"],
    lambda s: s["upper"] >> s["join"]["docs"],
    lambda s: s["shout"] >> s["each"],
    lambda s: s["some"] >> s["join"]["more"],
    lambda s: s["each"] >> s["join"]["docs"],
    lambda s: s["join"] >> s["bag"],
]

def one():
    made = steps()
    for arrow in ARROWS:
        arrow(made)
    return made["bag"]

def other():
    made = steps()
    for number in (8, 6, 4, 7, 2, 5, 3, 1, 0):
        ARROWS[number](made)
    return made["bag"]
"""
SHARDED = """
version: 1
pipelines:
  flow:
    entrypoint: flows:one
    steps: {each: {shards: 3}, shout: {shards: 2}, some: {shards: 4}, upper: {shards: {items: 3, max: 1}}}
"""


def test_runs_with_any_jobs_slices_and_order_of_arrows_give_the_same_bytes(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("graphsteps.py").write_text(STEPS)
    Path("flows.py").write_text(PIPELINES)
    found = []
    for number, (name, jobs) in enumerate([("flows:one", 1), ("flows:one", 4), ("flows:other", 2), ("flow", 2)]):
        if name == "flow":
            Path("wurzel.yaml").write_text(SHARDED)
        command = [sys.executable, "-P", "-m", "wurzel", "run", name, "-j", str(jobs)]
        command += ["--data-dir", f"data-{number}", "--state-dir", f".state-{number}"]
        done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "NO_COLOR": "1"})
        assert done.returncode == 0, done.stderr
        top = Path(f"data-{number}")
        found.append(
            {str(path.relative_to(top)): path.read_bytes() for path in sorted(top.rglob("*")) if path.is_file()}
        )
    assert len(found[0]) > len(PIPELINES.split("lambda"))
    assert found[1:] == [found[0]] * 3
