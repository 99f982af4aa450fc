"""The words of `wurzel step` and `wurzel run`, which `wurzel.invocation` alone composes and takes apart."""

import ast
from pathlib import Path

import pytest

from wurzel.cli import run, step
from wurzel.invocation.call import RunCall, options

HOME = Path(__file__).parents[2] / "wurzel"
SHARED = {"-e", "-i", "-j", "-o", "--env", "--force", "--format", "--from", "--input", "--jobs", "--only", "--output"}
SHARED |= {"--param", "--pipeline", "--plan", "--secret", "--set", "--settings", "--store", "--timeout", "--until"}
"""Options that other programs, or other commands of wurzel, have as well."""
OPTIONS = {name for command in (step.command, run.command.click) for option in command.params for name in option.opts}
OPTIONS = {name for name in OPTIONS if name.startswith("-")} - SHARED


def words_of_calls(source):
    """Words of a call in a module: options of `wurzel step`, and how a command begins."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.List | ast.Tuple):
            words = [item.value for item in node.elts if isinstance(item, ast.Constant)]
            yield from OPTIONS & {word for word in words if isinstance(word, str)}
            yield from ("wurzel " + word for word in ("step", "run") if ["wurzel", word] == words[:2])


@pytest.mark.parametrize("source", ["[*argv, '--gather']", "argv += ['--retire', x]", "x = ('wurzel', 'run', name)"])
def test_words_of_a_call_are_found(source):
    assert len(list(words_of_calls(source))) == 1


def test_no_other_package_composes_the_words_of_a_call():
    paths = {path.relative_to(HOME).as_posix(): path for path in HOME.rglob("*.py")}
    del paths["__main__.py"]  # it looks at the command line before click, and all else, is imported
    del paths["calling.py"]  # `wurzel.run`, which takes the options of the command
    found = {
        name: words
        for name, path in paths.items()
        if not name.startswith(("invocation/", "cli/")) and (words := list(words_of_calls(path.read_bytes())))
    }
    assert found == {}


def test_options_are_what_is_given_by_their_names():
    given = options(shard="2/5", report=Path("r.json"), retire=None, no_retry=True, notify=False, j=4, set=["a=1", "b"])
    assert given == [
        *("--shard", "2/5", "--report", "r.json", "--no-retry", "-j", "4"),
        *("--set", "a=1", "--set", "b"),
    ]


def test_a_run_in_a_folder_of_some_steps():
    call = RunCall("rag", environment="prod", sets=["a=1"], only=["read", "cut"], project="/srv")
    assert call.lines() == [
        ["wurzel", "-C", "/srv", "run", "rag"],
        ["-e", "prod"],
        ["--set", "a=1"],
        ["--only", "read,cut"],
    ]
    assert RunCall(from_ir="env:PIPELINE").words() == ["wurzel", "run", "--from-ir", "env:PIPELINE"]
