# ruff: noqa: E501 - a table of texts
"""Whatever an organisation's template says: it is rendered, or refused by name and line; there is no traceback.

That what is rendered is right is the subject of `tests/render/test_quoting_properties.py`.
"""

import re
import tempfile
from functools import cache
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from tests.hostility.budget import examples
from tests.hostility.mutations import garbled
from wurzel.backends.job import Job
from wurzel.backends.registry import BUILT_IN, get
from wurzel.backends.rendering import render
from wurzel.exceptions import TemplateError, TemplateProblems
from wurzel.render import Renderer
from wurzel.testing.variants import full_pipeline

TEMPLATES = Path(__file__).parents[2] / "templates"
FILES = sorted(path.relative_to(TEMPLATES).as_posix() for path in TEMPLATES.rglob("*.j2"))
SYNTAX = [
    *("{% if x %}", "{% endif %}", "{% for a in b %}", "{% endfor %}", "{% block b %}", "{% endblock %}", "{{", "}}", "{%", "%}", "{#", "#}"),
    *("{{ pipeline }}", "{{ pipeline.steps }}", "{{ super() }}", "{{ self.x() }}", "{% raw %}", "{% endraw %}", "{{ x | upper }}", "{{ nope }}"),
    *("{{ [1, 2] }}", "{{ {'a': 1} }}", "{{ 1 / 0 }}", "{% set a = 1 %}", "{% macro m(x) %}", "{% endmacro %}", "{% call m() %}", "-", "\n", "  "),
    *("{% include 'x.j2' %}", "{% extends '!dvc/dvc.yaml.j2' %}", "{% import 'x.j2' as x %}", "'", '"', ": ", "- ", "| ", "&a", "*a", "<<EOF\n", "$("),
]  # fmt: skip


def check(error):
    """The error names the template at each of its findings, and has a text that can be printed."""
    str(error).encode()
    for finding in getattr(error, "problems", [error]):
        assert re.search(r"\.j2(:[1-9]\d*)?$", finding.where), repr(error)


@cache
def jobs():
    """A job for each target that uses everything it can."""
    return {target: Job(full_pipeline(), target, get(target).options_model(), "x") for target in BUILT_IN}


@st.composite
def changed(draw, text):
    """The template with tags, quotes and marks put in, or a few bytes garbled."""
    if draw(st.booleans()):
        return draw(garbled(text.encode()))
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(text)))
        text = text[:start] + draw(st.sampled_from(SYNTAX)) + text[start + draw(st.integers(0, 8)) :]
    return text.encode()


@examples(60)
@given(st.data())
def test_a_changed_template_is_rendered_or_refused(data):
    name = data.draw(st.sampled_from(FILES))
    target = name.partition("/")[0]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, name)
        path.parent.mkdir(parents=True)
        path.write_bytes(data.draw(changed((TEMPLATES / name).read_text())))
        for job in [jobs()[target]] if target in BUILT_IN else jobs().values():
            try:
                render([job], Renderer([folder]))
            except (TemplateError, TemplateProblems) as error:
                check(error)
