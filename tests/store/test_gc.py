"""What gc removes, and what it never does: beside jobs, killed at any request, with any clock."""

import os
import shutil
import threading
import time
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import chain

import pytest

from tests.store.clock import Clocked
from tests.store.filled import PLAN, Filling, Killing, change, files, fingerprint
from wurzel.exceptions import UsageError
from wurzel.store.gc import gc
from wurzel.store.local import LocalBucket
from wurzel.store.records import Entry, HandOver
from wurzel.store.references import entries, hand_overs
from wurzel.store.runs import Run, latest
from wurzel.store.store import open_store
from wurzel.store.verify import verify

HALF = "0123456789abcdef"  # a file that is being written
DAY = timedelta(days=1)
STEPS = {"read": ["a"], "split": ["b", "c"]}


@pytest.fixture
def url(tmp_path):
    return tmp_path / "store"


@pytest.fixture(params=[0, -40 * 86400, 3 * 3600], ids=["right", "40 days behind", "3 hours ahead"])
def bucket(request, url):
    return Clocked(url, request.param)


@pytest.fixture
def filling(bucket, url, tmp_path):
    return filled(bucket, url, tmp_path)


def filled(bucket, url, scratch, **options):
    filling = Filling(url, scratch / "scratch", **options)
    filling.store.bucket = bucket
    return filling


def collect(bucket, days=30, **options):
    return gc(bucket, ["rag"], days * DAY, **options)


def objects(url):
    return {name.rpartition("/")[2] for name in files(url) if "/objects/" in name}


def runs(url):
    return {name.split("/")[2] for name in files(url) if name.startswith("rag/runs/")}


def test_old_runs_go_and_the_latest_stays(bucket, filling, url):
    for name in ("argo-1", "argo-2"):
        filling.run(name, STEPS)
        bucket.pass_hours(1)
    filling.run("argo-3", {"read": ["a"]}, whole=False)
    assert collect(bucket) == []
    bucket.pass_hours(31 * 24)
    [found] = collect(bucket)
    assert found.runs == ("argo-1", "argo-3")
    assert runs(url) == {"argo-2"}
    assert latest(filling.store) == "argo-2"
    assert Run(filling.store, "argo-2").handed_over("split") is not None
    assert collect(bucket) == []
    assert not [name for name in files(url) if "clock" in name]


def test_what_is_young_stays(bucket, filling, url):
    filling.run("argo-1", STEPS, whole=False)
    filling.entry("read", "x")
    bucket.pass_hours(23.9)
    before = files(url)
    assert collect(bucket, 1) == []
    assert files(url) == before
    with pytest.raises(UsageError, match="less than 24 hours"):
        gc(bucket, ["rag"], timedelta(hours=23, minutes=59))


def test_a_run_that_goes_on_is_not_old(bucket, filling, url):
    job = filling.run("argo-1", STEPS, whole=False)
    bucket.pass_hours(31 * 24)
    job.hand_over(job.handed_over("read"))
    assert all(not found.runs for found in collect(bucket))
    assert runs(url) == {"argo-1"}


def test_entries_that_a_kept_run_names_stay(bucket, filling):
    filling.entry("read", "old")
    bucket.pass_hours(31 * 24)
    job = Run(filling.store, "argo-1")
    job.begin(PLAN)
    filling.run("argo-2", STEPS)
    bucket.pass_hours(31 * 24)
    for step, texts in STEPS.items():
        entry = filling.store.look_up(fingerprint("-".join([step, *texts])))
        job.hand_over(HandOver("argo-1", step, "", entry.datasets[""], PLAN))
    [found] = collect(bucket)
    assert (found.entries, found.runs) == (1, ())
    assert filling.store.look_up(fingerprint("read-old")) is None
    assert filling.store.look_up(fingerprint("split-b-c")) is not None


def test_files_are_deleted_a_day_after_they_were_found_unreferenced(bucket, filling, url):
    filling.data("lost")
    [lost] = objects(url)
    filling.run("argo-1", STEPS)
    bucket.pass_hours(24 * 365)
    assert [found.condemned for found in collect(bucket)] == [2]  # the part, and the manifest of its dataset
    bucket.pass_hours(23.9)
    assert [found.files for found in collect(bucket)] == [0]
    assert lost in objects(url)
    bucket.pass_hours(0.2)
    [found] = collect(bucket)
    assert (found.files, found.condemned) == (2, 0)
    assert found.size > 0
    assert lost not in objects(url)
    assert not [name for name in files(url) if name.startswith("rag/gc/")]


def test_files_that_were_written_again_stay(bucket, filling, url):
    filling.data("again")
    collect(bucket)
    bucket.pass_hours(25)
    filled(bucket, url, url.parent).data("again")  # a job that has not come to its entry yet
    assert [found.files for found in collect(bucket)] == [0]
    filling.entry("read", "again")
    bucket.pass_hours(25)
    assert collect(bucket) == []
    assert filling.store.look_up(fingerprint("read-again")) is not None


def test_files_that_are_used_again_begin_again(bucket, filling, url):
    data = filling.data("again")
    collect(bucket)
    filling.store.record(Entry(fingerprint("x"), "read", {"": data}, {}))
    bucket.pass_hours(25)
    assert collect(bucket) == []
    bucket.delete([filling.store.key(f"cache/{fingerprint('x')}.json")])
    assert [(found.files, found.condemned) for found in collect(bucket)] == [(0, 2)]


def test_what_an_unfinished_run_reads_stays(bucket, filling, url):
    filling.run("argo-1", STEPS)
    bucket.pass_hours(31 * 24)
    filling.run("argo-2", {"read": ["a"]}, whole=False)
    filling.run("argo-3", STEPS)
    assert latest(filling.store) == "argo-3"
    assert all(not found.runs for found in collect(bucket))
    filling.run("argo-2", STEPS)
    assert [found.runs for found in collect(bucket)] == [("argo-1",)]
    filling.run("argo-4", {"read": ["a"]}, whole=False)
    filling.run("argo-5", STEPS)
    bucket.pass_hours(31 * 24)
    assert [found.runs for found in collect(bucket)] == [("argo-2", "argo-3", "argo-4")]


def test_what_jobs_that_are_not_trusted_read_and_write(bucket, filling, url, tmp_path):
    data = filling.entry("read", "a")
    branch = filled(bucket, url, tmp_path, cache="read")
    branch.run("gh-1", {"split": ["b"]}, whole=False)
    Run(branch.store, "gh-1").hand_over(HandOver("gh-1", "read", "", data, PLAN))
    bucket.pass_hours(29 * 24)
    Run(branch.store, "gh-1").hand_over(Run(branch.store, "gh-1").handed_over("read"))
    bucket.pass_hours(2 * 24)
    assert collect(bucket) == []
    assert filling.store.look_up(fingerprint("read-a")) is not None
    bucket.pass_hours(31 * 24)
    found = collect(bucket)
    assert [(each.trusted, each.runs, each.entries) for each in found] == [(True, (), 1), (False, ("gh-1",), 1)]
    bucket.pass_hours(25)
    assert [each.files for each in collect(bucket)] == [2, 2]
    assert objects(url) == set()


def test_a_dry_run_changes_nothing_and_says_the_same(bucket, filling, url):
    filling.run("argo-1", STEPS)
    filling.run("argo-2", STEPS)
    filling.data("lost")
    bucket.pass_hours(31 * 24)
    before = {name: (url / name).read_bytes() for name in files(url)}
    said = collect(bucket, dry_run=True)
    assert {name: (url / name).read_bytes() for name in files(url)} == before
    assert said == collect(bucket)


def test_damaged_notes_begin_again(bucket, filling, url):
    filling.data("lost")
    collect(bucket)
    bucket.pass_hours(25)
    change(url / "rag/gc/condemned.json", "flipped")
    assert [(found.files, found.condemned) for found in collect(bucket)] == [(0, 2)]


def test_files_of_others_stay(bucket, filling, url):
    filling.entry("read", "a")
    (url / "rag/objects/README").write_text("mine")
    collect(bucket)
    bucket.pass_hours(25)
    collect(bucket)
    assert (url / "rag/objects/README").exists()


def test_leftovers_of_killed_writers_are_swept(url, tmp_path):
    bucket = LocalBucket(url)
    Filling(url, tmp_path / "scratch").entry("read", "a")
    (url / ".tmp" / HALF).write_text("half")
    (url / "rag/runs/argo-1/read/_").mkdir(parents=True)
    before = files(url)
    bucket.sweep(datetime.now(UTC) - DAY)
    assert files(url) == before
    assert (url / "rag/runs/argo-1/read/_").exists()
    bucket.sweep(datetime.now(UTC) + DAY)
    assert files(url) == [name for name in before if name != f".tmp/{HALF}"]
    assert not (url / "rag/runs").exists()


def test_a_sweep_leaves_what_others_have_beside_the_store(url, tmp_path):
    """A store may be in the folder of a project, or of a team."""
    bucket = LocalBucket(url)
    Filling(url, tmp_path / "scratch").entry("read", "a")
    (url / ".tmp/mine").write_text("mine")
    mine = [url / name for name in ("empty", "rag/mine", "web/public/img", "untrusted/rag/mine")]
    for path in mine:
        path.mkdir(parents=True)
    (url / "untrusted/rag/runs/gh-1").mkdir(parents=True)
    bucket.sweep(datetime.now(UTC) + DAY)
    assert (url / ".tmp/mine").exists()
    assert all(path.exists() for path in mine)
    assert not (url / "untrusted/rag/runs").exists()


def test_gc_sweeps(url, tmp_path):
    bucket = Clocked(url)
    filled(bucket, url, tmp_path).run("argo-1", STEPS)
    then = time.time() - 25 * 3600
    bucket.put("rag/gc/clock-1", b"{}")
    (url / "rag/runs/argo-0").mkdir()
    for name in ("rag/gc/clock-1", "rag/runs/argo-0"):
        os.utime(url / name, (then, then))
    collect(bucket)
    assert not (url / "rag/gc/clock-1").exists()
    assert not (url / "rag/runs/argo-0").exists()


def test_what_was_rewritten_since_it_was_listed_is_put_back(url):
    bucket = Clocked(url)
    bucket.put("rag/x", b"old")
    [item] = bucket.list("rag/")
    bucket.pass_hours(1)
    bucket.put("rag/x", b"new")
    assert bucket.discard([item]) == []
    assert not bucket._discarded(item)  # as if it had been written after the look
    assert bucket.get("rag/x") == b"new"
    assert [found.key for found in bucket.discard(bucket.list("rag/"))] == ["rag/x"]
    assert bucket.discard([item]) == []
    assert files(url) == []


def outcome(url):
    """What is in a store, but for the times in the names of marks and what the next gc removes."""
    return {name.partition("~")[2] or name for name in files(url) if "/gc/" not in name}


def a_month_of_work(bucket, url, scratch):
    """A store with something to remove of every kind, also for a second gc."""
    filling = filled(bucket, url, scratch)
    filling.data("lost")
    filling.run("argo-1", {"read": ["old"], "split": ["older"]})
    collect(bucket)
    bucket.pass_hours(31 * 24)
    filling.run("argo-2", STEPS)
    branch = filled(bucket, url, scratch, cache="read")
    branch.run("gh-1", STEPS, whole=False)
    return filling


def test_killed_at_any_request_the_next_gc_and_jobs_are_right(tmp_path):
    first = Clocked(tmp_path / "first")
    a_month_of_work(first, first.root, tmp_path)

    def copied(name):
        shutil.copytree(first.root, tmp_path / name)  # with the times of files
        return Clocked(tmp_path / name, first.ahead)

    def twice(bucket):
        for _ in range(2):
            collect(bucket)
            bucket.pass_hours(25)
        return outcome(bucket.root)

    wanted = twice(copied("wanted"))
    for request in range(1, 1000):
        bucket = copied(f"store{request}")
        try:
            collect(Killing(bucket, request))
            break
        except KeyboardInterrupt:
            store = open_store(str(bucket.root), "rag")
            assert latest(store) == "argo-2"
            check(store)
        assert twice(bucket) == wanted, request
    assert request > 60


def check(store):
    """What entries and hand-overs lead to is all there, as it was written; gives how many they are."""
    count = 0
    for reference in chain.from_iterable(read(store) for read in (entries, hand_overs)):
        assert not reference.problem
        for part in chain.from_iterable(data.manifest.parts for data in reference.datas):
            key = store.key(f"objects/{part.sha256[:2]}/{part.sha256}")
            assert sha256(store.bucket.get(key) or b"").hexdigest() == part.sha256, reference.item.key
            count += 1
    return count


def test_two_at_once(tmp_path):
    bucket = Clocked(tmp_path / "store")
    filling = a_month_of_work(bucket, bucket.root, tmp_path)
    for _ in range(3):
        together([lambda: collect(bucket)] * 3)
        bucket.pass_hours(25)
        assert check(filling.store) == 4
    assert len(objects(bucket.root)) == 2


def together(calls):
    failed = []

    def run(call):
        try:
            call()
        except Exception as error:  # noqa: BLE001 - shown where the test sees it
            failed.append(error)

    threads = [threading.Thread(target=run, args=[call]) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []


def test_in_a_loop_beside_jobs(tmp_path):
    """A day passes between two gcs, but never while a job is between its upload and its entry."""
    bucket, jobs = Clocked(tmp_path / "store"), 3
    at_work = [threading.Lock() for _ in range(jobs)]
    end = time.monotonic() + 4
    done = []

    def job(number):
        turn = 0
        while time.monotonic() < end:
            turn += 1
            filling = filled(bucket, bucket.root, tmp_path / str(number))
            text = str(turn * (number + 1) % 11)
            with at_work[number]:
                found = filling.store.look_up(fingerprint(f"read-{text}"))
                data = found.datasets[""] if found else filling.entry("read", text)
                run = Run(filling.store, f"argo-{number}-{turn % 7}")
                run.begin(PLAN)
                run.hand_over(HandOver(run.name, "read", "", data, PLAN))
                filling.store.fetch(data, tmp_path / f"back{number}")
                done.append(found is not None)

    def collector():
        while time.monotonic() < end:
            collect(bucket, 1)
            for lock in at_work:
                lock.acquire()
            bucket.pass_hours(25)
            for lock in at_work:
                lock.release()

    together([*(lambda number=number: job(number) for number in range(jobs)), collector, collector])
    assert True in done
    assert False in done
    assert check(open_store(str(bucket.root), "rag")) > 0


def test_ten_thousand_objects(tmp_path):
    bucket = Clocked(tmp_path / "store")
    filled(bucket, bucket.root, tmp_path).run("argo-1", STEPS)
    for number in range(10_000):
        digest = sha256(b"%d" % number).hexdigest()
        bucket.put(f"rag/objects/{digest[:2]}/{digest}", b"%d" % number)
    seconds = []
    for work in (lambda: collect(bucket), lambda: verify(bucket, "rag"), lambda: collect(bucket)):
        begin = time.monotonic()
        result = work()
        seconds.append(round(time.monotonic() - begin, 2))
        bucket.pass_hours(25)
    print(f"noted, verified and deleted 10,000 objects in {seconds} s")
    assert result[0].files == 10_000
    assert len(objects(bucket.root)) == 2
