"""How often a step is called and on what: mapped over items, on portions, in slices; always with the same bytes."""

import itertools
from pathlib import Path

import pytest

from wurzel.datacontract.dataset import gather, open_dataset
from wurzel.exceptions import UsageError, WrongDataset
from wurzel.runtime.calls import portions

STEPS = """
from wurzel.core import NoSettings, PydanticModel, Settings, TypedStep

class Word(PydanticModel):
    text: str

class Other(PydanticModel):
    text: str

class Opts(Settings):
    COUNT: int = 5
    START: int = 0

class Words(TypedStep[Opts, None, list[Word]]):
    def run(self, inpt: None) -> list[Word]:
        return [Word(text=f"w{self.settings.START + number:05d}") for number in range(self.settings.COUNT)]

class Others(TypedStep[NoSettings, None, list[Other]]):
    def run(self, inpt: None) -> list[Other]:
        return []

class One(TypedStep[NoSettings, None, Word]):
    def run(self, inpt: None) -> Word:
        return Word(text="one")

class Unique(TypedStep[Opts, None, set[Word]]):
    def run(self, inpt: None) -> set[Word]:
        return {Word(text=f"w{self.settings.START + number:05d}") for number in range(self.settings.COUNT)}

class Count(TypedStep[NoSettings, list[Word], list[Word]]):
    sizes = []
    def run(self, inpt: list[Word]) -> list[Word]:
        type(self).sizes.append(len(inpt))
        return [Word(text=f"{len(inpt)} {word.text}") for word in inpt]

class By500(Count):
    shards = {"items": 500, "max": 64}

class By2(Count):
    sizes = []
    shards = {"items": 2, "max": 3}

class Silent(Count):
    shards = {"items": 2, "max": 3}
    def run(self, inpt: list[Word]) -> list[Word]:
        return []

class OneOf(TypedStep[NoSettings, list[Word], Word]):
    shards = {"items": 2, "max": 3}
    def run(self, inpt: list[Word]) -> Word:
        return inpt[0]

class Shout(TypedStep[NoSettings, Word, Word]):
    def run(self, inpt: Word) -> Word:
        return Word(text=inpt.text + "!")

class Twice(TypedStep[NoSettings, Word, list[Word]]):
    shards = {"items": 2, "max": 3}
    def run(self, inpt: Word) -> list[Word]:
        return [inpt, inpt]

class Bag(TypedStep[NoSettings, Word, set[Word]]):
    def run(self, inpt: Word) -> set[Word]:
        return {inpt, Word(text="z"), Word(text="a")}

class BagOf(TypedStep[NoSettings, set[Word], set[Word]]):
    shards = {"items": 2, "max": 9}
    def run(self, inpt: set[Word]) -> set[Word]:
        return {Word(text=f"{len(inpt)} {word.text}") for word in inpt}
"""


@pytest.fixture
def flow(flow):
    flow.write(STEPS)
    return flow


def words(flow, count, start=0, out="words"):
    flow("Words", out=out, environ={"WORDS__COUNT": str(count), "WORDS__START": str(start)})
    return out


# --- map and collect ------------------------------------------------------------------------------------------------


def test_a_step_that_takes_one_item_is_called_for_each_of_a_list(flow):
    words(flow, 3)
    report = flow("Shout", "words")
    assert flow.texts() == [["w00000!"], ["w00001!"], ["w00002!"]]
    assert report[:2] == (3, 3)


def test_items_of_lists_and_single_items_are_taken_in_the_order_of_the_inputs(flow):
    words(flow, 2)
    flow("One", out="one")
    flow("Twice", "words", "one", "words")
    assert flow.texts() == [[text] * 2 for text in ("w00000", "w00001", "one", "w00000", "w00001")]


def test_a_step_that_takes_a_list_gets_all_single_items(flow):
    words(flow, 2)
    flow("One", out="one")
    flow("Shout", "words", out="shouts")
    flow("Count", "shouts", "one", "words")
    assert flow.texts() == [["5 w00000!", "5 w00001!", "5 one", "5 w00000", "5 w00001"]]


def test_another_contract_is_refused_in_a_list_too(flow):
    flow("Others", out="others")
    with pytest.raises(WrongDataset, match=r"others: contains list\[flow:Other\]"):
        flow("Shout", "others")


def test_a_set_of_a_mapped_step_is_unique_over_all_calls(flow):
    words(flow, 3)
    flow("Bag", "words", out="whole")
    assert flow.texts("whole") == [["a", "w00000", "w00001", "w00002", "z"]]
    flow.sliced("Bag", "words", of=2)
    assert len(open_dataset(Path("out")).slices) == 2
    gather(Path("out"))
    assert flow.content() == flow.content("whole")


# --- portions -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("count", "sizes"),
    [(0, [0]), (1, [1]), (499, [499]), (500, [500]), (501, [500, 1]), (32_001, [*[500] * 64, 1])],
)
def test_each_portion_is_a_call_and_begins_a_part(flow, count, sizes):
    words(flow, count)
    flow("By500", "words", out="whole")
    assert flow.module.By500.sizes == sizes
    assert [part.items for part in open_dataset(Path("whole")).parts] == sizes
    assert portions(count, 500) == len(sizes)


@pytest.mark.parametrize("count", [0, 1, 499, 500, 501, 1500, 1999])
@pytest.mark.parametrize("of", [1, 2, 3, 7])
def test_slices_of_portions_give_the_same_bytes(flow, count, of):
    words(flow, count)
    flow("By500", "words", out="whole")
    flow.sliced("By500", "words", of=of)
    assert flow.texts() == flow.texts("whole")
    gather(Path("out"))
    assert flow.content() == flow.content("whole")


def test_superfluous_slices_call_nothing(flow):
    words(flow, 3)
    flow.sliced("By2", "words", of=5)
    assert flow.module.By2.sizes == [2, 1]
    assert [len(open_dataset(Path(f"out/shard-{number}-of-5")).parts) for number in range(1, 6)] == [1, 1, 0, 0, 0]


def test_a_portion_that_gives_nothing_is_a_part(flow):
    words(flow, 5)
    flow("Silent", "words")
    assert flow.texts() == [[], [], []]
    assert not flow.skipped()


def test_a_portion_goes_over_the_ends_of_datasets(flow):
    words(flow, 3, out="a")
    words(flow, 1, 10, out="b")
    flow("By2", "a", "b", "a")
    assert flow.texts() == [["2 w00000", "2 w00001"], ["2 w00002", "2 w00010"], ["2 w00000", "2 w00001"], ["1 w00002"]]


def test_the_job_may_give_another_size(flow):
    words(flow, 5)
    flow("By2", "words", portion=3)
    flow("By2", "words", portion=0)
    flow("Count", "words", portion=4)
    assert (flow.module.By2.sizes, flow.module.Count.sizes[-2:]) == ([3, 2, 5], [4, 1])


def test_one_item_of_a_list_has_no_portions(flow):
    words(flow, 5)
    with pytest.raises(UsageError, match="OneOf makes one item of all its input"):
        flow("OneOf", "words")


@pytest.mark.parametrize("calls", [[5], [4, 1], [2, 2, 1], [2, 2, 1, 0, 0, 0, 0]])
def test_a_mapped_step_has_a_call_for_each_item_whatever_its_portions(flow, calls):
    of = len(calls)
    words(flow, 5)
    flow("Twice", "words", out="whole")
    assert [len(part) for part in flow.parts("whole")] == [2] * 5
    flow.sliced("Twice", "words", of=of)
    assert [len(open_dataset(Path(f"out/shard-{number}-of-{of}")).parts) for number in range(1, of + 1)] == calls
    gather(Path("out"))
    assert flow.content() == flow.content("whole")


@pytest.mark.parametrize("of", [1, 2, 3])
def test_a_set_of_several_steps_is_cut_as_a_whole(flow, of):
    flow("Unique", out="a", environ={"UNIQUE__COUNT": "4"})
    flow("Unique", out="b", environ={"UNIQUE__COUNT": "4", "UNIQUE__START": "2"})
    flow("BagOf", "a", "b", out="whole")
    assert flow.texts("whole") == [[f"2 w{number:05d}" for number in range(6)]]
    flow.sliced("BagOf", "a", "b", of=of)
    gather(Path("out"))
    assert flow.content() == flow.content("whole")


# --- reports --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "of"), list(itertools.product(["Count", "By2", "Shout", "Twice"], [1, 2, 3, 7])))
def test_slices_add_up_to_the_whole(flow, name, of):
    words(flow, 5)
    words(flow, 2, out="more")
    whole = flow(name, "words", "more", out="whole")
    reports = flow.sliced(name, "words", "more", of=of)
    assert sum(report.items_in for report in reports) == whole.items_in == 7
    assert sum(report.bytes_in for report in reports) == whole.bytes_in
    assert sum(report.items_out for report in reports) == whole.items_out
