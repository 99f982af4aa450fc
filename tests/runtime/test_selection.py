"""Which steps a run is about, by the words of its options."""

from pathlib import Path

import pytest

from tests.command import program as run
from wurzel.exceptions import UsageError
from wurzel.project.open import open_pipeline
from wurzel.runtime.selection import between, chosen

ALL = ["words", "upper", "reverse", "join"]


@pytest.fixture
def diamond(project):
    project("diamond")
    return open_pipeline("diamond:pipeline").pipeline


def ids(pipeline):
    return {step.id for step in pipeline.steps}


@pytest.mark.parametrize(
    ("only", "expected"),
    [
        ((), ALL),
        (("upper",), ["upper"]),
        (("upper,reverse",), ["upper", "reverse"]),
        (("upper", "reverse"), ["upper", "reverse"]),
        (("upper+",), ["upper", "join"]),
        (("+upper",), ["words", "upper"]),
        (("+upper+",), ["words", "upper", "join"]),
        (("words+",), ALL),
        (("+join",), ALL),
        (("+reverse,join",), ["words", "reverse", "join"]),
    ],
)
def test_only(diamond, only, expected):
    assert ids(chosen(diamond, only)) == set(expected)


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        ((), (), []),
        (("upper",), (), ["upper", "join"]),
        ((), ("upper",), ["words", "upper"]),
        (("words",), ("reverse",), ["words", "reverse"]),
        (("upper,reverse",), (), ["upper", "reverse", "join"]),
        ((), ("upper", "reverse"), ["words", "upper", "reverse"]),
    ],
)
def test_from_and_until(diamond, first, last, expected):
    assert set(between(diamond, first, last)) == set(expected)


def test_nothing_between(diamond):
    with pytest.raises(UsageError, match="no step is both after join and before words"):
        between(diamond, ["join"], ["words"])


@pytest.mark.parametrize("word", ["uper", "uper+", "+uper"])
def test_a_step_that_is_not_there(diamond, word):
    with pytest.raises(UsageError, match=r"has no step .uper.\n  Did you mean upper\?"):
        chosen(diamond, [word])


def test_an_empty_name_does_not_mean_all_steps(diamond):
    with pytest.raises(UsageError, match="--only: does not name a step"):
        chosen(diamond, [""])
    for first, last in (([","], []), ([], [""]), (["words"], [""])):
        with pytest.raises(UsageError, match="does not name a step"):
            between(diamond, first, last)


def test_a_run_of_what_comes_after_a_step(project):
    project("diamond")
    assert run("run", "diamond:pipeline", "--until", "upper,reverse").returncode == 0
    assert sorted(path.name for path in Path("data").iterdir()) == ["reverse", "upper", "words"]
    done = run("run", "diamond:pipeline", "--from", "join")
    assert done.returncode == 0
    assert "1 ran" in done.stderr
    done = run("run", "diamond:pipeline", "--from", "join", "--only", "words")
    assert done.returncode == 2
    assert "--only cannot be used with --from or --until" in done.stderr


class TestTheOnlyPipeline:
    """PIPELINE may be left out where there is one."""

    @pytest.mark.parametrize(
        "command", ["run", "env", "graph", "inspect --json", "inspect --explain", "run --until words"]
    )
    def test_is_meant(self, project, command):
        project("diamond")
        Path("wurzel.yaml").write_text("version: 1\npipelines: {small: {entrypoint: 'diamond:pipeline'}}\n")
        done = run(*command.split())
        assert done.returncode == 0, done.stderr

    @pytest.mark.parametrize("command", ["run", "env", "graph", "inspect --json"])
    def test_of_several_none_is(self, project, command):
        project("diamond")
        both = "{one: {entrypoint: 'diamond:pipeline'}, two: {entrypoint: 'diamond:pipeline'}}"
        Path("wurzel.yaml").write_text(f"version: 1\npipelines: {both}\n")
        done = run(*command.split())
        assert done.returncode == 2
        assert done.stderr == "error: no PIPELINE is given\n  wurzel.yaml has one, two.\n"
