"""Targets under another name, `argo-prod: {target: argo, environment: prod}`, and environments of packs."""

import json
from pathlib import Path

import pytest
import yaml

from tests.command import invoke

YAML = """version: 1
templates: []
pipelines:
  p:
    entrypoint: chain:pipeline
    image: reg/words:1.0
    schedule: {cron: "0 4 * * *"}
    targets:
      argo: {namespace: dev, service_account: words, output: here/p.yaml}
      argo-prod: {target: argo, environment: prod, namespace: prod}
environments:
  prod:
    pipelines:
      p:
        image: reg/words:2.0
        labels: {stage: prod}
  dev: {}
"""


@pytest.fixture
def root(project):
    folder = project("chain")
    (folder / "wurzel.yaml").write_text(YAML)
    return folder


def change(old, new):
    text = Path("wurzel.yaml").read_text()
    assert old in text
    Path("wurzel.yaml").write_text(text.replace(old, new, 1))


def run(*arguments):
    result = invoke(*arguments)
    said = str(result.exception) if result.exception and not isinstance(result.exception, SystemExit) else ""
    return getattr(result.exception, "exit_code", result.exit_code), result.stdout, said


def files():
    return sorted(
        path.as_posix() for path in Path().rglob("*") if path.is_file() and b"Rendered by" in path.read_bytes()
    )


def test_without_a_pipeline_it_is_rendered_for_those_that_have_it(root):
    change("environments:", "  q: {entrypoint: 'chain:pipeline', image: 'reg/words:1.0'}\nenvironments:")
    assert run("render", "-t", "argo-prod")[0] == 0
    assert files() == ["argo-prod/p.yaml"]
    assert "q has no target 'argo-prod'" in run("render", "q", "-t", "argo-prod")[2]
    change("      argo-prod: {target: argo, environment: prod, namespace: prod}\n", "")
    change("        image: reg/words:2.0", "        targets: {argo-prod: {target: argo}}\n        image: reg/words:2.0")
    assert "no pipeline has a target 'argo-prod'" in run("render", "-t", "argo-prod")[2]


def test_it_is_rendered_beside_its_target_in_its_environment(root):
    assert run("render")[0] == 0
    assert files() == ["argo-prod/p.yaml", "here/p.yaml"]
    text = Path("argo-prod/p.yaml").read_text()
    assert text.startswith("# Rendered by `wurzel render p -t argo-prod` from chain:pipeline;")
    prod = yaml.safe_load(text)
    assert prod["metadata"]["namespace"] == "prod"
    assert prod["metadata"]["labels"]["stage"] == "prod"
    assert "reg/words:2.0" in text
    assert "serviceAccountName: words" in text
    assert "reg/words:1.0" in Path("here/p.yaml").read_text()
    assert run("render", "--check")[0] == 0
    assert run("render", "-t", "argo-prod", "--check")[0] == 0
    assert run("render", "-t", "argo-prod", "-e", "prod", "--check")[0] == 0


def test_without_it_its_files_are_orphans(root):
    run("render")
    change("      argo-prod: {target: argo, environment: prod, namespace: prod}\n", "")
    assert "argo-prod/p.yaml: orphaned" in run("render", "--check")[2]
    assert run("render", "--prune")[0] == 0
    assert files() == ["here/p.yaml"]


def test_another_environment_leaves_it_out(root):
    assert run("render", "-e", "dev")[0] == 0
    assert files() == ["here/p.yaml"]
    assert "argo-prod is for the environment prod, not dev" in run("render", "-t", "argo-prod", "-e", "dev")[2]


@pytest.mark.parametrize(
    ("target", "options", "expected"),
    [
        ("dvc", "", ["dvc-x/dvc.yaml", "dvc-x/params.yaml"]),
        ("argo", "", ["argo-x/p.yaml"]),
        ("gitlab", "", [".gitlab/schedule-p-gitlab-x.sh", "gitlab-x.gitlab-ci.yml"]),
        ("gitlab", "kind: include", [".gitlab/p-gitlab-x.gitlab-ci.yml", ".gitlab/schedule-p-gitlab-x.sh"]),
        ("github", "", [".github/workflows/p-github-x.yml"]),
        ("airflow", "", ["airflow-x/p.py"]),
        ("local", "", ["local-x/run-p.sh"]),
        ("cronjob", "", ["cronjob-x/p.yaml"]),
        ("argo", "output: mine/p.yaml", ["mine/p.yaml"]),
    ],
)
def test_every_target_writes_where_no_other_does(root, target, options, expected):
    old = YAML[YAML.index("      argo: {") : YAML.index("environments:")]
    named = f"      {target}-x: {{target: {target}, {options}}}\n"
    change(old, named)
    code, _, said = run("render")
    assert code == 0, said
    assert files() == expected
    change(named, f"      {target}: {{}}\n{named}      {target}-y: {{target: {target}}}\n")
    code, _, said = run("render")
    assert code == 0 or ("would both write" in said and target in {"dvc", "local"}), said


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "{target: argo, ",
            "{target: agro, ",
            "wurzel.yaml:10:27: pipelines.p.targets.argo-prod.target: unknown target 'agro'",
        ),
        ("{target: argo, ", "{", "wurzel.yaml:10:7: pipelines.p.targets: unknown target 'argo-prod'"),
        ("argo-prod:", "Argo_Prod:", "wurzel.yaml:10:7: pipelines.p.targets: 'Argo_Prod' is not a valid target name"),
        ("argo-prod:", "dvc:", "wurzel.yaml:10:13: pipelines.p.targets.dvc.target: dvc is a target itself"),
        ("environment: prod", "environment: prd", "wurzel.yaml:10:46: unknown environment 'prd'"),
        ("namespace: prod", "namespce: prod", "unknown key 'namespce' in targets.argo-prod"),
    ],
)
def test_what_is_wrong_is_said(root, old, new, message):
    change(old, new)
    code, _, said = run("render")
    assert code == 2
    assert message in said


def test_a_misspelt_one_on_the_command_line(root):
    assert "unknown target 'argo-prd'\n  Did you mean argo-prod?" in run("render", "-t", "argo-prd")[2]


def test_it_is_shown_where_targets_are(root):
    assert "argo-prod is argo in the environment prod under another name." in run("targets")[1]
    assert json.loads(run("targets", "--json")[1])["argo-prod"] == {"target": "argo", "environment": "prod"}
    assert run("targets", "argo-prod")[1] == run("targets", "argo")[1]
    assert json.loads(run("inspect", "--format", "json")[1])["pipelines"]["p"]["targets"] == ["argo", "argo-prod"]
    rows = run("inspect", "p", "--explain")[1].splitlines()
    assert any(line.split()[:2] == ["targets.argo-prod.namespace", "prod"] for line in rows)


PRESET = """version: 1
pipeline:
  targets:
    argo: {service_account: company}
    argo-prod: {target: argo, environment: prod, namespace: preset}
environments:
  prod: {pipeline: {labels: {stage: of-the-pack}, defaults: {timeout: 1h}}}
  audit: {pipeline: {labels: {audited: "yes"}}}
"""


def test_a_pack_brings_presets_and_environments(root, pack):
    pack("globex", "1.0", {"wurzel-pack.yaml": PRESET})
    change("templates: []", "templates: [globex]")
    change("{target: argo, environment: prod, namespace: prod}", "{}")
    change("argo: {namespace: dev, service_account: words, output: here/p.yaml}", "argo: {}")
    change("        labels: {stage: prod}\n", "")
    code, _, said = run("render")
    assert code == 0, said
    text = Path("argo-prod/p.yaml").read_text()
    for part in (
        "namespace: preset",
        "stage: of-the-pack",
        "serviceAccountName: company",
        "activeDeadlineSeconds: 3600",
    ):
        assert part in text
    assert "of-the-pack" not in Path("argo/p.yaml").read_text()
    assert run("render", "-e", "audit", "-t", "argo")[0] == 0
    assert "audited: 'yes'" in Path("argo/p.yaml").read_text()
    assert "Did you mean audit?" in run("render", "-e", "audits")[2]


@pytest.mark.parametrize("value", ["null", "dev", '""'])
@pytest.mark.parametrize("place", ["pipeline", "environment", "set", "folder"])
def test_what_a_pack_binds_a_target_to_is_not_changed(root, pack, place, value):
    """A policy may ask for the environment, so `environment: null` would switch it off."""
    pack("globex", "1.0", {"wurzel-pack.yaml": PRESET})
    change("templates: []", "templates: [own, globex]")
    Path("own").mkdir()
    changed = f"{{environment: {value}}}"
    change("{target: argo, environment: prod, namespace: prod}", changed if place == "pipeline" else "{}")
    own = {"environment": "version: 1\nenvironments: {prod: {pipeline: {targets: {argo-prod: %s}}}}\n"}
    own |= {"folder": "version: 1\npipeline: {targets: {argo-prod: %s}}\n"}
    Path("own/wurzel-pack.yaml").write_text(own.get(place, "version: 1\n") % (changed if place in own else ()))
    sets = ["--set", f"targets.argo-prod.environment={value}"] if place == "set" else []
    code, _, said = run("render", "-t", "argo-prod", *sets)
    assert (code, files()) == (2, [])
    assert "targets.argo-prod.environment: a pack binds argo-prod to 'prod'" in said


def test_a_pack_binds_a_name_to_a_target(root, pack):
    pack("globex", "1.0", {"wurzel-pack.yaml": PRESET})
    change("templates: []", "templates: [globex]")
    change("{target: argo, environment: prod, namespace: prod}", "{target: cronjob, environment: prod}")
    assert "targets.argo-prod.target: a pack binds argo-prod to 'argo'" in run("render")[2]


def named(target, options=""):
    old = YAML[YAML.index("      argo: {") : YAML.index("environments:")]
    change(old, f"      {target}: {{{options}}}\n      {target}-prod: {{target: {target}, environment: prod}}\n")
    code, _, said = run("render")
    assert code == 0, said
    return [yaml.safe_load(Path(path).read_text()) for path in files() if path.endswith(".yml")]


def test_a_layer_that_is_not_there_is_said_before_names_that_it_may_define(root):
    change("templates: []", "templates: [own]")
    change("argo-prod: {target: argo, environment: prod, namespace: prod}", "argo-prod: {}")
    code, _, said = run("render")
    assert (code, said.splitlines()[0]) == (2, "wurzel.yaml:2:13: there is no template folder or installed pack 'own'")


def test_two_workflows_of_github_have_names_of_their_own(root):
    both = named("github")
    assert [each["name"] for each in both] == ["p-github-prod", "p"]
    groups = [each["concurrency"]["group"] for each in both]
    assert groups == ["p-github-prod-${{ github.ref }}", "p-${{ github.ref }}"]
    change("{target: github, environment: prod}", "{target: github, output: .github/workflows/mine.yml}")
    run("render")
    assert yaml.safe_load(Path(".github/workflows/mine.yml").read_text())["name"] == "p-github-prod"
    change("output: .github/workflows/mine.yml}", "name: nightly}")
    run("render")
    assert yaml.safe_load(Path(".github/workflows/p-github-prod.yml").read_text())["name"] == "nightly"


def test_two_files_of_gitlab_share_no_job_rule_or_schedule(root):
    both = named("gitlab", "kind: include")
    first, second = both
    assert not first.keys() & second.keys() - {"spec"}
    assert "p-gitlab-prod" in {*first, *second}
    scripts = [Path(f".gitlab/schedule-p{name}.sh").read_text() for name in ("", "-gitlab-prod")]
    assert "'wurzel: p-gitlab-prod'" in scripts[1] or '"wurzel: p-gitlab-prod"' in scripts[1]
    assert "resource_groups/p-gitlab-prod" in scripts[1]
    assert "p-gitlab-prod" not in scripts[0]


def test_options_that_exclude_each_other_name_the_pack_and_the_remedy(root, pack):
    pack(
        "globex",
        "1.0",
        {"wurzel-pack.yaml": "version: 1\npipeline: {targets: {argo: {artifacts: {repository: {}}}}}\n"},
    )
    change("templates: []", "templates: [globex]")
    change("output: here/p.yaml", "artifacts: {s3: {bucket: our-data}}")
    code, _, said = run("render", "-t", "argo")
    assert (code, "give one of" in said) == (2, True)
    assert "`repository` is from pack globex: wurzel-pack.yaml:2:" in said
    assert "To have your own instead, write as well: repository: null." in said
    change("{s3: {bucket: our-data}}", "{s3: {bucket: our-data}, repository: null}")
    assert run("render", "-t", "argo")[0] == 0
