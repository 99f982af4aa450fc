"""Files for GitLab CI/CD: jobs, artifacts, rules, variables that GitLab does not expand, and the schedule's script."""

import subprocess

import pytest
import yaml

from tests.backends.small import FORKED, STORE, STORE_KEYS, pipeline, reading, setting, step, stored
from wurzel.backends.gitlab import GitlabBackend
from wurzel.backends.gitlab.options import GitlabOptions
from wurzel.backends.support import unsupported_uses
from wurzel.invocation.layout import layout_digest
from wurzel.ir.model import OnFailure, Retry, SecretRef, Shards, Store, Triggers
from wurzel.ir.pods import Limits, Resources, Toleration
from wurzel.ir.schedule import Schedule
from wurzel.testing import check_backend, full_pipeline, render_texts

HOSTILE = "$CI_COMMIT_BRANCH $(touch pwned) `touch pwned` '; touch pwned # \" \\ %PATH% $$ ${HOME}"


def by_data(most):
    """A step with as many slices as its data has portions."""
    return step().model_copy(update={"shards": Shards(items=500, max=most)})


def asked(options):
    """The options, with a job for each step unless a test says otherwise; `layout=None` is the default."""
    return GitlabOptions.model_validate({"layout": "steps", **options})


def files(subject, **options):
    return render_texts(subject, "gitlab", asked(options))


def documents(subject, **options):
    text = next(text for path, text in files(subject, **options).items() if path.endswith(".yml"))
    return list(yaml.safe_load_all(text))


def config(subject, **options):
    return documents(subject, **options)[-1]


def shared(document):
    """What all jobs of a file have: that of the hidden job, or of the only one."""
    (found,) = [document[".rag"]] if ".rag" in document else [job for job in document.values() if "script" in job]
    return found


def extended(document, name):
    """A job as GitLab reads it: with what the job that it extends has, mappings merged."""
    job = document[name]
    if "extends" not in job:
        return job
    merged = document[job["extends"]] | job
    for key in ("artifacts", "variables"):
        merged[key] = document[job["extends"]].get(key, {}) | job.get(key, {})
    return merged


def problems(subject, **options):
    found = GitlabBackend().preflight(subject, asked(options))
    return "\n".join(str(problem) for problem in found)


@pytest.mark.parametrize(
    "options",
    [
        *({"layout": "steps"}, {"kind": "include"}, {"kind": "component"}, {"parameters": "inputs"}, {"setup": "uv"}),
        {"layout": "auto"},
    ],
)
def test_no_field_is_dropped_in_silence(options):
    assert check_backend("gitlab", **options) > 30


def test_jobs_follow_the_edges_and_their_data_expires():
    document = config(full_pipeline())
    assert document["words"]["needs"] == []
    assert document["suffix"]["needs"] == ["words"]
    assert document["suffix"]["parallel"] == 3
    assert document["suffix"]["script"][-1].endswith('--shard "$CI_NODE_INDEX/$CI_NODE_TOTAL"')
    for name in ("words", "suffix", "join"):
        assert document[name]["extends"] == ".everything"
        job = extended(document, name)
        assert job["artifacts"] == {"paths": [f"data/{name}"], "expire_in": "7d", "access": "developer"}
        assert job["timeout"]


def scripts(document):
    return {name: job["script"] for name, job in document.items() if isinstance(job, dict) and "script" in job}


def test_no_text_of_a_user_enters_a_shell_line():
    def with_text(text):
        settings = (
            setting(type="str", text=True, given=True, value=text),
            setting(name="LANG", variable="EMBED__LANG", text=True, default=text, parameter=True, description=text),
        )
        one = step(description=text, settings=settings, env={"A": text})
        other = step("next", needs=("embed",), description=text, annotations={"a": text})
        return pipeline(one, other, description=text, env={"B": text}, schedule=Schedule(cron="0 4 * * *"))

    for options in ({}, {"kind": "component"}):
        hostile, harmless = (config(with_text(text), **options) for text in (HOSTILE, "harmless"))
        assert scripts(hostile) == scripts(harmless)
        assert shared(hostile)["before_script"] == shared(harmless)["before_script"]
    hostile, harmless = (files(with_text(text))[".gitlab/schedule-rag.sh"] for text in (HOSTILE, "harmless"))
    assert hostile == harmless


@pytest.mark.parametrize("text", [HOSTILE, "100%", "a$b", "plain", ""])
def test_gitlab_expands_no_value(text):
    document = config(pipeline(step(env={"A": text}), env={"B": text}))
    for value in (document["embed"]["variables"]["A"], shared(document)["variables"]["B"]):
        if "$" in text or "%" in text:
            assert value == {"value": text, "expand": False}
        else:
            assert value == text


def test_paths_of_artifacts_name_no_variable():
    document = config(pipeline(data_dir="da ta/$HOME it's"))
    assert document["embed"]["artifacts"]["paths"] == ["da ta/?HOME it's/embed"]
    assert document["embed"]["script"] == ['wurzel step steps:Embed --id embed -o "da ta/\\$HOME it\'s/embed"']


def test_a_root_file_runs_by_schedule_by_hand_and_by_api():
    document = config(pipeline(schedule=Schedule(cron="0 4 * * *")))
    sources = [rule["if"].split('"')[1] for rule in document["workflow"]["rules"]]
    assert sources == ["schedule", "web", "api", "trigger"]
    assert document["workflow"]["name"] == "rag"
    assert document["stages"] == ["rag"]
    assert shared(document)["stage"] == "rag"
    assert "schedule" not in str(config(pipeline())["workflow"])
    rules = [{"if": '$CI_COMMIT_BRANCH == "main"'}]
    assert config(pipeline(), rules=rules)["workflow"]["rules"] == rules


@pytest.mark.parametrize("rules", [None, [{"when": "never"}], [{"if": '$CI_PIPELINE_SOURCE == "merge_request_event"'}]])
@pytest.mark.parametrize("kind", ["root", "include"])
def test_merge_requests_run_it_too_if_asked(kind, rules):
    asked = {"if": '$CI_PIPELINE_SOURCE == "merge_request_event"'}

    def found(**options):
        document = config(pipeline(), kind=kind, **({} if rules is None else {"rules": rules}), **options)
        return (document["workflow"] if kind == "root" else shared(document))["rules"]

    others = [rule for rule in found() if rule != asked]
    assert found(pull_request=True) == [asked, *others]
    if rules is None:
        assert asked not in found()


def test_a_file_to_include_shares_its_space():
    document = config(pipeline(step(), step("default", needs=("embed",))), kind="include")
    assert list(document) == [".rag", "rag:embed", "rag:default"]
    assert document["rag:default"]["needs"] == ["rag:embed"]
    assert shared(document)["stage"] == "test"
    assert shared(document)["rules"] == [{"if": '$WURZEL_PIPELINE == "rag"'}]
    assert shared(document)["inherit"] == {"default": False, "variables": False}
    assert "inherit" not in shared(config(pipeline()))
    scheduled = files(pipeline(schedule=Schedule(cron="0 4 * * *")), kind="include")
    assert sorted(scheduled) == [".gitlab/rag.gitlab-ci.yml", ".gitlab/schedule-rag.sh"]
    (rule,) = shared(yaml.safe_load(scheduled[".gitlab/rag.gitlab-ci.yml"]))["rules"]
    assert rule["if"] == '$CI_PIPELINE_SCHEDULE_DESCRIPTION == "wurzel: rag" || $WURZEL_PIPELINE == "rag"'
    assert "--variable" not in scheduled[".gitlab/schedule-rag.sh"]  # projects may refuse them
    assert "name='wurzel: rag'" in scheduled[".gitlab/schedule-rag.sh"]


NIGHTLY = Schedule(cron="0 4 * * *")
PAIR = (step(), step("next", needs=("embed",)))


@pytest.mark.parametrize("kind", ["root", "include"])
def test_runs_of_several_jobs_wait_for_each_other(kind):
    one = step(settings=(setting(parameter=True, default=7),))
    found = files(pipeline(one, PAIR[1], schedule=NIGHTLY), kind=kind)
    path = ".gitlab-ci.yml" if kind == "root" else ".gitlab/rag.gitlab-ci.yml"
    assert list(found) == [".gitlab/rag.pipeline.yml", path, ".gitlab/schedule-rag.sh"]
    child, parent = yaml.safe_load(found[".gitlab/rag.pipeline.yml"]), yaml.safe_load(found[path])
    job = parent["rag"]
    assert job["resource_group"] == "rag"
    assert job["trigger"] == {
        "include": [{"local": ".gitlab/rag.pipeline.yml"}],
        "strategy": "depend",
        "forward": {"pipeline_variables": True, "yaml_variables": False},
    }
    assert ("workflow" in parent, "rules" in job) == (kind == "root", kind == "include")
    assert job.get("inherit") == (None if kind == "root" else {"default": False, "variables": False})
    assert parent["variables"]["EMBED__SIZE"]["value"] == "7"
    assert [name for name, each in child.items() if "extends" in each] == ["embed", "next"]
    assert child["embed"]["variables"]["EMBED__SIZE"] == "7"
    assert "variables" not in child
    assert child["workflow"]["rules"] == [{"when": "always"}]
    assert shared(child)["rules"] == [{"when": "on_success"}]
    assert "resource_group" not in str(child)
    assert "resource_groups/rag" in found[".gitlab/schedule-rag.sh"]
    assert "process_mode=oldest_first" in found[".gitlab/schedule-rag.sh"]


def test_the_child_pipeline_gets_the_inputs():
    one = step(settings=(setting(parameter=True, default=7),))
    found = files(pipeline(one, PAIR[1], schedule=NIGHTLY), parameters="inputs")
    _, parent = yaml.safe_load_all(found[".gitlab-ci.yml"])
    assert parent["rag"]["trigger"]["include"][0]["inputs"] == {"EMBED__SIZE": "$[[ inputs.EMBED__SIZE ]]"}
    header, child = yaml.safe_load_all(found[".gitlab/rag.pipeline.yml"])
    assert header["spec"]["inputs"]["EMBED__SIZE"]["default"] == 7
    assert child["embed"]["variables"]["EMBED__SIZE"] == "$[[ inputs.EMBED__SIZE ]]"


def test_runs_that_may_overlap_and_components_have_one_file():
    for concurrency in ("allow", "replace"):
        schedule = Schedule(cron="0 4 * * *", concurrency=concurrency)
        assert list(files(pipeline(*PAIR, schedule=schedule))) == [".gitlab-ci.yml", ".gitlab/schedule-rag.sh"]
    found = files(pipeline(*PAIR, schedule=NIGHTLY), kind="component")
    assert list(found) == ["templates/rag.yml", ".gitlab/schedule-rag.sh"]
    _, body = yaml.safe_load_all(found["templates/rag.yml"])
    assert [body[f"rag:{name}"]["resource_group"] for name in ("embed", "next")] == ["rag/embed", "rag/next"]
    assert "process_mode" not in found[".gitlab/schedule-rag.sh"]
    single = files(pipeline(*PAIR, schedule=NIGHTLY), layout="single")
    assert yaml.safe_load(single[".gitlab-ci.yml"])["rag"]["resource_group"] == "rag"
    assert "resource_groups/rag " in single[".gitlab/schedule-rag.sh"]


def test_stages_show_what_runs_side_by_side():
    steps = (step("words"), *(step(name, needs=("words",)) for name in ("a", "b")), step("join", needs=("a", "b")))
    document = config(pipeline(*steps))
    assert document["stages"] == ["words", "a, b", "join"]
    assert [document[name]["stage"] for name in ("words", "a", "b", "join")] == ["words", "a, b", "a, b", "join"]
    assert "stage" not in shared(document)
    many = config(pipeline(step("words"), *(step(f"long-{n}", needs=("words",)) for n in range(20))))
    assert many["stages"] == ["words", "long-0 and 19 more"]
    own = config(pipeline(*steps), stage="data")
    assert (own["stages"], shared(own)["stage"]) == (["data"], "data")
    assert shared(config(pipeline(*steps), kind="include"))["stage"] == "test"


def test_only_the_first_job_uploads_what_the_installer_downloads():
    document = config(pipeline(step("words", image="y"), *PAIR, step("last", needs=("next",))))
    (cache,) = shared(document)["cache"]
    assert cache["policy"] == "pull"
    assert document["embed"]["cache"] == [{name: value for name, value in cache.items() if name != "policy"}]
    assert "cache" not in document["next"]
    assert document["words"]["cache"] == []


PARAMETERS = (
    setting(parameter=True, default=64, description="of a batch"),
    setting(name="FLAG", variable="EMBED__FLAG", type="bool", parameter=True, default=False),
    setting(name="NEW", variable="EMBED__NEW", parameter=True, required=True),
    setting(name="HINT", variable="EMBED__HINT", type="str | None", text=True, parameter=True),
    setting(name="RATE", variable="EMBED__RATE", type="float", parameter=True, default=0.5),
    setting(name="SIGN", variable="EMBED__SIGN", type="str", text=True, parameter=True, default="$"),
)


def test_a_file_to_include_keeps_its_defaults_beside_other_files():
    """Variables of included files are one mapping, in which the last file wins; those of a job are stronger."""
    one = step(settings=(setting(parameter=True, default=7),))
    for layout in ("steps", "auto"):
        document = config(pipeline(one), kind="include", layout=layout)
        assert document["variables"]["EMBED__SIZE"]["value"] == "7"
        jobs = [job for name, job in document.items() if name.startswith("rag:")]
        assert [job["variables"]["EMBED__SIZE"] for job in jobs] == ["7"]
    assert "EMBED__SIZE" not in config(pipeline(one))["embed"].get("variables", {})


def test_parameters_are_variables_of_a_run():
    document = config(pipeline(step(settings=PARAMETERS)))
    assert document["variables"] == {
        "EMBED__SIZE": {"value": "64", "description": "of a batch"},
        "EMBED__FLAG": {"value": "false", "description": "FLAG", "options": ["true", "false"]},
        "EMBED__NEW": {"description": "NEW"},
        "EMBED__HINT": {"value": "", "description": "HINT"},
        "EMBED__RATE": {"value": "0.5", "description": "RATE"},
        "EMBED__SIGN": {"value": "$", "description": "SIGN", "expand": False},
    }
    assert not document["variables"].keys() & document["embed"]["variables"].keys()
    assert document["embed"]["script"][0] == '[ -n "${EMBED__HINT}" ] || unset EMBED__HINT'


@pytest.mark.parametrize("options", [{"kind": "component"}, {"parameters": "inputs"}])
def test_parameters_are_typed_inputs(options):
    header, body = documents(pipeline(step(settings=PARAMETERS)), **options)
    inputs = header["spec"]["inputs"]
    assert inputs["EMBED__SIZE"] == {"description": "of a batch", "type": "number", "default": 64}
    assert inputs["EMBED__RATE"] == {"description": "RATE", "type": "string", "default": "0.5"}
    assert inputs["EMBED__FLAG"]["options"] == ["true", "false"]
    assert "default" not in inputs["EMBED__NEW"]
    job = body["rag:embed" if options.get("kind") else "embed"]
    assert job["variables"]["EMBED__SIZE"] == "$[[ inputs.EMBED__SIZE ]]"
    assert job["variables"]["EMBED__SIGN"] == {"value": "$[[ inputs.EMBED__SIGN ]]", "expand": False}
    assert "variables" not in body


def test_a_component_has_inputs_for_its_surroundings():
    header, body = documents(pipeline(), kind="component", stage="build")
    assert header["spec"]["inputs"]["stage"]["default"] == "build"
    assert header["spec"]["inputs"]["image"]["default"] == "python:3.12-slim"
    assert header["spec"]["inputs"]["rules"] == {
        "description": "When the pipeline runs",
        "type": "array",
        "default": [{"if": '$WURZEL_PIPELINE == "rag"'}],
    }
    assert shared(body)["stage"] == "$[[ inputs.stage ]]"
    assert shared(body)["rules"] == "$[[ inputs.rules ]]"


@pytest.mark.parametrize(
    ("retry", "expected", "emulated"),
    [
        (Retry(limit=2), {"max": 2}, False),
        (Retry(limit=3), {"max": 2, "when": ["runner_system_failure", "stuck_or_timeout_failure"]}, True),
        (
            Retry(limit=1, backoff=30),
            {"max": 1, "when": ["runner_system_failure", "stuck_or_timeout_failure"]},
            True,
        ),
        (Retry(), None, False),
    ],
)
def test_retries_are_native_as_far_as_they_go(retry, expected, emulated):
    job = extended(config(pipeline(step(retry=retry, timeout=60))), "embed")
    assert job.get("retry") == expected
    assert (f"--retries {retry.limit}" in job["script"][0]) == emulated
    assert "--timeout 1m" in job["script"][0]


def test_the_timeout_of_a_job_holds_its_tries():
    assert extended(config(pipeline()), "embed")["timeout"] == "6h"
    native = step(timeout=3600, retry=Retry(limit=2))
    assert extended(config(pipeline(native)), "embed")["timeout"] == "1h 10m"
    emulated = step(timeout=3600, retry=Retry(limit=2, backoff=30, factor=2))
    assert extended(config(pipeline(emulated)), "embed")["timeout"] == "3h 11m 30s"


@pytest.mark.parametrize(
    ("concurrency", "group", "interruptible"),
    [("forbid", "rag/embed", False), ("replace", None, True), ("allow", None, False)],
)
def test_concurrency(concurrency, group, interruptible):
    document = config(pipeline(schedule=Schedule(cron="0 4 * * *", concurrency=concurrency)))
    assert document["embed"].get("resource_group") == group
    assert shared(document).get("interruptible", False) is interruptible
    assert document["workflow"]["auto_cancel"] == {"on_new_commit": "interruptible" if interruptible else "none"}


def test_shards_do_not_wait_for_each_other():
    document = config(pipeline(step(shards=3), schedule=Schedule(cron="0 4 * * *")))
    assert document["embed"]["resource_group"] == "rag/embed/$CI_NODE_INDEX"


def test_secrets_are_checked_and_taken_by_name():
    secrets = {"OPENAI_API_KEY": SecretRef(name="openai", key="api-key")}
    own = {"EMBED__KEY": SecretRef(name="vault/path", key="token")}
    job = config(pipeline(step(secrets=own), secrets=secrets))["embed"]
    assert job["script"][:2] == [
        ': "${OPENAI_API_KEY:?the CI/CD variable OPENAI_API_KEY is missing or empty}"',
        'export EMBED__KEY="${VAULT_PATH_TOKEN:?the CI/CD variable VAULT_PATH_TOKEN is missing or empty}"',
    ]
    vault = config(pipeline(step(secrets=own)), vault={"audience": "https://vault.example"})
    assert shared(vault)["id_tokens"] == {"VAULT_ID_TOKEN": {"aud": "https://vault.example"}}
    assert vault["embed"]["secrets"]["EMBED__KEY"] == {
        "vault": {"engine": {"name": "kv-v2", "path": "secret"}, "path": "vault/path", "field": "token"},
        "file": False,
        "token": "$VAULT_ID_TOKEN",
    }
    assert len(vault["embed"]["script"]) == 1


def test_what_starts_a_pipeline_besides_the_clock():
    subject = pipeline(triggers=Triggers(push=("main",), webhook=True))
    rule = {"if": '$CI_PIPELINE_SOURCE == "push" && $CI_COMMIT_BRANCH == "main"'}
    (text,) = render_texts(subject, "gitlab", asked({"kind": "include"})).values()
    assert rule in shared(yaml.safe_load(text))["rules"]
    post = "# A POST to /api/v4/projects/:id/trigger/pipeline with a trigger token"
    assert f"{post} and variables[WURZEL_PIPELINE]=rag starts it.\n" in text
    assert f"{post} starts it.\n" in next(iter(render_texts(subject, "gitlab", asked({})).values()))
    assert rule in config(subject, kind="root")["workflow"]["rules"]
    (report,) = unsupported_uses(GitlabBackend(), subject, options=asked({"rules": [{"when": "always"}]}))
    assert report.feature == "push"


def test_a_job_tells_of_a_failure():
    told = OnFailure(
        webhook="https://hooks.example/x", secrets={"T": SecretRef(name="chat", key="token")}, command=("say",)
    )
    job = config(pipeline(on_failure=told))["on-failure"]
    assert (job["stage"], job["when"], "needs" in job) == (".post", "on_failure", False)
    assert (job["dependencies"], job.get("cache", []), job.get("artifacts"), job["timeout"]) == ([], [], None, "15m")
    assert job["variables"]["WURZEL_WEBHOOK"] == "https://hooks.example/x"
    assert job["variables"]["WURZEL_LINK"] == "$CI_PIPELINE_URL"
    assert job["script"] == [
        'export T="${CHAT_TOKEN:?the CI/CD variable CHAT_TOKEN is missing or empty}"',
        "wurzel notify rag --webhook -- say",
    ]
    ruled = [{"if": "$NEVER", "when": "never"}, {"if": "$LATER", "when": "delayed", "start_in": "1h"}, {"if": "$A"}]
    (text,) = render_texts(pipeline(on_failure=told), "gitlab", asked({"kind": "include", "rules": ruled})).values()
    job = next(job for name, job in yaml.safe_load(text).items() if name.endswith("on-failure"))
    assert job["rules"] == [ruled[0], {"if": "$LATER", "when": "on_failure"}, {"if": "$A", "when": "on_failure"}]
    assert "when" not in job
    vault = config(pipeline(on_failure=told), vault={"audience": "https://vault.example"})["on-failure"]
    assert vault["secrets"]["T"]["vault"]["path"] == "chat"


def test_pods_are_shaped_by_variables():
    one = step(
        resources=Resources(cpu="500m", memory="1Gi", gpu={"amd.com/gpu": 1}, ephemeral_storage="5Gi"),
        limits=Limits(memory="2Gi", ephemeral_storage="6Gi"),
        node_selector={"gpu": "a100"},
        tolerations=(
            Toleration(key="nvidia.com/gpu", operator="Exists", effect="NoSchedule"),
            Toleration(key="team", value="ml"),
        ),
        labels={"part": "embed"},
    )
    subject = pipeline(one, labels={"team": "data"}, annotations={"a/b": "c"}, service_account="rag")
    job = config(subject, tags=["linux"], gpu_tags=["gpu"])["embed"]
    assert job["tags"] == ["linux", "gpu"]
    assert job["variables"] == {
        "KUBERNETES_CPU_REQUEST": "500m",
        "KUBERNETES_MEMORY_REQUEST": "1Gi",
        "KUBERNETES_EPHEMERAL_STORAGE_REQUEST": "5Gi",
        "KUBERNETES_MEMORY_LIMIT": "2Gi",
        "KUBERNETES_EPHEMERAL_STORAGE_LIMIT": "6Gi",
        "KUBERNETES_SERVICE_ACCOUNT_OVERWRITE": "rag",
        "KUBERNETES_NODE_SELECTOR_1": "gpu=a100",
        "KUBERNETES_NODE_TOLERATIONS_1": "nvidia.com/gpu:NoSchedule",
        "KUBERNETES_NODE_TOLERATIONS_2": "team=ml:",
        "KUBERNETES_POD_LABELS_1": "team=data",
        "KUBERNETES_POD_LABELS_2": "part=embed",
        "KUBERNETES_POD_ANNOTATIONS_1": "a/b=c",
    }


def test_images_have_everything_and_the_base_image_is_installed_in():
    subject = pipeline(step(), step("next", image="ghcr.io/acme/next:1", needs=("embed",)))
    document = config(subject)
    assert shared(document)["image"] == "python:3.12-slim"
    assert shared(document)["before_script"] == ["python -m pip install ."]
    assert document["embed"]["cache"] == [
        {"key": {"files": ["pyproject.toml"], "prefix": "pip-3.12"}, "paths": [".cache/pip"]}
    ]
    assert "cache" not in shared(document)  # no job would use it
    assert document["next"]["image"] == "ghcr.io/acme/next:1"
    assert document["next"]["before_script"] == []
    assert "cache" not in document["next"]
    whole = config(pipeline(image="ghcr.io/acme/rag:1"))
    assert shared(whole)["image"] == "ghcr.io/acme/rag:1"
    assert "before_script" not in shared(whole)
    assert "cache" not in shared(whole)
    uv = config(pipeline(), setup="uv", checkout=False)
    assert shared(uv)["image"] == "ghcr.io/astral-sh/uv:python3.12-bookworm-slim"
    assert shared(uv)["variables"]["UV_CACHE_DIR"] == "$CI_PROJECT_DIR/.cache/uv"
    assert shared(uv)["variables"]["GIT_STRATEGY"] == "none"
    assert uv["embed"]["script"][0].startswith("uv run --no-sync wurzel step ")


def test_a_self_consuming_step_keeps_its_output_in_the_cache():
    document = config(pipeline(step("memory", self_consuming=True)))
    assert document["memory"]["cache"][-1] == {"key": "rag.memory", "paths": ["data/memory"]}
    assert document["memory"]["cache"][0] == shared(document)["cache"][0]


def test_jobs_may_differ():
    document = config(
        pipeline(step(), step("next")),
        environment="prod",
        jobs={"next": {"tags": ["big"], "environment": "staging"}},
        id_tokens={"AWS_TOKEN": {"aud": "https://aws.example"}},
    )
    assert document["embed"]["environment"] == {"name": "prod", "action": "access"}
    assert document["next"]["environment"]["name"] == "staging"
    assert document["next"]["tags"] == ["big"]
    assert shared(document)["id_tokens"] == {"AWS_TOKEN": {"aud": "https://aws.example"}}


@pytest.mark.parametrize(
    ("subject", "options", "message"),
    [
        (pipeline(step(shards=201)), {}, "201 shards; `parallel` allows at most 200"),
        (pipeline(by_data(201)), {}, "up to 201 shards; `parallel` allows at most 200"),
        (pipeline(step("pages")), {}, "GitLab reserves that name"),
        (pipeline(*(step(f"s{n}") for n in range(51)), step(needs=tuple(f"s{n}" for n in range(51)))), {}, "needs 51"),
        (pipeline(step("x" * 63)).model_copy(update={"name": "y" * 70}), {"kind": "include"}, "at most 128"),
        (pipeline(data_dir="da*ta"), {}, "read as a pattern"),
        (pipeline(env={"A": "$[[ inputs.x ]]"}), {"kind": "component"}, "env.A contains $[["),
        (pipeline(step(tolerations=(Toleration(operator="Exists"),))), {}, "a toleration without a key"),
        (pipeline(), {"jobs": {"embd": {}}}, "Did you mean embed?"),
    ],
)
def test_preflight(subject, options, message):
    assert message in problems(subject, **options)
    assert not problems(pipeline())


def test_reserved_names_are_free_below_a_prefix():
    assert not problems(pipeline(step("pages")), kind="include")
    assert not problems(pipeline(env={"A": "$[[ inputs.x ]]"}))


RUNNER = {"max": 2, "when": ["runner_system_failure", "stuck_or_timeout_failure"]}


def jobs(document):
    return {name: extended(document, name) for name, job in document.items() if "script" in job}


@pytest.mark.parametrize("layout", ["single", "auto", None])
def test_one_job_runs_all_steps_and_keeps_results_and_cache(layout):
    document = config(pipeline(*FORKED, image="x", schedule=Schedule(cron="0 4 * * *")), layout=layout)
    assert list(jobs(document)) == ["rag"]
    assert list(document)[-1] == "rag"
    assert ".rag" not in document
    assert document["rag"] == {
        "needs": [],
        "resource_group": "rag",
        "script": ["wurzel run rag -j 2 --junit junit.xml"],
        "stage": "rag",
        "image": "x",
        "retry": RUNNER,
        "timeout": "6h",
        "cache": [
            {
                "key": "wurzel.rag.$CI_COMMIT_REF_SLUG",
                "fallback_keys": ["wurzel.rag.$CI_DEFAULT_BRANCH_SLUG"],
                "paths": [".wurzel", "data"],
                "when": "always",
            }
        ],
        "artifacts": {
            "expire_in": "7d",
            "access": "developer",
            "when": "always",
            "reports": {"junit": "junit.xml"},
            "paths": ["data/join"],
        },
    }


def test_only_what_leaves_a_job_is_an_artifact():
    grouped = pipeline(*FORKED[:3], reading("join", "upper", "reverse", image="y"), image="x")
    document = config(grouped, layout="auto")
    found = jobs(document)
    assert list(found) == ["words-reverse", "join"]
    assert found["words-reverse"]["script"] == [
        "wurzel run rag --only words,upper,reverse -j 2 --junit junit.xml",
    ]
    assert found["words-reverse"]["artifacts"]["paths"] == ["data/upper", "data/reverse"]
    assert found["join"]["needs"] == ["words-reverse"]
    assert found["join"]["image"] == "y"
    (cache,) = found["words-reverse"]["cache"]
    assert cache["key"] == "wurzel.rag.words-reverse.$CI_COMMIT_REF_SLUG"
    assert cache["paths"] == [".wurzel", "data/words", "data/upper", "data/reverse"]
    assert shared(document)["variables"] == {"WURZEL_LAYOUT": layout_digest(grouped)}


def test_a_sliced_step_that_is_large_runs_in_parallel_jobs():
    large = reading("upper", "words", shards=3, resources=Resources(cpu="500m", memory="1Gi"))
    found = jobs(config(pipeline(step("words"), large, reading("join", "upper")), layout="auto"))
    assert list(found) == ["words", "upper", "join"]
    assert found["upper"]["parallel"] == 3
    assert found["upper"]["script"] == [
        'wurzel run rag --only upper --junit junit.xml --shard "$CI_NODE_INDEX/$CI_NODE_TOTAL"'
    ]
    assert found["upper"]["variables"]["KUBERNETES_CPU_REQUEST"] == "500m"
    assert found["upper"]["variables"]["KUBERNETES_MEMORY_REQUEST"] == "1Gi"
    assert [cache["paths"] for cache in found["upper"]["cache"]] == [[".cache/pip"]]


def test_a_job_requests_what_runs_side_by_side():
    asked = {"resources": Resources(cpu="400m", memory="512Mi"), "limits": Limits(memory="1Gi")}
    steps = (step("words", **asked), reading("upper", "words", **asked), reading("reverse", "words", **asked))
    found = jobs(config(pipeline(*steps), layout="single"))["rag"]
    assert found["variables"] == {
        "KUBERNETES_CPU_REQUEST": "800m",
        "KUBERNETES_MEMORY_REQUEST": "1Gi",
        "KUBERNETES_MEMORY_LIMIT": "2Gi",
        "PIP_CACHE_DIR": "$CI_PROJECT_DIR/.cache/pip",
    }
    narrow = jobs(config(pipeline(*steps, parallelism=1), layout="single"))["rag"]
    assert narrow["script"] == ["wurzel run rag -j 1 --junit junit.xml"]
    assert narrow["variables"]["KUBERNETES_CPU_REQUEST"] == "400m"


def test_settings_and_variables_are_read_from_the_configuration():
    secret = {"TOKEN": SecretRef(name="s", key="t")}
    busy = step(env={"A": "1"}, secrets=secret, settings=(setting(given=True, value=3, parameter=True),))
    found = jobs(config(pipeline(busy, env={"B": "2"}, image="x"), layout="single"))["embed"]
    assert found["variables"] == {"B": "2"}  # also for the installation
    assert found["script"] == [
        'export TOKEN="${S_T:?the CI/CD variable S_T is missing or empty}"',
        "wurzel run rag --junit junit.xml",
    ]
    found = jobs(config(pipeline(busy, image="x"), layout="single", parameters="inputs"))["embed"]
    assert found["variables"] == {"EMBED__SIZE": "$[[ inputs.EMBED__SIZE ]]"}


def test_what_most_jobs_have_stands_once():
    timed = {"timeout": 60, "retry": Retry(limit=1), "resources": Resources(cpu="1")}
    steps = (step("words", **timed), reading("upper", "words", **timed), reading("join", "upper", timeout=120))
    document = config(pipeline(*steps))
    assert shared(document)["retry"] == {"max": 1}
    assert shared(document)["timeout"] == "11m"
    assert [document[name].keys() & {"retry", "timeout"} for name in ("words", "upper")] == [set(), set()]
    assert (document["join"]["retry"], document["join"]["timeout"]) == (0, "12m")
    assert "KUBERNETES_CPU_REQUEST" not in shared(document)["variables"]
    alike = config(pipeline(*steps[:2]))
    assert shared(alike)["variables"]["KUBERNETES_CPU_REQUEST"] == "1"
    assert "variables" not in alike["words"]


def test_what_differs_splits_an_automatic_job_and_breaks_a_group():
    steps = (step("words"), reading("upper", "words", labels={"a": "b"}), reading("join", "upper"))
    assert list(jobs(config(pipeline(*steps), layout="auto"))) == ["words", "upper", "join"]
    group = [one.model_copy(update={"group": "g"}) for one in steps]
    assert "their placement differs" in problems(pipeline(*group))
    pair = (group[0], reading("join", "words", group="g"))
    assert "their runner differs" in problems(pipeline(*pair), jobs={"words": {"tags": ["big"]}})


IDENTITY = {"role": "arn:aws:iam::1:role/rag", "untrusted_role": "arn:aws:iam::1:role/it's", "audience": "minio"}


@pytest.mark.parametrize("layout", ["steps", "auto", "single"])
def test_with_a_store_no_data_crosses_as_an_artifact(layout):
    data = config(stored(secrets=STORE_KEYS), layout=layout)
    for name in [name for name, job in data.items() if "script" in job and "extends" in job]:
        job = extended(data, name)
        assert "paths" not in job["artifacts"]  # the report stays
        assert job["artifacts"]["reports"] == {"junit": "junit.xml"}
        assert [entry for entry in job.get("cache", ()) if ".wurzel" in entry["paths"]] == []
        assert job["script"][:2] == [
            'export WURZEL_STORE_ACCESS_KEY_ID="${MINIO_ID:?the CI/CD variable MINIO_ID is missing or empty}"',
            'export WURZEL_STORE_SECRET_ACCESS_KEY="${MINIO_KEY:?the CI/CD variable MINIO_KEY is missing or empty}"',
        ]
        assert job["script"][2] == '[ "$CI_COMMIT_REF_PROTECTED" = true ] || export WURZEL_STORE_CACHE=read'
        assert job["script"][3].startswith("wurzel run ")


def test_the_identity_of_a_store_is_an_id_token_and_depends_on_the_branch():
    data = config(stored(identity=IDENTITY), layout="steps")
    assert shared(data)["id_tokens"] == {"WURZEL_STORE_ID_TOKEN": {"aud": "minio"}}
    assert shared(data)["variables"]["WURZEL_STORE_ROLE_ARN"] == "arn:aws:iam::1:role/rag"
    (line, _) = data["words"]["script"]
    script = line + '; printf "%s %s" "$WURZEL_STORE_CACHE" "$WURZEL_STORE_ROLE_ARN"'
    for protected, expected in (("true", " role"), ("", "read arn:aws:iam::1:role/it's")):
        env = {"CI_COMMIT_REF_PROTECTED": protected, "WURZEL_STORE_ROLE_ARN": "role"}
        done = subprocess.run(["sh", "-c", script], env=env, capture_output=True, text=True, check=True)
        assert done.stdout == expected
    read = config(stored(identity={"role": "arn:aws:iam::1:role/rag"}, cache="read"), layout="steps")
    assert len(read["words"]["script"]) == 1


def test_with_a_store_every_job_gets_every_parameter():
    own = setting(variable="UPPER__SIZE", given=True, value=2, parameter=True)
    what = pipeline(step("words"), step("upper", needs=("words",), settings=(own,)), store=Store(**STORE))
    data = config(what, layout="steps", parameters="inputs")
    assert "UPPER__SIZE" in extended(data, "words")["variables"]
    without = config(what.model_copy(update={"store": None}), layout="steps", parameters="inputs")
    assert "UPPER__SIZE" not in extended(without, "words")["variables"]


def test_keys_of_a_store_come_from_the_vault_where_secrets_do():
    data = config(stored(secrets=STORE_KEYS), vault={"audience": "https://vault", "mount": "kv"})
    job = next(job for job in data.values() if "secrets" in job)
    assert job["secrets"]["WURZEL_STORE_ACCESS_KEY_ID"]["vault"]["path"] == "minio"


def test_the_only_job_of_a_file_to_include_has_its_title():
    document = config(pipeline(*FORKED), layout="auto", kind="include", name="nightly")
    assert list(jobs(document)) == ["nightly"]
    assert document["nightly"]["script"] == ["wurzel run rag -j 2 --junit junit.xml"]
