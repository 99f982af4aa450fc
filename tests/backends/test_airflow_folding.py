import ast

import pytest

from wurzel.backends.airflow.folding import folded

LONG = "a" * 42


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("x = f(\n    1,\n    b=[\n        2,\n    ],\n)\n", "x = f(1, b=[2])\n"),
        ("x = (\n    1,\n)\n", "x = (1,)\n"),
        ("x = (\n    1,\n    2,\n)\n", "x = (1, 2)\n"),
        ("x = y[\n    1,\n]\n", "x = y[1,]\n"),
        ("x = f(\n)\n", "x = f()\n"),
        ("from a import (\n    b,\n    c,\n)\n", "from a import b, c\n"),
        ("[\n    a,\n    b,\n] >> c\n", "[a, b] >> c\n"),
        ("for x in (\n    y,\n):\n    pass\n", "for x in (y,):\n    pass\n"),
        ("match (\n    x,\n):\n    case 1:\n        pass\n", "match (x,):\n    case 1:\n        pass\n"),
        ('x = f(\n    "(",\n    \'",\',\n    "\\"",\n)\n', 'x = f("(", \'",\', "\\"")\n'),
        (f"f(\n    {LONG},\n    g(\n        {LONG},\n    ),\n)\n", f"f(\n    {LONG},\n    g({LONG}),\n)\n"),
        (f"f(\n    {LONG},\n    {LONG[1:]},\n) >> b\n", None),
        ("x = f(  # why\n    1,\n)\n", None),
        ("x = f(\n    # why\n    1,\n)\n", None),
        ('x = f(\n    """a\n    (\n""",\n)\n', None),
        ('x = """\nf(\n    1,\n)\n"""\n', None),
        ("x = 1 + \\\n    f(2)\n", None),
    ],
)
def test_brackets_are_on_one_line_where_they_fit(before, after):
    found, numbers = folded(before)
    assert found == (before if after is None else after)
    assert ast.dump(ast.parse(found)) == ast.dump(ast.parse(before))
    assert len(numbers) == found.count("\n")
    assert folded(found)[0] == found


def test_each_line_is_known_by_what_it_was():
    text = "a = f(\n    1,\n)\n\nb = g(\n    2,  # two\n    (\n        3,\n    ),\n)\nc = 4\n"
    assert folded(text)[1] == [0, 3, 4, 5, 6, 9, 10]
