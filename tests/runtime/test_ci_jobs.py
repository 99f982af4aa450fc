"""`wurzel run` in a job of a CI platform: folded logs that nothing obeys, a table of steps, JUnit."""

import re
import xml.etree.ElementTree as ET

import pytest

from tests.command import program

NOISY = """
import os, sys
from steps import Upper, Word, Words
from wurzel.core import Settings, TypedStep
from wurzel.utils import WZ


class NoisySettings(Settings):
    FAILS: bool = False
    SIZE: int = 1


class Noisy(TypedStep[NoisySettings, list[Word], list[Word]]):
    def run(self, inpt: list[Word]) -> list[Word]:
        print("::set-output name=executed::99")
        print(f"a | b \\x1b[2J\\x00 ``` size {self.settings.SIZE}")
        if self.settings.FAILS:
            print("the last words")
            sys.exit(7)
        return inpt


words = WZ(Words)
noisy = WZ(Noisy)
pipeline = words >> noisy >> WZ(Upper)
"""
GITHUB = {"GITHUB_ACTIONS": "true", "GITHUB_OUTPUT": "output", "GITHUB_STEP_SUMMARY": "summary"}
GITLAB = {"GITLAB_CI": "true"}
FAILING = ("--set", "steps.noisy.settings.FAILS=true")


@pytest.fixture
def noisy(project):
    root = project("chain")
    (root / "noisy.py").write_text(NOISY)
    return root


def run(*arguments, **variables):
    return program("run", "noisy:pipeline", "-j1", *arguments, env=variables)


def obeyed(log):
    """The lines that GitHub takes as commands: not those between `stop-commands` and its token."""
    token, found = None, []
    for line in log.splitlines():
        if token is None and (stopped := re.fullmatch("::stop-commands::([0-9a-f]{32})", line)):
            token = stopped[1]
        elif token is not None:
            token = None if line == f"::{token}::" else token
        elif line.startswith("::"):
            found.append(line)
    assert token is None
    return found


def test_a_log_is_folded_and_not_obeyed_on_github(noisy):
    done = run(**GITHUB)
    assert done.returncode == 0, done.stderr
    assert [re.sub(r"[\d.]+s$", "…", line) for line in obeyed(done.stderr)] == [
        *("::group::words: done in …", "::endgroup::"),
        *("::group::noisy: done in …", "::endgroup::"),
        *("::group::upper: done in …", "::endgroup::"),
    ]
    assert "\n::set-output name=executed::99\n" in done.stderr
    assert "\na | b \\x1b[2J\\x00 ``` size 1\n" in done.stderr
    tokens = re.findall("::stop-commands::(.*)", done.stderr)
    assert len(set(tokens)) == len(tokens) == 4


def test_the_summary_and_the_number_of_steps_that_ran_reach_github(noisy):
    run(**GITHUB)
    assert (noisy / "output").read_text() == "executed=3\n"
    lines = (noisy / "summary").read_text().splitlines()
    assert lines[2] == "| step | result | seconds | items in | items out |  |"
    assert [re.sub(r"\| [\d.]+ \|", "| … |", line, count=1) for line in lines[4:]] == [
        "| words | ran | … | 0 | 5 |  |",
        "| noisy | ran | … | 5 | 5 |  |",
        "| upper | ran | … | 5 | 5 |  |",
    ]
    done = run(**GITHUB)
    assert obeyed(done.stderr) == []
    assert "size 1" not in done.stderr  # the log of the last run
    assert (noisy / "output").read_text() == "executed=3\nexecuted=0\n"


@pytest.mark.parametrize(
    ("run_id", "first", "line", "last"),
    [
        ("airflow-rag-1", "::group::noisy: done in …", "a | b", "::endgroup::"),
        ("argo-1", "noisy: done in …", "  | a | b", None),
    ],
)
def test_the_log_of_an_engine_has_the_logs_of_steps(noisy, run_id, first, line, last):
    """Their disks end with the job. A failure is open, and its last lines are not repeated."""
    lines = [re.sub(r"[\d.]+s$", "…", line) for line in run(WURZEL_RUN_ID=run_id).stderr.splitlines()]
    at = lines.index(first)
    assert next(number for number, found in enumerate(lines) if found.startswith(line)) > at
    assert last is None or last in lines[at:]
    log = run(*FAILING, WURZEL_RUN_ID=run_id, WURZEL_TERMINATION_LOG="reason").stderr
    assert "\nnoisy: failed: it calls sys.exit(7) (exit code 1)\n" in log
    assert log.count("the last words") == 1
    assert (noisy / "reason").read_text() == "step 'noisy': it calls sys.exit(7) (exit code 1)\n"
    run("--set", "image=no image", WURZEL_TERMINATION_LOG="reason")
    assert (noisy / "reason").read_text().endswith(" (exit code 2)\n")


def test_a_failure_names_the_step_and_its_last_lines_on_github(noisy):
    done = run(*FAILING, **GITHUB)
    assert done.returncode == 1
    assert "::error title=noisy::noisy failed: it calls sys.exit(7) (exit code 1)" in obeyed(done.stderr)
    assert "noisy: the end of .wurzel/pipeline/logs/noisy.log" in done.stderr
    assert (noisy / "output").read_text() == "executed=2\n"
    summary = (noisy / "summary").read_text()
    assert re.search(r"\| noisy \| failed \| [\d.]+ \|  \|  \| it calls sys.exit\(7\) \(exit code 1\) \|", summary)
    assert "| upper | not run |  |  |  | noisy failed |" in summary
    assert "The end of the log of noisy:\n\n````\n" in summary
    assert "the last words" in summary


def test_sections_and_a_table_on_gitlab(noisy):
    done = run(*FAILING, **GITLAB)
    assert done.returncode == 1
    starts = re.findall(r"\x1b\[0Ksection_start:\d+:(.*)\s\x1b\[0K(\w+): (?:done|failed)", done.stderr)
    assert starts == [("words[collapsed=true]", "words"), ("noisy", "noisy")]
    assert re.findall(r"\x1b\[0Ksection_end:\d+:(.*)\s\x1b\[0K", done.stderr) == ["words", "noisy"]
    assert done.stderr.count("a | b \\x1b[2J") == 1
    assert "the end of" not in done.stderr
    table = done.stderr.splitlines()[-4:]
    assert [line.split()[:2] for line in table] == [
        ["step", "result"],
        ["words", "ran"],
        ["noisy", "failed"],
        ["upper", "not"],
    ]
    assert not (noisy / "summary").exists()


def test_quiet_runs_fold_failures_only(noisy):
    done = program("-q", "run", "noisy:pipeline", *FAILING, env=GITHUB)
    assert [line for line in obeyed(done.stderr) if line.startswith("::group")] == [
        "::group::noisy: failed: it calls sys.exit(7) (exit code 1)"
    ]


def test_a_summary_that_cannot_be_written_does_not_fail_the_run(noisy):
    done = run(**{**GITHUB, "GITHUB_STEP_SUMMARY": "no/such/folder"})
    assert done.returncode == 0
    assert "warning: no/such/folder: cannot be written: No such file or directory" in done.stderr


def test_junit_has_a_case_for_each_step(noisy):
    assert run(*FAILING, "--junit", "reports/junit.xml").returncode == 1
    (suite,) = ET.parse(noisy / "reports" / "junit.xml").getroot()
    assert {key: suite.get(key) for key in ("name", "tests", "failures", "skipped")} == {
        "name": "pipeline",
        "tests": "3",
        "failures": "1",
        "skipped": "1",
    }
    words, failed, upper = suite
    assert [case.get("name") for case in suite] == ["words", "noisy", "upper"]
    assert list(words) == []
    assert float(words.get("time")) > 0
    assert failed[0].tag == "failure"
    assert failed[0].get("message") == "it calls sys.exit(7) (exit code 1)"
    assert "the last words" in failed[0].text
    assert (upper[0].tag, upper[0].get("message")) == ("skipped", "noisy failed")


def test_junit_says_what_was_unchanged(noisy):
    run()
    run("--junit", "junit.xml")
    (suite,) = ET.parse(noisy / "junit.xml").getroot()
    assert [case.find("system-out").text for case in suite] == ["unchanged"] * 3


def test_the_logs_of_all_slices_are_shown(project):
    project("sharded")
    done = program("run", "sharded:pipeline", "-j1", env=GITHUB)
    group = done.stderr.partition("::group::loud")[2].partition("::endgroup::")[0]
    assert re.findall(r"loud: (\d) items in", group) == ["2", "2", "1"]
