"""`targets.<name>.patch`: files, documents, layers, places of what is wrong."""

from typing import NamedTuple

import pytest
import yaml

from tests.command import invoke
from wurzel.backends.registry import BUILT_IN, get
from wurzel.exceptions import WurzelError
from wurzel.project.schema import json_schema

WURZEL = """version: 1
pipelines:
  p:
    entrypoint: chain:pipeline
    image: registry.example/p:1.0
    targets:
      {target}:
        patch:{patch}
"""


class Result(NamedTuple):
    exit_code: int
    output: str


@pytest.fixture
def render(project):
    """Render a target with a patch; what came out, and the files."""

    def run(target, patch, *arguments, more=""):
        folder = project("chain")
        block = f" {patch}\n" if not patch.startswith("\n") else patch.replace("\n", "\n          ") + "\n"
        (folder / "wurzel.yaml").write_text(WURZEL.format(target=target, patch=block) + more)
        done = invoke("render", "p", "-t", target, *arguments)
        code = done.exception.exit_code if isinstance(done.exception, WurzelError) else done.exit_code
        result = Result(code, f"{done.output}{done.exception or ''}")
        files = {path.name: path.read_text() for path in folder.rglob("*") if path.suffix in {".yaml", ".yml"}}
        return result, files

    return run


def test_a_patch_changes_the_main_file(render):
    result, files = render(
        "argo", "{spec: {templates: {words: {container: {args: null, image: 'a:2'}}}, ttlStrategy: null}}"
    )
    assert result.exit_code == 0, result.output
    spec = yaml.safe_load(files["p.yaml"])["spec"]
    words = next(item for item in spec["templates"] if item["name"] == "words")
    assert words["container"]["image"] == "a:2"
    assert "args" not in words["container"]
    assert "ttlStrategy" not in spec
    assert "# Argo merges this into every template." in files["p.yaml"]


def test_check_knows_the_patch(render):
    assert render("dvc", "{vars: [{x: 1}]}")[0].exit_code == 0
    assert render("dvc", "{vars: [{x: 1}]}", "--check")[0].exit_code == 0
    assert render("dvc", "{vars: [{x: 2}]}", "--check")[0].exit_code == 1


def test_the_lines_of_a_patch_come_from_the_configuration(render):
    result, _ = render("dvc", "\nvars:\n  - x: 1", "--explain")
    assert "wurzel.yaml:" in next(
        line for line in result.output.splitlines() if line.endswith("| vars:") or "vars:" in line
    )


def test_a_list_names_files(render):
    patch = "\n- {file: params.yaml, merge: {p: {words: null}}}\n- {merge: {vars: [a]}}"
    result, files = render("dvc", patch)
    assert result.exit_code == 0, result.output
    assert yaml.safe_load(files["dvc.yaml"])["vars"] == ["a"]
    assert yaml.safe_load(files["params.yaml"])["p"] == {}


def test_a_document_is_chosen_by_its_kind(render):
    result, files = render(
        "cronjob", "{kind: ConfigMap, metadata: {labels: {x: 'no'}}}", "--set", "targets.cronjob.layout=single"
    )
    assert result.exit_code == 0, result.output
    config, job = yaml.safe_load_all(files["p.yaml"])
    assert config["metadata"]["labels"]["x"] == "no"
    assert "x" not in job["metadata"]["labels"]


@pytest.mark.parametrize(
    ("target", "patch", "where", "message", "hint"),
    [
        (
            "argo",
            "{spec: {templates: {wrds: {}}}}",
            "wurzel.yaml:8:42",
            "no item has the name 'wrds'",
            "Did you mean words?",
        ),
        ("argo", "{spce: null}", "wurzel.yaml:8:23", "there is no key 'spce'", "Did you mean spec?"),
        ("argo", "5", "wurzel.yaml:8:16", "neither a mapping nor a list", "{file: …, merge: …}"),
        ("argo", "[{spec: 1}]", "wurzel.yaml:8:17", "the mapping `merge` is missing", ""),
        ("argo", "[{merge: {}, fil: a}]", "wurzel.yaml:8:17", "unknown key 'fil'", ""),
        ("argo", "[{merge: {}, file: b.yaml}]", "wurzel.yaml:8:35", "no file is named 'b.yaml'", "argo/p.yaml"),
        ("argo", "{kind: CronWorkfow}", "wurzel.yaml:8:23", "no document of kind 'CronWorkfow'", "Workflow"),
        (
            "cronjob",
            "{spec: {}}",
            "wurzel.yaml:8:16",
            "2 documents",
            "kind: … (and metadata: {name: …}): ConfigMap p-pipeline",
        ),
        ("airflow", "{a: 1}", "wurzel.yaml:8:16", "dags/p.py is not a YAML", "Extend a block of airflow/dag.py.j2"),
        ("local", "{a: 1}", "wurzel.yaml:8:16", "run-p.sh is not a YAML file", "Extend a block of local/run.sh.j2"),
    ],
)
def test_what_fits_nothing_is_refused_before_a_file_is_touched(render, target, patch, where, message, hint):
    sets = ["--set", "targets.cronjob.layout=single"] if target == "cronjob" else []
    result, files = render(target, patch, *sets)
    assert result.exit_code == 2, result.output
    assert where in result.output
    assert message in result.output
    assert hint in result.output
    assert files.keys() == {"wurzel.yaml"}


def test_environments_and_set_add_to_a_patch(render):
    more = "environments: {prod: {pipelines: {p: {targets: {argo: {patch: {spec: {a: 1, volumes: null}}}}}}}}\n"
    result, files = render(
        "argo",
        "{spec: {a: 0, b: 2, ttlStrategy: null}}",
        "-e",
        "prod",
        "--set",
        "targets.argo.patch.spec.b=3",
        more=more,
    )
    assert result.exit_code == 0, result.output
    spec = yaml.safe_load(files["p.yaml"])["spec"]
    assert (spec["a"], spec["b"]) == (1, 3)
    assert not {"ttlStrategy", "volumes"} & spec.keys()


def test_an_environment_drops_a_patch(render):
    more = "environments: {prod: {pipelines: {p: {targets: {argo: {patch: null}}}}}}\n"
    _, files = render("argo", "{spec: {a: 0}}", "-e", "prod", more=more)
    assert "a" not in yaml.safe_load(files["p.yaml"])["spec"]


@pytest.mark.parametrize("target", BUILT_IN)
def test_every_target_has_it_in_the_schema(target):
    options = json_schema()["definitions"][f"{target}.{get(target).options_model.__name__}"]
    assert "RFC 7386" in options["properties"]["patch"]["description"]


@pytest.mark.parametrize("target", ["github", "gitlab"])
def test_a_patch_of_jobs(render, target):
    patch = {
        "github": "{jobs: {words: {steps: {Check out: {with: {fetch-depth: 0}}}}}}",
        "gitlab": "{words: {tags: ['on']}}",
    }
    each = ("--set", f"targets.{target}.layout=steps")
    result, files = render(target, patch[target], "--set", "image=null", *each)
    assert result.exit_code == 0, result.output
    if target == "github":
        step = yaml.safe_load(files["p.yml"])["jobs"]["words"]["steps"][0]
        assert step["with"] == {"persist-credentials": False, "fetch-depth": 0}
        assert " # v7.0.1" in files["p.yml"]
    else:
        assert "  tags:\n    - 'on'\n" in files[".gitlab-ci.yml"]
