"""Runs with a store that meet: several at once, jobs that are retried, damaged objects, jobs that are killed."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.runtime.clones import HEAD, PAIR, A, B
from wurzel.store.runs import Run, latest

RANDOM = (
    HEAD
    + """
class Random(TypedStep[NoSettings, None, list[Word]]):
    def run(self, inpt: None) -> list[Word]:
        note("random")
        while Path("".join(["wa", "it"])).exists():  # not an input: its name is not in the code
            time.sleep(0.02)
        return [Word(text=os.urandom(8).hex())]

chain = WZ(Random) >> WZ(Upper)
"""
)
CLOCK = (
    HEAD
    + """
class Clock(TypedStep[NoSettings, None, list[Word]]):
    cache = False
    def run(self, inpt: None) -> list[Word]:
        return [Word(text=Path("time").read_text())]

chain = WZ(Clock) >> WZ(Upper)
"""
)
GROWING = (
    HEAD
    + """
class Grow(SelfConsumingLeafStep[NoSettings, list[Word]]):
    def run(self, inpt: list[Word] | None) -> list[Word]:
        return [*(inpt or []), Word(text=Path("new").read_text())]

chain = WZ(Grow) >> WZ(Upper)
"""
)
SLICED = (
    HEAD
    + """
class Words(TypedStep[Opts, None, list[Word]]):
    def run(self, inpt: None) -> list[Word]:
        return [Word(text=f"{self.settings.TEXT}{number}") for number in range(8)]

class Cut(TypedStep[NoSettings, list[Word], list[Word]]):
    shards = {"items": 1, "max": 8}
    def run(self, inpt: list[Word]) -> list[Word]:
        note(inpt[0].text)
        if Path(f"fail-{inpt[0].text}").exists():
            raise StepFailed("fail")
        return [Word(text=inpt[0].text.upper())]

chain = WZ(Words) >> WZ(Cut) >> WZ(Upper)
"""
)


def test_two_runs_at_once_agree(clone):
    one, other = clone("one", RANDOM), clone("other", RANDOM)
    for place in (one, other):
        (place.folder / "wait").touch()
    runs = [place.start(run=name) for place, name in ((one, "u1"), (other, "u2"))]
    try:
        while not all((place.folder / "calls.txt").exists() for place in (one, other)):
            assert [run.poll() for run in runs] == [None, None]
        for place in (one, other):
            (place.folder / "wait").unlink()
        said = [run.communicate(timeout=60)[0] for run in runs]
    finally:
        for run in runs:
            run.kill()
    assert [run.returncode for run in runs] == [0, 0], said
    assert one.contents() == other.contents()  # who was late has the winner's data, also in its own folder
    assert one.texts("random")[0].upper() == one.texts("upper")[0]
    given = [one.handed_over(name, "random") for name in ("u1", "u2")]
    assert sorted(one.superseded for one in given) == [False, True]
    reports = [place.report("random") for place in (one, other)]
    assert sorted("superseded" in report for report in reports) == [False, True]
    assert all("is whole" in text for text in said)


def test_a_retry_of_what_is_never_cached_makes_its_run_not_whole(clone):
    one = clone(text=CLOCK)
    (one.folder / "time").write_text("1")
    one("--only", "clock", run="u1")
    assert "the run run-u1 is whole" in one("--only", "upper", run="u1")
    assert "whole" not in one("--only", "clock", run="u1")
    assert latest(one.opened()) == "run-u1"
    (one.folder / "time").write_text("2")
    assert "the run run-u1 is no longer whole: clock gave other data" in one("--only", "clock", run="u1")
    assert latest(one.opened()) is None
    (one.folder / "time").write_text("1")
    one("--only", "clock", run="u2")
    one("--only", "upper", run="u2")
    (one.folder / "time").write_text("2")
    one("--only", "clock", run="u3")
    one("--only", "upper", run="u3")
    (one.folder / "time").write_text("3")
    one("--only", "clock", run="u3")
    reasons = Run(one.opened(), "run-u3").finish({"clock": [""], "upper": [""]})
    assert reasons == ["upper was made of what clock/_ no longer is"]


def test_the_latest_run_is_the_one_that_began_last_whichever_ends_last(clone):
    one = clone(text=CLOCK)
    for number in range(4):
        (one.folder / "time").write_text(str(number))
        one("--only", "clock", run=f"u{number}")
    for number in (1, 3, 2, 0):
        one("--only", "upper", run=f"u{number}")
    assert latest(one.opened()) == "run-u3"


def test_a_step_that_reads_its_last_output_takes_that_of_the_run_before_also_when_it_is_retried(clone):
    one = clone(text=GROWING)

    def job(run, new, step="grow"):
        one.clean()
        (one.folder / "new").write_text(new)
        one("--only", step, run=run)
        return one.texts(step)

    assert job("u1", "a") == ["a"]
    job("u1", "", "upper")
    assert job("u2", "b") == ["a", "b"]
    assert job("u3", "c") == ["a", "c"]  # u2 is not whole
    job("u2", "", "upper")
    assert job("u3", "d") == ["a", "d"]  # a retry, after the latest run has moved on
    assert job("u4", "e") == ["a", "b", "e"]
    (one.folder / "new").write_text("f")
    one("--only", "grow", run="u4")  # what an earlier try has left in the data folder does not count
    assert one.texts("grow") == ["a", "b", "f"]
    (one.folder / "new").write_text("pr")
    one("--only", "grow", run="pr", WURZEL_STORE_CACHE="read")
    assert one.texts("grow") == ["a", "b", "pr"]  # a job that is not trusted reads the latest run of those that are


def test_a_step_whose_last_output_was_removed_does_not_begin_with_nothing(clone):
    one = clone(text=GROWING)
    for run, new in (("u1", "a"), ("u2", "b")):
        one.clean()
        (one.folder / "new").write_text(new)
        one(run=run)
    shutil.rmtree(one.store / "chain/runs/run-u1")
    said = one("--only", "grow", run="u2", code=1)
    assert "the run run-u1 has been removed" in said
    assert one.texts("grow") == ["a", "b"]


def test_a_failed_slice_alone_is_run_again(clone):
    one, other = clone("one", SLICED), clone("other", SLICED)
    (one.folder / "fail-a5").touch()
    one("-j", "8", code=1)
    assert one.calls() == [f"a{number}" for number in range(8)]
    other()
    assert other.calls() == ["a5", "upper"]
    assert other.texts("cut") == [f"A{number}" for number in range(8)]
    assert other.report("cut")["items_in"] == 8
    one.clean()
    (one.folder / "fail-a5").unlink()
    assert "0 ran" not in one()
    assert one.calls() == []


def test_jobs_of_slices_hand_over_and_the_last_one_puts_them_together(clone):
    one, plain = clone("one", SLICED), clone("plain", SLICED)
    plain("--store", "none")
    one("--only", "words", run="u1")
    one.clean()
    counted = one("--slices", "cut=-", run="u1")
    assert json.loads(counted) == [f"{number}/8" for number in range(1, 9)]
    said = ""
    for number in (2, 1, 4, 8, 7, 6, 5):
        one.clean()
        said += one("--only", "cut", "--shard", f"{number}/10", run="u1")
    assert "put all slices together" not in said
    one.clean()
    assert "nothing to do: the data has only 8 slices" in one("--only", "cut", "--shard", "9/10", run="u1")
    said = one("--only", "cut", "--shard", "3/10", run="u1")
    assert "put all slices together" in said
    assert not (one.data / "cut").exists()  # portions are the parts of the whole, so no data is moved
    one.clean()
    assert "the run run-u1 is whole" in one("--only", "upper", run="u1")
    assert {name: plain.contents()[name] for name in one.contents()} == one.contents()
    report = one.handed_over("u1", "cut").report
    assert {name: report[name] for name in ("items_in", "items_out")} == {"items_in": 8, "items_out": 8}
    one.calls()
    one("--only", "cut", "--shard", "2/10", run="u2", code=2)  # nothing was handed over in this run
    one("--only", "words", run="u2")
    assert "cut: unchanged (from the store)" in one("--only", "cut", "--shard", "2/10", run="u2")
    assert one.calls() == []


@pytest.mark.parametrize("shards", ['{"items": 1, "max": 8}', "2"])
def test_slices_that_disagree_are_an_error_that_no_other_try_helps(clone, shards):
    when = """
    def when(self, inpt: list[Word]) -> bool:
        return Path("".join(["ru", "ns"])).exists()  # a file that the code names counts as code
"""
    one = clone(text=SLICED.replace('    shards = {"items": 1, "max": 8}', f"    shards = {shards}{when}"))
    one("--only", "words", run="u1")
    assert "done" in one("--only", "cut", "--shard", "1/2", run="u1")
    (one.folder / "runs").touch()
    said = one("--only", "cut", "--shard", "2/2", run="u1", code=3)
    assert "its slices disagree: slice 1 was skipped by its condition, slice 2 was not" in said
    assert one.handed_over("u1", "cut") is None


def test_slices_that_all_end_at_once_become_one_dataset(clone):
    one, plain = clone("one", SLICED), clone("plain", SLICED)
    plain("--store", "none")
    one("--only", "words", run="u1")
    one.clean()
    jobs = []
    for number in range(1, 9):
        machine = one.folder.with_name(f"machine-{number}")
        shutil.copytree(one.folder, machine)
        words = [sys.executable, "-m", "wurzel", "run", "flow:chain", "--only", "cut", "--shard", f"{number}/8"]
        jobs.append(subprocess.Popen(words, cwd=machine, env=one.environ("u1"), stderr=subprocess.DEVNULL))
    assert [job.wait(600) for job in jobs] == [0] * 8
    assert "the run run-u1 is whole" in one("--only", "upper", run="u1")
    assert one.texts("upper") == plain.texts("upper")
    assert one.handed_over("u1", "cut").report["items_in"] == 8


def test_slices_of_one_call_are_written_again_as_one_dataset(clone):
    text = PAIR.replace("    def run(self, inpt: list[Word])", "    shards = 2\n    def run(self, inpt: list[Word])")
    one, plain = clone("one", text), clone("plain", text)
    plain("--store", "none")
    for words in ("words",), ("upper", "--shard", "2/2"), ("upper", "--shard", "1/2"):
        one.clean()
        said = one("--only", *words, run="u1")
    assert "the run run-u1 is whole" in said
    assert one.contents()["upper/part-00000.json"] == plain.contents()["upper/part-00000.json"]
    assert one.handed_over("u1", "upper").report["items_in"] == 4


@pytest.mark.parametrize("by_reader", [False, True])
def test_slices_of_an_earlier_try_with_more_data_are_no_part_of_the_whole(clone, by_reader):
    counted = 'return [Word(text=f"{self.settings.TEXT}{number}") for number in range(int(Path("count").read_text()))]'
    text = SLICED.replace('return [Word(text=f"{self.settings.TEXT}{number}") for number in range(8)]', counted)
    one = clone(text=text.replace("    def run(self, inpt: None)", "    cache = False\n    def run(self, inpt: None)"))
    for count in (3, 2):
        (one.folder / "count").write_text(str(count))
        one("--only", "words", run="u1")
        for number in range(1, count + 1):
            said = one("--only", "cut", "--shard", f"{number}/3", run="u1")
            assert ("put all slices together" in said) == (number == count)
    if by_reader:
        (one.store / "chain/runs/run-u1/cut/_/all.json").unlink()
    one.clean()
    one("--only", "upper", run="u1")
    assert one.texts("upper") == ["A0", "A1"]


def test_a_slice_fetches_only_the_parts_that_it_reads(clone):
    one = clone(text=SLICED.replace(">> WZ(Cut)", ">> WZ(Cut, name='first') >> WZ(Cut)"))
    one("--only", "words,first", run="u1")  # eight parts of one item
    one.clean()
    one("--only", "cut", "--shard", "3/4", run="u1")
    sizes = {path.name: any(path.read_bytes()) for path in (one.data / "first").glob("part-*")}
    assert [name for name, filled in sorted(sizes.items()) if filled] == ["part-00004.json", "part-00005.json"]
    for number in (1, 2, 4):
        one("--only", "cut", "--shard", f"{number}/4", run="u1")  # what is hollow is fetched by whoever reads it
    one("--only", "upper", run="u1")
    assert one.texts("upper") == [f"A{number}" for number in range(8)]


def test_a_reader_puts_slices_together_where_nobody_has(clone):
    one = clone(text=SLICED)
    one("--only", "words", run="u1")
    for number in range(1, 9):
        one("--only", "cut", "--shard", f"{number}/8", run="u1")
    home = one.store / "chain/runs/run-u1/cut/_"
    (home / "all.json").unlink()
    for path in (one.store / "chain/cache").iterdir():
        if json.loads(path.read_text())["step"] == "cut":
            path.unlink()
    one.clean()
    one("--only", "upper", run="u1")
    assert one.texts("upper") == [f"A{number}" for number in range(8)]
    (home / "3-of-8.json").unlink()
    (home / "all.json").unlink()
    said = one("--only", "upper", run="u1", code=2)
    assert "step cut has handed over nothing in the run run-u1" in said


def damage(path, how, other):
    path.chmod(0o600)
    data = path.read_bytes()
    if how == "deleted":
        path.unlink()
    else:
        changed = {"flipped": data[:-2] + b"?" + data[-1:], "torn": data[:-4], "empty": b"", "swapped": other}
        path.write_bytes(changed[how])


def damage_all(place, what, how):
    """Damage all files of a kind in the store of a place."""
    paths = sorted(path for path in (place.store / "chain" / what).rglob("*") if path.is_file())
    texts = [path.read_bytes() for path in paths]
    for path, other in zip(paths, [*texts[1:], texts[0]], strict=True):
        damage(path, how, other)


def test_a_bad_object_is_never_a_result_and_a_plain_run_heals(clone):
    one = clone(text=PAIR)
    one(*A)
    for how in ("flipped", "torn", "deleted", "swapped"):
        damage_all(one, "objects", how)
        one.clean()
        code, said = one.outcome(*A, "--only", "upper", "--force")
        found = "damaged or missing in the store" if code == 1 else "the store has no result of step words"
        assert code in {1, 2}, how
        assert found in said
        assert not one.contents()
        one(*A)
        one.clean()
        one(*A, "--only", "upper", "--force")
        assert one.texts("upper") == ["A0", "A1", "A2", "A3"], how


def test_a_bad_entry_is_no_entry(clone):
    one = clone(text=PAIR)
    one(*A)
    for how in ("torn", "empty", "swapped"):
        damage_all(one, "cache", how)
        one.clean()
        one.calls()
        one(*A)
        assert (one.calls(), one.texts("upper")) == (["upper", "words"], ["A0", "A1", "A2", "A3"]), how


def test_a_damaged_hand_over_is_an_error_until_the_step_hands_over_again(clone):
    one = clone(text=PAIR)
    one(*A, "--only", "words", run="u1")
    one(*B, "--only", "words", run="u2")
    path = one.store / "chain/runs/run-u1/words/_/all.json"
    other = (one.store / "chain/runs/run-u2/words/_/all.json").read_bytes()
    for how in ("flipped", "torn", "empty", "swapped"):
        damage(path, how, other)
        said = one("--only", "upper", run="u1", code=1)
        assert re.search(r"runs/run-u1/words/_/all.json: is damaged", said)
        one(*A, "--only", "words", run="u1")
    one("--only", "upper", run="u1")
    assert one.texts("upper")[0] == "A0"


@pytest.mark.parametrize(
    ("kind", "when", "least"),
    [("first", "before", 8), ("forced", "after", 3), ("hit", "before", 7), ("hit", "after", 3)],
)
def test_a_run_killed_at_each_of_its_requests_is_followed_by_the_right_bytes(clone, tmp_path, kind, when, least):
    """Before a request arrives, or when it is done and its reply is lost."""
    one = clone(text=HEAD + "chain = WZ(Words)\n")
    words = {"first": A, "hit": A, "forced": (*A, "--force")}[kind]
    if kind != "first":
        one(*A)
    expected = ["a0", "a1", "a2", "a3"]
    start = tmp_path / "start"
    one.store.mkdir(exist_ok=True)
    shutil.copytree(one.store, start)
    number = 0
    while True:
        number += 1
        shutil.rmtree(one.store)
        shutil.copytree(start, one.store)
        one.clean()
        said = one(*words, run="u1", kill=number, when=when)
        if "is whole" in said and "chain: " in said.splitlines()[-1]:
            break
        assert "is whole" in one(*A, run="u1"), number
        data = one.handed_over("u1", "words").data
        one.opened().fetch(data, Path(tmp_path, "got"))
        assert [item["text"] for item in json.loads((tmp_path / "got/part-00000.json").read_text())] == expected
    assert number > least


def test_what_the_store_has_waits_for_no_room_on_the_machine(clone):
    text = (
        HEAD
        + """
class Slow(Words):
    def run(self, inpt: None) -> list[Word]:
        end = time.monotonic() + 10
        while Path("".join(["wa", "it"])).exists() and time.monotonic() < end:
            time.sleep(0.02)
        note("slow")
        return []

class Big(Words):
    resources = {"cpu": "1000"}

chain = [WZ(Slow) >> WZ(Upper), WZ(Big) >> WZ(Upper, name="after")]
"""
    )
    one = clone(text=text)
    one("--only", "big")
    (one.folder / "wait").touch()
    with one.start("-j", "4") as run:
        try:
            lines = iter(run.stdout.readline, "")
            assert "big: unchanged\n" in [next(lines) for _ in range(3)]
            assert "slow" not in one.calls()  # it still runs
        finally:
            (one.folder / "wait").unlink()
        assert run.wait(60) == 0
