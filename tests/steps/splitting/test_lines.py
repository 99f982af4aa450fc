"""Line numbers and indentation."""

import pytest

from wurzel.steps.splitting.pieces import LineCounter, one_line, unindent


def test_line_numbers():
    lines = LineCounter("a\nb\n\nc")
    assert [lines.at(offset) for offset in (0, 1, 2, 4, 5)] == [1, 1, 2, 3, 4]


def test_one_line():
    assert one_line(" a \n  b\tc ") == "a b c"


@pytest.mark.parametrize(
    ("text", "indents", "expected"),
    [
        ("    a\n  b\n c\n\nd", [2], "  a\nb\nc\n\nd"),
        ("\ta\n \tb\n\t\tc", [2], "  a\n  b\n  \tc"),
        ("a\u2028    b", [2], "a\u2028    b"),
        ("  > a\n  >   b", [2, 2], "> a\n> b"),
        (">   a\n> b\nlazy\n  lazy", [0, 2], "> a\n> b\nlazy\n  lazy"),
        ("> >     a", [0, 0, 4], "> > a"),
        ("   ", [5], ""),
        ("    a", [], "    a"),
    ],
)
def test_indentation_is_taken_behind_quote_marks(text, indents, expected):
    assert unindent(text, indents) == expected


def test_marks_are_taken_when_asked():
    assert unindent("- | a |\n  |---|", [2], marks=True) == "| a |\n|---|"
    assert unindent("- > | a |\n  > |---|", [2, 0], marks=True) == "> | a |\n> |---|"
