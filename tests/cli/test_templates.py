"""`wurzel templates`: list, show, eject, check, update; and templates that are wrong, through `wurzel render`."""

import json
import os
from pathlib import Path

import click
import pytest

from tests.command import invoke, program
from wurzel.backends.registry import names
from wurzel.backends.rendering import render
from wurzel.cli import cli
from wurzel.cli.templates import COMMANDS
from wurzel.exceptions import WurzelError
from wurzel.project.jobs import Request, open_jobs
from wurzel.project.open import renderer_of
from wurzel.render.ejected import eject
from wurzel.render.layers import Layers

OWN = Path("wurzel-templates")
BUILT_IN = Path(__file__).parents[2] / "templates"


def run(*arguments, command="templates"):
    return invoke(command, *arguments)


def error(*arguments, command="templates"):
    result = run(*arguments, command=command)
    assert isinstance(result.exception, WurzelError), result.output
    return result.exception


@pytest.fixture
def own(project):
    """The example `scheduled` with a template folder in its wurzel.yaml, which is not there yet."""
    project("scheduled")
    config = Path("wurzel.yaml")
    config.write_text(config.read_text().replace("version: 1", "version: 1\ntemplates: [wurzel-templates]"))
    return OWN


def texts():
    """Every file of every target."""
    jobs, project = open_jobs(Request(targets=names()))
    return {file.output.path: file.rendered.text for each in render(jobs, renderer_of(project)) for file in each.files}


def save(name, text):
    path = OWN / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_the_short_helps_are_those_of_the_commands():
    group = cli.get_command(click.Context(cli), "templates")
    for name, text in COMMANDS.items():
        command = group.get_command(click.Context(group), name)
        assert command.name == name
        assert command.get_short_help_str(200).rstrip(".") == text.rstrip(".")
        assert f"{name} " in run("--help").output


class TestList:
    def test_all_templates_and_who_changes_them(self, own):
        run("eject", "dvc/dvc.yaml.j2")
        lines = [line.split() for line in run("list").stdout.splitlines()]
        assert ["dvc", "dvc/dvc.yaml.j2", "wurzel-templates/dvc/dvc.yaml.j2"] in lines
        assert ["local", "local/run.sh.j2"] in lines

    def test_blocks_names_types_descriptions_and_filters_of_a_target(self, project):
        project("chain")
        text = run("list", "dvc").stdout
        assert "stages    list of Stage      One stage for each step" in text
        assert "  desc  desc: at column 4  sees stage (Stage)" in text
        assert "identifier In a Python template: a name, written as code." in " ".join(text.split())

    def test_json(self, own):
        OWN.mkdir()
        found = json.loads(run("list", "dvc", "--json").stdout)
        (target,) = found["targets"]
        assert target["files"]["dvc/dvc.yaml.j2"]["layers"] == ["wurzel!dvc/dvc.yaml.j2"]
        assert target["types"]["Stage"]["fields"]["always_changed"]["type"] == "boolean"
        assert "shell" in found["filters"]

    def test_an_unknown_target(self, project):
        project("chain")
        assert "Did you mean dvc?" in str(error("list", "dcv"))


class TestShow:
    def test_the_one_that_is_used_and_the_one_that_comes_with_wurzel(self, own):
        save("dvc/dvc.yaml.j2", "mine: 1\n")
        shown = run("show", "dvc/dvc.yaml.j2")
        assert (shown.stdout, shown.stderr) == ("mine: 1\n", "# wurzel-templates/dvc/dvc.yaml.j2\n")
        assert run("show", "!dvc/dvc.yaml.j2").stdout == (BUILT_IN / "dvc/dvc.yaml.j2").read_text()

    @pytest.mark.parametrize("name", ["dvc/dvc.yml.j2", "../wurzel.yaml", "/etc/passwd", "", "\0", "nopack!x.j2"])
    def test_what_is_no_template(self, project, name):
        project("chain")
        assert error("show", name).exit_code == 2


class TestEject:
    def test_a_whole_file_with_its_base_beside_it_renders_the_same(self, own):
        assert run("eject", "local/run.sh.j2").stderr == "wrote wurzel-templates/local/run.sh.j2\n"
        text = (BUILT_IN / "local/run.sh.j2").read_text()
        assert (OWN / "local/run.sh.j2").read_text() == text
        assert (OWN / "local/run.sh.j2.base").read_text() == text
        own_copy = run("-t", "local", "--stdout", command="render").stdout
        (OWN / "local/run.sh.j2").unlink()
        assert own_copy == run("-t", "local", "--stdout", command="render").stdout != ""

    def test_every_template_at_once_renders_the_same(self, own):
        OWN.mkdir()
        before = texts()
        layers = Layers([OWN.name])
        for name in layers.names(layers.layers[-1]):
            eject(layers, layers.layers[0], name)
        assert texts() == before
        assert run("check").stderr.endswith("templates are fine\n")

    def test_a_block_is_four_lines_that_change_nothing(self, own):
        run("eject", "dvc/dvc.yaml.j2", "--block", "desc")
        assert (OWN / "dvc/dvc.yaml.j2").read_text() == (
            '{% extends "!dvc/dvc.yaml.j2" %}\n{% block desc %}\n{{ super() }}\n{% endblock %}\n'
        )
        assert not list(OWN.rglob("*.base"))
        assert run("check").exit_code == 0

    def test_a_second_block_joins_the_first(self, own):
        run("eject", "dvc/dvc.yaml.j2", "--block", "desc")
        run("eject", "dvc/dvc.yaml.j2", "--block", "meta")
        text = (OWN / "dvc/dvc.yaml.j2").read_text()
        assert text.count("{% extends") == 1
        assert "{% block desc %}" in text
        assert text.endswith("{% block meta %}\n{{ super() }}\n{% endblock %}\n")

    def test_nothing_is_overwritten_without_force(self, own):
        run("eject", "dvc/dvc.yaml.j2", "--block", "desc")
        before = (OWN / "dvc/dvc.yaml.j2").read_text()
        assert "already exists" in str(error("eject", "dvc/dvc.yaml.j2"))
        assert "already exists" in str(error("eject", "dvc/dvc.yaml.j2", "--block", "desc"))
        assert (OWN / "dvc/dvc.yaml.j2").read_text() == before
        run("eject", "dvc/dvc.yaml.j2", "--force")
        assert "whole copy" in str(error("eject", "dvc/dvc.yaml.j2", "--block", "desc"))
        run("eject", "dvc/dvc.yaml.j2", "--block", "desc", "--force")
        assert (OWN / "dvc/dvc.yaml.j2").read_text() == before

    def test_a_base_does_not_outlive_the_copy_it_is_of(self, own):
        run("eject", "dvc/dvc.yaml.j2")
        run("eject", "dvc/dvc.yaml.j2", "--block", "desc", "--force")
        assert not list(OWN.rglob("*.base"))

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["dvc/dvc.yaml.j2", "--block", "dsc"], "Did you mean desc?"),
            (["dvc/dvc.yml.j2"], "Did you mean dvc/dvc.yaml.j2?"),
            (["../wurzel.yaml"], "there is no template"),
            (["nopack!dvc/dvc.yaml.j2"], "nopack"),
            (["init/wurzel.yaml.j2"], "rendered without the project's templates"),
            (["wurzel!init/wurzel.yaml.j2"], "rendered without the project's templates"),
            (["local/_start.sh.j2", "--block", "top"], "local/run.sh.j2 has it"),
        ],
    )
    def test_what_cannot_be_ejected_leaves_no_trace(self, own, arguments, message):
        refused = error("eject", *arguments)
        assert message in str(refused)
        assert refused.exit_code == 2
        assert not OWN.exists()

    def test_without_a_project_or_a_folder(self, project):
        project("chain")
        assert "there is no wurzel.yaml here" in str(error("eject", "dvc/dvc.yaml.j2"))
        project("scheduled")
        assert "templates: [wurzel-templates]" in str(error("eject", "dvc/dvc.yaml.j2"))

    def test_a_folder_that_is_a_file(self, own):
        OWN.write_text("taken")
        assert error("eject", "dvc/dvc.yaml.j2").exit_code == 1
        assert OWN.read_text() == "taken"


class TestCheck:
    def test_fine_templates_are_counted(self, own):
        run("eject", "dvc/dvc.yaml.j2", "--block", "desc")
        assert run("check").stderr == "1 template is fine\n"

    def test_findings_end_with_one(self, own):
        save("dvc/dvc.yaml.j2", '{% extends "!dvc/dvc.yaml.j2" %}\n{% block dsc %}\na: {{ stag }}\n{% endblock %}\n')
        save("argo/workflow.yaml.j2", "{% if %}\n")
        found = error("check")
        assert found.exit_code == 1
        assert "2 findings in 2 templates" in str(found)
        assert "wurzel-templates/argo/workflow.yaml.j2:1: " in str(found)
        assert "wurzel-templates/dvc/dvc.yaml.j2:2: " in str(found)

    def test_json(self, own):
        save("argo/workflow.yaml.j2", "\n{% if %}\n")
        result = run("check", "--format", "json")
        assert result.exception.exit_code == 1
        assert json.loads(result.stdout) == [
            {
                "template": "wurzel-templates/argo/workflow.yaml.j2",
                "line": 2,
                "message": "Expected an expression, got 'end of statement block'",
                "hint": "",
            }
        ]

    def test_without_templates_there_is_nothing_to_find(self, project):
        project("chain")
        assert run("check").stderr == "0 templates are fine\n"
        assert json.loads(run("check", "--format", "json").stdout) == []


BAD = {
    "a syntax error": ("a: 1\n{% if %}\n", 2, "Expected an expression"),
    "an infinite include": ("\n{% include 'dvc/dvc.yaml.j2' %}\n", 2, "call each other endlessly"),
    "an undefined variable": ("a: 1\n\nb: {{ pipelin.name }}\n", 3, "Did you mean pipeline?"),
    "one in a branch that is not reached": ("{% if false %}\nb: {{ pipelin }}\n{% endif %}\n", 2, "pipeline?"),
    "output that is no YAML": ("a: 1\n b: 2\n", 2, "not valid YAML"),
    "a value within a text": ("a: x {{ pipeline.description }}\n", 1, "may be any text"),
    "an error when it runs": ("a: 1\nb: {{ 1 / 0 }}\n", 2, "ZeroDivisionError"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_template_is_named_with_its_line_and_no_file_is_touched(own, case):
    source, line, message = BAD[case]
    save("dvc/dvc.yaml.j2", source)
    Path("params.yaml").write_text("mine: 1\n")
    there = {path: path.read_bytes() for path in Path().rglob("*") if path.is_file() and "__pycache__" not in str(path)}
    done = program("render", "scheduled", "-t", "dvc", "--force", code=2)
    assert f"dvc/dvc.yaml.j2:{line}: " in done.stderr
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    now = {path: path.read_bytes() for path in Path().rglob("*") if path.is_file() and "__pycache__" not in str(path)}
    assert now == there


def test_render_holds_only_the_templates_of_its_targets_to_account(own):
    save("argo/workflow.yaml.j2", "{% if %}\n")
    assert run("scheduled", "-t", "dvc", "--stdout", command="render").exit_code == 0
    save("dcv/dvc.yaml.j2", "a: 1\n")
    assert "dcv/dvc.yaml.j2:1: the file overrides no template" in str(error("scheduled", "-t", "dvc", command="render"))


class TestUpdate:
    @pytest.fixture
    def ejected(self, own):
        """`dvc/dvc.yaml.j2` ejected from an older wurzel, in which two lines were different."""
        run("eject", "dvc/dvc.yaml.j2")
        older = (OWN / "dvc/dvc.yaml.j2").read_text()
        older = older.replace("stages:\n", "stages: # all\n").replace("    always_changed: true\n", "")
        for name in ("dvc/dvc.yaml.j2", "dvc/dvc.yaml.j2.base"):
            save(name, older)
        return OWN / "dvc/dvc.yaml.j2"

    def test_without_changes_of_the_project_it_becomes_what_it_is_below(self, ejected):
        assert "updated" in run("update").stderr
        assert ejected.read_text() == (BUILT_IN / "dvc/dvc.yaml.j2").read_text()
        assert "up to date" in run("update").stderr

    def test_both_changes_are_kept(self, ejected):
        ejected.write_text(
            ejected.read_text().replace("    desc: {{ stage.desc }}", "    desc: {{ 'x ' ~ stage.desc }}")
        )
        result = run("update")
        assert result.exit_code == 0
        assert "merged" in result.stderr
        mine = (BUILT_IN / "dvc/dvc.yaml.j2").read_text().replace("desc: {{ stage.desc", "desc: {{ 'x ' ~ stage.desc")
        assert ejected.read_text() == mine
        assert ejected.with_name("dvc.yaml.j2.base").read_text() == (BUILT_IN / "dvc/dvc.yaml.j2").read_text()

    def test_conflicts_are_marked_and_reported(self, ejected):
        ejected.write_text(ejected.read_text().replace("stages: # all", "stages: # mine"))
        failed = error("update")
        assert failed.exit_code == 1
        text = ejected.read_text()
        line = text.splitlines().index("<<<<<<< wurzel-templates/dvc/dvc.yaml.j2") + 1
        assert f"wurzel-templates/dvc/dvc.yaml.j2:{line}" in str(failed)
        assert "stages: # mine\n||||||| " in text
        assert "\n=======\nstages:\n>>>>>>> wurzel!dvc/dvc.yaml.j2\n" in text
        refused = error("scheduled", "-t", "dvc", command="render")
        assert f"wurzel-templates/dvc/dvc.yaml.j2:{line}: unresolved conflict of an update" in str(refused)
        assert refused.exit_code == 2

    def test_a_conflict_that_waits_is_not_merged_again(self, ejected):
        ejected.write_text(ejected.read_text().replace("stages: # all", "stages: # mine"))
        error("update")
        text = ejected.read_text()
        assert error("update").exit_code == 1
        assert ejected.read_text() == text

    def test_check_writes_nothing(self, ejected):
        before = ejected.read_text()
        assert error("update", "--check").exit_code == 1
        assert ejected.read_text() == before
        run("update")
        assert run("update", "--check").exit_code == 0

    def test_settings_of_the_user_s_git_do_not_change_the_marks(self, ejected, tmp_path, monkeypatch):
        (tmp_path / "gitconfig").write_text("[merge]\nconflictStyle = merge\n")
        monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
        ejected.write_text(ejected.read_text().replace("stages: # all", "stages: # mine"))
        error("update")
        assert "|||||||" in ejected.read_text()

    def test_without_git(self, ejected, monkeypatch):
        ejected.write_text(ejected.read_text() + "# mine\n")
        before = ejected.read_text()
        monkeypatch.setenv("PATH", "")
        assert "which is not on the PATH" in str(error("update"))
        assert ejected.read_text() == before

    def test_what_is_gone_on_one_side(self, own):
        save("x/y.yaml.j2", "a: 1\n")
        save("x/y.yaml.j2.base", "a: 1\n")
        save("z.yaml.j2.base", "a: 1\n")
        said = run("update").stderr
        assert "wurzel-templates/x/y.yaml.j2: the upstream template no longer exists" in said
        assert "wurzel-templates/z.yaml.j2: the template was deleted" in said

    def test_nothing_ejected(self, project):
        project("chain")
        assert "no whole template was ejected" in run("update").stderr

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
    def test_a_folder_that_cannot_be_written(self, ejected):
        ejected.parent.chmod(0o555)
        assert error("update").exit_code == 1
