import errno
import os
import signal
import subprocess
import sys

import pytest

from wurzel.exceptions import WriteError
from wurzel.runtime.state import StateFolder, locked

HOLD = """
import sys, time
from pathlib import Path
from wurzel.runtime.state import locked
with locked(Path(sys.argv[1])):
    print("locked", flush=True)
    time.sleep(100)
"""


def hold(folder):
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(folder)], stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"locked\n"
    process.stdout.close()
    return process


KILLED = """
import resource, signal, sys
from pathlib import Path
from wurzel.runtime.state import StateFolder
signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
resource.setrlimit(resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))
StateFolder(Path(sys.argv[1]), "rag")
"""


def test_what_a_run_has_left_that_was_killed_at_once_is_hidden_from_git_by_the_next(tmp_path):
    argv = [sys.executable, "-c", KILLED, str(tmp_path / ".wurzel")]
    assert subprocess.run(argv, check=False).returncode == -signal.SIGXFSZ
    StateFolder(tmp_path / ".wurzel", "rag")
    assert (tmp_path / ".wurzel" / ".gitignore").read_text() == "*\n"


def test_what_an_earlier_version_kept_is_removed(tmp_path):
    (tmp_path / "rag").mkdir()
    (tmp_path / "rag/states.jsonl").touch()
    StateFolder(tmp_path, "rag")
    assert sorted(path.name for path in (tmp_path / "rag").iterdir()) == ["logs", "reports"]


def test_only_one_may_hold_a_folder(tmp_path):
    process = hold(tmp_path / "data")
    try:
        with pytest.raises(WriteError, match=rf"another run is using this data folder \(process {process.pid}\)"):
            locked(tmp_path / "data").__enter__()
    finally:
        process.kill()
        process.wait()


def test_a_killed_holder_leaves_no_lock_behind(tmp_path):
    process = hold(tmp_path)
    process.kill()
    process.wait()
    with locked(tmp_path):
        assert (tmp_path / ".wurzel.lock").read_text() == f"{os.getpid()}\n"
    assert list(tmp_path.iterdir()) == []


def test_a_file_system_without_locks_is_named(tmp_path, monkeypatch):
    def flock(descriptor, how):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr("wurzel.runtime.state.flock", flock)
    with pytest.raises(WriteError, match="cannot be locked: No locks available") as caught:
        locked(tmp_path / "data").__enter__()
    assert "--data-dir" in caught.value.hint


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission_is_reported(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(WriteError, match="Permission denied"):
        locked(tmp_path / "data").__enter__()
    with pytest.raises(WriteError, match="Permission denied"):
        StateFolder(tmp_path / "state", "rag")


def test_a_file_in_place_of_a_folder_is_reported(tmp_path):
    (tmp_path / "data").write_text("")
    with pytest.raises(WriteError, match="cannot be written"):
        locked(tmp_path / "data").__enter__()
    with pytest.raises(WriteError, match="cannot be written"):
        StateFolder(tmp_path / "data", "rag")
