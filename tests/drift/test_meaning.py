"""A template of 0.1.0 whose `!` means another template now: a warning at its line, until the files are rendered."""

from pathlib import Path

import pytest

from tests.command import invoke as run

CONFIG = 'version: 1\ntemplates: [{}]\npipelines: {{p: {{entrypoint: "chain:pipeline", targets: {{dvc: {{}}}}}}}}\n'
ADDS = '{% extends "!dvc/dvc.yaml.j2" %}\n{% block top %}\n{{ super() }}\n# of LAYER\n{% endblock %}\n'
META = '{% extends "!dvc/dvc.yaml.j2" %}\n{% block meta scoped %}\nowner: VALUE\n{% endblock %}\n'


@pytest.fixture
def own(project):
    project("chain")
    Path("own/dvc").mkdir(parents=True)
    Path("own/dvc/dvc.yaml.j2").write_text(ADDS.replace("LAYER", "own"))


def as_in_0_1_0(templates):
    """Rendered as 0.1.0 did: `!` is wurzel's own template, and the header names no pack."""
    template = Path("own/dvc/dvc.yaml.j2")
    text = template.read_text()
    template.write_text(text.replace('"!', '"wurzel!'))
    Path("wurzel.yaml").write_text(CONFIG.format("own"))
    assert run("render").exit_code == 0
    template.write_text(text)
    Path("wurzel.yaml").write_text(CONFIG.format(templates))


WARNING = (
    "warning: own/dvc/dvc.yaml.j2:1: `!dvc/dvc.yaml.j2` is {}dvc/dvc.yaml.j2, which dvc.yaml was rendered without\n"
    "  `!` means the next layer below; in wurzel 0.1.0 it always meant wurzel's own template. Write"
    " wurzel!dvc/dvc.yaml.j2 to skip the layers between.\n"
)


@pytest.mark.parametrize(("name", "mark"), [("globex", "globex!"), ("company", "company/")])
def test_it_is_told_once_where_a_layer_is_in_between(own, pack, name, mark):
    if name == "globex":
        pack("globex", "1.0", {"dvc/dvc.yaml.j2": META})
    else:
        Path("company/dvc").mkdir(parents=True)
        Path("company/dvc/dvc.yaml.j2").write_text(META)
    as_in_0_1_0(f"own, {name}")
    for option in ("--check", "--diff"):
        assert WARNING.format(mark) in run("render", option).stderr
    assert WARNING.format(mark) in run("render").stderr
    assert "owner: VALUE" in Path("dvc.yaml").read_text()
    for option in ("--check", "--diff", "--force"):
        assert "0.1.0" not in run("render", option).stderr


def test_a_layer_that_changes_is_not_told(own):
    Path("company/dvc").mkdir(parents=True)
    Path("company/dvc/dvc.yaml.j2").write_text(META)
    Path("wurzel.yaml").write_text(CONFIG.format("own, company"))
    run("render")
    Path("company/dvc/dvc.yaml.j2").write_text(META.replace("VALUE", "another"))
    done = run("render", "--check")
    assert done.exit_code == 1
    assert "0.1.0" not in done.stderr


def test_a_new_version_of_a_pack_is_not_told(own, pack):
    pack("globex", "1.0", {"dvc/dvc.yaml.j2": META})
    Path("wurzel.yaml").write_text(CONFIG.format("own, globex"))
    run("render")
    pack("globex", "2.0", {"dvc/dvc.yaml.j2": META.replace("owner: VALUE", "team: docs")})
    done = run("render", "--check")
    assert done.exit_code == 1
    assert "0.1.0" not in done.stderr


def test_a_layer_that_writes_nothing_into_the_file_is_not_told(own):
    Path("company/dvc").mkdir(parents=True)
    Path("company/dvc/dvc.yaml.j2").write_text(META.replace("owner: VALUE", ""))
    as_in_0_1_0("own, company")
    Path("own/dvc/dvc.yaml.j2").write_text(ADDS.replace("LAYER", "mine"))
    assert run("render", "--check").exit_code == 1
    assert "0.1.0" not in run("render", "--check").stderr


def test_without_a_layer_in_between_nothing_changed(own):
    as_in_0_1_0("own")
    Path("own/dvc/dvc.yaml.j2").write_text(ADDS.replace("LAYER", "mine"))
    done = run("render", "--check")
    assert (done.exit_code, "0.1.0" in done.stderr) == (1, False)
