"""The policies in docs/store.md: each lets a job of its kind do all that it does, and nothing elsewhere."""

import json
import re
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from tests.store.s3_server import BUCKET, KEYS, failure
from tests.store.test_remote import PLAN, PRINT, dataset
from wurzel.exceptions import StoreError
from wurzel.store.records import Entry, HandOver
from wurzel.store.runs import Run
from wurzel.store.store import open_store

PAGE = Path(__file__).parents[2] / "docs" / "store.md"
ACTIONS = {"GET": "s3:GetObject", "HEAD": "s3:GetObject", "PUT": "s3:PutObject", "DELETE": "s3:DeleteObject"}


def policies():
    """Those of trusted and of untrusted jobs."""
    section = PAGE.read_text(encoding="utf-8").partition("### Who may write what")[2].partition("\n### ")[0]
    trusted, untrusted = (json.loads(text) for text in re.findall(r"```json\n(.*?)```", section, re.DOTALL))
    return {"read-write": trusted, "read": untrusted}


def action(request):
    """What S3 calls a request, and what it is about."""
    bucket = "arn:aws:s3:::acme-rag"
    if not request.key:
        return "s3:ListBucket", bucket
    if "uploadId" in request.query and request.method == "DELETE":
        return "s3:AbortMultipartUpload", f"{bucket}/{request.key}"
    return ACTIONS.get(request.method, "s3:PutObject"), f"{bucket}/{request.key}"


def allowed(policy, request):
    name, resource = action(request)
    for statement in policy["Statement"]:
        actions = [statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"]
        prefix = statement.get("Condition", {}).get("StringLikeIfExists", {}).get("s3:prefix", "*")
        asked = request.query.get("prefix", prefix)
        if name in actions and fnmatchcase(resource, statement["Resource"]) and fnmatchcase(asked, prefix):
            return True
    return False


@pytest.fixture
def opened(server):
    """Opens the store for jobs of a kind, which may do what their policy says."""

    def open_one(cache, policy=None, prefix="prod"):
        rules = policies()[policy or cache]
        refused = failure(403, "AccessDenied", "Access Denied")
        server.fault = lambda request: None if allowed(rules, request) else refused
        url = f"s3://{BUCKET}/{prefix}"
        return open_store(url, "rag", endpoint=server.endpoint, environ=KEYS, cache=cache)

    return open_one


def job(store, folder, back, run="argo-1"):
    run = Run(store, run)
    run.begin(PLAN)
    entry = store.look_up(PRINT)
    if entry is None:
        entry = store.record(Entry(PRINT, "split", {"": store.put_dataset(folder)}, {}))
    store.fetch(entry.datasets[""], back)
    run.hand_over(HandOver(run.name, "split", "", entry.datasets[""], PLAN))
    run.slices("split")
    run.finish({"split": [""]})
    store.bucket.folders("")


@pytest.mark.parametrize("cache", ["read-write", "read"])
def test_a_job_may_do_what_it_does(server, opened, tmp_path, monkeypatch, cache):
    monkeypatch.setattr("wurzel.store.remote._PART", 64 << 10)
    store = opened(cache)
    folder = dataset(tmp_path / "out", "a" * 200_000)
    for number in range(2):  # first it runs, then it hits
        job(store, folder, tmp_path / "back", f"argo-{number}")
    for key, (data, modified) in list(server.objects.items()):
        if "/objects/" in key:
            server.objects[key] = (b"#" * len(data), modified)
    with pytest.raises(StoreError, match="has been removed"):
        store.fetch(store.look_up(PRINT).datasets[""], tmp_path / "back")
    job(store, folder, tmp_path / "back")
    assert {"GET", "HEAD", "PUT", "POST", "DELETE"} == {request.method for request in server.requests}


def test_an_untrusted_job_reads_what_trusted_ones_wrote_and_cannot_write_there(server, opened, tmp_path):
    folder = dataset(tmp_path / "out", "a")
    job(opened("read-write"), folder, tmp_path / "back")
    before = dict(server.objects)
    job(opened("read"), folder, tmp_path / "back", "gh-1")
    assert {key: server.objects[key] for key in before} == before
    pretender = opened("read-write", policy="read")
    for change in (lambda: pretender.bucket.put("rag/x", b""), lambda: pretender.bucket.delete(["rag/x"])):
        with pytest.raises(StoreError, match=r"Access Denied \(AccessDenied\)"):
            change()
    for ask in ("get", "folders"):
        with pytest.raises(StoreError, match=r"Access Denied \(AccessDenied\)"):
            getattr(opened("read-write", prefix="production").bucket, ask)("rag/")
