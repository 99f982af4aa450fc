import json
import logging
import sys
import textwrap
from pathlib import Path

import pytest

from wurzel.datacontract.dataset import open_dataset
from wurzel.datacontract.gathering import gather
from wurzel.exceptions import (
    ContractFailedException,
    DatasetError,
    EnvSettingsError,
    PipelineError,
    StaticTypeError,
    StepFailed,
    UsageError,
)
from wurzel.invocation.digests import of_inputs
from wurzel.runtime.calls import slice_bounds
from wurzel.runtime.step import Job, run_step
from wurzel.runtime.user_code import UserCodeFailed

STEPS = """
import os
from pathlib import Path
from wurzel import File
from wurzel.core import NoSettings, PydanticModel, SelfConsumingLeafStep, Settings, TypedStep
from wurzel.exceptions import StepFailed

class Word(PydanticModel):
    text: str

    def metrics(self):
        return {"letters": len(self.text)}

class Opts(Settings):
    WORDS: list[str] = ["a", "b", "c", "d", "e"]
    MODE: str = ""

class Words(TypedStep[Opts, None, list[Word]]):
    def run(self, inpt: None) -> list[Word]:
        return [Word(text=text) for text in self.settings.WORDS]

class Upper(TypedStep[NoSettings, list[Word], list[Word]]):
    calls = 0
    def run(self, inpt: list[Word]) -> list[Word]:
        Upper.calls += 1
        return [Word(text=word.text.upper()) for word in inpt]

class Tail(Upper):
    def run(self, inpt: list[Word]) -> list[Word]:
        return [*inpt, Word(text="end")]

class Join(TypedStep[NoSettings, list[Word], Word]):
    def run(self, inpt: list[Word]) -> Word:
        return Word(text=" ".join(word.text for word in inpt))

class Shout(TypedStep[NoSettings, Word, Word]):
    def run(self, inpt: Word) -> Word:
        return Word(text=inpt.text + "!")

class Spell(TypedStep[NoSettings, Word, list[Word]]):
    def run(self, inpt: Word) -> list[Word]:
        return [Word(text=letter) for letter in inpt.text]

class Unique(TypedStep[NoSettings, list[Word], set[Word]]):
    def run(self, inpt: list[Word]) -> set[Word]:
        return set(inpt)

class Grow(TypedStep[NoSettings, set[Word], set[Word]]):
    def run(self, inpt: set[Word]) -> set[Word]:
        return {Word(text=word.text * 2) for word in inpt}

class Memory(SelfConsumingLeafStep[NoSettings, list[Word]]):
    def run(self, inpt: list[Word] | None) -> list[Word]:
        return [*(inpt or []), Word(text="again")]

class Last(SelfConsumingLeafStep[NoSettings, Word]):
    def run(self, inpt: Word | None) -> Word:
        return Word(text=inpt.text + "x" if inpt else "x")

class Lazy(Words):
    def run(self, inpt: None) -> list[Word]:
        yield from (Word(text=text) for text in "xy")

class Careful(Words):
    def __init__(self):
        super().__init__()
        self.word = self.settings.MODE
    def run(self, inpt: None) -> list[Word]:
        return [Word(text=self.word)]
    def finalize(self):
        Path("finalized").write_text(str(sorted(path.name for path in Path("out").iterdir())))
        if self.settings.MODE == "fail":
            raise RuntimeError("cannot tidy up")

class Bad(Words):
    def run(self, inpt: None) -> list[Word]:
        mode = self.settings.MODE
        if mode == "raise":
            self.deeper()
        if mode == "failed":
            raise StepFailed("the shop is closed")
        if mode == "exit":
            raise SystemExit(0)
        if mode == "none":
            return None
        if mode == "break":
            return [Word(text="a"), Word.model_construct(text=None)]
        raise AssertionError(mode)
    def deeper(self):
        try:
            {}["key"]
        except KeyError as error:
            raise ValueError("no such\\nthing") from error

class Wanders(Words):
    def run(self, inpt: None) -> list[Word]:
        import os
        os.chdir("/")
        return []

class BadInit(Words):
    def __init__(self):
        raise RuntimeError("cannot start")

class Loud(Word):
    def metrics(self):
        raise RuntimeError("cannot count")

class BadMetrics(TypedStep[NoSettings, None, list[Loud]]):
    def run(self, inpt: None) -> list[Loud]:
        return [Loud(text="a")]

class SubClass(Words):
    def run(self, inpt: None) -> list[Word]:
        return [Word(text="a"), Loud(text="b")]

class Texts(TypedStep[NoSettings, None, list[File]]):
    def run(self, inpt: None) -> list[File]:
        path = self.workdir / "a.txt"
        path.write_text("text")
        return [File(path)]

def edit(path, mode):
    before, text, beside = path.stat(), path.read_bytes(), path.with_name("beside")
    if mode in {"bytes", "put back"}:
        path.write_bytes(text.swapcase())
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    if mode == "put back":
        path.write_bytes(text)
    if mode == "replaced":
        beside.write_bytes(text.swapcase())
        beside.replace(path)
    if mode in {"gone", "pipe"}:
        path.unlink()
    if mode == "pipe":
        os.mkfifo(path)

class EditsItems(TypedStep[Opts, list[Word], list[Word]]):
    def run(self, inpt: list[Word]) -> list[Word]:
        edit(Path("in/part-00000.json"), self.settings.MODE)
        return inpt

class EditsFiles(TypedStep[Opts, list[File], list[Word]]):
    def run(self, inpt: list[File]) -> list[Word]:
        edit(inpt[0].path, self.settings.MODE)
        return []
"""


@pytest.fixture
def steps(tmp_path, monkeypatch):
    """A module of steps in the current directory."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mysteps.py").write_text(textwrap.dedent(STEPS))
    yield tmp_path
    sys.modules.pop("mysteps", None)


def run(name, *inputs, out="out", environ=None, **options):
    target = name if ":" in name else f"mysteps:{name}"
    return run_step(Job(target, Path(out), tuple(map(Path, inputs)), **options), environ or {})


def texts(folder="out"):
    return [[item["text"] for item in items] for items in raw(folder)]


def raw(folder="out"):
    return [json.loads(part.read()) for part in open_dataset(Path(folder)).parts]


def content(folder):
    return {path.name: path.read_bytes() for path in Path(folder).iterdir()}


# --- what runs with what --------------------------------------------------------------------------------------------


def test_a_source_runs_once_with_nothing(steps):
    report = run("Words", environ={"WORDS__WORDS": '["x", "yy"]'})
    assert texts() == [["x", "yy"]]
    assert report[:3] == (0, 2, 0)
    assert report.bytes_out == sum(part.size for part in open_dataset(Path("out")).parts)
    assert report.metrics == {"letters": 3.0}


def test_a_container_input_is_all_predecessors_in_one_call(steps):
    run("Words", out="b", environ={"WORDS__WORDS": '["b"]'})
    run("Words", out="a", environ={"WORDS__WORDS": '["a"]'})
    report = run("Upper", "b", "a", "b")
    assert texts() == [["B", "A", "B"]]
    assert report[:2] == (3, 3)
    assert sys.modules["mysteps"].Upper.calls == 1


def test_a_single_input_is_mapped_over_the_parts_of_all_predecessors(steps):
    run("Words", out="words")
    run("Join", "words", out="one")
    run("Shout", "one", "one", out="many")
    report = run("Shout", "one", "many")
    assert [item["text"] for item in raw()] == ["a b c d e!", "a b c d e!!", "a b c d e!!"]
    assert report[:2] == (3, 3)
    run("Spell", "many", out="letters")
    assert len(texts("letters")) == 2


def test_a_set_flows_as_a_set(steps):
    run("Words", out="words", environ={"WORDS__WORDS": '["b", "a", "b"]'})
    run("Unique", "words", out="set")
    assert texts("set") == [["a", "b"]]
    run("Grow", "set", "set")
    assert texts() == [["aa", "bb"]]


def test_a_self_consuming_step_is_given_its_last_output(steps):
    for times in (1, 2, 3):
        run("Memory")
        assert texts() == [["again"] * times]
    for text in ("x", "xx"):
        run("Last", out="last")
        assert raw("last")[0]["text"] == text


def test_a_self_consuming_step_does_not_start_anew_when_its_output_is_damaged(steps):
    run("Memory")
    (steps / "out" / "part-00000.json").unlink()
    with pytest.raises(DatasetError, match="is incomplete"):
        run("Memory")
    (steps / "out" / "manifest.json").unlink()
    run("Memory")
    assert texts() == [["again"]]


def test_a_generator_makes_a_list(steps):
    assert run("Lazy").metrics == {"letters": 2.0}
    assert texts() == [["x", "y"]]


# --- settings -------------------------------------------------------------------------------------------------------


def test_settings_come_from_the_id_the_class_name_and_what_is_given(steps):
    environ = {"CAREFUL__MODE": "class", "MY_ID__MODE": "id", "MODE": "bare"}
    run("Careful", environ=environ)
    assert texts() == [["class"]]
    run("Careful", environ=environ, step_id="my-id")
    assert texts() == [["id"]]
    run("Careful", environ=environ, step_id="my-id", given={"MODE": "given"})
    assert texts() == [["given"]]
    run("Careful", environ={"MODE": "bare"})
    assert texts() == [[""]]


def test_wrong_settings_run_nothing(steps):
    with pytest.raises(EnvSettingsError, match="CAREFUL__MOOD: there is no such setting; did you mean CAREFUL__MODE"):
        run("Careful", environ={"CAREFUL__MOOD": "x"})
    assert not Path("out").exists()


# --- what is left behind --------------------------------------------------------------------------------------------


def test_finalize_comes_after_the_output(steps):
    run("Careful")
    assert Path("finalized").read_text() == "['manifest.json', 'part-00000.json']"


def test_a_failing_finalize_fails_the_step_and_says_that_the_output_is_there(steps):
    with pytest.raises(StepFailed, match=r"RuntimeError: cannot tidy up \(in finalize; the output is stored\)"):
        run("Careful", environ={"CAREFUL__MODE": "fail"})
    assert texts() == [["fail"]]


def test_a_report(steps):
    run("Words", report=Path("reports/deep/words.json"))
    assert json.loads(Path("reports/deep/words.json").read_text()) == {
        "items_in": 0,
        "items_out": 5,
        "bytes_in": 0,
        "bytes_out": open_dataset(Path("out")).size,
        "metrics": {"letters": 5},
    }
    assert [path.name for path in Path("reports/deep").iterdir()] == ["words.json"]
    Path("file").write_text("")
    with pytest.raises(StepFailed, match="the report cannot be written"):
        run("Words", report=Path("file/words.json"))


def test_a_step_may_change_the_current_folder(steps):
    run("Wanders", report=Path("report.json"))
    assert (Path("out").is_dir(), Path("report.json").is_file()) == (True, True)


def test_numbers_that_cannot_be_computed_do_not_cost_the_data(steps, caplog):
    with caplog.at_level(logging.WARNING):
        assert run("BadMetrics").metrics == {}
    assert "the metrics cannot be computed: RuntimeError: cannot count" in caplog.text
    assert json.loads((steps / "out" / "part-00000.json").read_text()) == [{"text": "a"}]


def test_an_item_that_would_come_back_as_another_class_leaves_the_previous_output(steps):
    run("Words")
    before = content("out")
    with pytest.raises(ContractFailedException) as caught:
        run("SubClass", out="out")
    assert str(caught.value) == (
        "step 'sub-class': what run returned breaks the contract Word:"
        " item 1 is a Loud, but would be read back as a Word\n  Declare that class, or a union: Word | Loud."
    )
    assert caught.value.exit_code == 3
    assert content("out") == before


@pytest.mark.parametrize("mode", ["raise", "failed", "exit", "none", "break"])
def test_a_failing_step_leaves_its_previous_output(steps, mode):
    run("Words")
    before = content("out")
    with pytest.raises((StepFailed, ContractFailedException)) as caught:
        run("Bad", environ={"BAD__MODE": mode})
    assert caught.value.exit_code == (3 if mode in {"none", "break"} else 1)
    assert content("out") == before
    assert sorted(path.name for path in steps.iterdir() if path.name != "__pycache__") == ["mysteps.py", "out"]


def test_an_error_shows_the_lines_of_its_author_only(steps):
    with pytest.raises(UserCodeFailed) as caught:
        run("Bad", environ={"BAD__MODE": "raise"})
    text = str(caught.value)
    assert text.startswith("step 'bad': ValueError: no such thing\nTraceback")
    assert text.endswith("ValueError: no such\nthing")
    assert "KeyError: 'key'" in text
    assert [line.split(", ")[-1] for line in text.splitlines() if line.startswith("  File")] == [
        "in deeper",
        "in run",
        "in deeper",
    ]
    assert "mysteps.py" in text
    assert "wurzel" not in text
    assert caught.value.reason == "ValueError: no such thing"


@pytest.mark.parametrize(
    ("mode", "message"),
    [
        ("failed", "step 'bad': the shop is closed"),
        ("exit", "step 'bad': it calls sys.exit(0)"),
        ("none", "step 'bad': what run returned breaks the contract Word: it is None, not a list"),
        (
            "break",
            "step 'bad': what run returned breaks the contract Word: item 1, field 'text': Input",
        ),
    ],
)
def test_other_failures_are_said_without_a_traceback(steps, mode, message):
    with pytest.raises((StepFailed, ContractFailedException)) as caught:
        run("Bad", environ={"BAD__MODE": mode})
    assert message in str(caught.value)
    assert "Traceback" not in str(caught.value)


def test_an_error_while_starting(steps):
    with pytest.raises(UserCodeFailed, match="step 'bad-init': RuntimeError: cannot start"):
        run("BadInit")


# --- wrong use ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: run("Words", "words"), "Words is a source and takes no input"),
        (lambda: run("Memory", "words"), "Memory is a source and takes no input"),
        (lambda: run("Upper"), "Upper needs an input"),
        (lambda: run("Upper", "words", out="words"), "the output words overlaps with the input words"),
        (lambda: run("Upper", "words", out="words/inner"), "the output words/inner overlaps with the input words"),
        (lambda: run("Words", out="."), "the output . contains the current folder"),
        (lambda: run("Words", out=".."), "the output .. contains the current folder"),
        (lambda: run("Words", shard=(1, 2)), "Words is a source, so it has no input to split into slices"),
        (lambda: run("Memory", shard=(1, 2)), "Memory is a source"),
        (lambda: run("Join", "words", shard=(1, 2)), "Join makes one item of all its input"),
        (lambda: run("Words", step_id="Not_An_Id"), "--id: 'Not_An_Id' is not a step id"),
        (lambda: run("mysteps:Word"), "mysteps:Word: is <class 'mysteps.Word'>, not a step class"),
        (lambda: run("mysteps:Path"), "not a step class"),
    ],
)
def test_wrong_use_is_said_before_anything_runs(steps, call, message):
    run("Words", out="words")
    before = content("words")
    with pytest.raises(UsageError) as caught:
        call()
    assert message in str(caught.value)
    assert caught.value.exit_code == 2
    assert content("words") == before
    assert not Path("out").exists()


def test_classes_that_are_not_there_or_wrong(steps):
    with pytest.raises(PipelineError, match=r"has no attribute 'Word5'(.|\n)*Did you mean Word"):
        run("mysteps:Word5")
    with pytest.raises(PipelineError, match=r"no module 'mystep'(.|\n)*Did you mean mysteps\?"):
        run("mystep:Words")
    (steps / "broken.py").write_text(
        "from wurzel.core import TypedStep\nclass Step(TypedStep[None, None, None]):\n    def run(self, inpt): ...\n"
    )
    with pytest.raises(StaticTypeError, match="the output of Step cannot be None"):
        run("broken:Step")


def test_inputs_that_are_missing_or_other(steps):
    run("Words", out="words")
    run("Unique", "words", out="set")
    with pytest.raises(DatasetError, match="nowhere: there is no such dataset"):
        run("Upper", "words", "nowhere")
    with pytest.raises(
        DatasetError, match=r"set: contains set\[mysteps:Word\], but the step takes list\[mysteps:Word\]"
    ):
        run("Upper", "words", "set")
    assert not Path("out").exists()


@pytest.mark.parametrize(
    ("kind", "mode", "fails"),
    [
        ("Items", "bytes", True),
        ("Items", "put back", False),
        ("Items", "replaced", False),  # what was read had been verified
        ("Items", "gone", False),
        ("Items", "pipe", False),
        ("Files", "bytes", True),
        ("Files", "put back", False),
        ("Files", "replaced", True),
        ("Files", "gone", True),
        ("Files", "pipe", True),
    ],
)
def test_a_step_fails_if_its_input_changes_while_it_runs(steps, kind, mode, fails):
    run("Texts" if kind == "Files" else "Words", out="in")
    environ = {f"EDITS{kind.upper()}__MODE": mode}
    if fails:
        with pytest.raises(DatasetError, match=r"in/\S+: was changed while the step ran\n.*copy it to self\.workdir"):
            run(f"Edits{kind}", "in", environ=environ)
    else:
        run(f"Edits{kind}", "in", environ=environ)
    assert Path("out").exists() is not fails


def test_a_part_is_verified_again_if_another_takes_its_place(steps):
    run("Words", out="in")
    with pytest.raises(DatasetError, match="is damaged: its digest"):
        run("EditsItems", "in", environ={"EDITSITEMS__MODE": "replaced"}, portion=2)


def test_a_step_reads_the_data_that_it_was_started_for(steps):
    run("Words", out="in")
    run("Upper", "in", reads=of_inputs([("", open_dataset(Path("in")).digest)]))
    run("Words", out="in", given={"WORDS": ["other"]})
    before = content("out")
    with pytest.raises(DatasetError, match="in: was changed by something else since this run began"):
        run("Upper", "in", reads=of_inputs([("", open_dataset(Path("out")).digest)]))
    assert content("out") == before


# --- slices ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("total", [0, 1, 2, 5, 7, 100])
@pytest.mark.parametrize("of", [1, 2, 3, 7, 101])
def test_slices_are_contiguous_and_even(total, of):
    bounds = [slice_bounds(total, number, of) for number in range(1, of + 1)]
    assert [start for start, _ in bounds] == [0, *(stop for _, stop in bounds[:-1])]
    assert bounds[-1][1] == total
    sizes = [stop - start for start, stop in bounds]
    assert max(sizes) - min(sizes) <= 1
    assert sizes == sorted(sizes, reverse=True)


@pytest.mark.parametrize("of", [1, 2, 3, 5, 8])
@pytest.mark.parametrize("name", ["Upper", "Unique", "Grow", "Shout", "Spell"])
def test_any_number_of_slices_gives_the_same_bytes(steps, name, of):
    run("Words", out="words")
    run("Words", out="more", environ={"WORDS__WORDS": '["x", "y"]'})
    sources = ["words", "more"]
    if name == "Grow":
        for source in sources:
            run("Unique", source, out=f"{source}-set")
        sources = [f"{source}-set" for source in sources]
    elif name in {"Shout", "Spell"}:
        run("Join", "words", out="one")
        run("Join", "more", out="two")
        sources = ["one", "two", "one"]
    whole = run(name, *sources, out="whole")
    reports = [run(name, *sources, out="cut", shard=(number, of)) for number in range(1, of + 1)]
    assert sum(report.items_in for report in reports) == whole.items_in
    run_after_cut = open_dataset(Path("cut"))
    assert run_after_cut.items == whole.items_out
    gather(Path("cut"))
    assert content("cut") == content("whole")


def test_slices_of_no_items_at_all_give_what_the_whole_gives(steps):
    run("Words", out="words", environ={"WORDS__WORDS": "[]"})
    run("Tail", "words", out="whole")
    for number in (1, 2, 3):
        run("Tail", "words", out="cut", shard=(number, 3))
    gather(Path("cut"))
    assert content("cut") == content("whole")


def test_a_slice_without_items_does_not_run(steps):
    run("Words", out="words", environ={"WORDS__WORDS": '["a"]'})
    run("Upper", "words", out="cut", shard=(2, 2))
    assert sys.modules["mysteps"].Upper.calls == 0


def test_slices_of_one_step_are_read_by_the_next(steps):
    run("Words", out="words")
    for number in (2, 1, 3):
        run("Upper", "words", out="cut", shard=(number, 3))
    run("Upper", "cut")
    assert texts() == [["A", "B", "C", "D", "E"]]
