"""Templates made up from places and ways, with what a reader must find: the oracle of the property tests."""

import json
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st
from jinja2.filters import do_truncate

MACROS = """\
{% macro echo(x) %}{{ x }}{% endmacro %}
{% macro wrap() %}{{ caller() }}{% endmacro %}
{% macro twice(x) %}{{ echo(x) }}{% endmacro %}
"""
VALUE = "{{ shown }}"

WAYS = {
    "name": "{{ @ }}",
    "entry": "{{ {'k': @}.k }}",
    "item": "{{ [@] | first }}",
    "slice": "{{ [1, @][1:][0] }}",
    "set": "{% set q = @ %}{{ q }}",
    "set block": "{% set q %}{{ @ }}{% endset %}{{ q }}",
    "set block filtered": "{% set q | trim %}{{ @ }}{% endset %}{{ q }}",
    "macro": "{{ m.echo(@) }}",
    "nested macro": "{{ m.twice(@) }}",
    "macro argument": "{{ m.echo(m.echo(@)) }}",
    "call": "{% call m.wrap() %}{{ @ }}{% endcall +%}",
    "loop": "{% for i in [@] %}{{ i }}{% endfor +%}",
    "filtered loop": "{% for n, i in [(0, 1), (1, @)] if n %}{{ i }}{% endfor +%}",
    "if": "{% if true %}{{ @ }}{% endif +%}",
    "inline if": "{{ @ if true else 1 }}",
    "inline else": "{{ 1 if false else @ }}",
    "default": "{{ nothing | default(@) }}",
    "include": '{% with shown = @ %}{% include "_value.j2" %}{% endwith +%}',
    "filter block": "{% filter trim %}{{ @ }}{% endfilter +%}",
    "namespace": "{% set ns = namespace(v=@) %}{{ ns.v }}",
    "join of text": "{{ [m.echo(@)] | join(', ') }}",
    "concatenated text": "{{ m.echo(@) ~ '' if false else m.echo(@) }}",
    "recursive loop": "{% for i in [@] recursive %}{{ i }}{% endfor +%}",
    "self": "{{ [@] | map('default', 1) | list | last }}",
}
"""Ways for any value to get where it is written; `@` is the expression."""

TEXT_WAYS = {
    "upper": ("{{ @ | upper }}", str.upper),
    "lower": ("{{ @ | lower }}", str.lower),
    "trim": ("{{ @ | trim }}", str.strip),
    "method": ("{{ @.strip() }}", str.strip),
    "replace": ("{{ @ | replace('a', 'x: ') }}", lambda text: text.replace("a", "x: ")),
    "truncate": ("{{ @ | truncate(7, true) }}", lambda text: do_truncate(None, text, 7, True, leeway=5)),
    "tilde": ("{{ 'a: ' ~ @ ~ ' #' }}", lambda text: f"a: {text} #"),
    "tilde number": ("{{ @ ~ 1 }}", lambda text: f"{text}1"),
    "plus": ("{{ '- ' + @ }}", lambda text: f"- {text}"),
    "format": ("{{ '%s|%s' | format(@, @) }}", lambda text: f"{text}|{text}"),
    "join": ("{{ [@, 'b', 3] | join('; ') }}", lambda text: f"{text}; b; 3"),
    "json": ("{{ @ | json }}", lambda text: json.dumps(text, ensure_ascii=False)),
    "string": ("{{ @ | string }}", str),
    "string of text": ("{% set q %}a: {{ @ }}{% endset %}{{ q | string }}", lambda text: f"a: {text}"),
    "string of macro": ("{{ m.echo(@) | string | upper }}", str.upper),
    "indent": ("{{ @ | indent(2) }}", lambda text: "\n".join(_indented(text.split("\n")))),
    "slice": ("{{ @[1:] }}", lambda text: text[1:]),
}
"""Ways that make another text of a text: the expression, and what the value then is."""


def _indented(lines):
    return [lines[0], *("  " + line if line else line for line in lines[1:])]


@dataclass
class Scene:
    """A template, its context, and what a reader must find."""

    source: str = ""
    context: dict[str, Any] = field(default_factory=dict)
    expected: Any = None
    certain: bool = True
    """Only a value that no file can hold may fail here."""

    def name(self, value):
        """A name of the context that holds the value."""
        name = f"v{len(self.context)}"
        self.context[name] = value
        return name

    def files(self, shape):
        """The template as one file, or spread over several that extend and include each other."""
        head = '{% import "_macros.j2" as m %}\n'
        files = {
            "plain": {"x@": head + self.source},
            "child": {
                "x@": '{% extends "base@" %}\n' + head + "{% block body %}\n" + self.source + "{% endblock %}\n",
                "base@": "{% block body %}\nnever: {{ seen }}\n{% endblock %}\n",
            },
            "super": {
                "x@": '{% extends "base@" %}\n{% block body %}\n{{ super() }}\n{%- endblock %}\n',
                "base@": "{% block body %}\n" + head + self.source + "{% endblock %}\n",
            },
            "included": {"x@": '{% include "_part.j2" %}\n', "_part.j2": head + self.source},
            "called": {
                "x@": head + "{% call m.wrap() %}\n" + self.source + "{% endcall %}\n",
            },
            "set": {"x@": head + "{% set body %}\n" + self.source + "{% endset %}\n{{ body }}"},
            "indented": {
                "x@": head + "k:\n{% filter indent(2, true) %}\n" + self.source + "{% endfilter %}\n",
            },
            "indented macro": {
                "x@": head
                + "{% macro body() %}\n"
                + self.source
                + "{% endmacro %}\nk:\n  {{ body() | indent(2) | trim }}\n",
            },
        }[shape]
        return files | {"_macros.j2": MACROS, "_value.j2": VALUE}


SHAPES = ["plain", "child", "super", "included", "called", "set"]
INDENTED = ["indented", "indented macro"]
"""Shapes that put the whole under the key `k`; for YAML alone."""


@st.composite
def written(draw, scene, value, *, change=True):
    """A snippet that writes the value in some way, and the value that it then is."""
    name = scene.name(value)
    ways = WAYS | TEXT_WAYS if change and isinstance(value, str) else WAYS
    way = ways[draw(st.sampled_from(sorted(ways)))]
    source, changed = way if isinstance(way, tuple) else (way, lambda same: same)
    return source.replace("@", name).replace("{%", "{%+", 1), changed(value)
