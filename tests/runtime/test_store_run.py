"""`wurzel run` with a store, as docs/store.md tells: what one folder has computed no other computes again."""

import json
import shutil

import pytest

from tests.runtime.clones import HEAD, PAIR, A, B
from tests.runtime.test_cache import FLOW
from wurzel.store.runs import latest


def test_a_fresh_clone_runs_nothing_and_reads_the_same_bytes(clone):
    one, other = clone("one"), clone("other")
    one(*A, run="u1")
    assert one.calls() == ["a0", "a1", "a2", "a3", "finalize", "outside", "words"]
    said = other(*A, run="u2")
    assert other.calls() == ["outside"]  # it is never cached, and it is all that was downloaded for
    assert "1 ran, 4 unchanged" in said
    assert sorted(path.name for path in other.data.iterdir()) == ["outside", "words"]
    assert {name: one.contents()[name] for name in other.contents()} == other.contents()
    for step, output in (("words", ""), ("cut", ""), ("split", "first"), ("split", "rest"), ("write", "")):
        first, second = one.handed_over("u1", step, output), one.handed_over("u2", step, output)
        assert first.data.digest == second.data.digest
    assert other.report("cut") == {**one.report("cut"), "cached": True}


def test_a_changed_setting_runs_exactly_what_depends_on_it(clone):
    text = FLOW.replace("chain = [", "other = WZ(Words, name='other')\nchain = [other >> WZ(Write, name='apart'), ")
    one, other = clone("one", text), clone("other", text)
    one(*A)
    one.calls()
    said = other(*B)
    assert {step for step in ("words", "cut", "split", "write", "other", "apart") if f"{step}: unchanged" in said} == {
        "other",
        "apart",
    }


def test_what_gives_the_same_data_stops_the_change(clone):
    same = PAIR.replace('f"{self.settings.TEXT}{number}"', "str(number)")
    one, other = clone("one", same), clone("other", same)
    one(*A)
    one.calls()
    assert "upper: unchanged (from the store)" in other(*B)
    assert other.calls() == ["words"]


def test_a_setting_that_is_set_back_is_a_hit_and_the_data_folder_follows(clone):
    one = clone()
    one(*A)
    first = one.contents()
    one(*B)
    second = one.contents()
    assert first != second
    one.calls()
    for options, expected in ((A, first), (B, second), (A, first)):
        assert "4 unchanged" in one(*options)
        assert one.contents() == expected
        assert one.calls() == ["outside"]
    assert "words: unchanged\n" in one(*A)


def test_only_takes_what_a_step_would_read_now_never_the_latest(clone):
    one, other = clone("one"), clone("other")
    one(*A)
    one(*B, "--publish")
    other(*A, "--only", "outside")
    assert other.texts("outside")[0] == "a0"
    other("--set", "steps.words.settings.TEXT=c", "--only", "outside", code=2)


def test_a_miss_names_the_step(clone):
    one = clone()
    said = one("--only", "cut,split", code=2)
    assert "chain: step cut: the store has no result of step words for its present code, settings and inputs" in said
    assert "--only words,cut" in said
    assert not one.data.exists() or one.contents() == {}


def test_jobs_of_a_run_take_what_was_handed_over_in_it(clone):
    one = clone()
    one(*A, "--only", "words", run="u1")
    one.clean()
    one(*B, "--only", "words", run="u2")
    one.clean()
    one(*B, "--only", "outside", run="u1")  # whatever its own settings say
    assert one.texts("outside")[0] == "a0"
    said = one("--only", "outside", run="u3", code=2)
    assert "step words has handed over nothing in the run run-u3" in said


ROW = (
    HEAD
    + """
class Last(Upper):
    def run(self, inpt: list[Word]) -> list[Word]:
        assert "WURZEL_ONLY" not in os.environ  # what a step starts may be another pipeline
        return super().run(inpt)

chain = WZ(Words) >> WZ(Upper) >> WZ(Upper, name='again') >> WZ(Last, name='last')
"""
)
SECRET = (*A, "--set", "steps.upper.secrets={TOKEN: {name: api, key: token}}")


def test_a_run_of_some_steps_finds_what_others_would_give_and_hands_over_the_rest(clone):
    one, job = clone("one", ROW), clone("job", ROW)
    some = {"run": "u2", "WURZEL_ONLY": " again+, "}
    said = job(*SECRET, "--only", "again", code=2, **some)
    assert "chain: step again: the store has no result of step words" in said
    one(*SECRET, run="u1", TOKEN="t")
    (one.store / "chain/whole").rename(one.store / "whole of before")
    assert "chain: nothing to do here: this run is of again, last" in job(*SECRET, "--only", "words,upper", **some)
    said = job(*SECRET, "--only", "last", code=2, **some)  # which is of the run, so that no earlier result counts
    assert "step again has handed over nothing in the run run-u2" in said
    job(*SECRET, "--only", "again", "--force", **some)  # without the secret of `upper`, which only its own job has
    said = job(*SECRET, "--only", "upper,last", "--force", **some)
    assert "the run run-u2 is not whole: " in said
    assert one.handed_over("u2", "again").data == one.handed_over("u1", "again").data
    assert one.handed_over("u2", "last") is not None
    assert one.handed_over("u2", "upper") is None
    assert job.calls() == ["upper", "upper"]
    assert not (one.store / "chain/whole").exists()


def test_a_variable_names_the_steps_of_a_run_as_only_does(clone):
    one = clone(text=ROW)
    one(*A, "--until", "last", WURZEL_ONLY="+again")
    assert sorted(path.name for path in one.data.iterdir()) == ["again", "upper", "words"]
    said = one(*A, code=2, WURZEL_ONLY="agian+")
    assert "WURZEL_ONLY: the pipeline chain has no step 'agian'" in said
    assert "Did you mean again?" in said


def test_a_plan_says_what_the_store_has_and_writes_nothing(clone):
    one, other = clone("one"), clone("other")
    one(*A)
    before = sorted(one.store.rglob("*"))
    planned = json.loads(other(*A, "--plan", "--format", "json"))
    assert {item["step"]: item["action"] for item in planned} == {
        "words": "cached",
        "cut": "cached",
        "split": "cached",
        "write": "cached",
        "outside": "run",
    }
    assert sorted(one.store.rglob("*")) == before
    assert not (other.folder / ".wurzel").exists()


def test_force_runs_all_and_replaces_the_entries(clone):
    one = clone(text=PAIR)
    one(*A)
    before = {path: path.stat().st_mtime_ns for path in (one.store / "chain/cache").iterdir()}
    one.calls()
    one(*A, "--force")
    assert one.calls() == ["upper", "words"]
    assert all(path.stat().st_mtime_ns > time for path, time in before.items())
    one(*A)
    assert one.calls() == []


def test_cache_off_looks_nothing_up_and_read_writes_apart(clone):
    one, other = clone("one", PAIR), clone("other", PAIR)
    one(*A)
    other(*A, WURZEL_STORE_CACHE="off")
    assert other.calls() == ["upper", "words"]
    before = {path for path in one.store.rglob("*") if path.is_file()}
    said = other(*A, run="pr", WURZEL_STORE_CACHE="read")
    assert other.calls() == []
    assert "jobs that are not trusted cannot complete a run" in said
    other(*B, run="pr", WURZEL_STORE_CACHE="read")
    new = {
        path.relative_to(one.store).parts[0] for path in one.store.rglob("*") if path.is_file() and path not in before
    }
    assert new == {"untrusted"}
    one.calls()
    one(*B)
    assert one.calls() == ["upper", "words"]  # what they wrote is no hit for others


def test_the_option_outranks_the_variable_and_both_the_configuration(clone, tmp_path):
    one = clone()
    (one.folder / "wurzel.yaml").write_text(
        "version: 1\nstore: ../configured\npipelines: {p: {entrypoint: 'flow:words'}}\n"
    )
    one("--store", "../option", entry="p", WURZEL_STORE="../variable")
    one(entry="p", WURZEL_STORE="../variable")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one", "option", "variable"]
    one("--store", "none", entry="p", WURZEL_STORE="../variable")
    one(entry="p", WURZEL_STORE="")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["configured", "one", "option", "variable"]


@pytest.mark.parametrize(
    ("words", "environ", "reason"),
    [
        (["--store", "s3://u:hunter2@b/x"], {}, "the URL of a store contains a user or password (not shown)"),
        (["--store", "ftp://b/x"], {}, "'ftp://b/x' is not the URL of a store"),
        ([], {"WURZEL_STORE_CACHE": "write"}, "WURZEL_STORE_CACHE: 'write' is not read-write or read or off"),
        (["--store", "none", "--publish"], {}, "--publish needs a store, and there is none"),
        (["--store", ".git/x"], {}, "is inside git's own folder"),
        (["--store", "data"], {}, "the store is in the folder 'data' of datasets or states"),
        (["--store", "x/s", "--state-dir", "x"], {}, "the store is in the folder 'x' of datasets or states"),
        (["--store", ".", "--data-dir", "chain/d"], {}, "the store keeps the pipeline in the folder 'chain/d'"),
        (["--store", "~/x"], {}, "'~/x' begins with ~, which only a shell expands; write the whole path"),
    ],
)
def test_what_is_refused(clone, words, environ, reason):
    said = clone()(*words, code=2, **environ)
    assert reason in said
    assert "hunter2" not in said


def test_a_store_that_cannot_be_used_ends_the_run(clone, tmp_path):
    one = clone()
    (tmp_path / "store").write_text("a file")
    said = one(*A, code=2)
    assert said.count("the store cannot be used: Not a directory") == 1
    assert one.calls() == []


def test_a_result_that_cannot_be_handed_over_is_not_called_unchanged(clone, tmp_path):
    one = clone(text=PAIR)
    one(*A, run="u1")
    runs = tmp_path / "store" / "chain" / "runs"
    shutil.rmtree(runs)
    runs.write_text("a file")
    said = one(*A, run="u2", code=2)
    assert "words: failed" in said
    assert "unchanged" not in said


def test_an_engines_run_becomes_the_latest_and_a_persons_does_not(clone):
    one = clone(text=PAIR)
    store = one.opened()
    assert "does not become the latest one without --publish" in one(*A)
    assert latest(store) is None
    assert "the run run-u1 is whole" in one(*A, run="u1")
    assert latest(store) == "run-u1"
    assert "is whole" in one(*A, "--publish")
    assert latest(store) not in {None, "run-u1"}
