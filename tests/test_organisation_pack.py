"""The pack of `docs/examples/organisation-pack`, installed as a package and used by two targets."""

import ast
import importlib
import json
import os
import re
import runpy
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, Phase, event, given, settings
from ruamel.yaml import YAML

from reference.policies import lines
from tests.command import program
from tests.render.hostile import has_surrogate, strings
from wurzel.backends.checking import validate
from wurzel.backends.registry import get
from wurzel.backends.rendering import render
from wurzel.core.importing import import_object
from wurzel.exceptions import PolicyError, TemplateError
from wurzel.ir.introspect import introspect
from wurzel.ir.serialize import dump
from wurzel.project.explain import rows
from wurzel.project.jobs import Request, open_jobs
from wurzel.project.open import open_pipeline, renderer_of
from wurzel.render import Renderer
from wurzel.testing import check_pack

EXAMPLES = Path(__file__).resolve().parents[1] / "docs" / "examples"
PREFIX = "registry.acme.example/"
OURS = {"acme.example/pipeline": "rag", "acme.example/managed-by": "platform", "acme.example/cost-centre": "unassigned"}


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A folder with the pack installed in it by pip, from a copy, so that nothing is built in the checkout."""
    source, target = tmp_path_factory.mktemp("pack") / "source", tmp_path_factory.mktemp("site")
    shutil.copytree(EXAMPLES / "organisation-pack", source)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--no-build-isolation"]
    subprocess.run([*pip, "--target", str(target), str(source)], check=True, capture_output=True)
    return target


@pytest.fixture
def team(site, tmp_path, monkeypatch):
    """A team's project, in the current folder, that uses the installed pack."""
    shutil.copy(EXAMPLES / "rag" / "rag_pipeline.py", tmp_path)
    config = (
        (EXAMPLES / "rag" / "wurzel.yaml")
        .read_text()
        .replace("version: 1\n", "version: 1\ntemplates: [acme]\nvariables: {owner: docs}\n", 1)
    )
    (tmp_path / "wurzel.yaml").write_text(config.replace("ghcr.io/acme/rag:1.0", "docs/rag:1.4"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.syspath_prepend(str(site))
    importlib.invalidate_caches()
    yield tmp_path
    for name in [*filter(lambda name: name.startswith("acme_wurzel"), sys.modules), "rag_pipeline"]:
        sys.modules.pop(name, None)


def results(target, *sets):
    jobs, project = open_jobs(Request(["rag"], [target], sets=sets))
    return render(jobs, renderer_of(project))


def manifest(target, *sets):
    (result,) = results(target, *sets)
    return yaml.safe_load(result.files[0].rendered.text)


def test_a_team_renders_with_it(team, site):
    program("render", "-t", "argo", "-t", "cronjob", env={"PYTHONPATH": str(site)}, code=0)
    assert PREFIX in (team / "argo/rag.yaml").read_text()
    assert PREFIX in (team / "cronjob/rag/cronjob.yaml").read_text()


def test_argo_gets_what_the_organisation_wants(team):
    found = manifest("argo")
    spec = found["spec"]["workflowSpec"]
    assert found["metadata"]["labels"].items() >= OURS.items()
    assert found["spec"]["workflowMetadata"]["labels"].items() >= OURS.items()
    assert spec["podMetadata"]["labels"].items() >= OURS.items()
    assert spec["nodeSelector"] == {"acme.example/pool": "pipelines"}
    assert [item["key"] for item in spec["templateDefaults"]["tolerations"]] == ["acme.example/pool"]
    assert (spec["serviceAccountName"], spec["imagePullSecrets"]) == ("pipelines", [{"name": "acme-registry"}])
    containers = [template for template in spec["templates"] if "container" in template]
    assert all(template["container"]["image"].startswith(PREFIX) for template in containers)
    assert len(containers) == 11
    assert all(template["sidecars"][0]["name"] == "log-shipper" for template in containers)
    assert spec["hooks"]["exit"]["templateRef"]["name"] == "acme-notify"
    found = manifest("argo", "targets.argo.on_exit={image: platform/notify:1.4, command: [notify]}")
    spec = found["spec"]["workflowSpec"]
    assert "hooks" not in spec
    (notify,) = (each for each in spec["templates"] if "container" in each and "metadata" not in each)
    assert notify["container"]["image"] == PREFIX + "platform/notify:1.4"


def test_a_cron_job_gets_the_same(team):
    found = manifest("cronjob", "targets.cronjob.layout=steps")
    pod = found["spec"]["jobTemplate"]["spec"]["template"]
    assert found["metadata"]["labels"].items() >= OURS.items()
    assert found["metadata"]["annotations"]["acme.example/alert-channel"] == "pipelines"
    assert pod["metadata"]["labels"].items() >= OURS.items()
    assert pod["spec"]["nodeSelector"] == {"acme.example/pool": "pipelines"}
    shipper, *steps = pod["spec"]["initContainers"]
    assert (shipper["name"], shipper["restartPolicy"]) == ("log-shipper", "Always")
    assert all(step["image"] == PREFIX + "docs/rag:1.4" for step in [*steps, *pod["spec"]["containers"]])


@pytest.mark.parametrize("target", ["argo", "cronjob"])
def test_what_it_renders_passes_the_checks_of_the_platform(team, target):
    assert validate(results(target)) == ([], [])


def test_a_team_says_otherwise(team):
    spec = manifest("argo", "targets.argo.service_account=own", "labels={acme.example/cost-centre: '42'}")["spec"]
    assert spec["workflowSpec"]["serviceAccountName"] == "own"
    assert spec["workflowMetadata"]["labels"]["acme.example/cost-centre"] == "42"


@pytest.mark.parametrize(
    ("target", "said", "template"),
    [
        ("cronjob", "defaults.node_selector={acme.example/pool: mine}", "cronjob/_pod.yaml.j2"),
        ("argo", "defaults.node_selector={acme.example/pool: mine}", "argo/_step.yaml.j2"),
        ("argo", "steps.split.node_selector={acme.example/pool: mine}", "argo/_step.yaml.j2"),
        ("argo", "targets.argo.node_selector={acme.example/pool: mine}", "argo/_pod.yaml.j2"),
    ],
)
def test_what_is_mandatory_cannot_be_said_otherwise(team, target, said, template):
    with pytest.raises(TemplateError, match="occurs twice") as caught:
        manifest(target, said)
    assert caught.value.where.startswith(f"acme!{template}:")


def test_a_step_that_chooses_nodes_itself_still_runs_on_those_of_the_organisation(team):
    spec = manifest("argo", "steps.split.node_selector={gpu: a100}", "targets.argo.node_selector={disk: ssd}")["spec"]
    spec = spec["workflowSpec"]
    chosen = {item["name"]: item["nodeSelector"] for item in spec["templates"] if "nodeSelector" in item}
    assert chosen == {"split": {"gpu": "a100", "acme.example/pool": "pipelines"}}
    assert spec["nodeSelector"] == {"disk": "ssd", "acme.example/pool": "pipelines"}
    assert "nodeSelector" not in spec["templateDefaults"]


def test_every_value_names_the_pack_it_comes_from(team):
    found = {row.path: row.origin for row in rows(open_pipeline("rag", sets=["steps.split.timeout=3h"]))}
    assert found["labels.acme.example/cost-centre"] == "pack acme: wurzel-pack.yaml:9:38"
    assert found["targets.argo.service_account"].startswith("pack acme: wurzel-pack.yaml:")
    assert found["steps.split.retry.limit"].startswith("wurzel.yaml:")
    assert found["steps.split.timeout"] == "--set steps.split.timeout"


def test_a_pack_renders_no_target_that_a_team_does_not_name(team):
    config = (team / "wurzel.yaml").read_text()
    (team / "wurzel.yaml").write_text(config[: config.index("    targets:")] + "    targets: {cronjob: {}}\n")
    jobs, _ = open_jobs(Request())
    assert [job.target for job in jobs] == ["cronjob"]
    assert open_jobs(Request(["rag"], ["argo"]))[0][0].options.service_account == "pipelines"


def test_an_ir_file_of_a_pipeline_that_is_not_in_wurzel_yaml_gets_the_defaults_as_well(team):
    there = open_pipeline("rag").pipeline
    bare = introspect(import_object("rag_pipeline:rag"), name="another", entrypoint="rag_pipeline:rag")
    ir = team / "another.ir.json"
    ir.write_text(dump(bare))
    ((job,), _) = open_jobs(Request(targets=["argo"], ir=ir, sets=["image=docs/rag:1.4"]))
    assert job.options.service_account == "pipelines"
    assert job.pipeline.labels == there.labels
    assert {step.timeout for step in job.pipeline.steps} == {7200}


def test_a_folder_of_the_team_comes_before_the_pack(team):
    own = team / "own" / "argo" / "_step.yaml.j2"
    own.parent.mkdir(parents=True)
    own.write_text(
        '{% extends "!argo/_step.yaml.j2" %}\n'
        "{% block sidecars %}\n{{ super() }}\n- name: mine\n  image: x:1\n{% endblock %}\n"
    )
    (team / "wurzel.yaml").write_text((team / "wurzel.yaml").read_text().replace("[acme]", "[own, acme]"))
    templates = manifest("argo")["spec"]["workflowSpec"]["templates"]
    sidecars = next(template["sidecars"] for template in templates if "sidecars" in template)
    assert [sidecar["name"] for sidecar in sidecars] == ["log-shipper", "mine"]


def from_acme(image: str) -> str:
    """As the pack's filter, which is imported anew by each test."""
    return image if image.startswith((PREFIX, "$")) else PREFIX + image


def plain(value):
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list) else value


WHERE = re.compile(r"[\w./!-]+\.j2:[1-9]\d*")


@pytest.fixture
def pipeline(team):
    return open_pipeline("rag").pipeline


def values(found):
    """Every key and scalar of parsed YAML."""
    if isinstance(found, dict):
        return set().union(*map(values, found.keys()), *map(values, found.values()))
    return set().union(*map(values, found)) if isinstance(found, list) else {found}


def of_yaml(text):
    """What both readers of YAML find; one reads the key `on` of GitHub as a boolean."""
    found = values(plain(list(yaml.load_all(text, yaml.SafeLoader))))
    return found & values(plain(list(YAML(typ="safe", pure=True).load_all(text))))


def of_dvc(text):
    """What DVC makes of it: a backslash before `${` says that nothing is to be filled in."""
    return {found.replace("\\${", "${") if isinstance(found, str) else found for found in of_yaml(text)}


def of_python(text):
    return {node.value for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Constant)}


def of_shell(text):
    words = shlex.shlex(text, posix=True, punctuation_chars=True)
    words.whitespace_split = True
    return set(words)


READ = {"airflow": of_python, "dvc": of_dvc, "local": of_shell}


def expected(target, image, label, name, owner):
    """Values that the pack, or wurzel below it, writes into a file of a target."""
    pods = [label, owner, name, from_acme(image), f"pipeline={name}"]
    job_image = [from_acme(image)] if image else []  # an empty one is none
    return {
        "argo": pods,
        "cronjob": pods,
        "dvc": [label, owner],
        "gitlab": [*job_image, f"acme.example/hostile={label}", owner],
        "github": [*job_image, owner],
        "airflow": [from_acme(image), owner],
        "local": [f"HOSTILE={label}", f"owner: {owner}"],
    }[target]


@pytest.mark.parametrize("target", ["dvc", "argo", "gitlab", "github", "airflow", "local", "cronjob"])
@settings(
    max_examples=int(os.environ.get("WURZEL_FUZZ", "25")),
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate],
)
@given(image=strings, label=strings, name=strings, owner=strings)
def test_hostile_values_read_back_through_the_pack(pipeline, renderer, target, image, label, name, owner):
    """Values that pre-flight would refuse, so that quoting alone decides: exactly the value, or a refusal."""
    hostile = {"acme.example/hostile": label}
    given = {"variables": {**pipeline.variables, "owner": owner}}
    steps = tuple(step.model_copy(update=given) for step in pipeline.steps)
    changed = pipeline.model_copy(
        update={
            "name": name,
            "image": image,
            "env": {"HOSTILE": label},
            "labels": hostile,
            "annotations": hostile,
            "steps": steps,
            **given,
        }
    )
    backend = get(target)
    # a job of all steps would be called as the pipeline is, and only names that pass pre-flight can be keys
    options = {"airflow": {"operator": "kubernetes"}, "github": {"layout": "steps"}, "gitlab": {"layout": "steps"}}
    file = backend.files(changed, backend.options_model(**options.get(target, {})))[0]
    context = {**file.context, "variables": changed.variables, "environment": None}
    refusal, text = None, ""
    try:
        text = renderer.render(file.template, context).text
    except TemplateError as error:
        refusal = error
    if refusal is not None:
        assert WHERE.fullmatch(refusal.where), refusal.where
        unwritable = has_surrogate([image, label, name, owner])
        unwritable |= target == "local" and "\0" in label + name + owner  # no word of a shell can hold it
        unwritable |= target == "gitlab" and len(name) > 900  # part of a key
        assert unwritable, str(refusal)
        event("refused")
        return
    found = READ.get(target, of_yaml)(text)
    for value in expected(target, image, label, name, owner):
        assert value in found, (value, text)


@pytest.fixture
def renderer(team):
    """One for all examples, which compiles the templates once."""
    renderer = Renderer(["acme"])
    renderer.layers.filters |= {"from_acme": from_acme, "vault_path": vault_path}
    return renderer


def vault_path(secret: str, owner: str) -> str:
    """As the pack's filter."""
    return f"teams/{owner}/{secret}"


@pytest.mark.parametrize("target", ["dvc", "argo", "gitlab", "github", "airflow", "local", "cronjob"])
def test_the_hostile_pipeline_passes_the_checks_of_each_platform_through_the_pack(team, target):
    """Values that break careless quoting, also in a variable of the pack, which its templates write."""
    pipelines = Path(__file__).parent / "pipelines"
    for name in ("hostile.py", "steps.py"):
        shutil.copy(pipelines / name, team)
    channel = """#yes\t: - | it's "a": {{ b }} $(touch pwned) ${{ x }} \\ %s"""
    head = f"version: 1\ntemplates: [acme]\nvariables: {{owner: docs, alerts: {json.dumps(channel)}}}\n"
    config = (pipelines / "hostile.yaml").read_text(encoding="utf-8").replace("version: 1\n", head, 1)
    config = config.replace("hostile:pipeline\n", "hostile:pipeline\n    image: docs/rag:1.4\n", 1)
    (team / "wurzel.yaml").write_text(config, encoding="utf-8")
    try:
        jobs, project = open_jobs(Request(["hostile"], [target]))
        rendered = render(jobs, renderer_of(project))
    finally:
        for name in ("hostile", "steps"):
            sys.modules.pop(name, None)
    problems, _notes = validate(rendered)
    assert problems == []
    texts = [file.rendered.text for result in rendered for file in result.files]
    assert any("ACME" in text.upper() for text in texts)
    if target in {"argo", "cronjob"}:
        documents = [each for text in texts for each in yaml.safe_load_all(text)]
        assert repr(channel) in repr(documents)


def test_the_kit_is_content_with_it(site, monkeypatch):
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.setenv("PYTHONPATH", str(site))
    importlib.invalidate_caches()
    for name in [*filter(lambda name: name.startswith("acme_wurzel"), sys.modules)]:
        sys.modules.pop(name)
    own = runpy.run_path(str(EXAMPLES / "organisation-pack" / "tests" / "test_pack.py"))
    found = check_pack("acme", variables=own["VARIABLES"], options=own["OPTIONS"])
    assert found >= 2 * 7


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ("steps.split.resources.cpu=9", "step split: at most 8 cpu (policy of acme 1.0, policies.j2:5)"),
        ("image=docs/rag:latest", "images need a version, not docs/rag:latest"),
    ],
)
def test_its_policy_holds(team, said, message):
    with pytest.raises(PolicyError) as caught:
        results("argo", said)
    assert message in str(caught.value)
    assert "argo/rag.yaml: " not in str(caught.value)  # files are not blamed for what was asked for


WORKFLOW = "targets.argo.patch={spec: {workflowSpec: {templates: {split: {container: "
JOB = "targets.cronjob.patch={spec: {jobTemplate: {spec: {template: {spec: {"
OF_STEP = "targets.argo-prod.patch={spec: {workflowSpec: {templates: {split: "
NOT_ARCHIVED = "{archiveLogs: null}}}"
SECOND = "---\napiVersion: argoproj.io/v1alpha1\nkind: Workflow\nspec: {archiveLogs: 'true'}"
EXTENDED = '{{% extends "!{}" %}}\n{{% block {} %}}\n{}\n{{% endblock %}}\n'
TAG = "images: [{name: registry.acme.example/docs/rag, newTag: latest}]"
SETATTR = 'setattr(train.container, "im" + "age", "evil")'


@pytest.mark.parametrize(
    ("target", "said", "message"),
    [
        ("argo", WORKFLOW + "{resources: {limits: {cpu: 64}}}}}}}}", "argo/rag.yaml: at most 8 cpu, not 64"),
        ("argo", WORKFLOW + "{image: evil}}}}}}", "argo/rag.yaml: images need a version, not evil"),
        ("argo-prod", "targets.argo-prod.patch={spec: {workflowSpec: {archiveLogs: null}}}", "logs of prod"),
        ("cronjob", JOB + "containers: {+: [{name: x, image: evil:latest}]}}}}}}}", "not evil:latest"),
        ("gitlab", "targets.gitlab.patch={split: {image: {name: evil}}}", ".gitlab-ci.yml: images need"),
        ("gitlab", "targets.gitlab.patch={split: {services: [evil:1, evil]}}", "a version, not evil"),
        ("gitlab", "targets.gitlab.patch={split: {variables: {KUBERNETES_CPU_REQUEST: 9}}}", "8 cpu, not 9"),
        ("github", "targets.github.patch={jobs: {split: {container: evil}}}", "images need a version, not evil"),
        ("github", "targets.github.patch={jobs: {split: {steps: {+: [{uses: 'docker://evil'}]}}}}", "not evil"),
        ("argo-prod", "targets.argo-prod.patch={spec: {workflowSpec: {archiveLogs: 'true'}}}", "logs of prod"),
        (
            "argo-prod",
            "targets.argo-prod.patch={metadata: {annotations: {archiveLogs: true}}, spec: {workflowSpec: "
            + NOT_ARCHIVED,
            "logs of prod",
        ),
        ("argo-prod", ("argo/workflow.yaml.j2", "bottom", SECOND), "logs of prod"),
        ("argo-prod", OF_STEP + "{archiveLocation: {archiveLogs: false}}}}}}", "logs of prod"),
        ("cronjob", ("cronjob/kustomization.yaml.j2", "bottom", TAG), "not registry.acme.example/docs/rag:latest"),
        (
            "airflow",
            ("airflow/_pod.py.j2", "container_resources", 'container_resources={"limits": {"cpu": "64"}},'),
            "8 cpu, not 64",
        ),
        ("airflow", ("airflow/_pod.py.j2", "image", 'image="evil",'), "dags/rag.py: images need a version, not evil"),
        ("airflow", ("airflow/dag.py.j2", "bottom", SETATTR), "no Python from own/airflow/dag.py.j2"),
        ("airflow", ("airflow/_pod.py.j2", "image", ""), "no Python from own/airflow/_pod.py.j2"),
    ],
)
def test_no_patch_or_template_leads_round_its_policy(team, target, said, message):
    sets = [said]
    if not isinstance(said, str):
        template, *block = said
        own = team / "own" / template
        own.parent.mkdir(parents=True)
        own.write_text(EXTENDED.format(template, *block))
        config = (team / "wurzel.yaml").read_text()
        (team / "wurzel.yaml").write_text(config.replace("templates: [acme]", "templates: [own, acme]"))
        sets = []
    with pytest.raises(PolicyError) as caught:
        results(target, *sets)
    assert message in str(caught.value)


SETS = (
    "steps.split.variables={node_class: spot, frozen: true}",
    "steps.split.resources.gpu=1",
    "steps.split.secrets.TOKEN={name: openai, key: token}",
    "steps.split.image=docs/gpu:2.0",
)
POLICIES = {
    "1 labels": {
        ("argo", "cronjob", "dvc"): ["acme.example/owner: docs"],
        ("gitlab", "github"): ["ACME_OWNER: docs"],
        ("airflow",): ['"acme.example/owner": "docs"'],
        ("local",): ["say \"owner: \"'docs'"],
    },
    "2 proxy and mesh": {
        ("argo", "cronjob", "gitlab", "github", "airflow", "local", "dvc"): ["http://proxy.acme.example:3128"],
        ("argo", "cronjob", "gitlab", "airflow", "local", "dvc"): ["linkerd.io/inject"],
    },
    "3 nodes": {
        ("argo", "cronjob", "airflow"): ["acme.example/gpu", "acme.example/class", "spot"],
        ("gitlab",): ["- gpu\n", "- acme-spot\n"],
        ("github",): ["- spot\n"],
    },
    "4 registry": {
        ("argo", "gitlab", "github", "airflow"): [PREFIX + "docs/rag:1.4", PREFIX + "docs/gpu:2.0"],
        ("cronjob",): [PREFIX + "docs/rag:1.4"],
        ("argo", "cronjob", "airflow"): ["acme-registry"],
    },
    "5 vault": {
        ("argo", "cronjob", "airflow"): ["vault.hashicorp.com/role"],
        ("argo", "cronjob"): ["kind: ExternalSecret", "key: teams/docs/openai"],
        ("gitlab",): ["VAULT_ID_TOKEN", "vault:"],
    },
    "6 GitHub": {("github",): ["acme/actions/setup@8f4b7f8", "self-hosted", "packages: read"]},
    "7 GitLab": {("gitlab",): ["project: platform/ci", '$CI_PIPELINE_SOURCE == "web"', "ACME_TOKEN"]},
    "8 Argo": {("argo",): ["name: acme-notify", "archiveLogs: true", "acme-artifacts", "acme-limits"]},
    "9 Airflow": {
        ("airflow",): ['"owner": "platform"', "acme_wurzel.alerts", '"pool": "pipelines"', '"acme"', "access_control={"]
    },
    "10 CronJob": {
        ("cronjob",): [
            "runAsUser: 10001",
            "kind: PodDisruptionBudget",
            "kind: NetworkPolicy",
            "- rag-budget.yaml",
            "//pipelines?ref=v4",
        ]
    },
    "11 DVC": {("dvc",): ["frozen: true", "remote = acme", "(docs)", "acme.example/owner"]},
    "12 local": {("local",): ["/etc/acme/profile", "say \"owner: \"'docs'"]},
    "14 filter": {("argo",): ["teams/docs/openai"]},
    "22 nested lists": {("argo", "cronjob"): ["- --label\n", "drop:"]},
    "24 computed": {("argo",): ["kind: ExternalSecret"]},
}


@pytest.fixture(scope="module")
def written():
    return {}


@pytest.mark.parametrize("policy", POLICIES)
def test_each_policy_is_in_every_target_that_can_have_it(team, written, policy):
    for targets, texts in POLICIES[policy].items():
        for target in targets:
            if target not in written:
                (result,) = results(target, *SETS)
                written[target] = "".join(file.rendered.text for file in result.files)
            for text in texts:
                assert text in written[target], (target, text)


def test_a_step_without_secrets_has_no_role(team):
    templates = manifest("argo", *SETS)["spec"]["workflowSpec"]["templates"]
    roles = [each["name"] for each in templates if "vault.hashicorp.com/role" in str(each.get("metadata"))]
    assert roles == ["split"]
    assert "ExternalSecret" not in "".join(
        file.rendered.text for (result,) in [results("argo")] for file in result.files
    )


def test_production_only_and_the_preset(team):
    found = manifest("argo-prod")
    assert found["metadata"]["namespace"] == "pipelines-prod"
    assert found["metadata"]["labels"]["acme.example/stage"] == "prod"
    assert "acme.example/stage" not in manifest("argo")["metadata"]["labels"]
    with pytest.raises(PolicyError, match="logs of prod are archived"):
        manifest("argo-prod", "targets.argo-prod.archive_logs=false")
    manifest("argo", "targets.argo.archive_logs=false")


def test_versions_headers_and_old_names(team, site):
    own = team / "own" / "argo" / "_defaults.yaml.j2"
    own.parent.mkdir(parents=True)
    own.write_text(
        '{% extends "!argo/_defaults.yaml.j2" %}\n'
        '{% block default_tolerations %}\n{{ super() }}\n{% include "acme/_tolerations.yaml.j2" %}\n{% endblock %}\n'
    )
    config = (team / "wurzel.yaml").read_text()
    (team / "wurzel.yaml").write_text(config.replace("[acme]", '[own, "acme>=1,<2"]'))
    variables = {"PYTHONPATH": str(site)}
    done = program("render", "-t", "argo", env=variables, code=0)
    assert "own/argo/_defaults.yaml.j2:4: the template 'acme/_tolerations.yaml.j2' was renamed" in done.stderr
    assert "with acme 1.0; do not edit" in (team / "argo/rag.yaml").read_text().splitlines()[0]
    (team / "wurzel.yaml").write_text(config.replace("[acme]", '["acme>=2"]'))
    done = program("render", "-t", "argo", env=variables)
    assert (done.returncode, "acme 1.0 is installed, but acme>=2 is required" in done.stderr) == (2, True)


def test_the_table_counts_lines_of_the_pack():
    assert lines("acme/_labels.yaml.j2") == 3
    assert lines("argo/_pod.yaml.j2#block node_selector") == 4
    assert lines("wurzel-pack.yaml#pipeline.targets.argo") == 6
    assert lines("filters.py#def vault_path") == 2
    for gone in ("argo/_pod.yaml.j2#block gone", "wurzel-pack.yaml#pipeline.gone", "filters.py#def gone"):
        with pytest.raises(ValueError, match="the example pack has no"):
            lines(gone)
