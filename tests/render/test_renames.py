"""Old names of templates, blocks, contexts, fields and filters work for one major version, with a warning."""

from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

import pytest

from tests.command import invoke
from wurzel.backends.dvc import DvcBackend
from wurzel.render import Renderer
from wurzel.render.renames import Rename, renamed

RENAMES = (
    Rename("template", "x/old.yaml.j2", "x/new.yaml.j2", "1.3"),
    Rename("block", "head", "top", "1.3", "x/new.yaml.j2"),
    Rename("name", "heading", "title", "1.3", "x/new.yaml.j2"),
    Rename("attribute", "label", "name", "1.3", "Part"),
    Rename("filter", "quoted", "json", "1.3"),
)


@dataclass(frozen=True)
class Part:
    """A part."""

    name: str
    """Its name."""


class Context(TypedDict):
    """What it sees."""

    title: str
    """A title."""
    part: Part
    """A part."""


@pytest.fixture
def rendered(tmp_path):
    """What a project's template makes of a target whose names were changed; the findings; the warnings."""

    def run(path, source):
        for name, text in {
            f"own/{path}": source,
            "below/x/new.yaml.j2": "{% block top %}\na: 1\n{% endblock %}\n",
        }.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text)
        renderer = Renderer(["own"], root=tmp_path)
        renderer.layers.add("x", tmp_path / "below")
        renderer.layers.rename(RENAMES)
        problems = renderer.checker({"x/new.yaml.j2": Context}).problems()
        text = renderer.render("x/new.yaml.j2", {"title": "t", "part": Part("p")}).text
        return text, problems, [str(warning).partition("\n")[0] for warning in renderer.layers.warnings]

    return run


EXTENDS = '{% extends "!x/new.yaml.j2" %}\n{% block top %}\n'


@pytest.mark.parametrize(
    ("path", "source", "text", "warning"),
    [
        ("x/old.yaml.j2", "b: 2\n", "b: 2\n", "own/x/old.yaml.j2:1: the template 'x/old.yaml.j2' was renamed"),
        (
            "x/new.yaml.j2",
            '{#\n#}{% extends "!x/old.yaml.j2" %}\n',
            "a: 1\n",
            "own/x/new.yaml.j2:2: the template 'x/old.yaml.j2' was renamed to 'x/new.yaml.j2' in 1.3",
        ),
        (
            "x/new.yaml.j2",
            '{% extends "!x/new.yaml.j2" %}\n{% block head %}\nb: 2\n{{ super() -}}\n{% endblock %}\n',
            "b: 2\na: 1\n",
            "own/x/new.yaml.j2:2: the block 'head' was renamed to 'top' in 1.3",
        ),
        (
            "x/new.yaml.j2",
            EXTENDS + "b: {{ heading }}\n{% endblock %}\n",
            "b: t\n",
            "own/x/new.yaml.j2:3: the name 'heading' was renamed to 'title' in 1.3",
        ),
        (
            "x/new.yaml.j2",
            EXTENDS + "b: {{ part.label }}\n{% endblock %}\n",
            "b: p\n",
            "own/x/new.yaml.j2:3: the attribute 'label' was renamed to 'name' in 1.3",
        ),
        (
            "x/new.yaml.j2",
            EXTENDS + "b: {{ title | quoted }}\n{% endblock %}\n",
            "b: '\"t\"'\n",
            "own/x/new.yaml.j2:3: the filter 'quoted' was renamed to 'json' in 1.3",
        ),
    ],
)
def test_an_old_name_works_with_a_warning(rendered, path, source, text, warning):
    found, problems, warnings = rendered(path, source)
    assert found == text
    assert problems == []
    assert len(warnings) == 1
    assert warnings[0].startswith(warning)


def test_new_names_give_no_warning(rendered):
    source = (
        EXTENDS + "b: {{ title | json }}\nc: {{ part.name }}\n{% set heading = 1 %}\nd: {{ heading }}\n{% endblock %}\n"
    )
    _, problems, warnings = rendered("x/new.yaml.j2", source)
    assert (problems, warnings) == ([], [])


def test_another_missing_field_is_still_one(rendered):
    with pytest.raises(Exception, match="has no 'lable'"):
        rendered("x/new.yaml.j2", EXTENDS + "b: {{ part.lable }}\n{% endblock %}\n")


def test_the_warning_says_until_when():
    assert "2.0 will no longer accept the old one" in RENAMES[0].warning("x:1").hint
    assert "1.0 will no longer accept the old one" in RENAMES[0]._replace(since="0.4").warning("x:1").hint


def test_through_the_command_line(project, monkeypatch):
    project("scheduled")
    config = Path("wurzel.yaml")
    config.write_text(config.read_text().replace("version: 1", "version: 1\ntemplates: [own]"))
    monkeypatch.setattr(DvcBackend, "renames", (Rename("block", "head", "top", "1.3", "dvc/dvc.yaml.j2"),))
    Path("own/dvc").mkdir(parents=True)
    Path("own/dvc/dvc.yaml.j2").write_text(
        '{% extends "!dvc/dvc.yaml.j2" %}\n{% block head %}\n# mine\n{% endblock %}\n'
    )
    result = invoke("render", "scheduled", "-t", "dvc", "--stdout")
    assert "# mine\n" in result.stdout
    assert "warning: own/dvc/dvc.yaml.j2:2: the block 'head' was renamed to 'top' in 1.3" in result.stderr
    result = invoke("templates", "check")
    assert result.exit_code == 0
    assert "warning: own/dvc/dvc.yaml.j2:2: the block 'head'" in result.stderr


def test_a_name_that_was_changed_twice_leads_to_the_last_one():
    steps = [
        Rename("block", "a", "b", "1.1", "x.j2"),
        Rename("block", "b", "c", "1.2", "x.j2"),
        Rename("block", "c", "d", "1.3", "y.j2"),
        Rename("template", "l", "r", "1.1"),
        Rename("template", "r", "l", "1.2"),
    ]
    assert renamed(steps, "block", "a", ["x.j2"]) == Rename("block", "a", "c", "1.1", "x.j2")
    assert renamed(steps, "block", "b", ["x.j2"]) == steps[1]
    assert renamed(steps, "block", "c", ["x.j2"]) is None
    assert renamed(steps, "template", "l").new == "r"  # a circle of a pack is followed once


def test_an_override_by_the_oldest_name_of_a_file_still_counts(tmp_path):
    (tmp_path / "own" / "x").mkdir(parents=True)
    (tmp_path / "own" / "x" / "first.yaml.j2").write_text("a: 1\n")
    (tmp_path / "below" / "x").mkdir(parents=True)
    (tmp_path / "below" / "x" / "third.yaml.j2").write_text("a: 2\n")
    renderer = Renderer(["own"], root=tmp_path)
    renderer.layers.add("x", tmp_path / "below")
    chain = [("first", "second", "1.1"), ("second", "third", "1.2")]
    renderer.layers.rename([Rename("template", f"x/{a}.yaml.j2", f"x/{b}.yaml.j2", since) for a, b, since in chain])
    assert renderer.render("x/third.yaml.j2", {}).text == "a: 1\n"
    (warning,) = renderer.layers.warnings
    assert warning.message == "the template 'x/first.yaml.j2' was renamed to 'x/third.yaml.j2' in 1.1"
