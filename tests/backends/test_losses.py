"""What a layer wrote for all jobs, and one of them does not get: a warning that names both places."""

import pytest

from tests.plain import WORDS as WORD
from tests.plain import plain_step
from wurzel.backends.job import Job
from wurzel.backends.registry import get
from wurzel.backends.rendering import render
from wurzel.ir.model import Pipeline
from wurzel.ir.pods import Resources, Toleration
from wurzel.render import Renderer

KEEP_NOT = "\0"
"""At the start of a text that replaces its block."""


def step(name, **fields):
    return plain_step(id=name, run="steps:Embed", output=WORD, **fields)


PIPELINE = Pipeline(
    name="rag",
    image="ghcr.io/acme/rag:1",
    steps=(
        step("plain"),
        step("big", node_selector={"pool": "big"}, tolerations=(Toleration(key="big", operator="Exists"),)),
        step("own", image="ghcr.io/acme/own:1", resources=Resources(cpu="1")),
        step("memory", self_consuming=True),
    ),
)


@pytest.fixture
def warned(tmp_path):
    """Add lines to blocks of templates, in a layer each; get the warnings."""

    def rendered(target, *added, pipeline=PIPELINE, **options):
        for layer, name, block, text in added:
            file = tmp_path / layer / target / name
            file.parent.mkdir(parents=True, exist_ok=True)
            above = file.read_text() if file.is_file() else f'{{% extends "!{target}/{name}" %}}\n'
            keep = "" if text.startswith(KEEP_NOT) else "{{ super() }}\n"
            file.write_text(f"{above}{{% block {block} %}}\n{keep}{text.removeprefix(KEEP_NOT)}\n{{% endblock %}}\n")
        renderer = Renderer(list(dict.fromkeys(layer for layer, *_ in added)), root=tmp_path)
        layout = {"layout": "steps"} if target in {"github", "gitlab"} else {}
        chosen = get(target).options_model.model_validate(layout | options)
        render([Job(pipeline, target, chosen, "")], renderer)
        return [str(warning) for warning in renderer.layers.warnings]

    return rendered


BASE, JOB = "gitlab-ci.yml.j2", "_job.yml.j2"
ONE = '{{% if step.id == "big" %}}\n{}\n{{% endif %}}'


def test_rules_of_a_job_replace_those_of_all(warned):
    (warning,) = warned(
        "gitlab",
        ("team", JOB, "job_top", ONE.format("  rules: [{if: $RUN}]")),
        ("company", BASE, "rules", "  rules:\n    - if: $CI"),
        kind="root",
    )
    assert warning == (
        "team/gitlab/_job.yml.j2:5: the job 'big' has its own `rules`, which replaces that of "
        "company/gitlab/gitlab-ci.yml.j2:5\n"
        "  GitLab merges mappings that a job inherits, but replaces lists. Write what is needed of both here."
    )


@pytest.mark.parametrize("lines", ["  rules:\n    - if: $CI\n    - if: $RUN", "  rules: !reference [.rag, rules]"])
def test_a_job_that_repeats_them_loses_nothing(warned, lines):
    added = [("team", JOB, "job_top", ONE.format(lines)), ("company", BASE, "rules", "  rules:\n    - if: $CI")]
    assert warned("gitlab", *added) == []


def test_what_one_layer_writes_twice_is_its_own_affair(warned):
    rules = "  rules:\n    - if: $CI"
    added = [("company", JOB, "job_top", ONE.format("  rules: []")), ("company", BASE, "rules", rules)]
    assert warned("gitlab", *added) == []


def test_nested_lists(warned):
    (warning,) = warned(
        "gitlab",
        ("team", JOB, "artifacts", ONE.format("exclude: [a]")),
        ("company", BASE, "base_artifacts", "    exclude: [b]"),
    )
    assert warning.startswith("team/gitlab/_job.yml.j2:5: the job 'big' has its own `artifacts.exclude`, which")


def test_what_a_layer_replaces_by_a_list_in_brackets_misses_the_installation(warned):
    pipeline = PIPELINE.model_copy(update={"image": None})
    text = ONE.format("  before_script: [nvidia-smi]")
    (warning,) = warned("gitlab", ("team", JOB, "job_before_script", text), pipeline=pipeline)
    assert "the job 'big' has its own `before_script`, which replaces that of wurzel!gitlab/gitlab-ci" in warning


def test_values_of_wurzel_that_replace_a_mapping_or_a_cache(warned):
    image = f"{KEEP_NOT}  image: {{name: 'acme/base:1', entrypoint: [sh]}}"
    cache = f"{KEEP_NOT}  cache: [{{key: models, paths: [models]}}]"
    found = warned("gitlab", ("company", BASE, "image", image), ("company", BASE, "cache", cache))
    assert len(found) == 2
    for each, name, key, line in zip(found, ("own", "memory"), ("image", "cache"), (3, 6), strict=True):
        assert each.startswith("wurzel!gitlab/_job.yml.j2:")
        assert (
            f"the job {name!r} has its own `{key}`, which replaces that of company/gitlab/gitlab-ci.yml.j2:{line}"
            in each
        )


def test_defaults_of_a_file_are_replaced_as_a_whole(warned):
    text = "default:\n  tags: [company]\n  retry: {max: 1}\n  before_script:\n    - proxy"
    (warning,) = warned("gitlab", ("company", BASE, "bottom", text), tags=["acme"])
    assert "the job '.rag' has its own `tags`, which replaces that of company/gitlab/gitlab-ci.yml.j2:5" in warning
    assert "A key of a job replaces that of `default`." in warning


def test_permissions_of_a_workflow(warned):
    (warning,) = warned(
        "github", ("company", "workflow.yml.j2", "permissions", f"{KEEP_NOT}permissions:\n  id-token: write")
    )
    assert warning.startswith("wurzel!github/_job.yml.j2:")
    assert "the job 'plain' and 3 more have their own `permissions`, which replaces that of company/github" in warning


TOLERATION = "- {key: company, operator: Exists}"


def test_tolerations_and_selectors_of_a_workflow(warned):
    added = [
        ("company", "_pod.yaml.j2", "tolerations", TOLERATION),
        ("company", "_pod.yaml.j2", "node_selector", "pool: company"),
    ]
    found = [each.split("\n")[0] for each in warned("argo", *added)]
    assert len(found) == 2
    assert all("the template 'big' has its own `" in each for each in found)
    assert {each.rpartition(" of ")[2] for each in found} == {
        "company/argo/_pod.yaml.j2:4",
        "company/argo/_pod.yaml.j2:8",
    }


def test_what_argo_merges_is_lost_by_nobody(warned):
    added = [
        ("company", "_defaults.yaml.j2", "default_tolerations", TOLERATION),
        ("company", "_defaults.yaml.j2", "default_env", "- {name: A, value: b}"),
        ("company", "_defaults.yaml.j2", "default_volume_mounts", "- {name: a, mountPath: /a}"),
        ("team", "_step.yaml.j2", "env", "- {name: B, value: b}"),
        ("team", "_step.yaml.j2", "volume_mounts", "- {name: b, mountPath: /b}"),
    ]
    assert warned("argo", *added) == []


def test_lists_without_names_in_the_defaults_of_templates(warned):
    added = [
        ("company", "_defaults.yaml.j2", "default_env_from", "- configMapRef: {name: company}"),
        ("team", "_step.yaml.j2", "image", ONE.format("      envFrom: [{configMapRef: {name: team}}]")),
    ]
    (warning,) = warned("argo", *added)
    assert "the template 'big' has its own `container.envFrom`, which replaces that of company/argo/_def" in warning


def test_arguments_of_all_tasks(warned):
    added = [
        (
            "company",
            "_default_args.py.j2",
            "default_args",
            '"env": {"A": "b"},\n"on_failure_callback": print,\n"retries": 4,\n"params": {"A": "b"},',
        ),
        (
            "team",
            "_task.py.j2",
            "task_bottom",
            '{% if step.id == "big" %}\non_failure_callback=repr,\nparams={"C": "d"},\n{% endif %}',
        ),
    ]
    found = [
        each.split("\n")[0]
        for each in warned("airflow", *added, ignore=["image", "node_selector", "tolerations", "cpu"])
    ]
    where = "company/airflow/_default_args.py.j2"
    ours, *others = [each.partition(": ")[2] for each in found]
    assert ours.startswith("default_args has its own `env`, which replaces that of wurzel!airflow/_default_args.py.j2:")
    assert sorted(others) == [
        f"the task 'big' has its own `on_failure_callback`, which replaces that of {where}:5",
        f"the task 'big' has its own `params`, which replaces that of {where}:7",
    ]
