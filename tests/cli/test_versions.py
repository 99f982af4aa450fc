"""Packs with versions: which fit, what headers say, what a check says of another version."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from wurzel.cli import cli
from wurzel.render.header import packs_of

YAML = "version: 1\ntemplates: [{}]\npipelines: {{p: {{entrypoint: 'chain:pipeline', targets: {{dvc: {{}}}}}}}}\n"
BLOCK = '{% extends "!dvc/dvc.yaml.j2" %}\n{% block top %}\n# globex\n{% endblock %}\n'


def run(*arguments):
    result = CliRunner().invoke(cli, [*arguments])
    assert result.exception is None or isinstance(result.exception, Exception | SystemExit)
    return result


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
