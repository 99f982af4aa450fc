"""`.env` files are read as `wurzel env --dotenv` writes them, and as shells read them."""

import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.command import program
from wurzel.exceptions import UsageError
from wurzel.project.variables import _quoted
from wurzel.runtime.env_file import read_env_file


@given(st.text(st.characters(exclude_characters="\0\r", exclude_categories=["Cs"])))
@example('it\'s $HOME `id` \\$x \\\\ "q" \n end')
@example("a=b #c")
@example("a b\\")
@example("a\\\\b c")
def test_what_env_writes_is_read_back(tmp_path_factory, value):
    path = tmp_path_factory.getbasetemp() / "round.env"
    path.write_text(f"A={_quoted(value)}\nB=1\n", encoding="utf-8")
    assert read_env_file(path) == {"A": value, "B": "1"}


def test_the_forms_that_people_write(tmp_path):
    path = tmp_path / ".env"
    path.write_text("# a comment\nA=1\nexport B='x y' # why\nC=\nD\n\nE=\"two\\nlines\"\nF=${A} $A\nG = spaced\n")
    expected = {"A": "1", "B": "x y", "C": "", "E": "two\nlines", "F": "${A} $A", "G": "spaced"}
    assert read_env_file(path) == expected


@pytest.mark.parametrize(
    "line",
    [
        r"""A='color="\$5"' """,
        r"""A="\\$" """,
        r"""A="\\\$x\`" """,
        r"""A='="\`' """,
        r"""export  A="\"=\"" """,
    ],
)
def test_escapes_are_those_of_a_shell(tmp_path, line):
    path = tmp_path / "x.env"
    path.write_text(f'# a comment="\n\n{line}\n')
    shell = subprocess.run(["sh", "-c", f'. {path}; printf "%s" "$A"'], capture_output=True, text=True, check=True)
    assert read_env_file(path) == {"A": shell.stdout}


def test_spaces_around_the_equals_sign_change_no_escapes(tmp_path):
    (tmp_path / "x.env").write_text('A = "x\\$y"\n')
    assert read_env_file(tmp_path / "x.env") == {"A": "x$y"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"A=1\nnot this\n", r"x.env:2: is not an assignment"),
        (b"A='open\n", r"x.env:1: is not an assignment"),
        (b"1A=secret\n", r"x.env:1: is not an assignment"),
        (b"A=\xff\n", "is not UTF-8"),
        (b"A=secret\0\n", "x.env:1: the value of A contains a zero byte"),
    ],
)
def test_other_lines_are_refused_without_a_value(tmp_path, text, message):
    (tmp_path / "x.env").write_bytes(text)
    with pytest.raises(UsageError, match=message) as caught:
        read_env_file(tmp_path / "x.env")
    assert "secret" not in str(caught.value)


def test_a_pipe_is_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UsageError, match="it is a pipe, not a file"):
        read_env_file(tmp_path / "pipe")


def test_a_run_reads_them_below_what_is_set(project, monkeypatch):
    project("credentials")
    program("env", "credentials", "--check", code=1)
    Path("a.env").write_text("SHARED_TOKEN=one\nSECRET_SUFFIX__TOKEN=first\n")
    Path("b.env").write_text("SECRET_SUFFIX__TOKEN=second\nWORDS__WORDS='[\"from-b\"]'\n")
    files = ["--env-file", "a.env", "--env-file", "b.env"]
    program("env", "credentials", "--check", *files, code=0)
    monkeypatch.setenv("SHARED_TOKEN", "set")
    program("run", "credentials", *files, code=0)
    assert "from-b" in "".join(path.read_text() for path in Path("data").rglob("part-*"))
