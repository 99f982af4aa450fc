"""`check_pack`, as docs/organisation.md shows it: what it finds in a pack, and what it says of it."""

import pytest

from wurzel.testing import check_pack

STEP = """{% extends "!argo/_step.yaml.j2" %}
{% block env %}
{{ super() }}
- {name: A, value: LETTER}
{% endblock %}
"""
POD = '{% extends "!argo/_pod.yaml.j2" %}\n{% block NAME %}\nTEXT\n{% endblock %}\n'
PACK = "version: 1\nvariables: {cost: {required: true}}\npipeline: {labels: {x.example/pack: globex}}\n"


def made(pack, letter="b", **files):
    pack("globex", "1.0", {"wurzel-pack.yaml": PACK, "argo/_step.yaml.j2": STEP.replace("LETTER", letter), **files})


def wrong(*arguments, **options):
    with pytest.raises(AssertionError) as caught:
        check_pack("globex", *arguments, variables={"cost": "1"}, **options)
    return str(caught.value)


def test_a_good_pack_renders_for_every_target(pack):
    made(pack)
    assert check_pack("globex", variables={"cost": "1"}, validate=False) >= 2 * 7


def test_snapshots_are_written_and_compared(pack, tmp_path, monkeypatch):
    made(pack)
    options = {"targets": ["argo"], "variables": {"cost": "1"}}
    others = [tmp_path / name for name in ("README.md", "argo/_step.yaml.j2", "dvc/small/dvc.yaml")]
    for other in others:
        other.parent.mkdir(exist_ok=True, parents=True)
        other.touch()
    assert "argo/small/argo/small.yaml: has no snapshot" in wrong(tmp_path, targets=["argo"])
    monkeypatch.setattr("sys.argv", ["pytest", "--update"])
    assert check_pack("globex", tmp_path, **options) == 2
    monkeypatch.setattr("sys.argv", ["pytest"])
    assert check_pack("globex", tmp_path, **options) == 2
    lines = (tmp_path / "argo/small/argo/small.yaml").read_text().splitlines()
    number = next(number for number, line in enumerate(lines, 1) if "value: b" in line)
    made(pack, "c")
    said = wrong(tmp_path, targets=["argo"])
    assert f"argo/small/argo/small.yaml:{number}: differs from its snapshot" in said
    assert "value: c" in said
    made(pack)
    (tmp_path / "argo/old.yaml").write_text("a: b\n")
    assert wrong(tmp_path, targets=["argo"]) == "argo/old.yaml: no longer written; run the test with --update"
    assert check_pack("globex", tmp_path, **options, update=True) == 2
    assert not (tmp_path / "argo/old.yaml").exists()
    assert all(other.exists() for other in others)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        (
            "tolerations",
            "{{ super() }}",
            "argo: argo/_pod.yaml.j2: the override changes nothing in any sample pipeline",
        ),
        ("pod", "", "a block 'pod'"),
        ("affinity", "node: 1", "argo: small: "),
    ],
)
def test_what_is_wrong_with_a_template_is_said(pack, name, text, message):
    made(pack, **{"argo/_pod.yaml.j2": POD.replace("NAME", name).replace("TEXT", text)})
    assert message in wrong(targets=["argo"])


def test_what_a_policy_refuses_is_said(pack):
    made(pack, **{"policies.j2": '{{ fail("never") }}\n'})
    assert "never (policy of globex 1.0, policies.j2:1)" in wrong(targets=["argo"])


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"wurzel-pack.yaml": "version: 1\npipelin: {}\n"}, "pack globex: wurzel-pack.yaml:2:1: unknown key 'pipelin'"),
        ({"wurzel-pack.yaml": "version: 1\nfilters: nowhere.at\n"}, "globex 1.0: filters: 'nowhere.at' cannot be"),
        (
            {"wurzel-pack.yaml": "version: 1\nfiles: [{target: argo, template: x/no.yaml.j2, path: argo/x.yaml}]\n"},
            "pack globex: wurzel-pack.yaml:2:9: there is no template 'x/no.yaml.j2'",
        ),
        (
            {"wurzel-pack.yaml": "version: 1\nfiles: [{target: argo, template: x/y.yaml.j2, path: ../x.yaml}]\n"},
            "pack globex: wurzel-pack.yaml:2:53: files: '../x.yaml' is outside the project",
        ),
        ({"argo/_step.yaml.j2": "{% if %}"}, "globex!argo/_step.yaml.j2:1: Expected an expression"),
    ],
)
def test_a_broken_pack_is_a_finding_with_its_place(pack, files, message):
    pack("globex", "1.0", files)
    with pytest.raises(AssertionError) as caught:
        check_pack("globex", targets=["argo"])
    assert message in str(caught.value)


def test_what_a_step_does_not_get_of_all_pods_is_said(pack):
    toleration = "- {key: globex, operator: Exists}"
    text = POD.replace("NAME", "tolerations").replace("TEXT", toleration)
    made(pack, **{"argo/_pod.yaml.j2": text})
    said = wrong(targets=["argo"], validate=False)
    assert "has its own `tolerations`, which replaces that of globex!argo/_pod.yaml.j2:3" in said
