"""Where a paragraph is cut."""

import pytest

from wurzel.steps.splitting.blocks import is_paragraph, parse
from wurzel.steps.splitting.counting import measure
from wurzel.steps.splitting.prose import Prose


def parts(text, room, words=True):
    """All parts of the first paragraph of a text."""
    document = parse(text)
    block = document.blocks[0]
    prose = Prose.of(block, text, document.env)
    found, start = [], block.start

    def sound(cut):
        return is_paragraph(text[start : cut.end]) and is_paragraph(text[cut.start : block.end], quotes=0)

    while block.end - start > room and (cut := prose.cut(room, measure("characters"), sound, words=words)):
        found.append(text[start : cut.end])
        start = cut.start
    return [*found, text[start : block.end]]


@pytest.mark.parametrize(
    ("text", "room", "expected"),
    [
        ("One two. Three four. Five.", 20, ["One two. Three four.", "Five."]),
        ("One two. Three four. Five.", 19, ["One two.", "Three four. Five."]),
        ("One two! Three? Four", 10, ["One two!", "Three?", "Four"]),
        ('He said "yes." She (too.) Left', 26, ['He said "yes." She (too.)', "Left"]),
        ("one two three four", 9, ["one two", "three", "four"]),
        ("one two three four", 2, ["one", "two", "three", "four"]),
        ("unbreakable word", 5, ["unbreakable", "word"]),
        ("First line.\nSecond line.\nThird.", 26, ["First line.\nSecond line.", "Third."]),
        ("a  \n  b\n\t c", 1, ["a", "b", "c"]),
        ("日本語です。これは長い。終", 9, ["日本語です。", "これは長い。終"]),
        ("日本語日本語日本語", 4, ["日本語日", "本語日本", "語"]),
        ("日「本」語", 3, ["日", "「本」", "語"]),
    ],
)
def test_sentences_then_words(text, room, expected):
    assert parts(text, room) == expected


@pytest.mark.parametrize(
    ("text", "room", "first"),
    [
        ("Es war z. B. im Haus. Dann kam er", 30, "Es war z. B. im Haus."),
        ("Short. Dr. Who and Nr. Five went", 25, "Short."),
        ("Short. On the 3. Oktober he went", 25, "Short."),
        ("It was 2024. Then more words came", 25, "It was 2024."),
        ("Short. See e.g. the book of words", 25, "Short."),
        ("He went. and so on it continued", 25, "He went. and so on it"),
        ("Wait… Then more words came by", 20, "Wait…"),
    ],
)
def test_a_full_stop_is_not_always_an_end(text, room, first):
    assert parts(text, room)[0] == first


@pytest.mark.parametrize(
    "whole",
    [
        "`code with blanks`",
        "``co ` de with``",
        "[a link text](/url 'the title')",
        "![an image](/url)",
        "[by name][a ref]",
        "[a ref]",
        '<a href="x y" b>',
        "<!-- a comment -->",
        "[![in side](/u)](/v)",
    ],
)
def test_what_belongs_together_is_not_cut(whole):
    text = f"some words {whole} and more\n\n[a ref]: /url"
    for room in range(1, len(whole) + 12):
        assert any(whole in part for part in parts(text, room))


def test_a_rest_never_starts_something_else():
    for mark in ("-", "#", ">", "1.", "```", "***", "| a |\n", "<div>", "[a]: /u", "===", "    "):
        text = f"some words here {mark} and some more words"
        document = parse(text)
        if len(document.blocks) > 1:
            continue
        for room in range(1, len(text)):
            for part in parts(text, room):
                assert [block.kind for block in parse(part).blocks] == ["paragraph"], part


def test_a_first_part_never_ends_as_a_heading():
    assert parts("some words\n--- and more", 14) == ["some words", "--- and more"]


def test_sentences_only():
    assert parts("One. Two three four", 6, words=False) == ["One.", "Two three four"]
    assert parts("One two three", 8, words=False) == ["One two three"]


def test_marks_of_quotes_are_known():
    text = "> one two\nthree\n> four five"
    document = parse(text)
    prose = Prose.of(document.blocks[0].children[0], text, document.env)
    found = []
    while cut := prose.cut(5, measure("characters"), lambda _: True, words=True):
        found.append((text[cut.start :], cut.quotes))
    assert found == [
        ("two\nthree\n> four five", "> "),
        ("three\n> four five", ""),
        ("four five", "> "),
        ("five", "> "),
    ]
