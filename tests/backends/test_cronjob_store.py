"""The containers of a CronJob with a store, run one after the other on disks that share nothing."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.command import program
from wurzel.backends.cronjob.options import CronJobOptions
from wurzel.project.open import open_pipeline
from wurzel.testing import render_texts


@pytest.fixture
def manifests(project, tmp_path):
    """The rendered manifests of a pipeline whose store is a folder, by kind."""
    project("diamond")
    pipeline = open_pipeline("diamond:pipeline").pipeline
    store = {"url": f"file://{tmp_path}/store"}
    volume = {"name": "store", "mount_path": f"{tmp_path}/store", "claim": {"name": "store"}, "read_only": False}
    pipeline = type(pipeline).model_validate({**pipeline.model_dump(), "image": "acme/p:1", "store": store})

    def render(**options):
        texts = render_texts(pipeline, "cronjob", CronJobOptions.model_validate({"volumes": [volume], **options}))
        return {item["kind"]: item for body in texts.values() for item in yaml.safe_load_all(body)}

    return render


def run_pod(found, uid):
    """Run the containers as a kubelet would, each with an empty volume; gives what they wrote to their logs."""
    Path("pipeline.json").write_text(found["ConfigMap"]["data"]["pipeline.json"])
    pod = found["Job"]["spec"]["template"]["spec"]
    logs = []
    for container in [*pod.get("initContainers", []), *pod["containers"]]:
        shutil.rmtree("volume", ignore_errors=True)
        given = [*container["command"][1:], *container["args"]]
        words = [word.replace("/etc/wurzel", ".").replace("/wurzel/", "volume/") for word in given]
        environment = {**os.environ, "WURZEL_RUN_ID": uid}
        done = subprocess.run(
            [sys.executable, "-m", "wurzel", *words], env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        logs.append(done.stderr)
    return logs


@pytest.mark.parametrize("layout", ["steps", "single"])
def test_data_crosses_containers_through_the_store_and_is_computed_once(manifests, layout):
    program("run", "diamond:pipeline", code=0)
    expected = {path.name: (path / "part-00000.json").read_bytes() for path in Path("data").iterdir() if path.is_dir()}
    found = manifests(layout=layout)
    logs = run_pod(found, "0b5a")
    assert len(logs) == (len(expected) if layout == "steps" else 1)
    assert "".join(logs).count(": done in") == len(expected)
    last = found["Job"]["spec"]["template"]["spec"]["containers"][0]["name"] if layout == "steps" else "join"
    get = [sys.executable, "-m", "wurzel", "store", "get", f"pipeline/{last}", "--store", f"{Path.cwd()}/store"]
    subprocess.run([*get, "-o", "result"], check=True, capture_output=True)
    assert Path("result/part-00000.json").read_bytes() == expected[last]
    logs = run_pod(found, "77ff")  # another Job
    assert "".join(logs).count(": done in") == 0
