"""With WURZEL_SAMPLE, sources store their first items; what comes after them knows nothing of it."""

from pathlib import Path

import pytest

from wurzel.exceptions import ContractFailedException, UsageError

FLOW = """
from collections.abc import Iterator
from wurzel import File, NoSettings, Outputs, PydanticModel, SelfConsumingLeafStep, TypedStep

closed = []

class Word(PydanticModel):
    text: str

class Words(TypedStep[NoSettings, None, list[Word]]):
    def run(self, inpt: None) -> list[Word]:
        return [Word(text=text) for text in "abcde"]

class Stream(TypedStep[NoSettings, None, Iterator[Word]]):
    def run(self, inpt: None) -> Iterator[Word]:
        try:
            for text in "abcde":
                closed.append(text)
                yield Word(text=text)
        finally:
            closed.append("closed")

class Unique(TypedStep[NoSettings, None, set[Word]]):
    def run(self, inpt: None) -> set[Word]:
        return {Word(text=text) for text in "edcba"}

class One(TypedStep[NoSettings, None, Word]):
    def run(self, inpt: None) -> Word:
        return Word(text="abcde")

class Pair(Outputs):
    left: list[Word]
    right: list[Word]

class Both(TypedStep[NoSettings, None, Pair]):
    def run(self, inpt: None) -> Pair:
        return Pair(left=[Word(text=text) for text in "abcd"], right=[Word(text="z")])

class Note(File):
    suffix = ".txt"

class Notes(TypedStep[NoSettings, None, list[Note]]):
    def run(self, inpt: None) -> list[Note]:
        for name in "abcd":
            (self.workdir / f"{name}.txt").write_text(name)
        return [Note(self.workdir / f"{name}.txt") for name in "abcd"]

class Memory(SelfConsumingLeafStep[NoSettings, list[Word]]):
    def run(self, inpt: list[Word] | None) -> list[Word]:
        return [*(inpt or []), *(Word(text=text) for text in "abcd")]

class Twice(TypedStep[NoSettings, list[Word], list[Word]]):
    def run(self, inpt: list[Word]) -> list[Word]:
        return [*inpt, *inpt]

class Broken(TypedStep[NoSettings, None, list[Word]]):
    def run(self, inpt: None) -> list[Word]:
        return {"a": 1}
"""
TWO = {"WURZEL_SAMPLE": "2"}


@pytest.fixture
def sampled(flow):
    flow.write(FLOW)
    return lambda name, *inputs, **options: flow(name, *inputs, environ=TWO, **options)


@pytest.mark.parametrize("name", ["Words", "Stream", "Unique", "Memory"])
def test_the_first_items_are_stored(sampled, flow, name):
    assert sampled(name).items_out == 2
    assert [text for part in flow.texts() for text in part] == ["a", "b"]


def test_a_stream_is_asked_for_no_more_and_is_closed(sampled, flow):
    sampled("Stream")
    assert flow.module.closed == ["a", "b", "closed"]


def test_each_output_is_cut_for_itself(sampled, flow):
    sampled("Both")
    assert flow.texts("out/left") == [["a", "b"]]
    assert flow.texts("out/right") == [["z"]]


def test_files_are_items_and_a_single_item_stays_whole(sampled, flow):
    assert sampled("Notes").items_out == 2
    assert [path.read_text() for path in sorted(Path("out").rglob("*.txt"))] == ["a", "b"]
    sampled("One", out="one")
    assert flow.texts("one") == [["abcde"]]


def test_steps_with_inputs_store_everything(sampled, flow):
    sampled("Words")
    sampled("Twice", "out", out="twice")
    assert flow.texts("twice") == [["a", "b", "a", "b"]]


def test_what_breaks_the_contract_is_still_refused(sampled):
    with pytest.raises(ContractFailedException):
        sampled("Broken")


@pytest.mark.parametrize("value", ["0", "-1", "two", "1.5", "²"])
def test_a_sample_is_a_number(flow, value):
    flow.write(FLOW)
    with pytest.raises(UsageError, match="is not a number of items"):
        flow("Words", environ={"WURZEL_SAMPLE": value})
