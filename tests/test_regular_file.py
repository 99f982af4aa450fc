"""A pipe, device or folder where a file is expected is an error: nothing waits for it, or reads it without end."""

import os
from pathlib import Path

import pytest

from wurzel.exceptions import WurzelError
from wurzel.invocation.digests import FileDigests
from wurzel.ir import serialize
from wurzel.project import load
from wurzel.regular_file import private, read_file, replace_file, write_file
from wurzel.runtime import once
from wurzel.runtime.ending import write_reason
from wurzel.runtime.fanout import write_slices
from wurzel.runtime.outcome import tail
from wurzel.runtime.settings_file import read_settings

KINDS = {"pipe": os.mkfifo, "folder": os.mkdir, "device": lambda path: Path(path).symlink_to("/dev/zero")}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("a.yaml", lambda path: read_settings(f"{path}#x")),
        ("a.json", serialize.load),
        ("wurzel.yaml", load.load),
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


@pytest.mark.parametrize("kind", KINDS)
def test_nobody_waits_for_what_lies_in_the_way_of_a_file(tmp_path, kind, monkeypatch):
    KINDS[kind](tmp_path / "x")
    monkeypatch.setenv("WURZEL_TERMINATION_LOG", str(tmp_path / "x"))
    write_reason("the step failed")
    assert tail(tmp_path / "x") == []
    assert FileDigests(tmp_path / "x").notes == {}
    with pytest.raises(OSError, match=r"it is a device, not a file|Is a directory|No such device or address"):
        os.close(private(tmp_path / "x", os.O_WRONLY))
    KINDS[kind](tmp_path / ".a.once")
    assert not once.is_done(tmp_path / "a", "1")
    with pytest.raises(WurzelError, match="cannot be written"):
        once.remember(tmp_path / "a", "1")
    KINDS[kind](tmp_path / ".y.tmp")
    with pytest.raises(WurzelError, match="cannot be written"):
        replace_file(tmp_path / "y", b"")


def test_a_pipe_that_is_read_is_written_to(tmp_path):
    os.mkfifo(tmp_path / "x")
    reader = os.open(tmp_path / "x", os.O_RDONLY | os.O_NONBLOCK)
    write_slices(str(tmp_path / "x"), 2)
    assert os.read(reader, 100) == b'["1/2", "2/2"]\n'
    os.close(reader)
    with pytest.raises(OSError, match="No such device or address"):
        write_file(tmp_path / "x", b"a")
