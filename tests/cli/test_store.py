"""`wurzel store`, as docs/store.md shows it: ls, get, du, verify, gc and forget, on stores in folders."""

import json
import os
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import click
import pytest

from tests.command import invoke
from tests.store.filled import PLAN, Filling, Killing, age, change, files, fingerprint, slice_of
from tests.store.s3_server import BUCKET, KEYS, failure, serving
from wurzel.cli import cli
from wurzel.cli.store import COMMANDS
from wurzel.datacontract.dataset import open_dataset
from wurzel.exceptions import USAGE, WurzelError
from wurzel.store.records import Entry, HandOver
from wurzel.store.runs import Run
from wurzel.store.store import open_store

STEPS = {"read": ["a"], "split": ["b", "c"]}


@pytest.fixture(autouse=True)
def _outside(tmp_path, monkeypatch):
    monkeypatch.delenv("WURZEL_STORE", raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def url(tmp_path):
    return tmp_path / "store"


@pytest.fixture
def filling(url, tmp_path):
    return Filling(url, tmp_path / "scratch")


@pytest.fixture
def full(filling):
    """A store with a whole run, and a later one that is not."""
    filling.run("argo-1", STEPS)
    filling.run("argo-2", {"read": ["a"]}, whole=False)
    return filling


def run(*arguments, store=None):
    where = [] if store is None else ["--store", str(store)]
    return invoke("store", *map(str, arguments), *where)


def rows(result):
    assert result.exit_code == 0, result.output
    return [line.split() for line in result.stdout.splitlines()[1:]]


def error(*arguments, store=None):
    result = run(*arguments, store=store)
    assert isinstance(result.exception, WurzelError), result.output
    return result.exception


def test_the_short_helps_are_those_of_the_commands():
    group = cli.get_command(click.Context(cli), "store")
    for name, text in COMMANDS.items():
        command = group.get_command(click.Context(group), name)
        assert command.name == name
        assert command.get_short_help_str(200).rstrip(".") == text.rstrip(".")
        assert f"{name} " in run("--help").output
    assert "Did you mean ls?" in run("lss").output


class TestPlace:
    @pytest.mark.parametrize("words", [["ls"], ["du"], ["get", "rag/read", "-o", "out"]])
    def test_what_is_not_a_store(self, words, tmp_path):
        assert "there is no such folder" in str(error(*words, store=tmp_path / "gone"))
        (tmp_path / "file").write_text("x")
        assert "is not a folder" in str(error(*words, store=tmp_path / "file"))
        (tmp_path / "photos" / "2024").mkdir(parents=True)
        found = error(*words, store=tmp_path / "photos")
        assert "is not a store: it has no pipeline, but '2024'" in str(found)
        assert found.exit_code == 2
        assert "no store is given" in str(error(*words))
        assert "the store is none" in str(error(*words, store="none"))

    def test_an_empty_store(self, url):
        url.mkdir()
        assert run("ls", store=url).stderr == "the store is empty\n"
        assert run("du", store=url).stderr == "the store is empty\n"
        assert run("verify", store=url).stderr == "the store is empty\n"
        assert json.loads(run("ls", "--json", store=url).stdout) == []
        assert "the store has no pipeline 'rag'" in str(error("get", "rag/read", "-o", "out", store=url))
        assert "The store is empty." in str(error("get", "read", "-o", "out", store=url))

    def test_by_variable(self, full, url, monkeypatch):
        monkeypatch.setenv("WURZEL_STORE", str(url))
        assert len(rows(run("ls"))) == 2

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
    def test_a_folder_that_may_not_be_read(self, full, url):
        url.chmod(0)
        found = error("ls", store=url)
        url.chmod(0o700)
        assert found.exit_code == 2

    def test_by_configuration(self, project, url):
        project("chain")
        Path("wurzel.yaml").write_text(
            "version: 1\nstore: store\npipelines:\n  rag: {entrypoint: 'chain:pipeline'}\n"
            "environments:\n  other: {store: elsewhere}\n"
        )
        Filling(url, url.parent / "scratch").run("argo-1", STEPS)
        Filling(url, url.parent / "scratch", "other").run("argo-9", STEPS)
        assert [row[0] for row in rows(run("ls"))] == ["argo-1"]
        run("get", "split", "-o", "out")
        assert open_dataset(Path("out")).items == 2
        assert "elsewhere: there is no such folder" in str(error("ls", "-e", "other"))
        assert "mutually exclusive" in str(error("ls", "-e", "other", store=url))
        Path("chain.py").write_text("import a_package_that_this_machine_lacks")
        assert [row[0] for row in rows(run("ls"))] == ["argo-1"]  # who looks into a store needs no code of pipelines
        Path("wurzel.yaml").write_text("version: 1\npipelines:\n  rag: {entrypoint: 'chain:pipeline'}\n")
        assert "wurzel.yaml does not name a store" in str(error("ls"))

    def test_in_a_bucket(self, tmp_path):
        """In processes, since credentials are taken out of the environment for good."""

        def wurzel(*words, code=0, url=f"s3://{BUCKET}/team", **environ):
            place = {"WURZEL_STORE": url, "WURZEL_STORE_ENDPOINT": server.endpoint}
            argv = [sys.executable, "-m", "wurzel", "store", *words]
            done = subprocess.run(
                argv, env=os.environ | KEYS | place | environ, capture_output=True, text=True, check=False
            )
            assert done.returncode == code, done.stderr
            return done.stdout + done.stderr

        with serving() as server:
            assert "the store is empty" in wurzel("ls")
            full = Filling(tmp_path / "unused", tmp_path / "scratch")
            full.store = open_store(f"s3://{BUCKET}/team", "rag", endpoint=server.endpoint, environ=KEYS)
            full.run("argo-1", STEPS)
            assert "latest" in wurzel("ls")
            wurzel("get", "split", "-o", "out")
            assert open_dataset(Path("out")).items == 2
            assert "nothing is wrong" in wurzel("verify")
            assert "nothing to remove" in wurzel("gc", "--keep", "30d")
            assert "bucket" in wurzel("ls", url="s3://gone/x", code=2)
            there = f"{{url: 's3://{BUCKET}/team', endpoint: '{server.endpoint}'}}"
            Path("wurzel.yaml").write_text(f"version: 1\nstore: {there}\npipelines: {{rag: {{entrypoint: 'x:y'}}}}\n")
            assert "latest" in wurzel("ls", WURZEL_STORE_ENDPOINT="")  # the endpoint belongs to the URL
            Path("wurzel.yaml").write_text("version: 1\npipelines: 7\n")
            assert "latest" in wurzel("ls")
            server.fault = lambda request: failure(403, "AccessDenied", "Not yours")
            assert "Not yours" in wurzel("du", code=2)

    def test_shells_complete_steps_and_runs(self, full, url, monkeypatch):
        monkeypatch.setenv("WURZEL_STORE", str(url))

        def completed(*words):
            asked = {"_WURZEL_COMPLETE": "bash_complete", "COMP_WORDS": " ".join(["wurzel", "store", *words])}
            asked["COMP_CWORD"] = str(len(words) + 1)
            argv = [sys.executable, "-c", "from wurzel.cli import main; main()"]
            done = subprocess.run(argv, env=os.environ | asked, capture_output=True, text=True, check=False)
            assert done.stderr == ""
            return [line.removeprefix("plain,") for line in done.stdout.split()]

        assert completed("ve") == ["verify"]
        assert completed("get", "r") == ["rag"]
        assert completed("get", "rag/") == ["rag/read", "rag/split"]
        assert completed("du", "r") == ["rag"]
        assert completed("get", "rag/split", "--run", "") == ["latest", "argo-1", "argo-2"]
        monkeypatch.setenv("WURZEL_STORE", "nowhere")
        assert completed("get", "r") == []


class TestLs:
    def test_runs_the_newest_first(self, full, url):
        found = rows(run("ls", "rag", store=url))
        assert [row[0] for row in found] == ["argo-2", "argo-1"]
        assert found[1][3:] == ["latest"]
        assert " ".join(found[0][3:]) == "not whole: split has not handed over"  # the other run shows that there is one
        found = json.loads(run("ls", "rag", "--json", store=url).stdout)
        assert [(each["run"], each["whole"], each["latest"]) for each in found] == [
            ("argo-2", False, False),
            ("argo-1", True, True),
        ]

    def test_why_a_run_is_not_whole(self, filling, url):
        one = filling.run("argo-1", STEPS, whole=False)
        first = one.handed_over("split")
        one.hand_over(first._replace(inputs={"read/_": "0" * 64}))
        two = filling.run("argo-2", {"split": ["b"]}, whole=False)
        two.hand_over(two.handed_over("split")._replace(inputs={"read/_": "0" * 64}))
        three = filling.run("argo-3", STEPS, whole=False)
        three.begin("e" * 64)
        filling.run("argo-4", STEPS, whole=False)
        change(url / "rag/runs/argo-4/split/_/all.json", "torn")
        filling.run("argo-5", STEPS, whole=False)
        change(url / "rag/runs/argo-5/run.json", "empty")
        filling.run("argo-6", STEPS, whole=False)
        change(url / "rag/runs/argo-6/run.json", "deleted")
        found = {each["run"]: each["reasons"] for each in json.loads(run("ls", "rag", "--json", store=url).stdout)}
        assert found["argo-1"] == ["split was made of what read/_ no longer is"]
        assert found["argo-2"] == ["read has not handed over", "split was made of what read/_ no longer is"]
        assert "read was handed over by another version of the pipeline" in found["argo-3"]
        assert found["argo-4"][0].startswith("split is damaged")
        assert found["argo-5"][0].startswith("run.json is damaged")
        assert found["argo-6"] == ["run.json is missing"]

    def test_runs_of_jobs_that_are_not_trusted(self, full, url, tmp_path):
        Filling(url, tmp_path / "more", cache="read").run("gh-7", STEPS, whole=False)
        found = {row[0]: " ".join(row[3:]) for row in rows(run("ls", store=url))}
        assert found["gh-7"] == "not whole: jobs that are not trusted cannot complete a run"
        assert rows(run("ls", "--run", "gh-7", store=url))[0][-1] == "untrusted"

    def test_names_that_a_terminal_would_obey(self, full, url, tmp_path):
        branch = Filling(url, tmp_path / "more", cache="read")
        bad = "\x1b]0;gone\x07\n\x9b2J"
        branch.entry(f"x{bad}", "a")
        branch.run(f"gh-{bad}", {f"y{bad}": ["a"]}, whole=False)
        (url / f"untrusted/rag/runs/gh-{bad}/odd{bad}").write_text("x")
        for words in (["ls"], ["ls", "--run", f"gh-{bad}"], ["du"], ["verify"], ["ls", "--run", "nope"]):
            result = run(*words, store=url)
            text = f"{result.output}{result.exception}"
            assert not {"\x1b", "\x07", "\x9b"} & set(text), words
        assert "odd\\x1b]0;gone\\x07\\n\\x9b2J: was not written by wurzel" in run("verify", store=url).stdout

    def test_what_a_run_handed_over(self, full, url):
        found = rows(run("ls", "--run", "latest", store=url))
        digest = Run(full.store, "argo-1").handed_over("split").data.digest
        assert found[1][:4] == ["argo-1", "split", digest[:12], "2"]
        assert found == rows(run("ls", "--run", "1", store=url))
        found = json.loads(run("ls", "rag/split", "--run", "argo-1", "--json", store=url).stdout)
        assert [(each["step"], each["digest"], each["items"]) for each in found] == [("split", digest, 2)]
        assert [row[0] for row in rows(run("ls", "rag/read", store=url))] == ["argo-2", "argo-1"]

    def test_columns_of_numbers_end_where_their_heading_does(self, full, url):
        heading, *lines = run("ls", "--run", "latest", store=url).stdout.splitlines()
        end = heading.index("BYTES") + len("BYTES")
        assert [line[:end].split()[-1] for line in lines] == ["bytes", "bytes"]
        assert {len(line.rstrip()) for line in lines} == {end}

    def test_names_that_are_not_there(self, full, url):
        assert "Did you mean rag?" in str(error("ls", "rage", store=url))
        assert "Did you mean split?" in str(error("ls", "rag/splt", store=url))
        assert "the step split has no output 'x'\n  There are no outputs." in str(error("ls", "rag/split.x", store=url))
        assert "'rag/../read' does not name a step" in str(error("ls", "rag/../read", store=url))
        assert "Did you mean argo-" in str(error("ls", "--run", "argo-3", store=url))

    def test_pipelines(self, full, url, tmp_path):
        Filling(url, tmp_path / "more", "other").run("argo-1", STEPS, whole=False)
        assert rows(run("ls", store=url)) == [["other", "1", "none"], ["rag", "2", "argo-1"]]
        for words in (["get", "read", "-o", "out"], ["ls", "--run", "argo-1"], ["ls", "/read"], ["forget", "read"]):
            assert "The store has other, rag." in str(error(*words, store=url))
        Path("wurzel.yaml").write_text("version: 1\npipelines:\n  rag: {entrypoint: 'chain:pipeline'}\n")
        assert [row[0] for row in rows(run("ls", store=url))] == ["argo-2", "argo-1"]

    def test_no_run_yet(self, filling, url):
        filling.entry("read", "a")
        assert run("ls", store=url).stderr == "rag has no runs in the store\n"
        assert "rag has no whole run" in str(error("get", "read", "-o", "out", store=url))


class TestGet:
    def test_a_dataset_as_the_step_wrote_it(self, full, url, tmp_path):
        result = run("get", "rag/split", "-o", "out", store=url)
        assert result.stderr.startswith("wrote rag/split of argo-1 to out: 1 file, ")
        written = tmp_path / "scratch" / "out-b-c"
        assert files("out") == files(written)
        for name in files(written):
            assert Path("out", name).read_bytes() == (written / name).read_bytes()
            assert not Path("out", name).stat().st_mode & 0o111
        run("get", "rag/read", "--run", "argo-2", "-o", "out", store=url)
        assert open_dataset(Path("out")).items == 1

    def test_a_step_with_named_outputs(self, filling, url):
        job = filling.run("argo-1", {}, whole=False)
        for name, text in {"train": "a", "test": "b"}.items():
            job.hand_over(HandOver("argo-1", "cut", name, filling.data(text), PLAN))
        run("get", "rag/cut", "--run", "argo-1", "-o", "out", store=url)
        assert {path.name for path in Path("out").iterdir()} == {"test", "train"}
        run("get", "cut.train", "--run", "argo-1", "-o", "one", store=url)
        assert files("one") == files("out/train")
        assert "Did you mean train?" in str(error("get", "cut.tran", "--run", "argo-1", "-o", "x", store=url))
        run("get", "cut.test", "--run", "argo-1", "-o", "out", store=url)  # a folder of outputs is ours
        assert open_dataset(Path("out")).items == 1

    def test_slices_that_nobody_has_put_together(self, filling, url):
        job = filling.run("argo-1", {}, whole=False)
        for number in (1, 2, 3):  # of an earlier try with more data
            data = filling.data("old", cut=slice_of(number, 3))
            job.hand_over(HandOver("argo-1", "split", "", data, PLAN, part=f"{number}-of-3"))
        age(url, 1)
        (url / "rag/runs/argo-1/split/_/2-of-3.json").unlink()
        for number, text in ((2, "b"), (1, "a")):
            data = filling.data(text, cut=slice_of(number, 2))
            job.hand_over(HandOver("argo-1", "split", "", data, PLAN, part=f"{number}-of-2"))
            if number == 2:
                missing = "split is incomplete in the run argo-1: of 2 slices, these are missing: 1"
                assert missing in str(error("get", "split", "--run", "argo-1", "-o", "out", store=url))
                data = filling.data("old", cut=slice_of(2, 3))
                job.hand_over(HandOver("argo-1", "split", "", data, PLAN, part="2-of-3"))
                age(url, 1, "rag/runs/*/split/_/2-of-3.json")
        run("get", "split", "--run", "argo-1", "-o", "out", store=url)
        whole = filling.data("a", "b")
        assert open_dataset(Path("out")).digest == whole.digest
        assert files("out") == ["manifest.json", "part-00000.json"]
        said = [row[1:3] for row in rows(run("ls", "rag/split", store=url))]
        assert said == [["split", f"{number}-of-{of}"] for number, of in ((1, 2), (1, 3), (2, 2), (2, 3), (3, 3))]
        job.hand_over(job.handed_over("split", part="1-of-2")._replace(fingerprint="0" * 64))
        found = error("get", "split", "--run", "argo-1", "-o", "out", store=url)
        assert "split has slices of different inputs or settings in the run argo-1" in str(found)

    def test_nothing_else_is_replaced(self, full, url, tmp_path):
        said = {
            "foreign/notes.txt": "is a file",
            url / "rag" / "new": "is inside the store",
            ".git/x": "git's own folder",
        }
        for name, inside in {"foreign": "notes.txt", "hidden": ".git"}.items():
            (tmp_path / name).mkdir()
            (tmp_path / name / inside).write_text("mine")
            said[name] = f"contains '{inside}'"
        for name, message in said.items():
            found = error("get", "rag/read", "-o", name, store=url)
            assert message in str(found)
            assert found.exit_code == USAGE
        assert (tmp_path / "foreign" / "notes.txt").read_text() == (tmp_path / "hidden" / ".git").read_text() == "mine"

    def test_an_executable_file_stays_one(self, full, url, tmp_path):
        folder = tmp_path / "scratch" / "files"
        (folder / "00000").mkdir(parents=True)
        (folder / "00000" / "tool.sh").write_text("#!/bin/sh\n")
        (folder / "00000" / "plain.txt").write_text("x")
        (folder / "manifest.json").write_text(manifest(folder, executable={"00000/tool.sh"}))
        data = full.store.put_dataset(folder)
        Run(full.store, "argo-2").hand_over(HandOver("argo-2", "make", "", data, PLAN))
        run("get", "make", "--run", "argo-2", "-o", "out", store=url)
        assert Path("out/00000/tool.sh").stat().st_mode & 0o100
        assert not Path("out/00000/plain.txt").stat().st_mode & 0o111

    @pytest.mark.parametrize("how", ["torn", "flipped", "empty", "deleted"])
    def test_what_is_damaged_is_not_written(self, full, url, how):
        run("get", "rag/split", "-o", "out", store=url)
        before = Path("out", "part-00000.json").read_bytes()
        part = open_dataset(Path("out")).parts[0]
        change(url / f"rag/objects/{part.sha256[:2]}/{part.sha256}", how)
        found = error("get", "rag/split", "-o", "out", store=url)
        assert "part-00000.json is damaged or missing in the store" in str(found)
        assert found.exit_code == 1
        assert Path("out", "part-00000.json").read_bytes() == before

    def test_killed_at_any_request(self, full, url, monkeypatch):
        opened = full.store.bucket
        for request in range(1, 100):
            monkeypatch.setattr("wurzel.store.store.open_bucket", lambda *_, left=request, **__: Killing(opened, left))
            if run("get", "split", "-o", "out", store=url).exit_code == 0:
                break
            assert {path.name for path in Path().iterdir()} == {"scratch", "store"}
        assert request > 5
        assert open_dataset(Path("out")).items == 2


def manifest(folder, executable):
    """The manifest of a dataset of one folder of files."""
    parts = [
        {"file": name, "items": 0, "bytes": (folder / name).stat().st_size, "sha256": digest_of(folder / name)}
        | ({"executable": True} if name in executable else {})
        for name in files(folder)
        if name != "manifest.json"
    ]
    return json.dumps({"format": 2, "contract": "x:Files", "containers": [], "items": 1, "parts": parts})


def digest_of(path):
    return sha256(path.read_bytes()).hexdigest()


class TestDu:
    def test_what_is_shared_counts_once(self, filling, url, tmp_path):
        filling.run("argo-1", {"read": ["a"], "copy": ["a"], "split": ["b", "c"]})
        filling.data("nobody names it")
        [found] = json.loads(run("du", "--json", store=url).stdout)
        sizes = {path.name: path.stat().st_size for path in (url / "rag/objects").rglob("*") if path.is_file()}
        split = open_dataset(tmp_path / "scratch" / "out-b-c").size
        shared = open_dataset(tmp_path / "scratch" / "out-a").size
        assert found["steps"] == {"split": split}
        assert found["shared"] == shared
        assert found["unreferenced"] == sum(sizes.values()) - split - shared
        assert found["total"] == sum((url / name).stat().st_size for name in files(url))
        assert found["runs"] == 1
        text = run("du", "rag", store=url).stdout
        assert "(shared by several steps)" in text
        assert text.splitlines()[-1].split()[0] == "total"

    def test_jobs_that_are_not_trusted_are_apart(self, full, url, tmp_path):
        Filling(url, tmp_path / "more", cache="read").run("gh-7", STEPS, whole=False)
        found = json.loads(run("du", "--json", store=url).stdout)
        assert [each["trusted"] for each in found] == [True, False]
        assert found[0]["steps"] == found[1]["steps"]
        assert "Did you mean rag?" in str(error("du", "rags", store=url))


class TestGc:
    def test_what_was_removed(self, full, url, tmp_path):
        full.entry("read", "old")
        Filling(url, tmp_path / "more", "other", cache="read").run("gh-7", STEPS, whole=False)
        age(url, 31)
        before = files(url)
        said = run("gc", "--keep", "30d", "--dry-run", store=url).stdout
        assert files(url) == before
        done = run("gc", "--keep", "30d", store=url).stdout
        assert said == done.replace("removed", "would remove")
        assert done.splitlines()[1].startswith("rag: removed 1 run, 1 entry of the cache, 0 files (")
        assert done.splitlines()[0].startswith("other (untrusted): removed 1 run, 2 entries of the cache, 0 files (")
        assert [row[0] for row in rows(run("ls", "rag", store=url))] == ["argo-1"]
        [found] = json.loads(run("gc", "rag", "--keep", "30d", "--json", store=url).stdout)
        assert (found["runs"], found["files"], found["condemned"]) == ([], 0, 2)

    def test_what_is_refused(self, full, url):
        assert "less than 24 hours" in str(error("gc", "--keep", "23h", store=url))
        assert "less than 24 hours" in str(error("gc", "--keep", "30", store=url))
        assert "is not a duration; write seconds or a text such as" in run("gc", "--keep", "a month", store=url).stderr
        assert run("gc", store=url).exit_code == 2
        assert "Did you mean rag?" in str(error("gc", "rags", "--keep", "30d", store=url))
        assert run("gc", "--keep", "30d", store=url).stderr == "nothing to remove\n"

    def test_an_empty_store(self, url):
        url.mkdir()
        assert run("gc", "--keep", "30d", store=url).stderr == "nothing to remove\n"
        assert files(url) == []


class TestVerify:
    def test_nothing_wrong(self, full, url):
        result = run("verify", store=url)
        assert result.exit_code == 0
        assert result.stdout == ""
        assert result.stderr.startswith("rag: read 4 files (")
        assert result.stderr.endswith("5 records; nothing is wrong\n")

    def test_what_is_wrong_and_what_leads_to_it(self, full, url):
        digest = full.store.look_up(fingerprint("read-a")).datasets[""].manifest.parts[0].sha256
        key = f"rag/objects/{digest[:2]}/{digest}"
        change(url / key, "flipped")
        (url / "rag/objects/README").write_text("mine")
        result = run("verify", "rag", store=url)
        assert result.exit_code == 3
        assert result.stdout.splitlines() == [
            "rag/objects/README: was not written by wurzel",
            f"{key}: is damaged: its digest is not its name",
            f"  named by rag/cache/{fingerprint('read-a')}.json",
            "  named by rag/runs/argo-1/read/_/all.json",
            "  named by rag/runs/argo-2/read/_/all.json",
        ]
        found = json.loads(run("verify", "--json", "--fix", store=url).stdout)
        assert [each["fixed"] for each in found] == [False, True]
        result = run("verify", "--fix", store=url)
        assert result.exit_code == 3
        assert result.stdout == "rag/objects/README: was not written by wurzel (left as it is)\n"
        (url / "rag/objects/README").unlink()
        assert run("verify", store=url).exit_code == 0

    def test_what_was_fixed_is_not_wrong_any_more(self, full, url):
        change(url / "rag/runs/argo-1/read/_/all.json", "torn")
        result = run("verify", "--fix", store=url)
        assert result.exit_code == 0
        assert result.stdout.endswith("(fixed)\n")
        assert "Did you mean rag?" in str(error("verify", "rags", store=url))

    def test_an_empty_store(self, url):
        url.mkdir()
        assert run("verify", store=url).exit_code == 0


class TestForget:
    def test_a_step_is_computed_again(self, full, url):
        full.entry("read", "other")
        assert run("forget", "rag/read", store=url).stderr == "removed 2 entries of rag/read\n"
        assert full.store.look_up(fingerprint("read-a")) is None
        assert full.store.look_up(fingerprint("split-b-c")) is not None
        assert run("forget", "read", store=url).stderr == "removed 0 entries of rag/read\n"  # runs have it
        assert run("ls", "--run", "latest", store=url).exit_code == 0

    def test_all_steps(self, full, url, tmp_path):
        Filling(url, tmp_path / "more", cache="read").entry("read", "x")
        assert run("forget", "rag", "--all", store=url).stderr == "removed 3 entries of rag\n"
        assert not [name for name in files(url) if "/cache/" in name]

    def test_slices(self, filling, url):
        data = filling.data("a", cut=slice_of(1, 2))
        filling.store.record(Entry(fingerprint("x"), "split 1/2", {"": data}, {}))
        assert run("forget", "split", store=url).stderr == "removed 1 entry of rag/split\n"

    def test_names_that_are_not_there(self, full, url):
        assert "Did you mean read?" in str(error("forget", "rag/raed", store=url))
        assert "Did you mean rag?" in str(error("forget", "rags/read", store=url))
        assert "no step is given" in str(error("forget", store=url))
        assert "PIPELINE --all" in str(error("forget", "rag/", store=url))
        assert "Write rag/STEP, or rag --all" in str(error("forget", "rag", store=url))
        assert "--all takes a pipeline, not a step" in str(error("forget", "rag/read", "--all", store=url))
        assert "Leave out .train" in str(error("forget", "rag/read.train", store=url))
        assert len([name for name in files(url) if "/cache/" in name]) == 2


def test_what_wurzel_run_has_stored(project, url, monkeypatch):
    """The commands of the page on the store, on a store that real runs have written."""
    project("chain")
    monkeypatch.setenv("WURZEL_STORE", str(url))

    def wurzel(*words, code=0, **environ):
        argv = [sys.executable, "-m", "wurzel", *words]
        done = subprocess.run(argv, env=os.environ | environ, capture_output=True, text=True, check=False)
        assert done.returncode == code, done.stderr
        return done.stdout + done.stderr

    wurzel("run", "chain:pipeline", WURZEL_RUN_ID="1")
    steps = {each["step"]: each for each in json.loads(wurzel("store", "ls", "--run", "latest", "--json"))}
    assert len(steps) > 1
    for step, about in steps.items():
        wurzel("store", "get", step, "-o", f"got/{step}")
        assert open_dataset(Path("got", step)).digest == about["digest"] == open_dataset(Path("data", step)).digest
    assert set(json.loads(wurzel("store", "du", "--json"))[0]["steps"]) == set(steps)
    assert "nothing is wrong" in wurzel("store", "verify")
    first, *rest = steps
    assert f"{len(steps)} unchanged" in wurzel("run", "chain:pipeline", WURZEL_RUN_ID="2")
    assert "removed 1 entry" in wurzel("store", "forget", first)
    assert f"1 ran, {len(rest)} unchanged" in wurzel("run", "chain:pipeline", WURZEL_RUN_ID="3")
    age(url, 31)
    assert "removed 2 runs, 0 entries" in wurzel("store", "gc", "--keep", "30d")
    assert f"{len(steps)} unchanged" in wurzel("run", "chain:pipeline", WURZEL_RUN_ID="4")
    assert "nothing is wrong" in wurzel("store", "verify")
