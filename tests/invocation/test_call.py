"""The words of `wurzel step` and `wurzel run`, which `wurzel.invocation` alone composes and takes apart."""

import ast
from pathlib import Path

import pytest

from wurzel.cli.step import command
from wurzel.invocation.call import RunCall, further

HOME = Path(__file__).parents[2] / "wurzel"
OTHERS = {
    "__main__.py": "tells whether a command line can be run without click",
    "runtime/guard.py": "forks before anything but itself is imported",
}
SHARED = {
    "-e",
    "-i",
    "-o",
    "--env",
    "--output",
    "--pipeline",
    "--secret",
    "--set",
    "--settings",
    "--shard",
    "--timeout",
}
"""Options that commands of other programs, or other commands of wurzel, have as well."""
OPTIONS = {name for option in command.params for name in option.opts if name.startswith("-")} - SHARED


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
    found = {
        name: words
        for name, path in paths.items()
        if not name.startswith(("invocation/", "cli/")) and (words := list(words_of_calls(path.read_bytes())))
    }
    assert found == {}


def test_a_process_of_a_step_is_asked_only_what_is_given():
    assert further(shard=(2, 5), report=Path("r.json")) == ["--shard", "2/5", "--report", "r.json"]
    assert further() == []


def test_a_run_in_a_folder_of_some_steps():
    call = RunCall("rag", environment="prod", sets=["a=1"], only=["read", "cut"], project="/srv")
    assert call.lines() == [
        ["wurzel", "-C", "/srv", "run", "rag"],
        ["-e", "prod"],
        ["--set", "a=1"],
        ["--only", "read,cut"],
    ]
    assert RunCall(from_ir="env:PIPELINE").words() == ["wurzel", "run", "--from-ir", "env:PIPELINE"]
