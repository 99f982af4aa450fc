"""Patterns that are compiled when they are first used do what compiled ones do."""

import re

import pytest

from wurzel import patterns

made = pytest.fixture(params=[patterns.pattern, re.compile], ids=["ours", "re"])(lambda request: request.param)


def test_every_method(made):
    found = made(r"(a)(\d?)", re.IGNORECASE)
    assert found.match("A1x").groups() == ("A", "1")
    assert found.fullmatch("a1x") is None
    assert found.search("xa", 1).span() == (1, 2)
    assert found.sub("-", "a1ba") == "-b-"
    assert found.split("xa1y") == ["x", "a", "1", "y"]
    assert found.findall("a1a") == [("a", "1"), ("a", "")]
    assert [match[0] for match in found.finditer("a1a")] == ["a1", "a"]
    assert made(rb"\d").search(b"a1")[0] == b"1"


def test_nothing_is_compiled_before_it_is_used(monkeypatch):
    compiled = []
    monkeypatch.setattr(patterns.re, "compile", lambda *given: compiled.append(given) or real(*given))
    found = patterns.pattern("a+")
    assert not compiled
    assert [bool(found.match(text)) for text in ("aa", "b")] == [True, False]
    assert len(compiled) == 1


real = re.compile
