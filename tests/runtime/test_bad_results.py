"""What a step returns where a list or a stream is asked for: the message says what was given and what to write."""

import pytest

from wurzel.exceptions import ContractFailedException

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
