"""When a step runs, and what stands in its place when it does not."""

import json
from pathlib import Path

import pytest

from wurzel.datacontract.dataset import gather, open_dataset
from wurzel.exceptions import ContractFailedException, DatasetError, StaticTypeError
from wurzel.runtime.user_code import UserCodeFailed

STEPS = """
from pathlib import Path
from wurzel.core import NoSettings, PydanticModel, SelfConsumingLeafStep, Settings, TypedStep

class Word(PydanticModel):
    text: str

class Opts(Settings):
    WORDS: list[str] = ["a", "b", "c", "d", "e"]
    RUNS: bool = True

class Words(TypedStep[Opts, None, list[Word]]):
    def when(self, inpt: None) -> bool:
        return self.settings.RUNS
    def run(self, inpt: None) -> list[Word]:
        return [Word(text=text) for text in self.settings.WORDS]

class Word1(TypedStep[Opts, None, Word]):
    def when(self, inpt: None) -> bool:
        return self.settings.RUNS
    def run(self, inpt: None) -> Word:
        return Word(text=self.settings.WORDS[0])

class Upper(TypedStep[NoSettings, list[Word], list[Word]]):
    called = []
    def run(self, inpt: list[Word]) -> list[Word]:
        type(self).called.append("run")
        return [Word(text=word.text.upper()) for word in inpt]
    def finalize(self) -> None:
        type(self).called.append("finalize")

class Many(Upper):
    def when(self, inpt: list[Word]) -> bool:
        type(self).called.append(len(inpt))
        return len(inpt) > 2

class Always(Upper):
    def when(self, inpt: list[Word]) -> bool:
        return True

class Thief(Upper):
    def when(self, inpt: list[Word]) -> bool:
        inpt.clear()
        return True

class Shout(TypedStep[NoSettings, Word, Word]):
    def run(self, inpt: Word) -> Word:
        return Word(text=inpt.text + "!")

class Picky(Shout):
    def when(self, inpt: Word) -> bool:
        return inpt.text in "bd"

class Maybe(TypedStep[NoSettings, Word | None, list[Word]]):
    def when(self, inpt: Word | None) -> bool:
        return True
    def run(self, inpt: Word | None) -> list[Word]:
        return [Word(text="nothing" if inpt is None else inpt.text)]

class Portions(Many):
    shards = {"items": 2, "max": 3}

class Memory(SelfConsumingLeafStep[Opts, list[Word]]):
    def when(self, inpt: list[Word] | None) -> bool:
        return self.settings.RUNS
    def run(self, inpt: list[Word] | None) -> list[Word]:
        return [*(inpt or []), Word(text="again")]

class Odd(Upper):
    answer = None
    def when(self, inpt: list[Word]) -> bool:
        return type(self).answer

class Raises(Upper):
    def when(self, inpt: list[Word]) -> bool:
        raise ValueError("cannot decide")

class Waits(Upper):
    async def when(self, inpt: list[Word]) -> bool:
        return False

class Fickle(Upper):
    asked = 0
    def when(self, inpt: list[Word]) -> bool:
        Fickle.asked += 1
        return Fickle.asked > 1
"""

NO = {"WORDS__RUNS": "false", "WORD1__RUNS": "false", "MEMORY__RUNS": "false"}


@pytest.fixture
def flow(flow):
    flow.write(STEPS)
    flow("Words", out="five")
    flow("Words", out="two", environ={"WORDS__WORDS": '["x", "y"]'})
    flow("Words", out="none", environ={"WORDS__WORDS": "[]"})
    flow("Words", out="skipped", environ=NO)
    return flow


# --- a step that is skipped -----------------------------------------------------------------------------------------


def test_a_step_whose_when_is_false_gives_an_empty_complete_dataset_that_says_so(flow):
    report = flow("Many", "two")
    assert json.loads(Path("out/manifest.json").read_bytes()) == {
        "format": 2,
        "contract": "flow:Word",
        "containers": ["list"],
        "skipped": True,
        "items": 0,
        "parts": [],
    }
    assert (report.items_in, report.items_out, report.bytes_out, report.skipped) == (2, 0, 0, True)
    assert flow.module.Many.called == [2]


def test_a_step_whose_when_is_true_runs(flow):
    assert not flow("Many", "five").skipped
    assert flow.texts() == [["A", "B", "C", "D", "E"]]
    assert flow.module.Many.called == [5, "run", "finalize"]


def test_a_report_says_skipped_only_then(flow):
    flow("Many", "two", report=Path("skipped.json"))
    flow("Many", "five", report=Path("ran.json"))
    assert json.loads(Path("skipped.json").read_bytes())["skipped"] is True
    assert "skipped" not in json.loads(Path("ran.json").read_bytes())


def test_skipped_is_not_empty(flow):
    flow("Upper", "none", out="empty")
    assert not flow.skipped("empty")
    assert flow.skipped("skipped")
    assert open_dataset(Path("empty")).digest != open_dataset(Path("skipped")).digest


def test_a_source_may_be_skipped(flow):
    assert flow("Word1", environ=NO).skipped
    assert flow.skipped()


def test_a_skipped_output_takes_the_place_of_the_last_one(flow):
    flow("Many", "five")
    flow("Many", "two")
    assert flow.content().keys() == {"manifest.json"}


# --- a step after skipped ones --------------------------------------------------------------------------------------


def test_a_step_after_skipped_steps_alone_is_skipped(flow):
    assert flow("Upper", "skipped", "skipped").skipped
    assert flow("Shout", "skipped").skipped
    assert flow.module.Upper.called == []


def test_a_when_of_its_own_decides_after_skipped_steps(flow):
    assert not flow("Always", "skipped").skipped
    assert flow.texts() == [[]]
    assert flow("Many", "skipped").skipped
    assert flow.module.Many.called[-1] == 0


def test_skipped_and_empty_steps_are_left_out_of_a_join(flow):
    assert not flow("Upper", "skipped", "two", "none", "skipped", "five").skipped
    assert flow.texts() == [["X", "Y", "A", "B", "C", "D", "E"]]
    assert not flow("Upper", "none", "skipped").skipped
    assert flow.texts() == [[]]


def test_one_item_that_may_be_missing(flow):
    flow("Word1", out="word")
    flow("Word1", out="no-word", environ=NO)
    flow("Maybe", "word")
    assert flow.texts() == [["a"]]
    flow("Maybe", "no-word")
    assert flow.texts() == [["nothing"]]


def test_a_step_that_takes_one_item_is_skipped_without_one_whatever_when_says(flow, caplog):
    caplog.set_level("INFO")
    flow("Word1", out="no-word", environ=NO)
    assert flow("Picky", "no-word").skipped
    assert "skipped: all steps before it were skipped" in caplog.text


# --- a mapped step --------------------------------------------------------------------------------------------------


def test_a_mapped_step_is_asked_for_each_item(flow):
    report = flow("Picky", "five")
    assert flow.texts() == [["b!"], ["d!"]]
    assert report[:2] == (5, 2)


def test_a_mapped_dataset_without_parts_is_skipped(flow):
    assert flow("Picky", "two").skipped
    assert flow("Shout", "none").skipped
    assert flow.skipped()


@pytest.mark.parametrize("of", [1, 2, 3, 7])
@pytest.mark.parametrize("given", ["five", "two", "none"])
def test_slices_of_a_mapped_step_may_each_be_skipped(flow, of, given):
    flow("Picky", given, out="whole")
    flow.sliced("Picky", given, of=of)
    assert flow.skipped() == flow.skipped("whole") == (given != "five")
    gather(Path("out"))
    assert flow.content() == flow.content("whole")


# --- slices ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["Many", "Portions"])
@pytest.mark.parametrize("given", ["five", "two", "none"])
@pytest.mark.parametrize("of", [1, 2, 3, 9])
def test_each_slice_asks_with_the_whole_input(flow, name, given, of):
    flow(name, given, out="whole")
    getattr(flow.module, name).called.clear()
    flow.sliced(name, given, of=of)
    asked = [what for what in getattr(flow.module, name).called if isinstance(what, int)]
    assert asked == [{"five": 5, "two": 2, "none": 0}[given]] * of
    gather(Path("out"))
    assert flow.content() == flow.content("whole")


def test_slices_that_disagree_are_an_error(flow):
    flow.sliced("Fickle", "five", of=3)
    with pytest.raises(DatasetError, match="its slices disagree: slice 1 was skipped"):
        open_dataset(Path("out"))


# --- what when may give ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "shown"),
    [("None", "None"), ("1", "1"), ("'yes'", "'yes'"), ("numpy.True_", "a numpy.bool")],
)
def test_anything_but_true_and_false_is_an_error(flow, answer, shown):
    numpy = pytest.importorskip("numpy")
    flow("Upper", "two")
    flow.module.Odd.answer = eval(answer, {"numpy": numpy})
    with pytest.raises(ContractFailedException, match=rf"step 'odd': when returned {shown}_?, not True or False"):
        flow("Odd", "five", out="odd")
    assert not Path("odd").exists()


def test_a_series_is_an_error(flow):
    pandas = pytest.importorskip("pandas")
    flow("Upper", "two")
    flow.module.Odd.answer = pandas.Series([True])
    with pytest.raises(ContractFailedException, match=r"when returned a pandas.*Series, not True or False"):
        flow("Odd", "five")


def test_an_async_when_is_an_error(flow):
    with pytest.raises(StaticTypeError, match="when does not return True or False"):
        flow("Waits", "five")


def test_an_error_in_when_fails_the_step(flow):
    with pytest.raises(UserCodeFailed, match=r"step 'raises': ValueError: cannot decide \(in when\)") as caught:
        flow("Raises", "five")
    assert caught.value.exit_code == 1


def test_when_cannot_change_what_run_gets(flow):
    flow("Thief", "two")
    assert flow.texts() == [["X", "Y"]]


# --- a step that reads its own last output --------------------------------------------------------------------------


def test_a_skipped_self_consuming_step_keeps_its_last_output(flow):
    flow("Memory")
    flow("Memory")
    before = flow.content()
    assert flow("Memory", environ=NO).skipped
    assert flow.content() == before
    flow("Memory")
    assert flow.texts() == [["again", "again", "again"]]


def test_a_last_output_that_is_skipped_counts_as_none(flow):
    assert flow("Memory", environ=NO).skipped
    assert flow.skipped()
    assert flow("Memory", environ=NO).skipped
    flow("Memory")
    assert flow.texts() == [["again"]]
