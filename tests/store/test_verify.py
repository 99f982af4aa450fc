"""What verify finds, and what is left after a repair."""

import json
import shutil
import threading
import time
from datetime import timedelta

import pytest

from tests.store.filled import PLAN, Filling, Killing, age, change, files, fingerprint
from wurzel.datacontract.manifest import joined
from wurzel.store.gc import gc
from wurzel.store.listing import pipelines, runs
from wurzel.store.records import HandOver, seal, unseal
from wurzel.store.runs import Run, latest
from wurzel.store.verify import repair, verify
from wurzel.store.verify_runs import FOREIGN, MISSING

STEPS = {"read": ["a"], "split": ["b", "c"], "embed": ["d"]}


@pytest.fixture
def url(tmp_path):
    return tmp_path / "store"


@pytest.fixture
def filling(url, tmp_path):
    filling = Filling(url, tmp_path / "scratch")
    for name in ("argo-1", "argo-2"):
        filling.run(name, STEPS)
    return filling


def found(filling):
    return {finding.key: finding for finding in verify(filling.store.bucket, "rag").findings}


def fix(filling):
    return repair(filling.store.bucket, "rag", verify(filling.store.bucket, "rag").findings)


def one_of(url, pattern, number=0):
    return sorted(url.glob(f"rag/{pattern}"))[number]


def swap(one, other):
    aside = one.with_name("aside")
    one.rename(aside)
    other.rename(one)
    aside.rename(other)


def test_nothing_is_wrong_with_what_jobs_have_written(filling, url):
    filling.data("nobody has come to its entry yet")
    checked = verify(filling.store.bucket, "rag")
    assert checked.findings == []
    assert (checked.files, checked.records) == (8, 9)
    assert checked.size == sum(
        (url / name).stat().st_size for name in files(url) if "/objects/" in name or "/datasets/" in name
    )


KINDS = {
    "objects": "objects/*/*",
    "datasets": "datasets/*",
    "entries": "cache/*",
    "hand-overs": "runs/argo-2/*/_/all.json",
    "run.json": "runs/*/run.json",
    "marks": "whole/*",
}


@pytest.mark.parametrize("how", ["torn", "flipped", "empty", "deleted", "swapped"])
@pytest.mark.parametrize("kind", KINDS)
def test_damage_is_found_and_repaired(filling, url, kind, how):
    path = one_of(url, KINDS[kind])
    if how == "swapped":
        swap(path, one_of(url, KINDS[kind], 1))
    else:
        change(path, how)
    problems = found(filling)
    if how == "deleted" and kind in {"entries", "marks"}:
        assert problems == {}  # the same as one that has never been there
    else:
        assert str(path.relative_to(url)) in problems
        assert len(problems) == (2 if how == "swapped" else 1)
    assert fix(filling) == []
    assert found(filling) == {}
    assert latest(filling.store) in {"argo-1", "argo-2", None}
    filling.run("argo-3", STEPS)
    assert latest(filling.store) == "argo-3"
    assert found(filling) == {}


@pytest.mark.parametrize("how", ["flipped", "deleted"])
def test_what_leads_to_a_bad_object_is_named_and_removed(filling, url, tmp_path, how):
    data = filling.store.look_up(fingerprint("split-b-c")).datasets[""]
    digest = data.manifest.parts[0].sha256
    path = url / f"rag/objects/{digest[:2]}/{digest}"
    change(path, how)
    [finding] = found(filling).values()
    assert finding.key == str(path.relative_to(url))
    assert finding.problem == (MISSING if how == "deleted" else "is damaged: its digest is not its name")
    assert [item.key for item in finding.leads] == [
        f"rag/cache/{fingerprint('split-b-c')}.json",
        "rag/runs/argo-1/split/_/all.json",
        "rag/runs/argo-2/split/_/all.json",
    ]
    before = set(files(url))
    fix(filling)
    gone = {finding.key, *(item.key for item in finding.leads), *(name for name in before if "/whole/" in name)}
    assert before - set(files(url)) == gone & before
    assert filling.store.look_up(fingerprint("split-b-c")) is None
    assert filling.store.look_up(fingerprint("read-a")) is not None
    filling.entry("split", "b", "c")
    filling.store.fetch(filling.store.look_up(fingerprint("split-b-c")).datasets[""], tmp_path / "back")


def test_the_manifest_of_a_dataset_is_written_again(filling, url):
    path = one_of(url, "datasets/*")
    text = path.read_bytes()
    for how in ("flipped", "deleted"):
        change(path, how)
        before = set(files(url)) | {str(path.relative_to(url))}
        fix(filling)
        assert path.read_bytes() == text
        assert set(files(url)) == before


def test_a_repair_that_is_killed_at_any_request_is_finished_by_the_next(filling, url, tmp_path):
    for pattern in ("objects/*/*", "datasets/*", "cache/*", "runs/argo-1/run.json", "runs/argo-2/read/_/all.json"):
        change(one_of(url, pattern), "flipped")
    damaged = tmp_path / "damaged"
    url.rename(damaged)
    for request in range(1, 200):
        shutil.rmtree(url, ignore_errors=True)
        shutil.copytree(damaged, url)
        findings = verify(filling.store.bucket, "rag").findings
        try:
            repair(Killing(filling.store.bucket, request), "rag", findings)
            break
        except KeyboardInterrupt:
            assert latest(filling.store) in {"argo-1", "argo-2", None}
        fix(filling)
        assert found(filling) == {}, request
    assert request > 10
    assert found(filling) == {}


def test_a_run_that_is_marked_but_lacks_something(filling, url):
    change(url / "rag/runs/argo-2/embed/_/all.json", "deleted")  # nobody reads it, but another run has it
    [finding] = found(filling).values()
    assert (finding.key, finding.problem) == ("rag/runs/argo-2/embed/_/all.json", MISSING)
    fix(filling)
    assert latest(filling.store) == "argo-1"
    assert Run(filling.store, "argo-2").handed_over("split") is not None
    assert found(filling) == {}


def test_a_mark_without_its_run(filling, url):
    shutil.rmtree(url / "rag/runs/argo-2")
    [finding] = found(filling).values()
    assert finding.problem == "marks a run that has handed over nothing"
    fix(filling)
    assert latest(filling.store) == "argo-1"
    assert found(filling) == {}


def test_what_others_have_put_there_stays(filling, url):
    for name in ("objects/README", "objects/aa/" + "b" * 64, "datasets/x.json", "runs/notes.txt"):
        path = url / "rag" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("mine")
    assert {finding.problem for finding in found(filling).values()} == {FOREIGN}
    assert len(fix(filling)) == 4
    assert (url / "rag/objects/README").read_text() == "mine"


def test_jobs_that_are_not_trusted(filling, url, tmp_path):
    branch = Filling(url, tmp_path / "more", cache="read")
    data = filling.store.look_up(fingerprint("read-a")).datasets[""]
    job = branch.run("gh-1", {"split": ["x"]}, whole=False)
    job.hand_over(HandOver("gh-1", "read", "", data, PLAN))
    assert found(filling) == {}
    assert pipelines(filling.store.bucket) == ["rag"]
    digest = data.manifest.parts[0].sha256
    change(url / f"rag/objects/{digest[:2]}/{digest}", "empty")
    change(min(url.glob("untrusted/rag/objects/*/*")), "deleted")
    problems = found(filling)
    assert len(problems) == 2
    assert "untrusted/rag/runs/gh-1/read/_/all.json" in {item.key for each in problems.values() for item in each.leads}
    fix(filling)
    assert found(filling) == {}


def test_files_that_are_trusted_gathered_by_jobs_that_are_not(filling, url, tmp_path):
    branch = Filling(url, tmp_path / "more", cache="read")
    parts = [filling.store.look_up(fingerprint(name)).datasets[""].manifest for name in ("read-a", "embed-d")]
    whole = branch.store.put_manifest(joined(parts), trusted=True)
    job = branch.run("gh-1", {}, whole=False)
    job.hand_over(HandOver("gh-1", "all", "", whole, PLAN))
    assert found(filling) == {}
    for days in (0, 2, 4):
        age(url, days and 2, "untrusted/**/datasets/*")
        assert gc(filling.store.bucket, ["rag"], timedelta(days=30)) == []
    key = f"untrusted/rag/datasets/{whole.digest}.json"
    change(url / key, "deleted")
    assert list(found(filling)) == [key]
    fix(filling)
    assert found(filling) == {}
    assert (url / key).exists()


def test_records_that_are_too_large_are_not_read(filling, url):
    for name in (f"cache/{'0' * 64}.json", "runs/argo-2/split/_/all.json"):
        path = url / "rag" / name
        path.unlink(missing_ok=True)
        with path.open("wb") as file:
            file.truncate(300 << 20)
    assert {finding.problem for finding in found(filling).values()} == {"is larger than 256 MiB"}
    fix(filling)
    assert found(filling) == {}


def test_documents_that_are_sealed_but_odd(filling, url):
    """Who may write can seal what they like: it is damage, not a crash."""
    path = url / "rag/runs/argo-2/split/_/all.json"
    fields = unseal(path.read_bytes())
    run = unseal((url / "rag/runs/argo-2/run.json").read_bytes())
    cached = url / f"rag/cache/{fingerprint('split-b-c')}.json"
    entry = unseal(cached.read_bytes())
    odd = [1, "", None, [], {}, [1], {"a": 1}, {"a": []}, True, "0" * 64, [[]]]
    for name, original, place in [
        *((name, fields, path) for name in fields),
        *((f"data.{name}", fields, path) for name in fields["data"]),
        *((name, run, url / "rag/runs/argo-2/run.json") for name in run),
        *((name, entry, cached) for name in entry),
    ]:
        for value in odd:
            changed = json.loads(json.dumps(original))
            outer, _, inner = name.partition(".")
            (changed[outer] if inner else changed)[inner or outer] = value
            place.chmod(0o600)
            place.write_bytes(seal(changed))
            found(filling)
            runs(filling.store.bucket, "rag")
            gc(filling.store.bucket, ["rag"], timedelta(days=30), dry_run=True)
        place.write_bytes(seal(original))
    assert found(filling) == {}


def test_beside_jobs_nothing_is_called_wrong(url, tmp_path):
    end = time.monotonic() + 3
    failed = []

    def job(number):
        filling = Filling(url, tmp_path / str(number))
        turn = 0
        while time.monotonic() < end:
            turn += 1
            filling.run(f"argo-{number}-{turn % 5}", {"read": [str(turn % 3)], "split": [f"{number}-{turn % 4}"]})

    def checked(call, *arguments):
        try:
            call(*arguments)
        except Exception as error:  # noqa: BLE001 - shown where the test sees it
            failed.append(error)

    threads = [threading.Thread(target=checked, args=[job, number]) for number in range(2)]
    for thread in threads:
        thread.start()
    reads = 0
    store = Filling(url, tmp_path / "x").store
    while time.monotonic() < end:
        assert verify(store.bucket, "rag").findings == []
        reads += 1
    for thread in threads:
        thread.join()
    assert failed == []
    assert reads > 2
