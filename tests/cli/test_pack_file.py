"""What a pack's file says beside defaults and variables: further files, renames, filters."""

import json
from pathlib import Path

import pytest
import yaml

from tests.command import invoke
from wurzel.render.header import body, command_of, is_untouched

YAML = """version: 1
templates: [own, globex]
pipelines:
  p:
    entrypoint: chain:pipeline
    image: reg/words:1.0
    labels: {team: data}
    targets: {TARGET: {}}
"""
PDB = """apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: {{ pipeline.name }}, labels: {target: {{ target }}}}
spec: {maxUnavailable: 0, selector: {matchLabels: {app: {{ pipeline.name }}}}}
"""


def run(*arguments):
    result = invoke(*arguments)
    said = str(result.exception) if result.exception and not isinstance(result.exception, SystemExit) else ""
    return getattr(result.exception, "exit_code", result.exit_code), result.stdout, said or result.stderr


@pytest.fixture
def prepared(project, pack):
    root = project("chain")
    (root / "own").mkdir()

    def make(target, text, files):
        pack("globex", "2.1.0", {"wurzel-pack.yaml": f"version: 1\n{text}\n", **files})
        (root / "wurzel.yaml").write_text(YAML.replace("TARGET", target))
        return root

    return make


def test_what_the_project_lacks_is_reported_in_its_file(prepared):
    root = prepared("argo", "pipeline: {targets: {argo: {namespace: n}}}", {})
    text = (root / "wurzel.yaml").read_text()
    (root / "wurzel.yaml").write_text(
        text.replace("    image: reg/words:1.0\n", "").replace("    targets: {argo: {}}\n", "")
    )
    assert "wurzel.yaml:4:3: p for argo: steps 'words', " in run("render", "-t", "argo")[2]


JSON = '{\n  "name": {{ pipeline.name }},\n  "all": {{ pipeline.labels }},\n  "a": "<{{ target }}>"\n}\n'


class TestFiles:
    ENTRY = 'files: [{target: cronjob, template: globex/pdb.yaml.j2, path: "cronjob/{pipeline}-pdb.yaml"}]'

    def test_a_file_is_written_checked_and_pruned(self, prepared):
        prepared("cronjob", self.ENTRY, {"globex/pdb.yaml.j2": PDB})
        assert run("render", "--validate")[0] == 0
        path = Path("cronjob/p-pdb.yaml")
        assert path.read_text().startswith(
            "# Rendered by `wurzel render p -t cronjob` from chain:pipeline with globex 2.1.0;"
        )
        assert yaml.safe_load(path.read_text())["metadata"] == {"name": "p", "labels": {"target": "cronjob"}}
        assert run("render", "--check")[0] == 0
        path.write_text(path.read_text().replace("maxUnavailable: 0", "maxUnavailable: 1"))
        assert "cronjob/p-pdb.yaml: edited by hand" in run("render", "--check")[2]
        run("render", "--force")
        prepared("cronjob", "", {})
        assert "cronjob/p-pdb.yaml: orphaned" in run("render", "--check")[2]
        run("render", "--prune")
        assert not path.exists()

    def test_it_is_listed_in_the_kustomization(self, prepared):
        root = prepared("cronjob", self.ENTRY, {"globex/pdb.yaml.j2": PDB})
        text = (root / "wurzel.yaml").read_text().replace("cronjob: {}", "cronjob: {manifests: kustomize}")
        (root / "wurzel.yaml").write_text(text)
        assert run("render")[0] == 0
        listed = yaml.safe_load(Path("cronjob/p/kustomization.yaml").read_text())["resources"]
        assert "p-pdb.yaml" in listed
        assert all((Path("cronjob/p") / name).is_file() for name in listed)

    def test_one_that_writes_nothing_is_left_out(self, prepared):
        text = "{% if pipeline.secrets %}\na: b\n{% endif %}\n"
        prepared("cronjob", self.ENTRY, {"globex/pdb.yaml.j2": text})
        assert run("render")[0] == 0
        assert not Path("cronjob/p-pdb.yaml").exists()

    def test_two_writers_of_one_path_are_an_error(self, prepared):
        entry = 'files: [{target: cronjob, template: globex/pdb.yaml.j2, path: "cronjob/{pipeline}.yaml"}]'
        prepared("cronjob", entry, {"globex/pdb.yaml.j2": PDB})
        code, _, said = run("render")
        assert code == 2
        assert (
            "pack globex: wurzel-pack.yaml:2:9: p for cronjob would write 'cronjob/p.yaml' twice:"
            " cronjob/manifests.yaml.j2, globex/pdb.yaml.j2\n  Set another path in `files:` there."
        ) in said

    def test_the_job_that_pushes_accepts_it(self, prepared):
        prepared("cronjob", self.ENTRY, {"globex/pdb.yaml.j2": PDB})
        job = run("ci", "github", "--push", "--stdout")[1]
        assert "cronjob/p-pdb.yaml" in job

    @pytest.mark.parametrize(
        ("name", "text", "first"),
        [
            ("config.ini", '[core]\nremote = {{ pipeline.name }}\nteam = "{{ pipeline.labels.team }}"\n', "# Rendered"),
            ("x.toml", "a = 1\n", "# Rendered"),
            ("x.sql", "select 1;\n", "-- Rendered"),
            ("x.md", "text\n", "<!-- Rendered"),
            ("x.ts", "export {}\n", "// Rendered"),
            (
                "x.json",
                '{\n  "name": {{ pipeline.name }},\n  "all": {{ pipeline.labels }},\n  "a": "<{{ target }}>"\n}\n',
                "{",
            ),
        ],
    )
    def test_any_format_with_comments_and_json(self, prepared, name, text, first):
        entry = f"files: [{{target: dvc, template: globex/{name}.j2, path: more/{name}}}]"
        prepared("dvc", entry, {f"globex/{name}.j2": text})
        code, _, said = run("render")
        assert code == 0, said
        content = Path("more", name).read_bytes()
        assert content.decode().startswith(first)
        assert command_of(content) == ["wurzel", "render", "p", "-t", "dvc"]
        assert is_untouched(content)
        assert not is_untouched(content + b"x")
        if name.endswith(".json"):
            found = json.loads(content)
            assert (found["name"], found["all"], found["a"]) == ("p", {"team": "data"}, "<dvc>")
            assert b'"//"' not in body(content)
        assert run("render", "--check")[0] == 0
        Path("wurzel.yaml").write_text(Path("wurzel.yaml").read_text().replace("[own, globex]", "[own]"))
        assert f"more/{name}: orphaned" in run("render", "--check")[2]

    @pytest.mark.parametrize(
        ("name", "text", "message"),
        [
            ("x.ini", 'a = {{ "b; c" }}\n', "values cannot be quoted in this kind of file"),
            ("x.ini", "a = {{ pipeline.labels }}\n", "only text and numbers are allowed"),
            ("x.json", '{\n "a": 1,\n "a": 2\n}\n', "the key 'a' occurs twice"),
            ("x.json", '{\n "a": {{ target }}{{ target }}\n}\n', "it would be joined"),
            ("x.json", "[1]\n", "a JSON file must start with a line"),
            ("x.bin", "x\n", "wurzel has no quoting rules"),
        ],
    )
    def test_what_cannot_be_quoted_is_refused(self, prepared, name, text, message):
        entry = f"files: [{{target: dvc, template: globex/{name}.j2, path: more/{name}}}]"
        prepared("dvc", entry, {f"globex/{name}.j2": text})
        code, _, said = run("render")
        assert code == 2
        assert message in said

    @pytest.mark.parametrize(
        ("entry", "message"),
        [
            ("{target: cron, template: a.yaml.j2, path: a}", "wurzel-pack.yaml:2:18: files: unknown target 'cron'"),
            ('{target: dvc, template: a.yaml.j2, path: "{name}"}', "files: '{name}' is not a placeholder"),
            ("{target: dvc, path: a.yaml}", "files.0.template is missing"),
            (
                "{target: dvc, template: globex/gone.yaml.j2, path: a.yaml}",
                "there is no template 'globex/gone.yaml.j2'",
            ),
        ],
    )
    def test_a_wrong_entry(self, prepared, entry, message):
        prepared("dvc", f"files: [{entry}]", {})
        code, _, said = run("render")
        assert code == 2
        assert message in said


BLOCK = """{% extends "globex!argo/_step.yaml.j2" %}
{% block proxy %}
- {name: OWN, value: b}
{% endblock %}
"""
MACRO = """{% import "globex/_macros.yaml.j2" as g %}
{% extends "!argo/workflow.yaml.j2" %}
{% block labels %}
{{ super() }}
{{ g.tags(1) }}
{% endblock %}
"""
IMPORTED = """{% from "globex/_macros.yaml.j2" import tags as t %}
{% extends "!argo/workflow.yaml.j2" %}
{% block labels %}
{{ super() }}
{{ t(2) }}
{% endblock %}
"""
INCLUDED = """{% extends "!argo/workflow.yaml.j2" %}
{% block annotations %}
{% include "globex/_labels.yaml.j2" %}
{% endblock %}
"""


class TestRenames:
    FILES = {
        "argo/_step.yaml.j2": '{% extends "!argo/_step.yaml.j2" %}\n{% block env %}\n{{ super() }}\n'
        "{% block globex_proxy %}\n- {name: PROXY, value: a}\n{% endblock %}\n{% endblock %}\n",
        "globex/_macros.yaml.j2": "{% macro labels(x) %}\nteams: {{ x }}\n{% endmacro %}\n",
        "globex/_tags.yaml.j2": "tag: new\n",
    }
    TEXT = """renames:
  - {kind: block, old: proxy, new: globex_proxy, since: "2.0", within: argo/_step.yaml.j2}
  - {kind: macro, old: tags, new: labels, since: "2.0", within: globex/_macros.yaml.j2}
  - {kind: file, old: globex/_labels.yaml.j2, new: globex/_tags.yaml.j2, since: "2.1"}
"""

    @pytest.mark.parametrize(
        ("path", "text", "written", "warning"),
        [
            (
                "own/argo/_step.yaml.j2",
                BLOCK,
                "OWN",
                "own/argo/_step.yaml.j2:2: the block 'proxy' was renamed to 'globex_proxy' in globex 2.0",
            ),
            (
                "own/argo/workflow.yaml.j2",
                MACRO,
                "teams: 1",
                "own/argo/workflow.yaml.j2:5: the macro 'tags' was renamed to 'labels' in globex 2.0",
            ),
            (
                "own/argo/workflow.yaml.j2",
                IMPORTED,
                "teams: 2",
                "own/argo/workflow.yaml.j2:1: the macro 'tags' was renamed to 'labels' in globex 2.0",
            ),
            (
                "own/argo/workflow.yaml.j2",
                INCLUDED,
                "tag: new",
                "workflow.yaml.j2:3: the template 'globex/_labels.yaml.j2' was renamed to 'globex/_tags.yaml.j2'",
            ),
        ],
    )
    def test_old_names_work_with_a_warning_at_the_line(self, prepared, path, text, written, warning):
        root = prepared("argo", self.TEXT, self.FILES)
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
        code, out, said = run("render", "--stdout")
        assert code == 0, said
        assert warning in said
        assert "globex 3.0 will no longer accept the old one" in said
        assert written in out


class TestFilters:
    MODULE = (
        'def cost_label(value: str, prefix: str = "c") -> str:\n    """A label for a cost centre."""\n'
        '    return f"{prefix}-{value}"\n\n\ndef _hidden(value: str) -> str:\n    return value\n'
    )
    OWN = '{% extends "!dvc/dvc.yaml.j2" %}\n{% block top %}\n# {{ EXPRESSION }}\n{% endblock %}\n'

    def prepare(self, prepared, module, expression):
        root = prepared("dvc", "filters: globex_wurzel.filters", {"filters.py": module})
        (root / "own/dvc").mkdir(parents=True)
        (root / "own/dvc/dvc.yaml.j2").write_text(self.OWN.replace("EXPRESSION", expression))

    def test_a_public_function_is_a_filter(self, prepared):
        self.prepare(prepared, self.MODULE, 'pipeline.name | cost_label(prefix="x")')
        assert run("render")[0] == 0
        assert "\n# x-p\n" in Path("dvc.yaml").read_text()
        assert run("templates", "check")[0] == 0
        listed = json.loads(run("templates", "list", "dvc", "--json")[1])["filters"]
        assert (
            listed["cost_label"] == "(value: str, prefix: str = 'c') -> str: A label for a cost centre. (globex 2.1.0)"
        )
        assert "_hidden" not in listed

    @pytest.mark.parametrize(
        ("module", "expression", "message"),
        [
            (MODULE, "pipeline.name | cost_lable", "there is no filter 'cost_lable'"),
            (MODULE, 'pipeline.name | cost_label("a", "b")', "cost_label: too many positional arguments"),
            (MODULE, "pipeline.name | cost_label(prefix=1)", "own/dvc/dvc.yaml.j2:3: cost_label: prefix is 1, not str"),
            (MODULE, "none | cost_label", "own/dvc/dvc.yaml.j2:3: cost_label: value is None, not str"),
            (MODULE, 'pipeline.name | cost_label(prefx="a")', "cost_label: got an unexpected keyword argument 'prefx'"),
            ("def a(value) -> str:\n    return value\n", "target", "the filter 'a' has no type for value"),
            ("def a(value: str):\n    return value\n", "target", "the filter 'a' has no type for what it returns"),
            ("def shell(value: str) -> str:\n    return value\n", "target", "wurzel already has a filter 'shell'"),
            ("import nothing_there\n", "target", "cannot be imported: ModuleNotFoundError"),
            ("import os\nos._exit(0)\n", "target", "this code calls os._exit(0)"),
            ("x = 1\n", "target", "globex_wurzel.filters has no public function"),
            ("def a(value: str) -> str:\n    raise ValueError('no')\n", "pipeline.name | a", "ValueError: no"),
            (
                "from itertools import count\nn = count()\ndef a(value: str) -> str:\n    return f'{value}{next(n)}'\n",
                "pipeline.name | a",
                "own/dvc/dvc.yaml.j2:3: the filter 'a' of globex 2.1.0 returned 'p1', but 'p0' before",
            ),
        ],
    )
    def test_what_is_wrong_is_said(self, prepared, module, expression, message):
        self.prepare(prepared, module, expression)
        code, _, said = run("render")
        assert code == 2
        assert message in said
        assert not Path("dvc.yaml").exists()


class TestKinds:
    """`--validate`: kinds of Kubernetes, kinds of others, and templates that are elsewhere."""

    ENTRY = "files: [{target: cronjob, template: globex/x.yaml.j2, path: cronjob/x.yaml}]\n"
    SECRET = """apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata: {name: rag}
spec: {secretStoreRef: {name: vault}, SPEC}
"""
    CRD = """apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: externalsecrets.external-secrets.io}
spec:
  group: external-secrets.io
  names: {kind: ExternalSecret, plural: externalsecrets}
  scope: Namespaced
  versions:
    - name: v1
      served: true
      storage: true
      schema:
        openAPIV3Schema:
          type: object
          properties:
            spec:
              type: object
              properties:
                refreshInterval: {type: string}
                secretStoreRef: {type: object, properties: {name: {type: string}}}
"""

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            (PDB.replace("maxUnavailable", "maxUnavailabel"), "maxUnavailabel"),
            (PDB.replace("policy/v1", "policy/v9"), "policy/v9"),
            (PDB.replace("PodDisruptionBudget", "PodDisruptionBudgets"), "PodDisruptionBudgets"),
            (PDB.replace("{{ pipeline.name }}, labels", "A_B, labels"), "'A_B' is not a Kubernetes name"),
        ],
    )
    def test_core_kinds_are_held_to_their_schemas(self, prepared, text, message):
        prepared("cronjob", self.ENTRY, {"globex/x.yaml.j2": PDB})
        assert run("render", "--validate")[0] == 0
        prepared("cronjob", self.ENTRY, {"globex/x.yaml.j2": text})
        code, _, said = run("render", "--validate", "--force")
        assert code == 1
        assert message in said

    def test_kinds_of_others_are_noted_unless_there_is_a_schema(self, prepared):
        text = self.SECRET.replace("SPEC", "refreshInterval: 1h")
        prepared("cronjob", self.ENTRY, {"globex/x.yaml.j2": text})
        code, _, said = run("render", "--validate")
        assert code == 0
        assert "note: cronjob/x.yaml: ExternalSecret/rag: only the structure is checked" in said
        crds = {"crds/es.yaml": self.CRD}
        schemas = self.ENTRY + "validate: {schemas: [crds/]}"
        prepared("cronjob", schemas, {"globex/x.yaml.j2": text, **crds})
        assert "note:" not in run("render", "--validate")[2]
        wrong = self.SECRET.replace("SPEC", "refreshIntervall: 1h")
        root = prepared("cronjob", schemas, {"globex/x.yaml.j2": wrong, **crds})
        code, _, said = run("render", "--validate")
        assert code == 1
        assert "refreshIntervall" in said
        prepared("cronjob", self.ENTRY, {"globex/x.yaml.j2": wrong})
        (root / "crds").mkdir()
        (root / "crds/es.yaml").write_text(self.CRD)
        config = root / "wurzel.yaml"
        config.write_text(config.read_text() + "validate: {schemas: [crds]}\n")
        assert "refreshIntervall" in run("render", "--validate")[2]

    def test_a_template_elsewhere_is_noted(self, prepared):
        root = prepared("argo", "", {})
        (root / "own/argo").mkdir()
        (root / "own/argo/workflow.yaml.j2").write_text(
            '{% extends "!argo/workflow.yaml.j2" %}\n{% block templates %}\n{{ super() }}\n'
            "  - name: notify\n    steps: [[{name: call, templateRef: {name: central, template: notify}}]]\n"
            "{% endblock %}\n"
        )
        code, _, said = run("render", "--validate")
        assert code == 0, said
        assert "the WorkflowTemplate 'central' is not rendered here" in said
