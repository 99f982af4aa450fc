"""What a check costs with templates of one's own: they are read, compiled and checked once, whatever has changed."""

import json
from collections import Counter
from pathlib import Path

import pytest
from jinja2 import nodes

from tests.changed_settings import CHANGED, FIELDS, config
from tests.command import invoke
from wurzel.backends.registry import BUILT_IN, get
from wurzel.render import Renderer
from wurzel.render.check import Checker
from wurzel.render.compiler import Generator
from wurzel.render.environment import Environment

OVERRIDE = """{{% extends "!{name}" %}}
{{% import "acme/org.j2" as org %}}
{{% block {block} %}}
{{{{ super() }}}}
{{% for step in pipeline.steps %}}
# {{{{ step.id }}}}{{{{ org.mark(step) }}}}
{{% endfor %}}
{{% include "acme/note.j2" %}}
{{% endblock %}}
"""
BLOCKS = {
    "dvc": ("dvc.yaml", "top"),
    "argo": ("workflow.yaml", "top"),
    "gitlab": ("gitlab-ci.yml", "bottom"),
    "github": ("workflow.yml", "top"),
    "airflow": ("dag.py", "imports"),
    "local": ("run.sh", "before"),
    "cronjob": ("cronjob.yaml", "top"),
}


@pytest.fixture
def own(project, tmp_path_factory, monkeypatch):
    """A project with a template of its own for each target, with loops, macros and includes; gives its folder."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))  # where finished checks are remembered
    project("scheduled")
    folder = Path("own")
    for target, (name, block) in BLOCKS.items():
        path = folder / target / f"{name}.j2"
        path.parent.mkdir(parents=True)
        path.write_text(OVERRIDE.format(name=f"{target}/{name}.j2", block=block))
    Path("own/acme").mkdir()
    Path("own/acme/org.j2").write_text(
        "{% macro mark(step) -%}\n{% for word in [step.id] %}({{ word }}){% endfor %}\n{%- endmacro %}\n"
    )
    Path("own/acme/note.j2").write_text("{% for n in [1, 2] %}\n# {{ n }}\n{% endfor %}\n")
    return folder


def test_a_check_of_thirty_changed_settings_reads_templates_once(own, monkeypatch):
    Path("wurzel.yaml").write_text(config(["own"], after=False))
    written = invoke("render")
    assert written.exit_code == 0, written.output
    Path("wurzel.yaml").write_text(config(["own"], after=True))
    compiled, checked, walked = Counter(), [], []
    generate, problems, visit = Environment._generate, Checker.problems, Generator.visit_For
    monkeypatch.setattr(
        Environment,
        "_generate",
        lambda self, tree, name, filename, **more: (
            compiled.update([filename]) or generate(self, tree, name, filename, **more)
        ),
    )
    monkeypatch.setattr(Checker, "problems", lambda self: checked.append(self) or problems(self))
    monkeypatch.setattr(
        Generator, "visit_For", lambda self, node, frame: walked.append(node) or visit(self, node, frame)
    )
    result = invoke("render", "--check", "--format", "json")
    assert result.exit_code == 1
    files = json.loads(result.stdout)["files"]
    assert len([file for file in files if file["state"] == "outdated"]) >= len(BUILT_IN)
    reasons = [reason for file in files for reason in file["reasons"]]
    assert len(CHANGED) == 30
    assert {reason["field"] for reason in reasons} >= FIELDS
    assert not [reason for reason in reasons if reason["place"].startswith("own/")]
    assert len(checked) == 1
    assert max(compiled.values()) <= 2
    assert len(walked) <= 2 * len(set(map(id, walked)))


def test_compiling_does_not_change_a_tree(own):
    renderer = Renderer([own])
    environment = Environment(renderer.layers)
    for name in renderer.layers.names():
        found = renderer.layers.find(name)
        tree = environment.tree(found.read(), found)
        before = dump(tree)
        for _ in range(2):
            environment.compile(found.read(), found.name, str(found.path), raw=True)
        assert environment.tree(found.read(), found) is tree
        assert dump(tree) == before


def dump(node):
    """Everything that a tree says."""
    if isinstance(node, nodes.Node):
        return type(node).__name__, *((name, dump(getattr(node, name, None))) for name in (*node.fields, "lineno"))
    return [dump(each) for each in node] if isinstance(node, list | tuple) else repr(node)


def test_all_targets_are_in_the_table():
    assert set(BLOCKS) == set(BUILT_IN)
    assert all(f"{target}/{name}.j2" in get(target).contexts() for target, (name, _) in BLOCKS.items())
