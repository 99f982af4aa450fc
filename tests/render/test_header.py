"""The first line of a rendered file."""

import ast
import hashlib
import tokenize
from io import BytesIO

import pytest

from wurzel.render.header import is_ours, is_untouched, sign


def test_the_first_line_says_what_writes_the_file():
    text = sign("a: 1\n", command="wurzel render rag -t dvc", source="mypkg.pipelines:rag")
    digest = hashlib.sha256(b"a: 1\n").hexdigest()
    assert text == (
        f"# Rendered by `wurzel render rag -t dvc` from mypkg.pipelines:rag; do not edit. sha256:{digest}\na: 1\n"
    )
    assert is_ours(text.encode())
    assert is_untouched(text.encode())


def test_a_script_keeps_its_first_line():
    text = sign("#!/bin/sh\ntrue\n", command="c", source="s")
    assert text.splitlines()[0] == "#!/bin/sh"
    assert text.splitlines()[1].startswith("# Rendered by `c` from s;")
    assert is_untouched(text.encode())
    assert not is_untouched(text.replace("/sh", "/bash").encode())
    assert is_ours(text.replace("/sh", "/bash").encode())


def test_edits_are_noticed_and_line_ends_are_not():
    text = sign("a: 1\nb: 2\n", command="c", source="s").encode()
    assert not is_untouched(text + b"\n")
    assert not is_untouched(text.replace(b"b: 2", b"b: 3"))
    assert is_untouched(text.replace(b"\n", b"\r\n"))
    assert is_untouched(text.replace(b"`c`", b"`d`"))


@pytest.mark.parametrize(
    "content", [b"", b"a: 1\n", b"# a comment\n", b"#!/bin/sh\n", b"# Rendered by `x`\n", b"\xff\xfe"]
)
def test_other_files_are_not_ours(content):
    assert not is_ours(content)
    assert not is_untouched(content)


def test_an_empty_file_may_be_signed():
    assert is_untouched(sign("", command="c", source="s").encode())


def test_whatever_the_command_is_the_header_stays_a_comment():
    text = sign("x = 1\n", command="wurzel render --set coding=latin-1\nimport os", source="a\u2028b: coding: cp1252")
    assert text.count("\n") == 2
    assert "\\nimport os" in text
    assert ast.parse(text.encode()).body[0].lineno == 2
    assert tokenize.detect_encoding(BytesIO(text.encode()).readline)[0] == "utf-8"
    assert is_untouched(text.encode())
