"""The store in a folder: its layout, what damage does to it, who wins a race, what makes a run whole."""

import json
import os
from hashlib import sha256
from pathlib import Path

import pytest

from wurzel.datacontract import PydanticModel
from wurzel.datacontract.dataset import open_dataset
from wurzel.datacontract.manifest import NAME
from wurzel.datacontract.shape import shape_of
from wurzel.datacontract.writer import writing
from wurzel.exceptions import DatasetError, StoreError, StoreSetupError
from wurzel.store.listing import runs
from wurzel.store.names import run_name, slice_fingerprint
from wurzel.store.records import Entry, HandOver
from wurzel.store.runs import Run, latest
from wurzel.store.store import open_store

PRINT = "f" * 64
PLAN = "d" * 64


class Doc(PydanticModel):
    text: str


class Other(PydanticModel):
    text: str


def dataset(folder, *texts, of=Doc, skipped=False):
    with writing(folder, shape_of(list[of])) as writer:
        writer.skipped = skipped
        if not skipped:
            writer.add([of(text=text) for text in texts])
    return folder


@pytest.fixture
def url(tmp_path):
    return str(tmp_path / "store")


@pytest.fixture
def store(url):
    return open_store(url, "rag")


def files(url):
    return sorted(str(path.relative_to(url)) for path in Path(url).rglob("*") if path.is_file())


def record(store, folder, fingerprint=PRINT, **options):
    return store.record(Entry(fingerprint, "split", {"": store.put_dataset(folder)}, {"items_in": 1}), **options)


def give(run, step, data, *, definition=PLAN, **about):
    run.hand_over(HandOver(run.name, step, "", data, definition, **about))


def test_the_layout(store, url, tmp_path):
    folder = dataset(tmp_path / "out", "a")
    run = Run(store, run_name("argo", "u1"))
    run.begin(PLAN)
    give(run, "split", record(store, folder).datasets[""])
    assert run.finish({"split": [""]}) == []
    part = json.loads((folder / NAME).read_bytes())["parts"][0]
    digest = open_dataset(folder).digest
    assert files(url) == sorted(
        [
            f"rag/objects/{part['sha256'][:2]}/{part['sha256']}",
            f"rag/datasets/{digest}.json",
            f"rag/cache/{PRINT}.json",
            "rag/runs/argo-u1/run.json",
            "rag/runs/argo-u1/split/_/all.json",
            f"rag/whole/{run.begun().start}~argo-u1",
        ]
    )
    text = Path(url, "rag", "datasets", f"{digest}.json").read_bytes()
    assert sha256(text).hexdigest() == digest
    about = {"path": "part-00000.json", "items": 1, "bytes": part["bytes"], "sha256": part["sha256"]}
    assert json.loads(text) == {
        "contract": f"{Doc.__module__}:Doc",
        "containers": ["list"],
        "skipped": False,
        "parts": [about | {"executable": False}],
        "folders": [],
    }
    assert latest(store) == "argo-u1"


def test_a_dataset_comes_back_as_it_was(store, tmp_path):
    before = open_dataset(dataset(tmp_path / "out", "a", "b"))
    store.fetch(store.put_dataset(tmp_path / "out"), tmp_path / "back")
    after = open_dataset(tmp_path / "back")
    assert after.digest == before.digest
    assert (tmp_path / "back" / NAME).read_bytes() == (tmp_path / "out" / NAME).read_bytes()
    assert after.parts[0].read() == before.parts[0].read()
    assert after.parts[0].path.stat().st_nlink == 1


def test_parts_that_are_not_asked_for_fail_when_read(store, tmp_path):
    store.fetch(store.put_dataset(dataset(tmp_path / "out", "a")), tmp_path / "back", only=[])
    with pytest.raises(DatasetError, match="is damaged"):
        open_dataset(tmp_path / "back").parts[0].read()


def test_datasets_of_other_types_differ_as_do_skipped_and_empty_ones(store, tmp_path):
    folders = [
        dataset(tmp_path / "a", "a"),
        dataset(tmp_path / "other", "a", of=Other),
        dataset(tmp_path / "empty"),
        dataset(tmp_path / "skipped", skipped=True),
    ]
    assert len({store.put_dataset(folder).digest for folder in folders}) == len(folders)


DAMAGE = {
    "torn": lambda path: path.write_bytes(path.read_bytes()[:-3]),
    "flipped": lambda path: path.write_bytes(path.read_bytes()[:-9] + b"#" + path.read_bytes()[-8:]),
    "empty": lambda path: path.write_bytes(b""),
    "deleted": Path.unlink,
}


def harm(path, how):
    path.chmod(0o600)
    DAMAGE[how](path)


@pytest.mark.parametrize("how", DAMAGE)
def test_a_damaged_object_is_never_a_result_and_heals(store, url, tmp_path, how):
    folder = dataset(tmp_path / "out", "some text")
    record(store, folder)
    record(store, folder, slice_fingerprint(PRINT, 1, 2))
    harm(next(Path(url).glob("rag/objects/*/*")), how)
    entry = store.look_up(PRINT)
    assert (entry is None) == (how != "flipped")
    if entry is not None:  # the right size: found out when it is read
        with pytest.raises(StoreError, match=r"part-00000\.json is damaged or missing"):
            store.fetch(entry.datasets[""], tmp_path / "back")
        assert not (tmp_path / "back").exists()
    assert store.look_up(PRINT) is store.look_up(slice_fingerprint(PRINT, 1, 2)) is None
    record(store, folder)
    store.fetch(store.look_up(PRINT).datasets[""], tmp_path / "back")
    assert open_dataset(tmp_path / "back").parts[0].read() == open_dataset(folder).parts[0].read()


@pytest.mark.parametrize("how", DAMAGE)
def test_a_damaged_entry_is_absent_and_replaced(store, url, tmp_path, how):
    folder = dataset(tmp_path / "out", "a")
    record(store, folder)
    harm(Path(url, "rag", "cache", f"{PRINT}.json"), how)
    assert store.look_up(PRINT) is None
    record(store, folder)
    assert store.look_up(PRINT) is not None


def test_an_entry_that_names_another_is_absent(store, url, tmp_path):
    record(store, dataset(tmp_path / "out", "a"))
    cache = Path(url, "rag", "cache")
    (cache / f"{PRINT}.json").rename(cache / f"{PLAN}.json")
    assert store.look_up(PLAN) is None


@pytest.mark.parametrize("how", [*DAMAGE, "swapped"])
@pytest.mark.parametrize("name", ["split/_/all.json", "run.json"])
def test_a_damaged_hand_over_is_an_error(store, url, tmp_path, how, name):
    data = store.put_dataset(dataset(tmp_path / "out", "a"))
    for run in (Run(store, "argo-1"), Run(store, "argo-2")):
        run.begin(PLAN)
        give(run, "split", data)
    path, other = (Path(url, "rag", "runs", which, name) for which in ("argo-2", "argo-1"))
    other.replace(path) if how == "swapped" else harm(path, how)
    ask = run.begun if name == "run.json" else lambda: run.handed_over("split")
    if how == "deleted":
        assert ask() is None
    else:
        with pytest.raises(StoreError, match="is damaged"):
            ask()


def test_who_loses_a_race_is_given_the_winners_entry(store, tmp_path):
    first = record(store, dataset(tmp_path / "one", "a"))
    mine = Entry(PRINT, "split", {"": store.put_dataset(dataset(tmp_path / "two", "b"))}, {})
    assert store.record(mine).datasets[""].digest == first.datasets[""].digest
    assert store.record(mine, force=True).datasets[""].digest == mine.datasets[""].digest
    assert store.look_up(PRINT).datasets[""].digest == mine.datasets[""].digest


def test_an_entry_of_other_outputs_wins_no_race(store, tmp_path):
    """Their names become folders."""
    data = store.put_dataset(dataset(tmp_path / "one", "a"))
    store.record(Entry(PRINT, "split", {"../x": data}, {}))
    assert record(store, dataset(tmp_path / "two", "b")).datasets.keys() == {""}
    assert store.look_up(PRINT).datasets.keys() == {""}


def test_untrusted_jobs_read_what_is_trusted_and_write_apart(store, url, tmp_path):
    record(store, dataset(tmp_path / "one", "a"))
    before = files(url)
    branch = open_store(url, "rag", cache="read")
    assert branch.look_up(PRINT).datasets[""].trusted
    record(branch, dataset(tmp_path / "two", "b"), PLAN)
    assert all(name in before or name.startswith("untrusted/rag/") for name in files(url))
    assert store.look_up(PLAN) is None
    branch.fetch(branch.look_up(PLAN).datasets[""], tmp_path / "back")
    run = Run(branch, "gh-1")
    run.begin(PLAN)
    give(run, "split", branch.look_up(PLAN).datasets[""])
    assert run.finish({"split": [""]}) == ["jobs that are not trusted cannot complete a run"]
    assert latest(branch) is None


def test_untrusted_jobs_remove_nothing_that_is_trusted(store, url, tmp_path):
    record(store, dataset(tmp_path / "out", "some text"))
    harm(next(Path(url).glob("rag/objects/*/*")), "flipped")
    before = files(url)
    branch = open_store(url, "rag", cache="read")
    with pytest.raises(StoreError, match="is damaged"):
        branch.fetch(branch.look_up(PRINT).datasets[""], tmp_path / "back")
    assert files(url) == before


def test_without_the_cache_nothing_is_looked_up_or_recorded(url, store, tmp_path):
    record(store, dataset(tmp_path / "out", "a"))
    off = open_store(url, "rag", cache="off")
    assert off.look_up(PRINT) is None
    record(off, tmp_path / "out", PLAN)
    assert store.look_up(PLAN) is None


def test_a_run_is_whole_only_as_its_data_now_stands(store, tmp_path):
    one, two = (store.put_dataset(dataset(tmp_path / text, text)) for text in "ab")
    run, steps = Run(store, "argo-1"), {"read": [""], "split": [""]}
    run.begin(PLAN)
    give(run, "read", one)
    assert run.finish(steps) == ["split has not handed over"]
    give(run, "split", two, inputs={"read/_": one.digest})
    give(run, "read", two)  # tried again after its reader
    assert run.finish(steps) == ["split was made of what read/_ no longer is"]
    give(run, "split", one, inputs={"read/_": two.digest})
    run.begin(PRINT)
    assert len(run.finish(steps)) == 2
    assert latest(store) is None
    run.begin(PLAN)
    assert run.finish(steps) == []
    assert latest(store) == "argo-1"
    run.begin(PRINT)
    assert latest(store) is None


def test_the_latest_run_is_the_one_that_began_last(store, url, tmp_path):
    data = store.put_dataset(dataset(tmp_path / "out", "a"))
    all_runs = [Run(store, f"argo-{number}") for number in (3, 1, 2)]
    for number, run in enumerate(all_runs):
        assert run.begin(PLAN).latest is None
        os.utime(Path(url, "rag", "runs", run.name, "run.json"), (number, number))
        give(run, "split", data)
    for run in reversed(all_runs):
        assert run.finish({"split": [""]}) == []
    for name in ("Thumbs.db", "zz~d/x", "9~x"):  # of file browsers
        store.bucket.put(store.key(f"whole/{name}"), b"")
    assert latest(store) == "argo-2"
    assert Run(store, "argo-4").begin(PLAN).latest == "argo-2"
    again = all_runs[0].begin(PRINT)  # under another definition: its start and what it reads stay
    assert (again.start, again.latest) == ("19700101T000000.000000Z", None)


def test_a_run_that_began_while_the_clock_was_ahead_is_not_the_latest_forever(store, url, tmp_path):
    data = store.put_dataset(dataset(tmp_path / "out", "a"))
    for name, time in (("argo-2", 4e9), ("argo-1", 2e9), ("argo-3", 2e9)):
        run = Run(store, name)
        run.begin(PLAN)
        os.utime(Path(url, "rag", "runs", name, "run.json"), (time, time))
        give(run, "split", data)
        assert run.finish({"split": [""]}) == []
        assert latest(store) == name
    assert [each.name for each in runs(store.bucket, "rag")] == ["argo-3", "argo-1", "argo-2"]


def test_slices_are_listed(store, tmp_path):
    data = store.put_dataset(dataset(tmp_path / "out", "a"))
    run = Run(store, "argo-1")
    for part in ("1-of-2", "2-of-2", "all"):
        give(run, "split", data, part=part)
    assert run.slices("split").keys() == {"1-of-2", "2-of-2", "all"}
    assert run.handed_over("split", part="2-of-2").part == "2-of-2"


class Killing:
    """A bucket that is killed at its nth request."""

    def __init__(self, bucket, left):
        self.bucket, self.left, self.width = bucket, left, bucket.width

    def __getattr__(self, name):
        found = getattr(self.bucket, name)

        def call(*args, **options):
            self.left -= 1
            if not self.left:
                raise KeyboardInterrupt
            return found(*args, **options)

        return call


def job(store, folder, back):
    run = Run(store, "argo-1")
    run.begin(PLAN)
    entry = store.look_up(PRINT) or record(store, folder)
    store.fetch(entry.datasets[""], back)
    give(run, "split", entry.datasets[""])
    return run.finish({"split": [""]})


def test_a_job_that_is_killed_at_any_request_is_finished_by_the_next(tmp_path):
    folder = dataset(tmp_path / "out", "a")
    requests = 0
    while True:
        requests += 1
        url = str(tmp_path / f"store{requests}")
        store = open_store(url, "rag")
        store.bucket = Killing(store.bucket, requests)
        try:
            job(store, folder, tmp_path / "back")
        except KeyboardInterrupt:
            assert latest(open_store(url, "rag")) is None
        else:
            break
        assert job(open_store(url, "rag"), folder, tmp_path / "back") == []
        assert latest(open_store(url, "rag")) == "argo-1"
    assert requests > 10


def test_pipes_and_links_are_refused(store, tmp_path):
    folder = dataset(tmp_path / "out", "a")
    pipe = folder / "part-00000.json"
    pipe.unlink()
    os.mkfifo(pipe)
    with pytest.raises(DatasetError, match="not a regular file"):
        store.put_dataset(folder)
    with pytest.raises(StoreError, match="not a regular file"):
        store.bucket.put_file("rag/x", pipe, PRINT)


def test_names_of_runs():
    assert run_name("argo", "a-1") == "argo-a-1"
    assert run_name("argo", "a-1", "0123456789abcdef") == "argo-a-1-0123456789ab"
    odd = [run_name("airflow", name) for name in ("x+1:00", "x-1:00", "X-1-00", "x-1-00", "../x", "x#1")]
    assert odd[0].startswith("airflow-x-1-00-")
    assert len(set(odd)) == len(odd)
    assert not set("".join(odd)) - set("abcdefghijklmnopqrstuvwxyz0123456789._-")


@pytest.mark.parametrize(
    ("url", "pipeline", "message"),
    [
        ("s3://user:hunter22@bucket/x", "rag", "the URL of a store contains a user or password"),
        ("ftp://host/x", "rag", "is not the URL of a store"),
        ("file://host/x", "rag", "names a host"),
        ("", "rag", "is not the URL of a store"),
        ("file://", "rag", "does not name a folder"),
        ("file:///tmp/%00x", "rag", "does not name a folder"),
        ("file:///tmp/%2e%2e/x", "rag", "contains //, /./ or /../"),
        ("$HOME/store", "rag", r"begins with \$, which only a shell expands"),
        (".git/store", "rag", "git's own folder"),
        ("s3://bucket/prod/untrusted", "rag", "ends in 'untrusted', where the store above it keeps what"),
        ("store", "untrusted", "cannot be called 'untrusted'"),
        ("store", "../x", "is not the name of a pipeline"),
    ],
)
def test_what_cannot_be_a_store(url, pipeline, message):
    with pytest.raises(StoreSetupError, match=message) as found:
        open_store(url, pipeline)
    assert "hunter22" not in str(found.value)
    assert found.value.exit_code == 2


@pytest.mark.parametrize("inside", ["rag", "rag/runs", "untrusted/rag/objects/x", "link"])
def test_a_store_within_another_one_is_refused(tmp_path, inside):
    for pipeline in ("rag", "untrusted/rag"):
        for name in ("objects", "datasets", "cache", "runs"):
            (tmp_path / "store" / pipeline / name).mkdir(parents=True)
    (tmp_path / "store/link").symlink_to(tmp_path / "store/untrusted")
    with pytest.raises(StoreSetupError, match=r"is inside another store: .*(rag|untrusted)") as found:
        open_store(str(tmp_path / "store" / inside), "rag")
    assert found.value.exit_code == 2
    assert open_store(str(tmp_path / "store"), "rag").bucket.root == tmp_path / "store"


def test_folders_are_listed_without_what_is_below_them(store, tmp_path):
    assert store.bucket.folders("") == []
    record(store, dataset(tmp_path / "out", "a"))
    record(open_store(str(store.bucket.root), "other", cache="read"), tmp_path / "out")
    assert store.bucket.folders("") == ["rag", "untrusted"]
    assert store.bucket.folders("rag/") == ["cache", "datasets", "objects"]
    assert store.bucket.folders("untrusted/") == ["other"]
    assert store.bucket.folders(f"rag/cache/{PRINT}.json/") == []
