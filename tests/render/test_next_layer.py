"""`!` is the next layer below, `wurzel!` what comes with wurzel, `pack!` a pack or what stands below it."""

from pathlib import Path

import pytest

from wurzel.backends.checking import check_all
from wurzel.exceptions import TemplateError
from wurzel.render import Renderer
from wurzel.render.ejected import eject, eject_block, updates

BASE = "{% block top %}\nbase: 1\n{% endblock %}\n{% include 'x/_part.yaml.j2' %}\n"
PART = "{% block part %}\npart: 1\n{% endblock %}\n"


def adding(name, block, line):
    return f'{{% extends "{name}" %}}\n{{% block {block} %}}\n{{{{ super() }}}}\n{line}\n{{% endblock %}}\n'


@pytest.fixture
def layered(tmp_path):
    """Renders `x/base.yaml.j2` of layers: project, packs `acme` and `globex`, and a target."""

    def render(files, name="x/base.yaml.j2"):
        for path, text in {"target/x/base.yaml.j2": BASE, "target/x/_part.yaml.j2": PART, **files}.items():
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).write_text(text)
        folders = [folder for folder in ("own", "acme", "globex") if (tmp_path / folder).is_dir()]
        renderer = Renderer(folders, root=tmp_path)
        renderer.layers.add("x", tmp_path / "target")
        renderer.layers.layers = tuple(
            layer._replace(kind="pack") if layer.name in {"acme", "globex"} else layer
            for layer in renderer.layers.layers
        )
        renderer.layers._packs = {layer.name: layer for layer in renderer.layers.layers if layer.is_pack}
        render.renderer = renderer
        return renderer.render(name, {}).text

    return render


ALL = {
    "own/x/_part.yaml.j2": adding("!x/_part.yaml.j2", "part", "own: 1"),
    "acme/x/_part.yaml.j2": adding("!x/_part.yaml.j2", "part", "acme: 1"),
    "globex/x/_part.yaml.j2": adding("!x/_part.yaml.j2", "part", "globex: 1"),
}


def test_every_layer_adds_to_the_one_below(layered):
    assert layered(ALL) == "base: 1\npart: 1\nglobex: 1\nacme: 1\nown: 1\n"


def test_a_pack_that_is_added_later_is_reached_without_a_change(layered):
    two = {path: text for path, text in ALL.items() if path[:4] != "acme"}
    assert layered(two) == "base: 1\npart: 1\nglobex: 1\nown: 1\n"
    assert layered(ALL) == "base: 1\npart: 1\nglobex: 1\nacme: 1\nown: 1\n"


def test_a_layer_without_the_file_is_passed_over(layered):
    files = ALL | {"acme/x/base.yaml.j2": adding("!x/base.yaml.j2", "top", "acme_top: 1")}
    del files["acme/x/_part.yaml.j2"]
    assert layered(files) == "base: 1\nacme_top: 1\npart: 1\nglobex: 1\nown: 1\n"


def test_what_comes_with_wurzel_and_what_a_pack_has(layered):
    assert layered(ALL | {"own/x/_part.yaml.j2": adding("wurzel!x/_part.yaml.j2", "part", "own: 1")}) == (
        "base: 1\npart: 1\nown: 1\n"
    )
    assert layered(ALL | {"own/x/_part.yaml.j2": adding("globex!x/_part.yaml.j2", "part", "own: 1")}) == (
        "base: 1\npart: 1\nglobex: 1\nown: 1\n"
    )


def test_a_pack_without_the_file_stands_for_what_is_below_it(layered):
    own = {"own/x/_part.yaml.j2": adding("acme!x/_part.yaml.j2", "part", "own: 1"), "acme/y/a.yaml.j2": "a: 1\n"}
    assert layered({**own, "globex/x/_part.yaml.j2": ALL["globex/x/_part.yaml.j2"]}) == (
        "base: 1\npart: 1\nglobex: 1\nown: 1\n"
    )


def test_include_and_import_go_down_as_well(layered):
    files = {
        "own/x/_part.yaml.j2": "{% import '!x/m.j2' as m %}\n{% include '!x/_part.yaml.j2' %}\n{{ m.word() }}: own\n",
        "own/x/m.j2": "{% macro word() %}never{% endmacro +%}\n",
        "acme/x/m.j2": "{% macro word() %}acme{% endmacro +%}\n",
        "acme/x/_part.yaml.j2": "{% include ['!x/none.yaml.j2', '!x/_part.yaml.j2'] %}\nmore: 1\n",
    }
    assert layered(files) == "base: 1\npart: 1\nmore: 1\nacme: own\n"


def test_a_name_below_the_last_layer_is_missing(layered):
    with pytest.raises(TemplateError, match=r"there is no template '!x/base\.yaml\.j2'") as caught:
        layered({"target/x/base.yaml.j2": "{% extends '!x/base.yaml.j2' %}\n"})
    assert caught.value.where == "wurzel!x/base.yaml.j2:1"


def test_an_error_names_the_layer_by_the_name_one_writes(layered):
    with pytest.raises(TemplateError) as caught:
        layered(ALL | {"acme/x/_part.yaml.j2": adding("!x/_part.yaml.j2", "part", "a: {{ nope }}")})
    assert caught.value.where == "acme!x/_part.yaml.j2:4"
    layered(ALL)
    rendered = layered.renderer.render("x/base.yaml.j2", {})
    assert [str(origin) for origin in rendered.origins] == [
        "wurzel!x/base.yaml.j2:2",
        "wurzel!x/_part.yaml.j2:2",
        "globex!x/_part.yaml.j2:4",
        "acme!x/_part.yaml.j2:4",
        "own/x/_part.yaml.j2:4",
    ]


def test_the_name_of_ours_is_no_pack():
    with pytest.raises(TemplateError, match="'wurzel' is not a pack"):
        Renderer(["wurzel"])


def test_a_folder_that_is_a_pack_and_a_target_is_not_below_itself(layered, tmp_path):
    layered({"acme/z/base.yaml.j2": "a: 1\n", "acme/x/_part.yaml.j2": ALL["acme/x/_part.yaml.j2"]})
    layered.renderer.layers.add("z", tmp_path / "acme")
    assert layered.renderer.render("x/base.yaml.j2", {}).text == "base: 1\npart: 1\nacme: 1\n"


def bypasses(layered, files):
    layered(files)
    checker = layered.renderer.checker({"x/base.yaml.j2": None})
    assert checker.problems() == []
    return [(problem.where, problem.message) for problem in checker.bypassed()]


def test_a_file_of_a_pack_that_is_gone_round_is_a_finding(layered):
    assert bypasses(layered, ALL) == []
    assert bypasses(layered, ALL | {"own/x/_part.yaml.j2": adding("wurzel!x/_part.yaml.j2", "part", "own: 1")}) == [
        ("own/x/_part.yaml.j2:1", f"the template does not extend {pack}!x/_part.yaml.j2, which is therefore never used")
        for pack in ("acme", "globex")
    ]
    assert bypasses(layered, ALL | {"acme/x/_part.yaml.j2": "whole: 1\n", "own/x/_part.yaml.j2": "o: 1\n"}) == [
        ("own/x/_part.yaml.j2:1", f"the template does not extend {pack}!x/_part.yaml.j2, which is therefore never used")
        for pack in ("acme", "globex")
    ]


def test_what_no_longer_includes_a_part_goes_round_it(layered):
    files = {"acme/x/_part.yaml.j2": ALL["acme/x/_part.yaml.j2"], "own/x/base.yaml.j2": "whole: 1\n"}
    assert bypasses(layered, files) == [
        ("own/x/base.yaml.j2:1", "the template does not extend acme!x/_part.yaml.j2, which is therefore never used")
    ]


def test_a_whole_copy_that_updates_are_merged_into_goes_round_nothing(layered, tmp_path):
    files = {"acme/x/_part.yaml.j2": ALL["acme/x/_part.yaml.j2"], "own/x/_part.yaml.j2": "whole: 1\n"}
    assert len(bypasses(layered, files)) == 1
    Path(tmp_path, "own/x/_part.yaml.j2.base").write_text("whole: 1\n")
    assert bypasses(layered, files) == []


def test_a_whole_copy_means_by_its_names_what_they_meant_where_it_was(layered, tmp_path):
    files = {path: text for path, text in ALL.items() if path[:3] != "own"} | {"own/y/a.yaml.j2": "a: 1\n"}
    before = layered(files)
    layers = layered.renderer.layers
    path = eject(layers, layers.layers[0], "x/_part.yaml.j2")
    assert '"globex!x/_part.yaml.j2"' in path.read_text()
    assert layered(files) == before
    assert [each.outcome for each in updates(layered.renderer.layers)] == ["current"]
    Path(tmp_path, "own/y/a.yaml.j2").unlink()
    assert bypasses(layered, {path: text for path, text in files.items() if path[:3] != "own"}) == []
    path = eject_block(layers, layers.layers[0], "x/_part.yaml.j2", "part", force=True)
    assert '{% extends "!x/_part.yaml.j2" %}' in path.read_text()
    assert layered(files) == before


def test_built_in_templates_are_checked_by_their_own_tests():
    assert check_all(Renderer()) == []
