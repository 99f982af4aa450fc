"""Results are handed over from the local cache: what was computed once here is not run again."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.command import program
from wurzel.datacontract.dataset import open_dataset
from wurzel.runtime import cache as caching
from wurzel.runtime.cache import Cache

FLOW = """
import os, signal, time
from pathlib import Path
from wurzel import WZ, File, Folder, NoSettings, Outputs, PydanticModel, Settings, TypedStep

class Word(PydanticModel):
    text: str

class Opts(Settings):
    TEXT: str = "a"
    COUNT: int = 4

def note(text):
    with open("calls.txt", "a") as file:
        file.write(text + "\\n")

class Words(TypedStep[Opts, None, list[Word]]):
    def run(self, inpt: None) -> list[Word]:
        note("words")
        if Path("edit-code").exists():
            Path("flow.py").write_text(Path("flow.py").read_text() + "# edited")
        return [Word(text=f"{self.settings.TEXT}{number}") for number in range(self.settings.COUNT)]
    def finalize(self):
        note("finalize")
        if Path("fail-finalize").exists():
            raise ValueError("fail")

class Cut(TypedStep[NoSettings, list[Word], list[Word]]):
    shards = {"items": 1, "max": 4}
    def run(self, inpt: list[Word]) -> list[Word]:
        if Path(f"fail-{inpt[0].text}").exists():
            raise ValueError("fail")
        if Path(f"kill-{inpt[0].text}").exists():
            os.kill(int(Path("run.pid").read_text()), signal.SIGKILL)
            time.sleep(60)
        note(inpt[0].text)
        return [Word(text=inpt[0].text.upper())]

class Halves(Outputs):
    first: list[Word]
    rest: list[Word]

class Split(TypedStep[NoSettings, list[Word], Halves]):
    def run(self, inpt: list[Word]) -> Halves:
        return Halves(first=inpt[:1], rest=inpt[1:])

class Site(Folder):
    pass

class Write(TypedStep[NoSettings, list[Word], Site]):
    def run(self, inpt: list[Word]) -> Site:
        (self.workdir / "site" / "empty").mkdir(parents=True)
        (self.workdir / "site" / "run.sh").write_text(inpt[0].text)
        (self.workdir / "site" / "run.sh").chmod(0o755)
        return Site(self.workdir / "site")

class Outside(TypedStep[NoSettings, list[Word], list[Word]]):
    cache = False
    def run(self, inpt: list[Word]) -> list[Word]:
        note("outside")
        return inpt

words = WZ(Words)
chain = [words >> WZ(Cut), words >> WZ(Split), words >> WZ(Write), words >> WZ(Outside)]
"""
A, B = ("--set", "steps.words.settings.TEXT=a"), ("--set", "steps.words.settings.TEXT=b")


@pytest.fixture
def flow(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("flow.py").write_text(FLOW)
    return tmp_path


def wurzel(*arguments, code=0):
    done = program("run", "flow:chain", *arguments, code=code)
    return done.stderr


def calls():
    """What has called since the last time."""
    found = Path("calls.txt").read_text().split() if Path("calls.txt").exists() else []
    Path("calls.txt").unlink(missing_ok=True)
    return sorted(found)


def contents(folder="data"):
    """Bytes and executable bit of all files, and the folders."""
    paths = [path for path in sorted(Path(folder).rglob("*")) if not path.name.startswith(".")]
    return {str(path): (path.is_file() and path.read_bytes(), path.stat().st_mode & 0o111) for path in paths}


@pytest.fixture(scope="module")
def earlier(tmp_path_factory):
    """Two projects as runs have left them: one after A, one after A and B. Each run starts eight processes."""
    top = tmp_path_factory.mktemp("earlier")
    (top / "a").mkdir()
    (top / "a/flow.py").write_text(FLOW)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(top / "a")
        wurzel(*A)
        calls()
        first = contents()
        shutil.copytree(top / "a", top / "b")
        patch.chdir(top / "b")
        wurzel(*B)
        calls()
    return top, first


@pytest.fixture
def first(earlier):
    """What a run with A writes."""
    return earlier[1]


@pytest.fixture
def after_a(flow, earlier):
    shutil.copytree(earlier[0] / "a", flow, dirs_exist_ok=True)


@pytest.fixture
def after_b(flow, earlier):
    shutil.copytree(earlier[0] / "b", flow, dirs_exist_ok=True)


def objects():
    return [path for path in Path(".wurzel/chain/objects").rglob("*") if path.is_file()]


def test_a_setting_that_is_set_back_runs_nothing_and_gives_the_same_bytes(flow):
    wurzel(*A)
    first = contents()
    assert calls() == ["a0", "a1", "a2", "a3", "finalize", "outside", "words"]
    wurzel(*B)
    second = contents()
    assert calls() == ["b0", "b1", "b2", "b3", "finalize", "outside", "words"]
    for options, expected in ((A, first), (B, second), (A, first)):
        said = wurzel(*options)
        for step in ("words", "cut", "split", "write"):
            assert f"{step}: unchanged (from the cache)\n" in said
        assert "4 unchanged" in said
        assert contents() == expected
        assert calls() == ["outside"]  # `finalize` was not called
    assert "words: unchanged\n" in wurzel(*A)


def test_a_report_of_an_earlier_run_says_so(after_a):
    path = Path(".wurzel/chain/reports/cut.json")
    report = json.loads(path.read_text())
    assert (report["items_in"], report["items_out"], "cached" in report) == (4, 4, False)
    wurzel(*A)
    assert json.loads(path.read_text()) == {**report, "cached": True}
    wurzel(*B)
    assert "cached" not in json.loads(path.read_text())
    wurzel(*A)
    assert json.loads(path.read_text()) == {**report, "cached": True}


def test_a_step_whose_finalize_has_failed_is_no_hit(after_a):
    first = contents("data/words")
    Path("fail-finalize").touch()
    wurzel(*B, code=1)
    Path("fail-finalize").unlink()
    calls()
    wurzel(*B)
    assert calls().count("finalize") == 1
    wurzel(*A)
    assert (contents("data/words"), "words" in calls()) == (first, False)


def test_force_runs_all_and_replaces_the_entries(after_a):
    wurzel(*A, "--force")
    assert calls() == ["a0", "a1", "a2", "a3", "finalize", "outside", "words"]
    wurzel(*A)
    assert calls() == ["outside"]


def test_a_first_run_copies_nothing_and_what_is_replaced_is_no_hard_link(after_a):
    assert objects() == []
    wurzel(*B)
    assert objects() != []
    wurzel(*A)
    assert {path.stat().st_nlink for path in [*objects(), *Path("data").rglob("part-*")]} == {1}


def test_the_same_data_is_not_kept_twice(after_a):
    Path("flow.py").write_text(FLOW + "# a comment")
    wurzel(*A)
    assert "words" in calls()
    assert objects() == []


def test_files_that_two_results_have_in_common_are_found_in_the_data_folder(flow):
    text = FLOW.replace(
        '(self.workdir / "site" / "run.sh").chmod',
        """(self.workdir / "site" / "none").touch()
        (self.workdir / "site" / "common").write_text("common")
        (self.workdir / "site" / "run.sh").chmod""",
    )
    Path("flow.py").write_text(text.replace("chain = [", "chain = words >> WZ(Write)\nunused = ["))
    wurzel(*A)
    first = contents()
    wurzel(*B)
    second = contents()
    for options, expected in ((A, first), (B, second)):
        assert "write: unchanged (from the cache)\n" in wurzel(*options)
        assert contents() == expected
    Path("data/write/00000/site/common").write_text("edited")
    assert "write: started" in wurzel(*A)
    assert contents() == first
    wurzel(*B)
    Path("data/write/00000/site/none").unlink()
    os.mkfifo("data/write/00000/site/none")
    wurzel(*A)  # reading it would wait forever
    assert contents() == first


@pytest.mark.parametrize("damage", ["flipped", "emptied", "deleted", "swapped"])
def test_a_damaged_object_is_never_a_result_and_the_next_run_heals(after_b, first, damage):
    paths = sorted(path for path in objects() if path.stat().st_size > 2)
    texts = [path.read_bytes() for path in paths]
    for path, text, other in zip(paths, texts, [*texts[1:], texts[0]], strict=True):
        if damage == "deleted":
            path.unlink()
        else:
            path.write_bytes({"flipped": text[:-1] + b"?", "emptied": b"", "swapped": other}[damage])
    wurzel(*A)
    assert contents() == first
    assert "words" in calls()
    wurzel(*B)
    wurzel(*A)
    assert contents() == first
    assert "words" not in calls()


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b"{}", b'{"fingerprint": 1}', b"\xff", None])
def test_a_damaged_entry_is_no_entry(after_b, first, text):
    entries = sorted(Path(".wurzel/chain/cache").iterdir())
    texts = [path.read_bytes() for path in entries]
    for path, other in zip(entries, [*texts[1:], texts[0]], strict=True):
        path.write_bytes(other if text is None else text)  # swapped
    calls()
    wurzel(*A)
    assert (contents(), "words" in calls()) == (first, True)


@pytest.mark.parametrize("name", ["../../evil", "..", ".", "a/b"])
def test_an_entry_writes_nothing_outside_the_folder_of_its_step(after_b, flow, first, name):
    for path in Path(".wurzel/chain/cache").iterdir():
        entry = json.loads(path.read_text())
        path.write_text(json.dumps(entry | {"datasets": {name: next(iter(entry["datasets"].values()))}}))
    calls()
    wurzel(*A)
    assert (contents(), "words" in calls()) == (first, True)
    assert not [*flow.rglob("evil")]


def test_data_that_someone_has_changed_never_comes_back(after_a, first):
    path = Path("data/words/part-00000.json")
    path.write_bytes(path.read_bytes().replace(b"a0", b"x0"))
    wurzel(*B)
    wurzel(*A)
    assert contents() == first


def test_a_result_is_not_kept_if_the_code_changes_while_it_is_made(after_a):
    Path("edit-code").touch()
    said = wurzel(*B, "--only", "words")
    assert "words: its code changed while it ran, so it runs again the next time" in said
    Path("edit-code").unlink()
    Path("flow.py").write_text(FLOW)  # as it was when the step began
    calls()
    wurzel(*B, "--only", "words")
    assert calls() == ["finalize", "words"]


def test_a_failed_slice_alone_is_run_again(after_a):
    whole = contents("data/cut")
    shutil.rmtree("data")
    shutil.rmtree(".wurzel")
    Path("fail-a2").touch()
    wurzel(*A, "-j", "4", code=1)
    assert not [path.name for path in Path("data").iterdir() if path.name.startswith(".")]
    Path("fail-a2").unlink()
    ran = [call for call in calls() if call in {"a0", "a1", "a3"}]
    wurzel(*A, "-j", "1")
    again = [call for call in calls() if call in {"a0", "a1", "a2", "a3"}]
    assert "a2" in again
    assert len(again) < 4 or len(ran) == 4
    assert contents("data/cut") == whole
    assert json.loads(Path(".wurzel/chain/reports/cut.json").read_text())["items_in"] == 4


def test_a_slice_that_is_run_alone_is_found_again(after_b):
    cut = ("--only", "cut", "--shard", "1/2")
    wurzel(*B, *cut)
    before = contents("data/cut")
    wurzel(*A, "--only", "words")
    wurzel(*A, *cut)
    assert calls() == ["a0", "a1", "b0", "b1"]
    wurzel(*B, "--only", "words")
    assert "cut: unchanged (slice 1 of 2)" in wurzel(*B, *cut)
    assert (calls(), contents("data/cut")) == ([], before)


def test_slices_of_a_killed_run_are_not_run_again(flow):
    wurzel(*A, "-j", "1")
    whole = contents("data/cut")
    shutil.rmtree("data")
    shutil.rmtree(".wurzel")
    calls()
    Path("kill-a2").touch()
    command = [sys.executable, "-m", "wurzel", "run", "flow:chain", *A, "-j", "1", "--only", "words,cut"]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    Path("run.pid").write_text(str(process.pid))
    assert process.wait(60) == -signal.SIGKILL
    assert calls() == ["a0", "a1", "finalize", "words"]
    Path("kill-a2").unlink()
    wurzel(*A, "-j", "1")
    assert calls() == ["a2", "a3", "outside"]
    assert contents("data/cut") == whole
    assert not list(Path("data").glob(".cut*"))


def test_other_data_never_gets_slices_of_an_earlier_run(flow):
    Path("fail-a2").touch()
    wurzel(*A, code=1)
    wurzel(*B)
    assert [item["text"] for part in open_dataset(Path("data/cut")).parts for item in json.loads(part.read())] == [
        "B0",
        "B1",
        "B2",
        "B3",
    ]


def test_a_run_killed_at_any_time_is_followed_by_the_right_bytes(after_b, first):
    begun = time.monotonic()
    wurzel(*A)
    longest = time.monotonic() - begun
    for number in range(12):
        options = (A, B)[number % 2]
        process = subprocess.Popen(
            [sys.executable, "-m", "wurzel", "run", "flow:chain", *options, *(["--force"] if number % 3 == 2 else [])],
            stderr=subprocess.DEVNULL,
        )
        time.sleep(longest * (0.3 + 0.06 * number))
        process.kill()
        process.wait()
    wurzel(*A)
    assert contents() == first
    assert not list(Path(".wurzel/chain/retired").iterdir())


def test_a_folder_that_holds_something_else_is_left_alone_on_a_hit_too(after_b):
    shutil.rmtree("data/words")
    Path("data/words").mkdir()
    Path("data/words/mine.txt").write_text("mine")
    assert "contains 'mine.txt'" in wurzel(*A, code=2)
    assert Path("data/words/mine.txt").read_text() == "mine"


def test_what_a_link_in_the_state_folder_leads_to_stays(flow):
    Path("flow.py").write_text(PAIR)
    wurzel(*A)
    shutil.copytree("data/words", "mine")
    before = contents("mine")
    Path(".wurzel/chain/retired").mkdir(exist_ok=True)
    Path(".wurzel/chain/retired/words").symlink_to(Path("mine").absolute())
    wurzel(*B)
    assert contents("mine") == before


def test_a_file_where_replaced_results_go_is_named(flow):
    Path("flow.py").write_text(PAIR)
    wurzel(*A)
    shutil.rmtree(".wurzel/chain/retired", ignore_errors=True)
    Path(".wurzel/chain/retired").touch()
    said = wurzel(*B, code=1)
    assert "chain/retired" in said
    assert "Traceback" not in said


def test_old_results_are_pruned_but_never_those_of_the_data_folder(flow, monkeypatch):
    for text in "abc":
        wurzel("--set", f"steps.words.settings.TEXT={text}")
        os.sync()
    cache = Cache(Path(".wurzel/chain"))
    monkeypatch.setattr(caching, "_MOST_ENTRIES", 2)
    cache.forget("none")
    cache.prune(["words", "cut", "split", "write"])
    entries = [json.loads(path.read_text()) for path in Path(".wurzel/chain/cache").iterdir()]
    assert sorted(entry["step"] for entry in entries) == sorted(["words", "cut", "split", "write"] * 2)
    calls()
    wurzel("--set", "steps.words.settings.TEXT=c")
    wurzel("--set", "steps.words.settings.TEXT=b")
    assert calls() == ["outside", "outside"]
    monkeypatch.setattr(caching, "_LEAST_BYTES", 0)
    cache.prune([])
    assert objects() == []


def test_objects_are_for_their_owner_alone(after_b):
    assert {path.stat().st_mode & 0o777 for path in objects()} == {0o600}


KILLER = """
import json, os, signal, sys

folders = (os.sep + ".wurzel" + os.sep, os.sep + "data" + os.sep)

def kill_at(number):
    seen = 0
    def hook(event, arguments):
        nonlocal seen
        if event in {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.chmod", "shutil.copyfile"}:
            writes = True
        elif event == "open":
            writes = isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)
        else:
            return
        if writes and any(folder in os.path.join(os.getcwd(), str(arguments[0])) for folder in folders):
            seen += 1
            if seen == number:
                os.kill(os.getpid(), signal.SIGKILL)
    sys.addaudithook(hook)

import flow
import wurzel.cli.run, wurzel.runtime.pipeline
from wurzel.cli import main

for line in sys.stdin:
    number, arguments = json.loads(line)
    child = os.fork()
    if not child:
        if number:
            kill_at(number)
        main(arguments)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""
"""Runs one command after another, each in a fork: it is killed at its change number N of a file or folder."""
PAIR = FLOW.replace("chain = [", "chain = words >> WZ(Write)\nunused = [")
ONE = (
    FLOW
    + """
class Words(TypedStep[Opts, None, Site]):
    def run(self, inpt: None) -> Site:
        return Write.run(self, [Word(text=self.settings.TEXT)])

chain = WZ(Words)
"""
)


@pytest.fixture
def killer(flow):
    """Runs the pipeline with options, and kills the runner at its change number N (0: never); gives the exit code."""
    Path("killer.py").write_text(KILLER)
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True}
    with subprocess.Popen([sys.executable, "killer.py"], **pipes) as process:

        def run(number, *options):
            print(json.dumps([number, ["run", "flow:chain", *options]]), file=process.stdin, flush=True)
            return int(process.stdout.readline())

        yield run


@pytest.mark.parametrize("options", [B, A, ("--force", *A)], ids=["run", "hit", "forced"])
def test_a_run_killed_at_each_of_its_changes_is_followed_by_the_right_bytes(flow, request, tmp_path_factory, options):
    Path("flow.py").write_text(ONE)
    killer = request.getfixturevalue("killer")  # imports the pipeline once
    wurzel(*A)
    first = contents()
    wurzel(*B)
    second = contents()
    start = tmp_path_factory.mktemp("start")
    for name in ("data", ".wurzel"):
        shutil.copytree(name, start / name)
    number = 0
    killed = True
    while killed:
        number += 1
        for name in ("data", ".wurzel"):
            shutil.rmtree(name)
            shutil.copytree(start / name, name)
        if options is B:  # a first run
            shutil.rmtree("data")
            shutil.rmtree(".wurzel")
        code = killer(number, *options)
        assert code in {0, -signal.SIGKILL}
        killed = code != 0
        chosen, expected = (B, second) if options is B or number % 2 else (A, first)
        assert killer(0, *chosen) == 0
        assert contents() == expected, number
    assert number > 5
