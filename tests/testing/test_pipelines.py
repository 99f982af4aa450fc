"""`check_pipeline` and the pytest plugin: a pipeline on samples, compared with reviewed files."""

import subprocess
import sys
import textwrap

import pytest

from wurzel import WZ, File, NoSettings, Outputs, PydanticModel, Settings, TypedStep
from wurzel.exceptions import DatasetError, StepFailed, UsageError
from wurzel.testing import Recorded, check_pipeline, run_step


class Doc(PydanticModel):
    text: str


class Note(File):
    suffix = ".txt"


class Halves(Outputs):
    train: list[Doc]
    note: Note


class Limit(Settings):
    LIMIT: int = 1


class Read(TypedStep[NoSettings, None, list[Doc]]):
    def run(self, inpt: None) -> list[Doc]:
        raise ConnectionError("no network in tests")


class Upper(TypedStep[NoSettings, Doc, Doc]):
    def run(self, inpt: Doc) -> Doc:
        return Doc(text=inpt.text.upper())


class Split(TypedStep[Limit, list[Doc], Halves]):
    def when(self, inpt: list[Doc]) -> bool:
        return self.settings.LIMIT > 0

    def run(self, inpt: list[Doc]) -> Halves:
        path = self.workdir / "note.txt"
        path.write_text("hello")
        return Halves(train=inpt[self.settings.LIMIT :], note=Note(path))


class Last(TypedStep[NoSettings, list[Doc], Doc]):
    def run(self, inpt: list[Doc]) -> Doc:
        return inpt[-1]


def pipeline():
    upper = WZ(Read) >> WZ(Upper)
    return [upper >> WZ(Split), upper >> WZ(Last)]


DOCS = [Doc(text="a"), Doc(text="b"), Doc(text="c")]


def test_samples_stand_for_steps_and_the_rest_runs(tmp_path):
    results = check_pipeline(pipeline, {"read": DOCS}, settings={"split": {"LIMIT": 2}}, folder=tmp_path)
    assert list(results) == ["upper", "split", "last"]
    assert results["upper"].output == [Doc(text=text) for text in "ABC"]
    assert results["split"].output.train == [Doc(text="C")]
    assert results["split"].output.note.path.read_text() == "hello"
    assert results["last"].output == Doc(text="C")
    assert (tmp_path / "last" / "manifest.json").exists()


def test_what_only_samples_need_does_not_run():
    assert list(check_pipeline(pipeline, {"upper": DOCS})) == ["split", "last"]
    with pytest.raises(StepFailed, match="no network in tests"):
        check_pipeline(pipeline)


def test_a_recorded_dataset_is_a_sample_and_an_input(tmp_path):
    check_pipeline(pipeline, {"read": DOCS}, folder=tmp_path / "run")
    recorded = Recorded(tmp_path / "run" / "upper")
    assert check_pipeline(pipeline, {"upper": recorded})["last"].output == Doc(text="C")
    assert run_step(Last, recorded).output == Doc(text="C")
    assert run_step(Upper, recorded, slices=2).output == [Doc(text=text) for text in "ABC"]
    with pytest.raises(DatasetError, match="nowhere"):
        run_step(Last, Recorded(tmp_path / "nowhere"))


def test_reviewed_files(tmp_path):
    golden = tmp_path / "golden"

    def check(docs=DOCS, **options):
        return check_pipeline(pipeline, {"read": docs}, golden, **options)

    with pytest.raises(AssertionError, match=r"upper.jsonl: has no snapshot; run the test with --update"):
        check(update=False)
    check(update=True)
    assert sorted(path.name for path in golden.iterdir()) == [
        "last.jsonl",
        "split.note.jsonl",
        "split.train.jsonl",
        "upper.jsonl",
    ]
    assert (golden / "upper.jsonl").read_text() == '{"text":"A"}\n{"text":"B"}\n{"text":"C"}\n'
    assert '"file":"00000/note.txt","bytes":5,"sha256":"2cf24dba' in (golden / "split.note.jsonl").read_text()
    check(update=False)
    with pytest.raises(AssertionError) as caught:
        check([*DOCS[:2], Doc(text="d")], update=False)
    assert '    -{"text":"C"}\n    +{"text":"D"}' in str(caught.value)
    assert "last.jsonl:1: differs from its snapshot" in str(caught.value)
    with pytest.raises(AssertionError, match=r"last.jsonl: no longer written"):
        check(update=False, without=["last"])
    (golden / "notes.md").touch()
    (golden / "old.jsonl").touch()
    check(update=True, settings={"split": {"LIMIT": 0}})
    assert (golden / "notes.md").exists()
    assert not (golden / "old.jsonl").exists()
    assert (golden / "split.train.jsonl").read_text() == '"skipped"\n'


@pytest.mark.parametrize("what", ["samples", "settings", "without"])
def test_an_unknown_step(what):
    with pytest.raises(UsageError, match=f"{what}: there is no step 'raed'\n  Steps: read, upper, split, last."):
        check_pipeline(pipeline, **{what: ["raed"] if what == "without" else {"raed": {}}})


FLOW = """
from wurzel import WZ, NoSettings, PydanticModel, TypedStep

class Doc(PydanticModel):
    text: str

class Read(TypedStep[NoSettings, None, list[Doc]]):
    def run(self, inpt: None) -> list[Doc]:
        return []

class Upper(TypedStep[NoSettings, list[Doc], list[Doc]]):
    def run(self, inpt: list[Doc]) -> list[Doc]:
        return [Doc(text=doc.text.upper()) for doc in inpt]

pipeline = WZ(Read) >> WZ(Upper)
"""
TEST = """
from plugin_flow import Doc, Upper

def test_flow(check_pipeline):
    check_pipeline("plugin_flow:pipeline", {"read": [Doc(text="a")]})

def test_step(run_step, tmp_path):
    assert run_step(Upper, [Doc(text="b")]).output == [Doc(text="B")]
    assert run_step(Upper, []).folder == tmp_path / "step-1" / "output"
"""


def pytest_in(folder, *words):
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_the_plugin(tmp_path):
    (tmp_path / "plugin_flow.py").write_text(FLOW)
    (tmp_path / "test_flow.py").write_text(TEST)
    first = pytest_in(tmp_path)
    assert "upper.jsonl: has no snapshot" in first.stdout
    assert "1 failed, 1 passed" in first.stdout
    assert "2 passed" in pytest_in(tmp_path, "--update").stdout
    assert (tmp_path / "golden" / "test_flow" / "upper.jsonl").read_text() == '{"text":"A"}\n'
    assert "2 passed" in pytest_in(tmp_path).stdout
    (tmp_path / "golden" / "test_flow" / "upper.jsonl").write_text("")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n1", "--update"]
    subprocess.run(command, cwd=tmp_path, capture_output=True, check=True)
    assert (tmp_path / "golden" / "test_flow" / "upper.jsonl").read_text() == '{"text":"A"}\n'


def test_the_plugin_costs_nothing_and_leaves_an_option_of_a_conftest_alone(tmp_path):
    (tmp_path / "conftest.py").write_text(
        textwrap.dedent("""
            def pytest_addoption(parser):
                parser.addoption("--update", action="store_true")
        """)
    )
    (tmp_path / "test_it.py").write_text(
        "import sys\n\n\ndef test_it():\n"
        "    found = [name for name in sys.modules if name.partition('.')[0] in ('wurzel', 'pydantic', 'click')]\n"
        "    assert sorted(found) == ['wurzel', 'wurzel.pytest_plugin']\n"
    )
    done = pytest_in(tmp_path, "--update")
    assert "1 passed" in done.stdout, done.stdout + done.stderr
