"""The page docs/conformance.md holds what is true today; any number of slices gives one dataset in every engine."""

import pytest

from tests.engines import stores
from tests.engines.cases import Case
from tests.engines.conformance import CASES, LANGUAGE, ROOT, drivers, is_right, on_one_store, verdict
from tests.engines.drivers.argo import ArgoSimulation
from tests.engines.drivers.cluster import Cluster
from tests.engines.drivers.cronjob import CronJobPod
from tests.engines.report import PAGE, Result, kept, page, read, write
from wurzel.engines.airflow import AirflowDags
from wurzel.engines.driver import Outcome
from wurzel.engines.dvc import Dvc
from wurzel.engines.github import GitHub
from wurzel.engines.gitlab import GitLab
from wurzel.engines.local import Script, WurzelRun

SLICED = [case for case in CASES if case.example == "sharded"]
SAMPLE = {"outputs", "files", "else", "fan-out-3", "program"}
WORDS = {"words/manifest.json": b"1", "words/part-00000.json": b"2"}


def no_docker():
    return "not asked for"


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    """What `wurzel run` makes of every case."""
    return WurzelRun().run_all(CASES, tmp_path_factory.mktemp("reference"))


def committed():
    return read((ROOT / PAGE).read_text(encoding="utf-8"))


def test_the_page_has_all_engines_and_good_verdicts():
    found = committed()
    chosen = drivers(no_docker, Cluster(""))
    assert list(found) == [f"{driver.name} (simulation)" if driver.simulated else driver.name for driver in chosen]
    for name, cells in found.items():
        if isinstance(cells, str):
            assert "cluster" in name, f"{name} can be run without a cluster: {cells}"
            continue
        assert list(cells) == [case.label for case in CASES]
        assert {label: cell for label, cell in cells.items() if not is_right(cell)} == {}


def test_the_page_says_that_engines_share_a_store():
    rows = stores.kept_rows((ROOT / PAGE).read_text(encoding="utf-8"))
    assert list(rows) == [driver.name for driver in on_one_store(Cluster(""))]
    assert all(stores.is_right(cells) for cells in rows.values())


@pytest.mark.engine
def test_an_engine_runs_nothing_that_another_has_run(tmp_path):
    """In the fastest engine of the page; it says the same of the others."""
    (cells,) = stores.told([Script("dash")], tmp_path).values()
    assert stores.is_right(cells), cells


@pytest.mark.engine
def test_the_page_has_the_digests_of_today(reference):
    for name, cells in committed().items():
        if isinstance(cells, str):
            continue
        for case in CASES:
            if not any(mark in cells[case.label] for mark in ("stopped there", "not run")):
                assert f"`{reference[case.label].digest[:8]}`" in cells[case.label], f"{name}, {case.label}"


@pytest.mark.engine
@pytest.mark.parametrize(
    "driver",
    [
        Script("dash"), GitHub(), GitLab(), AirflowDags("3"), ArgoSimulation("s3"), ArgoSimulation("tar"),
        ArgoSimulation("default repository"),
    ],
    ids=lambda driver: driver.name,
)  # fmt: skip
def test_one_three_or_more_slices_than_items(driver, reference, tmp_path):
    check_slices(driver, reference, tmp_path)


@pytest.mark.engine
@pytest.mark.parametrize(
    "driver",
    [Script("dash"), Script("bash", "--posix"), Dvc(), GitHub(), GitLab(), AirflowDags("3"), ArgoSimulation("s3")],
    ids=lambda driver: driver.name,
)
def test_several_inputs_and_outputs_files_streams_conditions_and_programs(driver, reference, tmp_path):
    check_language(driver, reference, tmp_path)


@pytest.mark.engine
@pytest.mark.parametrize("mode", ["single", "steps"])
def test_the_language_in_the_pod_of_a_cronjob(mode, docker, reference, tmp_path):
    check_language(CronJobPod(mode, lambda: docker), reference, tmp_path)


def check_language(driver, reference, folder):
    """Half of the cases, by which each construct is run once; `make conformance` runs all of them."""
    if missing := driver.missing():
        pytest.skip(missing)
    chosen = [case for case in LANGUAGE if case.label in SAMPLE]
    outcomes = driver.run_all(chosen, folder)
    for case in chosen:
        assert verdict(case, outcomes[case.label], reference[case.label]) == "same", outcomes[case.label].log


@pytest.mark.engine
@pytest.mark.parametrize("mode", ["single", "steps"])
def test_slices_in_the_pod_of_a_cronjob(mode, docker, reference, tmp_path):
    check_slices(CronJobPod(mode, lambda: docker), reference, tmp_path)


def check_slices(driver, reference, folder):
    if missing := driver.missing():
        pytest.skip(missing)
    outcomes = driver.run_all(SLICED, folder)
    for case in SLICED:
        assert verdict(case, outcomes[case.label], reference["shards-1"]) == "same", outcomes[case.label].log


@pytest.mark.parametrize(
    ("case", "code", "data", "expected"),
    [
        (Case("a", "chain"), 0, WORDS, "same"),
        (Case("a", "chain"), 0, WORDS | {"words/part-00000.json": b"3"}, "DIFFERENT"),
        (Case("a", "chain"), 0, {"words/manifest.json": b"1"}, "DIFFERENT"),
        (Case("a", "chain"), 0, WORDS | {"more/manifest.json": b"1"}, "DIFFERENT"),
        (Case("a", "chain"), 1, WORDS, "FAILED: 1"),
        (Case("a", "flaky"), 0, WORDS, "same, retried"),
        (Case("a", "failing", fails=("b",)), 1, WORDS, "failed, as it must"),
        (Case("a", "failing", fails=("b",)), 0, WORDS, "WRONG: the run did not fail"),
        (Case("a", "failing", fails=("b",)), 1, WORDS | {"b/manifest.json": b""}, "WRONG: a dataset of b"),
        (Case("a", "failing", fails=("b",)), 1, {"words/manifest.json": b"1"}, "DIFFERENT"),
        (Case("a", "failing", fails=("b",)), 1, {}, "DIFFERENT"),
    ],
)
def test_verdicts(case, code, data, expected):
    said = verdict(case, Outcome(code, data), Outcome(0, WORDS))
    assert said == expected
    assert is_right(said) == said.startswith(("same", "failed, as it must"))


def test_an_engine_that_is_meant_to_stop_may_lack_the_other_branch():
    case, data = Case("a", "failing", fails=("b",)), {"words/manifest.json": b"1"}
    assert verdict(case, Outcome(1, data, stops_early=True), Outcome(1, WORDS)) == "failed, as it must; stopped there"
    assert verdict(case, Outcome(1, {}, stops_early=True), Outcome(1, WORDS)) == "DIFFERENT"


def test_a_page_is_written_anew_only_when_more_than_times_differ(tmp_path):
    case, path = Case("a", "chain"), tmp_path / "page.md"

    def made(seconds, data=WORDS):
        ran = Result(WurzelRun(), {"a": Outcome(0, data, note="so and so", seconds=seconds)}, {"a": "same"})
        return page([ran, Result(Script("dash"), missing="there is none")], [case])

    first = made(2.4)
    assert write(path, first) == "page.md written"
    digest = Outcome(0, WORDS).digest[:8]
    assert read(first) == {
        "wurzel run": {"a": f"same (1) `{digest}` 2 s"},
        "run-*.sh in dash": "not run: there is none",
    }
    assert "stays as it is" in write(path, made(71))
    assert path.read_text() == first
    assert write(path, made(2.4, {"words/manifest.json": b""})) == "page.md written"


def test_engines_that_are_not_run_keep_their_lines_and_notes():
    case = Case("a", "chain")
    dash, bash = Script("dash"), Script("bash")

    def ran(driver, note):
        return Result(driver, {"a": Outcome(0, WORDS, note=note, seconds=1)}, {"a": "same"})

    old = page([ran(dash, "first"), ran(bash, "second")], [case])
    new = page([kept(dash, old), ran(bash, "third")], [case], old)
    digest = Outcome(0, WORDS).digest[:8]
    assert read(new) == {dash.name: {"a": f"same (1) `{digest}` 1 s"}, bash.name: {"a": f"same (3) `{digest}` 1 s"}}
    assert "\n3. third\n" in new
    assert page([kept(dash, old), kept(bash, old)], [case], old) == old
    newer = read(page([kept(dash, old), kept(bash, old)], [case, Case("b", "diamond")], old))
    assert {cells["b"] for cells in newer.values()} == {"not run yet"}


def test_cases_that_are_not_run_keep_their_cells():
    cases, dash = [Case("a", "chain"), Case("b", "diamond")], Script("dash")

    def ran(label, seconds, lines=()):
        return Result(dash, {label: Outcome(0, WORDS, seconds=seconds)}, {label: "same"}, lines=list(lines))

    old = page([ran("a", 1)], cases[:1])
    new = read(page([ran("b", 2, kept(dash, old).lines)], cases, old))
    digest = Outcome(0, WORDS).digest[:8]
    assert new == {dash.name: {"a": f"same `{digest}` 1 s", "b": f"same `{digest}` 2 s"}}
    missing = page([Result(dash, missing="there is none")], cases)
    assert read(page([ran("b", 2, kept(dash, missing).lines)], cases))[dash.name]["a"] == "not run yet"
