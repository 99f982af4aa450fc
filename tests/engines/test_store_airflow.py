"""Layouts and stores in the real Airflow: tasks that are `wurzel run`, share nothing else, compute nothing twice."""

import pytest

from tests.command import program
from tests.engines.datasets import example, pipeline_name, wurzel_run
from tests.engines.drivers.airflow import SECRET
from tests.engines.test_airflow import airflow_2 as airflow_2  # noqa: PLC0414 - a fixture
from tests.engines.test_airflow import airflow_3 as airflow_3  # noqa: PLC0414 - a fixture
from tests.engines.test_airflow import options, render_here
from wurzel.engines.driver import collected

pytestmark = [pytest.mark.engine, pytest.mark.timeout(3600)]

SECRETS = {"SECRET_SUFFIX__TOKEN": SECRET, "SHARED_TOKEN": "t"}
CASES = {
    "3": [("fanout", "steps", True), ("fanout", "auto", False), ("credentials", "single", True)],
    "2.11": [("fanout", "steps", True)],
}
"""Example, layout, and whether its steps are run, which another layout may have done."""


@pytest.fixture(scope="module", params=["airflow_3", "airflow_2"])
def airflow(request):
    return request.getfixturevalue(request.param)


def stored(store, dataset, folder):
    """The data that the latest run of a step handed over, as files by name."""
    program("store", "get", dataset, "--store", str(store), "-o", str(folder), code=0)
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name.startswith("part-")}


def test_tasks_share_a_store_or_a_folder_and_nothing_else(airflow, tmp_path):
    root, asked = tmp_path / "it's a {{ project }}", []
    for number, (name, layout, _) in enumerate(CASES[airflow.version]):
        project = example(name, root / f"{number}")
        sets = [f"dag_id=dag-{number}", f"layout={layout}"]
        file = render_here(project, name, *options(airflow.version, *sets), f"store=file://{tmp_path}/stores/{name}")
        asked.append([str(file), f"dag-{number}", {}])
    file = render_here(example("grouped", root / "grouped"), "grouped", *options(airflow.version, "layout=auto"))
    results, log = airflow.runs(root, [*asked, [str(file), "grouped", {}]])
    assert [result["code"] for result in results] == [0] * len(results), log
    parts = log.split("=== ")[1:]
    for number, (name, layout, runs) in enumerate(CASES[airflow.version]):
        assert (": done in " in parts[number]) == runs
        assert layout != "single" or len(results[number]["tasks"]) == 1
        check_stored(name, root / f"{number}", tmp_path, number)
    (folder,) = (root / "grouped" / "data" / "grouped").glob("run_*")
    assert collected(folder) == wurzel_run(example("grouped", tmp_path / "local"), "grouped")


def check_stored(name, project, folder, number):
    """The store has the data, and the project is as it was."""
    fresh = example(name, folder / f"local-{number}")
    left = {path.name for path in project.iterdir()} - {"dags", "__pycache__"}
    assert left == {path.name for path in fresh.iterdir()}
    expected = wurzel_run(fresh, name, env=SECRETS)
    pipeline = pipeline_name(project, name).rpartition(":")[2]
    for step in {path.partition("/")[0] for path in expected}:
        ours = {path.partition("/")[2]: data for path, data in expected.items() if path.startswith(f"{step}/part-")}
        if ours:
            assert stored(folder / "stores" / name, f"{pipeline}/{step}", folder / f"got-{number}-{step}") == ours
