"""The rendered dvc.yaml in the real DVC: the same bytes as `wurzel run`, and nothing runs twice."""

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.engines.datasets import datasets, example, render, wurzel, wurzel_run
from wurzel.engines.dvc import DvcRepository

pytestmark = pytest.mark.engine
RAG = Path("docs/examples/rag")


MEETING = """import time
from pathlib import Path


class Loud(Upper):
    def run(self, inpt):
        first = inpt[0].text
        Path(f"met-{first}").touch()
        deadline = time.monotonic() + 120
        while len(list(Path().glob("met-*"))) < 3:
            if time.monotonic() > deadline:
                raise RuntimeError("the others did not come")
            time.sleep(0.1)
        if first == "five" and not Path("again").exists():
            Path("again").touch()
            raise RuntimeError("the last slice fails at first")
        return super().run(inpt)

"""


def step_datasets(project, name):
    """Datasets of steps, without the slices that some were made of."""
    return {path: data for path, data in datasets(project, name).items() if ".slices/" not in path}


@pytest.fixture
def dvc(tmp_path):
    """Run dvc in a folder; its own settings live in a scratch folder."""
    return DvcRepository(tmp_path / "home")


@pytest.mark.parametrize(
    "name",
    [
        *("chain", "diamond", "fanin", "named", "hostile", "sharded", "flaky"),
        *("join", "outputs", "files", "stream", "branch", "fanout"),
    ],
)
def test_same_bytes_as_a_local_run_and_nothing_twice(dvc, tmp_path, name):
    project = example(name, tmp_path / "it's a $HOME project")
    expected = wurzel_run(example(name, tmp_path / "local"), name)
    render(project, name, "dvc")
    dvc.begin(project)
    first = dvc(project, "repro")
    assert "Running stage" in first.stdout
    assert step_datasets(project, name) == expected
    second = dvc(project, "repro")
    assert "Running stage" not in second.stdout
    assert not list(tmp_path.rglob("pwned"))


def test_an_experiment_changes_only_its_value_and_can_be_adopted(dvc, tmp_path):
    project = example("named", tmp_path / "p")
    config = project / "wurzel.yaml"
    config.write_text(config.read_text().rstrip("\n") + "\n    targets: {dvc: {}}   # experiments\n")
    listed = (
        (project / "steps.py").read_text().replace("TIMES: int =", 'TAGS: list[str] = ["a", "b"]\n    TIMES: int =')
    )
    (project / "steps.py").write_text(listed)
    render(project, "named", "dvc")
    dvc.begin(project)
    before = (project / "params.yaml").read_text()
    dvc(project, "exp", "run", "-S", "named.suffix-en.TIMES=3")
    after = (project / "params.yaml").read_text()
    assert "    TAGS:\n    - a\n" in after
    changed = [pair for pair in zip(before.splitlines(), after.splitlines(), strict=True) if pair[0] != pair[1]]
    assert changed == [("    TIMES: 1", "    TIMES: 3")]
    wurzel(project, "adopt")
    assert "# experiments" in config.read_text()
    wurzel(project, "render", "--check")
    assert "Running stage" not in dvc(project, "repro").stdout


def test_a_change_of_one_output_runs_only_the_stages_that_read_it(dvc, tmp_path):
    project = example("outputs", tmp_path / "p")
    render(project, "outputs", "dvc")
    dvc.begin(project)
    dvc(project, "repro")
    params = project / "params.yaml"
    params.write_text(params.read_text().replace("- five", "- six"))
    done = dvc(project, "repro").stdout
    ran = {stage for stage in ("words", "cut", "upper", "reverse", "compare") if f"Running stage '{stage}'" in done}
    assert ran == {"words", "cut", "upper", "compare"}


@pytest.mark.parametrize("count", [1, 3, 7])
def test_any_number_of_slices_gives_the_same_bytes_and_a_new_number_runs_nothing_behind_it(dvc, tmp_path, count):
    expected = wurzel_run(example("sharded", tmp_path / "local"), "sharded")
    project = example("sharded", tmp_path / "p")
    render(project, "sharded", "dvc")
    dvc.begin(project)
    first = dvc(project, "repro").stdout
    assert [f"Running stage 'loud_slice@{number}'" in first for number in (1, 2, 3)] == [True] * 3
    render(project, "sharded", "dvc", "--set", f"steps.loud.shards={count}")
    done = dvc(project, "repro").stdout
    assert step_datasets(project, "sharded") == expected
    assert ("Running stage 'loud'" in done) == (count != 3)
    assert "Running stage 'join'" not in done
    assert "Running stage" not in dvc(project, "repro").stdout
    report = json.loads((project / "metrics" / "loud.json").read_text())
    assert (report["items_in"], report["items_out"]) == (5, 5)


def test_slices_run_side_by_side_when_several_dvc_are_started(dvc, tmp_path):
    """And one that has failed is all that runs again."""
    project = example("sharded", tmp_path / "p")
    source = project / "sharded.py"
    source.write_text(source.read_text().replace("class Loud(Upper):", MEETING))
    render(project, "sharded", "dvc")
    dvc.begin(project)
    dvc(project, "repro", "words")

    def start(number):
        """Again while another one holds DVC's lock, for it waits for three seconds only."""
        while True:
            done = dvc(project, "repro", "-s", f"loud_slice@{number}", check=False)
            if "nable to acquire lock" not in done.stderr:
                return done.returncode == 0

    with ThreadPoolExecutor() as pool:
        assert list(pool.map(start, (1, 2, 3))) == [True, True, False]
    again = dvc(project, "repro").stdout
    assert [f"Running stage 'loud_slice@{number}'" in again for number in (1, 2, 3)] == [False, False, True]
    assert (project / "data" / "join" / "manifest.json").exists()


def test_a_failing_step_fails_and_leaves_the_other_branch(dvc, tmp_path):
    project = example("failing", tmp_path / "p")
    render(project, "failing", "dvc")
    dvc.begin(project)
    done = dvc(project, "repro", "--keep-going", check=False)
    assert done.returncode != 0
    assert (project / "data" / "upper" / "manifest.json").exists()
    assert not (project / "data" / "failing").exists()


def test_a_poller_runs_each_time_and_memory_grows(dvc, tmp_path):
    project = example("sources", tmp_path / "p")
    render(project, "sources", "dvc")
    dvc.begin(project)
    dvc(project, "repro")
    again = dvc(project, "repro")
    assert "Running stage 'polling'" in again.stdout
    assert "Running stage 'upper'" not in again.stdout
    assert "Running stage 'memory'" in again.stdout  # it reads its own last output, so it always runs
    dvc(project, "repro", "--force", "memory")
    assert json.loads((project / "data" / "memory" / "manifest.json").read_text())["items"] == 3


def test_a_changed_setting_source_or_input_runs_just_what_depends_on_it(dvc, tmp_path):
    project = example("named", tmp_path / "p")
    render(project, "named", "dvc")
    dvc.begin(project)
    dvc(project, "repro")
    params = project / "params.yaml"
    params.write_text(params.read_text().replace("SUFFIX: th", "SUFFIX: nd"))
    done = dvc(project, "repro")
    assert "Running stage 'suffix-en'" in done.stdout
    assert "Running stage 'suffix-de'" not in done.stdout
    (project / "steps.py").write_text((project / "steps.py").read_text() + "\n# changed\n")
    assert dvc(project, "repro").stdout.count("Running stage") == 3


def test_experiments_parameters_and_metrics(dvc, tmp_path):
    project = example("named", tmp_path / "p")
    render(project, "named", "dvc")
    dvc.begin(project)
    dvc(project, "repro")
    dvc(project, "add", "-A", program="git")
    dvc(project, "commit", "-qm", "ran", program="git")
    dvc(project, "exp", "run", "-S", "named.suffix-en.SUFFIX=\"he said: 'no' # x\"")
    difference = json.loads(dvc(project, "params", "diff", "--json").stdout)
    assert difference["params.yaml"] == {"named.suffix-en.SUFFIX": {"old": "th", "new": "he said: 'no' # x"}}
    assert "onehe said: 'no' # x" in (project / "data" / "suffix-en" / "part-00000.json").read_text()
    metrics = json.loads(dvc(project, "metrics", "show", "--json").stdout)
    assert set(metrics[""]["data"]) == {f"metrics/{step}.json" for step in ("words", "suffix-de", "suffix-en")}


def test_a_file_in_another_folder_works_from_there(dvc, tmp_path):
    expected = wurzel_run(example("diamond", tmp_path / "local"), "diamond")
    project = example("diamond", tmp_path / "p")
    render(project, "diamond", "dvc", "--set", "targets.dvc.output=deep/er/dvc.yaml")
    dvc.begin(project)
    dvc(project / "deep" / "er", "repro")
    assert datasets(project, "diamond") == expected


def test_a_fresh_clone_in_another_folder_gives_the_same_and_uses_the_cache(dvc, tmp_path):
    project = example("diamond", tmp_path / "p")
    render(project, "diamond", "dvc")
    dvc.begin(project)
    dvc(project, "repro")
    dvc(project, "add", "-A", program="git")
    dvc(project, "commit", "-qm", "ran", program="git")
    clone = tmp_path / "else where"
    dvc(tmp_path, "clone", "-q", str(project), str(clone), program="git")
    shutil.copytree(project / ".dvc" / "cache", clone / ".dvc" / "cache")
    done = dvc(clone, "repro")
    assert "Running stage" not in done.stdout
    assert datasets(clone, "diamond") == datasets(project, "diamond")


def test_the_documented_example_in_a_fresh_clone_equals_a_local_run_and_the_script(dvc, tmp_path):
    origin = tmp_path / "origin"
    ignored = shutil.ignore_patterns("data", "metrics", ".wurzel", "__pycache__")
    shutil.copytree(Path(__file__).parents[2] / "docs", origin / "docs", ignore=ignored)
    wurzel(origin / RAG, "render", "rag")
    dvc.begin(origin)
    clones = [tmp_path / "by dvc", tmp_path / "by run", tmp_path / "by script"]
    for clone in clones:
        dvc(tmp_path, "clone", "-q", str(origin), str(clone), program="git")
    by_dvc, by_run, by_script = (clone / RAG for clone in clones)
    dvc(by_dvc, "repro")
    assert "Running stage" not in dvc(by_dvc, "repro").stdout
    expected = wurzel_run(by_run, "rag")
    dvc(by_script, "run-rag.sh", "-j", "2", program="/bin/sh")
    assert datasets(by_dvc, "rag") == expected
    assert datasets(by_script, "rag") == expected
