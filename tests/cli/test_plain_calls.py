"""What is read without click is what click reads: both have the same table of options."""

import random
import subprocess
import sys

import click
import pytest

from wurzel.cli import DEFAULT_STATE, cli, render, run
from wurzel.cli.declare import Param

PLAIN = {
    "render": [
        *("", "rag", "rag other -t dvc -t argo --force", "--target=dvc", "--check -e prod", "--format json --check"),
        *("rag --set a=b --set c.d=1 -o out", "rag --only a,b+", "--from-ir rag.json -t argo --stdout"),
    ],
    "run": ["", "rag", "rag -j 4 --force --param a.B=c", "--only step --plan --format=json", "--state-dir x rag"],
}
LEFT_TO_CLICK = {
    "render": [
        *("--help", "-h", "--nope", "-tdvc", "--force=yes", "-t", "-t -x", "--target= ", "rag ''", "--", "-o a -o b"),
        *("--form json", "--format yaml", "--che"),
    ],
    "run": ["a b", "-j 0", "-j x", "-j4", "--shard 1/2", "--env-file .env", "--plan --format csv"],
}
COMMANDS = {"render": render.command, "run": run.command}


def cases(table):
    return [(name, text.replace("''", "\0").split(" ") if text else []) for name in table for text in table[name]]


def by_click(name, words):
    """The values of parameters by name, or nothing where click refuses the words."""
    try:
        return COMMANDS[name].click.make_context(name, [*words]).params
    except (click.ClickException, click.exceptions.Exit):
        return None


@pytest.mark.parametrize(("name", "words"), cases(PLAIN), ids=str)
def test_a_plain_call_needs_no_click(name, words):
    found = COMMANDS[name].values(words, {})
    assert found is not None
    assert found == by_click(name, words)


@pytest.mark.parametrize(("name", "words"), cases(LEFT_TO_CLICK), ids=str)
def test_anything_else_is_left_to_click(name, words):
    assert COMMANDS[name].values([word.strip("\0 ") for word in words], {}) is None


def test_an_option_that_a_variable_sets_is_left_to_click():
    assert run.command.values(["rag"], {"WURZEL_STORE": "s3://a/b"}) is None
    assert run.command.values(["rag", "--store", "s3://c/d"], {"WURZEL_STORE": "s3://a/b"})["url"] == "s3://c/d"


@pytest.mark.parametrize("name", COMMANDS)
def test_click_reads_whatever_is_plain_alike(name, capsys):
    chance = random.Random(name)
    table = [param for param in COMMANDS[name].params if isinstance(param, Param)]
    options = [option for param in table if not param.is_argument for option in param.names if option[0] == "-"]
    texts = ["rag", "a", "json", "text", "1", "07", "-1", "--", "-", "", "1/2", "a=b", "-x", "ünï", "٣", "9" * 5000]
    plain = 0
    for _ in range(1500):
        words = chance.choices(
            [*options, *texts, *(f"{one}={chance.choice(texts)}" for one in options)], k=chance.randint(0, 4)
        )
        found = COMMANDS[name].values(words, {})
        plain += found is not None
        assert found is None or found == by_click(name, words), words
    assert plain > 100


def test_a_command_is_told_the_same_of_the_options_before_its_name(monkeypatch):
    told = []
    monkeypatch.setattr(run.command.click, "callback", lambda *_, **__: told.append(click.get_current_context().obj))
    cli.main(["run"], standalone_mode=False)
    assert told == [DEFAULT_STATE]


def test_output_that_nobody_reads_ends_a_plain_call_as_it_ends_others(tmp_path):
    (tmp_path / "wurzel.yaml").write_text("version: 1\npipelines: {}\n")
    code = "import sys\nfrom wurzel import cli\nfrom wurzel.cli import render\n"
    code += "def full(**_):\n    raise BrokenPipeError(32, 'no')\n"
    code += "render.command.function = render.command.click.callback = full\ncli.main(sys.argv[1:])"
    for words in (["render"], ["-q", "render"]):
        done = subprocess.run([sys.executable, "-c", code, *words], cwd=tmp_path, capture_output=True, check=False)
        assert (done.returncode, done.stderr) == (1, b""), words


@pytest.mark.parametrize(("word", "module"), [("--help", "click"), ("render", "wurzel.cli.render")])
def test_ctrl_c_while_modules_are_imported_ends_without_output(word, module):
    code = "import os, signal, sys\nfrom wurzel.__main__ import main\nclass Presses:\n"
    code += f"    def find_spec(self, name, *_):\n        if name == {module!r}: os.kill(os.getpid(), signal.SIGINT)\n"
    code += "sys.meta_path.insert(0, Presses())\nmain()"
    done = subprocess.run([sys.executable, "-c", code, word], capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, b"", b"")
