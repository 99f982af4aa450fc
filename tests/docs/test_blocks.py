"""Every code block of the documentation works as it is written, or says why it is not run."""

import pytest

from reference.example import copy_example
from tests.docs.blocks import KINDS, MARK_HINT, ROOT, Block, Wrong, blocks, run, surroundings

PAGES = sorted(
    path.relative_to(ROOT).as_posix()
    for path in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]
)


@pytest.fixture
def example(tmp_path):
    """The example project, with the rest of `docs/` around it."""
    return copy_example(tmp_path)


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(ROOT / page)])
def test_page(page, tmp_path, example):
    environment = surroundings(tmp_path)
    wrong = []
    for block in blocks(ROOT / page):
        try:
            run(block, example if page.startswith("docs/") else tmp_path, environment)
        except Wrong as error:
            wrong.append(f"{page}:{block.line}: {error}")
    assert not wrong, "\n\n".join(wrong)


def test_few_blocks_are_left_out():
    """More than a third would mean that the marks have become a habit."""
    hand_written = [page for page in PAGES if not page.startswith("docs/reference/")]
    everything = [block for page in hand_written for block in blocks(ROOT / page) if block.language != "text"]
    left_out = [block for block in everything if block.mark == "not run" and not block.left_out]
    assert len(left_out) <= len(everything) / 3, [f"{block.page}:{block.line} {block.said}" for block in left_out]


def block(language, text, mark="", said=""):
    return Block("docs/page.md", 1, language, text, mark, said)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (block("", "x\n"), MARK_HINT),
        (block("console", "wurzel render\n"), "starts with a command"),
        (block("console", "$ wurzel rendr\n"), "exits 2, not 0"),
        (block("console", "$ wurzel --version\n…\n…\n$ wurzel graph rag\nguides\n"), "but the page says"),
        (block("console", "$ no-such-program\n"), "leaves it out"),
        (block("console", "$ true\n", "not run", "it is a cluster's (kubectl)"), "which no command calls"),
        (block("console", "$ true\n", "exits", "1"), "exits 0, not 1"),
        (block("console", "$ pip install x\n"), "pip is never run"),
        (block("yaml", "version: 1\npipeline: {labls: {}}\n"), "labels"),
        (block("console", "$ true\n", "run by", "tests/gone.py"), "is no test"),
        (block("python", "from wurzel import Gone\n"), "ImportError"),
        (block("yaml", "pipelines: {rag: {entrypoint: 'a:b', imag: x}}\n"), "image"),
        (block("yaml", "include: [x]\n"), "no part of a wurzel.yaml"),
        (block("jinja", "{% if %}\n"), "Expected"),
        (block("jinja", '{% extends "!dvc/dvc.yaml.j2" %}\n{% block gone %}{% endblock %}\n'), "gone"),
        (block("sh", "if true; then\n"), "end of file"),
    ],
)
def test_a_wrong_block_is_found(wrong, said, tmp_path, example):
    with pytest.raises(Wrong) as caught:
        run(wrong, example, surroundings(tmp_path))
    assert said in str(caught.value)


def test_what_a_command_exports_and_where_it_goes_lasts(tmp_path, example):
    environment = surroundings(tmp_path)
    run(block("console", "$ export WHO=you; mkdir -p sub && cd sub\n"), example, environment)
    run(block("console", "$ echo $WHO $(basename $PWD)\nyou …b\n"), example, environment)


def test_marks_belong_to_the_block_that_follows(tmp_path, monkeypatch):
    monkeypatch.setattr("tests.docs.blocks.ROOT", tmp_path)
    page = tmp_path / "page.md"
    page.write_text("<!-- not run: no cluster (kubectl, argo) -->\n\n```console\n$ a\n```\n\n```console\n$ b\n```\n")
    first, second = blocks(page)
    assert (first.mark, first.left_out, first.line) == ("not run", ["kubectl", "argo"], 3)
    assert second.mark == ""


def test_every_kind_is_used():
    assert {block.language for page in PAGES for block in blocks(ROOT / page) if block.mark == ""} <= set(KINDS)
