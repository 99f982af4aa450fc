# ruff: noqa: E501 - tables of texts
"""Tags that would take away what makes lines."""

import pytest

from wurzel.exceptions import TemplateError


@pytest.mark.parametrize(
    ("source", "line", "message"),
    [
        ("a:\n  {% if x %}b: 1{% endif +%}\nc: 2\n", 2, "white space before"),
        ("a:\n  {# note #}b: 1\nc: 2\n", 2, "white space before"),
        ("a:\n  {% if x %}{{ x }}: 1{% endif +%}\n", 2, "white space before"),
        ("a:\n  {% raw %}b{% endraw +%}: 1\n", 2, "white space before"),
        ("a:\n\t{% set y = 1 %} b: 1\n", 2, "white space before"),
        ("- {% if x %}a{% endif %}\n- b\n", 1, "joins two lines"),
        ("- {{ x }} {# note #}\n- b\n", 1, "joins two lines"),
        ("- {{ x }}{% if x %}\n- {{ x }}\n{% endif %}\n", 1, "joins two lines"),
        ("{% macro m() %}\n- {{ x }}{# c #}\n- b\n{% endmacro %}\n{{ m() }}", 2, "joins two lines"),
        ("- {% raw %}a{% endraw %}\n- b\n", 1, "joins two lines"),
        ("a:\n  b: 1\n  {%+ if x == 1 %}c: 1{% endif %}\nd: 2\n", 3, "joins two lines"),
        ("a:\n  {{ '' if x else '' }}{# c #}\nd: 2\n", 2, "joins two lines"),
        (
            "{% macro m() %}\n  {%+ if true %}{{ caller() }}{% endif %}\nb: 1\n{% endmacro %}\na:\n{% call m() %}{% endcall %}\n",
            2,
            "joins two lines",
        ),
        ("a:\n{%- for i in [1, 2] %}\n- {{ i }}\n{%- endfor %}\n", 2, "joins two lines"),
        ("a:\n{% for i in [1, 2] %}\n- {{ i }}\n{%- endfor %}\n", 4, "joins two lines"),
        ("a:\n{% for i in [1, 2] -%}\n  - {{ i }}\n  {%- endfor %}\n", 4, "joins two lines"),
        (
            "a:\n{% for i in [1, 2] if i %}\n- {% for j in [1] %}{{ j }}{% endfor +%}\n- {{ i }}\n{%- endfor %}",
            5,
            "joins two",
        ),
    ],
)
def test_a_tag_that_changes_lines_in_silence_is_refused(render, source, line, message):
    with pytest.raises(TemplateError, match=message) as caught:
        render(source, x="y")
    assert caught.value.where == f"x.yaml.j2:{line}"
    assert "on a separate line" in caught.value.hint


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("a:\n  {%+ if x %}b: 1{% endif +%}\nc: 2\n", "a:\n  b: 1\nc: 2\n"),
        ("a:\n{%- if x %} b{% endif +%}\n", "a: b\n"),
        ("- {% if x %}a{% endif +%}\n- b\n", "- a\n- b\n"),
        ("a: [\n  {% for i in [1, 2] %}\n  {{ i }},\n  {% endfor %}\n]\n", "a: [\n  1,\n  2,\n]\n"),
        ("{% macro m(x) %}{{ x }}{% endmacro %}\na: {{ m(1) }}\n", "a: 1\n"),
        ("{% set y %}x{% endset %}\na: {{ y }}\n", "a: x\n"),
        ("a: [{% for i in [1, 2] -%}\n{{ i }},\n{%- endfor %}]\n", "a: [1,2,]\n"),
        ("a:\n{% for i in [1] %}\n- {{ i }}\n{%- endfor %}\n", "a:\n- 1\n"),
        ("a: [\n{% for i in [1, 2] %}{{ i }},{%- endfor +%}\n]\n", "a: [\n1,2,\n]\n"),
        ("{% set y = 1 %}{# c #}\na: 1\n  {# c #}\n", "a: 1\n"),
        ("a: {{ x }} {# at the end #}\n", "a: z \n"),
        ("a: {{ x }} {#- keeps the line break -#}\n\nb: 1\n", "a: zb: 1\n"),
    ],
)
def test_a_tag_that_says_so_is_fine(render, source, text):
    if "b: 1" in text and "zb" in text:
        with pytest.raises(TemplateError, match="the template is not valid YAML"):
            render(source, x="z")
    else:
        assert render(source, x="z").text == text


def test_an_included_part_may_end_the_line(render):
    files = {"x.yaml.j2": 'a: {% include "_v.j2" %}\nb: 1\n', "_v.j2": "{{ x }}\n"}
    assert render(files, x="z").text == "a: z\nb: 1\n"
    files["_v.j2"] = "{{ x }}"
    with pytest.raises(TemplateError, match="joins two lines"):
        render(files, x="z")


PARTS = {"_a.j2": "a: 1", "_l.j2": "- {{ x }}", "_n.j2": "b:\n  c: 1\n", "_e.j2": ""}


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ('{% include "_a.j2" %}\nb: 1\n', "a: 1\nb: 1\n"),
        ('{% if x %}{% include "_a.j2" %}{% endif %}\nb: 1\n', "a: 1\nb: 1\n"),
        ('{% include "_a.j2" -%}\n\nb: 1\n', None),
        ('{% if x %}{% include "_a.j2" %}\n{%- endif %}\nb: 1\n', "a: 1\nb: 1\n"),
        ('a:\n{% for x in [1, 2] %}\n{% include "_l.j2" %}\n{% endfor %}\nb: 1\n', "a:\n- 1\n- 2\nb: 1\n"),
        ('{% include "_e.j2" %}\nb: 1\n', "b: 1\n"),
        ('{% filter trim %}\n{% include "_n.j2" %}\n{% endfilter %}\nd: 1\n', "b:\n  c: 1\nd: 1\n"),
        ("{% macro m() %}a: {{ caller() }}{% endmacro %}\n{% call m() %}1{% endcall %}\nb: 1\n", "a: 1\nb: 1\n"),
        ("{% macro m() %}{{ caller() }}{% endmacro %}\n{% call m() %}{% endcall %}\nb: 1\n", "b: 1\n"),
        ("{% macro m() %}\na: 1\n{{ caller() }}\nb: 1\n{% endmacro %}\n{% call m() %}{% endcall %}\n", "a: 1\nb: 1\n"),
        ("{% block v %}a: 1{% endblock %}\nb: 1\n", "a: 1\nb: 1\n"),
        ("{% block v %}{% endblock %}\nb: 1\n", "b: 1\n"),
        ('k:\n{% filter indent(2, true) %}{% include "_n.j2" %}{% endfilter %}\nd: 1\n', "k:\n  b:\n    c: 1\nd: 1\n"),
        ('k:\n{% filter indent(2, true) %}\n{% include "_a.j2" %}\nd: 1\n{% endfilter %}\n', "k:\n  a: 1\n  d: 1\n"),
        ('k:\n  {%+ include "_a.j2" %}\nb: 1\n', None),
        ('k:\n  {%+ include "_a.j2" +%}\nb: 1\n', "k:\n  a: 1\nb: 1\n"),
        ('{% set t %}\n{% include "_a.j2" %}\nd: 1\n{% endset %}\nk: {{ t | string }}\n', "k: |\n  a: 1\n  d: 1\n"),
    ],
)
def test_what_is_written_on_lines_of_its_own_ends_in_a_line_break(render, source, text):
    if text is None:
        with pytest.raises(TemplateError):
            render({"x.yaml.j2": source, **PARTS}, x="y")
    else:
        assert render({"x.yaml.j2": source, **PARTS}, x="y").text == text


def test_a_block_in_a_child_without_a_final_line_break(render):
    base = "p:\n{% block tags %}\n- a\n{% endblock %}\n{% block more %}{% endblock %}\nq: 1\n"
    child = '{% extends "b.yaml.j2" %}\n{% block tags %}- gpu{% endblock %}\n{% block more %}r: {{ x }}{% endblock %}'
    assert render({"x.yaml.j2": child, "b.yaml.j2": base}, x="y").text == "p:\n- gpu\nr: 'y'\nq: 1\n"


@pytest.mark.parametrize(
    ("suffix", "source", "line", "message"),
    [
        ("yaml", 'k:\n  {% include "_n.j2" %}\n', 2, "white space before `{% include %}` is removed"),
        (
            "yaml",
            'k:\n{% if x %}\n  {% include "_n.j2" %}\n{% endif %}\n',
            3,
            "white space before `{% include %}`",
        ),
        ("py", 'if x:\n    {% include "_n.j2" %}\n', 2, "white space before `{% include %}`"),
        ("yaml", "k:\n  {% call m() %}{% endcall %}\n", 2, "white space before `{% call %}`"),
        ("yaml", 'k:\n  {%+ include "_n.j2" +%}\n', 2, "`{% include %}` writes several lines"),
        (
            "yaml",
            "{% macro m() %}\na:\n  b: 1\n{{ x }}: 1\n{% endmacro %}\nk:\n  {{ m() }}\n",
            7,
            r"`m\(\)` writes several lines",
        ),
        (
            "py",
            "{% macro m() %}\nf()\n{{ x | identifier }}()\n{% endmacro %}\nif x:\n    {{ m() }}\n",
            6,
            "only the first would be indented by 4",
        ),
        (
            "yaml",
            "{% macro m() %}\na: 1\nb: {{ caller() }}\n{% endmacro %}\nk:\n  {%+ call m() %}1{% endcall +%}\n",
            6,
            "writes several lines",
        ),
        ("yaml", "k:\n  {%+ filter trim %}a: 1\nb: 1\n{% endfilter %}\n", 2, "writes several lines"),
    ],
)
def test_indentation_that_would_be_lost_is_refused(render, suffix, source, line, message):
    with pytest.raises(TemplateError, match=message) as caught:
        render({f"x.{suffix}.j2": source, **PARTS}, x="y")
    assert caught.value.where == f"x.{suffix}.j2:{line}"
    assert "indent(" in caught.value.hint


def test_indentation_of_all_lines_is_fine(render):
    macro = "{% macro m() %}\na:\n  b: 1\n\n{{ x }}: 1\n{% endmacro %}\n"
    wanted = "k:\n  a:\n    b: 1\n\n  'y': 1\n"
    assert render(macro + "k:\n  {{ m() | trim | indent(2) }}\n", x="y").text == wanted
    assert render(macro + "k:\n{{ m() | indent(2, true) }}\n", x="y").text == wanted
    script = "{% macro m() %}\na\n{{ x }}\n{% endmacro %}\nif b; then\n  {{ m() }}\nfi\n"
    assert render({"x.sh.j2": script}, x="y").text == "if b; then\n  a\ny\n\nfi\n"


def test_shell_words_are_not_joined_over_lines(render):
    with pytest.raises(TemplateError, match="joins two lines"):
        render({"x.sh.j2": "run {% if x %}--flag{% endif %}\nnext\n"}, x=1)
