"""The step around the splitter: settings, metadata, warnings, hostile documents."""

import logging
import sys

import pytest
from pydantic import ValidationError

from wurzel.datacontract import MarkdownDataContract
from wurzel.exceptions import UsageError
from wurzel.steps import SimpleSplitterStep, SplitterSettings
from wurzel.utils import WZ


def split(*texts, metadata=None, **settings):
    step = WZ(SimpleSplitterStep)
    step.settings = SplitterSettings(**settings)
    documents = [
        MarkdownDataContract(md=text, url=f"{number}.md", keywords="k", metadata=metadata)
        for number, text in enumerate(texts)
    ]
    return list(step.run(documents))


def test_a_chunk_keeps_url_and_keywords_and_tells_its_place():
    found = split(
        "# A\n\n" + "word " * 30 + "\n\n## B\n\nend",
        "second",
        metadata={"lang": "de", "headings": "old"},
        TOKEN_COUNT_MAX=40,
    )
    assert [(chunk.url, chunk.keywords) for chunk in found] == [("0.md", "k"), ("0.md", "k"), ("1.md", "k")]
    assert [chunk.metadata for chunk in found] == [
        {
            "lang": "de",
            "headings": headings,
            "chunk_index": index,
            "chunks_count": count,
            "token_len": tokens,
            "char_len": size,
        }
        for headings, index, count, tokens, size in (
            (["A"], 0, 2, 39, 154),
            (["A", "B"], 1, 2, 4, 14),
            ([], 0, 1, 2, 6),
        )
    ]


def test_documents_are_split_one_by_one():
    texts = ["# A\n\none\n\n# B\n\ntwo", "# C\n\nthree", "# D"]
    together = split(*texts, TOKEN_COUNT_MAX=5, TOKEN_COUNT_MIN=0)
    alone = [chunk for text in texts for chunk in split(text, TOKEN_COUNT_MAX=5, TOKEN_COUNT_MIN=0)]
    assert [chunk.md for chunk in together] == [chunk.md for chunk in alone]
    assert split() == []


@pytest.mark.parametrize(("name", "words"), [("estimate", 819), ("characters", 205)])
def test_the_budget_counts_what_is_asked(name, words):
    first = split("word " * 2000, TOKENIZER_MODEL=name)[0]
    assert len(first.md.split()) == words
    assert first.metadata["token_len"] <= 1024


def test_a_document_without_text_is_reported(caplog):
    assert [chunk.url for chunk in split("", "text", " \n")] == ["1.md"]
    assert [record.getMessage() for record in caplog.records] == [
        "0.md: contains no text",
        "2.md: contains no text",
    ]


def test_blocks_that_stay_too_large_are_reported_in_one_line(caplog):
    fence = "```\n" + "code\n" * 100 + "```\n\n"
    split(fence * 5, TOKEN_COUNT_MAX=20)
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert record.getMessage() == (
        "0.md: too large for chunks of 20 tokens and kept whole: fence in line 1 (127), fence in line 104 (127),"
        " fence in line 207 (127) and 2 more"
    )


def test_nothing_is_reported_when_all_is_well(caplog):
    split("# A\n\n" + "word. " * 1000, TOKEN_COUNT_MAX=20)
    assert not caplog.records


@pytest.mark.parametrize("settings", [{"TOKEN_COUNT_MIN": 64, "TOKEN_COUNT_MAX": 8}, {"TOKEN_COUNT_BUFFER": 5000}])
def test_a_minimum_or_buffer_above_the_maximum_does_no_harm(settings):
    found = split("# A\n\n" + "word. " * 1000, **settings)
    assert all(chunk.metadata["token_len"] <= settings.get("TOKEN_COUNT_MAX", 1024) for chunk in found)


@pytest.mark.parametrize(
    "settings", [{"TOKEN_COUNT_MAX": 1}, {"TOKEN_COUNT_MIN": -1}, {"TOKENIZER_MODEL": ""}, {"BATCH_SIZE": 1}]
)
def test_settings_are_checked(settings):
    with pytest.raises(ValidationError):
        SplitterSettings(**settings)


def test_without_the_parser_it_says_what_to_install(monkeypatch):
    for name in [name for name in sys.modules if name.startswith("wurzel.steps.splitting")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "markdown_it", None)
    with pytest.raises(UsageError, match=r"pip install 'wurzel\[markdown\]'"):
        split("text")


def test_an_unexpected_error_names_the_document(monkeypatch):
    from markdown_it.rules_block import StateBlock

    def fail(self, *_):
        raise IndexError("a bug of the parser")

    monkeypatch.setattr(StateBlock, "skipEmptyLines", fail)
    with pytest.raises(IndexError) as caught:
        split("text")
    assert caught.value.__notes__ == ["while splitting the document 0.md"]


HOSTILE = {
    "one word": "x",
    "one line": "Some words. " * 3,
    "one huge word": "x",
    "one huge list": "- item and some words\n",
    "one huge table": "| item | and some words |\n",
    "one huge quote": "> some words. More\n",
    "one huge fence": "code\n",
    "brackets": "[",
    "open tags": "<!-- a ",
    "quotes": ">",
    "nested lists": "- ",
    "definitions": "[a]: /url 'title'\n",
    "stars": "*a ",
    "backticks": "` `` ",
    "headings": "## x y z\n",
    "blank lines": "\n",
    "carriage returns": "a b\r\n\r\n",
    "tabs": "-\ta b\n\n\tc\n",
    "ideographs": "日本語のテキストです。",
    "marks that look like lists": "- ",
}
STARTS = {"one huge table": "| a | b |\n|---|---|\n", "one huge fence": "```\n", "marks that look like lists": "x "}


@pytest.mark.parametrize("name", HOSTILE)
def test_no_text_takes_more_than_its_share_of_time(name):
    """Twenty times the text must not take four hundred times the work, which calls of functions measure well."""
    piece, start = HOSTILE[name], STARTS.get(name, "")
    assert calls(start + piece * (60_000 // len(piece))) < 40 * calls(start + piece * (3_000 // len(piece))) + 20_000


def calls(text):
    count = 0

    def note(_frame, _event, _argument):
        nonlocal count
        count += 1

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        split(text, TOKEN_COUNT_MAX=100)
    finally:
        sys.setprofile(before)
    return count


def test_a_document_of_megabytes_is_split():
    section = (
        "## Title\n\n"
        + "Some words in a sentence. " * 20
        + "\n\n- one\n- two\n\n```\ncode\n```\n\n| a |\n|---|\n| 1 |\n\n"
    )
    text = section * (2_000_000 // len(section))
    found = split(text)
    assert sum(chunk.md.count("## Title") for chunk in found) >= text.count("## Title")
    assert all(chunk.metadata["token_len"] <= 1024 for chunk in found)
