"""What the example pack of an organisation makes of the hostile pipeline, in the real Airflow."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.command import program
from tests.engines.drivers.airflow import Airflow
from wurzel.engines.airflow import AirflowDags

pytestmark = [pytest.mark.engine, pytest.mark.timeout(600)]
ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("version", ["3", "2.11"])
def test_hostile_values_reach_pods_unchanged_through_the_pack(tmp_path, monkeypatch, version):
    if missing := AirflowDags(version).missing():
        pytest.skip(missing)
    site, project, home = (tmp_path / name for name in ("site", "project", "home"))
    source = tmp_path / "source"
    shutil.copytree(ROOT / "docs" / "examples" / "organisation-pack", source)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--no-build-isolation"]
    subprocess.run([*pip, "--target", str(site), str(source)], check=True, capture_output=True)
    home.mkdir()
    project.mkdir()
    for name in ("hostile.py", "steps.py"):
        shutil.copy(ROOT / "tests" / "pipelines" / name, project)
    text = (ROOT / "tests" / "pipelines" / "hostile.yaml").read_text(encoding="utf-8")
    text = text.replace("version: 1\n", "version: 1\ntemplates: [acme]\nvariables: {owner: docs}\n", 1)
    text = text.replace("hostile:pipeline\n", "hostile:pipeline\n    image: docs/rag:1.4\n", 1)
    (project / "wurzel.yaml").write_text(text, encoding="utf-8")
    sets = ["--set", f"targets.airflow.version={version}"]
    program("render", "hostile", "-t", "airflow", *sets, code=0, cwd=project, env={"PYTHONPATH": str(site)})
    monkeypatch.setenv("PYTHONPATH", str(site))  # its callbacks are imported by the DAG file
    seen = Airflow(version, home).bag(project / "dags")
    assert not any(value for key, value in seen.items() if "error" in key), seen
    (dag,) = seen["dags"].values()
    wanted = {name: str(value) for name, value in yaml.safe_load(text)["pipelines"]["hostile"]["env"].items()}
    assert dag["pods"]
    for pods in dag["pods"].values():
        for pod in pods:
            (main,) = [each for each in pod["spec"]["containers"] if each["name"] == "base"]
            # A kubelet expands `$(NAME)` and reads `$$(` as `$(`.
            environment = {each["name"]: each.get("value", "").replace("$$(", "$(") for each in main["env"]}
            assert {name: environment[name] for name in wanted} == wanted
            assert main["image"] == "registry.acme.example/docs/rag:1.4"
