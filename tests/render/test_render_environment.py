"""What templates can do, and how each mistake is named: template, line, what is wrong, what to write."""

import datetime as dt
import enum
import re
from pathlib import PurePosixPath
from types import MappingProxyType

import pytest
from pydantic import BaseModel, SecretStr

from wurzel.exceptions import TemplateError
from wurzel.render import Renderer


class Color(enum.StrEnum):
    RED = "yes"


class Level(enum.IntEnum):
    LOW = 1


class Model(BaseModel):
    name: str = "n"
    labels: dict[str, str] = {}


def error(render, files, **context):
    with pytest.raises(TemplateError) as caught:
        render(files, **context)
    return caught.value


def test_inheritance_includes_macros_and_calls_write_text_once(render):
    text = render(
        {
            "x.yaml.j2": '{% extends "base.yaml.j2" %}\n{% block labels %}\n{{ super() }}'
            "    team: {{ team }}\n{% endblock %}\n",
            "base.yaml.j2": '{% from "_m.j2" import entry, list %}\nmetadata:\n  labels:\n{% block labels %}\n'
            "    {{ entry('a', team) }}\n{% endblock %}\n{% call list('k') %}\n  - {{ team }}\n{% endcall %}\n"
            "again: {{ self.labels() | string }}\n",
            "_m.j2": "{% macro entry(k, v) %}{{ k }}: {{ v }}{% endmacro %}\n"
            "{% macro list(k) %}\n{{ k }}:\n{{ caller() }}{% endmacro %}\n",
        },
        team="no",
    ).text
    assert text == (
        "metadata:\n  labels:\n    a: 'no'\n    team: 'no'\nk:\n  - 'no'\nagain: |\n      a: no\n      team: no\n"
    ).replace("again: |\n      a: no\n      team: no\n", "again: |2\n      a: no\n      team: no\n")


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("x | upper", "YES"),
        ("'a' ~ x ~ 1", "ayes1"),
        ("x ~ 1.5", "yes1.5"),
        ("[x, 'b', 3] | join(', ') | string", "yes, b, 3"),
        ("{'a': x}['a'] | replace('e', ': ')", "y: s"),
        ("' yes ' | trim", "yes"),
        ("'xyesx' | trim('x')", "yes"),
        ("x | truncate(2, true, '', 0)", "ye"),
        ("nothing | default(x)", "yes"),
        ("x | json", '"yes"'),
        ("[x, none, 1.5, {'é': true}] | json", '["yes", null, 1.5, {"é": true}]'),
        ("{'b': 1, 'a': 2} | json(indent=1)", '{\n "b": 1,\n "a": 2\n}'),
        ("[x, 'a b', 3] | shell", "yes 'a b' 3"),
        ("'a b' | shell", "'a b'"),
        ("5400 | duration", "1h30m"),
        ("'90s' | duration", "1m30s"),
        ("delta | duration", "1h"),
        ("5 | string", "5"),
        ("path | string", "a/b"),
        ("'a\nb' | indent(2)", "a\n  b"),
        ("'a\n\nb' | indent(2, true, true)", "  a\n  \n  b"),
        ("'12' | int", 12),
        ("'1.5' | float", 1.5),
        ("'x' | int(7)", 7),
        ("x | length", 3),
        ("x == 'yes'", True),
        ("objects | join('-', 'name')", "n-m"),
    ],
)
def test_values_that_expressions_make(render, expression, value):
    objects = [Model(), {"name": "m"}]
    given = {"x": "yes", "delta": dt.timedelta(hours=1), "path": PurePosixPath("a/b"), "objects": objects}
    text = render("[{{ " + expression + " }}]\n", **given).text
    assert text == render("[{{ v }}]\n", v=value).text


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (Color.RED, "'yes'"),
        (Level.LOW, "1"),
        (MappingProxyType({Color.RED: (1, Level.LOW)}), "{'yes': [1, 1]}"),
        (type("Text", (str,), {})("on"), "'on'"),
        (type("Number", (int,), {})(5), "5"),
        (type("Real", (float,), {})(-0.0), "-0.0"),
    ],
)
def test_relatives_of_plain_values_are_those_values(render, value, written):
    assert render("[{{ x }}]\n", x=value).text == f"[{written}]\n"


@pytest.mark.parametrize(
    ("value", "kind", "hint"),
    [
        ({1, 2}, "a set", "| sort"),
        ((i for i in [1]), "a generator", "| list"),
        ({}.items(), "a dict_items", "Loop"),
        (range(3), "a range", "| list"),
        (dt.date(2020, 1, 1), "a date", "isoformat"),
        (b"x", "a bytes", "Decode"),
        (PurePosixPath("a"), "a PurePosixPath", "| string"),
        (SecretStr("s"), "a SecretStr", "Write text"),
        (Model(), "a Model", "Write one of its fields"),
        (len, "a builtin_function_or_method", "Call it"),
        ([[object()]], "an object", "Write text"),
        ({(1, 2): 1}, "key (1, 2)", ""),
        ({1: 1, Level.LOW.name: 2, Color.RED: 3, "yes": 4}.keys(), "a dict_keys", "| list"),
    ],
)
def test_what_no_file_can_hold_is_refused(render, value, kind, hint):
    caught = error(render, "a: 1\nb: {{ x }}\n", x=value)
    assert caught.where == "x.yaml.j2:2"
    assert kind in caught.message
    assert hint in caught.hint


def test_endless_values_are_refused(render):
    endless = []
    endless.append(endless)
    assert "nested deeper than 100 levels" in error(render, "a: {{ x }}\n", x=endless).message


def test_values_are_written_as_they_were_when_they_were_written(render):
    text = render("a: {{ x }}\n{% set y = x.append(2) %}\nb: {{ x }}\n", x=[1]).text
    assert text == "a:\n  - 1\nb:\n  - 1\n  - 2\n"


@pytest.mark.parametrize(
    ("source", "message", "hint"),
    [
        ("{{ nam }}", "'nam' is undefined", "Did you mean name?"),
        ("{{ zzzz }}", "'zzzz' is undefined", ""),
        ("{% if nam %}{% endif %}", "'nam' is undefined", "Did you mean name?"),
        ("{% for a in nam %}{% endfor %}", "'nam' is undefined", "Did you mean name?"),
        ("{{ 'a' ~ nam }}", "'nam' is undefined", "Did you mean name?"),
        ("{{ [nam] }}", "'nam' is undefined", "Did you mean name?"),
        ("{{ '%s' | format([nam]) }}", "'nam' is undefined", "Did you mean name?"),
        ("{{ {'a': nam} | json }}", "'nam' is undefined", "Did you mean name?"),
        ("{{ model.nme }}", "has no 'nme'; did you mean name?", ""),
        ("{{ table.Key2 }}", "has no 'Key2'; did you mean Key1?", ""),
        ("{{ table['x'] }}", "has no 'x'", ""),
        ("{{ [] | first }}", "No first item", ""),
        ("{{ name if false }}", "the inline `if` is false and has no `else`", "Add `else`"),
        ("{{ '%s' | format(name if false) }}", "the inline `if` is false and has no `else`", "Add `else`"),
        ("{{ name | uper }}", "there is no filter 'uper'", "Did you mean upper?"),
        ("{% if name is strng %}{% endif %}", "there is no test 'strng'", "Did you mean string?"),
        ("{% if false and name | uper %}{% endif %}", "there is no filter 'uper'", "Did you mean upper?"),
        ("{{ name | safe }}", "there is no filter 'safe'", "Values are never inserted unquoted"),
        ("{{ name | e }}", "there is no filter 'e'", "HTML"),
        ("{% filter wordwrap(3) %}{{ name }}{% endfilter %}", "cannot be used as a value here", "| string"),
        ("{% filter filesizeformat %}{{ name }}{% endfilter %}", "cannot be used as a value here", "| string"),
        ("{% filter json %}{{ name }}{% endfilter %}", "it is rendered text, not a value", "| string"),
        ("{% macro m() %}true{% endmacro %}{{ m() is true }}", "is never `true`, whatever", "| trim =="),
        ("{% macro m() %}null{% endmacro %}{{ m() is none }}", "is never `none`, whatever", "| trim =="),
        ("{{ [1] | random }}", "there is no filter 'random'", "the same every time"),
        ("{{ lipsum() }}", "'lipsum' is undefined", ""),
        ("{% autoescape true %}{% endautoescape %}", "`autoescape` has no meaning here", ""),
        ("{{ name", "unexpected end of template|end of print statement", ""),
        ("{% iff name %}", "unknown tag 'iff'", ""),
        ("{% if name %}", "Unexpected end of template", ""),
        ("{{ name + 1 }}", "TypeError: can only concatenate str", ""),
        ("{{ 1 / 0 }}", "ZeroDivisionError", ""),
        ("{{ name ~ true }}", "True has no unique text form", "| json"),
        ("{{ name ~ none }}", "None has no unique text form", "| json"),
        ("{{ [none] | join }}", "None has no unique text form", "| json"),
        ("{{ 'ab' | join(',') }}", "'ab' is one text, not a list", "Loop over"),
        ("{% for c in name %}{% endfor %}", "'n' is one text, not a list", "Loop over"),
        ("{% for k, v in {'ab': 1} %}{% endfor %}", "a loop over a mapping takes its keys alone", "Write `.items()`"),
        ("{% for k, v in ['ab', 'cd'] %}{% endfor %}", "'ab' is one text, so it has no parts to name", "Use `.split"),
        ("{% for k, v in ['ab'] | map('upper') %}{% endfor %}", "'AB' is one text, so it has no parts", "Use `.split"),
        ("{% set k, v = 'ab' | lower %}", "'ab' is one text, so it has no parts to name", "Use `.split"),
        ("{% for c in {1: 2}.keys() | unique | list | string %}{% endfor %}", "has no unique text form", ""),
        ("{{ 'x' | int }}", "'x' is not a number", "Pass a default"),
        ("{{ 'x' | duration }}", "is not a duration", ""),
        ("{{ name | identifier | upper | identifier ~ '-' | identifier }}", "not a name that code can use", "ASCII"),
        ("{{ 5 | words }}", "5 is not a list", ""),
        ("{{ {'a': 1} | shell }}", "has no unique text form", ""),
        ("{{ model | json }}", "a Model", "Write one of its fields"),
        ("{{ name | replace('', 'x') }}", "'' cannot be replaced", ""),
        ("{{ super() }}", "'super' is undefined", ""),
        ("{% include 'nope.yaml.j2' %}", "there is no template 'nope.yaml.j2'", ""),
        ("{% include ['nope.j2', 'no.j2'] %}", "none of the templates given were found", ""),
        ("{% include 'x.sh.j2' %}", "'x.sh.j2' is shell, but 'x.yaml.j2' is YAML", "name.j2"),
        ("{% import 'x.py.j2' as p %}", "'x.py.j2' is Python, but 'x.yaml.j2' is YAML", "name.j2"),
        ("{% include 'x.yaml.j2' %}", "call each other endlessly", ""),
        ("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "call each other endlessly", ""),
        ("{% macro m() %}{% include '_p.j2' without context %}{% endmacro %}", "without context", ""),
        ("\0", "the template contains a NUL character", ""),
    ],
)
def test_a_mistake_is_named_with_its_line(render, source, message, hint):
    files = {"x.yaml.j2": "# one\n\n" + source + "\n", "_p.j2": "", "x.sh.j2": "", "x.py.j2": ""}
    caught = error(render, files, name="n", model=Model(), table={"Key1": 1})
    assert re.search(message, caught.message), caught.message
    assert caught.where == "x.yaml.j2:3"
    assert hint in caught.hint


def test_a_mistake_in_a_macro_or_part_is_named_where_it_stands(render):
    macro = "\n{% macro f(x) %}\n{{ x.y }}{% endmacro %}"
    files = {"x.yaml.j2": '{% import "_m.j2" as m %}\na: {{ m.f(1) }}\n', "_m.j2": macro}
    assert error(render, files).where == "_m.j2:3"
    files = {"x.yaml.j2": 'a:\n{% include "_p.j2" %}\n', "_p.j2": "\n  {{ nope }}"}
    assert error(render, files).where == "_p.j2:2"


@pytest.mark.parametrize(
    ("source", "hint"),
    [
        ("{{ t | upper }}", "| string"),
        ("{{ t | truncate(3) }}", "| string"),
        ("{{ t[:3] }}", "| string"),
        ("{{ t | length }}", "| string"),
        ("{{ t | list }}", "| string"),
        ("{{ '%s' | format(t) }}", "| string"),
        ("{{ '%s' % t }}", "| string"),
        ("{{ '%s' % [t] }}", "| string"),
        ("{{ [t] }}", "| string"),
        ("{{ {'a': t} | json }}", "| string"),
        ("{{ {'a': 1}[t] }}", "| string"),
        ("{{ t * 2 }}", "| string"),
        ("{{ t | wordwrap(3) }}", ""),
        ("{{ t.split('x') }}", ""),
        ("{{ t | shell }}", "| string"),
        ("{{ t | identifier }}", ""),
        ("{% for c in t %}{% endfor %}", "| string"),
        ("{{ b | string }}", "| json"),
        ("{{ t | indent('# ') }}", "number of spaces"),
        ("{{ t | replace('a', 'b', 1) }}", "Remove the count"),
    ],
)
def test_rendered_text_is_no_value_unless_it_is_made_one(render, source, hint):
    head = "{% set t %}a: {{ x }}{% endset %}{% set b %}{{ none }}{% endset %}\n"
    caught = error(render, head + source + "\n", x="y")
    assert caught.where == "x.yaml.j2:2"
    assert hint in caught.hint


def test_joined_text_is_named_where_it_is_written(render):
    source = "{% set t %}a{% endset %}\n\nk: {{ [t, x] | join(' ') }}\n"
    caught = error(render, source, x="# b")
    assert "would end it" in caught.message
    assert caught.where == "x.yaml.j2:3"


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("{{ t }}\n", "a: 'y'\nb: c\n"),
        ("k:\n  {{ t | indent(2) }}\n", "k:\n  a: 'y'\n  b: c\n"),
        ("{{ t | replace('c', x) }}\n", "a: 'y'\nb: 'y'\n"),
        ("{{ t | replace('y', 'on') }}\n", "a: 'on'\nb: c\n"),
        ("{{ t ~ '' if false else t }}\n", "a: 'y'\nb: c\n"),
        ("{{ n ~ x }}: 1\n", "xy: 1\n"),
        ("{{ x ~ n }}: 1\n", "yx: 1\n"),
        ("{{ n + x }}: 1\n", "xy: 1\n"),
        ("{{ [n, x] | join('-') }}: 1\n", "x-y: 1\n"),
        ("{% filter replace('c', 'd') %}\n{{ t }}\n{% endfilter %}\n", "a: 'y'\nb: d\n"),
        ("{% if n == 'x' and 'x' in n and n is not blank %}\nk: 1\n{% endif %}\n", "k: 1\n"),
        ("{% if e is not blank %}\nk: 1\n{% endif %}\nl: 1\n", "l: 1\n"),
        ("k: {{ n | default('z') }}\n", "k: x\n"),
        ("k: {{ t | string | upper }}\n", "k: |-\n  A: Y\n  B: C\n"),
        ("k: {{ t.strip() | string }}\n", "k: |-\n  a: y\n  b: c\n"),
    ],
)
def test_rendered_text_keeps_its_values_apart(render, source, text):
    head = "{% set t %}\na: {{ x }}\nb: c{% endset %}{% set n %}x{% endset %}{% set e %} \n{% endset %}\n"
    assert render(head.replace("{% set t %}\n", "{% set t -%}\n") + source, x="y").text == text


class TestInheritance:
    def test_extending_itself_says_what_to_write(self, render):
        files = {"dvc/dvc.yaml.j2": '\n{% extends "dvc/dvc.yaml.j2" %}'}
        caught = error(render, files)
        assert (caught.message, caught.where) == ("the template extends itself", "dvc/dvc.yaml.j2:2")
        assert '{% extends "!dvc/dvc.yaml.j2" %}' in caught.hint

    def test_extending_in_a_circle(self, render):
        files = {"a.yaml.j2": '{% extends "b.yaml.j2" %}', "b.yaml.j2": '{% extends "a.yaml.j2" %}'}
        caught = error(render, files)
        assert "extends it back" in caught.message
        assert caught.where == "b.yaml.j2:1"

    def test_extending_the_built_in_of_the_same_name(self, tmp_path):
        (tmp_path / "dvc").mkdir()
        (tmp_path / "dvc/params.yaml.j2").write_text(
            '{% extends "!dvc/params.yaml.j2" %}\n{% block bottom %}\nextra: {{ extra }}\n{% endblock %}\n'
        )
        context = {"pipeline": {"name": "p"}, "params": {"p": {"s": {"A": 1}}}, "extra": "no"}
        text = Renderer(["."], root=tmp_path).render("dvc/params.yaml.j2", context).text
        assert text == "p:\n  s:\n    A: 1\nextra: 'no'\n"

    def test_a_misspelt_block(self, render):
        files = {
            "x.yaml.j2": '{% extends "b.yaml.j2" %}\n{% block tpo %}{% endblock %}',
            "b.yaml.j2": '{% extends "c.yaml.j2" %}\n{% block mid %}{% endblock %}',
            "c.yaml.j2": "{% block top %}{% endblock %}{% block mid %}{% endblock %}",
        }
        caught = error(render, files)
        assert "no template that this one extends has a block 'tpo'" in caught.message
        assert (caught.where, caught.hint) == ("x.yaml.j2:2", "Did you mean top?")

    def test_a_new_block_within_an_overridden_one_is_fine(self, render):
        files = {
            "x.yaml.j2": '{% extends "b.yaml.j2" %}\n'
            "{% block top %}\n{% block new %}\na: 1\n{% endblock %}\n{% endblock %}",
            "b.yaml.j2": "{% block top %}{% endblock %}",
        }
        assert render(files).text == "a: 1\n"

    def test_text_outside_of_blocks_would_be_lost(self, render):
        files = {"x.yaml.j2": '{% extends "b.yaml.j2" %}\n\n  a: 1\n', "b.yaml.j2": "b: 1\n"}
        caught = error(render, files)
        assert "dropped or misplaced" in caught.message
        assert caught.where == "x.yaml.j2:3"
        files["x.yaml.j2"] = '{% extends "b.yaml.j2" %}\n{# fine #}\n{% set a = 1 %}{% macro m() %}x{% endmacro %}\n'
        assert render(files).text == "b: 1\n"


class TestLinesOfTheirOwn:
    """`{{ super() }}` on its own line stands for the lines of the block, and for nothing else."""

    BASE = "a: 1\n{% block b %}\n{% endblock %}\nc: 3\n"

    def child(self, body):
        return {
            "x.yaml.j2": '{% extends "b.yaml.j2" %}\n{% block b %}\n' + body + "{% endblock %}\n",
            "b.yaml.j2": self.BASE,
        }

    def test_no_line_is_left_by_an_empty_block(self, render):
        assert render(self.child("{{ super() }}\nb: 2\n{{ super() }}\n")).text == "a: 1\nb: 2\nc: 3\n"

    def test_no_line_is_added_behind_lines(self, render):
        files = self.child("{{ super() }}\nb: {{ x }}\n")
        files["b.yaml.j2"] = "a: 1\n{% block b %}\nz: {{ x }}\n\n{% endblock %}\nc: 3\n"
        rendered = render(files, x="no")
        assert rendered.text == "a: 1\nz: 'no'\n\nb: 'no'\nc: 3\n"
        where = [(origin.template, origin.line) for origin in rendered.origins]
        assert where == [("b.yaml.j2", 1), ("b.yaml.j2", 3), ("b.yaml.j2", 4), ("x.yaml.j2", 4), ("b.yaml.j2", 6)]

    def test_text_without_a_line_break_gets_one(self, render):
        assert (
            render("{% macro m() %}a: 1{% endmacro %}\n{{ m() }}\n{{ m() | replace('a', 'b') }}\n").text
            == "a: 1\nb: 1\n"
        )

    def test_values_keep_their_line(self, render):
        assert render("{{ x }}\na: 1\n", x={"k": "v"}).text == "k: v\na: 1\n"
        assert render("a: |\n  x\n{{ k }}: 2\n", k="").text == "a: |\n  x\n'': 2\n"

    def test_a_line_shared_with_others_is_left_alone(self, render):
        source = "{% macro m() %}\n- a\n{% endmacro %}\nk:\n{{ m() }} # c\n{{ m() -}}\n- b\n"
        assert render(source).text == "k:\n- a\n # c\n- a\n- b\n"


class TestUnder:
    SOURCE = "a:\n{% filter under('k', 2) %}\n{{ x }}\n{% endfilter %}\n  z: 1\n"

    def test_entries_stand_two_columns_in(self, render):
        assert render(self.SOURCE, x={"m": {"o": [1]}}).text == "a:\n  k:\n    m:\n      o:\n        - 1\n  z: 1\n"

    @pytest.mark.parametrize("nothing", [{}, []])
    def test_without_entries_there_is_no_key(self, render, nothing):
        assert render(self.SOURCE, x=nothing).text == "a:\n  z: 1\n"

    def test_the_key_is_a_value_too(self, render):
        source = "{% filter under(x) %}\na: 1\n{% endfilter %}\n"
        assert render(source, x="no").text == "'no':\n  a: 1\n"
        caught = error(render, source, x="k" * 2000)
        assert caught.where == "x.yaml.j2:1"

    def test_the_key_belongs_to_the_filter(self, render):
        assert [origin.line for origin in render(self.SOURCE, x=[1]).origins] == [1, 2, 3, 5]

    def test_lines_that_write_the_key_again_are_refused(self, render):
        source = "a:\n{% filter under('k', 2) %}\n# c\n  k:\n    b: 1\n{% endfilter %}\n"
        caught = error(render, source)
        assert "write `k:` again, at x.yaml.j2:4" in caught.message
        assert render("{% filter under('k') %}\nk: 1\n{% endfilter %}\n").text == "k:\n  k: 1\n"

    def test_only_rendered_text_has_lines(self, render):
        assert "not rendered text" in error(render, "a: {{ x | under('k') }}\n", x="b").message


def test_files_without_rules_are_refused(render):
    for name in ("x.j2", "x.bin.j2", "x"):
        caught = error(render, {name: "a"})
        assert caught.where == name
        assert ".yaml" in caught.hint


def test_rendering_twice_gives_the_same_and_changes_nothing(tmp_path):
    (tmp_path / "x.yaml.j2").write_text("{% for k, v in x.items() %}\n{{ k }}: {{ v }}\n{% endfor %}\n")
    renderer, context = Renderer(["."], root=tmp_path), {"x": {"b": [1], "a": {"c": "d"}}}
    first = renderer.render("x.yaml.j2", context).text
    assert first == renderer.render("x.yaml.j2", context).text == "b:\n  - 1\na:\n  c: d\n"
    assert context == {"x": {"b": [1], "a": {"c": "d"}}}


def test_what_is_imported_sees_no_names_and_is_told_how_it_could(render):
    files = {
        "x.yaml.j2": "{% from 'm.j2' import m %}\na: {{ m() }}\n",
        "m.j2": "{% macro m() %}{{ v }}{% endmacro %}\n",
    }
    with pytest.raises(TemplateError, match="'v' is undefined") as caught:
        render(files, v=1)
    assert "with context" in caught.value.hint


@pytest.mark.parametrize(
    ("source", "hint"),
    [
        ("{{ x | quote }}", "Remove it"),
        ("{{ quote(x) }}", "Remove it"),
        ("{{ x | toYaml }}", "alone on its line"),
        ("{{ x | to_nice_yaml }}", "alone on its line"),
        ("{{ x | to_json }}", "| json"),
        ("{{ x | b64encode }}", "stringData"),
        ("{{ x | dict2items }}", "for key, value in x | items"),
        ("{{ x | regex_replace('a', 'b') }}", "| replace"),
        ("{{ now() }}", "cannot read the clock"),
        ("a: ${{ secrets.TOKEN }}", "An expression of the platform is text here"),
        ("a: {{workflow.name}}", "An expression of the platform is text here"),
        ("a: {{ ds }}", "An expression of the platform is text here"),
        ("{{ Values.image }}", "wurzel templates list TARGET"),
        ("{{ cookiecutter.name }}", "wurzel templates list TARGET"),
        ("{{ env_var('X') }}", "cannot read the clock"),
        ("{{ var('x') }}", "wurzel templates list TARGET"),
        ("{{ is_incremental() }}", "no database"),
        ("{{ include_raw('x') }}", "read it in Python"),
        ("{% include_raw 'x' %}", "read it in Python"),
        ("{{- if .Values.x }}a{{ end }}", "Go's template language"),
        ("{{/* a comment */}}", "{# a comment #}"),
        ("{{ 'a-' | trimSuffix('-') }}", "removesuffix"),
        ("{{ 'a' | splitList(',') }}", "x.split"),
        ("{{ {'a': 1} | pick('a') }}", "for key, value in x | items"),
        ("{{ [1] | has(1) }}", "'a' in x"),
        ("{{item}}", "An expression of the platform is text here"),
        ("{{ loop.index }}", "inside `{% for %}` only"),
        ("{% trans %}x{% endtrans %}", "Remove it"),
        ("{% materialization x %}{% endmaterialization %}", "those of Jinja"),
        ("{{ 'a' + 1 }}", "'a' ~ 1"),
        ("{{ 'a' | trunc(63) }}", "Write `{{ x[:63] }}`"),
        ("{{ 'a' | sha256sum }}", "Compute it in Python"),
        ("{{ contains('a', 'b') }}", "Write `'a' in x`"),
        ("{{ null }}", "Write `none`"),
        ("{{ lookup('env', 'HOME') }}", "cannot read the clock"),
        ("{{ x | ternary(1, 2) }}", "if x else"),
        ("{{ x ? 1 : 2 }}", "if x else"),
        ("{{ !x }}", "not x"),
        ("{% for i in [x] %}{% continue %}{% endfor %}", "for x in xs if"),
        ("{% for i in [x] %}{% break %}{% endfor %}", "xs[:1]"),
        ("{% if x %}{% elseif x %}{% endif %}", "elif"),
        ("{% do x.append(1) %}", "set _ ="),
        ("{{ .Values.x }}", "Go's template language"),
        ("{{ toYaml .Values.x | indent 4 }}", "Go's template language"),
        ("{{ 1 if x === 'y' else 2 }}", "Compare with `==`"),
        ("{{=x}}", "write with `{{ x }}`"),
        ("{{#x}}b{{/x}}", "{% if x %}"),
        ("{{{ x }}}", "Write `{{ x }}`"),
        ("{{> part}}", "include"),
        ("{{ x <> 'y' }}", "x != y"),
        ("{{ x || 'y' }}", "`or`"),
        ("{{ x++ }}", "x + 1"),
        ("{{ `${x}` }}", '"a" ~ x'),
        ("{{ x | default: 'a' }}", "in brackets"),
        ("{{ [i for i in x] }}", "{% for x in xs if"),
        ("{{ log(x) }}", "wurzel render --stdout"),
        ("{{ x | log }}", "wurzel render --stdout"),
        ("{{ type(x) }}", "x is string"),
        ("{{ fail('x') }}", "policies.j2"),
        ("{{ {'a': 1}.iteritems() }}", "for key, value in x | items"),
        ("{{ {'a': 1}.has_key('a') }}", "'a' in x"),
        ("{{ x.length }}", "x | length"),
        ("{{ x | size }}", "x | length"),
        ("{{ 1 if x is null else 2 }}", "x is none"),
        ("{% set x += 1 %}", "x + 1"),
        ("{% import os %}", "modules of Python"),
        ("{% each x %}", "{% for x in xs %}"),
        ("{% endfore %}", "endfor"),
        ("a:\n{%- for i in [x] %}\n- {{ i }}\n{%- endfor %}\n", "without `{%-`"),
    ],
)
def test_what_people_bring_from_other_languages_says_what_to_write(render, source, hint):
    with pytest.raises(TemplateError) as caught:
        render(source if "\n" in source else f"a: {source}\n", x="y")
    assert hint in caught.value.hint
    assert caught.value.where.startswith("x.yaml.j2:")
