"""Pipelines with a store on CI platforms: nothing crosses as an artifact, and no engine computes anything twice."""

import re
import shutil
import subprocess
import sys

import pytest

from tests.engines.datasets import example, render, wurzel_run
from tests.engines.test_github import act as act  # noqa: PLC0414 - a fixture
from tests.engines.test_gitlab import gitlab as gitlab  # noqa: PLC0414 - a fixture
from wurzel.engines import github as on_github
from wurzel.engines import gitlab as on_gitlab

pytestmark = pytest.mark.engine


def written(store, step, folder, *words):
    """The data that the last run of a step handed over, as files by name."""
    get = [sys.executable, "-m", "wurzel", "store", "get", f"pipeline/{step}", "--store", str(store), "-o", str(folder)]
    subprocess.run([*get, *words], check=True, capture_output=True)
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name.startswith("part-")}


@pytest.mark.parametrize("layout", ["steps", "auto"])
def test_data_crosses_jobs_and_engines_through_the_store(act, gitlab, tmp_path, layout):
    expected = wurzel_run(example("sharded", tmp_path / "local"), "sharded")
    store = tmp_path / "store"
    sets = [f"store=file://{store}", f"targets.github.layout={layout}", f"targets.gitlab.layout={layout}"]
    words = [word for text in sets for word in ("--set", text)]

    project = example("sharded", tmp_path / "on github")
    render(project, "sharded", "github", *(word for text in on_github.SETS for word in ("--set", text)), *words)
    done, artifacts = act(project)
    assert done.returncode == 0, done.stdout + done.stderr
    assert list(artifacts.rglob("*.zip")) == []
    assert re.search(r"\bdone in ", done.stdout + done.stderr)

    project = example("sharded", tmp_path / "on gitlab")
    render(project, "sharded", "gitlab", *(word for text in on_gitlab.SETS for word in ("--set", text)), *words)
    done, _ = gitlab(project, "--variable", "CI_PIPELINE_ID=77", "--variable", "GITLAB_CI=true")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "from the store" in done.stdout + done.stderr or "unchanged" in done.stdout + done.stderr
    assert not re.search(r"\bdone in ", done.stdout + done.stderr)  # another engine has run all of it

    done, _ = gitlab(project, "--variable", "CI_PIPELINE_ID=78", "--variable", "CI_COMMIT_REF_PROTECTED=true")
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"\bdone in ", done.stdout + done.stderr)  # a trusted job trusts none of it
    last = sorted({path.partition("/")[0] for path in expected})
    for number, step in enumerate(last):
        ours = {path.partition("/")[2]: data for path, data in expected.items() if path.startswith(f"{step}/part-")}
        assert written(store, step, tmp_path / f"got-{number}") == ours


def test_a_person_starts_a_run_of_some_steps(act, gitlab, tmp_path):
    store, project = tmp_path / "store", example("diamond", tmp_path / "project")
    sets = [*on_github.SETS, f"store=file://{store}"]  # the layout is `steps`
    render(project, "diamond", "github", *(word for text in sets for word in ("--set", text)))
    for only, ran, left in (("words", {"words"}, 3), ("upper, reverse", {"upper", "reverse"}, 2), ("", {"join"}, 0)):
        done, _ = act(project, "--input", f"only={only}")
        said = done.stdout + done.stderr
        assert done.returncode == 0, said
        assert set(re.findall(r"\b(\w+): done in ", said)) == ran
        assert said.count("pipeline: nothing to do here") == left
        (runs,) = store.glob("untrusted/pipeline/runs/github-1")  # each run of act has the same id
        runs.rename(store / f"run {left}")
    expected = wurzel_run(example("diamond", tmp_path / "local"), "diamond")
    project = example("diamond", tmp_path / "on gitlab")
    sets = [*on_gitlab.SETS, f"store=file://{store}", "targets.gitlab.layout=steps"]
    render(project, "diamond", "gitlab", *(word for text in sets for word in ("--set", text)))
    shutil.rmtree(store / "untrusted/pipeline/cache")
    given = ["--variable", "CI_PIPELINE_ID=77", "--variable", "GITLAB_CI=true", "--variable", "WURZEL_ONLY=+upper"]
    done, _ = gitlab(project, *given)
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    assert set(re.findall(r"\b(\w+): started", said)) == {"words", "upper"}
    assert said.count("pipeline: nothing to do here") == 2
    results = {data for path, data in expected.items() if path.startswith("join/part-")}
    assert results <= {path.read_bytes() for path in store.glob("untrusted/pipeline/objects/*/*")}
