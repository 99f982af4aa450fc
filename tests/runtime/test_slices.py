"""Any number of slices gives the bytes of the whole: a property over items and numbers, through the code of a step."""

import json
import sys
from itertools import count

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from wurzel.backends.dvc.stages import REPORT
from wurzel.runtime import slices
from wurzel.runtime.step import Job, run_step

STEPS = """
import pandas as pd
from pandera.typing import DataFrame, Series
from wurzel.core import NoSettings, PydanticModel, Settings, TypedStep
from wurzel.datacontract import PanderaDataFrameModel

class Word(PydanticModel):
    text: str

    def metrics(self):
        return {"letters": len(self.text)}

class Table(PanderaDataFrameModel):
    text: Series[str]
    length: Series[int]

class Opts(Settings):
    WORDS: list[str] = []

class Words(TypedStep[Opts, None, list[Word]]):
    def run(self, inpt: None) -> list[Word]:
        return [Word(text=text) for text in self.settings.WORDS]

class Bag(TypedStep[Opts, None, set[Word]]):
    def run(self, inpt: None) -> set[Word]:
        return {Word(text=text) for text in self.settings.WORDS}

class Rows(TypedStep[Opts, None, DataFrame[Table]]):
    def run(self, inpt: None) -> DataFrame[Table]:
        words = self.settings.WORDS
        return pd.DataFrame({"text": pd.Series(words, dtype=str), "length": pd.Series(map(len, words), dtype=int)})

class One(TypedStep[Opts, None, Word]):
    def run(self, inpt: None) -> Word:
        return Word(text=" ".join(self.settings.WORDS))

class Upper(TypedStep[NoSettings, list[Word], list[Word]]):
    def run(self, inpt: list[Word]) -> list[Word]:
        return [Word(text=word.text.upper()) for word in inpt]

class Some(TypedStep[NoSettings, list[Word], list[Word]]):
    def run(self, inpt: list[Word]) -> list[Word]:
        return [word for word in inpt for _ in range(len(word.text) % 3)]

class Unique(TypedStep[NoSettings, list[Word], set[Word]]):
    def run(self, inpt: list[Word]) -> set[Word]:
        return set(inpt)

class Twice(TypedStep[NoSettings, set[Word], set[Word]]):
    def run(self, inpt: set[Word]) -> set[Word]:
        return {Word(text=word.text * 2) for word in inpt}

class Longer(TypedStep[NoSettings, DataFrame[Table], DataFrame[Table]]):
    def run(self, inpt: DataFrame[Table]) -> DataFrame[Table]:
        return inpt.assign(length=inpt["length"] + 1)

class Shout(TypedStep[NoSettings, Word, Word]):
    def run(self, inpt: Word) -> Word:
        return Word(text=inpt.text + "!")

class Spell(TypedStep[NoSettings, Word, list[Word]]):
    def run(self, inpt: Word) -> list[Word]:
        return [Word(text=letter) for letter in inpt.text]
"""
KINDS = {
    "Upper": "Words", "Some": "Words", "Unique": "Words", "Twice": "Bag", "Longer": "Rows", "Shout": "One",
    "Spell": "One",
}  # fmt: skip
"""Step to the source whose output it takes."""
WORDS = st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=4), max_size=9)


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """New folders, with the steps importable."""
    root = tmp_path_factory.mktemp("slices")
    (root / "slicedsteps.py").write_text(STEPS, encoding="utf-8")
    sys.path.insert(0, str(root))
    yield (root / str(number) for number in count())
    sys.path.remove(str(root))
    del sys.modules["slicedsteps"]


def run(name, output, *inputs, words=None, **options):
    environ = {} if words is None else {f"{name.upper()}__WORDS": json.dumps(words)}
    return run_step(Job(f"slicedsteps:{name}", output, inputs, **options), environ)


def content(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.sampled_from(sorted(KINDS)), batches=st.lists(WORDS, min_size=1, max_size=3), of=st.integers(1, 12))
@example(name="Upper", batches=[[]], of=3)
@example(name="Twice", batches=[["a"], []], of=12)
@example(name="Longer", batches=[[], ["a"]], of=12)
@example(name="Spell", batches=[[]], of=2)
def test_any_number_of_slices_gives_the_bytes_and_the_report_of_the_whole(folders, name, batches, of):
    """The batches are the outputs of several steps before; there may be more slices than items, and no items at all."""
    root = next(folders)
    inputs = [root / f"input-{number}" for number in range(len(batches))]
    for folder, words in zip(inputs, batches, strict=True):
        run(KINDS[name], folder, words=words)
    run(name, root / "whole", *inputs, report=root / "whole.json")
    cut = root / "cut"
    for number in range(of, 0, -1):
        report = cut / f"shard-{number}-of-{of}" / slices.REPORT
        run(name, cut, *inputs, shard=(number, of), report=report)
    reader = {"Unique": "Twice", "Twice": "Twice", "Longer": "Longer", "Shout": "Shout"}.get(name, "Upper")
    run(reader, root / "read", cut)
    run(reader, root / "expected", root / "whole")
    assert content(root / "read") == content(root / "expected")
    slices.join(cut, root / "joined", root / "joined.json")
    assert content(root / "joined") == content(root / "whole")
    counted, expected = (json.loads((root / file).read_bytes()) for file in ("joined.json", "whole.json"))
    if name not in {"Unique", "Longer"}:  # equal items in two slices, and columns of tables, are counted in each
        assert counted == expected


def test_backends_look_for_a_slices_report_where_it_is():
    assert REPORT == slices.REPORT
