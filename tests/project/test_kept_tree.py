"""A configuration file is read from the user's cache exactly as it is parsed, and only while its bytes are the same."""

import os
import sys

import pytest

from wurzel.exceptions import ConfigError
from wurzel.project import kept_tree as module
from wurzel.project.kept_tree import kept_tree
from wurzel.project.nodes import Findings
from wurzel.project.parse import parse

PLAIN = b"""# a comment
version: 1
"quoted key": {a: 1.5, 'b': yes, c: "no", d: 0o17, e: ~, f: 1:30, g: [x, [], {}, "\\u00e9"]}
text: |
  two
  lines
"""


@pytest.fixture
def read(tmp_path, monkeypatch):
    """Read a file; gives its tree with all places, and how many times it was parsed."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    parsed = []
    monkeypatch.setattr("wurzel.project.parse.parse", lambda *given: parsed.append(given) or parse(*given))

    def run(data=PLAIN):
        parsed.clear()
        return described(kept_tree(data, "wurzel.yaml", Findings())), len(parsed)

    return run


def described(node):
    value = node.value
    if isinstance(value, dict):
        value = [(key, described(item)) for key, item in value.items()]
    elif isinstance(value, list):
        value = [described(item) for item in value]
    return type(node.value), value, node.text, str(node.origin), str(node.key_origin)


def entry(tmp_path):
    (found,) = (tmp_path / "cache" / "wurzel" / "templates").iterdir()
    return found


@pytest.mark.parametrize("data", [PLAIN, b"", b"a: &x [1]\n", b"[{a: rag:1.4}]"])
def test_what_is_kept_is_what_was_parsed(read, data):
    expected = described(parse(data, "wurzel.yaml", Findings()))
    assert read(data) == (expected, 1)
    assert read(data) == (expected, 0)


def test_another_byte_is_another_file(read, tmp_path):
    assert read(b"a: 1\n") != read(b"a: 2\n")
    assert read(b"a: 2\n") == (described(parse(b"a: 2\n", "wurzel.yaml", Findings())), 0)
    assert entry(tmp_path).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("data", [b"a: &x {b: 1}\nc: *x\n", b"a: &x [1]\nc: {d: *x}\n"])
def test_values_that_are_shared_stay_shared(read, data):
    assert read(data) == read(data)
    tree = kept_tree(data, "wurzel.yaml", Findings())
    other = tree.fields["c"].fields.get("d", tree.fields["c"])
    assert tree.fields["a"].value is other.value


def test_a_file_with_findings_is_not_kept(read, tmp_path):
    for _ in range(2):
        findings = Findings()
        kept_tree(b"a: 1\na: 2\n", "wurzel.yaml", findings)
        assert "the key 'a' is already on line 1" in str(findings)
        with pytest.raises(ConfigError):
            kept_tree(b"a: [", "wurzel.yaml", Findings())
    assert not list((tmp_path / "cache" / "wurzel" / "templates").iterdir())


@pytest.mark.parametrize("change", ["cut", "other", "file", "folder", "owner", "parser"])
def test_what_may_be_damaged_or_of_others_is_not_used(read, tmp_path, monkeypatch, change):
    expected, _ = read()
    found = entry(tmp_path)
    if change == "cut":
        found.write_bytes(found.read_bytes()[:-5])
    elif change == "other":
        found.write_bytes(b"x" * 100)
    elif change == "owner":
        monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    elif change == "parser":
        monkeypatch.setattr(module, "_PARSERS", ("click",))
    else:
        (found if change == "file" else found.parent).chmod(0o777)
    assert read() == (expected, 1)


def test_without_a_folder_the_file_is_parsed(read, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", "/proc/nowhere")
    assert read() == read() == (described(parse(PLAIN, "wurzel.yaml", Findings())), 1)
