"""Which file a template's name means."""

import importlib
import sys
from importlib import metadata
from pathlib import Path

import pytest

from wurzel.exceptions import TemplateError
from wurzel.render import Renderer
from wurzel.render.layers import BUILT_IN, Layers, built_in
from wurzel.render.pack_filters import filters_of
from wurzel.render.packs import installed_module


@pytest.fixture
def pack(tmp_path, monkeypatch):
    """An installed distribution with the template pack `acme`: a package on the path and its entry points."""
    site = tmp_path / "site"
    (site / "acme_templates" / "dvc").mkdir(parents=True)
    (site / "acme_templates" / "__init__.py").write_text("")
    (site / "acme_templates" / "dvc" / "dvc.yaml.j2").write_text("from: acme\n")
    info = site / "acme-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 1\n")
    (info / "entry_points.txt").write_text(
        "[wurzel.templates]\nacme = acme_templates\nbroken = acme_nowhere\nempty = acme_templates:__name__\n"
    )
    monkeypatch.syspath_prepend(str(site))
    importlib.invalidate_caches()
    yield site
    sys.modules.pop("acme_templates", None)


def write(folder, name, source):
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(source)


def test_the_most_specific_layer_wins(tmp_path):
    write(tmp_path, "one/dvc/dvc.yaml.j2", "from: one\n")
    write(tmp_path, "two/dvc/dvc.yaml.j2", "from: two\n")
    write(tmp_path, "two/dvc/params.yaml.j2", "from: two\n")
    renderer = Renderer(["one", "two"], root=tmp_path)
    assert renderer.render("dvc/dvc.yaml.j2", {}).text == "from: one\n"
    assert renderer.render("dvc/params.yaml.j2", {}).text == "from: two\n"
    assert renderer.layers.find("!dvc/dvc.yaml.j2").path == tmp_path / "two/dvc/dvc.yaml.j2"
    assert renderer.layers.find("wurzel!dvc/dvc.yaml.j2").path == built_in() / "dvc/dvc.yaml.j2"
    assert [layer.name for layer in renderer.layers.layers] == ["one", "two", BUILT_IN]


def test_built_in_templates_are_there_and_all_compile():
    renderer = Renderer()
    assert "dvc/dvc.yaml.j2" in renderer.layers.names()
    for name in renderer.layers.names():
        renderer._environment.load(renderer.layers.find(name))


def test_a_part_may_be_replaced_without_the_whole(tmp_path):
    write(tmp_path, "base/x/a.yaml.j2", "a:\n{% include 'x/_b.j2' %}")
    write(tmp_path, "base/x/_b.j2", "  from: base\n")
    write(tmp_path, "org/x/_b.j2", "  from: org\n")
    assert Renderer(["org", "base"], root=tmp_path).render("x/a.yaml.j2", {}).text == "a:\n  from: org\n"


def test_names_of_a_layer(tmp_path):
    write(tmp_path, "one/x/a.yaml.j2", "")
    write(tmp_path, "one/x/notes.txt", "")
    layers = Layers(["one"], root=tmp_path)
    assert layers.names(layers.layers[0]) == ["x/a.yaml.j2"]
    assert set(layers.names()) > {"x/a.yaml.j2", "dvc/dvc.yaml.j2"}


def test_an_installed_pack_by_name(pack):
    assert Renderer(["acme"]).render("dvc/dvc.yaml.j2", {}).text == "from: acme\n"
    assert Renderer().render("acme!dvc/dvc.yaml.j2", {}).text == "from: acme\n"


@pytest.mark.parametrize("folder", ["wurzel-templates", "./one", "our/templates"])
def test_packs_are_looked_up_only_where_one_may_be_named(tmp_path, monkeypatch, folder):
    write(tmp_path, f"{folder}/a.yaml.j2", "a: 1\n")
    monkeypatch.setattr(metadata, "entry_points", None)
    assert Renderer([folder], root=tmp_path).render("a.yaml.j2", {}).text == "a: 1\n"


@pytest.mark.parametrize(
    ("layer", "message", "hint"),
    [
        ("acmee", "no template folder or installed pack 'acmee'", "Did you mean acme?"),
        ("zzz", "no template folder or installed pack 'zzz'", "Installed packs: "),
        ("broken", r"the template pack 'broken' \(acme 1\) cannot be loaded", ""),
        ("empty", "the template pack 'empty' has no folder", "Group wurzel.templates"),
        ("./nowhere", "the template folder './nowhere' does not exist", "templates:"),
        (Path("nowhere"), "the template folder 'nowhere' does not exist", "templates:"),
        ("wurzel-templates", "the template folder 'wurzel-templates' does not exist", "mkdir wurzel-templates"),
    ],
)
def test_a_layer_that_is_none(pack, layer, message, hint):
    with pytest.raises(TemplateError, match=message) as caught:
        Renderer([layer])
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    ("name", "right"),
    [
        ("wurzel-pack.yml", "wurzel-pack.yaml"),
        ("Wurzel-Pack.YAML", "wurzel-pack.yaml"),
        ("policies.jinja2", "policies.j2"),
        ("Policies.j2", "policies.j2"),
    ],
)
@pytest.mark.parametrize("layer", ["own", "acme"])
def test_a_policy_or_configuration_under_another_name(pack, tmp_path, layer, name, right):
    folder = tmp_path / "own" if layer == "own" else pack / "acme_templates"
    write(folder, name, "")
    with pytest.raises(TemplateError, match=f"is ignored: its name is not {right}") as caught:
        Layers([layer], root=tmp_path)
    assert caught.value.where == str(folder / name)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("dvc/dvc.yml.j2", "Did you mean dvc/dvc.yaml.j2?"),
        ("!dvc/dvd.yaml.j2", "Did you mean !dvc/dvc.yaml.j2?"),
        ("zzzzzzzz", "Searched: built-in."),
        ("../secrets", "Searched"),
        ("/etc/passwd", "Searched"),
        ("dvc/../dvc/dvc.yaml.j2", "Did you mean"),
        ("dvc//dvc.yaml.j2", "Did you mean"),
        ("dvc\\dvc.yaml.j2", "Did you mean"),
        ("", "Searched"),
        ("!", "Searched"),
    ],
)
def test_a_template_that_is_nowhere(name, hint):
    with pytest.raises(TemplateError, match="there is no template") as caught:
        Layers().find(name)
    assert hint in caught.value.hint


def test_a_template_that_is_not_utf_8(tmp_path):
    (tmp_path / "x.yaml.j2").write_bytes(b"a: 1\nb: \xff\n")
    with pytest.raises(TemplateError, match="not UTF-8") as caught:
        Renderer(["."], root=tmp_path).render("x.yaml.j2", {})
    assert caught.value.where == "x.yaml.j2:2"


def test_line_ends_and_byte_order_marks_of_other_systems(tmp_path):
    (tmp_path / "x.yaml.j2").write_bytes(b"\xef\xbb\xbfa: 1\r\n{% if true %}\r\nb: {{ x }}\r\n{% endif %}\r\n")
    assert Renderer(["."], root=tmp_path).render("x.yaml.j2", {"x": "y"}).text == "a: 1\nb: 'y'\n"


def test_installed_packs_are_read_once_until_something_is_installed(pack, tmp_path, monkeypatch):
    reads = []
    real = metadata.entry_points
    monkeypatch.setattr(metadata, "entry_points", lambda **kwargs: reads.append(kwargs) or real(**kwargs))
    for _ in range(3):
        Layers(["acme"])
    before = len(reads)
    assert before <= 1
    info = tmp_path / "later" / "later-1.dist-info"
    write(info, "METADATA", "Metadata-Version: 2.1\nName: later\nVersion: 1\n")
    write(info, "entry_points.txt", "[wurzel.templates]\nlater = later_wurzel\n")
    write(tmp_path / "later", "later_wurzel/__init__.py", "")
    monkeypatch.syspath_prepend(tmp_path / "later")
    assert Layers(["later"]).versions == "later 1"
    assert len(reads) == before + 1


@pytest.mark.parametrize("place", ["project", "project/src", "project/vendored"])
def test_metadata_in_the_project_does_not_hide_an_installed_pack(tmp_path, monkeypatch, place):
    for home, text in (("site", "from: pack\n"), (place, "from: project\n")):
        info = tmp_path / home / "globex-1.dist-info"
        write(info, "METADATA", "Metadata-Version: 2.1\nName: globex\nVersion: 1\n")
        write(info, "entry_points.txt", "[wurzel.templates]\nglobex = globex_wurzel\n")
        write(tmp_path / home, "globex_wurzel/__init__.py", "")
        write(tmp_path / home, "globex_wurzel/x/a.yaml.j2", text)
    monkeypatch.syspath_prepend(tmp_path / "site")
    monkeypatch.syspath_prepend(tmp_path / place)
    monkeypatch.chdir(tmp_path / "project")
    assert Renderer(["globex"]).render("x/a.yaml.j2", {}).text == "from: pack\n"


def test_an_environment_within_the_project_is_no_part_of_it(tmp_path, monkeypatch):
    for home, text in (("site", "from: site\n"), ("project/.venv/lib", "from: environment\n")):
        info = tmp_path / home / "globex-1.dist-info"
        write(info, "METADATA", "Metadata-Version: 2.1\nName: globex\nVersion: 1\n")
        write(info, "entry_points.txt", "[wurzel.templates]\nglobex = globex_wurzel\n")
        write(tmp_path / home, "globex_wurzel/__init__.py", "")
        write(tmp_path / home, "globex_wurzel/x/a.yaml.j2", text)
        monkeypatch.syspath_prepend(tmp_path / home)
    monkeypatch.chdir(tmp_path / "project")
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "project" / ".venv"))
    assert Renderer(["globex"]).render("x/a.yaml.j2", {}).text == "from: environment\n"


def test_a_package_of_the_project_does_not_replace_the_filters_of_a_pack(tmp_path, monkeypatch):
    for home, result in (("site", "pack"), ("project", "project")):
        write(tmp_path / home, "initech_w/__init__.py", "")
        write(tmp_path / home, "initech_w/filters.py", f"def whose(text: str) -> str:\n    return {result!r}\n")
    write(tmp_path / "site", "initech_w/wurzel-pack.yaml", "version: 1\nfilters: initech_w.filters\n")
    info = tmp_path / "site" / "initech-1.dist-info"
    write(info, "METADATA", "Metadata-Version: 2.1\nName: initech\nVersion: 1\n")
    write(info, "entry_points.txt", "[wurzel.templates]\ninitech = initech_w\n")
    monkeypatch.syspath_prepend(tmp_path / "site")
    file = installed_module("initech", "initech_w.filters")
    assert filters_of("initech_w.filters", "initech 1", (), file)[0]["whose"]("a") == "pack"
    for name in ("initech_w", "initech_w.filters"):
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.syspath_prepend(tmp_path / "project")
    monkeypatch.chdir(tmp_path / "project")
    found, (problem,) = filters_of("initech_w.filters", "initech 1", (), file)
    assert not found
    assert "another place than the pack" in problem.message
    for name in ("initech_w", "initech_w.filters"):
        monkeypatch.delitem(sys.modules, name, raising=False)
