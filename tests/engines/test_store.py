"""The store in real servers of object stores."""

import os
import shutil
import signal
import subprocess
import sys
import time
from hashlib import sha256
from pathlib import Path

import pytest

from tests.engines.drivers.object_stores import BUCKET, SERVERS, missing, serving
from tests.store.test_remote import PLAN, PRINT, make_folder
from wurzel.datacontract.dataset import open_dataset
from wurzel.exceptions import StoreError, StoreSetupError
from wurzel.store.records import Entry, HandOver
from wurzel.store.runs import Run, latest
from wurzel.store.store import open_store
from wurzel.store.threads import side_by_side

pytestmark = pytest.mark.engine
S3 = ["moto", "versitygw"]


@pytest.fixture(scope="module")
def running(request, tmp_path_factory):
    """One of the servers."""
    if reason := missing(request.param):
        pytest.skip(reason)
    with serving(request.param, tmp_path_factory.mktemp(request.param)) as found:
        yield found


@pytest.fixture
def opened(running, monkeypatch):
    """Opens a store in the server."""
    for name, value in running.environ.items():
        monkeypatch.setenv(name, value)

    def open_one(url=running.url, **options):
        return open_store(url, "rag", **{"endpoint": running.endpoint} | options)

    return open_one


on_all = pytest.mark.parametrize("running", SERVERS, indirect=True)
on_s3 = pytest.mark.parametrize("running", S3, indirect=True)


@on_all
def test_a_run_is_stored_and_comes_back(opened, tmp_path):
    store = opened()
    folder = make_folder(tmp_path / "out")
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
    assert list(other.bucket.folders("")) == ["rag"]


@on_all
def test_objects(opened, running):
    bucket = opened().bucket
    assert bucket.get("one/x") is bucket.head("one/x") is None
    won = side_by_side(lambda item: bucket.put("one/x", b"%d" % item, create=True), range(8), 8)
    assert won.count(True) == (1 if running.creates else 8)
    assert not running.creates or bucket.get("one/x") == b"%d" % won.index(True)
    assert abs(bucket.head("one/x").modified.timestamp() - time.time()) < 60
    assert bucket.put("one/x", b"")
    assert [(item.key, item.size) for item in bucket.list("one/")] == [("one/x", 0)]
    assert bucket.sizes("one/", ["one/x", *(f"one/{number}" for number in range(99))]) == {"one/x": 0}
    bucket.delete(["one/x", "one/y"])
    assert bucket.get("one/x") is None


@on_all
@pytest.mark.parametrize("size", [0, 1, (8 << 20) + 1])
def test_files(opened, tmp_path, size):
    bucket = opened().bucket
    data = os.urandom(size)
    (tmp_path / "source").write_bytes(data)
    with pytest.raises(StoreError, match="has changed since"):
        bucket.put_file("files/x", tmp_path / "source", PRINT)
    assert bucket.get("files/x") is None
    bucket.put_file("files/x", tmp_path / "source", sha256(data).hexdigest())
    assert b"".join(bucket.stream("files/x", size)) == data
    bucket.delete(["files/x"])


@on_all
def test_a_bucket_that_does_not_exist(opened, running):
    bucket = opened(running.url.replace(BUCKET, "nowhere")).bucket
    for ask in (bucket.get, bucket.head, lambda key: list(bucket.list(f"{key}/")), lambda key: bucket.put(key, b"")):
        with pytest.raises(StoreSetupError, match=r"does not exist.*\n.*Create the"):
            ask("x")


@pytest.mark.parametrize("running", ["versitygw"], indirect=True)
@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("WURZEL_STORE_ACCESS_KEY_ID", "No user exists"),
        ("WURZEL_STORE_SECRET_ACCESS_KEY", "does not match the signature"),
    ],
)
def test_wrong_keys(opened, running, name, message):
    bucket = opened(environ=running.environ | {name: "AKIDOTHER"}).bucket
    for ask in (bucket.get, bucket.head, lambda key: list(bucket.list(f"{key}/")), lambda key: bucket.put(key, b"")):
        with pytest.raises(StoreSetupError, match=message) as found:
            ask("x")
        assert "AKIDOTHER" not in str(found.value)


@pytest.mark.parametrize("running", ["moto"], indirect=True)
def test_a_token_is_exchanged(opened, tmp_path):
    (tmp_path / "token").write_text("jwt-of-job")
    role = {
        "WURZEL_STORE_ROLE_ARN": "arn:aws:iam::123456789012:role/rag",
        "WURZEL_STORE_TOKEN_FILE": str(tmp_path / "token"),
    }
    bucket = opened(environ=role).bucket
    assert bucket.put("identity/x", b"1")
    keys = bucket._clients.access.identity()
    assert keys["access_key_id"].startswith("ASIA")
    assert keys["expires_at"].timestamp() > time.time() + 600


KILLED = """
import os, sys, threading
from hashlib import sha256
from pathlib import Path
from pathlib import Path
from wurzel.store.store import open_store
bucket = open_store(sys.argv[1], "rag", endpoint=sys.argv[2]).bucket
bucket.put("killed/warm", b"1")
threading.Timer(float(sys.argv[4]), os.kill, (os.getpid(), 9)).start()
path = Path(sys.argv[3])
while True:
    bucket.put_file("killed/x", path, sha256(path.read_bytes()).hexdigest())
    bucket.delete(["killed/x"])
"""


@on_s3
def test_an_upload_that_is_killed_leaves_a_whole_object_or_none(opened, running, tmp_path):
    path = tmp_path / "source"
    path.write_bytes(os.urandom(1 << 20) * 40)
    bucket = opened().bucket
    ends = set()
    for number in range(5):
        command = [sys.executable, "-c", KILLED, running.url, running.endpoint, str(path), str(0.05 + number * 0.07)]
        done = subprocess.run(command, env=os.environ | running.environ, check=False, timeout=60)
        assert done.returncode == -signal.SIGKILL
        item = bucket.head("killed/x")
        assert item is None or item.size == path.stat().st_size
        ends.add(item is None)
        bucket.delete(["killed/x"])
    assert True in ends


MEMORY = """
import sys
from hashlib import file_digest
from pathlib import Path
from wurzel.store.store import open_store

def peak():
    return int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) >> 10

bucket = open_store(sys.argv[1], "rag", endpoint=sys.argv[2]).bucket
path = Path(sys.argv[3])
with path.open("rb") as file:
    digest = file_digest(file, "sha256").hexdigest()
bucket.put("memory/warm", b"1")
before = peak()
bucket.put_file("memory/x", path, digest)
put = peak()
size = sum(map(len, bucket.stream("memory/x", path.stat().st_size)))
bucket.delete(["memory/x"])
print(before, put - before, peak() - before, size)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("running", ["versitygw"], indirect=True)
def test_a_large_file_takes_little_memory(opened, running, tmp_path):
    path = tmp_path / "source"
    with path.open("wb") as file:
        for _ in range(300):
            file.write(os.urandom(1 << 20))
    command = [sys.executable, "-c", MEMORY, running.url, running.endpoint, str(path)]
    done = subprocess.run(command, env=os.environ | running.environ, stdout=subprocess.PIPE, check=True, timeout=120)
    _, put, both, size = map(int, done.stdout.split())
    assert size == 300 << 20
    assert put < 80
    assert both < 80


@pytest.mark.parametrize("running", ["versitygw"], indirect=True)
def test_ten_thousand_objects_are_looked_for_in_pages(opened, running, tmp_path_factory, monkeypatch):
    bucket = opened().bucket
    keys = [f"many/objects/{number % 256:02x}/{number:064x}" for number in range(10_000)]
    side_by_side(lambda key: bucket.put(key, b"1"), keys, bucket.width)
    heads = []
    monkeypatch.setattr(bucket, "head", heads.append)
    begun = time.monotonic()
    found = bucket.sizes("many/objects/", keys)
    print(f"10,000 objects are found in {time.monotonic() - begun:.2f} s")
    assert found == dict.fromkeys(keys, 1)
    assert heads == []


PIPELINE = """
import os
from pathlib import Path
from wurzel import WZ, NoSettings, PydanticModel, TypedStep

class Doc(PydanticModel):
    text: str

class Read(TypedStep[NoSettings, None, list[Doc]]):
    def run(self, inpt: None) -> list[Doc]:
        return [Doc(text=str(number)) for number in range(10)]

class Spy(TypedStep[NoSettings, list[Doc], Doc]):
    def run(self, inpt: list[Doc]) -> Doc:
        seen = repr(sorted(os.environ.items()))
        for process in (os.getpid(), os.getppid()):
            try:
                seen += Path(f"/proc/{process}/environ").read_text(errors="replace")
            except OSError as error:
                seen += str(error)
        return Doc(text=seen)

spied = WZ(Read) >> WZ(Spy)
"""


@pytest.mark.parametrize("running", ["versitygw"], indirect=True)
def test_a_run_uses_the_store_and_its_steps_do_not_see_the_keys(running, opened, tmp_path):
    (tmp_path / "spied_pipeline.py").write_text(PIPELINE)
    text = f"version: 1\npipelines:\n  spied: {{entrypoint: spied_pipeline:spied}}\nstore:\n  url: {running.url}\n"
    (tmp_path / "wurzel.yaml").write_text(f"{text}  endpoint: {running.endpoint}\n")

    def wurzel(*arguments, code=0, **environ):
        command = [str(Path(sys.executable).parent / "wurzel"), *arguments]
        environ = os.environ | {"NO_COLOR": "1", "MARK": "seen"} | environ
        done = subprocess.run(command, cwd=tmp_path, env=environ, stderr=subprocess.PIPE, text=True, check=False)
        assert done.returncode == code, done.stderr
        return done.stderr

    assert "2 ran" in wurzel("run", "spied", "--publish")
    for name in ("data", ".wurzel"):
        shutil.rmtree(tmp_path / name, ignore_errors=True)
    assert "2 unchanged" in wurzel("run", "spied", "--publish")
    wurzel("store", "get", "spied/spy", "-o", "got")
    (part,) = (tmp_path / "got").glob("part-*")
    seen = part.read_text()
    assert "('MARK', 'seen')" in seen
    assert not any(value in seen for value in running.environ.values())
    assert "does not match the signature" in wurzel("run", "spied", code=2, WURZEL_STORE_SECRET_ACCESS_KEY="hunter33")
