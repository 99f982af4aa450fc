"""What check, prune, diff and write say: to people, as JSON, to GitHub, to GitLab."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.command import invoke

CONFIG = """version: 1
pipelines:
  words: {entrypoint: "chain:pipeline", targets: {dvc: {}, local: {}}}
  other: {entrypoint: "diamond:pipeline", data_dir: more, targets: {local: {}}}
environments:
  prod: {pipelines: {words: {data_dir: prod}}}
"""


@pytest.fixture(autouse=True)
def no_ci(monkeypatch):
    for name in ("GITHUB_ACTIONS", "GITHUB_WORKSPACE", "GITLAB_CI", "CI_PROJECT_DIR"):
        monkeypatch.delenv(name, raising=False)


def run(*arguments):
    return invoke("render", *arguments)


@pytest.fixture(params=["git", "no git"])
def words(project, request):
    root = project("chain")
    project("diamond")
    Path("wurzel.yaml").write_text(CONFIG)
    if request.param == "git":
        subprocess.run(["git", "init", "-q"], check=True)
        Path(".gitignore").write_text("ignored/\n")
    return root


def config(old, new):
    text = Path("wurzel.yaml").read_text()
    assert old in text
    Path("wurzel.yaml").write_text(text.replace(old, new))


def test_the_four_states_are_told_apart_and_one_command_mends_all(words):
    run()
    Path("params.yaml").unlink()
    Path("dvc.yaml").write_text(Path("dvc.yaml").read_text() + "# mine\n")
    config('  other: {entrypoint: "diamond:pipeline", data_dir: more, targets: {local: {}}}\n', "")
    config("local: {}", "local: {output: scripts/words.sh}")
    config("version: 1", "version: 1\n# more")
    result = run("--check")
    text = str(result.exception)
    assert result.exit_code == 1
    assert "params.yaml: missing" in text
    assert "dvc.yaml: edited by hand" in text
    assert "scripts/words.sh: missing" in text
    for gone in ("run-words.sh", "run-other.sh"):
        assert f"{gone}: orphaned: nothing in wurzel.yaml renders it any more" in text
    assert "-# mine" in result.stdout
    assert "--- a/run-other.sh\n+++ /dev/null" in result.stdout
    assert text.endswith("Run: wurzel render --force --prune")
    before = {path: path.read_text() for path in Path().glob("*.*") if path.is_file()}
    assert str(run("--prune").exception).startswith("dvc.yaml: the file was edited by hand")
    assert {path: path.read_text() for path in Path().glob("*.*") if path.is_file()} == before
    mended = run("--force", "--prune").stderr
    assert "removed run-other.sh" in mended
    assert "created scripts/words.sh" in mended
    assert run("--check").exit_code == 0


def test_an_orphan_edited_by_hand_is_kept_without_force(words):
    run()
    Path("run-other.sh").write_text(Path("run-other.sh").read_text() + "# mine\n")
    config('  other: {entrypoint: "diamond:pipeline", data_dir: more, targets: {local: {}}}\n', "")
    assert "edited by hand" in str(run("--check").exception)
    assert "remove with --force" in str(run("--prune").exception)
    assert Path("run-other.sh").exists()
    run("--prune", "--force")
    assert not Path("run-other.sh").exists()


def test_a_plain_render_removes_nothing(words):
    run()
    config('  other: {entrypoint: "diamond:pipeline", data_dir: more, targets: {local: {}}}\n', "")
    run()
    assert Path("run-other.sh").exists()


def test_what_is_no_orphan(words):
    run()
    run("-e", "prod", "-o", "deploy")
    run("-e", "prod", "words", "-t", "local", "--set", "targets.local.output=prod.sh")
    run("words", "-t", "local", "-o", "elsewhere")
    run("diamond:pipeline", "-t", "local", "--set", "targets.local.output=mine.sh")
    run("-o", "/tmp/wurzel-nowhere", "--diff")
    script = Path("run-other.sh").read_text()
    for place in ("nested/run-x.sh", "ignored/run-x.sh", ".venv/run-x.sh", "env/run-x.sh"):
        Path(place).parent.mkdir()
        Path(place).write_text(script)
    Path("nested/wurzel.yaml").write_text("version: 1\n")
    Path("env/pyvenv.cfg").write_text("")
    Path("quoted.md").write_text("text\n" * 3 + script)
    for place in (".venv", "env", "ignored"):
        if Path(".git").exists():
            with Path(".gitignore").open("a") as file:
                file.write(f"{place}/\n")
        elif place == "ignored":
            Path("ignored/run-x.sh").unlink()
    assert run("--check").exit_code == 0, run("--check").exception
    assert run("words", "--check").exit_code == 0
    config('  other: {entrypoint: "diamond:pipeline", data_dir: more, targets: {local: {}}}\n', "")
    assert run("words", "--check").exit_code == 0  # the other pipeline is not asked for
    assert "run-other.sh" in str(run("--check").exception)


def merged(text, other):
    first, _, rest = text.partition("\n")
    return f"<<<<<<< HEAD\n{first}\n=======\n{other}\n>>>>>>> topic\n{rest}"


def test_conflict_markers_are_no_file_of_somebody_else(words):
    run()
    whole = Path("dvc.yaml").read_text()
    conflicted = merged(whole, "# Rendered by `wurzel render words -t dvc` from chain:pipeline; do not edit. sha256:0")
    Path("dvc.yaml").write_text(conflicted)
    assert "dvc.yaml: contains merge conflict markers\n" in str(run("--check").exception)
    refused = run()
    assert "the file contains merge conflict markers" in str(refused.exception)
    assert "Resolve the conflict in its sources" in str(refused.exception)
    assert Path("dvc.yaml").read_text() == conflicted
    assert json.loads(run("--check", "--format", "json").stdout)["fix"] == "wurzel render --force"
    run("--force")
    assert Path("dvc.yaml").read_text() == whole
    Path("dvc.yaml").write_text("<<<<<<< HEAD\na: 1\n=======\na: 2\n>>>>>>> topic\n")
    assert "not written by wurzel" in str(run("--check").exception)


def test_line_ends_and_permissions_are_reasons(words):
    run()
    Path("dvc.yaml").write_bytes(Path("dvc.yaml").read_bytes().replace(b"\n", b"\r\n"))
    Path("run-words.sh").chmod(0o644)
    result = run("--check")
    assert "dvc.yaml: out of date\n    its lines end in CRLF" in str(result.exception)
    assert "run-words.sh: out of date\n    it is not executable\n" in str(result.exception)
    assert result.stdout == ""
    assert "updated run-words.sh: it is not executable" in run("words", "-t", "local").stderr
    config("targets: {dvc: {}", "data_dir: other, targets: {dvc: {}")
    diff = [line for line in run("words", "-t", "dvc", "--diff").stdout.splitlines() if line.startswith("-")]
    assert diff
    assert all("Rendered by" in line or "data" in line or "dvc.yaml" in line for line in diff)
    run()
    assert run("--check").exit_code == 0


def test_orphans_are_found_whatever_git_is_told(words, monkeypatch, tmp_path_factory):
    subprocess.run(["git", "init", "-q"], check=True)
    below = words / "below"
    below.mkdir()
    for name in ("wurzel.yaml", "chain.py", "diamond.py", "steps.py"):
        (below / name).write_bytes(Path(name).read_bytes())
    monkeypatch.chdir(below)
    run()
    config('  other: {entrypoint: "diamond:pipeline", data_dir: more, targets: {local: {}}}\n', "")
    Path(".gitattributes").write_text("*.sh -diff\n")
    told = tmp_path_factory.mktemp("git") / "config"
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(told))
    for setting in ("", "[grep]\nfullName = true", "[color]\nui = always", "[submodule]\nrecurse = true"):
        told.write_text(setting)
        assert "run-other.sh: orphaned" in str(run("--check").exception), setting


def test_a_linked_output_folder_holds_no_orphans(words):
    config("local: {}}}\n  other", "local: {output: scripts/words.sh}}}\n  other")
    Path("real").mkdir()
    Path("scripts").symlink_to("real")
    run()
    assert Path("real/words.sh").is_file()
    assert run("--check").exit_code == 0
    run("--prune")
    assert Path("real/words.sh").is_file()


def test_the_last_pipeline_leaves_orphans(words):
    run()
    Path("wurzel.yaml").write_text("version: 1\npipelines: {}\n")
    assert "nothing to render" in str(run().exception)
    assert "dvc.yaml: orphaned" in str(run("--check").exception)
    run("--prune")
    assert not Path("dvc.yaml").exists()
    assert run("--check").exit_code == 0


def test_the_exit_code_tells_that_something_was_written(words):
    assert run("--exit-code").exit_code == 1
    assert run("--exit-code").exit_code == 0
    config('  other: {entrypoint: "diamond:pipeline", data_dir: more, targets: {local: {}}}\n', "")
    assert run("--exit-code").exit_code == 0
    assert run("--exit-code", "--prune").exit_code == 1


def test_the_output_folder_is_part_of_the_request(words):
    run("-o", "deploy")
    header = Path("deploy/dvc.yaml").read_text().partition("\n")[0]
    assert "`wurzel render words -t dvc -o deploy`" in header
    config("local: {}}}\n  other", "}}\n  other")
    text = str(run("-o", "deploy", "--check").exception)
    assert "run-words.sh: orphaned" in text
    assert text.endswith("Run: wurzel render -o deploy --prune")
    assert "missing" in str(run("--check").exception)
    run("-o", str(words / "absolute"))
    assert str(words) not in Path("absolute/dvc.yaml").read_text()


def test_json(words):
    first = json.loads(run("--format", "json").stdout)
    assert first["version"] == 1
    assert {file["path"]: (file["state"], file["action"]) for file in first["files"]}["dvc.yaml"] == (
        "missing",
        "created",
    )
    assert first["fix"] is None
    again = json.loads(run("--format", "json").stdout)
    assert {(file["state"], file["action"]) for file in again["files"]} == {("current", None)}
    assert again["fix"] is None
    config("targets: {dvc: {}", "data_dir: other, targets: {dvc: {}")
    result = run("--check", "--format", "json")
    assert result.exit_code == 1
    data = json.loads(result.stdout)
    (file,) = [file for file in data["files"] if file["path"] == "dvc.yaml"]
    assert file["state"] == "outdated"
    assert (file["pipeline"], file["target"]) == ("words", "dvc")
    assert set(file["reasons"][0]) == {
        *("step", "field", "path", "old", "new", "line", "place", "more", "text"),
    }
    assert any(reason["field"] == "data_dir" for reason in file["reasons"])
    assert file["diff"].startswith("--- a/dvc.yaml")
    assert data["fix"] == "wurzel render"
    assert json.loads(run("--diff", "--format", "json").stdout) == data


def test_github_shows_each_file_at_its_line_and_reads_no_diff_as_a_command(words, monkeypatch):
    run()
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_WORKSPACE", str(words.parent))
    text = Path("dvc.yaml").read_text()
    Path("dvc.yaml").write_text(text + "# ::set-output name=x::y\n")
    result = run("--check")
    (command,) = [line for line in result.stderr.splitlines() if line.startswith("::error ")]
    place = f"{words.name}/dvc.yaml"
    assert command.startswith(
        f"::error file={place},line={text.count(chr(10)) + 1},title=wurzel render::edited by hand"
    )
    assert command.endswith("Run: wurzel render --force")
    lines = result.stdout.splitlines()
    assert lines[0] == "::group::diff of dvc.yaml"
    token = lines[1].removeprefix("::stop-commands::")
    assert len(token) == 32
    assert lines[-2:] == [f"::{token}::", "::endgroup::"]
    assert token not in text


def test_what_github_would_take_for_its_own_syntax_is_escaped():
    from wurzel.drift.formats import _data, _property

    assert _data("a%b\r\nc:d,e") == "a%25b%0D%0Ac:d,e"
    assert _property("a:b,c%") == "a%3Ab%2Cc%25"


def test_gitlab_folds_the_diff_and_gets_a_report(words, monkeypatch):
    run()
    monkeypatch.setenv("GITLAB_CI", "true")
    monkeypatch.setenv("CI_PROJECT_DIR", str(words.parent))
    Path("dvc.yaml").write_text(Path("dvc.yaml").read_text() + "# mine\n")
    result = run("--check")
    assert "\x1b[0Ksection_start:" in result.stdout
    assert "::error" not in result.stderr
    (issue,) = json.loads(run("--check", "--format", "codequality").stdout)
    assert issue["check_name"] == "wurzel-edited"
    assert issue["location"]["path"] == f"{words.name}/dvc.yaml"
    assert issue["location"]["lines"]["begin"] == Path("dvc.yaml").read_text().count("\n")
    assert len(issue["fingerprint"]) == 64
    assert issue["severity"] in {"info", "minor", "major", "critical", "blocker"}
    monkeypatch.undo()
    assert run("--check", "--format", "codequality").exit_code == 1


def test_nowhere_else_is_anything_annotated(words):
    result = run("--check")
    assert "::" not in result.stderr.replace("chain:", "")
    assert "section_" not in result.stdout
    assert os.environ.get("GITHUB_ACTIONS") is None


def test_codequality_is_a_form_of_check(words):
    assert "requires --check" in str(run("--format", "codequality").exception)


def test_hostile_files_on_disk(words):
    run()
    Path("dvc.yaml").write_bytes(os.urandom(100_000))
    Path("params.yaml").write_bytes(b"")
    Path("big.yaml").write_bytes(b"# Rendered by `wurzel render 'x -t dvc` from x; do not edit. sha256:" + b"0" * 64)
    Path("deep.yaml").write_text(
        "# Rendered by `wurzel render words -t` from x; do not edit. sha256:" + "0" * 64 + "\n"
    )
    text = str(run("--check").exception)
    assert "dvc.yaml: not written by wurzel" in text
    assert "params.yaml: not written by wurzel" in text
    assert "big.yaml" not in text
