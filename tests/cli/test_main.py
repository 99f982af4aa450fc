import io
import os
import subprocess
import sys
from pathlib import Path

import click

from tests.command import invoke as run
from tests.command import program
from wurzel.cli.group import CommandGroup
from wurzel.cli.root import COMMANDS, cli
from wurzel.exceptions import UsageError
from wurzel.standard_streams import open_standard_streams
from wurzel.version import __version__

ROOT = Path(__file__).parents[2]


def test_the_short_helps_are_those_of_the_commands():
    context = click.Context(cli)
    for name, text in COMMANDS.items():
        command = cli.get_command(context, name)
        assert command.name == name
        assert command.get_short_help_str(200).rstrip(".") == text.rstrip(".")


def test_help_lists_all_commands():
    result = run("--help")
    assert result.exit_code == 0
    for name, text in COMMANDS.items():
        assert f"{name} " in result.output
        assert text in result.output


def test_an_unknown_command_is_met_with_the_nearest():
    result = run("rendr")
    assert result.exit_code == 2
    assert "Did you mean render?" in result.output


def with_values(command=cli, words=()):
    """The words of each command, with each of its options that takes a value, and with each of its arguments."""
    if isinstance(command, CommandGroup):
        context = click.Context(command)
        for name in command.list_commands(context):
            yield from with_values(command.get_command(context, name), (*words, name))
    for param in command.params if words else ():
        if isinstance(param, click.Argument):
            yield words, ()
        elif not param.is_flag:
            yield words, param.opts[:1]


def test_an_empty_value_is_that_of_no_option_and_no_argument():
    calls = [call for call in with_values() if call[0] != ("notify",)]
    assert (("runs", "show"), ()) in calls
    assert (("store", "gc"), ["--keep"]) in calls
    for words, option in calls:
        result = run(*words, *option, "")
        assert isinstance(result.exception, UsageError), (words, option, result.output)
        assert "the value is empty" in str(result.exception)


def test_the_version():
    assert run("--version").output.strip() == __version__


def test_the_version_of_a_source_tree_needs_no_metadata(tmp_path):
    (tmp_path / "click").symlink_to(Path(click.__file__).parent)
    (tmp_path / "wurzel").symlink_to(ROOT / "wurzel")
    words = [sys.executable, "-S", "-m", "wurzel", "--version"]
    done = subprocess.run(
        words, cwd=tmp_path, env={"PYTHONPATH": str(tmp_path)}, capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr) == (f"{__version__}\n", "")


def test_an_error_of_ours_has_no_traceback_and_its_exit_code(project):
    project("chain")
    done = program("inspect", "nowhere:pipeline")
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def completed(*words):
    environment = {**os.environ, "_WURZEL_COMPLETE": "bash_complete", "COMP_WORDS": " ".join(["wurzel", *words])}
    environment["COMP_CWORD"] = str(len(words))
    code = "from wurzel.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    return [line.removeprefix("plain,") for line in done.stdout.split()]


def test_shells_complete_pipelines_targets_steps_and_settings(project):
    project("named")
    assert completed("ren") == ["render"]
    assert completed("render", "na") == ["named"]
    assert completed("render", "named", "-t", "a") == ["argo", "airflow"]
    assert completed("run", "named", "--param", "suff") == ["suffix-en.SUFFIX="]
    assert completed("run", "nowhere", "--param", "suff") == []
    assert completed("templates", "ej") == ["eject"]
    assert completed("templates", "eject", "dvc/p") == ["dvc/params.yaml.j2"]
    assert completed("templates", "show", "!dvc/p") == ["!dvc/params.yaml.j2"]
    assert completed("templates", "eject", "dvc/dvc.yaml.j2", "--block", "de") == ["desc", "deps"]


def test_characters_that_the_terminal_does_not_have_are_escaped(monkeypatch):
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding="latin-1"))
    open_standard_streams()
    print("é… →", end="", flush=True)
    assert written.getvalue() == b"\xe9\\u2026 \\u2192"


OPENED = """
import socket
from wurzel.__main__ import _opened

files, sockets = _opened()
one, other = socket.socketpair()
with one, other, open("/dev/null"):
    assert _opened() == (files + 1, sockets + 2)
assert _opened() == (files, sockets)
"""


def test_connections_that_are_left_open_are_told_from_files():
    """In another process, since importing the module changes what Ctrl-C does."""
    done = subprocess.run([sys.executable, "-c", OPENED], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
