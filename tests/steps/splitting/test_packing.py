"""Chunks keep the text, the budget and the structure; held for texts made of Markdown fragments and for soup.

The same texts each time; `EXAMPLES=2000 pytest tests/steps/splitting/test_packing.py` looks for new ones.
"""

import os

from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from wurzel.steps.splitting.counting import measure
from wurzel.steps.splitting.packing import Budget, split

EXAMPLES = os.environ.get("EXAMPLES")
PROFILE = settings(max_examples=int(EXAMPLES or 50), derandomize=EXAMPLES is None, deadline=None)
CHARACTERS = measure("characters")


def budget(maximum, minimum=0, buffer=0):
    return Budget(CHARACTERS, maximum, minimum, buffer)


ATOMS = [
    *("a", "b", "word", "longer", "sentence.", "End!", "z. B.", "`a b`", "[a b](c)", "<b>x y</b>", "**b c**", "é"),
    *("-", "#", ">", "1.", "```", "---", "===", "\\", "![i j](k)", "<!--", "-->", "日本語。テキスト"),
]
WORDS = st.lists(st.sampled_from(ATOMS), min_size=1, max_size=25).map(" ".join)
PARAGRAPH = st.lists(WORDS, min_size=1, max_size=3).map("\n".join)
HEADING = st.builds(lambda level, text: f"{'#' * level} {text}", st.integers(1, 6), WORDS)
SETEXT = st.builds(lambda text, line: f"{text}\n{line}", WORDS, st.sampled_from(["===", "---"]))
FENCE = st.builds(
    lambda mark, lines, closed: "\n".join([mark + "py", *lines, *([mark] if closed else [])]),
    st.sampled_from(["```", "~~~", "`````"]),
    st.lists(st.sampled_from(["# no heading", "code()", "", "  indented", "| a |", "- x"]), max_size=6),
    st.booleans(),
)
TABLE = st.lists(WORDS, max_size=5).map(
    lambda rows: "\n".join(["| a | b |", "|---|---|", *(f"| {r} | 1 |" for r in rows)])
)
HTML = WORDS.map(lambda text: f"<div>\n{text}\n</div>")
CODE = st.just("    indented\n\n      code")
DEFINITION = st.just("[a]: /url 'title'\n[b]:\n  /url")
LEAVES = st.one_of(PARAGRAPH, HEADING, SETEXT, FENCE, TABLE, HTML, CODE, DEFINITION)
GAPS = st.sampled_from(["\n", "\n\n", "\n\n\n"])


def indented(mark):
    return lambda parts: "\n".join(mark + part.replace("\n", "\n" + " " * len(mark)) for part in parts)


def deeper(inner):
    several = st.builds(lambda gap, parts: gap.join(parts), GAPS, st.lists(inner, min_size=1, max_size=3))
    items = st.lists(several, min_size=1, max_size=4)
    return st.one_of(
        *(items.map(indented(mark)) for mark in ("- ", "* ", "1. ", "10) ", "-   ")),
        several.map(lambda text: "> " + text.replace("\n", "\n> ")),
    )


BLOCKS = st.recursive(LEAVES, deeper, max_leaves=8)
DOCUMENTS = st.lists(st.builds(lambda block, gap: block + gap, BLOCKS, GAPS), max_size=12).map("".join)
SOUP = st.text(st.sampled_from(" \t\n\r-#>|`~*1.[]()<>!:\\ab.é日。\0\f\u2028="), max_size=300)
BUDGETS = st.builds(budget, st.integers(1, 200), st.integers(0, 50), st.integers(0, 20))


def squeezed(text):
    """The text without blanks and marks of quotes, which stand on blank lines between blocks too."""
    return "".join(text.replace(">", " ").split())


def unified(text):
    return text.replace("\r\n", "\n").replace("\r", "\n")


@PROFILE
@given(st.one_of(DOCUMENTS, SOUP), BUDGETS)
def test_no_text_is_lost_or_added(text, given_budget):
    source = unified(text)
    position = 0
    for chunk in split(text, given_budget):
        assert not source[position : chunk.start].strip(" \t\n>")
        assert squeezed(source[chunk.start : chunk.end]) == squeezed(chunk.body)
        assert chunk.body.strip(" \t\n")
        position = chunk.end
    assert not source[position:].strip(" \t\n>")


@PROFILE
@given(st.one_of(DOCUMENTS, SOUP), BUDGETS)
def test_only_what_cannot_be_cut_is_larger_than_the_budget(text, given_budget):
    for chunk in split(text, given_budget):
        assert len(chunk.md) <= given_budget.maximum or chunk.oversize
        assert len(chunk.context.rstrip("> ")) <= given_budget.maximum // 2


@PROFILE
@given(st.one_of(DOCUMENTS, SOUP))
def test_a_text_that_fits_stays_whole(text):
    chunks = split(text, budget(len(text) + 1))
    assert len(chunks) == bool(text.strip(" \t\r\n"))
    assert all(not chunk.context for chunk in chunks)


def leaves(text):
    """Contents of the blocks that must never be cut."""
    tokens = MarkdownIt("commonmark", {"maxNesting": 200}).enable("table").parse(text + "\n")
    return [token.content for token in tokens if token.type in {"fence", "code_block", "html_block"}]


@PROFILE
@given(DOCUMENTS, BUDGETS)
def test_code_and_html_come_out_whole(text, given_budget):
    found = [leaf for chunk in split(text, given_budget) for leaf in leaves(chunk.md)]
    assert [leaf.rstrip() for leaf in found] == [leaf.rstrip() for leaf in leaves(text)]
