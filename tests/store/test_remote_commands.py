"""What looks into a store and cleans it, in a bucket of S3, whose lists have finer times than its other replies."""

import contextlib
from datetime import timedelta

import pytest

from tests.store.filled import Filling, fingerprint
from tests.store.s3_server import failure
from wurzel.datacontract.dataset import open_dataset
from wurzel.exceptions import StoreError, StoreSetupError
from wurzel.store.delivery import deliver
from wurzel.store.gc import gc
from wurzel.store.listing import find_run, outputs, pipelines, runs
from wurzel.store.references import forget, usage
from wurzel.store.runs import latest
from wurzel.store.verify import repair, verify

STEPS = {"read": ["a"], "split": ["b", "c"]}
MONTH = timedelta(days=30)


@pytest.fixture
def filling(opened, tmp_path):
    filling = Filling(tmp_path / "unused", tmp_path / "scratch")
    filling.store = opened()
    return filling


def test_what_is_there(filling, bucket, tmp_path):
    assert pipelines(bucket) == []
    filling.run("argo-1", STEPS)
    filling.run("argo-2", {"read": ["a"]}, whole=False)
    assert pipelines(bucket) == ["rag"]
    assert {each.name: each.latest for each in runs(bucket, "rag")} == {"argo-1": True, "argo-2": False}
    store, run = find_run(bucket, "rag", "latest")
    assert [each.place.name for each in outputs(store, run)] == ["read", "split"]
    deliver(store, run, "split", None, tmp_path / "back")
    assert open_dataset(tmp_path / "back").items == 2
    [used] = usage(bucket, "rag")
    assert set(used.steps) == {"read", "split"}
    assert used.unreferenced == 0


def test_gc(filling, bucket, server):
    filling.run("argo-1", STEPS)
    filling.run("argo-2", {"read": ["a"]})
    filling.entry("read", "old")
    server.skew = 31 * 86400
    [found] = gc(bucket, ["rag"], MONTH)
    assert (found.runs, found.entries, found.files, found.condemned) == (("argo-1",), 2, 0, 4)
    server.skew += 86400
    [found] = gc(bucket, ["rag"], MONTH)
    assert (found.files, found.condemned) == (4, 0)
    assert latest(filling.store) == "argo-2"
    assert filling.store.look_up(fingerprint("read-a")) is not None
    assert verify(bucket, "rag").findings == []
    assert not [key for key in server.objects if "/gc/" in key]


def test_verify_and_forget(filling, bucket, server):
    filling.run("argo-1", STEPS)
    key = next(key for key in server.objects if "/objects/" in key)
    data, written = server.objects[key]
    server.objects[key] = (data[:-1] + b"#", written)
    [finding] = verify(bucket, "rag").findings
    assert len(finding.leads) == 2
    assert repair(bucket, "rag", [finding]) == []
    assert key not in server.objects
    assert verify(bucket, "rag").findings == []
    assert latest(filling.store) is None
    assert forget(bucket, "rag", None) == 1


@pytest.mark.parametrize("number", range(1, 25))
def test_a_request_that_fails_ends_gc_and_removes_nothing_that_is_used(filling, bucket, server, number):
    """What cannot be read now is not taken for damage, which leads nowhere."""
    filling.run("argo-1", STEPS)
    server.skew = 86400 * 2
    count = 0

    def fail(request):
        nonlocal count
        count += 1
        return failure(403, "AccessDenied") if count == number else None

    server.fault = fail
    with contextlib.suppress(StoreError):
        gc(bucket, ["rag"], MONTH)
    server.fault = lambda request: None
    assert verify(bucket, "rag").findings == []
    assert not [key for key in server.objects if "condemned" in key]


def test_who_may_only_read_is_told_of_damage(filling, bucket, server, tmp_path):
    filling.run("argo-1", {"read": ["a"]})
    key = next(key for key in server.objects if "/objects/" in key)
    server.objects[key] = (b"x", server.objects[key][1])
    server.fault = lambda request: failure(403, "AccessDenied", "Not yours") if request.method == "DELETE" else None
    with pytest.raises(StoreError, match=r"part-00000\.json is damaged or missing") as found:
        deliver(*find_run(bucket, "rag", "latest"), "read", None, tmp_path / "back")
    assert "It could not be removed" in str(found.value)
    assert key in server.objects


def test_no_bucket(opened):
    for call in (pipelines, lambda bucket: gc(bucket, ["rag"], MONTH)):
        with pytest.raises(StoreSetupError, match="gone"):
            call(opened("s3://gone/x").bucket)
