"""Tags that would take away what makes lines."""

import pytest

from wurzel.exceptions import TemplateError


@pytest.mark.parametrize(
    ("source", "line", "message"),
    [
        ("a:\n  {% if x %}b: 1{% endif +%}\nc: 2\n", 2, "white space in front"),
        ("a:\n  {# note #}b: 1\nc: 2\n", 2, "white space in front"),
        ("a:\n  {% if x %}{{ x }}: 1{% endif +%}\n", 2, "white space in front"),
        ("a:\n  {% raw %}b{% endraw +%}: 1\n", 2, "white space in front"),
        ("a:\n\t{% set y = 1 %} b: 1\n", 2, "white space in front"),
        ("- {% if x %}a{% endif %}\n- b\n", 1, "joins two lines"),
        ("- {{ x }} {# note #}\n- b\n", 1, "joins two lines"),
        ("- {{ x }}{% if x %}\n- {{ x }}\n{% endif %}\n", 1, "joins two lines"),
        ("{% macro m() %}\n- {{ x }}{# c #}\n- b\n{% endmacro %}\n{{ m() }}", 2, "joins two lines"),
        ("- {% raw %}a{% endraw %}\n- b\n", 1, "joins two lines"),
    ],
)
def test_a_tag_that_changes_lines_in_silence_is_refused(render, source, line, message):
    with pytest.raises(TemplateError, match=message) as caught:
        render(source, x="y")
    assert caught.value.where == f"x.yaml.j2:{line}"
    assert "on a line of its own" in caught.value.hint


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("a:\n  {%+ if x %}b: 1{% endif +%}\nc: 2\n", "a:\n  b: 1\nc: 2\n"),
        ("a:\n{%- if x %} b{% endif +%}\n", "a: b\n"),
        ("- {% if x %}a{% endif +%}\n- b\n", "- a\n- b\n"),
        ("a: [\n  {% for i in [1, 2] %}\n  {{ i }},\n  {% endfor %}\n]\n", "a: [\n  1,\n  2,\n]\n"),
        ("{% macro m(x) %}{{ x }}{% endmacro %}\na: {{ m(1) }}\n", "a: 1\n"),
        ("{% set y %}x{% endset %}\na: {{ y }}\n", "a: x\n"),
        ("{% set y = 1 %}{# c #}\na: 1\n  {# c #}\n", "a: 1\n"),
        ("a: {{ x }} {# at the end #}\n", "a: z \n"),
        ("a: {{ x }} {#- keeps the line break -#}\n\nb: 1\n", "a: zb: 1\n"),
    ],
)
def test_a_tag_that_says_so_is_fine(render, source, text):
    if "b: 1" in text and "zb" in text:
        with pytest.raises(TemplateError, match="this is not YAML"):
            render(source, x="z")
    else:
        assert render(source, x="z").text == text


def test_an_included_part_may_end_the_line(render):
    files = {"x.yaml.j2": 'a: {% include "_v.j2" %}\nb: 1\n', "_v.j2": "{{ x }}\n"}
    assert render(files, x="z").text == "a: z\nb: 1\n"
    files["_v.j2"] = "{{ x }}"
    with pytest.raises(TemplateError, match="joins two lines"):
        render(files, x="z")


def test_shell_words_are_not_joined_over_lines(render):
    with pytest.raises(TemplateError, match="joins two lines"):
        render({"x.sh.j2": "run {% if x %}--flag{% endif %}\nnext\n"}, x=1)
