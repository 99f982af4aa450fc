"""Statements of a loop in a Python file are read once: what is written is what reading all of them gives."""

import ast
from io import StringIO
from tokenize import generate_tokens

import pytest

from wurzel.exceptions import QuotingError, VerifyError
from wurzel.render.quoting import python
from wurzel.render.quoting.draft import Draft
from wurzel.render.quoting.python_portions import Cutter
from wurzel.render.quoting.python_proof import prove_repeats
from wurzel.render.quoting.repeats import repeats, shortened
from wurzel.render.text import Held
from wurzel.render.values import Identifier

ITEMS = 12


@pytest.fixture(autouse=True)
def large(monkeypatch):
    """Files with few values count as large ones."""
    monkeypatch.setattr("wurzel.render.quoting.repeats.LARGE", ITEMS)


ALIKE = {
    "calls": ("", "op(◌, name=◌)\n", ""),
    "in a with block": ("with dag:\n    first()\n", "    op(◌)\n\n    # ◌\n    op('a ◌', ◌)\n", "last()\n"),
    "blocks": ("import x\n", "if 1:\n    op(◌)\nelse:\n    op(◌)\nop(2)\n", ""),
    "strings of several lines": ("", "op('''\n◌\n''', [\n  ◌,\n])\n", ""),
}
UNLIKE = {
    "in a function": ("def f():\n", "    op(◌)\n", ""),
    "in a list": ("xs = [\n", "    ◌,\n", "]\n"),
    "in a string": ("x = '''\n", "a ◌\n", "'''\n"),
    "branches": ("if 0:\n    pass\n", "elif ◌:\n    pass\n", ""),
    "of the whole file": ("", "global x\nop(◌)\n", ""),
}


def pieces_of(head, lines, tail, value=lambda number, index: f"v{number}-{index}"):
    pieces = [(head, 1, "t")]
    for number in range(ITEMS):
        first, *others = lines.split("◌")
        pieces.append((first, number + 2, "t"))
        for index, text in enumerate(others):
            pieces += [Held(value(number, index), number + 2, "t", ""), (text, number + 2, "t")]
    return [*pieces, (tail, ITEMS + 2, "t")]


def whole(pieces):
    draft = Draft(pieces)
    reference = draft.refer()
    for spot in python._spots(draft, generate_tokens(StringIO(reference).readline), Cutter(reference)):
        python._fill(draft, spot, spot.token.string, python._pieces(draft, spot))
    return draft.text()


def repeated(pieces):
    draft = Draft(pieces)
    draft.refer()
    return python._write_repeats(draft, prove=True), draft


@pytest.mark.parametrize(("head", "lines", "tail"), ALIKE.values(), ids=ALIKE)
def test_repeated_statements_are_like_those_that_were_read(head, lines, tail):
    pieces = pieces_of(head, lines, tail)
    done, draft = repeated(pieces)
    assert done
    assert draft.text() == whole(pieces)


@pytest.mark.parametrize(("head", "lines", "tail"), UNLIKE.values(), ids=UNLIKE)
def test_statements_that_may_be_read_otherwise_are_all_read(head, lines, tail):
    pieces = pieces_of(head, lines, tail)
    done, _ = repeated(pieces)
    assert not done


def test_what_is_written_in_a_repetition_that_was_not_read_is_proved():
    pieces = pieces_of("", "op(◌)\n", "")
    draft = Draft(pieces)
    draft.refer()
    assert python._write_repeats(draft, prove=False)
    index = draft.holes[9]
    draft.outputs[index] = draft.outputs[index].replace("v9", "v8")
    found = repeats(draft)
    with pytest.raises(QuotingError, match="v8-0"):
        prove_repeats(draft, found, shortened(draft.reference, [each.starts for each in found]))


@pytest.mark.parametrize("lines", ["def f(a_◌, a_◌): pass\n", "op(◌=1, ◌=2)\n"])
def test_names_that_do_not_compile_in_a_repetition_that_was_not_read_are_refused(lines):
    def value(number, index):
        return Identifier(f"x{index if number != 9 else 0}")

    with pytest.raises((VerifyError, QuotingError), match=r"t:11.*(duplicate|repeated)"):
        python.write(pieces_of("", lines, "", value))


def test_the_value_that_fails_is_named():
    pieces = pieces_of("", "op(◌, a_◌)\n", "", lambda number, index: Identifier("x") if index and number != 9 else "y")
    with pytest.raises(QuotingError, match="t:11"):
        python.write(pieces)
    assert ast.parse(python.write(pieces_of("", "op(◌, a_◌)\n", "", lambda *_: Identifier("x"))).text())
