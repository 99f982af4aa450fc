"""Which template line wrote which line of a file."""

from wurzel.render.trace import Origin


def lines(rendered):
    return [
        (str(origin), origin.values, line)
        for origin, line in zip(rendered.origins, rendered.text.splitlines(), strict=True)
    ]


def test_lines_are_traced_through_inheritance_includes_and_macros(render):
    files = {
        "x.yaml.j2": '{% extends "b.yaml.j2" %}\n{% block top %}\n{{ super() }}\n'
        "{%- if more %}\nmore: {{ more.text }}\n{% endif %}\n{% endblock %}\n",
        "b.yaml.j2": '# head\n{% import "_m.j2" as m %}\n{% block top %}\ntop: 1\n{% endblock %}\n'
        '{{ m.entry("k", v) }}\n{% include "_p.j2" %}\nend: 1\n',
        "_m.j2": "\n{% macro entry(k, v) %}{{ k }}: {{ v }}{% endmacro %}\n",
        "_p.j2": "{# part #}\n\n  {# part #}\npart:\n  a: {{ v | list }}\n",
    }
    rendered = render(files, more={"text": "x"}, v=["p", "l1\nl2"])
    assert lines(rendered) == [
        ("b.yaml.j2:1", (), "# head"),
        ("b.yaml.j2:4", (), "top: 1"),
        ("x.yaml.j2:5", ("more.text",), "more: x"),
        ("_m.j2:2", ("k",), "k:"),
        ("_m.j2:2", ("v",), "  - p"),
        ("_m.j2:2", ("v",), "  - |-"),
        ("_m.j2:2", ("v",), "    l1"),
        ("_m.j2:2", ("v",), "    l2"),
        ("_p.j2:2", (), ""),
        ("_p.j2:4", (), "part:"),
        ("_p.j2:5", (), "  a:"),
        ("_p.j2:5", ("v | list",), "    - p"),
        ("_p.j2:5", ("v | list",), "    - |-"),
        ("_p.j2:5", ("v | list",), "      l1"),
        ("_p.j2:5", ("v | list",), "      l2"),
        ("b.yaml.j2:8", (), "end: 1"),
    ]


def test_expressions_are_named_as_written(render):
    rendered = render(
        "- {{ a.b['c'][0] }}\n- {{ f(1) }}\n- {{ a | length }}\n- {{ 'x' }}\n- {{ a.b + a.b }}\n",
        a={"b": {"c": [1]}, "n": 1} | {"b": type("L", (list,), {"c": [1], "__getitem__": lambda self, k: [1]})()},
        f=lambda x: x,
    )
    assert [origin.values for origin in rendered.origins] == [
        ("a.b['c'][0]",),
        ("f(…)",),
        ("a | length",),
        ("'x'",),
        (),
    ]


def test_lines_of_other_languages(render):
    rendered = render(
        {"x.sh.j2": "#!/bin/sh\n# {{ t }}\n{% for x in xs %}\nrun {{ x }}\n{% endfor %}\n"}, t="a\nb", xs=["c", "d"]
    )
    assert [str(origin) for origin in rendered.origins] == [f"x.sh.j2:{line}" for line in (1, 2, 2, 4, 4)]


def test_an_empty_file_has_no_lines(render):
    assert render("").origins == ()
    assert Origin("a", 1) == ("a", 1, ())
