"""Workflows for GitHub Actions: what an expert would merge, and nothing of a user's text in a shell line."""

import json
import re
from functools import partial

import pytest
import yaml

from tests.backends.small import FORKED, STORE, STORE_KEYS, WORD, pipeline, reading, setting, step, stored
from wurzel.backends import anchors
from wurzel.backends.ci.home import Home
from wurzel.backends.github import GithubBackend
from wurzel.backends.github.options import GithubOptions
from wurzel.backends.github.runner import escape
from wurzel.backends.github.triggers import AFTER
from wurzel.backends.job import Job
from wurzel.backends.rendering import render
from wurzel.exceptions import PreflightError, VerifyError
from wurzel.invocation.call import RunCall
from wurzel.invocation.layout import layout_digest
from wurzel.ir.model import Edge, InputPort, OnFailure, OutputPort, Retry, SecretRef, Shards, Step, Store, Triggers
from wurzel.ir.pods import Resources
from wurzel.ir.schedule import Schedule
from wurzel.render import Renderer
from wurzel.testing import check_backend, full_pipeline, render_texts

HOSTILE = "${{ github.event.issue.title }} $(touch pwned) `touch pwned` '; touch pwned # \" \\"


def asked(options):
    """The options, with a job for each step unless a test says otherwise; `layout=None` is the default."""
    return GithubOptions.model_validate({"layout": "steps", **options})


def text_of(subject, **options):
    (text,) = render_texts(subject, "github", asked(options)).values()
    return text


def workflow(subject, **options):
    return yaml.safe_load(text_of(subject, **options))


def named(job, name):
    return next(item for item in job["steps"] if item["name"].startswith(name))


def problems(subject, **options):
    found = GithubBackend().preflight(subject, asked(options))
    return "\n".join(str(problem) for problem in found)


@pytest.mark.parametrize(
    "options", [{"layout": "steps"}, {"legacy": True}, {"setup": "uv"}, {"checkout": False}, {"layout": "auto"}]
)
def test_no_field_is_dropped_in_silence(options):
    assert check_backend("github", **options) > 30


def test_every_job_is_pinned_limited_and_least_privileged():
    text = text_of(full_pipeline())
    document = yaml.safe_load(text)
    assert document["permissions"] == {}
    assert document["concurrency"] == {"group": "everything-${{ github.ref }}"}
    assert document["defaults"] == {"run": {"shell": "bash"}}
    for job in document["jobs"].values():
        assert job["permissions"] == {"contents": "read"}
        assert 0 < job["timeout-minutes"] <= 360
        assert named(job, "Check out")["with"] == {"persist-credentials": False}
        if job["name"] != "on failure":
            assert named(job, "Keep")["with"]["if-no-files-found"] == "error"
    for uses in re.findall(r"uses: (.*)", text):
        assert re.fullmatch(r"[-\w]+/[-\w]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", uses)


def test_needs_and_data_follow_the_edges():
    jobs = workflow(full_pipeline())["jobs"]
    assert jobs["suffix"]["needs"] == ["words"]
    assert named(jobs["suffix"], "Get the data of words")["with"] == {"name": "everything.words", "path": "data/words"}
    assert jobs["suffix"]["strategy"] == {"fail-fast": False, "max-parallel": 2, "matrix": {"shard": [1, 2, 3]}}
    assert named(jobs["suffix"], "Keep")["with"]["name"] == "everything.suffix.shard-${{ matrix.shard }}-of-3"
    assert named(jobs["join"], "Get the data of suffix")["with"] == {
        "pattern": "everything.suffix.shard-*-of-3",
        "merge-multiple": True,
        "path": "data/suffix",
    }
    assert named(jobs["suffix"], "Run")["run"].endswith('--shard "$WURZEL_SHARD"')
    assert named(jobs["suffix"], "Run")["env"]["WURZEL_SHARD"] == "${{ matrix.shard }}/3"


def lines_of(document):
    return {
        (job_id, item["name"]): item["run"]
        for job_id, job in document["jobs"].items()
        for item in job["steps"]
        if "run" in item
    }


def test_no_text_of_a_user_enters_a_shell_line():
    def with_text(text):
        settings = (
            setting(type="str", text=True, given=True, value=text),
            setting(
                name="LANG",
                variable="EMBED__LANG",
                type="str",
                text=True,
                default="de",
                parameter=True,
                description=text,
            ),
            setting(name="LIST", variable="EMBED__LIST", type="list[str]", given=True, value=[text]),
        )
        one = step(description=text, settings=settings, env={"A": text}, labels={"a": "b"})
        other = step("next", needs=("embed",), description=text, annotations={"a": text})
        return pipeline(one, other, description=text, env={"B": text}, schedule=Schedule(cron="0 4 * * *"))

    assert lines_of(workflow(with_text(HOSTILE))) == lines_of(workflow(with_text("harmless")))


def evaluated(value):
    """What GitHub makes of a scalar whose expressions are literal texts only."""
    return re.sub(r"\$\{\{ '((?:[^']|'')*)' \}\}", lambda match: match[1].replace("''", "'"), value)


@pytest.mark.parametrize("text", [HOSTILE, "${{", "$${{ x }}", "${{${{", "${ {", "}} ${{ 'a' }}", "plain"])
def test_values_are_what_they_were_when_github_has_read_them(text):
    assert evaluated(escape(text)) == text
    document = workflow(pipeline(step(env={"A": text}), env={"B": text}))
    assert evaluated(named(document["jobs"]["embed"], "Run")["env"]["A"]) == text
    assert evaluated(document["env"]["B"]) == text


def test_parameters_are_typed_inputs():
    settings = (
        setting(parameter=True, default=64, description="of a batch; no ${{ here"),
        setting(name="FLAG", variable="EMBED__FLAG", type="bool", parameter=True, default=False),
        setting(name="MODE", variable="EMBED__MODE", type="Literal['a', 'b']", text=True, parameter=True, default="b"),
        setting(name="NEW", variable="EMBED__NEW", parameter=True, required=True),
        setting(name="HINT", variable="EMBED__HINT", type="str | None", text=True, parameter=True),
    )
    document = workflow(pipeline(step(settings=settings)))
    assert document[True]["workflow_dispatch"]["inputs"] == {
        "EMBED__SIZE": {"description": "of a batch; no $ {{ here", "type": "number", "default": 64},
        "EMBED__FLAG": {"description": "FLAG", "type": "boolean", "default": False},
        "EMBED__MODE": {"description": "MODE", "type": "choice", "options": ["a", "b"], "default": "b"},
        "EMBED__NEW": {"description": "NEW", "type": "string", "required": True},
        "EMBED__HINT": {"description": "HINT", "type": "string", "default": ""},
    }
    run = named(document["jobs"]["embed"], "Run")
    assert run["env"]["EMBED__SIZE"] == "${{ inputs.EMBED__SIZE }}"
    assert run["run"].splitlines()[0] == '[ -n "${EMBED__HINT}" ] || unset EMBED__HINT'


@pytest.mark.parametrize("value", ["", "0", "it's", "}} {{", 'ü\n\t"\\', "${x}"])
def test_scheduled_runs_use_the_default_of_a_parameter(value):
    one = step(settings=(setting(type="str", text=True, parameter=True, default=value),))
    document = workflow(pipeline(one, schedule=Schedule(cron="0 4 * * *")))
    expression = named(document["jobs"]["embed"], "Run")["env"]["EMBED__SIZE"]
    if value in {"", "0"}:
        name = "inputs.EMBED__SIZE"
        assert expression == f"${{{{ toJSON({name}) == 'null' && '{value}' || {name} }}}}"
        return
    match = re.fullmatch(
        r"\$\{\{ fromJSON\(toJSON\(inputs.EMBED__SIZE\) != 'null' && toJSON\(inputs.EMBED__SIZE\) \|\| '(.*)'\) \}\}",
        expression,
    )
    assert json.loads(match[1]) == value
    assert not set("'{}$") & set(match[1])


def test_inputs_of_a_workflow_that_another_one_calls_count_whatever_started_the_caller():
    one = step(settings=(setting(parameter=True, default=1),))
    call = {"inputs": {"EMBED__SIZE": {"type": "number", "default": 2}}}
    document = workflow(pipeline(one), legacy=True, triggers={"workflow_call": call})
    value = named(document["jobs"]["embed"], "Run")["env"]["EMBED__SIZE"]
    assert "toJSON(inputs.EMBED__SIZE) == 'null'" in value
    assert "event_name" not in value


@pytest.mark.parametrize(
    ("given", "default"),
    [
        ({"type": "number"}, 1),
        ({"type": "string"}, "1"),
        (None, 1),
        ({"type": "number", "default": 0}, 0),
        ({"type": "number", "required": True}, None),
        ({"required": True}, None),
    ],
)
def test_an_input_of_the_options_has_the_default_of_its_parameter(given, default):
    """GitHub gives 0, false or '' to one without a default, which would count as given."""
    one = step(settings=(setting(parameter=True, default=1),))
    document = workflow(
        pipeline(one), triggers={"workflow_call": {"inputs": {"EMBED__SIZE": given, "MINE": {"type": "string"}}}}
    )
    inputs = document[True]["workflow_call"]["inputs"]
    assert inputs["EMBED__SIZE"].get("default") == default
    assert inputs["EMBED__SIZE"]["type"] in {"number", "string"}
    assert inputs["MINE"] == {"type": "string"}


def test_a_workflow_that_another_one_calls_declares_parameters_and_secrets():
    settings = (
        setting(parameter=True, default=1, description="of a batch"),
        setting(name="MODE", variable="EMBED__MODE", type="Literal['a', 'b']", text=True, parameter=True, default="b"),
        setting(name="NEW", variable="EMBED__NEW", parameter=True, required=True),
    )
    one = step(settings=settings, secrets={"EMBED__KEY": SecretRef(name="openai", key="api-key")})
    document = workflow(pipeline(one), triggers={"workflow_call": {}})
    assert document[True]["workflow_call"] == {
        "inputs": {
            "EMBED__SIZE": {"description": "of a batch", "type": "number", "default": 1},
            "EMBED__MODE": {"description": "MODE", "type": "string", "default": "b"},
            "EMBED__NEW": {"description": "NEW", "type": "string", "required": True},
        },
        "secrets": {"OPENAI_API_KEY": {"required": True}},
    }
    assert named(document["jobs"]["embed"], "Run")["env"]["EMBED__SIZE"] == "${{ inputs.EMBED__SIZE }}"
    without = step(settings=settings[:2], secrets=one.secrets)
    own = workflow(pipeline(without), environment="prod", triggers={"workflow_call": {"inputs": {}}})[True]
    assert own["workflow_call"] == {"inputs": {}, "secrets": {"OPENAI_API_KEY": {"required": False}}}


def test_an_environment_is_for_the_jobs_that_need_it():
    key = {"EMBED__KEY": SecretRef(name="openai", key="api-key")}
    what = pipeline(step("words"), step("embed", needs=("words",), secrets=key))

    def of_jobs(subject, **options):
        return [job.get("environment") for job in workflow(subject, **options)["jobs"].values()]

    assert of_jobs(what, environment="prod") == [None, "prod"]
    assert of_jobs(what, environment="prod", oidc=True) == ["prod", "prod"]
    assert of_jobs(what, environment="prod", jobs={"words": {"oidc": True}}) == ["prod", "prod"]
    assert of_jobs(what, environment="prod", jobs={"words": {"environment": "test"}}) == ["test", "prod"]
    assert of_jobs(what, environment="prod", install_env={"A": "${{ vars.A }}"}) == ["prod", "prod"]
    assert of_jobs(pipeline(step("words")), environment="prod") == ["prod"]  # its protection rules still hold
    told = OnFailure(webhook=SecretRef(name="chat", key="url"))
    assert of_jobs(pipeline(step("words"), on_failure=told), environment="prod") == [None, "prod"]
    told = OnFailure(webhook="https://chat.acme.example/hook")
    assert of_jobs(pipeline(step("words"), on_failure=told), environment="prod") == ["prod", None]


def test_settings_may_come_from_the_variables_of_a_repository():
    settings = (setting(required=True), setting(name="MODEL", variable="EMBED__MODEL", text=True, default="a"))
    what = pipeline(step(settings=settings), step("next", needs=("embed",)))
    assert "needs the setting SIZE" in problems(what)
    chosen = {"EMBED__SIZE": "BATCH", "EMBED__MODEL": "MODEL"}
    assert problems(what, vars=chosen) == ""
    document = workflow(what, vars=chosen, environment="prod")
    run = named(document["jobs"]["embed"], "Run")
    assert run["env"]["EMBED__SIZE"] == "${{ vars.BATCH }}"
    assert '[ -n "${EMBED__MODEL}" ] || unset EMBED__MODEL' in run["run"]
    assert "EMBED__SIZE" not in named(document["jobs"]["next"], "Run").get("env", {})
    assert [job.get("environment") for job in document["jobs"].values()] == ["prod", None]
    assert "Did you mean EMBED__MODEL" in problems(what, vars={"EMBED__MODLE": "A"})
    given = setting(given=True, value=1)
    assert "has a value in wurzel.yaml" in problems(pipeline(step(settings=(given,))), vars={"EMBED__SIZE": "A"})
    asked_for = setting(default=1, parameter=True)
    assert "whose value is an input" in problems(pipeline(step(settings=(asked_for,))), vars={"EMBED__SIZE": "A"})
    key = setting(name="KEY", variable="EMBED__KEY", secret=True)
    assert "everyone can read" in problems(pipeline(step(settings=(key,))), vars={"EMBED__KEY": "A"})


def test_an_enterprise_server_gets_artifact_actions_that_it_has():
    sliced = pipeline(step("words"), step("upper", needs=("words",), shards=3), step("x", needs=("upper",)))
    text = text_of(sliced, legacy=True)
    assert set(re.findall(r"(upload|download)-artifact@\w+ # (v\d)", text)) == {("upload", "v3"), ("download", "v3")}
    found = yaml.safe_load(text)["jobs"]
    kept = named(found["upper"], "Keep")["with"]
    assert kept["name"] == "rag.upper"  # uploads of one name are one artifact there
    assert "overwrite" not in kept
    assert named(found["x"], "Get the data")["with"] == {"name": "rag.upper", "path": "data/upper"}


def test_schedule_and_triggers():
    document = workflow(
        pipeline(schedule=Schedule(cron="@daily", timezone="Europe/Berlin")),
        triggers={"push": {"branches": ["main; touch pwned"]}},
    )
    assert document[True]["schedule"] == [{"cron": "0 0 * * *", "timezone": "Europe/Berlin"}]
    assert document[True]["push"] == {"branches": ["main; touch pwned"]}
    legacy = workflow(pipeline(schedule=Schedule(cron="@daily", timezone="Europe/Berlin")), legacy=True)
    assert legacy[True]["schedule"] == [{"cron": "0 0 * * *"}]
    assert workflow(pipeline(), queue=True)["concurrency"]["queue"] == "max"


@pytest.mark.parametrize(
    ("concurrency", "expected"),
    [
        ("forbid", {"group": "rag-${{ github.ref }}"}),
        ("replace", {"group": "rag-${{ github.ref }}", "cancel-in-progress": True}),
        ("allow", {"group": "rag-${{ github.ref }}-${{ github.run_id }}"}),
    ],
)
def test_concurrency(concurrency, expected):
    schedule = Schedule(cron="0 4 * * *", concurrency=concurrency)
    assert workflow(pipeline(schedule=schedule))["concurrency"] == expected


def test_secrets_reach_one_step_only_and_are_checked():
    secrets = {"SHARED_TOKEN": SecretRef(name="shared", key="token")}
    own = {"EMBED__KEY": SecretRef(name="openai", key="api-key")}
    document = workflow(pipeline(step(secrets=own), secrets=secrets), secret_names={"shared/token": "SHARED"})
    run = named(document["jobs"]["embed"], "Run")
    assert run["env"]["SHARED_TOKEN"] == "${{ secrets.SHARED }}"
    assert run["env"]["EMBED__KEY"] == "${{ secrets.OPENAI_API_KEY }}"
    assert run["run"].splitlines()[:2] == [
        ': "${SHARED_TOKEN:?the secret SHARED is missing or empty}"',
        ': "${EMBED__KEY:?the secret OPENAI_API_KEY is missing or empty}"',
    ]
    assert "secrets." not in json.dumps([item for item in document["jobs"]["embed"]["steps"] if item is not run])


def test_timeouts_hold_every_try():
    one = step(timeout=3600, retry=Retry(limit=2, backoff=30, factor=2))
    job = workflow(pipeline(one))["jobs"]["embed"]
    assert job["timeout-minutes"] == 3 * 60 + 2 + 10
    assert "--timeout 1h" in named(job, "Run")["run"]
    assert "--retries 2 --backoff 30s --backoff-factor 2" in named(job, "Run")["run"].replace(" \\\n ", "")
    long = step(timeout=5 * 3600, retry=Retry(limit=2))
    assert workflow(pipeline(long))["jobs"]["embed"]["timeout-minutes"] == 360
    own = workflow(pipeline(long), runs_on=["self-hosted", "big"])
    assert own["jobs"]["embed"]["timeout-minutes"] == 15 * 60 + 10


def test_images_have_everything_and_runners_are_set_up():
    jobs = workflow(pipeline(step(), step("next", image="ghcr.io/acme/next:1", needs=("embed",))))["jobs"]
    assert named(jobs["embed"], "Set up Python")["with"]["cache"] == "pip"
    assert named(jobs["embed"], "Install")["run"] == "python -m pip install ."
    assert jobs["next"]["container"] == "ghcr.io/acme/next:1"
    assert not [item for item in jobs["next"]["steps"] if item["name"] in {"Install", "Set up Python"}]
    login = workflow(
        pipeline(image="ghcr.io/acme/rag:1"),
        registry={"username": "${{ github.actor }}", "password": "${{ github.token }}"},
        permissions={"packages": "read"},
        container_options="--gpus all",
    )["jobs"]["embed"]
    assert login["container"] == {
        "image": "ghcr.io/acme/rag:1",
        "credentials": {"username": "${{ github.actor }}", "password": "${{ github.token }}"},
        "options": "--gpus all",
    }
    assert login["permissions"] == {"contents": "read", "packages": "read"}


def test_uv_runs_in_its_own_environment():
    job = workflow(pipeline(), setup="uv", cache=False)["jobs"]["embed"]
    assert named(job, "Set up uv")["with"] == {"python-version": "3.12", "enable-cache": False}
    job_with_cache = workflow(pipeline(), setup="uv")["jobs"]["embed"]
    assert named(job_with_cache, "Set up uv")["with"]["cache-dependency-glob"] == "uv.lock"
    assert named(job, "Install")["run"] == "uv sync --locked --no-dev"
    assert named(job, "Run")["run"].startswith("uv run --no-sync wurzel step ")


def test_install_line_and_its_variables():
    job = workflow(pipeline(), install="pip install rag", install_env={"PIP_TOKEN": "${{ secrets.PIP }}"})["jobs"]
    assert named(job["embed"], "Install") == {
        "name": "Install",
        "env": {"PIP_TOKEN": "${{ secrets.PIP }}"},
        "run": "pip install rag",
    }


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, ["self-hosted", "gpu=a100", "x64"]),
        ({"node_labels": {"gpu=a100": "big"}}, ["self-hosted", "big", "x64"]),
        ({"runs_on": ["self-hosted", "team"]}, ["self-hosted", "team", "gpu=a100", "x64"]),
        ({"runs_on": {"group": "gpus"}}, {"group": "gpus", "labels": ["gpu=a100", "x64"]}),
        ({"jobs": {"embed": {"runs_on": "mine"}}}, ["self-hosted", "mine", "gpu=a100", "x64"]),
    ],
)
def test_node_selectors_are_labels_of_runners(options, expected):
    one = step(node_selector={"gpu": "a100", "kubernetes.io/arch": "amd64"})
    assert workflow(pipeline(one), **options)["jobs"]["embed"]["runs-on"] == expected


def test_jobs_may_differ():
    jobs = workflow(
        pipeline(step(secrets={"EMBED__KEY": SecretRef(name="a", key="b")}), step("next")),
        environment="staging",
        jobs={"next": {"environment": {"name": "prod", "url": "https://x.example"}, "oidc": True}},
    )["jobs"]
    assert jobs["embed"]["environment"] == "staging"
    assert jobs["next"]["environment"]["name"] == "prod"
    assert jobs["embed"]["permissions"] == {"contents": "read"}
    assert jobs["next"]["permissions"] == {"contents": "read", "id-token": "write"}
    assert workflow(pipeline(), checkout=False)["jobs"]["embed"]["permissions"] == {}


def test_actions_can_be_replaced():
    text = text_of(pipeline(), actions={"actions/checkout": "acme/checkout@0123 # v7"})
    assert "uses: acme/checkout@0123 # v7\n" in text


def test_a_self_consuming_step_keeps_its_output_in_the_cache():
    job = workflow(pipeline(step("memory", self_consuming=True)))["jobs"]["memory"]
    assert named(job, "Get and keep")["with"] == {
        "path": "data/memory",
        "key": "rag.memory.${{ github.run_id }}-${{ github.run_attempt }}",
        "restore-keys": "rag.memory.",
    }


def test_job_ids_start_with_a_letter_or_an_underscore():
    jobs = workflow(pipeline(step("2nd"), step("last", needs=("2nd",))))["jobs"]
    assert list(jobs) == ["_2nd", "last"]
    assert jobs["last"]["needs"] == ["_2nd"]
    assert "--id 2nd" in named(jobs["_2nd"], "Run")["run"]


@pytest.mark.parametrize(
    ("subject", "options", "message"),
    [
        (pipeline(step(shards=257)), {}, "257 shards; a matrix has at most 256"),
        (pipeline(schedule=Schedule(cron="*/2 * * * *")), {}, "shortest interval is 5 minutes"),
        (pipeline(schedule=Schedule(cron="0,58 * * * *")), {}, "starts 2 minutes after"),
        (pipeline(data_dir="da*ta"), {}, "read as a pattern"),
        (pipeline(data_dir=" data"), {}, "no space at its ends"),
        (pipeline(data_dir="a${{x}}"), {}, "read as a pattern or an expression"),
        (pipeline(), {"triggers": {"schedule": []}}, "triggers.schedule would be written twice"),
        (pipeline(), {"triggers": {"workflow_call": {"inputs": {"A": {}}}}}, "workflow_call.inputs.A has no type"),
        (
            pipeline(),
            {"triggers": {"workflow_call": {"inputs": {"A": {"type": "choice"}}}}},
            "workflow_call.inputs.A has the type 'choice'",
        ),
        (pipeline(), {"install": "pip install ${{ inputs.x }}"}, "puts an expression into a shell line"),
        (pipeline(env={"GITHUB_TOKEN": "x"}), {}, "env.GITHUB_TOKEN cannot be set"),
        (pipeline(step(env={"RUNNER_OS": "x"})), {}, "steps.embed.env.RUNNER_OS cannot be set"),
        (pipeline(step(timeout=6 * 3600)), {}, "GitHub's own runners end a job after 360 minutes"),
        (pipeline(), {"jobs": {"embd": {}}}, "Did you mean embed?"),
        (pipeline(), {"actions": {"actions/chekout": "a/b@c"}}, "Did you mean actions/checkout?"),
        (pipeline(), {"actions": {"actions/checkout": "a b"}}, "'a b' is not an action"),
        (
            pipeline(
                step(
                    settings=tuple(
                        setting(name=f"S{n}", variable=f"EMBED__S{n}", parameter=True, default=1) for n in range(26)
                    )
                )
            ),
            {},
            "26 parameters; `workflow_dispatch` takes at most 25",
        ),
        (
            pipeline(step(settings=(setting(type="str", text=True, parameter=True, default="${{ x }}"),))),
            {},
            "an input cannot contain ${{",
        ),
    ],
)
def test_preflight(subject, options, message):
    assert message in problems(subject, **options)
    assert not problems(pipeline())


def test_a_workflow_that_github_would_not_start_is_refused():
    small = pipeline(*(step(f"s{number}") for number in range(20)))
    assert text_of(small)
    large = pipeline(*(step(f"s{number}") for number in range(20)), env=dict.fromkeys("ABCDE", "x" * 100_000))
    with pytest.raises(PreflightError, match="github accepts at most 512000"):
        text_of(large)


def test_a_command_that_github_would_not_read_is_refused():
    names = [f"{number:063}" for number in range(300)]
    joined = step("join", needs=tuple(names))
    assert "needs 300 others" in problems(pipeline(*(step(name) for name in names), joined))


def test_wrong_options_are_refused():
    for options in ({"runs_on": {"grup": "x"}}, {"python_version": "3"}, {"retention": "1h"}, {"setup": "npm"}):
        with pytest.raises(ValueError, match="validation error"):
            GithubOptions.model_validate(options)


def ports():
    """A step with two outputs in slices, one that reads one of them twice, and one that reads both."""
    sides = (InputPort(name="left", type=WORD), InputPort(name="right", type=WORD))
    cut = Step(
        id="cut",
        run="steps:Cut",
        needs=(Edge(step="words"),),
        inputs=(InputPort(type=WORD),),
        outputs=(OutputPort(name="train", type=WORD), OutputPort(name="test", type=WORD)),
    )
    twice = tuple(Edge(step="cut", output="test", input=name) for name in ("left", "right"))
    both = (Edge(step="cut", output="train", input="left"), Edge(step="cut", output="test", input="right"))
    readers = [
        Step(id=name, run="steps:Both", needs=needs, inputs=sides, outputs=(OutputPort(type=WORD),))
        for name, needs in (("twice", twice), ("both", both))
    ]
    return pipeline(step("words"), cut, *readers)


def test_each_named_output_is_an_artifact_and_a_job_gets_those_that_it_reads():
    jobs = workflow(ports())["jobs"]
    kept = [item["with"] for item in jobs["cut"]["steps"] if item["name"].startswith("Keep")]
    assert [(item["name"], item["path"]) for item in kept] == [
        ("rag.cut.train", "data/cut/train"),
        ("rag.cut.test", "data/cut/test"),
    ]

    def got(job):
        return [item["with"] for item in jobs[job]["steps"] if item["name"].startswith("Get")]

    assert got("twice") == [{"name": "rag.cut.test", "path": "data/cut/test"}]
    assert [item["path"] for item in got("both")] == ["data/cut/train", "data/cut/test"]
    assert "-i left=data/cut/test -i right=data/cut/test" in named(jobs["twice"], "Run")["run"]


def test_slices_of_a_named_output_are_artifacts_that_go_into_one_folder():
    words, cut, *readers = ports().steps
    sliced = cut.model_copy(update={"shards": Shards(items=500, max=3)})
    jobs = workflow(pipeline(words, sliced, *readers))["jobs"]
    assert jobs["cut"]["strategy"]["matrix"] == {"shard": [1, 2, 3]}
    assert named(jobs["cut"], "Keep the data of cut.test")["with"] | {"retention-days": 0} == {
        "name": "rag.cut.test.shard-${{ matrix.shard }}-of-3",
        "path": "data/cut/*/test",
        "include-hidden-files": True,
        "if-no-files-found": "error",
        "overwrite": True,
        "retention-days": 0,
    }
    assert named(jobs["twice"], "Get the data of cut.test")["with"] == {
        "pattern": "rag.cut.test.shard-*-of-3",
        "merge-multiple": True,
        "path": "data/cut",
    }


def test_more_slices_than_a_matrix_has_jobs():
    message = problems(pipeline(step(input=WORD, shards=257)))
    assert "'embed' has 257 shards" in message
    assert "Set steps.embed.shards to 256 or less" in message
    by_data = step(input=WORD).model_copy(update={"shards": Shards(items=500, max=300)})
    message = problems(pipeline(by_data))
    assert "'embed' has up to 300 shards" in message
    assert "Set steps.embed.shards.max to 256 or less" in message


def jobs(subject, **options):
    return workflow(subject, **options)["jobs"]


def test_what_starts_a_pipeline_besides_the_clock():
    asked_for = Triggers(push=("main", "release/1"), after=("ingest/load", "ingest/clean", "other"), webhook=True)
    subject = pipeline(step(), step("join", needs=["embed"], input=WORD), triggers=asked_for)
    found = workflow(subject)
    assert {event: found[True][event] for event in ("push", "workflow_run", "repository_dispatch")} == {
        "push": {"branches": ["main", "release/1"]},
        "workflow_run": {"workflows": ["ingest", "other"], "types": ["completed"]},
        "repository_dispatch": {"types": ["rag"]},
    }
    assert found["jobs"]["embed"]["if"] == AFTER
    assert "if" not in found["jobs"]["join"]
    (problem,) = GithubBackend().preflight(subject, asked({"triggers": {"push": {"branches": ["x"]}}}))
    assert problem.message == "targets.github.triggers.push and the pipeline's own `triggers` are both the event push"


def test_a_job_tells_of_a_failure():
    told = OnFailure(webhook=SecretRef(name="chat", key="url"), command=("say", "$X"))
    subject = pipeline(step(), step("on-failure", needs=["embed"], input=WORD), on_failure=told)
    job = jobs(subject, environment="prod")["on-failure_"]
    assert (job["if"], job["needs"], job["environment"]) == (
        "!cancelled() && (contains(needs.*.result, 'failure') || contains(needs.*.result, 'cancelled'))",
        ["embed", "on-failure"],
        "prod",
    )
    assert [name for name, _ in uses(job)] == ["checkout", "setup-python"]
    last = job["steps"][-1]
    assert last["env"]["WURZEL_WEBHOOK"] == "${{ secrets.CHAT_URL }}"
    assert last["env"]["WURZEL_FAILURES"] == "${{ toJSON(needs) }}"
    assert last["run"].splitlines()[-1] == 'wurzel notify rag --webhook -- say "\\$X"'
    called = workflow(subject, triggers={"workflow_call": None})[True]["workflow_call"]
    assert called["secrets"] == {"CHAT_URL": {"required": True}}


def uses(job):
    """The last word of each action, with `with`."""
    return [
        (item["uses"].partition("@")[0].rpartition("/")[2], item.get("with", {}))
        for item in job["steps"]
        if "uses" in item
    ]


@pytest.mark.parametrize("layout", ["single", "auto", None])
def test_one_job_runs_all_steps_and_keeps_results_and_cache(layout):
    document = workflow(pipeline(*FORKED, image="x"), layout=layout)
    assert "env" not in document
    assert list(document["jobs"]) == ["rag"]
    (job,) = document["jobs"].values()
    assert named(job, "Run") == {"name": "Run rag", "id": "run", "run": "wurzel run rag"}
    kept = {"path": ".wurzel\ndata", "key": "wurzel/rag/${{ github.run_id }}-${{ github.run_attempt }}"}
    assert uses(job)[1:] == [
        ("restore", {**kept, "restore-keys": "wurzel/rag/"}),
        (
            "upload-artifact",
            {
                "name": "rag.join",
                "path": "data/join",
                "include-hidden-files": True,
                "if-no-files-found": "error",
                "overwrite": True,
                "retention-days": 7,
            },
        ),
        ("save", kept),
    ]
    save = job["steps"][-1]
    assert save["if"] == "always() && steps.run.outputs.executed > 0"


def test_with_a_store_a_person_may_choose_steps_for_one_run():
    many = tuple(setting(name=f"N{n}", variable=f"WORDS__N{n}", parameter=True, default=n) for n in range(25))
    options = {"pull_request": True, "triggers": {"workflow_call": None}}
    document, other = two_workflows(stored(), **options)
    asked = {"description": "Steps to run, such as split+ or embed,export; empty for all", "type": "string"}
    assert document[True]["workflow_dispatch"] == {"inputs": {"only": {**asked, "default": ""}}}
    assert document[True]["workflow_call"]["inputs"] == {"only": {**asked, "default": ""}}
    assert document["env"]["WURZEL_ONLY"] == "${{ inputs.only }}"
    assert "WURZEL_ONLY" not in other["env"]  # nobody starts it
    full = workflow(pipeline(step("words", settings=many), store=Store(**STORE)))  # GitHub takes 25 inputs
    assert len(full[True]["workflow_dispatch"]["inputs"]) == 25
    assert "WURZEL_ONLY" not in full.get("env", {})


def test_with_a_store_all_jobs_have_the_values_that_settings_have_on_github():
    sized = step("words", settings=(setting(name="SIZE", variable="WORDS__SIZE"),))
    subject = pipeline(sized, reading("upper", "words"), store=Store(**STORE))
    found = jobs(subject, layout="steps", vars={"WORDS__SIZE": "SIZE"})
    assert [named(job, "Run")["env"] for job in found.values()] == [{"WORDS__SIZE": "${{ vars.SIZE }}"}] * 2


def test_only_what_leaves_a_job_is_an_artifact():
    found = jobs(pipeline(*FORKED), layout="steps")
    assert len(found) == 4
    grouped = (*FORKED[:3], reading("join", "upper", "reverse", image="y"))
    document = workflow(pipeline(*grouped, image="x"), layout="auto")
    first, second = document["jobs"].values()
    assert list(document["jobs"]) == ["words-reverse", "join"]
    assert first["name"] == "words, upper, reverse"
    assert named(first, "Run")["run"] == "wurzel run rag --only words,upper,reverse"
    assert [given["name"] for kind, given in uses(first) if kind == "upload-artifact"] == ["rag.upper", "rag.reverse"]
    assert second["needs"] == ["words-reverse"]
    assert [given for kind, given in uses(second) if kind == "download-artifact"] == [
        {"name": "rag.upper", "path": "data/upper"},
        {"name": "rag.reverse", "path": "data/reverse"},
    ]
    restored = next(given for kind, given in uses(second) if kind == "restore")
    assert restored["path"] == ".wurzel\ndata/join"
    assert restored["restore-keys"] == "wurzel/rag/join/"
    assert document["env"] == {"WURZEL_LAYOUT": layout_digest(pipeline(*grouped))}


def test_several_results_are_one_artifact():
    steps = (step("words"), reading("upper", "words"), reading("reverse", "words"))
    (job,) = jobs(pipeline(*steps), layout="single").values()
    (artifact,) = [given for kind, given in uses(job) if kind == "upload-artifact"]
    assert (artifact["name"], artifact["path"]) == ("rag", "data/upper\ndata/reverse")


def test_a_sliced_step_that_is_large_is_a_matrix_between_jobs():
    large = reading("upper", "words", shards=3, resources=Resources(cpu="500m"))
    found = jobs(pipeline(step("words"), large, reading("join", "upper")), layout="auto")
    assert list(found) == ["words", "upper", "join"]
    assert found["upper"]["strategy"]["matrix"] == {"shard": [1, 2, 3]}
    assert named(found["upper"], "Run")["run"] == 'wurzel run rag --only upper --shard "$WURZEL_SHARD"'
    assert named(found["upper"], "Run")["env"] == {"WURZEL_SHARD": "${{ matrix.shard }}/3"}
    assert [kind for kind, _ in uses(found["upper"])] == [
        "checkout",
        "setup-python",
        "download-artifact",
        "upload-artifact",
    ]
    downloaded = [given for kind, given in uses(found["join"]) if kind == "download-artifact"]
    assert downloaded == [{"pattern": "rag.upper.shard-*-of-3", "merge-multiple": True, "path": "data/upper"}]


def test_settings_and_variables_are_read_from_the_configuration():
    secret = {"TOKEN": SecretRef(name="s", key="t")}
    given = setting(given=True, value=3, parameter=True)
    busy = step(env={"A": "1"}, secrets=secret, settings=(given, setting(name="N", variable="EMBED__N", given=True)))
    document = workflow(pipeline(busy, env={"B": "2"}), layout="single")
    assert document["env"] == {"B": "2"}  # also for the installation
    (job,) = document["jobs"].values()
    run = named(job, "Run")
    assert run["env"] == {"EMBED__SIZE": "${{ inputs.EMBED__SIZE }}", "TOKEN": "${{ secrets.S_T }}"}
    assert run["run"].splitlines() == [': "${TOKEN:?the secret S_T is missing or empty}"', "wurzel run rag"]


def test_a_job_names_the_pipeline_as_it_was_named():
    call = RunCall("rag", environment="prod", sets=["image=$x"])
    options = GithubOptions.model_validate({"layout": "single"}).called(call)
    (text,) = render_texts(pipeline(), "github", options).values()
    (job,) = yaml.safe_load(text)["jobs"].values()
    assert named(job, "Run")["run"] == 'wurzel run rag -e prod --set "image=\\$x"'


def test_without_a_checkout_each_step_is_a_job_unless_asked_otherwise():
    assert list(jobs(pipeline(*FORKED), layout=None, checkout=False)) == ["words", "upper", "reverse", "join"]
    document = workflow(pipeline(*FORKED, image="x"), layout="auto", checkout=False)
    (job,) = document["jobs"].values()
    assert "wurzel -C /app run rag --data-dir" in named(job, "Run")["run"].replace(" \\\n ", "")
    assert document["env"]["WURZEL_LAYOUT"] == layout_digest(pipeline(*FORKED))
    assert not any("checkout" in item.get("uses", "") for item in job["steps"])


def test_jobs_of_an_ir_file_read_it_beside_the_workflow():
    options = GithubOptions.model_validate({"pull_request": True}).called(RunCall(from_ir="elsewhere/p.json"))
    options = options.at_home(Home("services/rag", "../../", watched=("services/rag/",)))
    texts = render_texts(pipeline(*FORKED), "github", options)
    main, untrusted, ir = texts
    assert ir == "../../.github/workflows/services-rag-rag.ir.json"
    for path in (main, untrusted):
        document = yaml.safe_load(texts[path])
        (job,) = document["jobs"].values()
        assert named(job, "Run")["run"] == f"wurzel run --from-ir {ir}"
    assert document[True]["pull_request"]["paths"][-1] == ".github/workflows/services-rag-rag.ir.json"
    options = GithubOptions.model_validate({"layout": "single", "checkout": False}).called(RunCall(from_ir="p.json"))
    (problem,) = GithubBackend().preflight(pipeline(image="x"), options)
    assert "and checkout is false" in problem.message


def test_a_group_is_one_job_beside_single_steps():
    steps = (step("words"), reading("upper", "words", group="g"), reading("reverse", "upper", group="g"))
    document = workflow(pipeline(*steps))
    assert {name: named(job, "Run")["run"] for name, job in document["jobs"].items()} == {
        "words": "wurzel run rag --only words",
        "g": "wurzel run rag --only upper,reverse",
    }
    assert [job["name"] for job in document["jobs"].values()] == ["words", "g"]


def test_the_deadline_is_the_longest_path_and_at_most_that_of_the_pipeline():
    timed = {"timeout": 600, "retry": Retry(limit=2, backoff=30, factor=2)}
    steps = (step("words", **timed), reading("upper", "words", timeout=60), reading("reverse", "words", **timed))
    (job,) = jobs(pipeline(*steps), layout="single").values()
    assert job["timeout-minutes"] == 2 * 31.5 + 10
    (job,) = jobs(pipeline(*steps, timeout=1800), layout="single").values()
    assert job["timeout-minutes"] == 30
    (job,) = jobs(pipeline(*steps, reading("join", "upper")), layout="single").values()
    assert job["timeout-minutes"] == 360


def test_what_untrusted_people_start_saves_no_cache_and_an_option_keeps_none():
    (job,) = jobs(pipeline(*FORKED), layout="single", triggers={"pull_request_target": {}, "workflow_run": {}}).values()
    assert [kind for kind, _ in uses(job)][2:] == ["restore", "upload-artifact", "save"]
    events = "github.event_name != 'pull_request_target' && github.event_name != 'workflow_run'"
    assert job["steps"][-1]["if"] == f"always() && {events} && steps.run.outputs.executed > 0"
    (job,) = jobs(pipeline(*FORKED), layout="single", incremental=False).values()
    assert [kind for kind, _ in uses(job)][2:] == ["upload-artifact"]
    memory = step("memory", self_consuming=True)
    (job,) = jobs(pipeline(*FORKED, memory), layout="single", incremental=False).values()
    assert next(given for kind, given in uses(job) if kind == "restore")["path"] == "data/memory"


def test_what_half_a_job_cannot_have_is_an_error():
    steps = (step("words", group="g"), reading("upper", "words", group="g", node_selector={"pool": "x"}))
    assert "their runner differs" in problems(pipeline(*steps))


def test_options_of_a_group_are_those_of_its_job():
    steps = (step("words", group="g"), reading("upper", "words", group="g"), reading("join", "upper"))
    found = jobs(pipeline(*steps), jobs={"g": {"runs_on": "big"}})
    assert [job["runs-on"] for job in found.values()] == ["big", "ubuntu-24.04"]
    assert "neither a step nor a group" in problems(pipeline(*steps), jobs={"h": {"runs_on": "big"}})


def test_a_job_of_many_steps_is_short():
    steps = [step("s0")] + [reading(f"s{number}", f"s{number - 1}", timeout=60) for number in range(1, 400)]
    for layout in ("single", "auto"):
        assert len(text_of(pipeline(*steps), layout=layout)) < 10_000


IDENTITY = {"role": "arn:aws:iam::1:role/it's", "untrusted_role": "arn:aws:iam::1:role/other", "audience": "minio"}


@pytest.mark.parametrize("layout", ["steps", "auto", "single"])
def test_with_a_store_no_data_crosses_as_an_artifact(layout):
    what = stored(secrets=STORE_KEYS)
    data = workflow(what, layout=layout)
    used = [step.get("uses", "").partition("@")[0] for job in data["jobs"].values() for step in job["steps"]]
    assert set(used) <= {"", "actions/checkout", "actions/setup-python"}
    for job in data["jobs"].values():
        run = job["steps"][-1]
        assert run["env"]["WURZEL_STORE_ACCESS_KEY_ID"] == "${{ secrets.MINIO_ID }}"
        assert run["env"]["WURZEL_STORE_SECRET_ACCESS_KEY"] == "${{ secrets.MINIO_KEY }}"
        assert "wurzel run " in run["run"]
        assert "id-token" not in job["permissions"]
    assert data["env"]["WURZEL_STORE_CACHE"] == "${{ github.ref_protected && 'read-write' || 'read' }}"


def test_the_identity_of_a_store_is_githubs_token_and_depends_on_the_branch():
    data = workflow(stored(identity=IDENTITY))
    assert data["env"]["WURZEL_STORE_ROLE_ARN"] == (
        "${{ github.ref_protected && 'arn:aws:iam::1:role/it''s' || 'arn:aws:iam::1:role/other' }}"
    )
    assert data["env"]["WURZEL_STORE_AUDIENCE"] == "minio"
    assert all(job["permissions"]["id-token"] == "write" for job in data["jobs"].values())
    one = workflow(stored(identity={"role": "arn:aws:iam::1:role/rag"}, cache="read"))
    assert one["env"]["WURZEL_STORE_ROLE_ARN"] == "arn:aws:iam::1:role/rag"
    assert "WURZEL_STORE_CACHE" not in one["env"]


def test_with_a_store_every_job_gets_every_parameter():
    own = setting(variable="UPPER__SIZE", given=True, value=2, parameter=True)
    what = pipeline(step("words"), step("upper", needs=("words",), settings=(own,)), store=Store(**STORE))
    for job in workflow(what, layout="steps")["jobs"].values():
        assert "UPPER__SIZE" in job["steps"][-1]["env"]
    without = what.model_copy(update={"store": None})
    assert "UPPER__SIZE" not in workflow(without, layout="steps")["jobs"]["words"]["steps"][-1].get("env", {})


def test_anchors_say_once_what_jobs_repeat():
    steps = (step("words"), reading("upper", "words", shards=2), reading("join", "upper", image="y"))
    fields = {"image": "x", "env": {"A": "jobs:\n    permissions:\n"}, "schedule": Schedule(cron="0 4 * * *")}
    plain, text = (text_of(pipeline(*steps, **fields), anchors=anchors) for anchors in (False, True))
    assert set(re.findall(r"&([-\w]+)", text)) == set(re.findall(r" \*([a-z][-\w]*)\n", text))
    assert len(text.splitlines()) < len(plain.splitlines()) - 10
    document = yaml.safe_load(text)
    keep = document["jobs"]["words"]["steps"][-1]
    assert keep is document["jobs"]["join"]["steps"][-1]
    assert (keep["with"]["name"], keep["with"]["path"]) == ("rag.${{ github.job }}", "data/${{ github.job }}")
    for job in document["jobs"].values():
        job["steps"] = [item for item in job["steps"] if item is not keep]
    expected = yaml.safe_load(plain)
    for name in ("words", "join"):
        del expected["jobs"][name]["steps"][-1]
    assert document == expected


def test_a_patch_changes_one_of_the_jobs_that_share_something():
    patch = {"jobs": {"upper": {"permissions": {"packages": "read"}}}}
    document = workflow(pipeline(step("words"), reading("upper", "words")), anchors=True, patch=patch)
    assert [job["permissions"] for job in document["jobs"].values()] == [
        {"contents": "read"},
        {"contents": "read", "packages": "read"},
    ]


LISTED = "  {}:\n    steps:\n      - name: a\n        run: |\n          one\n\n          two\n\n"
TEXTS = "".join(f"  {job}: |\n    permissions:\n      x\n" for job in ("one", "two"))
SCRIPT = "  {}:\n    permissions:\n      a: |{}\n        one\n"


def test_anchors_never_change_what_a_template_says(monkeypatch):
    anchored = partial(anchors.anchored, start="jobs:", patterns=anchors.GITHUB)
    job = (
        "  {}:\n    runs-on: x\n    note: |\n      - name: a\n        b\n\n    steps:\n      - name: a\n        b: c\n"
    )
    with pytest.raises(VerifyError, match="anchors: false"):
        anchored("jobs:\n" + job.format("one") + job.format("two").replace("b: c", "b: d"))
    monkeypatch.setattr(anchors, "parsed", _only_short(anchors.parsed))
    text, sources = anchored("jobs:\n" + LISTED.format("one") + LISTED.format("two"))
    assert yaml.safe_load(text)["jobs"]["two"]["steps"][0]["run"] == "one\n\ntwo\n"
    assert len(sources) == text.count("\n")


def _only_short(parsed):
    """A parser of parts: a file that says the same for sure is not read whole."""

    def read(text):
        assert "jobs:" not in text
        return parsed(text)

    return read


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(SCRIPT.format("one", "+") + SCRIPT.format("two", "+") + "\n\n", id="empty-lines-kept"),
        pytest.param(SCRIPT.format("one", "") + "         \n" + SCRIPT.format("two", ""), id="white-space-is-text"),
        pytest.param((SCRIPT.format("one", "") + SCRIPT.format("two", ""))[:-1], id="no-last-line-end"),
        pytest.param("  one: [\n    permissions:\n      a, b]\n  two: [\n    permissions:\n      a, b]\n", id="flow"),
        pytest.param(TEXTS, id="lines-of-a-text"),
    ],
)
def test_what_anchors_would_change_is_found(text):
    with pytest.raises(VerifyError, match="written without anchors"):
        anchors.anchored("jobs:\n" + text, start="jobs:", patterns=anchors.GITHUB)


def test_a_comment_further_out_is_within_what_is_shared():
    job = "  {}:\n    permissions:\n      a: 1\n  # note\n      b: 2\n"
    text, _ = anchors.anchored("jobs:\n" + job.format("one") + job.format("two"), "jobs:", anchors.GITHUB)
    assert text.count("b: 2") == 1
    assert yaml.safe_load(text)["jobs"]["two"] == {"permissions": {"a": 1, "b": 2}}


def test_a_file_that_anchors_would_change_is_written_without_them(tmp_path):
    template = tmp_path / "team" / "github" / "workflow.yml.j2"
    template.parent.mkdir(parents=True)
    template.write_text(f'{{% extends "!github/workflow.yml.j2" %}}\n{{% block jobs %}}\n{TEXTS}{{% endblock %}}\n')
    renderer = Renderer(["team"], root=tmp_path)
    options = asked({"anchors": True})
    (result,) = render([Job(pipeline(step("words")), "github", options, "")], renderer)
    assert list(yaml.safe_load(result.files[0].rendered.text)["jobs"]) == ["one", "two"]
    (warning,) = renderer.layers.warnings
    assert "rag.yml: written without anchors" in warning.message
    assert "anchors: false" in warning.hint


def test_a_thousand_jobs_fit_with_anchors_only():
    steps = [step("s0")] + [reading(f"s{number}", f"s{number - 1}") for number in range(1, 1000)]
    with pytest.raises(PreflightError, match="accepts at most 512000"):
        text_of(pipeline(*steps))
    assert len(text_of(pipeline(*steps), anchors=True)) < 512_000 - 200


def two_workflows(subject, **options):
    texts = render_texts(subject, "github", asked({"pull_request": True, **options}))
    assert list(texts) == [".github/workflows/rag.yml", ".github/workflows/rag-pull-request.yml"]
    return [yaml.safe_load(text) for text in texts.values()]


def test_a_pull_request_runs_what_needs_no_secret_and_leaves_nothing_that_is_read():
    key = {"EMBED__KEY": SecretRef(name="openai", key="api-key")}
    given = (setting(parameter=True, default=3),)
    steps = (step("words", settings=given), reading("export", "words", secrets=key), reading("join", "words", "export"))
    what = pipeline(*steps, schedule=Schedule(cron="0 4 * * *"))
    options = {"layout": "auto", "environment": "prod", "oidc": True, "permissions": {"packages": "write"}}
    main, other = two_workflows(what, **options, pull_request={"paths": ["p/**"]})
    assert named(main["jobs"]["rag"], "Run")["run"].endswith("wurzel run rag")
    assert other[True] == {"pull_request": {"paths": ["p/**"]}}
    assert other["env"] == {"WURZEL_LAYOUT": layout_digest(what)}
    assert other["concurrency"] == {"group": "rag-pull-request-${{ github.ref }}", "cancel-in-progress": True}
    (job,) = other["jobs"].values()
    assert job["permissions"] == {"contents": "read"}
    assert not {"environment", "if"} & set(job)
    run = named(job, "Run")
    assert (run["run"], run.get("env")) == ("wurzel run rag --only words", None)
    assert [kind for kind, _ in uses(job)][2:] == ["restore", "upload-artifact"]  # and saves no cache
    both = pipeline(step("words", secrets=key), reading("join", "words"))
    assert "every step needs a secret" in problems(both, pull_request=True)


def test_a_pull_request_may_read_the_store():
    _, other = two_workflows(stored(identity=IDENTITY))
    assert other["env"]["WURZEL_STORE_CACHE"] == "read"
    assert other["env"]["WURZEL_STORE_ROLE_ARN"] == "arn:aws:iam::1:role/other"
    for job in other["jobs"].values():
        assert job["if"] == "github.event.pull_request.head.repo.full_name == github.repository"
    assert "which may write" in problems(stored(secrets=STORE_KEYS), pull_request=True)
    trusted = stored(identity={"role": "arn:aws:iam::1:role/rag"})
    assert "the role of trusted jobs" in problems(trusted, pull_request=True)
