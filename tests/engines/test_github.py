"""The rendered workflow in act (see `drivers/github.py`), and under every checker there is."""

import json
import os
import shutil
import subprocess

import pytest
import yaml

from tests.conftest import EXAMPLES
from tests.engines.datasets import example, render, unpacked, wurzel_run
from tests.engines.install import ROOT
from tests.runtime.test_notice import webhook
from wurzel.backends.ci.validation import check_github
from wurzel.backends.github.options import PINS
from wurzel.engines.github import SETS, Act

pytestmark = pytest.mark.engine
HOME = ROOT / "github"
TOKENS = {"SHARED_TOKEN": "$(touch pwned)", "SUFFIX_API_TOKEN": "a'b\"c`d$HOME"}
RUNNABLE = [word for item in SETS for word in ("--set", item)]
TOLD = 'on_failure={webhook: {name: chat, key: url}, command: [sh, -c, "echo $WURZEL_STEP, $WURZEL_LINK"]}'
ACCEPTED = {
    "self-hosted-runner": "a node selector asks for a certain machine, which only a self-hosted runner can be",
    "unpinned-images": "the example names its images by tag; pinning them is up to who configures a pipeline",
    "secrets-outside-env": "an environment is an option; with it there is no finding, as another test shows",
}


@pytest.fixture
def act(tmp_path):
    """Run an event of a project's workflow from a fresh clone; gives the finished process and the data it kept."""
    yield Act(tmp_path)
    assert not list(tmp_path.rglob("pwned*"))


@pytest.mark.parametrize("name", ["diamond", "fanin", "named", "hostile", "sharded", "flaky"])
def test_same_bytes_as_a_local_run(act, tmp_path, name):
    expected = wurzel_run(example(name, tmp_path / "local"), name)
    project = example(name, tmp_path / "project")
    render(project, name, "github", *RUNNABLE)
    done, store = act(project, branch="a$(touch${IFS}pwned)b" if name == "hostile" else "main")
    assert done.returncode == 0, done.stdout + done.stderr
    assert unpacked(store, tmp_path / "out", name) == expected
    if name == "flaky":
        assert "the first try fails" in done.stdout


def test_everything_a_platform_may_be_asked_for(act, tmp_path):
    expected = wurzel_run(example("scheduled", tmp_path / "local"), "scheduled")
    project = example("scheduled", tmp_path / "project")
    bare = ["image", "steps.suffix.image", "steps.suffix.node_selector", "schedule.timezone"]
    render(project, "scheduled", "github", *RUNNABLE, *(word for key in bare for word in ("--set", f"{key}=null")))
    done, store = act(project, event="schedule")
    assert done.returncode == 0, done.stdout + done.stderr
    assert unpacked(store, tmp_path / "out", "scheduled") == expected


def test_a_failing_step_fails_the_run_and_leaves_the_other_branch(act, tmp_path):
    project = example("failing", tmp_path / "project")
    render(project, "failing", "github", *RUNNABLE, "--set", TOLD)
    with webhook(200) as (url, sent):
        done, store = act(project, f"--secret=CHAT_URL={url}")
    assert done.returncode == 1
    assert "this step always fails" in done.stdout
    link = "https://github.com/acme/rag/actions/runs/1"
    (said,) = sent
    assert (said["step"], said["link"], said["run"]) == ("failing", link, "1-1")
    assert f"failing, {link}" in done.stdout
    assert url not in done.stdout
    assert sorted(path.stem.split(".")[1] for path in store.rglob("*.zip")) == ["upper", "words"]


OTHER = {"name": "ingest", "conclusion": "success", "head_branch": "main", "head_repository": {"full_name": "acme/rag"}}


def test_what_starts_a_run_besides_the_clock(act, tmp_path):
    """act knows the events, but not their filters."""
    project = example("chain", tmp_path / "project")
    asked = "triggers={push: [main], after: [ingest/load], webhook: true}"
    render(project, "chain", "github", *RUNNABLE[:2], "--set", asked)

    def ran(event, **other):
        payload = {"repository": {"full_name": "acme/rag", "default_branch": "main"}, "workflow_run": OTHER | other}
        (tmp_path / "event.json").write_text(json.dumps(payload))
        done, store = act(project, f"--eventpath={tmp_path / 'event.json'}", event=event)
        assert done.returncode == 0, done.stdout + done.stderr
        return bool(list(store.rglob("*.zip")))

    assert ran("push")
    assert ran("repository_dispatch")
    assert ran("workflow_run")
    assert not ran("workflow_run", conclusion="failure")
    assert not ran("workflow_run", head_repository={"full_name": "mallory/rag"})
    assert not ran("workflow_run", head_branch="feature")


def test_secrets_reach_the_step_and_a_missing_one_ends_the_job(act, tmp_path):
    local = example("credentials", tmp_path / "local")
    environment = {"SHARED_TOKEN": TOKENS["SHARED_TOKEN"], "SECRET_SUFFIX__TOKEN": TOKENS["SUFFIX_API_TOKEN"]}
    expected = wurzel_run(local, "credentials", env=environment)
    project = example("credentials", tmp_path / "project")
    render(project, "credentials", "github", *RUNNABLE)
    done, store = act(project, *(f"--secret={name}={value}" for name, value in TOKENS.items()))
    assert done.returncode == 0, done.stdout + done.stderr
    assert unpacked(store, tmp_path / "out", "credentials") == expected
    assert TOKENS["SUFFIX_API_TOKEN"] not in done.stdout
    done, _ = act(project, "--secret=SHARED_TOKEN=x")
    assert done.returncode == 1
    assert "the secret SUFFIX_API_TOKEN is missing or empty" in done.stdout


def suffixed(store, folder):
    shutil.rmtree(folder, ignore_errors=True)
    unpacked(store, folder, "named")
    return json.loads((folder / "data" / "suffix-en" / "part-00000.json").read_text())[0]["text"]


@pytest.mark.parametrize("schedule", [False, True])
def test_an_input_reaches_its_setting_and_no_shell(act, tmp_path, schedule):
    text = "$(touch pwned)`touch pwned`'; touch pwned; #\" ${{ github.actor }} \\"
    project = example("named", tmp_path / "project")
    when = ["--set", "schedule.cron=0 4 * * *"] if schedule else []
    render(project, "named", "github", *RUNNABLE, *when)
    done, store = act(project, f"--input=SUFFIX_EN__SUFFIX={text}")
    assert done.returncode == 0, done.stdout + done.stderr
    assert suffixed(store, tmp_path / "out") == f"one{text}"
    if schedule:
        done, store = act(project, event="schedule")
        assert done.returncode == 0, done.stdout + done.stderr
        assert suffixed(store, tmp_path / "out") == "oneth"


def test_memory_grows_through_the_cache(act, tmp_path):
    project = example("sources", tmp_path / "project")
    render(project, "sources", "github", *RUNNABLE)
    for items in (1, 2, 3):
        done, store = act(project)
        assert done.returncode == 0, done.stdout + done.stderr
        shutil.rmtree(tmp_path / "out", ignore_errors=True)
        unpacked(store, tmp_path / "out", "sources")
        assert json.loads((tmp_path / "out/data/memory/manifest.json").read_text())["items"] == items


LAYOUTS = [
    ("grouped", ["targets.github.layout=auto", "targets.github.anchors=true"], {"shout"}),
    ("hostile", ["targets.github.layout=single"], {"suffix-0", "suffix-13"}),
]
"""Examples with layouts, and steps whose data must be among what they keep."""


@pytest.mark.parametrize(("name", "sets", "steps"), LAYOUTS, ids=[name for name, *_ in LAYOUTS])
def test_jobs_of_several_steps_give_the_same_bytes(act, tmp_path, name, sets, steps):
    expected = wurzel_run(example(name, tmp_path / "local"), name)
    project = example(name, tmp_path / "project")
    render(project, name, "github", *RUNNABLE, *(word for text in sets for word in ("--set", text)))
    done, store = act(project, branch="a$(touch${IFS}pwned)b" if name == "hostile" else "main")
    assert done.returncode == 0, done.stdout + done.stderr
    kept = unpacked(store, tmp_path / "out", name)
    assert steps <= {path.partition("/")[0] for path in kept}
    assert kept == {path: data for path, data in expected.items() if path in kept}


def test_a_second_run_does_only_what_changed_and_a_failed_one_keeps_what_it_did(act, tmp_path):
    project = example("failing", tmp_path / "project")
    single = (*RUNNABLE, "--set", "targets.github.layout=single")
    render(project, "failing", "github", *single)
    done, store = act(project)
    assert done.returncode == 1
    assert "::error title=failing::" in done.stdout or "this step always fails" in done.stdout
    assert "executed=3" in done.stdout
    assert "kept wurzel/pipeline/" in done.stdout
    done, _ = act(project)
    assert "restored wurzel/pipeline/" in done.stdout
    assert "words: unchanged" in done.stdout
    assert "executed=1" in done.stdout
    assert list(store.rglob("*.zip")) == []


def test_a_run_of_one_job_keeps_nothing_new_when_nothing_ran(act, tmp_path):
    project = example("credentials", tmp_path / "project")
    render(project, "credentials", "github", *RUNNABLE, "--set", "targets.github.layout=single")
    given = [f"--secret={name}={value}" for name, value in TOKENS.items()]
    done, _ = act(project, *given)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Keep the data for the next run" in done.stdout
    done, _ = act(project, *given)
    assert "executed=0" in done.stdout
    assert "Run Main Keep the data for the next run" not in done.stdout
    assert TOKENS["SUFFIX_API_TOKEN"] not in done.stdout


def rendered(name, folder, *arguments):
    project = example(name, folder)
    render(project, name, "github", *arguments)
    (path,) = (project / ".github" / "workflows").iterdir()
    return path


VARIANTS = [
    [],
    ["--set", "targets.github.setup=uv", "--set", "targets.github.oidc=true"],
    ["--set", "image=ghcr.io/acme/rag@sha256:" + "0" * 64, "--set", "targets.github.checkout=false"],
]


@pytest.fixture
def checkers(monkeypatch):
    """Put the programs that check workflows on the PATH."""
    monkeypatch.setenv("PATH", f"{HOME / 'bin'}:{os.environ['PATH']}")


@pytest.mark.parametrize("variant", VARIANTS, ids=["default", "uv", "image"])
def test_every_checker_at_its_strictest_finds_nothing(checkers, tmp_path, variant):
    names = [name for name in EXAMPLES if name != "grouped" or "targets.github.checkout=false" not in variant]
    paths = [rendered(name, tmp_path / name, *variant) for name in names]
    found = check_github({str(path.relative_to(tmp_path)): path.read_text() for path in paths}, persona="auditor")
    assert [
        str(problem) for problem in found if not any(f"zizmor, {name})" in problem.message for name in ACCEPTED)
    ] == []
    parser = subprocess.run(
        ["node", HOME / "actions" / "parse" / "index.mjs", *paths], capture_output=True, text=True, check=False
    )
    assert (parser.returncode, parser.stdout) == (0, "{}\n"), parser.stderr


def test_an_environment_leaves_no_finding_on_secrets(checkers, tmp_path):
    path = rendered("credentials", tmp_path / "p", "--set", "targets.github.environment=prod")
    assert check_github({path.name: path.read_text()}, persona="auditor") == []


@pytest.fixture(scope="module")
def chain(tmp_path_factory):
    folder = tmp_path_factory.mktemp("chain") / "p"
    return rendered("chain", folder, "--set", "targets.github.layout=steps").read_text()


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("timeout-minutes", "timeout-minuets", "official schema"),
        ("needs: [words]", "needs: [wrods]", "actionlint, job-needs"),
        ("run: wurzel", "run: echo $HOME/*; wurzel", "actionlint, shellcheck"),
        ("${{ github.run_id }}", "${{ github.run_idd }}", "actionlint, expression"),
        ("run: wurzel", "run: echo ${{ github.head_ref }}; wurzel", "zizmor, template-injection"),
        (f"@{PINS['actions/checkout'][0]} # v7.0.1", "@v7", "zizmor, unpinned-uses"),
        ("        with:\n          persist-credentials: false\n", "", "zizmor, artipacked"),
    ],
)
def test_each_checker_finds_its_kind_of_mistake(checkers, chain, old, new, expected):
    text = chain
    assert old in text
    found = check_github({".github/workflows/chain.yml": text.replace(old, new)})
    assert any(expected in problem.message for problem in found), found
    assert {problem.where for problem in found} == {".github/workflows/chain.yml"}


def test_workflows_are_valid_yaml_for_readers_of_both_versions(tmp_path):
    document = yaml.safe_load(rendered("hostile", tmp_path / "p", "--set", "targets.github.layout=steps").read_text())
    assert len(document["jobs"]) == 16
