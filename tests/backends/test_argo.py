"""What the argo backend writes, read back as Argo reads it."""

import itertools
import re

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from tests.plain import WORDS, plain_step
from wurzel.backends.argo import ArgoBackend
from wurzel.backends.argo.common import merged
from wurzel.backends.argo.environment import BRACE, text
from wurzel.backends.argo.layout import names
from wurzel.backends.argo.options import ArgoOptions
from wurzel.backends.argo.template import duration
from wurzel.backends.support import unsupported_uses
from wurzel.exceptions import PreflightError
from wurzel.ir.model import Edge, InputPort, OnFailure, OutputPort, Pipeline, Retry, SecretRef, Setting, Shards, Step
from wurzel.ir.pods import ConfigMapVolume, EnvFrom, Limits, Resources, Volume
from wurzel.ir.schedule import Schedule
from wurzel.testing import check_backend, full_pipeline, render_texts

S3 = {"artifacts": {"s3": {"bucket": "acme-data", "endpoint": "minio:9000", "insecure": True, "prefix": "p"}}}
STORES = {
    "default": {},
    "repository": {"artifacts": {"repository": {"config_map": "repositories", "key": "team"}}},
    "s3": S3,
    "gcs": {"artifacts": {"gcs": {"bucket": "acme-data"}}},
    "azure": {"artifacts": {"azure": {"endpoint": "https://acme.blob.core.windows.net", "container": "data"}}},
    "volume": {"artifacts": {"volume": {"name": "shared"}}},
    "claims": {"artifacts": {"volume": {"size": "5Gi", "access_mode": "ReadWriteMany"}}},
    "tar": {"artifacts": {**S3["artifacts"], "archive": "tar"}},
}


def step(name, *needs, **fields):
    cls = name.title().replace("-", "").lstrip("0123456789")
    return plain_step(id=name, run=f"steps:{cls}", needs=needs, output=WORDS, **fields)


def pipeline(*steps, **fields):
    return Pipeline(**{"name": "p", "image": "acme/p:1", "steps": steps, **fields})


def render(what, **options):
    (body,) = render_texts(what, "argo", ArgoOptions.model_validate(options)).values()
    return list(yaml.safe_load_all(body))


def spec_of(what, **options):
    manifest = render(what, **options)[0]
    return manifest["spec"].get("workflowSpec", manifest["spec"])


def template(spec, name):
    (found,) = [item for item in spec["templates"] if item["name"] == name]
    return found


def tasks(spec):
    return {task["name"]: task for task in template(spec, spec["entrypoint"])["dag"]["tasks"]}


def problems(what, **options):
    return [str(item) for item in ArgoBackend().preflight(what, ArgoOptions.model_validate(options))]


def expand(value, env):
    """What the kubelet makes of `$(NAME)` and `$$` (k8s.io/kubernetes/third_party/forked/golang/expansion)."""
    out, at = "", 0
    while at < len(value):
        if value[at] != "$" or at + 1 == len(value):
            out, at = out + value[at], at + 1
        elif value[at + 1] == "$":
            out, at = out + "$", at + 2
        elif value[at + 1] == "(" and ")" in value[at + 2 :]:
            end = value.index(")", at)
            name = value[at + 2 : end]
            out, at = out + env.get(name, f"$({name})"), end + 1
        elif value[at + 1] == "(":
            out, at = out + "$(", at + 2
        else:
            out, at = out + value[at : at + 2], at + 2
    return out


DIAMOND = pipeline(step("words"), step("upper", "words"), step("reverse", "words"), step("join", "upper", "reverse"))


def test_a_diamond_is_a_dag_whose_tasks_take_artifacts_from_those_they_depend_on():
    (workflow,) = render(DIAMOND)
    assert workflow["kind"] == "Workflow"
    assert workflow["metadata"]["generateName"] == "p-"
    found = tasks(workflow["spec"])
    assert "depends" not in found["words"]
    assert found["join"]["depends"] == "upper && reverse"
    assert found["join"]["arguments"]["artifacts"] == [
        {"name": "upper", "from": "{{tasks.upper.outputs.artifacts.dataset}}"},
        {"name": "reverse", "from": "{{tasks.reverse.outputs.artifacts.dataset}}"},
    ]
    join = template(workflow["spec"], "join")
    assert [item["path"] for item in join["inputs"]["artifacts"]] == ["/wurzel/data/upper", "/wurzel/data/reverse"]
    assert join["outputs"]["artifacts"] == [{"name": "dataset", "path": "/wurzel/data/join", "archive": {"none": {}}}]
    assert workflow["spec"]["templateDefaults"]["container"]["command"] == ["wurzel"]
    assert join["container"]["args"] == [
        "step", "steps:Join", "--id", "join", "-i", "/wurzel/data/upper", "-i", "/wurzel/data/reverse",
        "-o", "/wurzel/data/join",
    ]  # fmt: skip


def test_a_schedule_makes_a_cron_workflow_that_loses_no_run_and_starts_none_twice():
    (cron,) = render(pipeline(step("words"), schedule=Schedule(cron="0 4 * * *", timezone="Europe/Berlin")))
    assert cron["kind"] == "CronWorkflow"
    assert cron["metadata"]["name"] == "p"
    spec = dict(cron["spec"])
    assert "entrypoint" in spec.pop("workflowSpec")
    spec.pop("workflowMetadata")
    assert spec == {
        "schedules": ["0 4 * * *"],
        "timezone": "Europe/Berlin",
        "concurrencyPolicy": "Forbid",
        "startingDeadlineSeconds": 3600,
        "successfulJobsHistoryLimit": 3,
        "failedJobsHistoryLimit": 3,
    }


def test_a_workflow_template_holds_the_specification_and_a_cron_workflow_refers_to_it():
    body = pipeline(step("words"), schedule=Schedule(cron="@daily"))
    whole, cron = render(body, workflow_template=True, suspend=True)
    assert whole["kind"] == "WorkflowTemplate"
    assert whole["spec"]["entrypoint"] == "p"
    assert cron["kind"] == "CronWorkflow"
    assert cron["spec"]["workflowSpec"] == {"workflowTemplateRef": {"name": "p"}}
    assert cron["spec"]["suspend"] is True
    (alone,) = render(pipeline(step("words")), workflow_template=True)
    assert alone["kind"] == "WorkflowTemplate"


@pytest.mark.parametrize("store", STORES)
def test_no_key_starts_with_another_one(store):
    """Stores list a folder by the start of its keys, some without a slash behind it."""
    spec = spec_of(pipeline(step("split"), step("split-de", "split"), step("join", "split-de")), **STORES[store])
    keys = [
        place.get("key") or place.get("blob")
        for item in spec["templates"]
        for artifact in item.get("outputs", {}).get("artifacts", [])
        for place in artifact.values()
        if isinstance(place, dict) and ("key" in place or "blob" in place)
    ]
    assert bool(keys) == (store in {"s3", "gcs", "azure", "tar"})
    assert all("{{workflow.uid}}" in key for key in keys)
    assert not [(one, other) for one in keys for other in keys if one != other and other.startswith(one)]


def test_an_s3_store_is_named_in_full_at_every_output():
    (artifact,) = template(spec_of(DIAMOND, **S3), "words")["outputs"]["artifacts"]
    assert artifact["s3"] == {
        "endpoint": "minio:9000", "bucket": "acme-data", "insecure": True, "key": "p/{{workflow.uid}}/words/data/",
    }  # fmt: skip


@pytest.mark.parametrize(("store", "refused"), [(name, name in {"default", "repository", "gcs"}) for name in STORES])
def test_datasets_that_argo_would_not_remove_are_not_promised_to_be(store, refused):
    """Seen on a cluster: for S3, Argo looks below a key only when it ends with a slash; for GCS never."""
    given = {**STORES[store], "artifact_gc": {"strategy": "OnWorkflowCompletion"}}
    if not refused:
        ArgoOptions.model_validate(given)
        return
    with pytest.raises(ValueError, match="Argo cannot remove a folder from"):
        ArgoOptions.model_validate(given)
    ArgoOptions.model_validate({**given, "artifact_gc": {"strategy": "Never"}})
    ArgoOptions.model_validate({**given, "artifacts": {**given.get("artifacts", {}), "archive": "tar"}})


def test_credentials_of_a_store_are_references():
    ref = {"name": "minio", "key": "id"}
    s3 = {"bucket": "acme-data", "access_key": ref, "secret_key": {"name": "minio", "key": "secret"}, "region": "eu"}
    (artifact,) = template(spec_of(DIAMOND, artifacts={"s3": s3}), "words")["outputs"]["artifacts"]
    assert artifact["s3"]["accessKeySecret"] == ref
    assert artifact["s3"]["secretKeySecret"] == {"name": "minio", "key": "secret"}


def test_a_shared_claim_needs_no_artifacts():
    spec = spec_of(DIAMOND, **STORES["volume"])
    assert {"name": "data", "persistentVolumeClaim": {"claimName": "shared"}} in spec["volumes"]
    mount = spec["templateDefaults"]["container"]["volumeMounts"][0]
    assert mount == {"name": "data", "mountPath": "/wurzel", "subPath": "{{workflow.uid}}"}
    assert not [item for item in spec["templates"] if "inputs" in item or "outputs" in item]


def test_a_claim_for_each_run_is_removed_with_it():
    spec = spec_of(DIAMOND, **STORES["claims"])
    (claim,) = spec["volumeClaimTemplates"]
    assert claim["metadata"]["name"] == "data"
    assert claim["spec"]["resources"]["requests"]["storage"] == "5Gi"
    assert spec["volumeClaimGC"] == {"strategy": "OnWorkflowCompletion"}
    assert "data" not in [volume["name"] for volume in spec["volumes"]]


FANNED = pipeline(step("words"), step("loud", "words", shards=3), step("join", "loud"))


@pytest.mark.parametrize("store", ["s3", "gcs", "azure"])
def test_slices_are_pods_of_their_own_that_fill_one_folder(store):
    spec = spec_of(FANNED, **STORES[store])
    task = tasks(spec)["loud"]
    assert task["withSequence"] == {"start": "1", "count": "3"}
    assert task["arguments"]["parameters"] == [{"name": "shard", "value": "{{item}}"}]
    loud, join = template(spec, "loud"), template(spec, "join")
    assert loud["container"]["args"][-2:] == ["--shard", "{{inputs.parameters.shard}}/3"]
    (out,) = loud["outputs"]["artifacts"]
    (inp,) = join["inputs"]["artifacts"]
    key = "blob" if store == "azure" else "key"
    assert out["path"] == "/wurzel/data/loud/shard-{{inputs.parameters.shard}}-of-3"
    folder, slash = inp[store][key].removesuffix("/"), "/" if store == "s3" else ""
    assert inp[store][key] == folder + slash
    assert out[store][key] == f"{folder}/shard-{{{{inputs.parameters.shard}}}}-of-3{slash}"
    assert inp["path"] == "/wurzel/data/loud"
    assert tasks(spec)["join"].get("arguments") is None
    assert tasks(spec)["join"]["depends"] == "loud"


@pytest.mark.parametrize("store", ["default", "repository", "tar"])
def test_slices_are_tasks_with_an_artifact_each_where_pods_cannot_fill_one_folder(store):
    spec = spec_of(FANNED, **STORES[store])
    found = tasks(spec)
    assert list(found) == ["words", "loud-1", "loud-2", "loud-3", "join"]
    for number in (1, 2, 3):
        task = found[f"loud-{number}"]
        assert (task["template"], task["depends"]) == ("loud", "words")
        assert task["arguments"]["parameters"] == [{"name": "shard", "value": str(number)}]
    assert found["join"]["depends"] == "loud-1 && loud-2 && loud-3"
    assert found["join"]["arguments"]["artifacts"] == [
        {"name": f"loud_{number}", "from": f"{{{{tasks.loud-{number}.outputs.artifacts.dataset}}}}"}
        for number in (1, 2, 3)
    ]
    loud, join = template(spec, "loud"), template(spec, "join")
    assert loud["container"]["args"][-2:] == ["--shard", "{{inputs.parameters.shard}}/3"]
    (out,) = loud["outputs"]["artifacts"]
    paths = [out["path"].replace("{{inputs.parameters.shard}}", str(number)) for number in (1, 2, 3)]
    assert [item["path"] for item in join["inputs"]["artifacts"]] == paths
    assert join["container"]["args"][4:6] == ["-i", "/wurzel/data/loud"]
    if store == "tar":
        assert out["s3"]["key"] == "p/{{workflow.uid}}/loud/data/shard-{{inputs.parameters.shard}}-of-3.tgz"


def test_tasks_of_slices_have_names_of_their_own():
    body = pipeline(step("words"), step("loud", "words", shards=2, input=WORDS), step("loud-1", "loud"))
    found = tasks(spec_of(body))
    assert len(found) == 4
    assert found["loud-1"]["template"] == "loud-1"
    slices = [name for name, task in found.items() if task["template"] == "loud"]
    assert found["loud-1"]["depends"] == " && ".join(slices)


def test_tasks_of_slices_count_where_a_pipeline_is_cut_into_parts():
    body = pipeline(step("words"), *(step(f"s{n}", "words", shards=66, input=WORDS) for n in range(4)))
    assert len(render_texts(body, "argo", ArgoOptions.model_validate(S3))) == 1
    parts = [yaml.safe_load(text) for text in render_texts(body, "argo", ArgoOptions()).values()][1:]
    counts = [len(template(part["spec"], f"part-{n}")["dag"]["tasks"]) for n, part in enumerate(parts, 1)]
    assert counts == [199, 66]
    assert problems(body) == []
    most = pipeline(step("words"), step("loud", "words", shards=200, input=WORDS))
    (problem,) = problems(most)
    assert "has 200 shards, each a task with its own artifact; Argo allows at most 199" in problem
    assert problems(most, **S3) == []


def test_slices_on_a_volume_are_pods_of_their_own():
    spec = spec_of(FANNED, **STORES["volume"])
    assert tasks(spec)["loud"]["withSequence"]["count"] == "3"
    assert template(spec, "loud")["container"]["args"][-2] == "--shard"


MEMORY = pipeline(step("memory", self_consuming=True), step("join", "memory"))


def test_the_last_output_is_kept_at_a_key_of_its_own():
    memory = template(spec_of(MEMORY, **S3), "memory")
    (last,) = memory["inputs"]["artifacts"]
    assert last["optional"] is True
    assert last["path"] == "/wurzel/data/memory"
    kept = next(item for item in memory["outputs"]["artifacts"] if item["name"] == "last")
    assert kept["s3"]["key"] == last["s3"]["key"] == "p/p/last/memory.tgz"
    assert "uid" not in kept["s3"]["key"]
    assert "archive" not in kept


def test_a_store_that_keeps_nothing_is_reported():
    backend = ArgoBackend()
    (report,) = unsupported_uses(backend, MEMORY)
    assert report.feature == "self_consuming"
    shared = ArgoOptions.model_validate({"artifacts": {"volume": {"name": "shared", "per_run": False}}})
    assert not unsupported_uses(backend, MEMORY, options=shared)
    assert not unsupported_uses(backend, MEMORY, options=ArgoOptions.model_validate(S3))


def parameter(**fields):
    return Setting(**{"name": "SUFFIX", "variable": "WORDS__SUFFIX", "parameter": True, "default": "!", **fields})


def test_a_parameter_is_a_workflow_parameter_with_the_default_of_the_setting():
    body = pipeline(step("words", settings=(parameter(description="behind every word"),)))
    spec = spec_of(body)
    assert spec["arguments"]["parameters"] == [
        {"name": "WORDS__SUFFIX", "description": "behind every word", "value": "!"}
    ]
    env = template(spec, "words")["container"]["env"]
    assert {"name": "WORDS__SUFFIX", "value": "{{workflow.parameters.WORDS__SUFFIX}}"} in env


def test_a_parameter_that_is_no_text_is_json():
    count = parameter(name="TIMES", variable="WORDS__TIMES", text=False, default=[1, 2], given=True, value=[3])
    spec = spec_of(pipeline(step("words", settings=(count,))))
    assert spec["arguments"]["parameters"][0]["value"] == "[3]"


def test_a_required_parameter_has_no_value_and_is_asked_for():
    body = pipeline(step("words", settings=(parameter(required=True, default=None),)))
    assert problems(body) == []
    assert spec_of(body)["arguments"]["parameters"] == [{"name": "WORDS__SUFFIX"}]


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        (parameter(secret=True), "is a secret"),
        (parameter(computed=True), "computed when the step runs"),
        (parameter(required=True), "a scheduled run provides none"),
        (parameter(default=None), "is null"),
    ],
)
def test_a_parameter_that_cannot_be_one_is_refused(setting, said):
    body = pipeline(step("words", settings=(setting,)), schedule=Schedule(cron="@daily"))
    assert any(said in item for item in problems(body))


@given(st.text(alphabet="${}()=ab\"'\\ \n", max_size=20))
def test_text_is_expanded_neither_by_argo_nor_by_the_kubelet(value):
    written = text(value)
    assert "{{" not in written
    assert expand(written, {BRACE: "{", "a": "pwned", "ab": "pwned", "": "pwned"}) == value


def test_the_variable_for_a_brace_stands_before_what_refers_to_it():
    body = pipeline(
        step("words", env={"X": "{{ item }}"}), step("other", "words", env={"Y": "plain"}), env={"Z": "{{pod.name}}"}
    )
    spec = spec_of(body)
    defaults = spec["templateDefaults"]["container"]["env"]
    assert [item["name"] for item in defaults] == [BRACE, "WURZEL_RUN_ID", "Z"]
    assert [item["name"] for item in template(spec, "words")["container"]["env"]] == [BRACE, "X"]
    assert [item["name"] for item in template(spec, "other")["container"]["env"]] == ["Y"]
    assert "{{" not in str(template(spec, "words"))


def test_retries_wait_longer_each_time_up_to_a_longest_wait():
    retry = Retry(limit=3, backoff=90, factor=2, max=2 * 86400)
    found = template(spec_of(pipeline(step("words", retry=retry, timeout=60))), "words")
    assert found["retryStrategy"] == {
        "limit": "3",
        "retryPolicy": "Always",
        "expression": 'lastRetry.exitCode not in ["2", "3"]',
        "backoff": {"duration": "1m30s", "factor": "2", "cap": "48h"},
    }
    assert found["activeDeadlineSeconds"] == 60
    assert "--retries" not in found["container"]["args"]


@pytest.mark.parametrize(
    ("retry", "version"),
    [(Retry(limit=2, backoff=1, factor=1.5), "4.0"), (Retry(limit=2, backoff=1, factor=2, max=60), "3.6")],
)
def test_retries_that_argo_cannot_say_are_wurzels(retry, version):
    found = template(spec_of(pipeline(step("words", retry=retry, timeout=60)), version=version), "words")
    assert "retryStrategy" not in found
    assert "activeDeadlineSeconds" not in found
    assert "--retries" in found["container"]["args"]
    assert "--timeout" in found["container"]["args"]


@pytest.mark.parametrize(("seconds", "written"), [(0, "0s"), (45, "45s"), (3600, "1h"), (90061, "25h1m1s")])
def test_durations_are_written_as_go_reads_them(seconds, written):
    assert duration(seconds) == written


def test_pods_satisfy_the_restricted_standard_and_can_write_to_their_volumes_only():
    spec = spec_of(DIAMOND)
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    container = spec["templateDefaults"]["container"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]},
    }  # fmt: skip
    assert [mount["mountPath"] for mount in container["volumeMounts"]] == ["/wurzel", "/tmp"]


def test_containers_that_argo_adds_are_restricted_whatever_the_controller_is_told():
    patch = yaml.safe_load(spec_of(DIAMOND, pod_spec_patch={"hostNetwork": True}, token=True)["podSpecPatch"])
    context = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    assert patch == {
        "initContainers": [{"name": "init", "securityContext": context}],
        "containers": [{"name": "wait", "securityContext": context}],
    }


def test_security_can_be_left_to_the_cluster():
    spec = spec_of(DIAMOND, security={"restricted": False}, token=True)
    assert not {"securityContext", "podSpecPatch"} & set(spec)
    assert "securityContext" not in spec["templateDefaults"]["container"]


TOKEN = {"name": "executor-token", "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount", "readOnly": True}


@pytest.mark.parametrize("restricted", [True, False])
def test_only_the_containers_of_argo_get_a_token(restricted):
    spec = spec_of(DIAMOND, security={"restricted": restricted})
    patch = yaml.safe_load(spec["podSpecPatch"])
    assert patch["automountServiceAccountToken"] is False
    (volume,) = patch["volumes"]
    paths = {}
    for source in volume["projected"]["sources"]:
        ((kind, value),) = source.items()
        paths[kind] = value.get("path") or value["items"][0]["path"]
    assert paths == {"serviceAccountToken": "token", "configMap": "ca.crt", "downwardAPI": "namespace"}
    for kind, name in (("initContainers", "init"), ("containers", "wait")):
        (container,) = patch[kind]
        assert container["name"] == name
        assert container["volumeMounts"] == [TOKEN]
        assert ("securityContext" in container) == restricted
    for key in ("automountServiceAccountToken", "executor"):
        assert key not in spec  # Argo takes the first only with the second, which needs a Secret that somebody makes


def test_steps_that_talk_to_the_cluster_may_have_the_token():
    assert "automountServiceAccountToken" not in spec_of(DIAMOND, token=True)["podSpecPatch"]
    assert "executor-token" not in spec_of(DIAMOND, token=True)["podSpecPatch"]


def test_an_executor_of_its_own_takes_the_token_from_steps():
    spec = spec_of(DIAMOND, executor_service_account="argo-executor")
    assert spec["automountServiceAccountToken"] is False
    assert spec["executor"] == {"serviceAccountName": "argo-executor"}
    assert "executor-token" not in spec["podSpecPatch"]


def test_a_secret_of_a_step_replaces_a_plain_variable_of_the_pipeline_whole():
    """Argo merges variables of `templateDefaults` field by field, so the plain one must not stand there."""
    body = pipeline(step("words", secrets={"A": SecretRef(name="s", key="k")}), step("other"), env={"A": "1", "B": "2"})
    spec = spec_of(body)
    assert [item["name"] for item in spec["templateDefaults"]["container"]["env"]] == ["WURZEL_RUN_ID", "B"]
    assert template(spec, "other")["container"]["env"] == [{"name": "A", "value": "1"}]
    assert template(spec, "words")["container"]["env"] == [
        {"name": "A", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}
    ]


@pytest.mark.parametrize("more", [{}, {"on_exit": {"command": ["tell"], "env": {"A": "exit"}}}])
@pytest.mark.parametrize(
    ("shared", "own", "secrets"),
    [
        ({"A": "", "B": "all"}, {"B": "own"}, ()),
        ({"A": "all", "B": "all"}, {"A": ""}, ()),
        ({"A": "all", "B": "all"}, {"B": "own"}, ("T",)),
        ({"A": "{{x}}", "B": "{{y}}"}, {"B": "{{z}}", "C": ""}, ()),
        ({"WURZEL_RUN_ID": "mine", "A": "all"}, {"WURZEL_RUN_ID": ""}, ("T",)),
    ],
)
def test_pods_get_the_variables_that_are_meant(shared, own, secrets, more):
    """As Argo merges them, which was seen on a cluster: by name, and then into the template's list place by place."""
    kept = {name: SecretRef(name="s", key="k") for name in secrets}
    spec = spec_of(pipeline(step("words", env=own, secrets=kept), step("other", "words"), env=shared), **more)
    defaults = spec["templateDefaults"]["container"]["env"]
    for name, wanted in (("words", {**shared, **own}), ("other", shared)):
        variables = {item["name"]: item for item in merged(defaults, template(spec, name)["container"].get("env", []))}
        found = {key: item.get("value", "") for key, item in variables.items() if "valueFrom" not in item}
        found = {key: expand(value, {BRACE: "{"}) for key, value in found.items()}
        assert {key: found[key] for key in wanted} == wanted
        assert not any({"value", "valueFrom"} <= set(item) for item in variables.values())


def test_variables_are_merged_as_by_the_controller():
    """Each case is what Argo 4.0.5 made of it."""

    def listed(**values):
        return [
            {"name": name, **({"value": value} if isinstance(value, str) else {})} for name, value in values.items()
        ]

    assert merged(listed(A="", B="all"), listed(B="own")) == listed(A="own", B="own")
    assert merged(listed(R="r", B="all", C="all"), listed(T="t", B="own")) == listed(T="t", R="r", B="own", C="all")
    assert merged(listed(A="all", E=""), listed(S="s", T="t")) == listed(S="s", T="t", A="all", E=None)


def test_a_gpu_is_a_limit():
    found = template(spec_of(pipeline(step("words", resources=Resources(gpu=2)))), "words")
    assert found["container"]["resources"] == {"limits": {"nvidia.com/gpu": "2"}}


def test_volumes_variables_and_priority_of_a_step():
    volume = Volume(name="models", mount_path="/models", config_map=ConfigMapVolume(name="m", optional=True))
    words = step("words", volumes=(volume,), env_from=(EnvFrom(secret="keys"),), priority="batch")
    spec = spec_of(pipeline(words, step("join", "words")), env_from=[{"config_map": "all"}])
    assert {"name": "models", "configMap": {"name": "m", "optional": True}} in spec["volumes"]
    found, other = template(spec, "words"), template(spec, "join")
    assert found["priorityClassName"] == "batch"
    assert found["container"]["volumeMounts"] == [{"name": "models", "mountPath": "/models", "readOnly": True}]
    # Argo replaces the list of templateDefaults, so it is repeated
    assert found["container"]["envFrom"] == [{"configMapRef": {"name": "all"}}, {"secretRef": {"name": "keys"}}]
    assert not {"priorityClassName", "volumes"} & set(other) | {"envFrom", "volumeMounts"} & set(other["container"])


def test_devices_by_name_disk_and_huge_pages():
    gpu = {"amd.com/gpu": 1, "nvidia.com/mig-1g.5gb": 2, "gpu.intel.com/xe": 0}
    asked = Resources(memory="1Gi", gpu=gpu, ephemeral_storage="10Gi", hugepages={"2Mi": "64Mi"})
    found = template(spec_of(pipeline(step("words", resources=asked))), "words")
    assert found["container"]["resources"] == {
        "requests": {"memory": "1Gi", "ephemeral-storage": "10Gi"},
        "limits": {"amd.com/gpu": "1", "nvidia.com/mig-1g.5gb": "2", "hugepages-2Mi": "64Mi"},
    }


def test_an_exit_handler_tells_of_failures():
    handler = {"command": ["notify", "{{x}}"], "secrets": {"URL": {"name": "hook", "key": "url"}}, "image": "acme/n:1"}
    spec = spec_of(DIAMOND, on_exit=handler)
    assert spec["onExit"] == "on-exit"
    ((group,),) = template(spec, "on-exit")["steps"]
    assert group["when"] == "{{workflow.status}} != Succeeded"
    container = template(spec, group["template"])["container"]
    env = {item["name"]: item.get("value") for item in container["env"]}
    assert env["WORKFLOW_FAILURES"] == "{{=sprig.fromJson(workflow.failures) ?? workflow.failures}}"
    assert expand(container["command"][1], env) == "{{x}}"
    always = spec_of(DIAMOND, on_exit={**handler, "when": "always"})
    ((group,),) = template(always, "on-exit")["steps"]
    assert "when" not in group


def test_somebody_is_told_of_a_failure():
    ref = SecretRef(name="chat", key="url")
    told = DIAMOND.model_copy(update={"on_failure": OnFailure(webhook=ref, command=("say", "{{x}}"))})
    spec = spec_of(told)
    ((group,),) = template(spec, spec["onExit"])["steps"]
    assert group["when"] == "{{workflow.status}} != Succeeded"
    container = template(spec, group["template"])["container"]
    env = {item["name"]: item.get("value", item.get("valueFrom")) for item in container["env"]}
    assert env["WURZEL_WEBHOOK"] == {"secretKeyRef": {"name": "chat", "key": "url"}}
    assert env["WURZEL_LINK"] == "argo get -n {{workflow.namespace}} {{workflow.name}}"
    assert expand(container["command"][-1], env) == "{{x}}"
    linked = told.on_failure.model_copy(update={"link": "https://argo.example/{run}"})
    spec = spec_of(told.model_copy(update={"on_failure": linked}))
    env = template(spec, "notify")["container"]["env"]
    assert {"name": "WURZEL_LINK", "value": "https://argo.example/{run}"} in env
    own = ArgoOptions.model_validate({"on_exit": {"command": ["x"]}})
    assert [report.feature for report in unsupported_uses(ArgoBackend(), told, options=own)] == ["on_failure"]


def test_names_of_templates_are_unique_and_start_with_a_letter():
    assert names(["1st", "step-1st", "x"]) == {"1st": "step-step-1st", "step-1st": "step-1st", "x": "x"}
    spec = spec_of(pipeline(step("p"), step("on-exit"), step("2nd", "p")), on_exit={"command": ["x"]})
    found = [item["name"] for item in spec["templates"]]
    assert len(set(found)) == len(found)
    assert spec["entrypoint"] == "p-dag"
    assert tasks(spec)["step-2nd"]["arguments"]["artifacts"][0]["from"] == "{{tasks.p.outputs.artifacts.dataset}}"
    assert all(re.fullmatch(r"[a-z][-a-z0-9]*", name) for name in found)


def test_other_options_find_their_fields():
    spec = spec_of(
        DIAMOND,
        image_pull_policy="Always",
        image_pull_secrets=["registry"],
        priority_class="batch",
        node_selector={"pool": "large"},
        affinity={"nodeAffinity": {}},
        ttl={"success": "1h", "failure": None},
        pod_gc=None,
        artifact_gc={"strategy": "OnWorkflowDeletion", "service_account": "gc"},
        archive_logs=True,
        synchronization={"mutexes": [{"name": "one"}], "semaphores": [{"config_map": "locks", "key": "rag"}]},
        pod_spec_patch={"containers": [{"name": "main", "tty": True}]},
        env_from=[{"secret": "all", "prefix": "X_"}],
        service_account="rag",
        artifacts={"repository": {"config_map": "repositories", "key": "team"}, "archive": "tar"},
    )
    assert spec["imagePullSecrets"] == [{"name": "registry"}]
    assert spec["podPriorityClassName"] == "batch"
    assert spec["nodeSelector"] == {"pool": "large"}
    assert spec["affinity"] == {"nodeAffinity": {}}
    assert spec["ttlStrategy"] == {"secondsAfterSuccess": 3600}
    assert "podGC" not in spec
    assert spec["artifactGC"] == {"strategy": "OnWorkflowDeletion", "serviceAccountName": "gc"}
    assert spec["archiveLogs"] is True
    assert spec["artifactRepositoryRef"] == {"configMap": "repositories", "key": "team"}
    assert spec["synchronization"] == {
        "mutexes": [{"name": "one"}],
        "semaphores": [{"configMapKeyRef": {"name": "locks", "key": "rag"}}],
    }
    defaults = spec["templateDefaults"]
    assert yaml.safe_load(defaults["podSpecPatch"]) == {"containers": [{"name": "main", "tty": True}]}
    container = defaults["container"]
    assert container["imagePullPolicy"] == "Always"
    assert container["envFrom"] == [{"prefix": "X_", "secretRef": {"name": "all"}}]
    assert spec["serviceAccountName"] == "rag"
    results = template(spec, "join")["outputs"]["artifacts"][0]
    assert results["artifactGC"] == {"strategy": "Never"}
    assert "artifactGC" not in template(spec, "words")["outputs"]["artifacts"][0]


def test_volumes_are_mounted_by_all_steps_or_by_some():
    volumes = [
        {"name": "cache", "mount_path": "/cache", "claim": {"name": "tokenizers"}},
        {"name": "settings", "mount_path": "/etc/acme", "config_map": {"name": "acme"}, "steps": ["join"]},
    ]
    spec = spec_of(DIAMOND, volumes=volumes)
    assert {"name": "cache", "persistentVolumeClaim": {"claimName": "tokenizers", "readOnly": True}} in spec["volumes"]
    assert {"name": "cache", "mountPath": "/cache", "readOnly": True} in spec["templateDefaults"]["container"][
        "volumeMounts"
    ]
    assert template(spec, "join")["container"]["volumeMounts"] == [
        {"name": "settings", "mountPath": "/etc/acme", "readOnly": True}
    ]
    assert "volumeMounts" not in template(spec, "words")["container"]


def test_an_empty_folder_can_be_filled():
    volume = {"name": "scratch", "mount_path": "/scratch", "empty_dir": {}}
    (mounted,) = spec_of(DIAMOND, volumes=[volume])["templateDefaults"]["container"]["volumeMounts"][2:]
    assert mounted == {"name": "scratch", "mountPath": "/scratch"}
    kept = spec_of(DIAMOND, volumes=[volume | {"read_only": True}])["templateDefaults"]["container"]["volumeMounts"][2]
    assert kept["readOnly"] is True


def test_what_tells_of_a_failure_asks_for_what_a_quota_wants_and_ends():
    told = {"on_failure": OnFailure(webhook="https://chat.example")}
    steps = [
        step("a", resources=Resources(cpu="2", memory="4Gi"), limits=Limits(memory="4Gi")),
        step("b", "a", resources=Resources(cpu="2", memory="4Gi"), limits=Limits(memory="4Gi")),
    ]
    spec = spec_of(pipeline(*[one.model_copy(update={"timeout": 60}) for one in steps]).model_copy(update=told))
    notify = template(spec, "notify")
    assert notify["activeDeadlineSeconds"] == 600
    assert notify["container"]["resources"] == {
        "requests": {"cpu": "100m", "memory": "128Mi"},
        "limits": {"memory": "256Mi"},
    }
    assert spec["templateDefaults"]["activeDeadlineSeconds"] == 60
    assert spec["templateDefaults"]["container"]["resources"]["limits"] == {"memory": "4Gi"}
    without = spec_of(pipeline(step("a"), step("b", "a")).model_copy(update=told))
    assert "resources" not in template(without, "notify")["container"]


def test_the_exit_handler_asks_for_what_a_quota_wants():
    handler = {"command": ["x"], "resources": {"cpu": "100m", "memory": "64Mi"}, "limits": {"memory": "64Mi"}}
    container = template(spec_of(DIAMOND, on_exit=handler), "notify")["container"]
    assert container["resources"] == {"requests": {"cpu": "100m", "memory": "64Mi"}, "limits": {"memory": "64Mi"}}
    assert "resources" not in template(spec_of(DIAMOND, on_exit={"command": ["x"]}), "notify")["container"]


def test_a_run_that_hangs_ends_and_does_not_keep_others_away():
    assert spec_of(DIAMOND)["activeDeadlineSeconds"] == 86400
    assert spec_of(DIAMOND, active_deadline="2h")["activeDeadlineSeconds"] == 7200
    assert spec_of(DIAMOND.model_copy(update={"timeout": 60}))["activeDeadlineSeconds"] == 60
    assert "activeDeadlineSeconds" not in spec_of(DIAMOND, active_deadline=None)


@pytest.mark.parametrize(
    ("body", "options", "said", "advice"),
    [
        (pipeline(step("words"), name="x" * 60), {}, "has 60 characters; at most 57", "targets.argo.name"),
        (
            pipeline(step("words"), name="x" * 53, schedule=Schedule(cron="@daily")), {},
            "has 53 characters; at most 52", "targets.argo.name",
        ),
        (
            pipeline(step("words")).model_copy(update={"name": "My_Pipe"}), {},
            "is not a Kubernetes name", "targets.argo.name: my-pipe",
        ),
        (pipeline(step("words"), image=None), {}, "has no image", "image:"),
        (
            pipeline(step("words", settings=(Setting(name="A", variable="WORDS__A", required=True),))), {},
            "needs the setting A", "steps.words.settings",
        ),
        (
            pipeline(step("words", settings=(Setting(name="A", variable="WORDS__A", required=True, secret=True),))), {},
            "needs the secret A", "steps.words.secrets",
        ),
        (pipeline(step("words"), secrets={"A": SecretRef(name="kv/A", key="k")}), {}, "'kv/A'", "Secret's name"),
        (pipeline(*(step(f"s{number}") for number in range(2000))), {}, "MAX_WORKFLOW_SIZE", "max_workflow_size"),
        (pipeline(*(step(f"s{number}") for number in range(40_000))), {}, "make 202 parts", "split the pipeline"),
        (
            pipeline(*(step(f"s{number}") for number in range(200)), name="p" * 57), {}, "at most 56",
            "targets.argo.name",
        ),
        (pipeline(step("words"), annotations={"a": "{{x}}"}), {}, "contains '{{'", "remove it"),
        (pipeline(step("words", env={"WURZEL_BRACE": "x"})), {}, "'words' sets WURZEL_BRACE", "another name"),
        (pipeline(step("words"), data_dir="d$(x)"), {}, "'d$(x)'", "plainer"),
        (
            pipeline(step("words"), schedule=Schedule(cron="@daily", concurrency="allow")),
            {"artifacts": {"volume": {"name": "v", "per_run": False}}}, "two concurrent runs", "forbid",
        ),
        (
            pipeline(step("words")), {"artifacts": {"volume": {"size": "1Gi", "per_run": False}}},
            "nothing to share", "name",
        ),
        (
            pipeline(step("words")), {"volumes": [{"name": "data", "mount_path": "/x", "empty_dir": {}}]},
            "is the name of the volume for the datasets", "another name",
        ),
        (
            pipeline(step("words")),
            {"volumes": [{"name": "v", "mount_path": "/x", "empty_dir": {}, "steps": ["word"]}]},
            "'word', which does not exist", "Did you mean words?",
        ),
        (pipeline(step("words"), schedule=Schedule(cron="@daily", deadline=5)), {}, "every 10 s", "deadline: 10m"),
        (
            pipeline(step("words")), {"volumes": [{"name": "v", "mount_path": "/wurzel/data/words", "empty_dir": {}}]},
            "inside the folder of the datasets", "elsewhere",
        ),
    ],
)  # fmt: skip
def test_what_cannot_run_is_refused_with_a_way_out(body, options, said, advice):
    (problem,) = problems(body, **options)
    assert said in problem
    assert advice in problem


def test_a_required_setting_is_fed_by_a_secret_under_either_name():
    needed = Setting(name="A__B", variable="MY_WORDS__A__B", required=True)
    for variable in ("MY_WORDS__A__B", "MYWORDS__A__B", "MY_WORDS__A"):
        body = pipeline(
            step("my-words", settings=(needed,), secrets={variable: SecretRef(name="s", key="k")}), name="p"
        )
        assert problems(body) == []


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"artifacts": {"s3": {}}}, "bucket"),
        ({"artifacts": {"s3": {"bucket": "s3://acme"}}}, "is not a bucket"),
        ({"artifacts": {"s3": {"bucket": "acme", "endpoint": "https://minio"}}}, "is a URL"),
        ({"artifacts": {"s3": {"bucket": "acme", "access_key": {"name": "a", "key": "b"}}}}, "give both"),
        ({"artifacts": {"s3": {"bucket": "acme"}, "gcs": {"bucket": "acme"}}}, "give one of"),
        ({"artifacts": {"azure": {"endpoint": "acme", "container": "data"}}}, "is not a URL"),
        ({"version": "3.5"}, "is not a supported version"),
        ({"volumes": [{"name": "v", "mount_path": "x", "empty_dir": {}}]}, "is not a mount path"),
        ({"volumes": [{"name": "v", "mount_path": "/x/../y", "empty_dir": {}}]}, "is not a mount path"),
        ({"volumes": [{"name": "v", "mount_path": "/x"}]}, "give one of"),
        ({"volumes": [{"name": "v", "mount_path": "/x", "sub_path": "../y", "empty_dir": {}}]}, "within a volume"),
        ({"volumes": [{"name": "v", "mount_path": "/x", "sub_path": "/y", "empty_dir": {}}]}, "within a volume"),
        ({"artifacts": {"s3": {"bucket": "acme", "endpoint": "minio:9000/data"}}}, "is not host:port"),
        ({"pod_spec_patch": "containers: ["}, "is not valid YAML"),
        ({"pod_spec_patch": "containers"}, "is not a mapping"),
        ({"on_exit": {"command": []}}, "at least 1 item"),
        ({"artefacts": {}}, "Extra inputs"),
    ],
)
def test_options_that_make_no_sense_are_refused(options, said):
    with pytest.raises(ValidationError, match=said):
        ArgoOptions.model_validate(options)


def test_a_version_may_be_written_as_a_number():
    assert ArgoOptions.model_validate({"version": 3.6}).version == "3.6"


LARGE = pipeline(step("first"), *(step(f"s{number}", "first") for number in range(199)), name="1large")


def test_a_pipeline_of_more_than_199_steps_is_written_in_parts():
    files = render_texts(LARGE, "argo", ArgoOptions.model_validate({"output": "out/flow.yml"}))
    assert list(files) == ["out/flow.yml", "out/flow-part-1.yml", "out/flow-part-2.yml"]
    main, one, two = (yaml.safe_load(text) for text in files.values())
    assert (main["kind"], one["kind"], two["kind"]) == ("Workflow", "WorkflowTemplate", "WorkflowTemplate")
    (dag,) = main["spec"]["templates"]
    assert dag["dag"]["tasks"] == [
        {"name": "part-1", "templateRef": {"name": "1large-part-1", "template": "part-1"}},
        {
            "name": "part-2",
            "templateRef": {"name": "1large-part-2", "template": "part-2"},
            "depends": "part-1",
            "arguments": {"artifacts": [{"name": "first", "from": "{{tasks.part-1.outputs.artifacts.first}}"}]},
        },
    ]
    assert [len(part["spec"]["templates"]) for part in (one, two)] == [200, 2]
    assert one["spec"]["templates"][0]["outputs"] == {
        "artifacts": [{"name": "first", "from": "{{tasks.first.outputs.artifacts.dataset}}"}]
    }
    last = two["spec"]["templates"][0]
    assert last["inputs"] == {"artifacts": [{"name": "first"}]}
    (task,) = last["dag"]["tasks"]
    assert "depends" not in task
    assert task["arguments"] == {"artifacts": [{"name": "first", "from": "{{inputs.artifacts.first}}"}]}


def test_parts_say_nothing_of_a_run():
    """A run takes limits, locks and clean-up from the workflow; what a part said of them would mislead."""
    options = ArgoOptions.model_validate(
        {
            "artifact_gc": {},
            "artifacts": {"archive": "tar"},
            "synchronization": {"mutexes": [{"name": "m"}]},
            "on_exit": {"command": ["x"]},
            "pod_gc": "OnPodSuccess",
        }
    )
    body = LARGE.model_copy(update={"timeout": 60, "parallelism": 3})
    main, *parts = (yaml.safe_load(text) for text in render_texts(body, "argo", options).values())
    run = {
        "entrypoint", "activeDeadlineSeconds", "parallelism", "ttlStrategy", "podGC", "artifactGC", "synchronization",
        "onExit",
    }  # fmt: skip
    assert run <= set(main["spec"])
    assert all(not run & set(part["spec"]) for part in parts)


def test_199_steps_fit_into_one_object():
    body = pipeline(*(step(f"s{number}") for number in range(199)))
    assert list(render_texts(body, "argo", ArgoOptions())) == ["argo/p.yaml"]
    with_handler = ArgoOptions.model_validate({"on_exit": {"command": ["x"]}})
    assert list(render_texts(body, "argo", with_handler)) == ["argo/p.yaml", "argo/p-part-1.yaml"]


def test_a_step_may_be_called_like_a_part():
    body = pipeline(*(step(f"part-{number}") for number in range(200)))
    _, one, _ = (yaml.safe_load(text) for text in render_texts(body, "argo", ArgoOptions()).values())
    found = [item["name"] for item in one["spec"]["templates"]]
    assert len(set(found)) == len(found) == 200


def test_a_refusal_comes_before_any_template():
    with pytest.raises(PreflightError):
        render_texts(pipeline(step("words"), image=None), "argo")


@pytest.mark.parametrize("store", ["s3", "volume"])
def test_nothing_is_dropped_in_silence(store):
    assert check_backend("argo", **STORES[store]) > 40


def test_the_output_path_can_be_changed():
    assert list(render_texts(full_pipeline(), "argo")) == ["argo/everything.yaml"]
    options = ArgoOptions(output="deploy/rag.yaml")
    assert list(render_texts(full_pipeline(), "argo", options)) == ["deploy/rag.yaml"]


# Named outputs and inputs, and slices that are counted at run time


def ported(name, needs=(), outputs=("",), inputs=(), **fields):
    """A step with named ports; `needs` are (step, output, input)."""
    return Step(
        id=name,
        run=f"steps:{name.title().replace('-', '')}",
        needs=tuple(Edge(step=before, output=output, input=given) for before, output, given in needs),
        inputs=tuple(InputPort(name=port, type=WORDS) for port in inputs),
        outputs=tuple(OutputPort(name=port, type=WORDS) for port in outputs),
        **fields,
    )


def halves(**shards):
    """A step with two outputs, a reader of one of them twice and of another step, and a reader of the other."""
    return pipeline(
        ported("read"),
        ported("cut", [("read", "", "")], ("train", "test"), [""], shards=Shards(**shards)),
        ported(
            "fit", [("cut", "train", "docs"), ("read", "", "all"), ("cut", "train", "again")], inputs=("all", "docs")
        ),
        ported("check", [("cut", "test", "")], inputs=[""]),
    )


def artifacts(spec, name, side):
    return template(spec, name)[side]["artifacts"]


@pytest.mark.parametrize("store", ["default", "s3", "gcs", "azure", "tar"])
def test_each_output_is_an_artifact_and_a_task_gets_those_it_reads(store):
    spec = spec_of(halves(), **STORES[store])
    outs = artifacts(spec, "cut", "outputs")
    assert [(out["name"], out["path"]) for out in outs] == [
        ("train-dataset", "/wurzel/data/cut/train"),
        ("test-dataset", "/wurzel/data/cut/test"),
    ]
    assert tasks(spec)["fit"]["arguments"]["artifacts"] == [
        {"name": "cut_train", "from": "{{tasks.cut.outputs.artifacts.train-dataset}}"},
        {"name": "read", "from": "{{tasks.read.outputs.artifacts.dataset}}"},
    ]
    assert [item["path"] for item in artifacts(spec, "fit", "inputs")] == [
        "/wurzel/data/cut/train",
        "/wurzel/data/read",
    ]
    words = template(spec, "fit")["container"]["args"]
    assert [value for word, value in itertools.pairwise(words) if word == "-i"] == [
        "docs=/wurzel/data/cut/train", "all=/wurzel/data/read", "again=/wurzel/data/cut/train",
    ]  # fmt: skip
    assert [item["name"] for item in tasks(spec)["check"]["arguments"]["artifacts"]] == ["cut_test"]


def test_no_key_of_an_output_begins_with_that_of_another():
    steps = (ported("read", outputs=("a", "ab", "data")), ported("ab", [("read", "a", "")], inputs=[""]))
    for store, key in (("s3", "key"), ("gcs", "key"), ("azure", "blob")):
        spec = spec_of(pipeline(*steps), **STORES[store])
        keys = [out[store][key] for name in ("read", "ab") for out in artifacts(spec, name, "outputs")]
        assert not [(one, other) for one, other in itertools.permutations(keys, 2) if one.startswith(other)]


def test_slices_of_a_fixed_number_have_an_artifact_for_each_output():
    spec = spec_of(halves(max=2))
    assert (
        artifacts(spec, "cut", "outputs")[0]["path"] == "/wurzel/data/cut/shard-{{inputs.parameters.shard}}-of-2/train"
    )
    found = tasks(spec)
    assert found["fit"]["arguments"]["artifacts"][:2] == [
        {"name": "cut_train_1", "from": "{{tasks.cut-1.outputs.artifacts.train-dataset}}"},
        {"name": "cut_train_2", "from": "{{tasks.cut-2.outputs.artifacts.train-dataset}}"},
    ]
    assert artifacts(spec, "fit", "inputs")[1]["path"] == "/wurzel/data/cut/shard-2-of-2/train"
    assert found["fit"]["depends"] == "cut-1 && cut-2 && read"


@pytest.mark.parametrize("store", ["s3", "gcs", "azure", "volume", "claims"])
def test_slices_are_counted_once_the_data_is_there(store):
    spec = spec_of(halves(items=500, max=64), **STORES[store])
    found = tasks(spec)
    assert found["cut"]["depends"] == "read"
    assert found["cut"]["withParam"] == "{{tasks.read.outputs.parameters.slices}}"
    assert found["cut"]["arguments"]["parameters"] == [{"name": "shard", "value": "{{item}}"}]
    maker = template(spec, "read")
    assert maker["outputs"]["parameters"] == [{"name": "slices", "valueFrom": {"path": "/tmp/slices.json"}}]
    assert maker["container"]["args"] == ["--only", "read", "--slices", "cut=/tmp/slices.json"]
    assert template(spec, "cut")["container"]["args"] == ["--only", "cut", "--shard", "{{inputs.parameters.shard}}"]
    if store in {"s3", "gcs", "azure"}:
        out = artifacts(spec, "cut", "outputs")[0]
        folder = "shard-{{=replace(inputs.parameters.shard, '/', '-of-')}}"
        assert out["path"] == f"/wurzel/data/cut/{folder}/train"
        assert f"cut/train/data/{folder}" in str(out[store])
        assert artifacts(spec, "fit", "inputs")[0]["path"] == "/wurzel/data/cut/train"


def test_slices_with_an_artifact_each_are_always_the_most():
    spec = spec_of(halves(items=500, max=3))
    assert [name for name in tasks(spec) if name.startswith("cut")] == ["cut-1", "cut-2", "cut-3"]


def test_what_counts_slices_needs_no_secret_and_no_gpu():
    needs, resources = [("read", "", ""), ("more", "", "")], Resources(cpu="1", gpu=1)
    busy = ported(
        "cut", needs, inputs=[""], shards=Shards(items=5, max=2), resources=resources,
        secrets={"TOKEN": SecretRef(name="a", key="b")}, polls=True, when=True, description="Cuts.",
    )  # fmt: skip
    whole = pipeline(ported("read"), ported("more"), busy)
    (text_of,) = render_texts(whole, "argo", ArgoOptions.model_validate(S3)).values()
    counter = template(yaml.safe_load(text_of)["spec"], "cut-slices")["container"]
    assert "env" not in counter
    assert counter["resources"] == {"requests": {"cpu": "1"}}
    assert text_of.count("# Cuts.") == 1
    assert "# Counts the slices of cut: 5 items each, at most 2 slices.\n    - name: cut-slices" in text_of


def test_names_and_parts_leave_room_for_what_counts_slices():
    shards = Shards(items=5, max=2)
    steps = [ported("read"), *(ported(f"s{n}", [("read", "", "")], inputs=[""], shards=shards) for n in range(100))]
    main, *parts = render_texts(pipeline(*steps), "argo", ArgoOptions.model_validate(S3)).values()
    assert len(parts) == 2
    for part in map(yaml.safe_load, parts):
        assert len(part["spec"]["templates"]) <= 200
    assert "part-2" in main
    both = ported("cut", [("read", "", ""), ("cut-slices", "", "")], inputs=[""], shards=shards)
    names_of = tasks(spec_of(pipeline(ported("read"), ported("cut-slices"), both), **S3))
    assert {"cut-slices", "cut-slices-dag"} <= set(names_of)


def test_parts_hand_over_single_outputs():
    first = ported("first", outputs=("a", "b"))
    rest = [ported(f"s{n}", [("first", "a", "")], inputs=[""]) for n in range(250)]
    main, one, two = map(
        yaml.safe_load, render_texts(pipeline(first, *rest), "argo", ArgoOptions.model_validate({})).values()
    )
    dag = one["spec"]["templates"][0]
    assert dag["outputs"] == {"artifacts": [{"name": "first_a", "from": "{{tasks.first.outputs.artifacts.a-dataset}}"}]}
    assert two["spec"]["templates"][0]["inputs"] == {"artifacts": [{"name": "first_a"}]}
    call = main["spec"]["templates"][0]["dag"]["tasks"][1]
    assert call["arguments"] == {
        "artifacts": [{"name": "first_a", "from": "{{tasks.part-1.outputs.artifacts.first_a}}"}]
    }
