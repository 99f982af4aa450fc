"""What layers add to what all jobs share is in each job that has the key itself, since platforms replace lists."""

from pathlib import Path

import pytest
import yaml

from tests.plain import WORDS as WORD
from tests.plain import plain_step
from wurzel.backends.gitlab.options import GitlabOptions
from wurzel.backends.job import Job
from wurzel.backends.rendering import render
from wurzel.exceptions import TemplateError
from wurzel.ir.model import Pipeline
from wurzel.ir.pods import Resources
from wurzel.render import Renderer

GITLAB = {"layout": "steps", "tags": ["acme"], "gpu_tags": ["gpu"], "jobs": {"big": {"tags": ["big"]}}}


def step(name, **fields):
    return plain_step(id=name, run="steps:Embed", output=WORD, **fields)


PIPELINE = Pipeline(
    name="rag",
    steps=(
        step("plain"),
        step("gpu", resources=Resources(gpu=1)),
        step("big"),
        step("own", image="ghcr.io/acme/own:1"),
        step("memory", self_consuming=True),
    ),
)


@pytest.fixture
def gitlab(tmp_path):
    """Give blocks of the base and of a job, each in a layer; get the file as it is read."""

    def rendered(base="", job="", **options):
        blocks = {"company/gitlab/gitlab-ci.yml.j2": base, "project/gitlab/_job.yml.j2": job}
        for path, block in blocks.items():
            file = tmp_path / path
            file.parent.mkdir(parents=True, exist_ok=True)
            name = Path(path).relative_to(Path(path).parts[0])
            file.write_text(f'{{% extends "!{name}" %}}\n{block}')
        chosen = GitlabOptions.model_validate(GITLAB | options)
        renderer = Renderer(["project", "company"], root=tmp_path)
        (result,) = render([Job(PIPELINE, "gitlab", chosen, "")], renderer)
        return list(yaml.safe_load_all(result.files[0].rendered.text))[-1]

    return rendered


def block(name, *lines, keep=True):
    text = "\n".join(lines)
    above = "{{ super() }}\n" if keep else ""
    return f"{{% block {name} %}}\n{above}{text}\n{{% endblock %}}\n"


def values(document, key):
    return {name: document[name].get(key) for name in (step.id for step in PIPELINE.steps)}


def test_tags_of_the_base_are_in_each_job_with_others(gitlab):
    document = gitlab(
        block("tags", "- company"), block("job_tags", '{% if step.id == "plain" %}', "- mine", "{% endif %}")
    )
    assert document[".rag"]["tags"] == ["acme", "company"]
    assert values(document, "tags") == {
        "plain": ["acme", "company", "mine"],
        "gpu": ["acme", "gpu", "company"],
        "big": ["big", "company"],
        "own": None,
        "memory": None,
    }


def test_tags_that_replace_those_of_all_jobs_keep_what_one_asks_for(gitlab):
    document = gitlab(block("tags", "- company", keep=False))
    assert document[".rag"]["tags"] == ["company"]
    assert values(document, "tags") == {
        "plain": None,
        "gpu": ["company", "gpu"],
        "big": ["company", "big"],
        "own": None,
        "memory": None,
    }


def test_a_job_may_replace_all_tags(gitlab):
    document = gitlab(block("tags", "- company"), block("job_tags", "- windows", keep=False))
    assert set(map(tuple, values(document, "tags").values())) == {("windows",)}


@pytest.mark.parametrize("keep", [True, False])
def test_the_end_of_a_job_follows_that_of_all(gitlab, keep):
    document = gitlab(
        block("base_after_script", "- upload logs", "- {{ 'echo ' ~ config.name }}"),
        block("after_script", "# only here", '{% if step.id == "gpu" %}', "- nvidia-smi", "{% endif %}", keep=keep),
    )
    assert document[".rag"]["after_script"] == ["upload logs", "echo rag"]
    assert values(document, "after_script") == {
        "plain": None,
        "gpu": ["upload logs", "echo rag", "nvidia-smi"],
        "big": None,
        "own": None,
        "memory": None,
    }


@pytest.mark.parametrize(
    "lines",
    [
        ("  before_script:", "    - nvidia-smi"),
        ("  before_script: # mine", "", "  # then", "  - nvidia-smi"),
        ("  interruptible: true", "  before_script:", "    {{ ['nvidia-smi'] }}"),
        ("  coverage: {{ '/x/' }}", "  before_script:", "      - {{ 'nvidia-smi' }}"),
    ],
)
def test_the_start_of_a_job_follows_that_of_all(gitlab, lines):
    text = ('{% if step.id in ["gpu", "own"] %}', *lines, "{% else %}", "{{ super() }}", "{% endif %}")
    document = gitlab(block("before_script", "- proxy"), block("job_before_script", *text, keep=False))
    assert document[".rag"]["before_script"] == ["python -m pip install .", "proxy"]
    assert values(document, "before_script") == {
        "plain": None,
        "gpu": ["python -m pip install .", "proxy", "nvidia-smi"],
        "big": None,
        "own": ["proxy", "nvidia-smi"],
        "memory": None,
    }


def test_an_image_with_everything_only_skips_the_installation(gitlab):
    assert values(gitlab(), "before_script")["own"] == []
    document = gitlab(block("before_script", "- proxy"))
    assert values(document, "before_script")["own"] == ["proxy"]
    document = gitlab(block("before_script", "- proxy", keep=False))
    assert values(document, "before_script") == dict.fromkeys(values(document, "tags"))


MODELS = ("    - key: models", "      paths: [models]")
MODELS_CACHE = {"key": "models", "paths": ["models"]}
OWN_OUTPUT = {"key": "rag.memory", "paths": ["data/memory"]}


def test_a_cache_that_a_layer_adds_is_in_each_job(gitlab):
    document = gitlab(
        block("cache", "  cache: {{ config.cache + [{'key': 'models', 'paths': ['models']}] }}", keep=False)
    )
    packages, models = document[".rag"]["cache"]
    assert (packages.pop("policy"), models) == ("pull", MODELS_CACHE)
    assert values(document, "cache") == {
        "plain": [packages, MODELS_CACHE],  # the one that saves packages
        "gpu": None,
        "big": None,
        "own": [MODELS_CACHE],
        "memory": [packages | {"policy": "pull"}, OWN_OUTPUT, MODELS_CACHE],
    }


def test_a_cache_that_a_layer_writes_never_costs_a_step_its_last_output(gitlab):
    document = gitlab(block("cache", "  cache:", *MODELS, keep=False), block("job_cache", ""))
    assert document[".rag"]["cache"] == [MODELS_CACHE]
    assert values(document, "cache")["own"] is None
    assert OWN_OUTPUT in values(document, "cache")["memory"]


def test_what_is_merged_by_gitlab_is_not_repeated(gitlab):
    document = gitlab(
        block("base_variables", "PROXY: http://proxy") + block("id_tokens", "ACME: {aud: x}"),
        block("job_variables", "OWN: '1'"),
    )
    assert document[".rag"]["variables"]["PROXY"] == "http://proxy"
    assert document[".rag"]["id_tokens"] == {"ACME": {"aud": "x"}}
    assert "PROXY" not in document["plain"]["variables"]


def test_without_layers_a_job_repeats_nothing(gitlab):
    document = gitlab()
    assert values(document, "tags") == {
        "plain": None,
        "gpu": ["acme", "gpu"],
        "big": ["big"],
        "own": None,
        "memory": None,
    }
    assert set(values(document, "after_script").values()) == {None}


def test_a_block_that_does_not_exist_is_an_error(gitlab):
    with pytest.raises(TemplateError) as caught:
        gitlab(job=block("job_tags", '{{ block_of("gitlab/gitlab-ci.yml.j2", "tag") }}'))
    assert caught.value.where == "project/gitlab/_job.yml.j2:4"
    assert "has no block 'tag'" in caught.value.message
    assert caught.value.hint == "Did you mean tags?"
    with pytest.raises(TemplateError, match=r"there is no template 'gitlab/gitlab-ci\.yaml\.j2'"):
        gitlab(job=block("job_tags", '{{ block_of("gitlab/gitlab-ci.yaml.j2", "tags") }}'))
