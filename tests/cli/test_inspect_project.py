"""`wurzel inspect` without a pipeline: what there is in a project, its packs above all."""

import json
from pathlib import Path

import pytest

from tests.command import invoke
from wurzel.exceptions import TemplateError, WurzelError

YAML = """version: 1
templates: ["globex>=2,<3", own]
pipelines:
  p:
    entrypoint: chain:pipeline
    targets: {dvc: {}, local: {}}
environments:
  prod: {pipelines: {p: {targets: {local: null, argo: {}}}}}
"""


def run(*arguments):
    result = invoke("inspect", *arguments)
    if isinstance(result.exception, WurzelError):
        raise result.exception
    return result


def prepared(project, pack):
    own = "version: 1\nenvironments: {prod: {}, test: {pipeline: {}}}\n"
    pack("globex", "2.1.0", {"policies.j2": "", "wurzel-pack.yaml": own})
    root = project("chain")
    (root / "own").mkdir()
    Path("wurzel.yaml").write_text(YAML)


def test_the_packs_are_listed_with_their_versions(project, pack):
    prepared(project, pack)
    found = json.loads(run("--format", "json").stdout)
    assert found["packs"] == [{"name": "globex", "version": "2.1.0", "policies": True}]
    assert found["templates"] == ["globex>=2,<3", "own"]
    assert found["pipelines"] == {"p": {"entrypoint": "chain:pipeline", "targets": ["dvc", "local"]}}
    assert found["environments"] == ["prod", "test"]
    assert "pipeline" not in found
    found = json.loads(run("p", "-e", "prod", "--format", "json").stdout)
    assert found["pipelines"]["p"]["targets"] == ["dvc", "argo"]
    assert found["pipeline"]["name"] == "p"


def test_a_folder_with_the_name_of_a_pack_is_refused(project, pack):
    prepared(project, pack)
    Path("globex").mkdir()
    Path("wurzel.yaml").write_text(YAML.replace('"globex>=2,<3"', "globex"))
    with pytest.raises(TemplateError, match="'globex' is a folder here, and globex is an installed pack"):
        run("--format", "json")


def test_people_read_it_too(project, pack):
    prepared(project, pack)
    assert run().stdout == (
        "pack globex 2.1.0, with policies\npipeline p  chain:pipeline  dvc, local\nenvironment prod\nenvironment test\n"
    )
    assert run("--explain").stdout == run("p", "--explain").stdout
