"""The rendered file in gitlab-ci-local (see `drivers/gitlab.py`), and under the official schema."""

import json
import os
import shutil
import subprocess

import pytest
import yaml

from tests.conftest import EXAMPLES
from tests.engines.cases import PLAIN_FOLDER
from tests.engines.datasets import example, render, wurzel_run
from tests.engines.install import ROOT
from tests.runtime.test_notice import webhook
from wurzel.backends.ci.validation import check_gitlab
from wurzel.engines.driver import collected
from wurzel.engines.gitlab import SETS, GitlabCiLocal

pytestmark = pytest.mark.engine
HOME = ROOT / "gitlab"
RUNNABLE = [word for item in SETS for word in ("--set", item)]
LAYOUTS = [
    ("hostile", ["targets.gitlab.layout=single", f"data_dir={PLAIN_FOLDER}"]),
    ("sharded", ["targets.gitlab.layout=auto", "steps.loud.resources.cpu=900m"]),
]
"""Examples with layouts."""
SECRETS = {"SHARED_TOKEN": "x$HOME", "SUFFIX_API_TOKEN": "a'b\"c`d"}


@pytest.fixture
def gitlab(tmp_path):
    """Run a project's pipeline from a fresh clone; gives the finished process and the clone."""
    yield GitlabCiLocal(tmp_path)
    assert not list(tmp_path.rglob("pwned*"))


def kept(clone, folder="data"):
    """The datasets that jobs kept as artifacts."""
    return collected(clone / folder)


@pytest.mark.parametrize("name", ["diamond", "fanin", "named", "sharded"])
def test_same_bytes_as_a_local_run(gitlab, tmp_path, name):
    expected = wurzel_run(example(name, tmp_path / "local"), name)
    project = example(name, tmp_path / "project")
    render(project, name, "gitlab", *RUNNABLE)
    done, clone = gitlab(project)
    assert done.returncode == 0, done.stdout + done.stderr
    assert kept(clone) == expected


def test_hostile_values_reach_their_steps_and_no_shell(gitlab, tmp_path):
    expected = wurzel_run(example("hostile", tmp_path / "local"), "hostile")
    project = example("hostile", tmp_path / "project")
    render(project, "hostile", "gitlab", *RUNNABLE, "--set", f"data_dir={PLAIN_FOLDER}")
    done, clone = gitlab(project, branch="a$(touch${IFS}pwned)b")
    assert done.returncode == 0, done.stdout + done.stderr
    assert kept(clone, PLAIN_FOLDER) == expected


def test_everything_a_platform_may_be_asked_for(gitlab, tmp_path):
    expected = wurzel_run(example("scheduled", tmp_path / "local"), "scheduled")
    project = example("scheduled", tmp_path / "project")
    render(project, "scheduled", "gitlab")
    done, clone = gitlab(project, source="schedule")
    assert done.returncode == 0, done.stdout + done.stderr
    assert kept(clone) == expected


def test_a_step_is_tried_again(gitlab, tmp_path):
    expected = wurzel_run(example("flaky", tmp_path / "local"), "flaky")
    project = example("flaky", tmp_path / "project")
    render(project, "flaky", "gitlab", *RUNNABLE, "--set", "steps.flaky.retry.backoff=1s")
    done, clone = gitlab(project)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "the first try fails" in done.stdout + done.stderr
    assert kept(clone) == expected


def test_a_failing_step_fails_the_run_and_leaves_the_other_branch(gitlab, tmp_path):
    project = example("failing", tmp_path / "project")
    render(project, "failing", "gitlab", *RUNNABLE)
    done, clone = gitlab(project)
    assert done.returncode == 1
    assert "this step always fails" in done.stdout + done.stderr
    assert {path.split("/")[0] for path in kept(clone)} == {"upper", "words"}


def test_who_asked_is_told_of_a_failed_run(gitlab, tmp_path):
    """In one job: gitlab-ci-local starts no job of `.post` while one never ran, as GitLab does."""
    project = example("failing", tmp_path / "project")
    told = "on_failure={webhook: {name: chat, key: url}, command: [sh, -c, 'echo \"$WURZEL_LINK\"']}"
    render(project, "failing", "gitlab", *RUNNABLE[:2], "--set", told)
    with webhook(200) as (url, sent):
        done, _ = gitlab(project, "--variable", f"CHAT_URL={url}")
    assert done.returncode == 1
    (said,) = sent
    assert said["link"] == "https://gitlab.com/acme/rag/pipelines/0"
    assert f"on-failure > {said['link']}" in done.stdout
    assert url not in done.stdout + done.stderr
    assert "on-failure imported" not in done.stdout  # neither the data of the run nor its cache


def test_secrets_reach_the_step_and_a_missing_one_ends_the_job(gitlab, tmp_path):
    environment = {"SHARED_TOKEN": SECRETS["SHARED_TOKEN"], "SECRET_SUFFIX__TOKEN": SECRETS["SUFFIX_API_TOKEN"]}
    expected = wurzel_run(example("credentials", tmp_path / "local"), "credentials", env=environment)
    project = example("credentials", tmp_path / "project")
    render(project, "credentials", "gitlab", *RUNNABLE)
    given = [word for name, value in SECRETS.items() for word in ("--variable", f"{name}={value}")]
    done, clone = gitlab(project, *given)
    assert done.returncode == 0, done.stdout + done.stderr
    assert kept(clone) == expected
    done, _ = gitlab(project, "--variable", "SHARED_TOKEN=x")
    assert done.returncode == 1
    assert "the CI/CD variable SUFFIX_API_TOKEN is missing or empty" in done.stdout + done.stderr


@pytest.mark.parametrize(("name", "sets"), LAYOUTS, ids=[name for name, _ in LAYOUTS])
def test_jobs_of_several_steps_give_the_same_bytes(gitlab, tmp_path, name, sets):
    expected = wurzel_run(example(name, tmp_path / "local"), name)
    project = example(name, tmp_path / "project")
    render(project, name, "gitlab", *RUNNABLE, *(word for text in sets for word in ("--set", text)))
    done, clone = gitlab(project, "--variable", "GITLAB_CI=true", branch="a$(touch${IFS}pwned)b")
    assert done.returncode == 0, done.stdout + done.stderr
    data = kept(clone, PLAIN_FOLDER if name == "hostile" else "data")
    assert data
    assert data == {path: content for path, content in expected.items() if path in data}
    assert " result " in done.stderr  # the table; gitlab-ci-local removes the marks of sections


def test_a_second_run_does_only_what_changed(gitlab, tmp_path):
    project = example("named", tmp_path / "project")
    render(project, "named", "gitlab", *RUNNABLE, "--set", "targets.gitlab.layout=single")
    done, clone = gitlab(project)
    assert done.returncode == 0, done.stdout + done.stderr
    shutil.rmtree(clone / "data")
    done, _ = gitlab(project, "--variable", "SUFFIX_EN__SUFFIX=new", clone=clone)
    assert "words: unchanged" in done.stderr
    assert "suffix-de: unchanged" in done.stderr
    assert suffixed(clone) == "onenew"


def suffixed(clone):
    return json.loads((clone / "data" / "suffix-en" / "part-00000.json").read_text())[0]["text"]


def test_a_variable_of_the_run_reaches_its_setting_and_no_shell(gitlab, tmp_path):
    text = "(touch pwned)`touch pwned`'; touch pwned; #\" \\"
    project = example("named", tmp_path / "project")
    render(project, "named", "gitlab", *RUNNABLE)
    done, clone = gitlab(project, "--variable", f"SUFFIX_EN__SUFFIX={text}")
    assert done.returncode == 0, done.stdout + done.stderr
    assert suffixed(clone) == f"one{text}"


@pytest.mark.parametrize("kind", ["include", "component"])
def test_a_file_to_include_and_a_component_run_within_another_file(gitlab, tmp_path, kind):
    expected = wurzel_run(example("named", tmp_path / "local"), "named")
    project = example("named", tmp_path / "project")
    render(project, "named", "gitlab", *RUNNABLE, "--set", f"targets.gitlab.kind={kind}")
    path = {"include": ".gitlab/named.gitlab-ci.yml", "component": "templates/named.yml"}[kind]
    text = "$(touch pwned) $HOME"
    inputs = {"stage": "deploy", "SUFFIX_EN__SUFFIX": text} if kind == "component" else {}
    (project / ".gitlab-ci.yml").write_text(
        json.dumps({"include": [{"local": f"/{path}", "inputs": inputs}], "other": {"script": ["echo here"]}})
    )
    done, clone = gitlab(project, "--variable", "WURZEL_PIPELINE=named")
    assert done.returncode == 0, done.stdout + done.stderr
    if kind == "component":
        assert suffixed(clone) == f"one{text}"
    else:
        assert kept(clone) == expected
    done, clone = gitlab(project)
    assert done.returncode == 0, done.stdout + done.stderr
    assert not (clone / "data").exists()


def test_memory_grows_through_the_cache(gitlab, tmp_path):
    project = example("sources", tmp_path / "project")
    render(project, "sources", "gitlab", *RUNNABLE)
    clone = None
    for items in (1, 2, 3):
        done, clone = gitlab(project, clone=clone)
        assert done.returncode == 0, done.stdout + done.stderr
        assert json.loads((clone / "data/memory/manifest.json").read_text())["items"] == items
        shutil.rmtree(clone / "data")


def test_the_script_creates_the_schedule(tmp_path):
    project = example("scheduled", tmp_path / "project")
    render(project, "scheduled", "gitlab", "--set", "targets.gitlab.kind=include")
    programs = tmp_path / "bin"
    programs.mkdir()
    glab = programs / "glab"
    glab.write_text(
        '#!/bin/sh\ncase "$*" in *pipeline_schedules*) cat list;; *PUT*) exit 1;; *) printf "%s\\n" "$@";; esac\n'
    )
    glab.chmod(0o755)
    environment = {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}"}

    def run(listed):
        (project / "list").write_text(listed)
        script = project / ".gitlab" / "schedule-scheduled.sh"
        return subprocess.run([script], cwd=project, env=environment, capture_output=True, text=True, check=False)

    done = run('[{"id":1,"description":"wurzel: scheduled-small","ref":"main"}]')  # not a prefix
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        *("schedule", "create", "--description", "wurzel: scheduled", "--ref", "main", "--cron", "0 4 * * *"),
        *("--cronTimeZone", "Europe/Berlin", "--active"),
    ]
    order = "--method PUT projects/:id/resource_groups/scheduled --field process_mode=oldest_first"
    assert done.stderr == f"After the first run, run: glab api {order}\n"
    again = run('[{"id":1,"description":"wurzel: scheduled","ref":"main"}]')
    assert (again.returncode, again.stdout) == (1, "")
    assert 'glab schedule update ID --cron "0 4 * * *" --cronTimeZone "Europe/Berlin"\n' in again.stderr


@pytest.fixture
def checkers(monkeypatch):
    """Put the programs that check files on the PATH."""
    monkeypatch.setenv("PATH", f"{HOME / 'bin'}:{os.environ['PATH']}")


def rendered(name, folder, *arguments):
    project = example(name, folder)
    render(project, name, "gitlab", *arguments)
    return {str(path.relative_to(project)): path.read_text() for path in project.rglob("*.yml")}


@pytest.mark.parametrize(
    ("kind", "names"),
    [("root", EXAMPLES), ("include", ["scheduled"]), ("component", ["hostile", "named", "scheduled"])],
)
def test_every_checker_finds_nothing(checkers, tmp_path, kind, names):
    for name in names:
        files = rendered(name, tmp_path / name, "--set", f"targets.gitlab.kind={kind}")
        assert check_gitlab(files, kind) == []


def test_inputs_of_a_root_file_are_valid(checkers, tmp_path):
    assert check_gitlab(rendered("named", tmp_path / "p", "--set", "targets.gitlab.parameters=inputs")) == []


@pytest.mark.parametrize("base", ["", ".guarded"])
def test_what_a_file_includes_is_elsewhere_and_not_fetched(checkers, tmp_path, caplog, base):
    ((path, text),) = rendered("chain", tmp_path / "p", "--set", "targets.gitlab.layout=steps").items()
    text += "\ninclude:\n  - {project: nobody/nothing, ref: v1, file: /guards.yml}\n  - local: /not/there.yml\n"
    text = text.replace("extends: .pipeline", f"extends: {base}") if base else text
    assert check_gitlab({path: text}) == []
    assert f"{path} includes files that are elsewhere" in caplog.text
    found = check_gitlab({path: text.replace("needs: [words]", "needs: [wrods]")})
    assert bool(found) is not bool(base)  # what extends a job of another file cannot be listed


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("  needs: []", "  neds: []", "official schema"),
        ("  extends: .pipeline\n", "  extends: .pipeline\n  retry: 3\n", "official schema"),
        ("  timeout: 6h", "  timeuot: 6h", "gitlab-ci-local"),
        ("needs: [words]", "needs: [wrods]", "gitlab-ci-local"),
        ("extends: .pipeline", "extends: .pipelien", "gitlab-ci-local"),
    ],
)
def test_each_checker_finds_its_kind_of_mistake(checkers, tmp_path, old, new, expected):
    ((path, text),) = rendered("chain", tmp_path / "p", "--set", "targets.gitlab.layout=steps").items()
    assert old in text
    found = check_gitlab({path: text.replace(old, new)})
    assert any(expected in problem.message for problem in found), found


LAYERS = {
    "company/gitlab/gitlab-ci.yml.j2": """{% extends "!gitlab/gitlab-ci.yml.j2" %}
{% block before_script %}
{{ super() }}
- echo company-before
{% endblock %}
{% block base_after_script %}
- echo company-after
{% endblock %}
{% block tags %}
{{ super() }}
- company
{% endblock %}
{% block base_variables %}
{{ super() }}
COMPANY: of-all-jobs
{% endblock %}
""",
    "team/gitlab/_job.yml.j2": """{% extends "!gitlab/_job.yml.j2" %}
{% block job_before_script %}
  before_script:
    - echo team-before $COMPANY $TEAM
{% endblock %}
{% block after_script %}
- echo team-after
{% endblock %}
{% block job_tags %}
{{ super() }}
- team
{% endblock %}
{% block job_variables %}
{{ super() }}
TEAM: of-one-job
{% endblock %}
""",
}


def test_each_job_runs_what_layers_added_to_all_of_them(gitlab, tmp_path):
    project = example("diamond", tmp_path / "project")
    for name, text in LAYERS.items():
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text(text)
    pipelines = 'pipelines: {diamond: {entrypoint: "diamond:pipeline"}}'
    (project / "wurzel.yaml").write_text(f"version: 1\ntemplates: [team, company]\n{pipelines}\n")
    render(project, "diamond", "gitlab", *RUNNABLE)
    done, _ = gitlab(project, "words")  # it loses artifacts of jobs that have an after_script
    assert done.returncode == 0, done.stdout + done.stderr
    said = [line.split("> ", 1)[-1].strip() for line in done.stdout.splitlines()]
    wanted = ["company-before", "team-before of-all-jobs of-one-job", "company-after", "team-after"]
    assert [line for line in said if line.startswith(("company", "team"))][:4] == wanted, done.stdout
    preview, _ = gitlab(project, "--preview")
    jobs = yaml.safe_load("---" + preview.stdout.split("---", 1)[1])
    for name in ("words", "upper", "reverse", "join"):
        assert jobs[name]["tags"] == ["company", "team"]
        assert jobs[name]["variables"]["COMPANY"] == "of-all-jobs"
