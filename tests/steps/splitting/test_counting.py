"""Measures: the estimate, characters, and a model of tiktoken that needs no download."""

import re
import sys

import pytest
import tiktoken

from wurzel.exceptions import UsageError
from wurzel.steps.splitting.counting import measure
from wurzel.steps.splitting.packing import Budget, split


@pytest.mark.parametrize(
    ("text", "tokens"), [("", 0), ("a", 1), ("abcd", 1), ("abcde", 2), ("ééé", 2), ("日本", 2), ("\ud800", 1)]
)
def test_the_estimate_is_a_token_for_every_four_bytes(text, tokens):
    assert measure("estimate").tokens(text) == tokens


def test_characters():
    assert measure("characters").tokens("日本é") == 3
    assert measure("characters").unit == "characters"


@pytest.fixture
def words(monkeypatch):
    """An encoding in which every word with the blanks before it is one token, or one for each byte if it is unknown."""
    ranks = {bytes([byte]): byte for byte in range(256)}
    for token in (b" w", b" wo", b" wor", b" word", b".\n", b"\n\n"):
        ranks[token] = len(ranks)
    monkeypatch.setattr(tiktoken.registry, "ENCODINGS", {})
    monkeypatch.setattr(
        tiktoken.registry,
        "ENCODING_CONSTRUCTORS",
        {"words": lambda: {"name": "words", "pat_str": r"\s*\S+|\s+", "mergeable_ranks": ranks, "special_tokens": {}}},
    )


@pytest.mark.usefixtures("words")
def test_tokens_of_a_model():
    tokens = measure("words")
    assert tokens.tokens(" word word") == 2
    assert tokens.tokens("word") == 4
    chunks = split("# H\n\n" + " word" * 1000 + ".\n\nlast word", Budget(tokens, 50))
    assert all(tokens.tokens(chunk.md) <= 50 for chunk in chunks)
    assert len(chunks) == 24
    assert not any(chunk.oversize for chunk in chunks)


@pytest.mark.usefixtures("words")
def test_an_unknown_model_is_named():
    with pytest.raises(UsageError, match=r"TOKENIZER_MODEL=wrods: tiktoken knows no model .*\n.*Encodings: words"):
        measure("wrods")


def test_without_tiktoken_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "tiktoken", None)
    with pytest.raises(UsageError, match=re.escape("pip install 'wurzel[tokens]'")):
        measure("gpt-4o")


def test_data_that_cannot_be_loaded_is_no_crash(monkeypatch):
    def fail():
        raise ConnectionError("no network")

    monkeypatch.setattr(tiktoken.registry, "ENCODINGS", {})
    monkeypatch.setattr(tiktoken.registry, "ENCODING_CONSTRUCTORS", {"far": fail})
    with pytest.raises(UsageError, match=r"cannot load its data: no network\n.*TIKTOKEN_CACHE_DIR"):
        measure("far")
