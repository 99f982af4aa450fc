import textwrap

import pytest

from tests.command import program
from wurzel.exceptions import WriteError
from wurzel.runtime import once

STEPS = """
from pathlib import Path
from wurzel.core import NoSettings, PydanticModel, TypedStep

class Word(PydanticModel):
    text: str

class Count(TypedStep[NoSettings, None, list[Word]]):
    def run(self, inpt: None) -> list[Word]:
        count = Path("count")
        number = int(count.read_text()) + 1 if count.exists() else 1
        count.write_text(str(number))
        if Path("broken").exists():
            raise RuntimeError("broken")
        return [Word(text=str(number))]
"""


@pytest.fixture
def step(tmp_path):
    (tmp_path / "oncesteps.py").write_text(textwrap.dedent(STEPS))

    def run(*options):
        # A process of its own: `wurzel step` forks, and the fork of a test process would go on with the tests.
        done = program("step", "oncesteps:Count", "-o", "data/count", *options, cwd=tmp_path)
        return done.returncode, (tmp_path / "count").read_text()

    return run


def test_a_step_runs_once_in_a_run(step):
    assert step("--once", "uid-1") == (0, "1")
    assert step("--once", "uid-1") == (0, "1")
    assert step("--once", "uid-2") == (0, "2")


def test_a_step_under_supervision_runs_once_too(step):
    assert step("--once", "uid-1", "--timeout", "1m") == (0, "1")
    assert step("--once", "uid-1", "--timeout", "1m") == (0, "1")


def test_a_step_that_has_failed_runs_again(step, tmp_path):
    (tmp_path / "broken").touch()
    assert step("--once", "uid-1")[0] != 0
    (tmp_path / "broken").unlink()
    assert step("--once", "uid-1") == (0, "2")


def test_a_later_run_without_the_option_is_not_taken_for_an_earlier_one(step):
    assert step("--once", "uid-1") == (0, "1")
    assert step() == (0, "2")
    assert step("--once", "uid-2") == (0, "3")


def test_a_failure_of_another_run_does_not_pass_for_this_one(step, tmp_path):
    assert step("--once", "uid-1") == (0, "1")
    (tmp_path / "broken").touch()
    assert step("--once", "uid-2")[0] != 0
    (tmp_path / "broken").unlink()
    assert step("--once", "uid-1") == (0, "3")


def test_a_dataset_that_is_gone_is_not_done(step, tmp_path):
    assert step("--once", "uid-1") == (0, "1")
    (tmp_path / "data" / "count" / "manifest.json").unlink()
    assert not once.is_done(tmp_path / "data" / "count", "uid-1")


def test_a_note_that_cannot_be_written(tmp_path):
    with pytest.raises(WriteError, match="No such file"):
        once.remember(tmp_path / "missing" / "count", "uid-1")
