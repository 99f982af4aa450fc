"""Whole runs with real processes; what is changed between two runs decides what the second one does."""

import json
import os
import shutil
import sys
from pathlib import Path

import pytest

from tests.command import program
from tests.plain import plain_step
from wurzel.exceptions import PreflightError, WriteError
from wurzel.project.open import open_pipeline
from wurzel.runtime.pipeline import RunOptions, run_pipeline

SOURCE = """
from pathlib import Path
from typing import Annotated
from pydantic import DirectoryPath, Field, SecretStr
from wurzel.core import NoSettings, Settings, TypedStep
from wurzel.datacontract import PydanticModel
from texts import TEXTS


class Word(PydanticModel):
    text: str


class SourceSettings(Settings):
    FOLDER: DirectoryPath = Path("in put")
    EXTRA: str = "extra"
    MORE: list[str] = []
    TOKEN: SecretStr = SecretStr("")


class Source(TypedStep[SourceSettings, None, list[Word]]):
    def run(self, inpt: None) -> list[Word]:
        files = sorted(self.settings.FOLDER.rglob("*.txt"))
        texts = [*TEXTS, *(file.read_text() for file in files), self.settings.EXTRA, *self.settings.MORE]
        return [Word(text=text) for text in texts]
"""
UPPER = """
from source import Word
from wurzel.core import NoSettings, TypedStep


class Upper(TypedStep[NoSettings, list[Word], list[Word]]):
    def run(self, inpt: list[Word]) -> list[Word]:
        return [Word(text=word.text.upper()) for word in inpt]
"""
CHAIN = """
from source import Source
from upper import Upper
from wurzel.utils import WZ

chain = WZ(Source) >> WZ(Upper)
"""


class Recorder:
    """Follows a run by keeping its events."""

    lively = False

    def __init__(self):
        self.events = []

    def tell(self, event):
        self.events.append(event)

    def tick(self):
        pass

    def close(self):
        pass

    def say(self, notes):
        pass


@pytest.fixture
def chain(tmp_path, monkeypatch):
    """A project with a source and a step after it, each in a module of its own; gives a function that runs it."""
    root = tmp_path / "it's a $HOME"
    (root / "in put").mkdir(parents=True)
    (root / "in put" / "a.txt").write_text("a")
    (root / "source.py").write_text(SOURCE)
    (root / "upper.py").write_text(UPPER)
    (root / "chain.py").write_text(CHAIN)
    (root / "texts.py").write_text("TEXTS = ['text']\n")
    yield from imported(root, monkeypatch)


def imported(root, monkeypatch):
    """Work in a folder whose modules can be imported, and forget them afterwards."""
    monkeypatch.chdir(root)
    monkeypatch.syspath_prepend(str(root))
    modules = set(sys.modules)
    yield run
    for module in set(sys.modules) - modules:
        if str(root) in (getattr(sys.modules[module], "__file__", None) or ""):
            del sys.modules[module]


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """Where the project of `done` is kept after its first run."""
    return tmp_path_factory.mktemp("finished") / "project"


@pytest.fixture
def done(chain, finished):
    """As `chain`, after one run."""
    if not finished.exists():
        assert chain()[0].ran == ["source", "upper"]
        shutil.copytree(Path.cwd(), finished, symlinks=True)
    else:
        shutil.copytree(finished, Path.cwd(), symlinks=True, dirs_exist_ok=True)
    return chain


def run(name="chain:chain", *sets, jobs=2, data_dir=None, **options):
    """Run a pipeline in the current folder; gives its result and, by step, the text of its last event."""
    pipeline = open_pipeline(name, sets=sets).pipeline
    if data_dir is not None:
        pipeline = pipeline.model_copy(update={"data_dir": data_dir})
    recorder = Recorder()
    result = run_pipeline(pipeline, RunOptions(root=Path.cwd(), jobs=jobs, **options), recorder)
    return result, {event.step: event.text for event in recorder.events if event.kind in {"started", "unchanged"}}


def texts(step, data="data"):
    return [item["text"] for part in sorted(Path(data, step).glob("part-*")) for item in json.loads(part.read_bytes())]


def contents(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in Path(folder).rglob("*") if path.is_file()}


def test_a_second_run_does_nothing(chain):
    result, _ = chain()
    assert (result.exit_code, result.ran) == (0, ["source", "upper"])
    assert texts("upper") == ["TEXT", "A", "EXTRA"]
    before = {path: path.stat().st_mtime_ns for path in Path("data").rglob("*")}
    result, why = chain()
    assert (result.exit_code, result.ran, result.unchanged) == (0, [], ["source", "upper"])
    assert why == {"source": "unchanged", "upper": "unchanged"}
    assert {path: path.stat().st_mtime_ns for path in Path("data").rglob("*")} == before
    assert sorted(path.name for path in Path("data").iterdir()) == ["source", "upper"]


@pytest.mark.parametrize(
    ("change", "source", "upper"),
    [
        (lambda: append("source.py", "# a comment"), "code changed", "code changed"),  # both read source.py
        (lambda: append("upper.py", "# a comment"), "unchanged", "code changed"),
        (lambda: append("texts.py", "# a comment"), "code changed", "code changed"),
        (lambda: Path("in put/a.txt").write_text("b"), "input files changed", "input data changed"),
        (lambda: Path("in put/b.txt").write_text("b"), "input files changed", "input data changed"),
        (lambda: Path("in put/a.txt").unlink(), "input files changed", "input data changed"),
        (lambda: Path("in put/b.md").write_text("b"), "input files changed", "unchanged"),  # not read after all
        (lambda: os.utime("in put/a.txt"), "unchanged", "unchanged"),
        (lambda: shutil.rmtree("data/upper"), "unchanged", "output missing or damaged"),
        (lambda: shutil.rmtree("data/source"), "output missing or damaged", "unchanged"),
        (lambda: damage("data/upper/part-00000.json"), "unchanged", "output missing or damaged"),
        (lambda: damage("data/upper/manifest.json"), "unchanged", "output missing or damaged"),
        (lambda: Path("data/upper/manifest.json").unlink(), "unchanged", "output missing or damaged"),
        (lambda: Path("data/upper/part-00000.json").unlink(), "unchanged", "output missing or damaged"),
        (lambda: shorten(entry("upper")), "unchanged", "not run here before"),
        (lambda: shutil.rmtree(".wurzel/chain/cache"), "not run here before", "not run here before"),
        (lambda: shutil.rmtree(".wurzel/chain/last"), "unchanged", "unchanged"),
        (lambda: shutil.copy(entry("source"), entry("upper")), "unchanged", "not run here before"),
        (lambda: Path(".wurzel/chain/digests.json").write_text("{"), "unchanged", "unchanged"),
        (lambda: shutil.rmtree(".wurzel"), "not run here before", "not run here before"),
        (
            lambda: shutil.copytree("data/source", "data/upper", dirs_exist_ok=True),
            "unchanged",
            "output changed by something else",
        ),
    ],
)
def test_what_a_change_makes_run(done, change, source, upper):
    change()
    result, why = done()
    assert result.exit_code == 0
    expected = {"source": source, "upper": upper}
    assert why == {step: text if text == "unchanged" else f"started ({text})" for step, text in expected.items()}
    assert done()[0].unchanged == ["source", "upper"]


def append(path, text):
    with Path(path).open("a") as file:
        file.write(text)


def shorten(path):
    """Cut off half of a file."""
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])


def entry(step):
    """The file of the entry that a step has last handed over."""
    return Path(".wurzel/chain/cache", Path(".wurzel/chain/last", step).read_text() + ".json")


def damage(path):
    """Change one byte, not the size."""
    data = Path(path).read_bytes()
    Path(path).write_bytes(data[:5] + bytes([data[5] ^ 1]) + data[6:])


def test_settings_from_configuration_and_environment_make_a_step_run(done):
    sets = ["steps.source.settings.MORE=[x]"]
    _, why = done("chain:chain", *sets)
    assert why == {"source": "started (settings changed)", "upper": "started (input data changed)"}
    assert texts("upper") == ["TEXT", "A", "EXTRA", "X"]
    assert done("chain:chain", *sets)[0].unchanged == ["source", "upper"]
    environ = {**os.environ, "SOURCE__EXTRA": "äußeres"}
    assert done("chain:chain", *sets, environ=environ)[0].ran == ["source", "upper"]
    assert texts("source") == ["text", "a", "äußeres", "x"]
    assert done("chain:chain", *sets, environ={**environ, "EXTRA": "bare"})[0].ran == []
    assert done("chain:chain", *sets, "env.NEW=1", environ=environ)[1]["upper"] == "started (settings changed)"


def test_force_runs_everything(done):
    result, why = done(force=True)
    assert result.ran == ["source", "upper"]
    assert set(why.values()) == {"started (forced)"}


def test_a_copy_of_the_project_is_unchanged_too(done, tmp_path):
    shutil.copytree(Path.cwd(), tmp_path / "copy")
    done = program("run", "chain:chain", cwd=tmp_path / "copy", code=0)
    assert done.stderr.splitlines()[:2] == ["source: unchanged", "upper: unchanged"]


def test_a_secret_is_kept_nowhere_and_its_value_does_not_count(chain):
    assert chain(environ={**os.environ, "SOURCE__TOKEN": "hunter2"})[0].ran == ["source", "upper"]
    everything = b"".join([*contents(".wurzel").values(), *contents("data").values()])
    assert b"hunter2" not in everything
    assert chain(environ={**os.environ, "SOURCE__TOKEN": "other"})[0].ran == []


@pytest.mark.parametrize("data", ["-leading dash", "$HOME/`id`", 'ünï "quotes" it\'s', "a/b/../c", "/absolute"])
def test_any_data_folder_works(chain, tmp_path, data):
    data = str(tmp_path) + data if data.startswith("/") else data
    result, _ = chain(data_dir=data)
    assert (result.exit_code, texts("upper", data)) == (0, ["TEXT", "A", "EXTRA"])
    assert chain(data_dir=data)[0].unchanged == ["source", "upper"]


def test_logs_are_kept_for_each_step(done):
    assert sorted(path.name for path in Path(".wurzel/chain/logs").iterdir()) == ["source.log", "upper.log"]
    assert "3 items" in Path(".wurzel/chain/logs/upper.log").read_text()


def test_missing_settings_and_secrets_are_reported_before_anything_runs(chain):
    Path("source.py").write_text(SOURCE.replace('EXTRA: str = "extra"', "EXTRA: str"))
    with pytest.raises(PreflightError, match="the setting EXTRA is missing"):
        chain()
    with pytest.raises(PreflightError, match="the secret KEY is missing"):
        chain("chain:chain", "steps.source.settings.EXTRA=x", "secrets={KEY: {name: a, key: b}}")
    assert not Path("data").exists()


def test_an_input_that_cannot_be_read_fails_its_step_only(chain):
    shutil.rmtree("in put")
    Path("in put").symlink_to("in put")
    result, _ = chain()
    assert result.exit_code == 2
    assert result.failed["source"].reason.endswith("(exit code 2)")
    assert result.blocked == {"upper": "source"}


def test_a_step_that_removes_the_data_folder_fails(chain):
    code = UPPER.replace("        return", '        __import__("shutil").rmtree("data")\n        return')
    Path("upper.py").write_text(code)
    result, _ = chain()
    assert (result.exit_code, list(result.failed)) == (1, ["upper"])


@pytest.mark.parametrize("place", ["data", ".wurzel"])
def test_a_folder_that_cannot_be_written_is_reported(chain, place):
    Path(place).write_text("a file")
    with pytest.raises(WriteError, match="cannot be written"):
        chain()


def test_a_dataset_folder_that_holds_something_else_is_left_alone(chain):
    Path("data/upper").mkdir(parents=True)
    Path("data/upper/notes.txt").write_text("mine")
    result, _ = chain()
    assert list(result.failed) == ["upper"]
    assert Path("data/upper/notes.txt").read_text() == "mine"


def test_a_value_no_environment_can_hold_is_refused_before_anything_runs(chain):
    with pytest.raises(PreflightError, match="the setting EXTRA has 200015 bytes"):
        chain("chain:chain", f"steps.source.settings.EXTRA={'x' * 200_000}")


def test_one_failure_lets_the_rest_finish(project):
    project("failing")
    result, _ = run("failing:pipeline")
    assert result.exit_code == 1
    assert sorted(result.ran) == ["upper", "words"]
    assert list(result.failed) == ["failing"]
    assert result.failed["failing"].log == Path.cwd() / ".wurzel/pipeline/logs/failing.log"
    assert "this step always fails" in result.failed["failing"].log.read_text()
    assert run("failing:pipeline")[0].unchanged == ["words", "upper"]


def test_a_failing_step_leaves_its_last_output(project):
    root = project("chain")
    run("chain:pipeline")
    before = contents("data")
    text = (root / "steps.py").read_text()
    (root / "steps.py").write_text(
        text.replace("return [Word(text=word.text.upper", "assert not inpt\n        return [Word(text=word.text.upper")
    )
    result, _ = run("chain:pipeline", force=True)
    assert (list(result.failed), result.blocked) == (["upper"], {"reverse": "upper"})
    assert contents("data") == before


def test_a_step_is_tried_again(project):
    project("flaky")
    result, _ = run("flaky:pipeline")
    assert (result.exit_code, len(result.ran)) == (0, 3)
    log = Path(".wurzel/pipeline/logs/flaky.log").read_text()
    assert "the first try fails" in log
    assert "--- exit code 1; trying again ---" in log


def test_a_source_that_polls_always_runs_and_what_follows_only_when_it_gives_something_new(project):
    project("sources")
    assert len(run("sources:pipeline")[0].ran) == 3
    result, _ = run("sources:pipeline")
    assert (sorted(result.ran), result.unchanged) == (["memory", "polling"], ["upper"])


def test_a_step_that_reads_its_last_output_gets_it(project):
    project("sources")
    for count in (1, 2, 3):
        run("sources:pipeline", force=True)
        assert texts("memory") == ["again"] * count


def test_slices_give_the_same_bytes(project):
    project("sharded")
    result, _ = run("sharded:pipeline")
    assert result.exit_code == 0
    sliced = contents("data")
    shutil.rmtree("data")
    assert run("sharded:pipeline", "steps.loud.shards=1")[0].ran == ["words", "loud", "join"]
    assert contents("data") == sliced
    assert run("sharded:pipeline", "steps.loud.shards=7")[0].unchanged == ["words", "loud", "join"]
    result, _ = run("sharded:pipeline", "steps.loud.shards=7", force=True)
    assert (result.exit_code, contents("data")) == (0, sliced)


def test_a_failing_slice_leaves_the_last_output_and_no_rest(project):
    root = project("sharded")
    run("sharded:pipeline")
    before = contents("data")
    text = (root / "sharded.py").read_text()
    failing = '\n    def run(self, inpt):\n        assert inpt[0].text != "three"\n        return super().run(inpt)\n'
    (root / "sharded.py").write_text(text.replace("    shards = 3\n", f"    shards = 3\n{failing}"))
    result, _ = run("sharded:pipeline")
    assert (list(result.failed), result.blocked) == (["loud"], {"join": "loud"})
    assert result.failed["loud"].log.name == "loud.2-of-3.log"
    assert contents("data") == before


COPY = """
for word; do case "$last" in -o) out=$word ;; --id) id=$word ;; esac; last=$word; done
echo "start $id" >> order
[ "$id" != "${FAILING-}" ] || exit 1
cp -R template "$out.tmp" && mv "$out.tmp" "$out"
echo "end $id" >> order
"""


def wide(count):
    """A diamond of many steps in layers of ten, each step after two of the layer before; run by a stand-in."""
    from wurzel.ir.model import DataType, Pipeline

    def needs(number):
        layer, column = divmod(number, 10)
        return tuple(f"s{(layer - 1) * 10 + other}" for other in (column, (column + 3) % 10)) if layer else ()

    word = DataType(contract="steps:Word", containers=("list",))
    steps = [
        plain_step(id=f"s{number}", run="steps:Upper", needs=needs(number), output=word) for number in range(count)
    ]
    return Pipeline(name="wide", steps=tuple(steps))


def test_two_hundred_steps_run_in_order(project):
    project("chain")
    run("chain:pipeline")
    shutil.move("data/words", "template")
    Path("copy.sh").write_text(COPY)
    pipeline = wide(200)
    options = RunOptions(root=Path.cwd(), jobs=4, wurzel=("sh", "copy.sh"))
    result = run_pipeline(pipeline, options, Recorder())
    assert (result.exit_code, len(result.ran)) == (0, 200)
    lines = Path("order").read_text().splitlines()
    order = {line: number for number, line in enumerate(lines)}
    assert all(
        order[f"end {need}"] < order[f"start {step.id}"] for step in pipeline.steps for need in step.predecessors
    )
    running = most = 0
    for line in lines:
        running += 1 if line.startswith("start") else -1
        most = max(most, running)
    assert 2 <= most <= 4
    assert len(run_pipeline(pipeline, options, Recorder()).unchanged) == 200


def test_a_failure_in_a_wide_pipeline_blocks_only_what_follows(project):
    project("chain")
    run("chain:pipeline")
    shutil.move("data/words", "template")
    Path("copy.sh").write_text(COPY)
    pipeline = wide(50)
    environ = {**os.environ, "FAILING": "s12"}
    options = RunOptions(root=Path.cwd(), jobs=4, wurzel=("sh", "copy.sh"), environ=environ)
    result = run_pipeline(pipeline, options, Recorder())
    assert list(result.failed) == ["s12"]
    blocked = {"s12"}
    for step in pipeline.steps:
        if blocked & set(step.predecessors):
            blocked.add(step.id)
    assert set(result.blocked) == blocked - {"s12"}
    assert len(result.ran) == 50 - len(blocked)
