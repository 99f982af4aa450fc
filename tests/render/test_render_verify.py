"""Reading finished files back."""

import os
import subprocess

import pytest

from wurzel.render import verify
from wurzel.render.verify import Unreadable, python_tree, shell_syntax, yaml_events


def problem(read, text):
    with pytest.raises(Unreadable) as caught:
        list(read(text) or ())
    return str(caught.value), caught.value.offset


@pytest.mark.parametrize(
    ("text", "message", "offset"),
    [
        ("a: 1\na: 2\n", "the key 'a' occurs twice", 5),
        ("- x: {b: 1, b: 2}\n", "the key 'b' occurs twice", 12),
        ("a: {b: 1}\nc: {b: 1, 'b': 2}\n", "the key 'b' occurs twice", 20),
        ("<<: {a: 1}\n<<: {b: 1}\n", "the key '<<' occurs twice", 11),
        ("a: *b\n", "the alias *b has no anchor", 3),
        ("a: &b 1\n---\nc: *b\n", "the alias *b has no anchor", 15),
        ("ü: 'x\n", "end of stream", 3),
        ("a\nb: 1\n", "not allowed in this context", None),
        ("a: [1\n", "did not find expected", None),
        ("a: \x07\n", "control characters", None),
        ("a: \ud800\n", "surrogate", 3),
        ("a: {{ b }}\n", "is used as a key", 4),
        ("? [a, b]\n: 1\n", "is used as a key", 2),
        ("# a\u2028b: 1\n", "it contains '\\u2028'", 3),
        ("a: 'b\x85c'\n", "it contains '\\x85'", 5),
    ],
)
def test_what_is_no_yaml(text, message, offset):
    said, where = problem(yaml_events, text)
    assert message in said
    assert offset is None or where == offset


def test_what_is_yaml():
    text = "---\na: &x {a: 1}\nb: *x\n? c\n: [1, 1]\n? d\n: {a: 1}\n---\na: 1\n...\n"
    assert len(list(yaml_events(text))) > 20
    assert list(yaml_events("# nothing\n"))


def test_what_is_no_python():
    assert problem(python_tree, "x = 1\ny = = 2\n") == ("invalid syntax", 10)
    assert problem(python_tree, "def f():\n    return 1\nreturn 2\n")[0] == "'return' outside function"
    assert "null byte" in problem(python_tree, "x = '\0'\n")[0]
    assert python_tree("x = '\\d'\n")


def test_what_is_no_shell(monkeypatch):
    said, offset = problem(shell_syntax, "true\ntrue\nif true; then\n  )\nfi\n")
    assert "yntax error" in said
    assert offset == 24
    assert "bash" in subprocess.run(["bash", "--version"], capture_output=True, text=True, check=True).stdout
    shell_syntax("#!/usr/bin/env bash\nx=(a b)\n")
    problem(shell_syntax, "#!/bin/sh\nx=(a b)\n")
    monkeypatch.setenv("PATH", "/nowhere")
    shell_syntax("if\n")


@pytest.fixture
def shell(tmp_path, monkeypatch):
    """A shell that writes down each call; gives the file."""
    program = tmp_path / "bin" / "sh"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\necho called >> {tmp_path}/calls\nexec /bin/sh "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    calls = tmp_path / "calls"
    calls.touch()
    return program, lambda: len(calls.read_text().splitlines())


def test_a_shell_parses_a_text_once(shell, cache_folder):
    program, calls = shell
    for _ in range(2):
        shell_syntax("true\n")
        problem(shell_syntax, "if\n")
    assert calls() == 3, "what it refuses is not remembered"
    shell_syntax("true \n")
    assert calls() == 4, "another text"
    program.write_text(f"{program.read_text()}#")
    shell_syntax("true\n")
    assert calls() == 5, "another shell"


def test_without_a_cache_folder_that_is_ours_the_shell_parses_each_time(shell, cache_folder):
    _, calls = shell
    cache_folder.mkdir(parents=True)
    cache_folder.chmod(0o777)
    for _ in range(2):
        shell_syntax("true\n")
    assert calls() == 2
    cache_folder.rmdir()
    cache_folder.write_text("")
    shell_syntax("true\n")
    assert calls() == 3


def test_yaml_is_read_without_loading_the_whole(monkeypatch):
    text = "".join(f"k{number}: [a, b]\n" for number in range(1000))
    events = yaml_events(text)
    assert next(events)
    monkeypatch.setattr(verify, "Unreadable", None)
    assert sum(1 for _ in events) > 4000
