"""What is wrong with a pack: a message with its place, exit code 2, and no file touched."""

from pathlib import Path

import pytest

from tests.command import program


def distribution(site, name, version="1.0", package=None, pack="acme"):
    """An installed distribution with a template pack."""
    package = package or name.replace("-", "_")
    (site / package / "dvc").mkdir(parents=True, exist_ok=True)
    (site / package / "__init__.py").touch()
    info = site / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    (info / "entry_points.txt").write_text(f"[wurzel.templates]\n{pack} = {package}\n")
    return site / package


@pytest.fixture
def site(tmp_path):
    folder = tmp_path / "site"
    folder.mkdir()
    return folder


@pytest.fixture
def wurzel(project, site, monkeypatch):
    """Run a command in a project that uses the pack `acme`; exit code, and what was said."""
    root = project("chain")
    (root / "wurzel.yaml").write_text(
        "version: 1\ntemplates: [acme]\npipelines: {p: {entrypoint: 'chain:pipeline', targets: {dvc: {}}}}\n"
    )
    monkeypatch.setenv("PYTHONPATH", f"{site}:{Path(__file__).parents[2]}")

    def run(*arguments):
        done = program(*arguments, timeout=60)
        assert "Traceback" not in done.stderr, done.stderr
        return done.returncode, done.stdout + done.stderr

    return run


def test_the_folder_in_which_a_pack_is_written_may_be_in_the_project(wurzel, monkeypatch):
    """As after `wurzel new pack acme` and `pip install --editable acme`."""
    (home := Path("acme").resolve()).mkdir()
    (distribution(home, "acme-wurzel") / "wurzel-pack.yaml").write_text("version: 1\nvariables: {owner: {}}\n")
    monkeypatch.setenv("PYTHONPATH", f"{home}:{Path(__file__).parents[2]}")
    assert wurzel("render", "--stdout", "--set", "variables.owner=docs")[0] == 0


def refused(wurzel, *words):
    Path("dvc.yaml").write_text("mine: 1\n")
    code, said = wurzel("render", "--force")
    assert code == 2, said
    for word in words:
        assert word in said
    assert Path("dvc.yaml").read_text() == "mine: 1\n"
    assert not Path("params.yaml").exists()


@pytest.mark.parametrize("package", ["acme_wurzel", "other"])
def test_two_distributions_cannot_have_a_pack_of_one_name(wurzel, site, package):
    """Whether or not both name the same package, which makes their entry points equal."""
    distribution(site, "acme-wurzel")
    distribution(site, "evil", "2.0", package)
    refused(wurzel, "2 installed packs are called 'acme': acme-wurzel 1.0 and evil 2.0")


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("a: 1\n{% if x %}\n", ["acme!dvc/dvc.yaml.j2:2: Unexpected end of template"]),
        ("a: {{ 1 +* 2 }}\n", ["acme!dvc/dvc.yaml.j2:1: unexpected '*'"]),
        (
            "a: 1\n\tb: {{ stages | length }}\n",
            ["acme!dvc/dvc.yaml.j2:2: the template is not valid YAML, whatever its values are"],
        ),
        ("a: 1\na: 2\n", ["acme!dvc/dvc.yaml.j2:2: ", "the key 'a' occurs twice"]),
        (
            "a: 1\n{% include 'dvc/dvc.yaml.j2' %}\n",
            ["acme!dvc/dvc.yaml.j2:2: templates or macros call each other endlessly"],
        ),
        (
            "{% include 'dvc/_a.j2' %}\n",
            [
                "acme!dvc/dvc.yaml.j2:1: templates or macros call each other endlessly",
                "Follow the includes from here.",
            ],
        ),
        (
            "{% extends 'dvc/dvc.yaml.j2' %}\n",
            ["acme!dvc/dvc.yaml.j2:1: the template extends itself", '"!dvc/dvc.yaml.j2"'],
        ),
        ("a: {{ stage }}\n", ["acme!dvc/dvc.yaml.j2:1: 'stage' is undefined", "Did you mean stages?"]),
        (
            "{% include 'acmee!dvc/_a.j2' %}\n",
            ["acme!dvc/dvc.yaml.j2:1: ", "installed pack 'acmee'", "Did you mean acme?"],
        ),
        ("{% import 'acme!dvc/none.j2' as x %}\n", ["acme!dvc/dvc.yaml.j2:1: there is no template 'acme!dvc/none.j2'"]),
        ("{% extends 'acme!argo/workflow.yaml.j2' %}\n", ["wurzel!argo/workflow.yaml.j2:9: 'workflow' is undefined"]),
        ("{% extends '!dvc/none.yaml.j2' %}\n", ["acme!dvc/dvc.yaml.j2:1: there is no template '!dvc/none.yaml.j2'"]),
        ("{# nothing #}\n", ["acme!dvc/dvc.yaml.j2:1: the template writes nothing", "Delete the template"]),
        ("a: {% raw %}{{ b }}{% endraw +%}\n", ["acme!dvc/dvc.yaml.j2:1: ", "is used as a key"]),
        (
            "a: 'b\u2028'\n",
            ["acme!dvc/dvc.yaml.j2:1: ", "it contains '\\u2028', which YAML readers interpret differently"],
        ),
        (
            '{% extends "!dvc/dvc.yaml.j2" %}\n{% block desc %}\ndesc: a\n{% endblock %}\n',
            ["!dvc/dvc.yaml.j2:", "the template is not valid YAML", "The line above it is acme!dvc/dvc.yaml.j2:3"],
        ),
        (
            '{% extends "!dvc/dvc.yaml.j2" %}\n{% block desc %}\n    desc: {{ stage.cmd }}\n      - a\n{% endblock %}',
            ["acme!dvc/dvc.yaml.j2:3: ", "would be joined into one text", "Indent acme!dvc/dvc.yaml.j2:4 less"],
        ),
    ],
)
def test_a_template_of_a_pack_is_wrong(wurzel, site, source, words):
    folder = distribution(site, "acme-templates") / "dvc"
    (folder / "dvc.yaml.j2").write_text(source)
    (folder / "_a.j2").write_text("{# one #}\n{% include 'dvc/_b.j2' %}\n")
    (folder / "_b.j2").write_text("{# two #}\n{% include 'dvc/_a.j2' %}\n")
    refused(wurzel, *words)


def test_names_with_marks_work_everywhere(wurzel, site):
    folder = distribution(site, "acme-templates") / "dvc"
    (folder / "dvc.yaml.j2").write_text(
        "{% import 'acme!dvc/_macros.j2' as m %}\n{% include 'acme!dvc/_part.yaml.j2' %}\nb: {{ m.two() }}\n"
    )
    (folder / "_macros.j2").write_text("{% macro two() %}2{% endmacro %}\n")
    (folder / "_part.yaml.j2").write_text("a: 1\n")
    (folder / "params.yaml.j2").write_text("{% include '!dvc/params.yaml.j2' %}\nc: 3\n")
    assert wurzel("render")[0] == 0
    assert Path("dvc.yaml").read_text().partition("\n")[2] == "a: 1\nb: 2\n"
    assert Path("params.yaml").read_text().endswith("\nc: 3\n")


def test_a_pack_that_is_not_installed(wurzel, site):
    refused(wurzel, "there is no template folder or installed pack 'acme'", "No template pack is installed.")
    distribution(site, "other", pack="acne")
    refused(wurzel, "installed pack 'acme'", "Did you mean acne? Installed packs: acne.")


def test_two_packs_of_one_name(wurzel, site):
    distribution(site, "acme-templates", "1.0")
    distribution(site, "acme-other", "2.1")
    refused(
        wurzel, "2 installed packs are called 'acme': acme-other 2.1 and acme-templates 1.0", "uninstall all but one"
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("version: 1\npipeline: {entrypoint: a:b}\n", ["pack acme: wurzel-pack.yaml:2:12: unknown key 'entrypoint'"]),
        ("version: 2\npipeline: {}\n", ["pack acme: wurzel-pack.yaml:1:10: version: 2 is not 1"]),
        (
            "version: 1\npipeline: {defaults: {timeout: x}}\n",
            ["pack acme: wurzel-pack.yaml:2:32: pipeline.defaults.timeout"],
        ),
        ("version: 1\npipeline: {targets: {dvc: {sub: 1}}}\n", ["pack acme: wurzel-pack.yaml:2:28: unknown key 'sub'"]),
        ("version: 1\npipeline: {targets: {dvcc: {}}}\n", ["pack acme: wurzel-pack.yaml:2:22: ", "Did you mean dvc?"]),
        ("version: 1\npipeline: {labels: {a: [}\n", ["pack acme: wurzel-pack.yaml:"]),
        ("version: 1\npipeline: {secrets: {A: plain}}\n", ["pack acme: wurzel-pack.yaml:2:", "by reference"]),
        ("", ["pack acme: wurzel-pack.yaml:1:1"]),
    ],
)
def test_the_defaults_of_a_pack_are_wrong(wurzel, site, text, words):
    (distribution(site, "acme-templates") / "wurzel-pack.yaml").write_text(text)
    refused(wurzel, *words)
