"""The store in a bucket of S3: what comes back, what is sent, and what becomes of every fault of the server."""

import json
import os
import random
import shutil
import subprocess
import threading
from hashlib import sha256

import pytest

from tests.store.s3_server import BUCKET, failure
from wurzel.datacontract import Folder, PydanticModel
from wurzel.datacontract.dataset import open_dataset
from wurzel.datacontract.shape import shape_of
from wurzel.datacontract.writer import writing, writing_outputs
from wurzel.exceptions import StoreError
from wurzel.store.records import Entry, HandOver
from wurzel.store.runs import Run, latest

PRINT = "f" * 64
PLAN = "d" * 64
BIG = random.Random(0).randbytes(20 << 20)  # three parts of an upload


class Doc(PydanticModel):
    text: str


def dataset(folder, *texts):
    with writing(folder, shape_of(list[Doc])) as writer:
        writer.add([Doc(text=text) for text in texts])
    return folder


def source(tmp_path, data):
    path = tmp_path / "source"
    path.write_bytes(data)
    return path, sha256(data).hexdigest()


def test_a_run_is_stored_and_comes_back(server, opened, tmp_path):
    store = opened()
    folder = dataset(tmp_path / "out", "a", "b")
    run = Run(store, "argo-1")
    run.begin(PLAN)
    assert store.look_up(PRINT) is None
    entry = store.record(Entry(PRINT, "split", {"": store.put_dataset(folder)}, {"items_in": 1}))
    run.hand_over(HandOver(run.name, "split", "", entry.datasets[""], PLAN))
    assert run.slices("split").keys() == {"all"}
    assert run.finish({"split": [""]}) == []
    other = opened()
    assert latest(other) == "argo-1"
    other.fetch(other.look_up(PRINT).datasets[""], tmp_path / "back")
    assert open_dataset(tmp_path / "back").digest == open_dataset(folder).digest
    assert all(key.startswith("team x/rag/") for key in server.objects)
    assert other.bucket.folders("") == ["rag"]
    assert "cache" in other.bucket.folders("rag/")


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the key")
def test_a_store_of_google_by_the_calls_that_it_shares_with_s3(server, opened, tmp_path, monkeypatch):
    """Google's XML API, as far as obstore uses it; moto, which the engine tests use, creates nothing conditionally."""
    key = subprocess.run(["openssl", "genrsa", "2048"], capture_output=True, text=True, check=True).stdout
    account = {"disable_oauth": True, "private_key": key, "private_key_id": "", "client_email": ""}
    (tmp_path / "account.json").write_text(json.dumps(account))
    monkeypatch.setenv("GOOGLE_SERVICE_ACCOUNT", str(tmp_path / "account.json"))
    store = opened(f"gs://{BUCKET}/team x", environ={})
    folder = dataset(tmp_path / "out", "a", "b")
    entry = Entry(PRINT, "split", {"": store.put_dataset(folder)}, {"items_in": 1})
    assert store.record(entry) == entry
    assert not store.bucket.put(store.key(f"cache/{PRINT}.json"), b"other", create=True)
    store.fetch(store.look_up(PRINT).datasets[""], tmp_path / "back")
    assert open_dataset(tmp_path / "back").digest == open_dataset(folder).digest
    store.bucket.put_file("big", *source(tmp_path, BIG))
    assert b"".join(store.bucket.stream("big", len(BIG))) == BIG
    server.page = 2
    assert {item.key for item in store.bucket.list("")} == {key.removeprefix("team x/") for key in server.objects}
    store.bucket.delete(["big", "none"])
    assert store.bucket.head("big") is None
    with pytest.raises(StoreError, match="bucket does not exist"):
        opened("gs://other-bucket", environ={}).look_up(PRINT)


NAMES = ["plain", "with space", "#1", "a#1/ü.txt", "deep/er/%41", "line\nbreak", "🎉", "empty", "run.sh", "~x"]


def make_folder(folder):
    """A dataset of files whose names, sizes and modes are unusual."""
    with writing_outputs(folder, {"": shape_of(Folder)}) as writers:
        made = writers.workdir / "made"
        for name in NAMES:
            (made / name).parent.mkdir(parents=True, exist_ok=True)
            (made / name).write_bytes(b"" if name == "empty" else name.encode() * 3)
        (made / "run.sh").chmod(0o755)
        (made / "empty folder").mkdir()
        writers[""].add(Folder(made))
    return folder


def test_a_folder_comes_back_as_it_was(opened, tmp_path):
    store = opened()
    store.fetch(store.put_dataset(make_folder(tmp_path / "out")), tmp_path / "back")
    assert open_dataset(tmp_path / "back").digest == open_dataset(tmp_path / "out").digest
    (home,) = tmp_path.glob("back/*/made")
    found = {str(path.relative_to(home)): path for path in home.rglob("*")}
    assert {*NAMES, "empty folder"} < set(found)
    assert os.access(found["run.sh"], os.X_OK)
    assert not os.access(found["plain"], os.X_OK)


@pytest.mark.parametrize("size", [0, 1, 8 << 20, (8 << 20) + 1, 20 << 20])
def test_files_of_any_size(server, bucket, tmp_path, size):
    path, digest = source(tmp_path, BIG[:size])
    bucket.put_file("x", path, digest)
    assert server.uploads == {}
    assert b"".join(bucket.stream("x", size)) == BIG[:size]
    assert bucket.head("x").size == size


def test_large_files_are_read_in_ranges(server, bucket, tmp_path, monkeypatch):
    monkeypatch.setattr("wurzel.store.remote._RANGE", 8 << 20)
    path, digest = source(tmp_path, BIG)
    bucket.put_file("x", path, digest)
    assert b"".join(bucket.stream("x", len(BIG))) == BIG
    ranges = [request.headers["range"] for request in server.requests if request.method == "GET"]
    assert ranges == ["bytes=0-8388607", "bytes=8388608-16777215", "bytes=16777216-20971519"]


@pytest.mark.parametrize("size", [0, 5, 20 << 20])
def test_a_file_that_changed_is_not_stored(server, bucket, tmp_path, size):
    path, _ = source(tmp_path, BIG[:size])
    with pytest.raises(StoreError, match="has changed since the step wrote it"):
        bucket.put_file("x", path, PRINT)
    assert server.objects == server.uploads == {}


def test_one_of_many_creates_an_object(server, bucket):
    assert bucket.put("x", b"1", create=True)
    assert not bucket.put("x", b"2", create=True)
    assert bucket.get("x") == b"1"
    assert bucket.put("x", b"2")
    assert bucket.get("x") == b"2"


@pytest.mark.parametrize("fault", ["drop", failure(409, "ConditionalRequestConflict"), failure(503, "SlowDown")])
def test_a_reply_that_is_lost_makes_no_other_writer(server, bucket, fault):
    bucket.sender.patience = 5
    server.fault = lambda request: fault if request.method == "PUT" and server.counted("PUT") == 1 else None
    assert bucket.put("x", b"1", create=True)
    assert server.objects["team x/x"][0] == b"1"


def test_a_server_that_cannot_create_is_asked_once(server, bucket):
    server.fault = lambda request: failure(501, "NotImplemented") if "if-none-match" in request.headers else None
    assert bucket.put("x", b"1", create=True)
    asked = server.counted("PUT")
    assert asked <= 5
    assert not bucket.put("x", b"2", create=True)
    assert bucket.put("y", b"2", create=True)
    assert server.counted("PUT") == asked + 1


def test_lists_have_pages(server, bucket):
    server.page = 7
    keys = [f"a/{number:03}" for number in range(50)]
    for key in keys:
        server.objects[f"team x/{key}"] = (b"12", 1)
    assert [item.key for item in bucket.list("a/")] == keys
    assert {item.size for item in bucket.list("a/")} == {2}
    assert list(bucket.list("b/")) == []


@pytest.mark.parametrize(("wanted", "stored", "most"), [(8, 8, 8), (200, 200, 1), (200, 100_000, 206), (3000, 3000, 4)])
def test_objects_are_looked_for_by_few_requests(server, bucket, wanted, stored, most):
    keys = [f"o/{number:06}" for number in range(stored)]
    server.objects = {f"team x/{key}": (b"12", 1) for key in keys}
    asked = random.Random(1).sample(keys, wanted)
    assert bucket.sizes("o/", [*asked[1:], "o/zzz"]) == dict.fromkeys(asked[1:], 2)
    assert len(server.requests) <= most + 1
    del server.objects[f"team x/{asked[0]}"]
    assert bucket.sizes("o/", asked) == dict.fromkeys(asked[1:], 2)


def test_an_object_has_one_time(server, bucket):
    server.objects["team x/a/x"] = (b"1", 1_700_000_000.75)
    assert list(bucket.list("a/")) == [bucket.head("a/x")]


def test_what_does_not_exist(bucket):
    assert bucket.get("x") is None
    assert bucket.head("x") is None
    with pytest.raises(FileNotFoundError):
        list(bucket.stream("x", 3))
    bucket.delete(["x", "y"])


def test_deleting(server, bucket):
    for key in "abc":
        bucket.put(key, b"")
    bucket.delete(["a", "c", "d"])
    assert list(server.objects) == ["team x/b"]


def test_eight_hits_take_few_requests(server, opened, tmp_path):
    store = opened()
    run = Run(store, "argo-1")
    data = store.put_dataset(dataset(tmp_path / "out", "a"))
    prints = [character * 64 for character in "01234567"]
    for fingerprint in prints:
        store.record(Entry(fingerprint, f"s{fingerprint[0]}", {"": data}, {}))
    server.requests.clear()
    run.begin(PLAN)
    for fingerprint in prints:
        entry = store.look_up(fingerprint)
        run.hand_over(HandOver(run.name, entry.step, "", entry.datasets[""], PLAN))
    assert run.finish({f"s{number}": [""] for number in range(8)}) == []
    assert len(server.requests) <= 40


def test_two_jobs_at_once_agree(server, opened, tmp_path):
    folders = [dataset(tmp_path / text, text) for text in "abcdefgh"]
    found = []

    def job(folder):
        store = opened()
        found.append(store.record(Entry(PRINT, "split", {"": store.put_dataset(folder)}, {})).datasets[""].digest)

    threads = [threading.Thread(target=job, args=(folder,)) for folder in folders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == len(folders)
    assert set(found) == {opened().look_up(PRINT).datasets[""].digest}
