"""A pipeline of 1,000 steps on Argo: parts that Argo and its CRDs accept, and the same bytes as `wurzel run`."""

import os
import sys
from unittest import mock

import pytest
import yaml

from tests.engines.cases import Case
from tests.engines.datasets import PIPELINES, datasets, wurzel
from tests.engines.drivers.argo import workflow_data
from tests.engines.test_argo import VARIANTS, argolint, crds  # noqa: F401 - fixtures
from tests.engines.workflows import Simulation
from wurzel.cli import cli
from wurzel.engines.pod import Done, expand
from wurzel.exceptions import WurzelError
from wurzel.validation import check_files

pytestmark = pytest.mark.engine
STEPS = 1000
FEWER = 400
"""Steps of the pipeline that is run: `wurzel run` starts a process for each."""
LAYERED = """
import hashlib
from steps import Upper, Word, Words
from wurzel.core import TypedStep
from wurzel.utils import WZ


class Mix(TypedStep[None, list[Word], list[Word]]):
    def run(self, inpt: list[Word]) -> list[Word]:
        digest = hashlib.sha256("".join(word.text for word in inpt).encode()).hexdigest()
        return [Word(text=digest[:8]), Word(text=digest[8:16])]


layer = [WZ(Words, name=f"w{n}") for n in range(10)]
for depth in range(STEPS // 10 - 1):
    below = [WZ(Upper if depth == 18 else Mix, name=f"m{depth}-{n}") for n in range(10)]
    for n, lower in enumerate(below):
        layer[n] >> lower
        layer[(n + 1) % 10] >> lower
    layer = below
pipeline = layer
"""
ROOM = "targets.argo.max_workflow_size=1536Ki"
VARIANTS_OF_IT = {
    "repository": [ROOM],
    "s3": [ROOM, *VARIANTS["s3"]],
    "volume": VARIANTS["volume"],
    "cron": [ROOM, 'schedule={cron: "0 4 * * *"}', "targets.argo.on_exit={command: [notify]}"],
    "template": [ROOM, 'schedule={cron: "0 4 * * *"}', "targets.argo.workflow_template=true"],
    # Read in the same part and in the next one, by the key of their folder.
    "slices": [ROOM, *VARIANTS["s3"], "steps.m18-8.shards=3"],
    # The same, by an artifact for each slice.
    "tasks": [ROOM, "steps.m18-6.shards=3"],
}


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = tmp_path_factory.mktemp("layered")
    (folder / "steps.py").write_text((PIPELINES / "steps.py").read_text())
    for name, steps in (("layered", STEPS), ("fewer", FEWER)):
        (folder / f"{name}.py").write_text(f"STEPS = {steps}{LAYERED}")
    return folder


@pytest.fixture(scope="module")
def render(project):
    """Path to text of what is rendered in a variant."""

    def rendered(variant, *more, check=True, name="layered"):
        sets = [f"--set={item}" for item in ["image=acme/words:1.0", *VARIANTS_OF_IT.get(variant, []), *more]]
        out = project / f"{name}-{variant}"
        done = wurzel(project, "render", f"{name}:pipeline", "-t", "argo", "-o", str(out), *sets, check=check)
        return {path.name: path.read_text() for path in sorted(out.rglob("*.yaml"))} if check else done

    return rendered


def manifests(files):
    return [item for text in files.values() for item in yaml.load_all(text, yaml.CSafeLoader)]


@pytest.mark.parametrize("variant", VARIANTS_OF_IT)
def test_everybody_accepts_the_parts(variant, render, argolint, crds, tmp_path):  # noqa: F811 - fixtures
    files = render(variant)
    found = manifests(files)
    parts = [item for item in found if item["kind"] == "WorkflowTemplate" and "entrypoint" not in item["spec"]]
    assert len(parts) == 6
    assert sum(len(part["spec"]["templates"]) - 1 for part in parts) == STEPS
    for item in found:
        assert list(crds[item["kind"]].iter_errors(item)) == []
    together = tmp_path / "together.yaml"
    together.write_text("---\n".join(files.values()))
    for argo in ("3", "4"):
        assert set(argolint([together], argo)[str(together)]) == {""}
    assert check_files(files) == []


def test_a_part_that_gives_too_little_is_refused(render, argolint, tmp_path):  # noqa: F811 - fixtures
    files = render("repository")
    (first,) = [name for name in files if name.endswith("-part-1.yaml")]
    files[first] = files[first].replace("outputs.artifacts.dataset", "outputs.x", 1)
    together = tmp_path / "together.yaml"
    together.write_text("---\n".join(files.values()))
    assert any(argolint([together])[str(together)])
    assert check_files(files) != []


class InThisProcess:
    """Runs the containers' commands as `wurzel step` does, in this process: a thousand interpreters take minutes."""

    def __init__(self, mount):
        self.mount = mount

    def run(self, container, env, mounts, _security):
        if self.mount.is_symlink():
            self.mount.unlink()
        self.mount.symlink_to(mounts[str(self.mount)])
        words = [expand(word, env) for word in [*container["command"], *container["args"]]]
        assert words.pop(0) == "wurzel"
        with mock.patch.dict(os.environ, {name: expand(value, env) for name, value in env.items()}):
            try:
                cli.main(args=words, prog_name="wurzel", standalone_mode=False)
            except WurzelError as error:
                return Done(error.exit_code, str(error))
        return Done(0, "")


@pytest.mark.parametrize("variant", ["slices", "tasks"])
def test_the_parts_give_the_same_bytes_as_wurzel_run(variant, project, render, tmp_path, monkeypatch):
    mount = tmp_path / "mount"
    # The long path of the mount stands in every template.
    found = manifests(
        render(variant, f"targets.argo.mount={mount}", "targets.argo.max_workflow_size=4Mi", name="fewer")
    )
    (workflow,) = [item for item in found if item["kind"] == "Workflow"]
    parts = [item for item in found if item["kind"] == "WorkflowTemplate"]
    monkeypatch.chdir(project)
    monkeypatch.syspath_prepend(str(project))
    simulation = Simulation(workflow, tmp_path / "cluster", InThisProcess(mount), parts=parts)
    assert simulation.run() == 0, simulation.logs
    assert len(simulation.codes) == FEWER + (2 if variant == "tasks" else 0)
    if not (project / "data").exists():
        wurzel(project, "run", "fewer:pipeline", "-j", "2")
    found = workflow_data(simulation, tmp_path / "gathered", Case("fewer", "fewer"))
    assert found == datasets(project, "fewer")
    if variant == "slices":
        assert len([pod for pod in simulation.logs if pod.startswith("m18-8-")]) == 3
    for module in ("fewer", "steps"):
        sys.modules.pop(module, None)
