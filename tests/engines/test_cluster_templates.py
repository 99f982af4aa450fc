"""What templates of an organisation give all pods of a workflow, as the real controller merges it."""

import json

import pytest
import yaml

from tests.engines.datasets import example, wurzel
from tests.engines.test_cluster import cluster_bucket
from wurzel.backends.argo.common import merged
from wurzel.backends.argo.losses import losses

pytestmark = [pytest.mark.engine, pytest.mark.timeout(1800)]
CONTAINER = (
    "image: {{ pipeline.image }}, imagePullPolicy: IfNotPresent, command: [sh, -c, 'sleep $SECONDS_LONG'],"
    " securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}"
)
FIRST = f'{CONTAINER}, env: [{{name: SECONDS_LONG, value: "0"}}]'
BESIDE = f'{CONTAINER}, env: [{{name: SECONDS_LONG, value: "300"}}]'
LAYER = {
    "_pod": """
{% block tolerations %}
- {key: acme.example/workflow, operator: Exists}
{% endblock %}
""",
    "_defaults": f"""
{{% block default_node_selector %}}
kubernetes.io/os: linux
{{% endblock %}}
{{% block default_tolerations %}}
- {{key: acme.example/all, operator: Exists}}
{{% endblock %}}
{{% block default_init_containers %}}
- {{name: all-first, {FIRST}}}
{{% endblock %}}
{{% block default_sidecars %}}
- {{name: all-beside, {BESIDE}}}
{{% endblock %}}
{{% block default_pod_spec %}}
  podSpecPatch: |
    terminationGracePeriodSeconds: 7
{{% endblock %}}
{{% block default_env %}}
{{{{ super() }}}}
- {{name: ALL, value: all}}
- {{name: BOTH, value: all}}
{{% endblock %}}
{{% block default_env_from %}}
- {{configMapRef: {{name: all, optional: true}}}}
{{% endblock %}}
{{% block default_volume_mounts %}}
{{{{ super() }}}}
- {{name: tmp, mountPath: /all}}
{{% endblock %}}
""",
    "_step": f"""
{{% block service_account %}}
{{% if step.id == "upper" %}}
    podSpecPatch: |
      hostname: own
    securityContext: {{runAsNonRoot: true, runAsUser: 1001, seccompProfile: {{type: RuntimeDefault}}}}
{{% endif %}}
{{% endblock %}}
{{% block step_node_selector %}}
{{% if step.id == "upper" %}}
kubernetes.io/hostname: wurzel
{{% endif %}}
{{% endblock %}}
{{% block step_tolerations %}}
{{% if step.id == "upper" %}}
- {{key: acme.example/own, operator: Exists}}
{{% endif %}}
{{% endblock %}}
{{% block init_containers %}}
{{% if step.id == "upper" %}}
- {{name: own-first, {FIRST}}}
{{% endif %}}
{{% endblock %}}
{{% block sidecars %}}
{{% if step.id == "upper" %}}
- {{name: own-beside, {BESIDE}}}
{{% endif %}}
{{% endblock %}}
{{% block env %}}
{{{{ super() }}}}
{{% if step.id == "upper" %}}
- {{name: OWN, value: own}}
- {{name: BOTH, value: own}}
{{% endif %}}
{{% endblock %}}
{{% block env_from %}}
{{% if step.id == "upper" %}}
- {{configMapRef: {{name: own, optional: true}}}}
{{% endif %}}
{{% endblock %}}
{{% block volume_mounts %}}
{{{{ super() }}}}
{{% if step.id == "upper" %}}
- {{name: tmp, mountPath: /own}}
{{% endif %}}
{{% endblock %}}
""",
}
CONFIG = "version: 1\ntemplates: [layer]\npipelines: {chain: {entrypoint: 'chain:pipeline'}}\n"


def organisation(folder):
    """The chain with what an organisation gives all of its pods, and more of each kind for the step `upper`."""
    project = example("chain", folder)
    (project / "wurzel.yaml").write_text(CONFIG)
    (project / "layer" / "argo").mkdir(parents=True)
    for name, text in LAYER.items():
        file = project / "layer" / "argo" / f"{name}.yaml.j2"
        file.write_text(f'{{% extends "!argo/{name}.yaml.j2" %}}{text}')
    return project


def named(items, key="name"):
    """The names of what an organisation or its step gives."""
    return {item[key].removeprefix("acme.example/") for item in items if "all" in item[key] or "own" in item[key]}


def test_a_template_gets_of_the_defaults_what_wurzel_says(cluster, tmp_path):
    project = organisation(tmp_path / "chain")
    sets = [
        f"image={cluster.image}", "targets.argo.image_pull_policy=IfNotPresent", cluster_bucket(cluster),
        "targets.argo.node_selector={beta.kubernetes.io/os: linux}",
    ]  # fmt: skip
    text = wurzel(project, "render", "chain", "-t", "argo", "--stdout", *(f"--set={word}" for word in sets)).stdout
    manifest = yaml.safe_load(text)
    workflow, ended = cluster.submitted(manifest)
    assert ended == (0, ""), [node.get("message") for node in cluster.read("get", workflow)["status"]["nodes"].values()]
    label = f"workflows.argoproj.io/workflow={workflow.partition('/')[2]}"
    pods = json.loads(cluster.kubectl("get", "pods", "-l", label, "-o", "json").stdout)["items"]
    pods = {pod["metadata"]["labels"]["app.kubernetes.io/component"]: pod["spec"] for pod in pods}
    assert set(pods) == {"words", "upper", "reverse"}
    plain, own = pods["words"], pods["upper"]
    assert plain["nodeSelector"] == {"kubernetes.io/os": "linux"}
    assert own["nodeSelector"] == {"kubernetes.io/os": "linux", "kubernetes.io/hostname": "wurzel"}
    for key, field, found in (
        ("tolerations", "key", {"all", "own"}),
        ("initContainers", "name", {"all-first", "own-first"}),
        ("containers", "name", {"all-beside", "own-beside"}),
    ):
        assert named(own[key], field) == found
        assert named(plain[key], field) == {name for name in found if name.startswith("all")}
    main = {name: next(item for item in pod["containers"] if item["name"] == "main") for name, pod in pods.items()}
    assert named(main["upper"]["volumeMounts"], "mountPath") >= {"/all", "/own"}
    assert [item["configMapRef"]["name"] for item in main["upper"]["envFrom"]] == ["own"]
    assert [item["configMapRef"]["name"] for item in main["words"]["envFrom"]] == ["all"]
    assert (plain["terminationGracePeriodSeconds"], own["terminationGracePeriodSeconds"]) == (7, 30)
    assert own["hostname"] == "own"
    assert (plain["securityContext"]["runAsUser"], own["securityContext"]["runAsUser"]) == (1000, 1001)
    assert "fsGroup" not in own["securityContext"]
    lost = {(loss.owner, loss.key) for loss in losses(text)}
    assert lost == {
        ("the template 'upper'", "container.envFrom"),
        ("the template 'upper'", "podSpecPatch"),
        ("the template 'upper'", "securityContext"),
        ("the template 'upper'", "nodeSelector"),
        ("the template 'upper'", "tolerations"),
        ("templateDefaults", "nodeSelector"),
        ("templateDefaults", "tolerations"),
    }
    spec = manifest["spec"]
    upper = next(item for item in spec["templates"] if item["name"] == "upper")
    wanted = merged(spec["templateDefaults"]["container"]["env"], upper["container"]["env"])
    given = [item for item in main["upper"]["env"] if not item["name"].startswith(("ARGO", "WURZEL"))]
    assert given == [item for item in wanted if not item["name"].startswith("WURZEL")]
