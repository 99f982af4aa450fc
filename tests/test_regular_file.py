"""A pipe, device or folder where a file is expected is an error: nothing waits for it, or reads it without end."""

import os
from pathlib import Path

import pytest

from wurzel.exceptions import WurzelError
from wurzel.ir import serialize
from wurzel.project import load
from wurzel.regular_file import read_file
from wurzel.runtime.settings_file import read_settings

KINDS = {"pipe": os.mkfifo, "folder": os.mkdir, "device": lambda path: Path(path).symlink_to("/dev/zero")}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("a.yaml", lambda path: read_settings(f"{path}#x")),
        ("a.json", serialize.load),
        ("wurzel.yaml", lambda path: load.load(load.find_project(path.parent))),
    ],
)
def test_it_is_refused(tmp_path, kind, name, read):
    KINDS[kind](tmp_path / name)
    with pytest.raises(WurzelError, match=rf"cannot be read: it is a {kind}, not a file"):
        read(tmp_path / name)


def test_what_a_shell_hands_over_is_read():
    reader, writer = os.pipe()
    os.write(writer, b"a")
    os.close(writer)
    assert read_file(Path(f"/dev/fd/{reader}")) == b"a"
    os.close(reader)


def test_a_file_is_read(tmp_path):
    (tmp_path / "x").write_bytes(b"ab")
    assert read_file(tmp_path / "x") == b"ab"
