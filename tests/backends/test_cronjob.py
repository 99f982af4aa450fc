"""What the cronjob backend writes, read back as Kubernetes reads it."""

import base64
import bz2
import gzip
import json
import re
from hashlib import sha256

import pytest
import yaml
from pydantic import ValidationError

from tests.plain import WORDS, plain_step
from wurzel.backends.cronjob import CronJobBackend
from wurzel.backends.cronjob.options import CronJobOptions
from wurzel.backends.kubernetes import escape
from wurzel.backends.support import unsupported_uses
from wurzel.exceptions import PipelineError, PreflightError
from wurzel.ir.model import OnFailure, Pipeline, Retry, SecretRef, Setting, Store
from wurzel.ir.pods import ClaimVolume, EmptyDir, EnvFrom, Resources, Toleration, Volume
from wurzel.ir.quantity import amount, largest
from wurzel.ir.schedule import Schedule
from wurzel.ir.serialize import dump_for_jobs, load
from wurzel.testing import check_backend, check_files, full_pipeline, render_texts

NIGHTLY = Schedule(cron="0 4 * * *", timezone="Europe/Berlin")


def step(name, *needs, **fields):
    return plain_step(id=name, run=f"steps:{name.title().replace('-', '')}", needs=needs, output=WORDS, **fields)


def pipeline(*steps, **fields):
    return Pipeline(**{"name": "p", "image": "acme/p:1", "entrypoint": "pipes:p", "steps": steps, **fields})


def render(what, **options):
    texts = render_texts(what, "cronjob", CronJobOptions.model_validate(options))
    return [item for body in texts.values() for item in yaml.safe_load_all(body)]


def job_of(what, **options):
    (manifest,) = [item for item in render(what, **options) if item["kind"] in {"Job", "CronJob"}]
    return manifest["spec"].get("jobTemplate", manifest)["spec"]


def pod_of(what, **options):
    return job_of(what, **options)["template"]["spec"]


def problems(what, **options):
    return [str(item) for item in CronJobBackend().preflight(what, CronJobOptions.model_validate(options))]


ALIKE = pipeline(step("words"), step("upper", "words"), step("reverse", "words"), step("join", "upper", "reverse"))
UNLIKE = pipeline(step("words"), step("embed", "words", image="acme/embed:2", resources=Resources(memory="8Gi")))


def test_a_schedule_makes_a_cronjob_that_loses_no_run_and_starts_none_twice():
    (cron,) = render(UNLIKE.model_copy(update={"schedule": NIGHTLY}))
    assert cron["kind"] == "CronJob"
    spec = {key: value for key, value in cron["spec"].items() if key != "jobTemplate"}
    assert spec == {
        "schedule": "0 4 * * *",
        "timeZone": "Europe/Berlin",
        "concurrencyPolicy": "Forbid",
        "startingDeadlineSeconds": 3600,
        "successfulJobsHistoryLimit": 3,
        "failedJobsHistoryLimit": 3,
    }
    assert cron["spec"]["jobTemplate"]["metadata"]["labels"] == cron["metadata"]["labels"]


def test_without_a_schedule_there_is_a_job():
    (job,) = render(UNLIKE)
    assert job["kind"] == "Job"
    assert job["metadata"]["name"] == "p"


def test_a_job_ends_and_goes_away_and_does_not_repeat_a_wrong_configuration():
    job = job_of(ALIKE)
    assert job["activeDeadlineSeconds"] == 86400
    assert job["backoffLimit"] == 1
    assert job["ttlSecondsAfterFinished"] == 3 * 86400
    assert job["podFailurePolicy"]["rules"] == [
        {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]},
        {"action": "FailJob", "onExitCodes": {"operator": "In", "values": [2, 3]}},
    ]
    assert job["template"]["spec"]["restartPolicy"] == "Never"
    late = job_of(ALIKE.model_copy(update={"timeout": 60}), ttl=None, backoff_limit=0)
    assert late["activeDeadlineSeconds"] == 60
    assert late["backoffLimit"] == 0
    assert "ttlSecondsAfterFinished" not in late


@pytest.mark.parametrize("layout", ["single", "auto"])
def test_steps_that_are_alike_share_a_container(layout):
    pod = pod_of(ALIKE, layout=layout)
    assert "initContainers" not in pod
    (container,) = pod["containers"]
    assert container["command"] == ["wurzel", "run", "--from-ir", "/etc/wurzel/pipeline.json"]
    assert container["args"] == ["-j", "2", "--data-dir", "/wurzel/data", "--state-dir", "/wurzel/.wurzel"]


def test_steps_that_differ_get_containers_of_their_own_in_order():
    pod = pod_of(UNLIKE)
    (first,), (last,) = pod["initContainers"], pod["containers"]
    assert (first["name"], first["image"]) == ("words", "acme/p:1")
    assert (last["name"], last["image"]) == ("embed", "acme/embed:2")
    assert last["resources"] == {"requests": {"memory": "8Gi"}}
    assert last["args"] == [
        "step", "steps:Embed", "--id", "embed", "-i", "/wurzel/data/words", "-o", "/wurzel/data/embed",
    ]  # fmt: skip


FORKED = (step("words"), step("a", "words"), step("b", "words"), step("join", "a", "b", image="acme/q:1"))


def containers(body, **options):
    pod = pod_of(body, **options)
    return [*pod.get("initContainers", []), *pod["containers"]]


def ran(body, **options):
    """Name, image and `--only` of each container that `wurzel run` runs in."""
    found = []
    for container in containers(body, **options):
        args = container["args"]
        only = args[args.index("--only") + 1] if "--only" in args else ""
        found.append((container["name"], container["image"], only))
    return found


def test_layouts_are_containers_of_one_pod():
    assert [container["name"] for container in containers(pipeline(*FORKED))] == ["words", "a", "b", "join"]
    assert ran(pipeline(*FORKED), layout="auto") == [
        ("words-b", "acme/p:1", "words,a,b"),
        ("join", "acme/q:1", "join"),
    ]
    assert ran(ALIKE, layout="single") == [("p", "acme/p:1", "")]
    with pytest.raises(PreflightError, match="steps 'words' and 'join' into one job, but their image differs"):
        render(pipeline(*FORKED), layout="single")


def test_a_group_is_one_container():
    steps = (*FORKED[:1], *(one.model_copy(update={"group": "g"}) for one in FORKED[1:3]), FORKED[3])
    assert ran(pipeline(*steps)) == [
        ("words", "acme/p:1", "words"),
        ("g", "acme/p:1", "a,b"),
        ("join", "acme/q:1", "join"),
    ]
    assert [item["kind"] for item in render(pipeline(*steps))] == ["ConfigMap", "Job"]


def test_a_container_of_several_steps_has_only_their_secrets():
    one, other = ({name: SecretRef(name="s", key=name.lower())} for name in "AB")
    body = pipeline(step("words", secrets=one), step("a", "words"), step("b", "a", image="acme/q:1", secrets=other))
    names = [[entry["name"] for entry in container["env"]] for container in containers(body, layout="auto")]
    assert [sorted({"A", "B"} & set(found)) for found in names] == [["A"], ["B"]]


def test_pods_satisfy_the_restricted_standard_and_have_no_token():
    for body in (ALIKE, UNLIKE):
        pod = pod_of(body)
        assert pod["automountServiceAccountToken"] is False
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["terminationGracePeriodSeconds"] == 30
        for container in [*pod.get("initContainers", []), *pod["containers"]]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            writable = [mount["mountPath"] for mount in container["volumeMounts"] if not mount.get("readOnly")]
            assert writable == ["/wurzel", "/tmp"]


def test_one_container_is_given_the_pipeline_as_it_was_resolved():
    body = pipeline(step("words", env={"ONLY": "1"}), step("embed", "words", retry=Retry(limit=2)), env={"ALL": "2"})
    described, job = render(body, layout="single")
    assert described["kind"] == "ConfigMap"
    assert described["data"]["pipeline.json"] == dump_for_jobs(body)
    pod = job["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    (volume,) = [item for item in pod["volumes"] if item["name"] == "pipeline"]
    name = described["metadata"]["name"]
    assert (volume["configMap"]["name"], described["immutable"]) == (name, True)
    assert re.fullmatch(r"p-pipeline-[0-9a-f]{10}", name)
    assert render(body, layout="single", backoff_limit=3)[0]["metadata"]["name"] == name
    other = body.model_copy(update={"env": {"ALL": "3"}})
    assert render(other, layout="single")[0]["metadata"]["name"] != name
    (mount,) = [item for item in container["volumeMounts"] if item["name"] == "pipeline"]
    assert f"{mount['mountPath']}/pipeline.json" == container["command"][3]
    assert not [item for item in render(UNLIKE) if item["kind"] == "ConfigMap"]
    told = body.model_copy(update={"description": "Told otherwise."})
    assert render(told, layout="single")[0]["metadata"]["name"] == name  # a new docstring changes no other file


def test_a_large_pipeline_is_compressed(tmp_path):
    """A ConfigMap has at most 1 MiB, and text has no room there beside its form in YAML."""
    body = pipeline(*(step(f"s{number}", env={"A": "x" * 90_000}) for number in range(11)))
    described, job = render(body, layout="single")
    (container,) = job["spec"]["template"]["spec"]["containers"]
    assert container["command"][3] == "/etc/wurzel/pipeline.json.bz2"
    assert set(described) >= {"binaryData"}
    assert "data" not in described
    file = tmp_path / "pipeline.json.bz2"
    file.write_bytes(base64.b64decode(described["binaryData"]["pipeline.json.bz2"]))
    assert dump_for_jobs(load(file)) == dump_for_jobs(body)
    file.write_bytes(file.read_bytes()[:-20])
    with pytest.raises(PipelineError, match="ends too early"):
        load(file)
    file.write_bytes(gzip.compress(dump_for_jobs(body).encode()))  # as people compress files
    assert dump_for_jobs(load(file)) == dump_for_jobs(body)


def test_a_pipeline_is_compressed_to_the_same_bytes_by_every_python():
    """Those of gzip depend on the zlib, or zlib-ng, that Python was built with."""
    text = "".join(map(str, range(200_000))).encode()
    assert sha256(bz2.compress(text)).hexdigest().startswith("2b9d146b646346b1")


def test_one_container_has_room_for_all_that_run_at_one_time():
    body = pipeline(
        step("words"),
        step("a", "words", resources=Resources(cpu="500m", memory="1.5Gi", gpu=1, hugepages={"2Mi": "4Mi"})),
        step("b", "words", resources=Resources(cpu="1", memory="1Gi", gpu={"a/b": 2})),
    )
    (container,) = pod_of(body, layout="single")["containers"]
    assert container["resources"] == {
        "requests": {"cpu": "1500m", "memory": "2560Mi"},
        "limits": {"a/b": "2", "nvidia.com/gpu": "1", "hugepages-2Mi": "4Mi"},
    }
    assert container["args"][:2] == ["-j", "2"]
    (container,) = pod_of(body.model_copy(update={"parallelism": 1}), layout="single")["containers"]
    assert container["resources"]["requests"] == {"cpu": "1", "memory": "1.5Gi"}
    assert container["args"][:2] == ["-j", "1"]


def test_a_chain_of_containers_retries_and_fans_out_within_them():
    body = pipeline(
        step("words"), step("embed", "words", image="acme/e:1", retry=Retry(limit=2, backoff=5), timeout=60, shards=3)
    )
    (container,) = pod_of(body)["containers"]
    assert container["args"][-8:] == ["--retries", "2", "--backoff", "5s", "--timeout", "1m", "--shards", "3"]


def test_a_container_of_several_slices_says_how_many_run_at_one_time():
    body = pipeline(step("words"), step("embed", "words", shards=3), store=Store(**STORE))
    first, last = containers(body)
    assert first["args"][:2] == ["--only", "words"]
    assert last["args"][:4] == ["-j", "3", "--only", "embed"]
    assert containers(body.model_copy(update={"parallelism": 1}))[1]["args"][:2] == ["-j", "1"]


def test_what_containers_have_in_common_is_written_once():
    def text(**options):
        return "".join(render_texts(ALIKE, "cronjob", CronJobOptions.model_validate(options)).values())

    short, long = text(), text(anchors=False)
    assert yaml.safe_load(short) == yaml.safe_load(long)
    assert (short.count("volumeMounts: *volume-mounts"), long.count("*")) == (len(ALIKE.steps) - 1, 0)
    env = {"env": {"+": [{"name": "LAST", "value": "1"}]}}
    patched = text(patch={"spec": {"template": {"spec": {"containers": {"join": env}}}}})
    pod = yaml.safe_load(patched)["spec"]["template"]["spec"]
    names = [[item["name"] for item in one["env"]] for one in (*pod["initContainers"], *pod["containers"])]
    assert names == [["WURZEL_RUN_ID"]] * 3 + [["WURZEL_RUN_ID", "LAST"]]


def test_a_container_has_room_for_all_slices_of_its_step():
    body = pipeline(step("words"), step("embed", "words", resources=Resources(cpu="500m", gpu=1), shards=3))
    assert containers(body)[1]["resources"] == {"requests": {"cpu": "1500m"}, "limits": {"nvidia.com/gpu": "3"}}


def test_every_container_knows_the_run():
    env = pod_of(UNLIKE)["containers"][0]["env"]
    assert env[0] == {
        "name": "WURZEL_RUN_ID",
        "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['batch.kubernetes.io/controller-uid']"}},
    }
    own = pod_of(UNLIKE.model_copy(update={"env": {"WURZEL_RUN_ID": "mine"}}))["containers"][0]["env"]
    assert own == [{"name": "WURZEL_RUN_ID", "value": "mine"}]


def test_secrets_are_references():
    body = pipeline(
        step("words", secrets={"A": SecretRef(name="s", key="k")}), secrets={"B": SecretRef(name="t", key="l")}
    )
    for layout in ("single", "steps"):
        env = pod_of(body, layout=layout)["containers"][0]["env"]
        assert {"name": "A", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}} in env
        assert {"name": "B", "valueFrom": {"secretKeyRef": {"name": "t", "key": "l"}}} in env


def test_text_is_not_expanded_by_the_kubelet():
    assert [escape(item) for item in ("", "$", "$$", "$(A)", "$A ${B}")] == ["", "$", "$$$", "$$(A)", "$A ${B}"]


@pytest.mark.parametrize(
    ("data", "source"),
    [
        ({}, {"emptyDir": {}}),
        ({"empty_dir": {"size": "1Gi", "memory": True}}, {"emptyDir": {"medium": "Memory", "sizeLimit": "1Gi"}}),
        ({"claim": {"name": "shared"}}, {"persistentVolumeClaim": {"claimName": "shared"}}),
        ({"claim": {"size": "1Gi"}}, {"persistentVolumeClaim": {"claimName": "p-data"}}),
        (
            {"ephemeral": {"size": "1Gi", "storage_class": "fast"}},
            {
                "ephemeral": {
                    "volumeClaimTemplate": {
                        "spec": {
                            "accessModes": ["ReadWriteOnce"],
                            "storageClassName": "fast",
                            "resources": {"requests": {"storage": "1Gi"}},
                        }
                    }
                }
            },
        ),
    ],
)
def test_data_is_kept_where_the_option_says(data, source):
    assert pod_of(ALIKE, data=data)["volumes"][0] == {"name": "data", **source}


def test_a_claim_lets_the_next_pod_go_on():
    data = {"claim": {"name": "shared"}}
    (container,) = pod_of(ALIKE, data=data)["containers"]
    assert container["volumeMounts"][0] == {"name": "data", "mountPath": "/wurzel", "subPath": "p"}
    for container in pod_of(UNLIKE, data=data)["initContainers"]:
        assert container["args"][-2:] == ["--once", "$(WURZEL_RUN_ID)"]
    assert "--once" not in pod_of(UNLIKE)["initContainers"][0]["args"]


def test_companions_stand_beside_the_cronjob():
    companions = {"service_account": True, "network_policy": True}
    options = {"layout": "single", "data": {"claim": {"size": "1Gi"}}, "companions": companions}
    found = {item["kind"]: item for item in render(ALIKE, **options)}
    assert list(found) == ["ConfigMap", "PersistentVolumeClaim", "ServiceAccount", "NetworkPolicy", "Job"]
    assert found["PersistentVolumeClaim"]["metadata"]["name"] == "p-data"
    assert found["ServiceAccount"]["automountServiceAccountToken"] is False
    pod = found["Job"]["spec"]["template"]
    assert pod["spec"]["serviceAccountName"] == found["ServiceAccount"]["metadata"]["name"] == "p"
    selected = found["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"]
    assert selected.items() <= pod["metadata"]["labels"].items()
    assert found["NetworkPolicy"]["spec"]["policyTypes"] == ["Ingress"]
    assert "ingress" not in found["NetworkPolicy"]["spec"]


def test_a_kustomize_folder_lists_its_files():
    options = CronJobOptions.model_validate(
        {
            "manifests": "kustomize",
            "layout": "single",
            "data": {"claim": {"size": "1Gi"}},
            "companions": {"network_policy": True},
        }
    )
    texts = render_texts(ALIKE, "cronjob", options)
    resources = yaml.safe_load(texts["cronjob/p/kustomization.yaml"])["resources"]
    assert {f"cronjob/p/{name}" for name in resources} == set(texts) - {"cronjob/p/kustomization.yaml"}
    assert {yaml.safe_load(body)["kind"] for body in texts.values()} == {
        "Kustomization", "Job", "ConfigMap", "PersistentVolumeClaim", "NetworkPolicy",
    }  # fmt: skip


def test_a_pod_gets_what_all_its_steps_ask_for():
    gpu = Toleration(key="gpu", operator="Exists")
    body = pipeline(
        step("words", node_selector={"a": "1"}, tolerations=(gpu,), labels={"x": "1"}),
        step("join", "words", node_selector={"b": "2"}, tolerations=(gpu,), annotations={"note": "{{ kept }}"}),
    )
    pod = pod_of(body)
    assert pod["nodeSelector"] == {"a": "1", "b": "2"}
    assert pod["tolerations"] == [{"key": "gpu", "operator": "Exists"}]
    metadata = job_of(body)["template"]["metadata"]
    assert metadata["labels"]["x"] == "1"
    assert metadata["annotations"] == {"note": "{{ kept }}"}


MODELS = {"name": "models", "claim": ClaimVolume(name="models")}
CACHE = Volume(name="cache", mount_path="/cache", empty_dir=EmptyDir(size="1Gi"))


def test_volumes_variables_and_priority_of_steps():
    one, other = Volume(**MODELS, mount_path="/models"), Volume(**MODELS, mount_path="/m", sub_path="de")
    source = EnvFrom(secret="keys", prefix="K_")
    pod = pod_of(
        pipeline(
            step("words", volumes=(one, CACHE), priority="batch"),
            step("join", "words", volumes=(other,), env_from=(source,)),
        ),
        env_from=[{"config_map": "all"}],
        priority_class="low",
    )
    assert pod["priorityClassName"] == "batch"
    assert [volume for volume in pod["volumes"] if volume["name"] in {"models", "cache"}] == [
        {"name": "models", "persistentVolumeClaim": {"claimName": "models", "readOnly": True}},
        {"name": "cache", "emptyDir": {"sizeLimit": "1Gi"}},
    ]
    (words,), (join,) = pod["initContainers"], pod["containers"]
    assert words["volumeMounts"][2:] == [
        {"name": "models", "mountPath": "/models", "readOnly": True},
        {"name": "cache", "mountPath": "/cache"},
    ]
    assert join["volumeMounts"][2:] == [{"name": "models", "mountPath": "/m", "subPath": "de", "readOnly": True}]
    everything = {"configMapRef": {"name": "all"}}
    assert (words["envFrom"], join["envFrom"]) == (
        [everything],
        [everything, {"prefix": "K_", "secretRef": {"name": "keys"}}],
    )


def test_steps_of_one_pod_agree_on_volumes_and_priority():
    other = Volume(name="cache", mount_path="/other", claim=ClaimVolume(name="cache"))
    body = pipeline(
        step("words", volumes=(CACHE, CACHE.model_copy(update={"name": "again"})), priority="high"),
        step("join", "words", volumes=(other,), priority="low"),
    )
    assert [line.partition("\n")[0] for line in problems(body)] == [
        "steps.words.volumes: 'again' is mounted at /cache, where another entry, 'cache' is",
        "steps.join.volumes: 'cache' is the name of the volume for another entry, 'cache'",
        "steps differ in `priority`: high for 'words' and low for 'join', but one pod runs them all",
    ]
    listed = [{"name": "cache", "mount_path": "/x", "empty_dir": {}, "steps": ["words"]}]
    assert (
        "steps.words.volumes: 'cache' is the name"
        in problems(pipeline(step("words", volumes=(CACHE,))), volumes=listed)[0]
    )
    apart = pipeline(step("words", env_from=(EnvFrom(secret="a"),)), step("join", "words"))
    assert "but their env_from differs" in problems(apart, layout="single")[0]


def test_variables_of_unknown_names_may_feed_a_setting():
    needed = Setting(name="A", variable="WORDS__A", required=True)
    assert "needs the setting A" in problems(pipeline(step("words", settings=(needed,))))[0]
    assert not problems(pipeline(step("words", settings=(needed,), env_from=(EnvFrom(secret="a"),))))


def test_a_disruption_budget_and_a_policy_for_outgoing_traffic():
    rule = {"to": [{"ipBlock": {"cidr": "10.0.0.0/8"}}], "ports": [{"port": 443}]}
    assert "Kubernetes evicts pending pods" in problems(ALIKE, disruption_budget=True)[0]
    found = render(
        ALIKE, layout="single", disruption_budget=True, companions={"network_policy": True, "egress": [rule]}
    )
    budget, policy, job = (one for one in found if one["kind"] != "ConfigMap")
    assert (budget["kind"], budget["apiVersion"]) == ("PodDisruptionBudget", "policy/v1")
    assert budget["spec"]["minAvailable"] == 1
    labels = job["spec"]["template"]["metadata"]["labels"]
    assert budget["spec"]["selector"] == policy["spec"]["podSelector"] | {}
    assert budget["spec"]["selector"]["matchLabels"].items() <= labels.items()
    assert policy["spec"]["policyTypes"] == ["Ingress", "Egress"]
    dns = {"ports": [{"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53}]}
    assert policy["spec"]["egress"] == [dns, rule]
    assert check_files({"a.yaml": yaml.safe_dump_all(found)}) == []
    closed = render(ALIKE, companions={"network_policy": True, "egress": []})[0]
    assert closed["spec"]["egress"] == [dns]
    with pytest.raises(ValueError, match="set network_policy: true as well"):
        CronJobOptions.model_validate({"companions": {"egress": []}})


@pytest.mark.parametrize(
    ("gitops", "ttl", "annotations"),
    [
        (None, 259200, {}),
        ("flux", None, {"kustomize.toolkit.fluxcd.io/force": "enabled"}),
        (
            "argocd",
            259200,
            {"argocd.argoproj.io/hook": "Sync", "argocd.argoproj.io/hook-delete-policy": "BeforeHookCreation"},
        ),
    ],
)
def test_a_job_that_a_tool_applies_is_not_run_again_because_it_is_gone(gitops, ttl, annotations):
    (job,) = render(ALIKE, gitops=gitops)
    assert (job["spec"].get("ttlSecondsAfterFinished"), job["metadata"].get("annotations", {})) == (ttl, annotations)
    (cron,) = render(ALIKE.model_copy(update={"schedule": Schedule(cron="@daily")}), gitops=gitops)
    spec = cron["spec"]["jobTemplate"]["spec"]
    assert (spec["ttlSecondsAfterFinished"], "annotations" in cron["metadata"]) == (259200, False)


@pytest.mark.parametrize(
    ("options", "fields", "seconds"),
    [
        ({"layout": "single"}, {}, 2 * (60 + 140 + 10) + 300),
        ({"layout": "single", "backoff_limit": 0}, {}, 60 + 140 + 10 + 300),
        ({"layout": "steps", "backoff_limit": 0}, {}, 60 + 30 + 140 + 10 + 300),
        ({"layout": "single", "backoff_limit": 0}, {"parallelism": 1}, 60 + 30 + 140 + 10 + 300),
        ({"layout": "single"}, {"timeout": 400}, 400),
        ({"layout": "single", "active_deadline": 350}, {}, 350),
    ],
)
def test_a_run_is_ended_after_its_longest_path(options, fields, seconds):
    slow = step("slow", "words", timeout=60, retry=Retry(limit=1, backoff=20))
    steps = [
        step("words", timeout=60),
        step("quick", "words", timeout=30),
        slow,
        step("join", "slow", "quick", timeout=10),
    ]
    assert job_of(pipeline(*steps, **fields), **options)["activeDeadlineSeconds"] == seconds
    endless = pipeline(*steps[:3], step("join", "slow", "quick"), **fields)
    assert job_of(endless, **options)["activeDeadlineSeconds"] == fields.get(
        "timeout", options.get("active_deadline", 86400)
    )


def test_a_pod_that_runs_once_tells_of_a_failure():
    told = OnFailure(webhook=SecretRef(name="chat", key="url"))
    body = ALIKE.model_copy(update={"on_failure": told})
    (container,) = pod_of(body, layout="single", backoff_limit=0)["containers"]
    assert container["args"][-1] == "--notify"
    secret = {"secretKeyRef": {"name": "chat", "key": "url"}}
    assert {"name": "WURZEL_WEBHOOK", "valueFrom": secret} in container["env"]
    for options in ({"layout": "single"}, {"layout": "auto"}, {}):
        chosen = CronJobOptions.model_validate(options)
        (report,) = unsupported_uses(CronJobBackend(), body, options=chosen)
        assert (report.feature, "set layout: single and backoff_limit: 0" in report.note) == ("on_failure", True)
        assert "--notify" not in str(render(body, **options))


def test_quantities():
    assert amount("500m") < amount("1") < amount("1k") < amount("1Ki") < amount("1e6")
    assert largest("900Mi", None, "1Gi") == "1Gi"
    assert largest(None) is None
    with pytest.raises(ValueError, match="is not a quantity"):
        amount("1GB")


def texts(count):
    """Variables of 100,000 bytes."""
    return {f"TEXT{number}": "x" * 100_000 for number in range(count)}


@pytest.mark.parametrize("options", [{}, {"layout": "steps"}, {"manifests": "kustomize"}])
def test_an_object_that_kubernetes_would_not_take_is_refused(options):
    assert render(pipeline(step("words"), env=texts(10)), **options)
    with pytest.raises(PreflightError, match="Kubernetes accepts at most 1048576"):
        render(pipeline(step("words"), env=texts(11)), **options)


@pytest.mark.parametrize(
    ("body", "options", "said"),
    [
        (pipeline(step("words"), name="x" * 53, schedule=NIGHTLY), {}, "at most 52"),
        (pipeline(step("words")).model_copy(update={"name": "x" * 64}), {}, "at most 63"),
        (pipeline(step("words"), image=None), {}, "has no image"),
        (
            pipeline(step("words")), {"volumes": [{"name": "pipeline", "mount_path": "/x", "empty_dir": {}}]},
            "is the name of the volume for the pipeline",
        ),
        (
            pipeline(step("a", node_selector={"k": "1"}), step("b", node_selector={"k": "2"})), {},
            "set nodes with k='1' and '2'",
        ),
        (pipeline(step("a", labels={"k": "1"}), step("b", labels={"k": "2"})), {}, "the label k='1'"),
        (
            pipeline(
                step("a", secrets={"A": SecretRef(name="s", key="k")}),
                step("b", secrets={"A": SecretRef(name="t", key="k")}),
            ),
            {"layout": "single"}, "take A from different secrets",
        ),
        (
            pipeline(step("a"), schedule=Schedule(cron="@daily", concurrency="allow")),
            {"data": {"claim": {"name": "c"}}}, "write to the same claim",
        ),
        (
            pipeline(step("a"), step("b", "a", image="x:2", env={"WURZEL_RUN_ID": "1"})),
            {"data": {"claim": {"name": "c"}}}, "step 'b' sets WURZEL_RUN_ID",
        ),
    ],
)  # fmt: skip
def test_what_cannot_run_is_refused(body, options, said):
    (problem,) = problems(body, **options)
    assert said in problem


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"data": {"claim": {}}}, "give either"),
        ({"data": {"claim": {"name": "a", "size": "1Gi"}}}, "give either"),
        ({"data": {"claim": {"name": "a"}, "empty_dir": {}}}, "give one of"),
        ({"active_deadline": 0}, "greater than or equal to 1"),
        ({"layout": "pods"}, "'steps', 'single' or 'auto'"),
    ],
)
def test_options_that_make_no_sense_are_refused(options, said):
    with pytest.raises(ValidationError, match=said):
        CronJobOptions.model_validate(options)


def test_what_depends_on_the_layout_is_reported():
    backend = CronJobBackend()
    asked = pipeline(step("a", image="acme/a:1", service_account="b", self_consuming=True), parallelism=2)

    def reported(**options):
        return [item.feature for item in unsupported_uses(backend, asked, options=CronJobOptions(**options))]

    assert reported() == ["parallelism", "self_consuming", "service_account"]
    assert reported(layout="single") == ["self_consuming", "service_account"]
    assert reported(layout="single", data={"claim": {"size": "1Gi"}}) == ["service_account"]


@pytest.mark.parametrize("options", [{}, {"layout": "auto", "data": {"claim": {"size": "1Gi"}}}])
def test_nothing_is_dropped_in_silence(options):
    assert check_backend("cronjob", **options) > 40


def test_the_output_path_can_be_changed():
    assert list(render_texts(full_pipeline(), "cronjob")) == ["cronjob/everything.yaml"]
    moved = CronJobOptions(output="deploy/k8s/job.yaml", manifests="kustomize")
    assert list(render_texts(full_pipeline(), "cronjob", moved)) == [
        "deploy/k8s/job.yaml", "deploy/k8s/kustomization.yaml",
    ]  # fmt: skip


STORE = {"url": "s3://acme/rag", "endpoint": "https://minio.example", "region": "eu-1"}
KEYS = {
    "access_key_id": {"name": "minio", "key": "id"},
    "secret_access_key": {"name": "minio", "key": "secret"},
}


@pytest.mark.parametrize("layout", ["steps", "single"])
def test_with_a_store_every_container_is_a_run_and_gets_the_keys_by_reference(layout):
    what = ALIKE.model_copy(update={"store": Store(**STORE, secrets=KEYS)})
    pod = pod_of(what, layout=layout)
    containers = [*pod.get("initContainers", []), *pod["containers"]]
    assert len(containers) == (4 if layout == "steps" else 1)
    for container in containers:
        assert container["command"] == ["wurzel", "run", "--from-ir", "/etc/wurzel/pipeline.json"]
        env = {item["name"]: item.get("valueFrom") for item in container["env"]}
        assert env["WURZEL_STORE_ACCESS_KEY_ID"] == {"secretKeyRef": {"name": "minio", "key": "id"}}
        assert env["WURZEL_STORE_SECRET_ACCESS_KEY"] == {"secretKeyRef": {"name": "minio", "key": "secret"}}
        assert env["WURZEL_RUN_ID"]["fieldRef"]["fieldPath"].startswith("metadata.labels")
    if layout == "steps":
        assert [container["args"][:2] for container in containers][1:3] == [["--only", "upper"], ["--only", "reverse"]]
    (described,) = [item for item in render(what, layout=layout) if item["kind"] == "ConfigMap"]
    assert json.loads(described["data"]["pipeline.json"])["store"] == STORE


def test_the_identity_of_a_store_is_a_token_of_the_account():
    store = Store(**STORE, identity={"role": "arn:aws:iam::1:role/rag", "audience": "minio"})
    pod = pod_of(ALIKE.model_copy(update={"store": store}), layout="single")
    (volume,) = [item for item in pod["volumes"] if item["name"] == "store-token"]
    token = {"path": "token", "audience": "minio", "expirationSeconds": 3600}
    assert volume["projected"]["sources"] == [{"serviceAccountToken": token}]
    (container,) = pod["containers"]
    (mount,) = [item for item in container["volumeMounts"] if item["name"] == "store-token"]
    env = {item["name"]: item.get("value") for item in container["env"]}
    assert env["WURZEL_STORE_TOKEN_FILE"] == f"{mount['mountPath']}/token"
    assert env["WURZEL_STORE_ROLE_ARN"] == "arn:aws:iam::1:role/rag"
    assert mount["readOnly"] is True


def test_a_store_in_a_folder_must_outlive_the_pod():
    here = pipeline(step("words"), store=Store(url="file:///wurzel/store"))
    (found,) = problems(here)
    assert found.startswith("the store /wurzel/store is a folder, and no claim is mounted there that all pods share")
    assert "mount a claim: targets.cronjob.volumes: [{name: store, mount_path: /wurzel/store," in found
    volume = {"name": "store", "mount_path": "/wurzel/store", "claim": {"name": "c"}}
    assert len(problems(here, volumes=[volume])) == 1, "read-only"
    scratch = {"name": "store", "mount_path": "/wurzel/store", "empty_dir": {}}
    assert len(problems(here, volumes=[scratch])) == 1, "ends with the pod"
    assert len(problems(here, volumes=[{**volume, "read_only": False, "steps": ["words"]}])) == 1, "of some steps"
    for url in ("file:///wurzel/store", "file:///wurzel/st%6Fre/rag"):
        kept = here.model_copy(update={"store": Store(url=url)})
        assert problems(kept, volumes=[{**volume, "read_only": False}]) == []
    assert problems(here, data={"claim": {"size": "1Gi"}}) == []
    one_id = here.model_copy(update={"env": {"WURZEL_RUN_ID": "1"}})
    assert "env sets WURZEL_RUN_ID" in problems(one_id, data={"claim": {"size": "1Gi"}})[0]
    assert len(problems(here.model_copy(update={"store": Store(url="store")}), data={"claim": {"size": "1Gi"}})) == 1


def test_a_store_keeps_what_a_pod_would_lose():
    what = pipeline(step("words", self_consuming=True), store=Store(**STORE))
    assert [report.feature for report in unsupported_uses(CronJobBackend(), what, ())] == ["store"], "no login"
    without = what.model_copy(update={"store": None})
    assert [report.feature for report in unsupported_uses(CronJobBackend(), without, ())] == ["self_consuming"]
