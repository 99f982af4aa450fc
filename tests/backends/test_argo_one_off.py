"""A Workflow of some of the steps, for one run."""

import warnings

import pytest
import yaml

from tests.backends.test_argo import pipeline, step, tasks
from tests.backends.test_argo_layouts import ir_of, stored
from wurzel.backends.argo import ArgoBackend
from wurzel.backends.argo.options import ArgoOptions
from wurzel.backends.job import Job
from wurzel.backends.rendering import files_of, render
from wurzel.exceptions import WurzelError
from wurzel.ir.model import Setting, Shards
from wurzel.ir.pods import EnvFrom
from wurzel.ir.schedule import Schedule
from wurzel.render import Renderer
from wurzel.render.more import More
from wurzel.testing import render_texts

SIZE = Setting(name="SIZE", variable="WORDS__SIZE", type="int", parameter=True, given=True, value=1)
CHAIN = stored(
    pipeline(
        step("words", settings=(SIZE,)),
        step("upper", "words"),
        step("cut", "upper"),
        step("join", "cut", "words"),
        schedule=Schedule(cron="0 4 * * *"),
    )
)


def one_off(what, *steps, **options):
    return ArgoBackend().one_off(what, ArgoOptions.model_validate(options), steps)


@pytest.mark.parametrize("kind", [False, True, "cluster"])
def test_only_these_steps_are_pods_and_all_of_them_know_the_pipeline(kind):
    what, options = one_off(CHAIN, "cut", "join", workflow_template=kind, output="k8s/nightly.yml")
    ((path, text),) = render_texts(what, "argo", options).items()
    (manifest,) = yaml.safe_load_all(text)
    assert (path, manifest["kind"]) == ("k8s/nightly.once.yml", "Workflow")
    assert manifest["metadata"]["generateName"] == "p-"
    spec = manifest["spec"]
    assert {name: task.get("depends") for name, task in tasks(spec).items()} == {"cut": None, "join": "cut"}
    assert [one.id for one in ir_of(spec).steps] == ["words", "upper", "cut", "join"]
    env = {one["name"]: one["value"] for one in spec["templateDefaults"]["container"]["env"]}
    assert env["WURZEL_ONLY"] == "cut,join"
    assert env["WORDS__SIZE"] == "{{workflow.parameters.WORDS__SIZE}}"  # counts for what is looked up
    assert ArgoBackend().preflight(what, options) == []


@pytest.mark.parametrize("layout", ["steps", "single"])
def test_steps_that_read_nothing_of_others_need_no_store(layout):
    alone = CHAIN.model_copy(update={"store": None})
    what, options = one_off(alone, "words", "upper", layout=layout)
    (text,) = render_texts(what, "argo", options).values()
    spec = yaml.safe_load(text)["spec"]
    assert list(tasks(spec)) == (["words", "upper"] if layout == "steps" else ["p"])
    with pytest.raises(WurzelError, match="finds what upper has given in the store, and there is none"):
        one_off(alone, "words", "cut", layout=layout)


def test_a_pod_counts_slices_of_data_that_is_there():
    sliced = step("cut", "upper").model_copy(update={"shards": Shards(items=2, max=4)})
    what = CHAIN.model_copy(update={"steps": (*CHAIN.steps[:2], sliced, CHAIN.steps[3])})
    chosen, options = one_off(what, "cut", "join")
    (text,) = render_texts(chosen, "argo", options).values()
    found = tasks(yaml.safe_load(text)["spec"])
    assert found["cut-slices"] == {"name": "cut-slices", "template": "cut-slices"}
    assert found["cut"]["depends"] == "cut-slices"


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"polls": True}, "the step 'upper' reads an outside source, so the store cannot say what 'cut' would read"),
        ({"cache": False}, "the step 'upper' is never cached"),
        ({"env_from": (EnvFrom(config_map="more"),)}, "the step 'upper' has variables of its own by env_from"),
    ],
)
def test_what_no_store_can_have_is_refused(change, text):
    steps = (CHAIN.steps[0], CHAIN.steps[1].model_copy(update=change), *CHAIN.steps[2:])
    what = CHAIN.model_copy(update={"steps": steps})
    with pytest.raises(WurzelError, match=text) as refused:
        one_off(what, "join")
    assert "--only upper,join" in str(refused.value)
    one_off(what, "upper", "cut", "join")


def test_more_steps_than_one_workflow_takes_are_refused():
    many = pipeline(step("first"), *(step(f"s{number}", "first") for number in range(300)))
    with pytest.raises(WurzelError, match="300 steps are too many for one Workflow"):
        one_off(stored(many), *(f"s{number}" for number in range(300)))


OF_RUNS = {"podMetadata": {"labels": {"team": "docs"}}, "ttlStrategy": None}
WITHOUT = {"templates": {"upper": {"priorityClassName": "low"}, "cut": {"priorityClassName": "high"}}}
METADATA = {"name": "p", "labels": {"cost-center": "4711"}, "annotations": {"a": "1"}}
CRON = {
    "kind": "CronWorkflow",
    "metadata": METADATA,
    "spec": {
        "concurrencyPolicy": "Replace",
        "workflowMetadata": {"annotations": {"b": "2"}},
        "workflowSpec": {**OF_RUNS, **WITHOUT},
    },
}


@pytest.mark.parametrize(
    ("patch", "kind"),
    [
        ({key: value for key, value in CRON.items() if key != "kind"}, False),
        (CRON, False),
        ([{"merge": CRON}, {"file": "argo/p.yaml", "merge": {"spec": {"workflowSpec": {"priority": 5}}}}], False),
        ([{"file": "p.yaml", "merge": CRON}], True),
        ([{"merge": {**CRON, "kind": "WorkflowTemplate", "spec": {**OF_RUNS, **WITHOUT}}}], True),
    ],
)
def test_a_patch_of_a_schedule_or_template_is_for_the_workflow(patch, kind):
    """What only a schedule has is named; what is about steps that are left out is not used."""
    about = CRON["spec"] if "WorkflowTemplate" not in str(patch) else {}
    with warnings.catch_warnings(record=True, action="always") as said:
        what, options = one_off(CHAIN, "cut", "join", patch=patch, workflow_template=kind)
    assert ["spec.concurrencyPolicy of the patch" in str(one.message) for one in said] == [True] * bool(about)
    (text,) = render_texts(what, "argo", options).values()
    manifest = yaml.safe_load(text)
    assert manifest["metadata"]["labels"]["cost-center"] == "4711"
    assert manifest["metadata"]["annotations"] == {"a": "1", **({"b": "2"} if about else {})}
    assert "name" not in manifest["metadata"]
    spec = manifest["spec"]
    assert spec["podMetadata"]["labels"]["team"] == "docs"
    assert "ttlStrategy" not in spec
    assert "workflowSpec" not in spec
    assert next(one for one in spec["templates"] if one["name"] == "cut")["priorityClassName"] == "high"
    assert spec.get("priority") == (5 if "'priority'" in str(patch) else None)


@pytest.mark.parametrize(
    "patch",
    [
        {"kind": "Sensor", "spec": {"replicas": 2}},
        [{"merge": {"kind": "Sensor", "spec": {"replicas": 2}}}, {"file": "argo/p-pdb.yaml", "merge": {"a": 1}}],
    ],
)
def test_objects_and_files_beside_the_workflow_are_left_out_with_what_a_patch_says_of_them(patch, tmp_path):
    """`kubectl create` would find that they exist."""
    folder = tmp_path / "argo"
    folder.mkdir()
    source = '{% extends "!argo/workflow.yaml.j2" %}{% block bottom %}\n---\nkind: Sensor\n{% endblock %}'
    (folder / "workflow.yaml.j2").write_text(source)
    renderer = Renderer([tmp_path])
    what, options = one_off(CHAIN, "cut", "join", patch=patch)
    beside = More("globex", "argo", "argo/workflow.yaml.j2", "argo/p-pdb.yaml")
    job = Job(what, "argo", options, "wurzel render")
    assert len(files_of(ArgoBackend(), job, [beside])) == 1
    ((file,),) = (result.files for result in render([job], renderer))
    assert "kind: Sensor" not in file.rendered.text
    assert "kind: Sensor" in render([job._replace(options=ArgoOptions())], renderer)[0].files[0].rendered.text
