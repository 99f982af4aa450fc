"""The store in a folder: full disks, pipes, links, what killed writers leave, Ctrl-C, two jobs at once."""

import os
import signal
import subprocess
import sys
import time
from hashlib import sha256
from pathlib import Path

import pytest

from tests.store.test_remote import PLAN, PRINT, dataset
from wurzel.datacontract.dataset import open_dataset
from wurzel.exceptions import StoreError, StoreSetupError
from wurzel.store.local import LocalBucket
from wurzel.store.records import Entry
from wurzel.store.runs import latest
from wurzel.store.store import open_store


@pytest.fixture
def bucket(tmp_path):
    return LocalBucket(tmp_path / "store")


def below(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def python(code, *arguments):
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


# No file may be longer than this: writes are cut short there and fail after it, as on a full disk.
FULL = """
import resource, sys
from pathlib import Path
from tests.store.test_remote import PRINT, dataset
from wurzel.store.records import Entry
from wurzel.store.store import open_store
store = open_store(sys.argv[1], "rag")
folder = dataset(Path(sys.argv[2]) / "out", "a" * 3_000_000)
data = None
if sys.argv[3] == "fetch":
    data = store.record(Entry(PRINT, "split", {"": store.put_dataset(folder)}, {})).datasets[""]
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[4]), -1))
try:
    store.put_dataset(folder) if data is None else store.fetch(data, Path(sys.argv[2]) / "back")
except Exception as error:
    print(type(error).__name__, error)
"""


@pytest.mark.parametrize("limit", [10, 1 << 20, 3_000_000])
def test_a_full_disk_leaves_nothing_behind(tmp_path, limit):
    out, text = python(FULL, tmp_path / "store", tmp_path, "put", limit).communicate(timeout=30)
    assert out.startswith("StoreError"), text
    assert "File too large" in out
    assert below(tmp_path / "store") == []


@pytest.mark.parametrize("limit", [10, 1 << 20, 3_000_000])
def test_a_full_disk_is_no_half_dataset(tmp_path, limit):
    out, text = python(FULL, tmp_path / "store", tmp_path, "fetch", limit).communicate(timeout=30)
    assert "File too large" in out, text
    assert not (tmp_path / "back").exists()
    store = open_store(str(tmp_path / "store"), "rag")
    store.fetch(store.look_up(PRINT).datasets[""], tmp_path / "back")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may do everything")
def test_a_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "store").mkdir(mode=0o500)
    with pytest.raises(StoreError, match="Permission denied"):
        LocalBucket(tmp_path / "store").put("x", b"")


def test_a_file_is_no_store_whatever_is_tried_again(tmp_path):
    (tmp_path / "store").write_bytes(b"")
    with pytest.raises(StoreSetupError, match="Not a directory"):
        LocalBucket(tmp_path / "store").put("x", b"")


@pytest.mark.parametrize("size", [0, 5, 3 << 20])
def test_a_file_that_changed_is_not_stored(bucket, tmp_path, size):
    source = tmp_path / "source"
    source.write_bytes(b"1" * size)
    with pytest.raises(StoreError, match="source: has changed since the step wrote it"):
        bucket.put_file("x", source, PRINT)
    assert below(bucket.root) == []
    bucket.put_file("x", source, sha256(b"1" * size).hexdigest())
    assert b"".join(bucket.stream("x", size)) == b"1" * size


def special(kind, path, elsewhere):
    path.parent.mkdir(parents=True, exist_ok=True)
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        elsewhere.write_bytes(b"secret")
        path.symlink_to(elsewhere if kind == "link" else path.parent / "nowhere")


@pytest.mark.parametrize("kind", ["pipe", "link", "dangling", "folder"])
def test_what_is_not_a_file_is_not_an_object(bucket, tmp_path, kind):
    special(kind, bucket.root / "a" / "x", tmp_path / "elsewhere")
    assert bucket.head("a/x") is None
    assert list(bucket.list("a/")) == []
    assert bucket.sizes("a/", ["a/x"]) == {}
    for ask in (bucket.get, bucket.dated, lambda key: list(bucket.stream(key, 6))):
        with pytest.raises(StoreError, match="the store cannot be used"):
            ask("a/x")
    if kind != "folder":
        assert bucket.put("a/x", b"1")
        assert bucket.get("a/x") == b"1"
    if kind == "link":
        assert (tmp_path / "elsewhere").read_bytes() == b"secret"


@pytest.mark.parametrize("kind", ["pipe", "folder"])
def test_what_is_not_a_file_is_not_stored(bucket, tmp_path, kind):
    special(kind, tmp_path / "made" / "source", tmp_path / "elsewhere")
    with pytest.raises(StoreError, match="the store cannot be used"):
        bucket.put_file("x", tmp_path / "made" / "source", PRINT)


def test_a_link_in_a_dataset_is_read_and_checked(tmp_path):
    folder = dataset(tmp_path / "out", "a")
    part, elsewhere = folder / "part-00000.json", tmp_path / "elsewhere"
    part.rename(elsewhere)
    part.symlink_to(elsewhere)  # as a cache that shares files has it
    store = open_store(str(tmp_path / "store"), "rag")
    store.fetch(store.put_dataset(folder), tmp_path / "back")
    assert not (tmp_path / "back" / part.name).is_symlink()
    elsewhere.write_bytes(b"#" * elsewhere.stat().st_size)
    with pytest.raises(StoreError, match="has changed since the step wrote it"):
        store.put_dataset(folder)


def test_objects_are_not_linked_to_what_a_step_writes(bucket, tmp_path):
    source = tmp_path / "source"
    source.write_bytes(b"1")
    bucket.put_file("x", source, sha256(b"1").hexdigest())
    with source.open("r+b") as file:
        file.write(b"2")
    assert bucket.get("x") == b"1"
    assert (bucket.root / "x").stat().st_nlink == 1


WRITING = """
import sys
from hashlib import sha256
from pathlib import Path
from wurzel.store.local import LocalBucket
bucket, path = LocalBucket(Path(sys.argv[1])), Path(sys.argv[2])
digest = sha256(path.read_bytes()).hexdigest()
print("begun", flush=True)
while True:
    bucket.put_file("a/x", path, digest)
"""


@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_a_writer_that_is_stopped_leaves_nothing_to_see(tmp_path, sent):
    (tmp_path / "source").write_bytes(os.urandom(1 << 20) * 30)
    bucket = LocalBucket(tmp_path / "store")
    for number in range(3):
        process = python(WRITING, bucket.root, tmp_path / "source")
        assert process.stdout.readline() == "begun\n"
        time.sleep(0.01 + number * 0.03)
        begun = time.monotonic()
        process.send_signal(sent)
        process.communicate(timeout=20)
        assert time.monotonic() - begun < 5
        assert process.returncode != 0
        found = list(bucket.list(""))
        assert [(item.key, item.size) for item in found] in ([], [("a/x", 30 << 20)])
        assert bucket.folders("") in ([], ["a"])
        if sent == signal.SIGINT:
            assert list((bucket.root / ".tmp").iterdir()) == []


JOB = """
import sys
from pathlib import Path
from tests.store.test_remote import PLAN, PRINT
from wurzel.store.records import Entry, HandOver
from wurzel.store.runs import Run
from wurzel.store.store import open_store
store, run_id = open_store(sys.argv[1], "rag"), sys.argv[3]
for number in range(20):
    run = Run(store, f"argo-{run_id}-{number}")
    run.begin(PLAN)
    fingerprint = f"{number:064}"
    entry = store.look_up(fingerprint)
    if entry is None:
        entry = store.record(Entry(fingerprint, "split", {"": store.put_dataset(Path(sys.argv[2]))}, {}))
    store.fetch(entry.datasets[""], Path(sys.argv[2] + "-back"))
    run.hand_over(HandOver(run.name, "split", "", entry.datasets[""], PLAN))
    assert run.finish({"split": [""]}) == []
    print(number, entry.datasets[""].digest)
"""


def test_two_whole_jobs_at_once_agree(tmp_path):
    folders = [dataset(tmp_path / text, text * 1000) for text in "ab"]
    jobs = [python(JOB, tmp_path / "store", folder, folder.name) for folder in folders]
    (one, said), (two, also) = (job.communicate(timeout=60) for job in jobs)
    assert (said, also) == ("", "")
    assert one == two != ""
    store = open_store(str(tmp_path / "store"), "rag")
    assert latest(store).startswith("argo-")
    assert {open_dataset(folder).digest for folder in folders} >= {line.split()[1] for line in one.splitlines()}


def test_damage_that_an_untrusted_job_finds_is_left(tmp_path):
    url = str(tmp_path / "store")
    store = open_store(url, "rag")
    store.record(Entry(PLAN, "split", {"": store.put_dataset(dataset(tmp_path / "out", "some text"))}, {}))
    (part,) = Path(url).glob("rag/objects/*/*")
    part.chmod(0o600)
    part.write_bytes(b"#" * part.stat().st_size)
    reader = open_store(url, "rag", cache="read")
    with pytest.raises(StoreError, match="A job that is trusted has to read it"):
        reader.fetch(reader.look_up(PLAN).datasets[""], tmp_path / "back")
    assert part.exists()
