"""Reasons name the input whose arrow was changed, and the pipeline that has the arrow."""

import sys
from pathlib import Path

import pytest

from tests.command import invoke

STEPS = """
from wurzel import WZ, Inputs, NoSettings, Outputs, PydanticModel, TypedStep

class Doc(PydanticModel):
    text: str

class Halves(Outputs):
    train: list[Doc]
    test: list[Doc]

class Both(Inputs):
    docs: list[Doc]
    more: list[Doc] | None

class Cut(TypedStep[NoSettings, None, Halves]):
    def run(self, inpt: None) -> Halves:
        return Halves(train=[], test=[])

class Fit(TypedStep[NoSettings, Both, list[Doc]]):
    def run(self, inpt: Both) -> list[Doc]:
        return inpt.docs

def pipeline():
    cut, fit = WZ(Cut), WZ(Fit)
    cut["train"] >> fit["docs"]
    return fit
"""
CONFIG = """version: 1
pipelines:
  parts:
    entrypoint: parts_steps:pipeline
    targets:
      local: {ignore: [named_inputs, named_outputs]}
"""


@pytest.fixture
def render(tmp_path, monkeypatch):
    """Writes the steps, with one text replaced, and renders them."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    Path("wurzel.yaml").write_text(CONFIG)

    def run(*arguments, old="", new=""):
        assert old in STEPS
        sys.modules.pop("parts_steps", None)
        Path("parts_steps.py").write_text(STEPS.replace(old, new, 1))
        return invoke("render", "parts", "-t", "local", *arguments)

    yield run
    sys.modules.pop("parts_steps", None)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (
            'cut["train"]',
            'cut["test"]',
            "fit: inputs.docs 'docs=data/cut/train' → 'docs=data/cut/test' (parts_steps:pipeline)",
        ),
        (
            'cut["train"] >> fit["docs"]',
            'cut["train"] >> fit["docs"]\n    cut["test"] >> fit["more"]',
            "fit: inputs.more added -i 'more=data/cut/test'",
        ),
    ],
)
def test_a_changed_arrow_names_the_input_and_the_pipeline(render, old, new, reason):
    assert render().exit_code == 0
    done = render("--check", old=old, new=new)
    assert done.exit_code == 1
    assert reason in f"{done.output}{done.exception}"
