"""What a step returns or is given that cannot be: the message says what it was and what to write."""

import re

import pytest

from wurzel.exceptions import ContractFailedException, WurzelError

STEPS = """
import pathlib
from collections.abc import Iterable, Iterator
from typing_extensions import TypedDict
from wurzel import File, NoSettings, PydanticModel, TypedStep

class Doc(PydanticModel):
    text: str

class Row(TypedDict):
    text: str

class Txt(File):
    suffix = ".txt"

class Docs(TypedStep[NoSettings, None, Iterator[Doc]]):
    def run(self, inpt: None) -> Iterator[Doc]:
        return Doc(text="a")

class Again(TypedStep[NoSettings, None, Iterable[Doc]]):
    def run(self, inpt: None) -> Iterable[Doc]:
        return frozenset()

class Rows(TypedStep[NoSettings, None, Iterator[Row]]):
    def run(self, inpt: None) -> Iterator[Row]:
        return Row(text="a")

class Files(TypedStep[NoSettings, None, Iterator[Txt]]):
    def run(self, inpt: None) -> Iterator[Txt]:
        path = self.workdir / "a.txt"
        path.write_text("a")
        return Txt(path)

class Nothing(TypedStep[NoSettings, None, Iterator[Doc]]):
    def run(self, inpt: None) -> Iterator[Doc]:
        pass

class Text(TypedStep[NoSettings, None, Iterator[Doc]]):
    def run(self, inpt: None) -> Iterator[Doc]:
        return "ab"

class Plain(TypedStep[NoSettings, None, list[Doc]]):
    def run(self, inpt: None) -> list[Doc]:
        return Doc(text="a")

class Keys(TypedStep[NoSettings, None, Iterable[Doc]]):
    def run(self, inpt: None) -> Iterable[Doc]:
        return {"a": Doc(text="a")}.values()
"""
ONE = "For one item, return it in a list: return […]."


@pytest.mark.parametrize(
    ("step", "message", "hint"),
    [
        ("Docs", "Doc: it is a Doc, not Iterator[Doc]", ONE),
        ("Again", "Doc: it is a frozenset, not Iterable[Doc]", "The order of a set differs between processes: "),
        ("Rows", "Row: it is a dict, not Iterator[Row]", ONE),
        ("Files", "Txt: it is a Txt, not Iterator[Txt]", ONE),
        ("Nothing", "Doc: it is None, not Iterator[Doc]", "Return [] where there are no items."),
        ("Text", "Doc: it is a str, not Iterator[Doc]", ONE),
        ("Plain", "Doc: it is a Doc, not a list", ONE),
    ],
)
def test_one_item_where_many_are_asked_for(flow, step, message, hint):
    flow.write(STEPS)
    with pytest.raises(ContractFailedException) as caught:
        flow(step)
    assert caught.value.message == f"what run returned breaks the contract {message}"
    assert caught.value.hint.startswith(hint)


def test_any_iterable_is_a_stream(flow):
    flow.write(STEPS)
    flow("Keys")
    assert flow.texts() == [["a"]]


# What connects steps

FLOW = """
from collections.abc import Iterator
from wurzel import File, Inputs, NoSettings, Outputs, PydanticModel, StepFailed, TypedStep

class Doc(PydanticModel):
    text: str

class Txt(File):
    suffix = ".txt"

class Halves(Outputs):
    train: list[Doc]
    test: list[Doc]

class Both(Inputs):
    docs: list[Doc]
    one: Doc | None

class Cut(TypedStep[NoSettings, None, Halves]):
    def run(self, inpt: None) -> Halves:
        return Halves(train=[Doc(text="a")], test=[])

class Wrong(Cut):
    def run(self, inpt: None) -> Halves:
        return {"train": [], "test": []}

class One(TypedStep[NoSettings, None, Doc]):
    def run(self, inpt: None) -> Doc:
        return Doc(text="a")

class Join(TypedStep[NoSettings, Both, list[Doc]]):
    def run(self, inpt: Both) -> list[Doc]:
        return inpt.docs

class Docs(TypedStep[NoSettings, list[Doc], list[Doc]]):
    def run(self, inpt: list[Doc]) -> list[Doc]:
        return inpt

class Raises(Docs):
    def when(self, inpt: list[Doc]) -> bool:
        raise KeyError("lang")

class Exits(Docs):
    def when(self, inpt: list[Doc]) -> bool:
        raise SystemExit(0)

class Lacks(Docs):
    def when(self, inpt: list[Doc]) -> bool:
        import nowhere

class Gone(TypedStep[NoSettings, None, Iterator[Txt]]):
    def run(self, inpt: None) -> Iterator[Txt]:
        path = self.workdir / "a.txt"
        path.write_text("a")
        path.unlink()
        yield Txt(path)

class Files(TypedStep[NoSettings, None, list[Txt]]):
    def run(self, inpt: None) -> list[Txt]:
        path = self.workdir / "a.txt"
        path.write_text("a")
        return [Txt(path)]

class Read(TypedStep[NoSettings, list[Txt], Doc]):
    def run(self, inpt: list[Txt]) -> Doc:
        return Doc(text=inpt[0].path.read_text())
"""


LEAST = "Let all but one of the steps before it be skipped, or take a list."


@pytest.fixture
def connected(flow):
    flow.write(FLOW)
    for name in ("Cut", "One", "Files"):
        flow(name, out=name.lower())
    return flow


@pytest.mark.parametrize(
    ("step", "inputs", "exit_code", "message"),
    [
        (
            "Docs",
            ["cut/trian"],
            1,
            "cut/trian: there is no such dataset\n  Did you mean train? Run the step that writes it first.",
        ),
        ("Docs", ["away"], 1, "away: there is no such dataset\n  Run the step that writes it first."),
        ("Docs", ["cut"], 1, "cut: contains the named outputs test, train\n  Give one of them: cut/test."),
        (
            "Join",
            ["dcos=cut/train"],
            2,
            "Join has no input 'dcos'\n  Did you mean docs? Write NAME=DIR; its inputs are docs, one.",
        ),
        (
            "Join",
            ["cut/train"],
            2,
            "-i cut/train does not say which input of Join it is\n  Write NAME=DIR; its inputs are docs, one.",
        ),
        ("Join", ["one=one"], 2, "Join needs the input docs\n  Give -i docs=DIR."),
        ("Join", [], 2, "Join needs an input\n  Give -i docs=DIR."),
        (
            "Join",
            ["docs=cut/train", "one=one", "one=one"],
            3,
            f"the input one takes one item, but there are 2: one (1), one (1)\n  {LEAST}",
        ),
        ("Wrong", [], 3, "step 'wrong': run returned a dict, not Halves\n  Write return Halves(train=…, test=…)."),
        ("Exits", ["cut/train"], 1, "step 'exits': it calls sys.exit(0) (in when)"),
        ("Lacks", ["cut/train"], 2, "step 'lacks': ModuleNotFoundError: No module named 'nowhere' (in when)"),
    ],
)
def test_a_connection_that_cannot_be(connected, step, inputs, exit_code, message):
    with pytest.raises(WurzelError) as caught:
        connected(step, *inputs)
    assert (caught.value.exit_code, re.split("\nflow.py:|\nTraceback", str(caught.value))[0]) == (exit_code, message)


def test_an_error_in_when_says_where(connected):
    with pytest.raises(WurzelError) as caught:
        connected("Raises", "cut/train")
    assert str(caught.value).startswith("step 'raises': KeyError: 'lang' (in when)\nTraceback")
    assert ", in when\n" in str(caught.value)


def test_a_file_that_vanished(connected):
    with pytest.raises(ContractFailedException) as caught:
        connected("Gone")
    assert caught.value.message.endswith("a.txt' does not exist")
    assert caught.value.hint == "Write it before it is returned, and leave it where it is."
    next(connected.folder.glob("files/*/a.txt")).unlink()
    with pytest.raises(WurzelError) as caught:
        connected("Read", "files")
    assert str(caught.value) == "files: is incomplete: 00000/a.txt is missing\n  Run the step that writes it again."
