"""`run_step`: a step under test, through the disk."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from wurzel import CommandStep, File, Folder, Inputs, NoSettings, Outputs, PydanticModel, Settings, TypedStep
from wurzel.core import SelfConsumingLeafStep
from wurzel.exceptions import ContractFailedException, EnvSettingsError, StepFailed, UsageError
from wurzel.testing import SKIPPED, run_step


class Doc(PydanticModel):
    text: str


class Longer(Doc):
    more: str = ""


class Halves(Outputs):
    train: list[Doc]
    test: list[Doc]


class Text(File):
    suffix = ".txt"


class Taken(Inputs):
    docs: Iterator[Doc]
    scan: Text | None


class Limit(Settings):
    LIMIT: int


class Cut(TypedStep[Limit, list[Doc], Halves]):
    shards = {"items": 2, "max": 3}

    def when(self, inpt: list[Doc]) -> bool:
        return len(inpt) > 1

    def run(self, inpt: list[Doc]) -> Halves:
        return Halves(train=inpt[self.settings.LIMIT :], test=inpt[: self.settings.LIMIT])


class Upper(TypedStep[NoSettings, Doc, Doc]):
    def run(self, inpt: Doc) -> Doc:
        if not inpt.text:
            raise KeyError("no text")
        return Doc(text=inpt.text.upper())


class Take(TypedStep[NoSettings, Taken, Text]):
    def run(self, inpt: Taken) -> Text:
        path = self.workdir / "all.txt"
        texts = [doc.text for doc in inpt.docs]
        path.write_text(" ".join([*texts, inpt.scan.path.read_text() if inpt.scan else "nothing"]))
        return Text(path)


def docs(*texts: str) -> list[Doc]:
    return [Doc(text=text) for text in texts]


def test_named_outputs_are_an_object_of_their_class():
    result = run_step(Cut, docs("a", "b"), settings={"LIMIT": 1})
    assert result.output == Halves(train=docs("b"), test=docs("a"))
    assert not result.skipped
    assert (result.folder / "train" / "manifest.json").is_file()


@pytest.mark.parametrize("slices", [1, 2, 5])
def test_each_portion_is_a_call_in_any_number_of_slices(slices):
    result = run_step(Cut, docs("a", "b", "c", "d", "e"), settings={"LIMIT": 1}, slices=slices)
    assert result.output == Halves(train=docs("b", "d"), test=docs("a", "c", "e"))


@pytest.mark.parametrize("slices", [1, 3])
def test_metrics_are_those_of_the_report(slices):
    class Counted(PydanticModel):
        text: str

        def metrics(self) -> dict[str, float]:
            return {"letters": float(len(self.text))}

    class Same(TypedStep[NoSettings, list[Doc], list[Counted]]):
        def run(self, inpt: list[Doc]) -> list[Counted]:
            return [Counted(text=doc.text) for doc in inpt]

    assert run_step(Same, docs("a", "bb", "ccc"), slices=slices).metrics["letters"] == 6


def test_portion_wins_over_the_class():
    result = run_step(Cut, docs("a", "b", "c"), settings={"LIMIT": 1}, portion=0)
    assert result.output == Halves(train=docs("b", "c"), test=docs("a"))


def test_a_condition_skips():
    result = run_step(Cut, docs("a"), settings={"LIMIT": 1})
    assert (result.output, result.skipped) == (Halves(train=[], test=[]), True)


def test_skipped_input():
    assert run_step(Upper, SKIPPED).output is None
    assert (
        run_step(Take, Taken(docs=docs("a"), scan=SKIPPED)).folder.joinpath("00000", "all.txt").read_text()
        == "a nothing"
    )


def test_one_item_or_a_list_to_map():
    assert run_step(Upper, Doc(text="a")).output == Doc(text="A")
    assert run_step(Upper, docs("a", "b")).output == docs("A", "B")
    assert run_step(Upper, []).output == []


def test_files_of_the_test_stay_where_they_are(tmp_path):
    scan = tmp_path / "b.txt"
    scan.write_text("scan")
    result = run_step(Take, Taken(docs=iter(docs("a")), scan=Text(scan)), folder=tmp_path / "run")
    assert result.output.path.read_text() == "a scan"
    assert scan.read_text() == "scan"
    assert result.folder == tmp_path / "run" / "output"


def test_a_folder_keeps_its_executables_and_empty_folders(tmp_path):
    class Same(TypedStep[NoSettings, Folder, Folder]):
        def run(self, inpt: Folder) -> Folder:
            return inpt

    (tmp_path / "site" / "empty").mkdir(parents=True)
    (tmp_path / "site" / "run").write_text("#!/bin/sh\n")
    (tmp_path / "site" / "run").chmod(0o755)
    kept = run_step(Same, Folder(tmp_path / "site")).output.path
    assert (kept / "empty").is_dir()
    assert (kept / "run").stat().st_mode & 0o100


def test_a_program(tmp_path):
    class Sorted(CommandStep[NoSettings, Text, Text]):
        command = ["sort", "{input}"]

    (tmp_path / "a.txt").write_text("b\na\n")
    assert run_step(Sorted, Text(tmp_path / "a.txt")).output.path.read_text() == "a\nb\n"


def test_a_step_that_reads_its_last_output():
    class Count(SelfConsumingLeafStep[NoSettings, Doc]):
        def run(self, inpt: Doc | None) -> Doc:
            return Doc(text=(inpt.text if inpt else "") + "x")

    assert run_step(Count).output == Doc(text="x")
    assert run_step(Count, Doc(text="y")).output == Doc(text="yx")


def test_what_would_not_be_stored_is_refused():
    class Wrong(TypedStep[NoSettings, None, list[Doc]]):
        def run(self, inpt: None) -> list[Doc]:
            return [Longer(text="a", more="b")]

    with pytest.raises(ContractFailedException, match="more"):
        run_step(Wrong)
    with pytest.raises(ContractFailedException):
        run_step(Upper, Longer(text="a", more="b"))


def test_a_wrong_input_is_named():
    with pytest.raises(UsageError, match="Upper needs an input"):
        run_step(Upper)
    with pytest.raises(ContractFailedException, match=r"the input docs of the test: .*'more'"):
        run_step(Take, Taken(docs=[Longer(text="a", more="b")], scan=None))


def test_an_error_of_run_is_the_cause():
    with pytest.raises(StepFailed) as info:
        run_step(Upper, Doc(text=""))
    assert isinstance(info.value.__cause__, KeyError)


def test_settings_come_from_the_test_alone(monkeypatch):
    monkeypatch.setenv("CUT__LIMIT", "1")
    with pytest.raises(EnvSettingsError, match="LIMIT"):
        run_step(Cut, docs("a", "b"))


def test_an_input_of_another_kind_is_refused():
    with pytest.raises(UsageError, match="takes Taken, not list"):
        run_step(Take, docs("a"))

    class Source(TypedStep[NoSettings, None, Doc]):
        def run(self, inpt: None) -> Doc:
            return Doc(text="a")

    with pytest.raises(UsageError, match="takes no input"):
        run_step(Source, docs("a"))
    assert run_step(Source).output == Doc(text="a")


def test_the_temporary_folder_goes_with_the_process(tmp_path):
    program = tmp_path / "program.py"
    program.write_text(
        "from wurzel import NoSettings, PydanticModel, TypedStep\n"
        "from wurzel.testing import run_step\n"
        "class Doc(PydanticModel):\n    text: str\n"
        "class Give(TypedStep[NoSettings, None, Doc]):\n"
        "    def run(self, inpt: None) -> Doc:\n        return Doc(text='a')\n"
        "result = run_step(Give)\nassert result.folder.is_dir()\nprint(result.folder)\n"
    )
    done = subprocess.run([sys.executable, program], capture_output=True, text=True, check=True)
    assert not Path(done.stdout.strip()).exists()
