"""Steps with named inputs and outputs, and streams: what run gets and gives, item by item where it asks so."""

import json
from pathlib import Path

import pytest

from wurzel.datacontract.dataset import gather_outputs, open_dataset
from wurzel.exceptions import BROKEN_CONTRACT, ContractFailedException, DatasetError, UsageError, WrongDataset
from wurzel.runtime import slices
from wurzel.runtime.user_code import UserCodeFailed

STEPS = """
import os
from collections.abc import Iterable, Iterator
from wurzel import File, Inputs, NoSettings, Outputs, PydanticModel, Settings, TypedStep

class Word(PydanticModel):
    text: str

    def metrics(self):
        return {"letters": len(self.text)}

class Text(File):
    suffix = ".txt"

class Opts(Settings):
    COUNT: int = 5
    RUNS: bool = True

class Words(TypedStep[Opts, None, list[Word]]):
    def run(self, inpt: None) -> list[Word]:
        return [Word(text=f"w{number}") for number in range(self.settings.COUNT)]

class One(TypedStep[Opts, None, Word]):
    def when(self, inpt: None) -> bool:
        return self.settings.RUNS
    def run(self, inpt: None) -> Word:
        return Word(text="one")

class Halves(Outputs):
    train: list[Word]
    test: Iterator[Word]
    note: Text

class Cut(TypedStep[NoSettings, list[Word], Halves]):
    def when(self, inpt: list[Word]) -> bool:
        return len(inpt) > 1
    def run(self, inpt: list[Word]) -> Halves:
        path = self.workdir / "note.txt"
        path.write_text(f"{len(inpt)} words")
        return Halves(train=inpt[1:], test=iter(inpt[:1]), note=Text(path))

class Odd(Outputs):
    odd: list[Word]
    even: list[Word]

class Portions(TypedStep[NoSettings, list[Word], Odd]):
    shards = {"items": 2, "max": 3}
    def run(self, inpt: list[Word]) -> Odd:
        return Odd(odd=inpt[1::2], even=inpt[::2])

class Thirds(Portions):
    def when(self, inpt: list[Word]) -> bool:
        return len(inpt) > 1

class Wrong(TypedStep[NoSettings, list[Word], Odd]):
    def run(self, inpt: list[Word]) -> Odd:
        return {"odd": inpt, "even": inpt}

class Streams(Outputs):
    odd: Iterator[Word]
    even: Iterator[Word]

class Shared(TypedStep[NoSettings, list[Word], Streams]):
    def run(self, inpt: list[Word]) -> Streams:
        words = iter(inpt)
        return Streams(odd=words, even=words)

class Broken(TypedStep[NoSettings, list[Word], Odd]):
    def run(self, inpt: list[Word]) -> Odd:
        return Odd(odd=inpt, even=None)

class Both(Inputs):
    docs: list[Word]
    more: Iterable[Word]
    head: Word
    tail: Word | None
    rest: list[Word] | None

class Join(TypedStep[NoSettings, Both, list[Word]]):
    shard_by = "docs"
    def run(self, inpt: Both) -> list[Word]:
        tail = "no tail" if inpt.tail is None else inpt.tail.text
        rest = "no rest" if inpt.rest is None else f"{len(inpt.rest)} rest"
        more = "".join(word.text for word in inpt.more) + "".join(word.text for word in inpt.more)
        return [Word(text=f"{word.text} {more} {inpt.head.text} {tail} {rest}") for word in inpt.docs]

class Ambiguous(Join):
    shard_by = ""

class ByTwo(Join):
    shards = {"items": 2, "max": 9}

class Upper(TypedStep[NoSettings, Iterator[Word], Iterator[Word]]):
    shards = {"items": 2, "max": 3}
    def run(self, inpt: Iterator[Word]) -> Iterator[Word]:
        for word in inpt:
            yield Word(text=word.text.upper())

class Twice(TypedStep[NoSettings, Iterable[Word], Iterable[Word]]):
    def run(self, inpt: Iterable[Word]) -> Iterable[Word]:
        return [*inpt, *inpt]

class Again(TypedStep[NoSettings, Iterator[Word], Odd]):
    def run(self, inpt: Iterator[Word]) -> Odd:
        return Odd(odd=list(inpt), even=list(inpt))

class Swallows(TypedStep[NoSettings, Iterator[Word], list[Word]]):
    def run(self, inpt: Iterator[Word]) -> list[Word]:
        found = []
        try:
            for word in inpt:
                found.append(word)
        except Exception:
            pass
        return found

class Forks(TypedStep[Opts, None, Iterator[Word]]):
    def run(self, inpt: None) -> Iterator[Word]:
        yield Word(text="before")
        pid = os.fork()
        for number in range(self.settings.COUNT):
            yield Word(text=f"after {number}")
        if pid:
            os.waitpid(pid, 0)

class ForksFiles(TypedStep[NoSettings, None, Iterator[Text]]):
    def run(self, inpt: None) -> Iterator[Text]:
        pid = os.fork()
        if pid:
            os.waitpid(pid, 0)
        for name in "ab":
            path = self.workdir / f"{name}.txt"
            path.write_text(name)
            yield Text(path)

class RaisesAtTheEnd(TypedStep[NoSettings, None, Iterator[Word]]):
    def run(self, inpt: None) -> Iterator[Word]:
        yield Word(text="a")
        raise ValueError("at the end")

class Asks(TypedStep[NoSettings, Iterator[Word], Iterator[Word]]):
    def when(self, inpt: Iterator[Word]) -> bool:
        return len(list(inpt)) > 1
    def run(self, inpt: Iterator[Word]) -> Iterator[Word]:
        yield from inpt
"""


@pytest.fixture
def flow(flow):
    flow.write(STEPS)
    flow("Words", out="words")
    flow("Words", out="two", environ={"WORDS__COUNT": "2"})
    flow("One", out="one")
    flow("One", out="none", environ={"ONE__RUNS": "false"})
    return flow


# --- outputs --------------------------------------------------------------------------------------------------------


def test_each_output_is_a_dataset_in_the_folder_of_the_step(flow):
    report = flow("Cut", "words", report=Path("report.json"))
    assert sorted(path.name for path in Path("out").iterdir()) == ["note", "test", "train"]
    assert (flow.texts("out/train"), flow.texts("out/test")) == ([["w1", "w2", "w3", "w4"]], [["w0"]])
    assert Path("out/note/00000/note.txt").read_text() == "5 words"
    assert report.items_out == 6
    assert json.loads(Path("report.json").read_bytes())["metrics"] == {"test.letters": 2, "train.letters": 8}


def test_all_outputs_of_a_skipped_step_are_skipped(flow):
    flow("Words", out="single", environ={"WORDS__COUNT": "1"})
    assert flow("Cut", "single").skipped
    assert all(flow.skipped(f"out/{name}") for name in ("train", "test", "note"))


@pytest.mark.parametrize("of", [1, 2, 3, 5])
def test_slices_have_all_outputs(flow, of):
    flow("Portions", "words", out="whole")
    flow.sliced("Portions", "words", of=of)
    assert flow.texts("out/odd") == flow.texts("whole/odd") == [["w1"], ["w3"], []]
    assert flow.texts("out/even") == [["w0"], ["w2"], ["w4"]]
    gather_outputs(Path("out"))
    assert flow.content() == flow.content("whole")


@pytest.mark.parametrize(("given", "skipped"), [("words", False), ("single", True)])
def test_reports_of_slices_are_put_together(flow, given, skipped):
    flow("Words", out="single", environ={"WORDS__COUNT": "1"})
    flow("Thirds", given, out="whole", report=Path("whole.json"))
    for number in (1, 2, 3):
        report = slices.staging(Path("out")) / f"shard-{number}-of-3" / slices.REPORT
        flow("Thirds", given, out=slices.staging(Path("out")), shard=(number, 3), report=report)
    slices.assemble(Path("out"), Path("out.json"))
    assert json.loads(Path("out.json").read_bytes()) == json.loads(Path("whole.json").read_bytes())
    assert json.loads(Path("out.json").read_bytes()).get("skipped", False) is skipped
    assert flow.content() == flow.content("whole")


def test_a_step_that_fails_at_its_second_output_leaves_nothing(flow):
    flow("Portions", "words")
    before = flow.content()
    with pytest.raises(ContractFailedException, match=r"step 'broken': the output even breaks the contract Word"):
        flow("Broken", "words")
    assert flow.content() == before


def test_run_gives_the_class_of_outputs(flow):
    with pytest.raises(ContractFailedException, match=r"step 'wrong': run returned a dict, not Odd"):
        flow("Wrong", "words")


def test_the_folder_of_a_step_with_outputs_is_not_a_dataset(flow):
    flow("Portions", "words", out="odd")
    with pytest.raises(DatasetError, match=r"odd: .*even, odd"):
        flow("Upper", "odd")


# --- inputs ---------------------------------------------------------------------------------------------------------

NEEDED = ("docs=words", "more=two", "head=one")


def test_each_input_gets_its_datasets(flow):
    flow("Join", "docs=two", "more=two", "docs=two", "head=one", "tail=one", "rest=words")
    assert flow.texts() == [[f"{word} w0w1w0w1 one one 5 rest" for word in ("w0", "w1", "w0", "w1")]]


def test_what_may_be_missing_is_none(flow):
    flow("Join", *NEEDED)
    assert flow.texts()[0][0] == "w0 w0w1w0w1 one no tail no rest"
    flow("Join", *NEEDED, "tail=none")
    assert flow.texts()[0][0] == "w0 w0w1w0w1 one no tail no rest"


def test_one_item_of_several_steps(flow):
    flow("Join", "docs=two", "more=two", "head=none", "head=one", "head=none")
    assert flow.texts()[0][0] == "w0 w0w1w0w1 one no tail no rest"
    with pytest.raises(
        WrongDataset, match=r"the input head takes one item, but there are 2: one \(1\), one \(1\)"
    ) as it:
        flow("Join", "docs=two", "more=two", "head=one", "head=one")
    assert it.value.exit_code == BROKEN_CONTRACT


def test_a_step_that_lacks_an_item_is_skipped(flow):
    assert flow("Join", "docs=two", "more=two", "head=none").skipped


@pytest.mark.parametrize("name", ["Join", "ByTwo"])
@pytest.mark.parametrize("of", [1, 2, 3, 7])
def test_slices_cut_the_input_that_shard_by_names(flow, name, of):
    flow(name, *NEEDED, out="whole")
    reports = flow.sliced(name, *NEEDED, of=of)
    assert sum(report.items_in for report in reports) == 5 + 2 + 1
    gather_outputs(Path("out"))
    assert flow.content() == flow.content("whole")


def test_the_input_that_is_cut_must_be_known(flow):
    with pytest.raises(UsageError, match=r"Ambiguous does not say which of its inputs is cut.*docs, more, rest"):
        flow("Ambiguous", *NEEDED, shard=(1, 2))
    flow("Ambiguous", *NEEDED, shard=(1, 2), shard_by="more")


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        (["words"], r"-i words does not say which input of Join it is\n  Write NAME=DIR; its inputs are docs, more"),
        (["dcos=words"], r"Join has no input 'dcos'\n  Did you mean docs\?"),
        (["docs=words"], r"Join needs the input more and head\n  Give -i more=DIR -i head=DIR"),
        ([], "Join needs an input"),
    ],
)
def test_inputs_that_are_not_named_rightly(flow, inputs, message):
    with pytest.raises(UsageError, match=message):
        flow("Join", *inputs)


def test_nothing_is_mapped_with_inputs(flow):
    with pytest.raises(WrongDataset, match=r"words: contains list\[flow:Word\], but the step takes flow:Word"):
        flow("Join", "docs=words", "more=two", "head=words")


# --- streams --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("of", [1, 2, 3, 7])
def test_streams_are_cut_into_portions(flow, of):
    flow("Upper", "words", "two", out="whole")
    assert flow.texts("whole") == [["W0", "W1"], ["W2", "W3"], ["W4", "W0"], ["W1"]]
    flow.sliced("Upper", "words", "two", of=of)
    gather_outputs(Path("out"))
    assert flow.content() == flow.content("whole")


def test_metrics_of_a_stream_are_those_of_a_list(flow):
    assert flow("Upper", "words").metrics == {"letters": 10.0}


def test_an_iterable_starts_again(flow):
    flow("Twice", "two")
    assert flow.texts() == [["w0", "w1", "w0", "w1"]]


def test_two_outputs_of_one_iterator_are_an_error(flow):
    with pytest.raises(ContractFailedException, match="the outputs odd and even are one iterator"):
        flow("Shared", "two")
    assert not Path("out").exists()


def test_an_iterator_that_is_asked_again_is_an_error(flow):
    with pytest.raises(ContractFailedException, match="asked for items after its end"):
        flow("Again", "two")


def test_a_damaged_part_fails_the_step_that_swallows_the_error(flow):
    part = Path("words/part-00000.json")
    part.write_bytes(part.read_bytes().replace(b"w3", b"w9"))
    with pytest.raises(DatasetError, match="is damaged"):
        flow("Swallows", "words")
    assert not Path("out").exists()


def test_a_generator_that_raises_at_its_end_stores_nothing(flow):
    with pytest.raises(UserCodeFailed, match="step 'raises-at-the-end': ValueError: at the end"):
        flow("RaisesAtTheEnd")
    assert not Path("out").exists()


@pytest.mark.parametrize("items", [2, 20_000])
def test_only_one_process_writes_what_a_generator_that_forks_yields(flow, items):
    flow("Forks", environ={"FORKS__COUNT": str(items)})
    assert flow.texts() == [["before", *(f"after {number}" for number in range(items))]]


def test_only_one_process_gives_files(flow):
    flow("ForksFiles")
    assert [path.name for path in sorted(Path("out").rglob("*.txt"))] == ["a.txt", "b.txt"]


def test_a_stream_is_opened_anew_for_run_after_when(flow):
    flow("Asks", "two")
    assert flow.texts() == [["w0", "w1"]]


def test_open_slices_of_an_output_are_read_by_the_next_step(flow):
    flow.sliced("Portions", "words", of=2, out="cut")
    flow("Upper", "cut/odd")
    assert open_dataset(Path("cut/odd")).items == 2
    assert flow.texts() == [["W1", "W3"]]
