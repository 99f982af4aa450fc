"""What is wrong with templates is found without rendering them, in branches that no render reaches too."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypedDict

import pytest

from wurzel.ir.names import Image
from wurzel.render import Renderer


@dataclass(frozen=True)
class Part:
    """One part."""

    name: Annotated[str, "not checked"]
    """What it is called."""
    image: Image
    """Its image."""
    words: Sequence[str] = ()
    """Several."""
    size: int | None = None
    """How large."""

    @property
    def upper(self) -> str:
        """The name in capitals."""
        return self.name.upper()


class Context(TypedDict):
    """What the templates see."""

    title: str
    """Any text."""
    parts: Sequence[Part]
    """All of them."""
    env: Mapping[str, str]
    """Variables."""
    pairs: Sequence[tuple[str, Part]]
    """Names and parts."""
    extra: Any
    """Anything."""


BASE = (
    "{% set shared = 1 %}\n{% block top %}\n{% endblock %}\n{% for part in parts %}\n{% block part scoped %}\n"
    "{{ part.name }}: 1\n{% endblock %}\n{% endfor %}\n{% block bottom %}\n{% endblock %}\n"
)


@pytest.fixture
def check(tmp_path):
    """Check `files` of a project over a layer of a target that has `x/base.yaml.j2` and `x/run.sh.j2`."""

    def run(files, base=BASE, context=Context):
        if isinstance(files, str):
            files = {"x/base.yaml.j2": files}
        own, below = tmp_path / "own", tmp_path / "below"
        layers = {own: files, below: {"x/base.yaml.j2": base, "x/run.sh.j2": "", "x/_part.yaml.j2": "a: 1\n"}}
        for folder, sources in layers.items():
            for path, source in sources.items():
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
                (folder / path).write_text(source, encoding="utf-8")
        renderer = Renderer(["own"], root=tmp_path)
        renderer.layers.add("x", below)
        return renderer.checker({"x/base.yaml.j2": context, "x/run.sh.j2": context}).problems()

    return run


def extending(text):
    return '{% extends "!x/base.yaml.j2" %}\n' + text


@pytest.mark.parametrize(
    ("source", "line", "message", "hint"),
    [
        ("a: {{ titel }}\n", 1, "'titel' is undefined", "Did you mean title?"),
        (
            extending("{% block top %}\n{{ qqqq.x }}\n{% endblock %}\n"),
            3,
            "'qqqq' is undefined",
            "of the platform",
        ),
        (extending("{% block top %}\n{{ supper }}\n{% endblock %}\n"), 3, "'supper' is undefined", "of the platform"),
        ("{% macro m() %}a{% endmacro %}\n{% if extra and m() %}\n{% endif %}\n", 2, "neither true nor", "trim =="),
        ("{% macro m() %}a{% endmacro %}\n{% if not m() | trim %}\n{% endif %}\n", 2, "neither true nor", "trim =="),
        ("{% set x %}a{% endset %}\n{% if extra or x %}\n{% endif %}\n", 2, "neither true nor false", "trim =="),
        ("{% macro m() %}a{% endmacro %}\n{% set y = m() %}\n{% if y %}{% endif %}\n", 3, "neither true", "trim =="),
        ("{% for p in parts if self.top() %}\n{% endfor %}\n", 1, "neither true nor false", "trim =="),
        (extending("{% block top %}\n{% if super() %}\n{% endif %}\n{% endblock %}\n"), 3, "neither true", "trim =="),
        ("{% if false %}\na: {{ titel }}\n{% endif %}\n", 2, "'titel' is undefined", "title"),
        ("{% for p in parts %}\n- {{ p.nme }}\n{% endfor %}\n", 2, "`p` (Part) has no 'nme'", "Did you mean name?"),
        ("{% for p in parts if p.nme %}\n{% endfor %}\n", 1, "`p` (Part) has no 'nme'", "name"),
        ("{% for _, p in pairs %}\n- {{ p.nme }}\n{% endfor %}\n", 2, "`p` (Part) has no 'nme'", "name"),
        ("- {{ parts[0].nme }}\n", 1, "has no 'nme'", "name"),
        ("- {{ (parts | first).nme or titel }}\n", 1, "'titel' is undefined", "title"),
        ("{% for k, v in env.items() %}\n- {{ v.uper() }}\n{% endfor %}\n", 2, "`v` (text) has no 'uper'", "upper"),
        ("{% for p in parts %}\n- {{ loop.frst }}\n{% endfor %}\n", 2, "has no 'frst'", "Did you mean first?"),
        ("{% if parts[0] == 1 %}\n{% endif %}\n", 1, "`parts[0]` (Part) is compared with 1", "fields: name"),
        ("{% if 'x' not in parts %}\n{% endif %}\n", 1, "`parts` (list of Part) is compared with 'x'", "fields: name"),
        ("{% if 1 < 2 != parts[0].nme %}\n{% endif %}\n", 1, "has no 'nme'", "name"),
        ("{% set p = parts[0] %}\n- {{ p.nme }}\n", 2, "`p` (Part) has no 'nme'", "name"),
        ("{% with p = parts[0] %}\n- {{ p.nme }}\n{% endwith %}\n", 2, "`p` (Part) has no 'nme'", "name"),
        ("{% macro m(a) %}{{ titel }}{% endmacro %}\n", 1, "'titel' is undefined", "title"),
        ("a: {{ title | uper }}\n", 1, "there is no filter 'uper'", "Did you mean upper?"),
        ("a: {{ title | safe }}\n", 1, "there is no filter 'safe'", "unquoted"),
        ("a: {{ title is strng }}\n", 1, "there is no test 'strng'", "Did you mean string?"),
        ("{% filter uper %}{% endfilter %}\n", 1, "there is no filter 'uper'", "upper"),
        ("a: {{ title\n", 1, "unexpected end of template", ""),
        ("{% if title %}\n", 1, "Unexpected end of template", ""),
        ("  {% if title %}a: 1{% endif %}\n", 1, "the white space before this tag is removed", "separate line"),
        ("{% autoescape true %}{% endautoescape %}\n", 1, "`autoescape` has no meaning here", ""),
        ("a: 1\n{% include 'x/none.yaml.j2' %}\n", 2, "there is no template 'x/none.yaml.j2'", ""),
        ("{% include '!x/run.sh.j2' %}\n", 1, "'!x/run.sh.j2' is shell, but 'x/base.yaml.j2' is YAML", "name.j2"),
        ("{% extends 'x/none.yaml.j2' %}\n", 1, "there is no template 'x/none.yaml.j2'", ""),
        ('{% extends "x/base.yaml.j2" %}\n', 1, "the template extends itself", '{% extends "!x/base.yaml.j2" %}'),
        (extending("{% block prt %}\n{% endblock %}\n"), 2, "has a block 'prt', so it has no effect", "part?"),
        (extending("\na: 1\n"), 3, "text outside its blocks", "Move it into a block"),
        (extending("{% include 'x/_part.yaml.j2' %}\n"), 2, "text outside its blocks", ""),
        (extending("{% if title %}\na: 1\n{% endif %}\n"), 3, "text outside its blocks", ""),
        (extending("{% block part %}\n{{ part.nme }}: 1\n{% endblock %}\n"), 3, "(Part) has no 'nme'", "name?"),
        (extending("{% block top %}\n- {{ part.name }}\n{% endblock %}\n"), 3, "'part' is undefined", "parts?"),
        (
            "<<<<<<< mine\na: 1\n=======\na: 2\n>>>>>>> theirs\n",
            1,
            "unresolved conflict of an update",
            "Keep the right lines",
        ),
        ("a: owned by {{ title }}\n", 1, "`title` may be any text", '{{ "owned by " ~ title }}'),
        ("a: {{ title }} x\n", 1, "inside the unquoted text '… x'", '{{ title ~ " x" }}'),
        ("- x {{ title | trim }}\n", 1, "may be any text", ""),
        ("pre-{{ title }}: 1\n", 1, "inside the unquoted text 'pre-…'", ""),
        ("[{{ title }}, a {{ title }}]\n", 1, "inside the unquoted text 'a …'", ""),
        ('a: "{{ parts }}"\n', 1, "`parts` is a list of Part", "| json"),
        ("a: b {{ env }}\n", 1, "`env` is a mapping of text to text", "| json"),
        ("a: 'b {{ parts[0].words }}'\n", 1, "is a list of text", "| json"),
        ("k: |\n  {{ title }}\nl: x {{ title }}\n", 3, "may be any text", ""),
    ],
)
def test_a_mistake_is_found(check, source, line, message, hint):
    (problem,) = check(source)
    assert message in problem.message
    assert hint in problem.hint
    assert problem.where == f"own/x/base.yaml.j2:{line}"


@pytest.mark.parametrize(
    "source",
    [
        BASE,
        "{{ title }}: {{ extra.anything.at.all | upper }}\n",
        "a: {{ titel | default('x') }}\n",
        "a: {{ parts[0].nme | default('x') }}\n",
        "{% if more is defined %}\na: {{ more }}\n{% endif %}\n",
        "{% for p in parts %}\n- {{ p.upper }}\n- {{ loop.index }}\n{% endfor %}\n",
        "{% for k, v in env.items() %}\n- {{ v.upper() }}\n{% endfor %}\n",
        "- {{ env.HOME }}\n- {{ env['HOME'] }}\n",
        "{% macro m(a, b=1) %}{{ a.b }}{{ b }}{{ varargs }}{% endmacro %}\n{{ m(1) }}: {{ self.x() }}\n",
        "{% macro m() %}a{% endmacro %}\n{% if m() is blank or m() == 'a' %}\n{% endif %}\n- {{ extra and m() }}\n",
        "{% macro m() %}{% if caller is defined %}{{ caller() }}{% endif %}{% endmacro %}\na: {{ m() }}\n",
        "{% set x %}a{% endset %}\n{% set x = 1 %}\na: {{ x or 2 }}\n",
        "{% set ns = namespace(a=1) %}\n{% set ns.a = 2 %}\na: {{ ns.a }}\n",
        "{% for i in range(3) %}\n- {{ i }}\n{% endfor %}\n",
        "{% if extra %}\n{% set y = 1 %}\n{% else %}\n{% set y = 2 %}\n{% endif %}\na: {{ y }}\n",
        extending("{% block part %}\n{{ super() }}\n{{ part.name ~ shared }}: 2\n{% endblock %}\n"),
        extending("{% set mine = 1 %}\n{% block top %}\na: {{ mine }}\n{% endblock %}\n"),
        extending("{% block top %}\n{% block new %}\na: 1\n{% endblock %}\n{% endblock %}\n"),
        extending("{# a comment #}\n\n{% macro m() %}a{% endmacro %}\n{% block top %}\na: {{ m() }}\n{% endblock %}\n"),
        "a: x-{{ parts[0].image }}\n",
        "a: x-{{ parts | length }}\nb: {{ parts[0].size }} things\n",
        "a: {{ 'x ' ~ title }}\n",
        'a: "x {{ title }}"\n',
        "a: 'x {{ title }}'\n",
        "a: |\n  x {{ title }}\n\n    y {{ title }}\nb: 1\n",
        "- run: |-  # why\n    x {{ title }}\n",
        "a: {% if extra %}{{ title }}{% else %}{{ title }}{% endif +%}\n",
        "a: >-\n  x {{ title }}\n",
        "# x {{ title }}\na: 1  # x {{ title }}\n",
        'a: "x\n  {{ title }}"\n',
        "{% include 'x/none.yaml.j2' ignore missing %}\n",
        "{% include ['x/none.yaml.j2', '!x/_part.yaml.j2'] %}\n",
        "{% include extra %}\n{% extends extra %}\n",
    ],
)
def test_what_is_right_passes(check, source):
    assert check(source) == []


def test_everything_is_said_at_once_template_by_template(check):
    found = check(
        {
            "x/base.yaml.j2": extending(
                "{% block tpo %}\n{% endblock %}\n{% block top %}\na: {{ a | b }}\n{% endblock %}"
            ),
            "x/run.sh.j2": "{% if %}\n",
            "y/base.yaml.j2": "a: 1\n",
        }
    )
    assert [problem.where for problem in found] == [
        "own/x/base.yaml.j2:2",
        "own/x/base.yaml.j2:5",
        "own/x/base.yaml.j2:5",
        "own/x/run.sh.j2:1",
        "own/y/base.yaml.j2:1",
    ]
    assert "no template uses it" in found[-1].message
    assert "Did you mean x/base.yaml.j2?" in found[-1].hint


def test_a_part_is_used_when_something_that_is_rendered_names_it(check):
    files = {
        "x/base.yaml.j2": extending('{% block part %}\n{% include "x/mine.yaml.j2" %}\n{% endblock %}\n'),
        "x/mine.yaml.j2": "{{ part.name }}: {{ part.nme }}\n",
        "x/lost.yaml.j2": '{% include "x/lost2.yaml.j2" %}\n',
        "x/lost2.yaml.j2": "a: 1\n",
    }
    found = check(files)
    assert [(problem.where, problem.message.split(",")[0]) for problem in found] == [
        ("own/x/lost.yaml.j2:1", "the file overrides no template and no template uses it"),
        ("own/x/lost2.yaml.j2:1", "the file overrides no template and no template uses it"),
        ("own/x/mine.yaml.j2:1", "`part` (Part) has no 'nme'"),
    ]


def test_a_part_that_is_overridden_sees_what_it_is_included_with(check):
    base = "{% for part in parts %}\n{% include 'x/_part.yaml.j2' %}\n{% endfor %}\n"
    (problem,) = check({"x/_part.yaml.j2": "- {{ part.name }}\n- {{ part.nme }}\n- {{ title }}\n"}, base)
    assert problem.where == "own/x/_part.yaml.j2:2"


def test_macros_are_looked_up_in_what_is_imported(check):
    files = {
        "x/base.yaml.j2": '{% import "x/_m.j2" as m %}\n{% from "x/_m.j2" import entry, entri %}\n'
        "a: {{ m.entry(1) }}\nb: {{ m.entri(1) }}\n",
        "x/_m.j2": "{% macro entry(a) %}{{ a }}{{ title }}{% endmacro %}\n",
    }
    assert [(problem.where, problem.message) for problem in check(files)] == [
        ("own/x/_m.j2:1", "'title' is undefined"),
        ("own/x/base.yaml.j2:2", "'x/_m.j2' has no 'entri'"),
        ("own/x/base.yaml.j2:4", "`m` (x/_m.j2) has no 'entri'"),
    ]
    assert "with context" in check(files)[0].hint


def test_parts_that_include_each_other_end(check):
    files = {
        "x/base.yaml.j2": "{% include 'x/a.yaml.j2' %}\n",
        "x/a.yaml.j2": "{% set b = 1 %}\n{% include 'x/b.yaml.j2' %}\n",
        "x/b.yaml.j2": "{% set c = 1 %}\n{% include 'x/a.yaml.j2' %}\n- {{ nope }}\n",
    }
    assert [problem.where for problem in check(files)] == ["own/x/b.yaml.j2:3"]


def test_templates_that_extend_each_other(check):
    files = {"x/base.yaml.j2": '{% extends "x/b.yaml.j2" %}', "x/b.yaml.j2": '{% extends "x/base.yaml.j2" %}'}
    assert all("extends it back" in problem.message for problem in check(files))
    assert len(check(files)) == 2


def test_a_list_is_no_word_of_a_shell_script(check):
    (problem,) = check({"x/run.sh.j2": "# {{ parts }}\nrun {{ title }} {{ env | words }}\nrun {{ parts[0].words }}\n"})
    assert problem.where == "own/x/run.sh.j2:3"
    assert "| words" in problem.hint


def test_without_a_declared_context_any_name_may_be_there(check):
    (problem,) = check("a: {{ whatever.it.is | uper }}\n", context=None)
    assert "no filter 'uper'" in problem.message


def test_a_template_that_is_not_utf_8(check, tmp_path):
    check("a: 1\n")
    (tmp_path / "own/x/base.yaml.j2").write_bytes(b"a: 1\nb: \xff\n")
    (problem,) = Renderer(["own"], root=tmp_path).checker({"x/base.yaml.j2": Context}).problems()
    assert (problem.message, problem.where) == ("the template is not UTF-8", "own/x/base.yaml.j2:2")


@pytest.mark.parametrize("make", [Path.mkdir, lambda path: path.symlink_to(path.name), os.mkfifo])
def test_a_template_that_is_no_file(check, tmp_path, make):
    check("a: 1\n")
    make(tmp_path / "own/x/_part.yaml.j2")
    (problem,) = Renderer(["own"], root=tmp_path).checker({"x/base.yaml.j2": Context}).problems()
    assert problem.where == "own/x/_part.yaml.j2:1"
    assert "the template is not a file" in problem.message or "cannot be read: Too many levels" in problem.message


def test_without_own_layers_nothing_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr("wurzel.render.layers.Found.read", lambda _self: pytest.fail("a template was read"))
    assert Renderer().checker({"dvc/dvc.yaml.j2": Context}).problems() == []


def test_a_part_of_a_pack_is_an_offer(check, tmp_path):
    check({"x/_offer.j2": "{% macro m() %}a{% endmacro %}\n", "x/lost.yaml.j2": "a: 1\n"})
    renderer = Renderer(["own"], root=tmp_path)
    renderer.layers.layers = tuple(layer._replace(kind="pack") for layer in renderer.layers.layers[:1])
    problems = renderer.checker({"x/base.yaml.j2": Context}).problems()
    assert [problem.where for problem in problems] == ["own!x/lost.yaml.j2:1"]
