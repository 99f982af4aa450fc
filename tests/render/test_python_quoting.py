"""Values in Python, position by position: what is written, what Python finds, and what is refused."""

import ast

import pytest

from tests.render.hostile import STRINGS, same
from wurzel.exceptions import QuotingError, VerifyError
from wurzel.render.quoting import python_portions
from wurzel.render.verify import python_tree


@pytest.fixture
def python(render):
    return lambda source, **context: render({"x.py.j2": source}, **context).text


def test_every_text_reads_back_as_a_literal(python):
    for text in STRINGS:
        source = python("x = {{ x }}\n", x=text)
        assert ast.literal_eval(source.removeprefix("x = ").strip()) == text
        source.encode()


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("abc", '"abc"'),
        ("it's", '"it\'s"'),
        ('say "x"', "'say \"x\"'"),
        ("both ' and \"", '"both \' and \\""'),
        ("a\nb\t\\\r\0", '"a\\nb\\t\\\\\\r\\x00"'),
        ("ünï 🌱 \u2028\u202e\U000e0041", '"ünï 🌱 \\u2028\\u202e\\U000e0041"'),
        ("\ud800", '"\\ud800"'),
        ("{{ x }}", '"{{ x }}"'),
        (5, "5"),
        (-5, "-5"),
        (True, "True"),
        (None, "None"),
        (1e300, "1e+300"),
        (-0.0, "-0.0"),
        (float("inf"), "1e999"),
        (float("-inf"), "-1e999"),
        ([], "[]"),
        (("a", 1), '["a", 1]'),
        ({"a": {}, 1: [None]}, '{"a": {}, 1: [None]}'),
    ],
)
def test_form_of_a_literal(python, value, written):
    assert python("x = {{ x }}\n", x=value) == f"x = {written}\n"


def test_a_long_literal_takes_several_lines(python):
    value = {"a" * 30: ["b" * 40, "c" * 40], "d": [], "e": {"f": 1}}
    text = python("def f():\n    return g({{ x }}, 1)\n", x=value)
    assert text.splitlines()[1:4] == ["    return g({", f'        "{"a" * 30}": [', f'            "{"b" * 40}",']
    assert text.splitlines()[-1] == "    }, 1)"
    assert ast.literal_eval(ast.parse(text).body[0].body[0].value.args[0]) == value


def test_numbers_bind_as_one(python):
    text = python(
        "x = [{{ n }} ** 2, {{ n }}.real, -{{ n }}, 2 ** {{ n }}, {{ m }}.real, {{ n }} - {{ n }}]\n", n=-3, m=5
    )
    assert text == "x = [(-3) ** 2, (-3).real, --3, 2 ** -3, (5).real, -3 - -3]\n"


def test_text_within_strings(python):
    hostile = 'it\'s "q" \\ {x} """ \'\'\'\n end\\'
    text = python(
        """a = 'x {{ s }}'\nb = "{{ s }}{{ n }}"\n'''{{ t }}'''\nc = r'{{ r }}'\nd = u"{{ s }}"\n""",
        s=hostile,
        n=5,
        t="l1\nl2\r'''",
        r="a b",
    )
    names = {}
    exec(text, names)
    assert (names["a"], names["b"], names["c"], names["d"]) == (f"x {hostile}", f"{hostile}5", "a b", hostile)
    assert ast.literal_eval(ast.parse(text).body[2].value) == "l1\nl2\r'''"
    assert "l1\nl2" in text


def test_names_are_code_only_when_declared(python):
    text = python(
        "{{ n | identifier }} = f_{{ n | identifier }}({{ n | identifier }}={{ n }})\nx_{{ i }} = 1\n", n="abc", i=3
    )
    assert text == 'abc = f_abc(abc="abc")\nx_3 = 1\n'


def test_comments_are_never_left(python):
    text = python(
        "#!/usr/bin/{{ p }}\n# {{ s }}\nif True:\n    # {{ s }}\n    pass  # {{ t }}\n",
        p="env",
        s="x\nimport os\r\ny",
        t="q",
    )
    assert text == "#!/usr/bin/env\n# x\n# import os\n# y\nif True:\n    # x\n    # import os\n    # y\n    pass  # q\n"


@pytest.mark.parametrize(
    ("template", "value", "message"),
    [
        ("x = f'{{ s }}'\n", "b", "f-string|prefix 'f'"),
        ("x = f'{ {{ s }} }'\n", "b", "f-string|prefix 'f'"),
        ("x = b'{{ s }}'\n", "b", "prefix 'b'"),
        ("x = r'{{ s }}'\n", "b'", "a raw string cannot contain it"),
        ("x = '%s {{ s }}' % y\n", "50%", "`%` formats the string"),
        ("x = ('a'\n     '{} {{ s }}'.format(y))\n", "{0}", "`.format` formats the string"),
        ("x = '''\n{{ s }}\n  {}'''.format(y)\n", "{0}", "`.format` formats the string"),
        ("x = r'{{ s }}'\n", "b\\", "a raw string cannot contain it"),
        ("x = '\\{{ s }}'\n", "n", "there is a backslash before it"),
        ("x = '\\1{{ s }}'\n", "23", "is not the text of the template"),
        ("x = '{{ s }}'\n", None, "where only text and numbers are allowed"),
        ("x = '{{ s }}'\n", ["b"], "where only text and numbers are allowed"),
        ("f({{ s }}=1)\n", "b", "does not match the template"),
        ("def {{ s }}(): pass\n", "b", "does not match the template"),
        ("x_{{ s }} = 1\n", "b", "it is inside a name"),
        ("x_{{ s }} = 1\n", -1, "it is inside a name"),
        ("x.{{ s }}\n", "b", "does not match the template"),
        ("x = {{ s }}\n", float("nan"), "Python has no literal"),
        ("x = 1 # {{ s }}\n", "b\nc", "several lines cannot be in a comment"),
        ("# {{ s }}\n", "coding: latin-1", "would change the encoding"),
        ("x = 1\n# {{ s }}\n", "vim: set fileencoding=cp1252 :", "would change the encoding"),
        ("#!/usr/bin/{{ s }}\n", "env\nx", "plain path"),
        ("x = {{ s | words }}\n", ["b"], "for shell templates"),
    ],
)
def test_what_cannot_be_read_back_is_refused(python, template, value, message):
    with pytest.raises(QuotingError, match=message) as caught:
        python(template, s=value)
    line = template[: template.index("{{")].count("\n") + 1
    assert caught.value.where == f"x.py.j2:{line}"


@pytest.mark.parametrize(
    ("template", "line"),
    [
        ("x = 1\nx = 'a' {{ s }}\n", 2),
        ("x = {{ s }}{{ s }} {{ s }}\n", 1),
        ("x = f{{ s }} 'a'\n", 1),
        ("x = 5{{ s }}\n", 1),
        ("def f():\nx = {{ s }}\n", 2),
        ("x = [{% for i in [1, 2] %}{{ i }} {{ i }}{% endfor +%}]\n", 1),
        ("return {{ s }}\n", 1),
    ],
)
def test_a_template_that_is_no_python_is_named_with_its_line(python, template, line):
    with pytest.raises(VerifyError, match="the template is not valid Python, whatever its values are") as caught:
        python(template, s="b")
    assert caught.value.where == f"x.py.j2:{line}"


def test_values_next_to_each_other_are_never_joined_to_one(python):
    with pytest.raises(QuotingError):
        python("f({% for x in xs %}{{ x }}{{ ', ' if not loop.last else '' }}{% endfor +%})\n", xs=["a", "b"])
    assert (
        python("f({% for x in xs %}{{ x }}{% if not loop.last %}, {% endif %}{% endfor +%})\n", xs=["a", "b"])
        == 'f("a", "b")\n'
    )


def test_identifiers_are_checked(python):
    for bad in ("a b", "", "1a", "class", "é", "a\n", 5, None, "a.b"):
        with pytest.raises(Exception, match="is not a name that code can use") as caught:
            python("{{ n | identifier }} = 1\n", n=bad)
        assert caught.value.where == "x.py.j2:1"


def test_same_is_strict():
    assert not same(1, True)
    assert not same(0.0, -0.0)
    assert same([float("nan")], [float("nan")])


def test_a_list_of_identifiers_is_code(render):
    source = "{{ names | map('identifier') | list }} >> c\nx = {{ {'a': names | map('identifier') | list} }}\n"
    assert render({"x.py.j2": source}, names=["a", "b"]).text == '[a, b] >> c\nx = {"a": [a, b]}\n'


@pytest.mark.parametrize(
    "source",
    [
        "f({{ names | join(', ') }})\n",
        "x = [{{ names | join(', ') }}]\n",
        "{{ names | map('identifier') | join(', ') }} >> c\n",
        "x = {{ names | tojson }}\n",
    ],
)
def test_text_that_is_built_to_look_like_code_is_refused(render, source):
    with pytest.raises(QuotingError, match="text") as caught:
        render({"x.py.j2": source}, names=["a", "b"])
    assert caught.value.where == "x.py.j2:1"


@pytest.fixture
def parsed(monkeypatch):
    """The texts that are parsed, where every statement that may be one is a portion."""
    texts = []

    def watched(text, **options):
        texts.append(text)
        return python_tree(text, **options)

    monkeypatch.setattr(python_portions, "SIZE", 1)
    monkeypatch.setattr("wurzel.render.quoting.python_proof.python_tree", watched)
    return texts


LARGE = """\
import a
with a.b(
    {{ x }},
):
    c = {{ x }}
    # {{ x }}
    if c:
        c = [{{ x }}, "{{ x }}"]
    else:
        c = 2
for d in c:
    d = {{ x }}
else:
    d = 1
"""


def test_large_files_are_proved_in_portions(python, parsed):
    text = python(LARGE, x="é\n")
    compile(text, "x", "exec")
    assert text == LARGE.replace('"{{ x }}"', '"é\\n"').replace("# {{ x }}", "# é\n    #").replace("{{ x }}", '"é\\n"')
    assert "".join(part.removeprefix("if 1:\n") for part in parsed[1::2]) == text
    assert parsed[::2][0] == "import a\n"
    assert max(map(len, parsed)) < len(text)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ('d = "a" {{ x }}', "not valid Python"),
        ("d = f(a for a in {{ x }}, 1)", "not valid Python"),
        ("return {{ x }}", "not valid Python"),
        ("from __future__ import annotations", "not valid Python"),
    ],
)
def test_an_error_in_any_portion_has_its_line(python, parsed, wrong, message):
    for place, line in (("c = 2", 10), ("d = 1", 14), ("c = {{ x }}", 5)):
        with pytest.raises(VerifyError, match=message) as raised:
            python(LARGE.replace(f"{place}\n", f"{wrong}\n"), x="y")
        assert raised.value.where.endswith(f"x.py.j2:{line}")
    assert parsed


def test_what_is_about_the_whole_file_is_proved_at_once(python, parsed):
    text = python("from __future__ import annotations\n" + LARGE, x=1)
    assert parsed[1:] == [text]
    with pytest.raises(VerifyError, match="before global declaration"):
        python("a = {{ x }}\nglobal a\n", x=1)
