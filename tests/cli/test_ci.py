"""`wurzel ci`: what the file says, where it is written, and who may do what in it."""

import re
import shlex
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.command import invoke
from wurzel.drift import accept

PATHS = {"github": ".github/workflows/wurzel.yml", "gitlab": ".gitlab/wurzel.yml"}
CONFIG = """version: 1
requires: ./wheels/wurzel.whl
pipelines: {words: {entrypoint: "chain:pipeline", targets: {dvc: {}}}}
"""


def run(*arguments):
    return invoke("ci", *arguments)


@pytest.fixture
def words(project):
    root = project("chain")
    Path("wurzel.yaml").write_text(CONFIG)
    subprocess.run(["git", "init", "-q"], check=True)
    return root


def loaded(platform, *arguments):
    text = run(platform, *arguments, "--stdout").stdout
    return yaml.load(text.replace("\non:", "\n'on':"), yaml.SafeLoader)


def scripts(platform, job):
    if platform == "gitlab":
        return "\n".join([*job.get("before_script", []), *job["script"]])
    return "\n".join(step.get("run", "") for step in job["steps"])


def without_check(script):
    """A script without the check of what is pushed, which names wurzel but does not run it."""
    check = Path(accept.__file__).read_text().strip()
    assert f"python3 -I -c {shlex.quote(check)} " in script
    return script.replace(check, "")


@pytest.mark.parametrize("platform", PATHS)
def test_the_file_is_written_checked_and_kept(words, platform):
    path = Path(PATHS[platform])
    assert f"created {path}" in run(platform).stderr
    before = path.stat().st_mtime_ns
    assert "up to date" in run(platform).stderr
    assert path.stat().st_mtime_ns == before
    assert run(platform, "--check").exit_code == 0
    changed = run(platform, "--push", "--check")
    assert changed.exit_code == 1
    assert f"It was written by: wurzel ci {platform}\n" in str(changed.exception)
    assert f"or run: wurzel ci {platform} --push" in str(changed.exception)
    path.write_text(path.read_text() + "# mine\n")
    kept = run(platform)
    assert "edited by hand" in str(kept.exception)
    assert "-# mine" in kept.stdout
    run(platform, "--force")
    assert "# mine" not in path.read_text()
    render = invoke("render")
    assert render.exit_code == 0
    assert invoke("render", "--check").exit_code == 0  # it is no orphan of a render


@pytest.mark.parametrize("platform", PATHS)
def test_without_push_nothing_may_write(words, platform):
    text = run(platform, "--stdout").stdout
    assert "wurzel render --check" in text
    for word in (": write", "TOKEN", "git push"):
        assert word not in text


def test_on_github_only_the_job_that_runs_no_code_of_ours_may_write(words):
    data = loaded("github", "--push", "--token", "RENDER_TOKEN")
    assert data["permissions"] == {}
    jobs = data["jobs"]
    assert {name: job["permissions"] for name, job in jobs.items()} == {
        "check": {"contents": "read"},
        "render": {"contents": "read"},
        "push": {"contents": "write"},
    }
    assert "wurzel" not in without_check(scripts("github", jobs["push"])).replace("wurzel/wurzel.patch", "")
    assert "secrets.RENDER_TOKEN" in str(jobs["push"])
    assert "TOKEN:?is empty: store a token as the secret RENDER_TOKEN" in scripts("github", jobs["push"])
    assert "is empty" not in run("github", "--push", "--stdout").stdout
    for name in ("check", "render"):
        assert "RENDER_TOKEN" not in str(jobs[name])
    for job in jobs.values():
        assert "${{" not in scripts("github", job)
        for step in job["steps"]:
            assert "@" not in step.get("uses", "") or len(step["uses"].partition("@")[2]) == 40
            if "checkout" in step.get("uses", ""):
                assert step["with"]["persist-credentials"] is False
    assert "Render pipelines" in jobs["render"]["if"]
    assert "github.event_name == 'push'" in jobs["render"]["if"]


def test_on_gitlab_only_the_job_that_runs_no_code_of_ours_has_the_token(words):
    data = loaded("gitlab", "--push")
    push = scripts("gitlab", data["wurzel-push"])
    assert "WURZEL_PUSH_TOKEN" in push
    assert "--push-option=ci.skip" in push
    for word in ("pip ", "wurzel render"):
        assert word not in without_check(push)
    assert data["wurzel-push"]["inherit"] == {"default": False}
    assert "TOKEN" not in str(data["wurzel-render"]) + str(data["wurzel-check"]) + str(data[".wurzel"])
    assert data["wurzel-push"]["environment"]["name"] == "wurzel-push"
    for name in ("wurzel-render", "wurzel-push"):
        assert "Render pipelines" in str(data[name]["rules"])


@pytest.mark.parametrize("platform", PATHS)
def test_a_project_below_the_top_of_its_repository(words, platform, monkeypatch):
    below = words / "it's a $HOME"
    below.mkdir()
    (below / "wurzel.yaml").write_text(CONFIG)
    (below / "requirements.txt").write_text("wurzel\n")
    monkeypatch.chdir(below)
    run(platform)
    text = (words / PATHS[platform].replace(".yml", "-it-s-a-home.yml")).read_text()
    assert text.startswith(f"""# Rendered by `wurzel -C 'it'"'"'s a $HOME' ci {platform}` from""")
    data = yaml.safe_load(text)
    if platform == "github":
        steps = data["jobs"]["check"]["steps"]
        assert [step.get("working-directory") for step in steps[2:]] == ["it's a $HOME"] * 2
        assert steps[2]["run"] == "python -m pip install --requirement requirements.txt ./wheels/wurzel.whl"
    else:
        assert data[".wurzel-it-s-a-home"]["before_script"][0] == "cd 'it'\"'\"'s a $HOME'"
        assert data["wurzel-check-it-s-a-home"]["rules"][0]["changes"][0] == "it's a ?HOME/**/*"
        report = data["wurzel-check-it-s-a-home"]["artifacts"]["reports"]["codequality"]
        assert report == "it's a $HOME/gl-code-quality-report.json"


@pytest.mark.parametrize("platform", PATHS)
def test_hostile_words_stay_words(words, platform):
    line = "pip install 'a: b' # ${{ x }}\n- y"
    data = loaded(platform, "--install", line)
    assert line in (
        data["jobs"]["check"]["steps"][2]["run"] if platform == "github" else data[".wurzel"]["before_script"]
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--push", "--token", "ghp_" + "a1B2" * 9], "not the token"),
        (["--token", "X"], "--token is for --push"),
        (["-e", "nowhere"], "unknown environment 'nowhere'"),
        (["--merge-requests"], "--merge-requests is for gitlab"),
    ],
)
def test_bad_requests(words, arguments, message):
    refused = run("github", *arguments)
    assert message in str(refused.exception)
    assert refused.exception.exit_code == 2
    assert "a1B2" not in str(refused.exception)
    assert not Path(".github").exists()


def test_without_a_project(project):
    project("chain")
    assert "there is no wurzel.yaml here" in str(run("github").exception)


def test_what_github_would_refuse_is_said_at_once(words):
    assert "must not push changes to workflows" in run("github", "--push").stderr
    assert "must not push" not in run("github", "--push", "--token", "RENDER_TOKEN", "--force").stderr


@pytest.mark.parametrize("push", [False, True])
def test_on_gitlab_a_merge_request_is_not_judged_by_this_job_alone(words, push):
    arguments = ["--push"] if push else []
    assert "merge_request" not in run("gitlab", *arguments, "--stdout").stdout
    rules = loaded("gitlab", "--merge-requests", *arguments)["wurzel-check"]["rules"]
    assert rules[0] == {"if": '$CI_PIPELINE_SOURCE == "merge_request_event"'}
    run("gitlab", *arguments, "--merge-requests")
    assert run("gitlab", *arguments, "--merge-requests", "--check").exit_code == 0
    assert "--merge-requests" in Path(PATHS["gitlab"]).read_text().partition("\n")[0]


def holds(condition, event):
    """What GitHub makes of a condition of comparisons: `&&` binds more tightly than `||`."""
    python = condition.replace("||", "or").replace("&&", "and")
    return eval(re.sub(r"github(?:\.\w+)+", lambda name: repr(event.get(name[0])), python))


REPOSITORY = {"github.repository": "acme/rag"}
BY_PULL_REQUEST = REPOSITORY | {"github.event_name": "pull_request"}
BY_PUSH = REPOSITORY | {"github.event_name": "push"}
SOURCE, SUBJECT = "github.event.pull_request.head.repo.full_name", "github.event.head_commit.message"


@pytest.mark.parametrize(
    ("event", "jobs"),
    [
        (BY_PUSH | {SUBJECT: "Add a step"}, ["render"]),
        (BY_PUSH | {SUBJECT: "Render pipelines"}, ["check"]),
        (BY_PULL_REQUEST | {SOURCE: "acme/rag"}, []),  # its push did all there is to do
        (BY_PULL_REQUEST | {SOURCE: "mallory/rag"}, ["check"]),
        (BY_PULL_REQUEST, ["check"]),  # from a fork that was deleted
    ],
)
def test_one_job_on_github_looks_at_each_commit(words, event, jobs):
    found = loaded("github", "--push")["jobs"]
    assert [name for name in ("check", "render") if holds(found[name]["if"], event)] == jobs


def test_only_the_commit_it_made_itself_is_not_rendered_again(words):
    assert "head_commit.message != 'Render pipelines'" in loaded("github", "--push")["jobs"]["render"]["if"]
    rules = loaded("gitlab", "--push")["wurzel-render"]["rules"]
    assert rules[0]["if"].endswith(r"!~ /^Render pipelines\s*$/")


def test_a_rendered_root_file_of_gitlab_takes_no_include(words):
    assert "include it in .gitlab-ci.yml" in run("gitlab").stderr
    Path(PATHS["gitlab"]).unlink()
    Path("wurzel.yaml").write_text(CONFIG.replace("dvc: {}", "gitlab: {}"))
    invoke("render")
    assert "targets.gitlab.kind: include" in run("gitlab").stderr


def test_an_organisation_changes_a_block(words):
    layer = Path("layer/ci")
    layer.mkdir(parents=True)
    (layer / "github.yml.j2").write_text(
        '{% extends "!ci/github.yml.j2" %}\n{% block on %}\n  merge_group: {}\n{{ super() }}\n{% endblock %}\n'
    )
    Path("wurzel.yaml").write_text(CONFIG + "templates: [layer]\n")
    assert loaded("github")["on"]["merge_group"] == {}


OF_THE_PACK = {
    "wurzel-pack.yaml": "version: 1\n"
    "variables: {owner: {required: true}, slack: {default: ops}, of: {required: true}}\n",
    "ci/github.yml.j2": """{% extends "!ci/github.yml.j2" %}
{% block top %}
# {{ variables.owner }} {{ variables.slack }} {{ environment }} {{ variables.of is none }}
{% endblock %}
""",
}


def test_its_template_sees_variables_and_the_environment(words, pack):
    pack("globex", "1.0", OF_THE_PACK)
    config = CONFIG.replace("version: 1\n", "version: 1\ntemplates: [globex]\nvariables: {owner: docs}\n")
    config = config.replace("targets:", "variables: {of: pipeline}, targets:")
    Path("wurzel.yaml").write_text(config + "environments: {prod: {variables: {slack: loud}}}\n")
    assert "\n# docs ops null true\n" in run("github", "--stdout").stdout
    assert "\n# docs loud prod true\n" in run("github", "-e", "prod", "--stdout").stdout
