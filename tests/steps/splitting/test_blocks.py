"""Blocks: what markdown-it-py sees, with exact places and nothing between them but blanks."""

import sys

import pytest

from wurzel.steps.splitting.blocks import MAX_NESTING, closes, parse


def outline(blocks, text):
    return [(block.kind, text[block.start : block.end], outline(block.children, text)) for block in blocks]


def kinds(text):
    return [block.kind for block in parse(text).blocks]


def leaves(*texts, kind="paragraph"):
    return [(kind, text, []) for text in texts]


def test_nested_blocks_keep_their_marks():
    text = "- one\n  two\n\n  three\n- four\n  > five\n"
    assert outline(parse(text).blocks, text) == [
        (
            "list",
            text.rstrip(),
            [
                ("item", "- one\n  two\n\n  three", leaves("- one\n  two", "  three")),
                ("item", "- four\n  > five", [*leaves("- four"), ("quote", "  > five", leaves("  > five"))]),
            ],
        )
    ]


def test_a_table_is_a_header_with_its_line_and_rows():
    text = "| a | b |\n|---|:-:|\n| 1 | 2 |\n| 3 |\n\nafter"
    assert outline(parse(text).blocks, text) == [
        ("table", text[: text.index("\n\n")], leaves("| a | b |\n|---|:-:|", "| 1 | 2 |", "| 3 |", kind="row")),
        *leaves("after"),
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        (" \n\t\n", []),
        ("# a\nb", ["heading", "paragraph"]),
        ("a\n===\nb\n---\nc", ["heading", "heading", "paragraph"]),
        ("a\nb\n===", ["heading"]),
        ("```\n# a\n```\n# b", ["fence", "heading"]),
        ("~~~\n# a\n\n- b", ["fence"]),
        ("````\n```\n# a\n````\nb", ["fence", "paragraph"]),
        ("    # a\n\n    b\n\nc", ["code", "paragraph"]),
        ("<div>\n# a\n</div>\n\n# b", ["html", "heading"]),
        ("<!--\n\n# a\n\n-->\n# b", ["html", "heading"]),
        ("a\n\n---\n\n***", ["paragraph", "rule", "rule"]),
        ("[a]: /u\n[b]:\n  /v\n  'title'\nc", ["definition", "definition", "paragraph"]),
        ("#no\n\n####### no", ["paragraph", "paragraph"]),
        ("\u2028# a\n\x0b# b", ["paragraph"]),
        ("1. a\n2. b\n\n- c\n\n* d", ["list", "list", "list"]),
        ("a | b\n--- | ---", ["table"]),
        ("a | b\n--- | --- | ---", ["paragraph"]),
        ("\ta\0b", ["code"]),
        ("> <!-- a\n>", ["quote"]),
    ],
)
def test_kinds(text, expected):
    assert kinds(text) == expected
    assert kinds(text + "\n") == expected


def test_headings_have_level_and_text():
    text = "### a `b` ###\n\nc\nd\n---"
    assert [(block.level, block.content) for block in parse(text).blocks] == [(3, "a `b`"), (2, "c\nd")]


def test_items_know_their_indentation():
    text = "-   a\n10. b\n-\n  c\n- > d\n*     e"
    items = [item.indent for block in parse(text).blocks for item in block.children]
    assert items == [4, 4, 2, 2, 2]


def test_definitions_are_kept_for_paragraphs():
    assert parse("[a b]: /u").env["references"]["A B"]["href"] == "/u"


@pytest.mark.parametrize("mark", [">", "- ", "> - "])
def test_deep_nesting_ends_somewhere(mark):
    text = mark * 5000 + "a"
    (block,) = parse(text).blocks
    assert text[block.start : block.end] == text
    depth = 0
    while block.children:
        block, depth = block.children[0], depth + 1
    assert depth <= MAX_NESTING
    assert sys.getrecursionlimit() == 1000


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("```\na\n```", True),
        ("```\na", False),
        ("~~~\na\n```", False),
        ("<div>\na", True),
        ("<!-- a", False),
        ("<!-- a -->", True),
        ("<script>\na\n</script>", True),
    ],
)
def test_whether_a_block_closes(text, expected):
    assert closes(text) is expected


def test_whether_a_block_in_a_quote_closes():
    assert not closes("> ```py\n> a", 1)
    assert closes("> ```py\n> a\n> ```", 1)
