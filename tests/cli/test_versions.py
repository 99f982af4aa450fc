"""Packs with versions: which fit, what headers say, what a check says of another version."""

import json
import re
from pathlib import Path

import pytest

from tests.command import invoke as run
from wurzel.backends.registry import get
from wurzel.render.header import packs_of
from wurzel.testing import full_pipeline, render_texts

YAML = "version: 1\ntemplates: [{}]\npipelines: {{p: {{entrypoint: 'chain:pipeline', targets: {{dvc: {{}}}}}}}}\n"
BLOCK = '{% extends "!dvc/dvc.yaml.j2" %}\n{% block top %}\n# globex\n{% endblock %}\n'


@pytest.fixture
def globex(project, pack):
    project("chain")

    def make(version, entry="globex", block=BLOCK):
        pack("globex", version, {"dvc/dvc.yaml.j2": block})
        Path("wurzel.yaml").write_text(YAML.format(entry))

    return make


@pytest.mark.parametrize("entry", ['"globex>=2,<3"', '"globex ~= 2.0"', "globex", '"globex==2.1.0"'])
def test_a_version_that_fits_is_used(globex, entry):
    globex("2.1.0", entry)
    assert run("render").exit_code == 0
    for path in ("dvc.yaml", "params.yaml"):
        first = Path(path).read_text().partition("\n")[0]
        assert " from chain:pipeline with globex 2.1.0; do not edit. sha256:" in first
        assert packs_of(Path(path).read_bytes()) == {"globex": "2.1.0"}
    assert run("render", "--check").exit_code == 0


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ('"globex>=2,<3"', "globex 3.0 is installed, but globex>=2,<3 is required"),
        ('"globex==2.*"', "globex 3.0 is installed, but globex==2.* is required"),
        ('"globex[aws]>=2"', "extras and markers belong to the installation; write for example globex>=2,<3"),
        ("\"globex>=2; python_version > '3'\"", "extras and markers belong to the installation"),
        ('"globex>=two"', "'>=two' is not a list of version specifiers; write for example globex>=2,<3"),
        ('"globx>=2"', "there is no template folder or installed pack 'globx'"),
    ],
)
@pytest.mark.parametrize("command", [("render",), ("inspect", "p"), ("templates", "check")])
def test_one_that_does_not_is_an_error_at_its_line(globex, entry, message, command):
    globex("3.0", entry)
    error = run(*command).exception
    assert str(error).startswith(f"wurzel.yaml:2:13: {message}")
    assert error.exit_code == 2
    assert not Path("dvc.yaml").exists()


def test_a_requirement_that_cannot_be_read_is_an_error_when_a_template_is_ejected_too(globex):
    globex("3.0", '"globex>=two"')
    error = run("templates", "eject", "dvc/dvc.yaml.j2").exception
    assert str(error).startswith("wurzel.yaml:2:13: '>=two' is not a list")


def test_a_check_names_the_packs_before_the_details(globex):
    globex("2.1.0")
    run("render")
    globex("2.2.0", block=BLOCK.replace("# globex", "# globex, again"))
    error = run("render", "--check").exception
    lines = str(error).splitlines()
    assert lines[:2] == ["rendered files are out of date", "  globex 2.1.0 → 2.2.0"]
    assert json.loads(run("render", "--check", "--format", "json").stdout)["packs"] == ["globex 2.1.0 → 2.2.0"]
    Path("wurzel.yaml").write_text(YAML.format(""))
    assert "  globex 2.1.0 → (none)" in str(run("render", "--check").exception)


def test_what_each_version_of_a_platform_lacks():
    lines = run("targets", "argo", "--versions").output.splitlines()
    assert lines[0].startswith("argo 3.6: lacks the longest wait between tries (`retry.max`)")
    assert lines[1:4] == [
        "argo 3.7: has all that wurzel writes",
        "argo 4.0 (default): has all that wurzel writes",
        "argo 4.1: has all that wurzel writes",
    ]
    found = json.loads(run("targets", "--versions", "--json").output)
    assert {target: list(versions) for target, versions in found.items()} == {
        "argo": ["3.6", "3.7", "4.0", "4.1"],
        "airflow": ["2.11", "3"],
        "github": ["Enterprise Server", "github.com"],
    }
    lines = run("targets", "github", "--versions").output.splitlines()
    assert lines[0].startswith(
        "github Enterprise Server: lacks artifact actions from version 4 on: version 3 is used; "
    )
    assert lines[1:] == [
        "github github.com (default): has all that wurzel writes",
        "What another version changes:",
        "  wurzel render --diff --set targets.github.legacy=true",
    ]
    assert "files of dvc are the same for all versions of it" in str(run("targets", "dvc", "--versions").exception)


@pytest.mark.parametrize(
    ("target", "options"),
    [("argo", {}), ("airflow", {"operator": "kubernetes", "kubernetes": {"claim": "c"}}), ("github", {})],
)
def test_files_differ_where_a_version_lacks_something(target, options):
    """A version that lacks nothing gets the files of the newest one."""
    backend = get(target)
    found = {
        version: render_texts(full_pipeline(), target, backend.options_model.model_validate({**options, option: value}))
        for version in backend.versions
        for option, value in [backend.option_of_version(version)]
    }
    newest = list(found.values())[-1]
    assert {version: texts != newest for version, texts in found.items()} == {
        version: bool(lacks) for version, lacks in backend.versions.items()
    }


def test_what_another_version_changes(project):
    project("scheduled")
    assert run("render", "-t", "argo").exit_code == 0
    older = run("render", "-t", "argo", "--diff", "--set", "targets.argo.version=3.6").output
    assert "-          backoff:" in older
    assert re.search(r"(?m)^\+.* --backoff-max, 10m", older)
