"""The package itself: names, what importing them costs, and how the steps fit together."""

import subprocess
import sys

import pytest

import wurzel.steps
from wurzel.datacontract import MarkdownDataContract
from wurzel.utils import WZ

HEAVY = ["markdown_it", "tiktoken", "pandas", "jinja2", "ruamel.yaml", "importlib.metadata", "asyncio", "tempfile"]


@pytest.mark.parametrize("name", wurzel.steps.__all__)
def test_every_name_can_be_imported(name):
    assert getattr(wurzel.steps, name).__name__ == name
    assert name in dir(wurzel.steps)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="has no attribute 'EmbeddingStep'"):
        wurzel.steps.EmbeddingStep  # noqa: B018 - the access is what is tested


@pytest.mark.parametrize("name", ["ManualMarkdownStep", "SimpleSplitterStep", "DropDuplicationStep"])
def test_importing_a_step_brings_no_library(name):
    code = f"from wurzel.steps import {name}; import sys; print(*[m for m in {HEAVY} if m in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.split() == []


def test_the_steps_make_a_chain(tmp_path):
    (tmp_path / "a.md").write_text("# A\n\nsame\n", encoding="utf-8")
    (tmp_path / "b.md").write_text("# A\n\nsame\n", encoding="utf-8")
    source = WZ(wurzel.steps.ManualMarkdownStep)
    splitter = WZ(wurzel.steps.SimpleSplitterStep)
    drop = WZ(wurzel.steps.DropDuplicationStep)
    source >> splitter >> drop
    source.settings = wurzel.steps.ManualMarkdownSettings(FOLDER_PATH=tmp_path)
    splitter.settings = wurzel.steps.SplitterSettings()
    drop.settings = wurzel.steps.DropSettings()
    (result,) = drop.run(splitter.run(source.run(None)))
    assert result == MarkdownDataContract(
        md="# A\n\nsame",
        keywords="a",
        url="a.md",
        metadata={"chunk_index": 0, "chunks_count": 1, "headings": ["A"], "token_len": 3, "char_len": 9},
    )


@pytest.mark.parametrize("name", ["ManualMarkdownStep", "SimpleSplitterStep", "DropDuplicationStep"])
def test_users_are_told_what_steps_and_settings_do(name):
    step = WZ(getattr(wurzel.steps, name))
    assert type(step).__doc__.endswith(".")
    assert all(field.description for field in step.settings_class.model_fields.values())
