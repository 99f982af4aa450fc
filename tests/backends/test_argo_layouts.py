"""Pods of Argo that run several steps, and data that goes through a store."""

import json
import re
from pathlib import Path

import pytest
import yaml

from tests.backends.test_argo import S3, pipeline, problems, render, spec_of, step, tasks, template
from tests.command import invoke
from wurzel.backends.argo import ArgoBackend
from wurzel.backends.argo.options import ArgoOptions
from wurzel.backends.support import unsupported_uses
from wurzel.ir.model import OnFailure, Retry, SecretRef, Setting, Shards, Store
from wurzel.ir.pods import Resources
from wurzel.ir.schedule import Schedule
from wurzel.ir.serialize import parse
from wurzel.testing import full_pipeline

RETRY = Retry(limit=2, backoff=10, factor=2, max=60)
DIAMOND = pipeline(
    step("words", retry=RETRY, timeout=600, resources=Resources(cpu="100m", memory="1Gi")),
    step("upper", "words", retry=RETRY, timeout=60, resources=Resources(cpu="500m")),
    step("reverse", "words", timeout=30, resources=Resources(cpu="250m", memory="512Mi")),
    step("join", "upper", "reverse", timeout=60, secrets={"KEY": SecretRef(name="search", key="api")}),
    timeout=7200,
)
BUCKET = {"url": "s3://acme/prod", "region": "eu-central-1"}
KEYS = {"access_key_id": {"name": "minio", "key": "id"}, "secret_access_key": {"name": "minio", "key": "secret"}}
IDENTITY = {"role": "arn:aws:iam::1:role/rag"}


def stored(what, **more):
    return what.model_copy(update={"store": Store.model_validate({**BUCKET, **more})})


def ir_of(spec):
    return parse(spec["podMetadata"]["annotations"]["wurzel.dev/ir"].encode(), "annotation")


def names(variables):
    return [variable["name"] for variable in variables]


def test_with_a_store_nothing_crosses_as_an_artifact_and_each_pod_is_one_step_of_wurzel_run():
    spec = spec_of(stored(DIAMOND, secrets=KEYS))
    assert list(tasks(spec)) == ["words", "upper", "reverse", "join"]
    assert tasks(spec)["join"] == {"name": "join", "template": "join", "depends": "upper && reverse"}
    for item in spec["templates"][1:]:
        assert not {"inputs", "outputs"} & set(item)
        assert item["container"]["args"] == ["--only", item["name"]]
    assert spec["templateDefaults"]["container"]["command"] == [
        "wurzel", "run", "--from-ir", "/etc/wurzel/pipeline.json", "--no-retry",
        "--data-dir", "/wurzel/data", "--state-dir", "/wurzel/.wurzel",
    ]  # fmt: skip
    assert template(spec, "upper")["retryStrategy"]["limit"] == "2"
    assert "retryStrategy" not in template(spec, "reverse")
    assert [template(spec, name)["activeDeadlineSeconds"] for name in ("words", "reverse")] == [900, 330]
    assert spec["templateDefaults"]["activeDeadlineSeconds"] == 360
    assert ir_of(spec).store.url == "s3://acme/prod"
    assert {"name": "data", "emptyDir": {}} in spec["volumes"]
    (described,) = [volume for volume in spec["volumes"] if volume["name"] == "pipeline"]
    reference = {"fieldPath": "metadata.annotations['wurzel.dev/ir']"}
    assert described["downwardAPI"] == {"items": [{"path": "pipeline.json", "fieldRef": reference}]}


def test_keys_of_the_store_are_references_and_identities_are_projected_tokens():
    defaults = spec_of(stored(DIAMOND, secrets=KEYS))["templateDefaults"]["container"]
    assert {"name": "WURZEL_RUN_ID", "value": "argo-{{workflow.uid}}"} in defaults["env"]
    assert {
        "name": "WURZEL_STORE_ACCESS_KEY_ID", "valueFrom": {"secretKeyRef": {"name": "minio", "key": "id"}},
    } in defaults["env"]  # fmt: skip
    spec = spec_of(stored(DIAMOND, identity=IDENTITY))
    defaults = spec["templateDefaults"]["container"]
    assert {"name": "WURZEL_STORE_ROLE_ARN", "value": IDENTITY["role"]} in defaults["env"]
    (mount,) = [mount for mount in defaults["volumeMounts"] if mount["name"] == "store-token"]
    assert {"name": "WURZEL_STORE_TOKEN_FILE", "value": f"{mount['mountPath']}/token"} in defaults["env"]
    assert "store-token" in names(spec["volumes"])
    assert "minio" not in str(ir_of(spec_of(stored(DIAMOND, secrets=KEYS))))


def test_an_exit_handler_gets_neither_keys_nor_tokens_of_the_store():
    what = stored(DIAMOND, secrets=KEYS).model_copy(update={"secrets": {"TOKEN": SecretRef(name="all", key="token")}})
    spec = spec_of(what, on_exit={"command": ["notify"], "image": "acme/notify:1"})
    defaults = spec["templateDefaults"]["container"]
    assert names(defaults["env"]) == ["WURZEL_RUN_ID"]
    assert "pipeline" not in names(defaults["volumeMounts"])
    own = template(spec, "words")["container"]
    assert {"TOKEN", "WURZEL_STORE_ACCESS_KEY_ID", "WURZEL_STORE_SECRET_ACCESS_KEY"} == set(names(own["env"]))
    assert names(own["volumeMounts"]) == ["pipeline"]


def test_who_is_told_of_a_failure_gets_no_keys_either():
    told = OnFailure(webhook=SecretRef(name="chat", key="url"))
    spec = spec_of(stored(DIAMOND, secrets=KEYS).model_copy(update={"on_failure": told}))
    assert names(spec["templateDefaults"]["container"]["env"]) == ["WURZEL_RUN_ID"]
    assert "WURZEL_STORE_ACCESS_KEY_ID" in names(template(spec, "words")["container"]["env"])
    assert "webhook" not in spec["podMetadata"]["annotations"]["wurzel.dev/ir"]


def test_keys_as_secrets_are_reported_and_an_identity_is_not():
    def reported(**store):
        return [report.feature for report in unsupported_uses(ArgoBackend(), stored(DIAMOND, **store))]

    assert reported(secrets=KEYS) == reported() == ["store"]  # without either, nobody logs in
    assert reported(identity=IDENTITY) == []


def test_a_single_pod_requests_what_runs_side_by_side_and_hands_over_results_alone():
    spec = spec_of(DIAMOND, layout="single", **S3)
    assert [(task["name"], "depends" in task) for task in tasks(spec).values()] == [("p", False)]
    job = template(spec, "p")
    assert job["container"]["args"] == ["-j", "2"]
    assert job["container"]["resources"] == {"requests": {"cpu": "750m", "memory": "1Gi"}}
    assert names(job["container"]["env"]) == ["KEY"]
    (result,) = job["outputs"]["artifacts"]
    assert (result["name"], result["path"]) == ("join_dataset", "/wurzel/data/join")
    assert result["s3"]["key"] == "p/{{workflow.uid}}/join/data/"
    assert "--no-retry" not in job["container"]["command"]
    # words: 3 tries of 600 s with waits of 10 and 20 s; upper: 3 of 60 s; join: 60 s; 5 minutes to start.
    assert job["activeDeadlineSeconds"] == (1800 + 30) + (180 + 30) + 60 + 300


def test_a_deadline_is_at_most_that_of_the_run_and_none_if_a_step_has_none():
    short = DIAMOND.model_copy(update={"timeout": 600})
    assert template(spec_of(short, layout="single"), "p")["activeDeadlineSeconds"] == 600
    endless = pipeline(step("words"), step("upper", "words", timeout=60))
    assert "activeDeadlineSeconds" not in template(spec_of(endless, layout="single"), "p")


@pytest.mark.parametrize(("limit", "codes"), [(1, '["2", "3"]'), (0, '["1", "2", "3"]')])
def test_a_lost_pod_of_several_steps_gets_another_and_failures_only_where_retries_are_wanted(limit, codes):
    what = pipeline(step("words", retry=Retry(limit=limit)), step("upper", "words"))
    assert template(spec_of(what, layout="auto"), "p")["retryStrategy"] == {
        "limit": "1", "retryPolicy": "Always", "expression": f"lastRetry.exitCode not in {codes}",
    }  # fmt: skip


def test_wurzel_retries_a_single_step_where_argo_cannot():
    odd = stored(pipeline(step("words", retry=Retry(limit=2, backoff=10, factor=1.5))))
    job = template(spec_of(odd), "words")
    assert "retryStrategy" not in job
    assert "--no-retry" not in job["container"]["command"]


def test_a_group_is_a_pod_and_what_crosses_is_named_after_its_step():
    what = pipeline(
        step("words", group="read"), step("upper", "words", group="read"), step("reverse", "upper"),
        step("join", "words", "reverse"),
    )  # fmt: skip
    spec = spec_of(what)
    assert list(tasks(spec)) == ["read", "reverse", "join"]
    assert tasks(spec)["join"]["arguments"]["artifacts"] == [
        {"name": "words", "from": "{{tasks.read.outputs.artifacts.words_dataset}}"},
        {"name": "reverse", "from": "{{tasks.reverse.outputs.artifacts.dataset}}"},
    ]
    assert names(template(spec, "read")["outputs"]["artifacts"]) == ["words_dataset", "upper_dataset"]
    assert template(spec, "read")["container"]["args"] == ["-j", "1", "--only", "words,upper"]
    assert [group.ids for group in ArgoBackend().jobs(what, ArgoOptions())] == [
        ("words", "upper"), ("reverse",), ("join",),
    ]  # fmt: skip


def test_steps_of_other_images_accounts_and_nodes_do_not_share_a_pod():
    what = pipeline(
        step("words"),
        step("upper", "words", image="acme/other:2"),
        step("reverse", "words", node_selector={"pool": "large"}),
        step("join", "words", service_account="writer"),
        step("last", "words"),
    )
    assert list(tasks(spec_of(what, layout="auto"))) == ["words-last", "upper", "reverse", "join"]
    (found,) = [text for text in problems(what, layout="single") if "image" in text]
    assert "the steps 'words' and 'upper' into one job, but their image differs" in found


def sliced(*needs, **shards):
    return step("loud", *needs).model_copy(update={"shards": Shards(**shards)})


SLICED = (step("words"), sliced("words", items=5, max=4), step("join", "loud"))


def test_the_pod_that_makes_the_data_counts_the_slices_of_the_next_one():
    spec = spec_of(stored(pipeline(*SLICED)))
    assert list(tasks(spec)) == ["words", "loud", "join"]
    assert template(spec, "words")["container"]["args"] == ["--only", "words", "--slices", "loud=/tmp/slices.json"]
    assert template(spec, "words")["outputs"] == {
        "parameters": [{"name": "slices", "valueFrom": {"path": "/tmp/slices.json"}}]
    }
    assert tasks(spec)["loud"]["withParam"] == "{{tasks.words.outputs.parameters.slices}}"
    assert template(spec, "loud")["container"]["args"] == ["--only", "loud", "--shard", "{{inputs.parameters.shard}}"]


def test_where_several_pods_make_the_data_a_pod_counts_its_slices():
    more = (step("more"), step("words"), sliced("words", "more", items=5, max=4))
    spec = spec_of(stored(pipeline(*more), secrets=KEYS))
    assert tasks(spec)["loud-slices"]["depends"] == "words && more"
    assert template(spec, "loud-slices")["container"]["args"] == ["--slices", "loud=/tmp/slices.json"]
    assert tasks(spec)["loud"]["depends"] == "loud-slices"


def test_slices_of_a_fixed_number_are_a_sequence_with_a_store():
    spec = spec_of(stored(pipeline(step("words"), sliced("words", max=3))))
    assert tasks(spec)["loud"]["withSequence"] == {"start": "1", "count": "3"}
    assert template(spec, "loud")["container"]["args"][-1] == "{{inputs.parameters.shard}}/3"


def test_all_pods_of_a_run_have_all_parameters():
    size = Setting(name="SIZE", variable="WORDS__SIZE", type="int", text=False, default=1, parameter=True)
    note = Setting(name="NOTE", variable="WORDS__NOTE", default="{{x}}", parameter=True)
    spec = spec_of(stored(pipeline(step("words", settings=(size, note)), step("upper", "words"))))
    env = {item["name"]: item["value"] for item in spec["templateDefaults"]["container"]["env"]}
    assert env["WORDS__SIZE"] == "{{workflow.parameters.WORDS__SIZE}}"
    assert next(iter(env)) == "WURZEL_BRACE"  # before what refers to it


def test_nothing_in_the_annotation_is_an_expression_for_argo():
    note = Setting(name="NOTE", variable="WORDS__NOTE", given=True, value="{{workflow.uid}} {{=1+1}} $(HOME)")
    what = stored(pipeline(step("words", settings=(note,), env={"A": "{{x}}"})))
    spec = spec_of(what)
    text = spec["podMetadata"]["annotations"]["wurzel.dev/ir"]
    assert not {"{{", "$"} & {text[at : at + size] for size in (1, 2) for at in range(len(text))}
    (words,) = ir_of(spec).steps
    assert (words.settings[0].value, words.env) == (note.value, {"A": "{{x}}"})
    assert "{{x}}" not in yaml.safe_dump(spec)


def test_many_steps_with_a_store_are_parts_and_only_the_workflow_has_the_pipeline():
    chain = [step("s0"), *(step(f"s{number}", f"s{number - 1}") for number in range(1, 250))]
    what = stored(pipeline(*chain))
    backend, options = ArgoBackend(), ArgoOptions()
    assert not backend.preflight(what, options)
    contexts = [file.context for file in backend.files(what, options)]
    assert [bool(context["spec"].ir) for context in contexts] == [True, False, False]
    assert [len(context["spec"].templates) for context in contexts] == [0, 199, 51]
    first, second = contexts[0]["spec"].tasks
    assert (first.arguments, second.depends, second.arguments) == ({}, "part-1", {})
    assert ArgoBackend().jobs(what, ArgoOptions(layout="auto"))[0].ids == tuple(f"s{n}" for n in range(250))


@pytest.mark.parametrize(
    ("change", "options", "text"),
    [
        ({"env": {"WURZEL_RUN_ID": "1"}}, {}, "env sets WURZEL_RUN_ID"),
        ({"annotations": {"wurzel.dev/ir": "x"}}, {}, "the annotation wurzel.dev/ir is for the pipeline"),
        ({"env": {"A": "x" * 130_000, "B": "x" * 130_000}}, {}, "bytes as an annotation of its pods; Kubernetes takes"),
        ({"store": Store(url="/srv/store")}, {}, "the store /srv/store is a folder, and no claim is mounted there"),
        ({"store": Store(url="file:///srv/store")}, {}, "mount a claim: targets.argo.volumes: [{name: store"),
        ({}, {"volumes": [{"name": "pipeline", "mount_path": "/x", "empty_dir": {}}]}, "is the name of the volume for"),
    ],
)
def test_what_pods_of_wurzel_run_cannot_have_is_refused(change, options, text):
    what = stored(pipeline(step("words"))).model_copy(update=change)
    (found,) = problems(what, **options)
    assert text in found


def test_what_most_templates_have_stands_once_and_none_gets_what_it_did_not_ask_for():
    small, large = Resources(cpu="1", memory="1Gi"), Resources(cpu="2", memory="2Gi")
    steps = [step("words", resources=small), step("upper", resources=small), step("reverse", resources=large)]
    spec = spec_of(pipeline(*steps))
    assert spec["templateDefaults"]["container"]["image"] == "acme/p:1"
    assert spec["templateDefaults"]["container"]["resources"] == {"requests": {"cpu": "1", "memory": "1Gi"}}
    found = {item["name"]: item["container"].get("resources") for item in spec["templates"][1:]}
    assert found == {"words": None, "upper": None, "reverse": {"requests": {"cpu": "2", "memory": "2Gi"}}}
    less = spec_of(pipeline(*steps, step("join", resources=Resources(cpu="1"))))  # Argo's merge would add memory
    assert "resources" not in less["templateDefaults"]["container"]
    handled = spec_of(pipeline(*steps), on_exit={"command": ["notify"]})
    assert "resources" not in handled["templateDefaults"]["container"]
    limited = spec_of(pipeline(step("words", timeout=60), step("upper", timeout=60), step("reverse", timeout=90)))
    assert limited["templateDefaults"]["activeDeadlineSeconds"] == 60
    assert [item.get("activeDeadlineSeconds") for item in limited["templates"]] == [None, None, None, 90]
    some = spec_of(pipeline(step("words", timeout=60), step("upper")))
    assert "activeDeadlineSeconds" not in some["templateDefaults"]


def test_a_store_on_a_claim_is_taken():
    claim = {"name": "store", "mount_path": "/srv", "claim": {"name": "rag"}, "read_only": False}
    what = pipeline(step("words")).model_copy(update={"store": Store(url="/srv/store")})
    assert problems(what, volumes=[claim]) == []
    assert problems(what, volumes=[{**claim, "mount_path": "/srv/sto"}]) != []


@pytest.mark.parametrize("layout", ["steps", "single", "auto"])
@pytest.mark.parametrize("store", [None, {**BUCKET, "secrets": KEYS}, {**BUCKET, "identity": IDENTITY}])
def test_every_layout_with_and_without_a_store_passes_our_checks(layout, store):
    from wurzel.validation import check_files

    whole = full_pipeline()
    steps = [one.model_copy(update={"image": None, "node_selector": {}, "tolerations": (), "labels": {},
             "annotations": {}, "service_account": None, "priority": None}) for one in whole.steps]  # fmt: skip
    what = whole.model_copy(update={"steps": tuple(steps), "store": store and Store.model_validate(store)})
    documents = render(what, layout=layout, on_exit={"command": ["notify"]})
    assert check_files({"a.yaml": yaml.safe_dump_all(documents)}) == []
    assert documents[0]["kind"] == "CronWorkflow"
    assert isinstance(what.schedule, Schedule)
    assert json.dumps(documents).count("wurzel.dev/ir") == (0 if layout == "steps" and not store else 2)


def test_a_template_of_the_whole_cluster_has_no_namespace_and_is_referred_to_as_such():
    from wurzel.validation import check_files

    what = pipeline(step("words"), schedule=Schedule(cron="0 4 * * *"))
    template_, cron = render(what, workflow_template="cluster")
    assert template_["kind"] == "ClusterWorkflowTemplate"
    assert cron["spec"]["workflowSpec"] == {"workflowTemplateRef": {"name": "p", "clusterScope": True}}
    assert check_files({"a.yaml": yaml.safe_dump_all([template_, cron])}) == []
    both = pipeline(step("words"), step("upper", "words"), schedule=what.schedule)
    found, _ = render(both, workflow_template="cluster")
    del found["spec"]["templates"][1]["container"]["image"]
    found["spec"]["templateDefaults"]["container"]["image"] = "acme/words:1"
    (problem,) = check_files({"a.yaml": yaml.safe_dump(found)})
    assert "spec.templates[1].container.image: has no image\n  Argo does not look for it" in str(problem)
    with pytest.raises(ValueError, match="a ClusterWorkflowTemplate has none"):
        ArgoOptions(workflow_template="cluster", namespace="ml")
    chain = [step("s0"), *(step(f"s{number}", f"s{number - 1}") for number in range(1, 210))]
    contexts = [
        file.context for file in ArgoBackend().files(pipeline(*chain), ArgoOptions(workflow_template="cluster"))
    ]
    assert {context["workflow"].kind for context in contexts} == {"ClusterWorkflowTemplate"}
    assert contexts[0]["spec"].tasks[0].template_ref["clusterScope"] is True


def test_a_retry_can_be_kept_off_the_node_that_failed():
    spec = spec_of(DIAMOND, retry_on_other_nodes=True)
    assert template(spec, "words")["retryStrategy"]["affinity"] == {"nodeAntiAffinity": {}}
    assert "retryStrategy" not in template(spec, "reverse")
    assert template(spec_of(DIAMOND, layout="single", retry_on_other_nodes=True), "p")["retryStrategy"]["affinity"]


def test_pods_and_their_logs_stay_as_long_as_the_workflow_unless_asked_otherwise():
    assert "podGC" not in spec_of(DIAMOND)
    assert spec_of(DIAMOND, pod_gc="OnPodSuccess")["podGC"] == {"strategy": "OnPodSuccess"}


def test_a_bucket_of_oss_keeps_packed_datasets():
    oss = {
        "endpoint": "https://oss-eu-central-1.aliyuncs.com",
        "bucket": "acme",
        "access_key": {"name": "o", "key": "i"},
    }
    secret = {"secret_key": {"name": "o", "key": "s"}}
    spec = spec_of(DIAMOND, artifacts={"oss": {**oss, **secret}, "archive": "tar"})
    (written,) = template(spec, "words")["outputs"]["artifacts"]
    assert written["archive"] == {"tar": {}}
    assert written["oss"]["key"] == "{{workflow.uid}}/words/data.tgz"
    assert written["oss"]["accessKeySecret"] == {"name": "o", "key": "i"}
    with pytest.raises(ValueError, match="`oss` keeps packed datasets"):
        ArgoOptions.model_validate({"artifacts": {"oss": {**oss, **secret}}})
    with pytest.raises(ValueError, match="give both `access_key` and `secret_key`"):
        ArgoOptions.model_validate({"artifacts": {"oss": oss, "archive": "tar"}})


PAGE = Path(__file__).parents[2] / "docs" / "backends" / "argo.md"
CHAIN = """
from wurzel import WZ, NoSettings, PydanticModel, TypedStep


class Doc(PydanticModel):
    text: str


class Guides(TypedStep[NoSettings, None, list[Doc]]):
    def run(self, inpt: None) -> list[Doc]:
        return []


class Report(TypedStep[NoSettings, list[Doc], list[Doc]]):
    def run(self, inpt: list[Doc]) -> list[Doc]:
        return inpt


def chain():
    return WZ(Guides) >> WZ(Report)
"""


def test_the_blocks_of_the_page_write_what_it_says(tmp_path, monkeypatch):

    for path, text in re.findall(r"```jinja\n\{# (\S+) #\}\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    (tmp_path / "chained.py").write_text(CHAIN)
    (tmp_path / "wurzel.yaml").write_text(
        "version: 1\ntemplates: [wurzel-templates]\n"
        "pipelines:\n  rag: {entrypoint: 'chained:chain', image: 'acme/rag:1'}\n"
    )
    monkeypatch.chdir(tmp_path)
    options = ["--set", "targets.argo.workflow_template=true", "--stdout", "--validate"]
    done = invoke("render", "rag", "-t", "argo", *options)
    assert done.exit_code == 0, done.output
    found, sensor = yaml.safe_load_all(done.stdout)
    assert template(found["spec"], "guides")["memoize"]["key"] == "guides-{{workflow.creationTimestamp.Y}}"
    assert template(found["spec"], "report")["sidecars"][0]["image"] == "redis:8"
    assert {"when", "hooks"} <= set(tasks(found["spec"])["report"])
    assert "when" not in tasks(found["spec"])["guides"]
    assert sensor["kind"] == "Sensor"


@pytest.mark.parametrize("kind", ["Workflow", "ClusterWorkflowTemplate"])
def test_templates_of_plugins_pass_the_checks(kind):
    from wurzel.validation import check_files

    manifest = {
        "apiVersion": "argoproj.io/v1alpha1", "kind": kind, "metadata": {"name": "a"},
        "spec": {"entrypoint": "main", "templates": [{"name": "main", "plugin": {"hello": {"text": "hi"}}}]},
    }  # fmt: skip
    assert check_files({"a.yaml": yaml.safe_dump(manifest)}) == []
    manifest["spec"]["templates"][0]["plugins"] = {}
    assert check_files({"a.yaml": yaml.safe_dump(manifest)}) != []
