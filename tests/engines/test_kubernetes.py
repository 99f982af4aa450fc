"""Rendered CronJobs, held to Kubernetes' schemas, and run: as processes, and in containers restricted as in a pod."""

import json
import shutil
import subprocess
import time
from collections import Counter
from pathlib import Path

import pytest
import yaml

from tests.conftest import EXAMPLES
from tests.engines.containers import Containers
from tests.engines.datasets import DATA_DIRS, example, pipeline_name, wurzel, wurzel_run
from tests.engines.processes import Processes
from tests.engines.workflows import Simulation
from tests.validation.faults import FAULTS
from wurzel.engines.cronjob import UID, read
from wurzel.engines.pod import Pod
from wurzel.validation import check_files, check_manifests
from wurzel.validation.manifest import documents
from wurzel.validation.structure import check_structure

pytestmark = pytest.mark.engine
CLAIM = "targets.cronjob.data={claim: {size: 1Gi}}"
SINGLE = "targets.cronjob.layout=single"
VARIANTS = {
    "auto": [],
    "single": [SINGLE],
    "steps": ["targets.cronjob.layout=steps"],
    "claim": [CLAIM, "targets.cronjob.companions={service_account: true, network_policy: true}"],
    "budget": [
        SINGLE,
        "targets.cronjob.disruption_budget=true",
        "targets.cronjob.gitops=argocd",
        "targets.cronjob.companions={network_policy: true, egress: [{to: [{ipBlock: {cidr: 10.0.0.0/8}}]}]}",
    ],
    "ephemeral": ["targets.cronjob.data={ephemeral: {size: 1Gi}}", "targets.cronjob.namespace=ml"],
    "all": [
        "targets.cronjob.volumes=[{name: cache, mount_path: /cache, claim: {name: tokenizers}}]",
        "targets.cronjob.image_pull_secrets=[registry]",
        "targets.cronjob.env_from=[{secret: all, prefix: X_}]",
        "targets.cronjob.affinity={nodeAffinity: {}}",
        "targets.cronjob.priority_class=batch",
        "targets.cronjob.image_pull_policy=Always",
        "targets.cronjob.tmp={size: 1Gi, memory: true}",
        "targets.cronjob.suspend=true",
        "targets.cronjob.ttl=null",
    ],
}
SECRETS = {("shared", "token"): "s3cret", ("suffix", "api-token"): "abcd"}
SECRET_ENV = {"SHARED_TOKEN": "s3cret", "SECRET_SUFFIX__TOKEN": "abcd"}


def render(folder, name, sets=()):
    settings = [f"--set={item}" for item in ["image=acme/words:1.0", *sets]]
    return wurzel(folder, "render", pipeline_name(folder, name), "-t", "cronjob", "--stdout", *settings).stdout


@pytest.mark.parametrize("name", EXAMPLES)
def test_our_own_checks_and_the_schemas_accept_everything_that_is_rendered(name, tmp_path):
    project = example(name, tmp_path / name)
    several = name in {"grouped", "scheduled"}  # a group, or another image, keeps some steps out of a single container
    for sets in (sets for sets in VARIANTS.values() if not (several and SINGLE in sets)):
        assert check_files({"a.yaml": render(project, name, sets)}) == []


def test_each_layer_catches_its_share():
    """The counts stand in docs/backends/cronjob.md."""
    faults = [fault for fault in FAULTS if fault.kind == "CronJob"]
    caught = Counter()
    for fault in faults:
        found, _ = documents("a.yaml", fault.text())
        layers = {
            "rules": bool(check_manifests({"a.yaml": fault.text()})),
            "structure": bool(list(check_structure(found))),
        }
        assert any(layers.values()), fault.name
        caught.update(layer for layer, hit in layers.items() if hit)
    text = (Path(__file__).parents[2] / "docs" / "backends" / "cronjob.md").read_text()
    assert f"Of {len(faults)} broken" in text
    rows = {
        "wurzel's rules": caught["rules"],
        "`kubernetes-validate`, strict": caught["structure"],
        "both, which is what `--validate` does": len(faults),
    }
    assert [row for row in (f"| {layer} | {count} |" for layer, count in rows.items()) if row not in text] == []
    assert caught["structure"] >= 5, "kubernetes-validate has gone blind"


@pytest.mark.parametrize("version", ["1.27", "1.28", "1.29", "1.32", "1.36"])
def test_what_is_rendered_is_for_all_versions_that_are_promised(version, tmp_path):
    project = example("scheduled", tmp_path / "scheduled")
    for variant in ("auto", "claim"):
        text = render(project, "scheduled", VARIANTS[variant])
        assert check_files({"a.yaml": text}, kubernetes_version=version) == []


def test_kustomize_reads_the_folder(tmp_path):
    if shutil.which("kubectl") is None:
        pytest.skip("kubectl is not on the path; its `kustomize` needs no cluster")
    project = example("scheduled", tmp_path / "scheduled")
    sets = [*VARIANTS["claim"], "targets.cronjob.manifests=kustomize", "targets.cronjob.layout=auto"]
    wurzel(project, "render", "scheduled", "-t", "cronjob", *[f"--set={item}" for item in sets])
    done = subprocess.run(
        ["kubectl", "kustomize", str(project / "cronjob" / "scheduled")], capture_output=True, text=True, check=True
    )
    kinds = [item["kind"] for item in yaml.safe_load_all(done.stdout)]
    assert sorted(kinds) == ["ConfigMap", "CronJob", "NetworkPolicy", "PersistentVolumeClaim", "ServiceAccount"]


class Cluster:
    """Runs the pods of one rendered example; `data` is where the last one has left its datasets."""

    def __init__(self, folder, runner, text, name):
        self.folder = folder
        self.runner = runner
        self.spec, self.config_maps = read(text)
        self.name = name

    def pod(self, number=1, uid="uid-1"):
        folder, claims = self.folder / f"pod-{number}", self.folder / "claims"
        return Pod(self.spec, folder, claims, self.runner, SECRETS, self.config_maps, {UID: uid})

    def datasets(self, root):
        root = root / DATA_DIRS.get(self.name, "data")
        return {
            path.relative_to(root).as_posix(): path.read_bytes()
            for path in sorted(root.rglob("*"))
            if path.is_file() and not path.name.startswith(".")
        }


@pytest.fixture
def processes(tmp_path):
    """Containers as plain processes; the data folder is a symlink to that of the pod."""

    def make(name, *sets):
        project = example(name, tmp_path / "project")
        mount = tmp_path / "mount"
        text = render(project, name, [f"targets.cronjob.mount={mount}", *sets])
        return Cluster(tmp_path / "cluster", Processes(project, mount), text, name)

    return make


@pytest.mark.parametrize("mode", ["single", "steps"])
@pytest.mark.parametrize("name", ["diamond", "fanin", "hostile", "sharded", "flaky", "credentials"])
def test_a_pod_gives_the_same_bytes_as_wurzel_run(name, mode, processes, tmp_path):
    cluster = processes(name, f"targets.cronjob.layout={mode}")
    done = cluster.pod().run_all()
    assert done.code == 0, done.output
    expected = wurzel_run(example(name, tmp_path / "expected"), name, SECRET_ENV)
    assert cluster.datasets(cluster.folder / "pod-1" / "data") == expected


@pytest.mark.parametrize("mode", ["single", "steps"])
def test_the_next_pod_goes_on_where_a_lost_one_stopped(mode, processes):
    cluster = processes("flaky", f"targets.cronjob.layout={mode}", CLAIM, "steps.flaky.retry={limit: 0}")
    first = cluster.pod(1).run_all()
    assert first.code == 1, first.output
    claim = cluster.folder / "claims" / "flaky-data" / "flaky"
    if not claim.exists():
        claim = cluster.folder / "claims" / "pipeline-data" / "pipeline"
    words = claim / "data" / "words" / "manifest.json"
    written = words.stat().st_mtime_ns
    second = cluster.pod(2).run_all()
    assert second.code == 0, second.output
    assert words.stat().st_mtime_ns == written, "the first step ran again"
    assert (claim / "data" / "upper" / "manifest.json").exists()


@pytest.mark.parametrize("mode", ["single", "steps"])
def test_exit_codes_tell_a_failed_step_from_a_wrong_configuration(mode, processes):
    """`podFailurePolicy` tries the first again and not the second."""
    failed = processes("failing", f"targets.cronjob.layout={mode}")
    assert failed.pod().run_all().code == 1
    text = json.dumps([failed.spec, failed.config_maps]).replace("steps:Words", "steps:Wrds")
    failed.spec, failed.config_maps = json.loads(text)
    done = failed.pod(2).run_all()
    assert done.code == 2, done.output


@pytest.fixture
def contained(docker, tmp_path):
    """Containers in docker, as restricted as the manifest asks for."""

    def make(name, target="cronjob", *sets):
        project = example(name, tmp_path / "project")
        settings = [f"--set={item}" for item in ["image=acme/words:1.0", *sets]]
        text = wurzel(project, "render", pipeline_name(project, name), "-t", target, "--stdout", *settings).stdout
        return text, Containers.of(docker, project)

    return make


@pytest.mark.parametrize("mode", ["single", "steps"])
@pytest.mark.parametrize("name", ["diamond", "hostile", "sharded", "credentials"])
def test_a_restricted_pod_gives_the_same_bytes_as_wurzel_run(name, mode, contained, tmp_path):
    """Not root, read-only, no capabilities, no network; only the rendered volumes can be written to."""
    text, runner = contained(name, "cronjob", f"targets.cronjob.layout={mode}")
    cluster = Cluster(tmp_path / "cluster", runner, text, name)
    done = cluster.pod().run_all()
    assert done.code == 0, done.output
    expected = wurzel_run(example(name, tmp_path / "expected"), name, SECRET_ENV)
    assert cluster.datasets(cluster.folder / "pod-1" / "data") == expected


@pytest.mark.parametrize("name", ["diamond", "hostile", "sharded"])
def test_the_containers_of_a_workflow_give_the_same_bytes(name, contained, tmp_path):
    """The controller is simulated; the containers are real ones."""
    text, runner = contained(name, "argo", "targets.argo.artifacts={s3: {bucket: acme-data}}")
    simulation = Simulation(yaml.safe_load(text), tmp_path / "cluster", runner, SECRETS)
    assert simulation.run() == 0, simulation.logs
    expected = wurzel_run(example(name, tmp_path / "expected"), name)
    found = {
        f"{task}/{path.relative_to(simulation.datasets(task))}": path.read_bytes()
        for task in simulation.codes
        for path in simulation.datasets(task).rglob("*")
        if path.is_file() and not any("shard" in part for part in path.parts[-2:])
    }
    assert found.items() <= expected.items()
    assert any(path.startswith(("join/", "suffix-13/")) for path in found)


def test_a_container_can_write_nowhere_else(contained, tmp_path):
    text, runner = contained("diamond", "cronjob", "targets.cronjob.layout=steps")
    cluster = Cluster(tmp_path / "cluster", runner, text, "diamond")
    container = dict(cluster.spec["containers"][0])
    probe = "id -u; for d in / /app /usr /etc /tmp /wurzel; do touch $d/probe 2>/dev/null && echo wrote $d; done; true"
    container |= {"command": ["/bin/sh"], "args": ["-c", probe]}
    done = cluster.pod().run(container)
    assert done.output.split("\n")[:-1] == ["1000", "wrote /tmp", "wrote /wurzel"]


SLOW = """
import time
from pathlib import Path
from wurzel.core import NoSettings, PydanticModel, TypedStep
from wurzel.utils import WZ

class Word(PydanticModel):
    text: str

class Quick(TypedStep[NoSettings, None, list[Word]]):
    def run(self, inpt: None) -> list[Word]:
        return [Word(text="quick")]

class Slow(TypedStep[NoSettings, list[Word], list[Word]]):
    def run(self, inpt: list[Word]) -> list[Word]:
        if not Path("/wurzel/fast").exists():
            Path("/wurzel/started").touch()
            time.sleep(600)
        return inpt

def pipeline():
    return WZ(Quick) >> WZ(Slow)
"""


@pytest.mark.parametrize("mode", ["single", "steps"])
def test_sigterm_ends_a_pod_within_its_grace_period_and_the_next_one_goes_on(mode, docker, tmp_path):
    project = tmp_path / "project"
    project.mkdir()
    (project / "slow.py").write_text(SLOW)
    text = render(project, "slow", [f"targets.cronjob.layout={mode}", CLAIM])
    runner = Containers.of(docker, project)
    cluster = Cluster(tmp_path / "cluster", runner, text, "slow")
    spec = cluster.spec
    pod = cluster.pod()
    for container in spec.get("initContainers", []):
        assert pod.run(container).code == 0
    (last,) = spec["containers"]
    security = {**spec["securityContext"], **last["securityContext"]}
    env = {"WURZEL_RUN_ID": "uid-1"}
    arguments = runner.command(last, env, pod.mounts(last), security)
    name = docker("run", "--detach", *arguments).stdout.strip().splitlines()[-1]
    claim = cluster.folder / "claims" / "pipeline-data" / "pipeline"
    deadline = time.monotonic() + 60
    while not (claim / "started").exists():
        assert time.monotonic() < deadline, docker("logs", name).stdout
        time.sleep(0.2)
    started = time.monotonic()
    docker("stop", f"--time={spec['terminationGracePeriodSeconds']}", name)
    took = time.monotonic() - started
    code = int(docker("inspect", "--format={{.State.ExitCode}}", name).stdout)
    assert took < spec["terminationGracePeriodSeconds"] - 5, docker("logs", name).stdout
    assert code not in {0, 2, 137}
    data = claim / "data"
    quick = (data / "quick" / "manifest.json").stat().st_mtime_ns
    assert not (data / "slow").exists()
    (claim / "fast").touch()
    done = cluster.pod(2).run_all()
    assert done.code == 0, done.output
    assert (data / "slow" / "manifest.json").exists()
    assert (data / "quick" / "manifest.json").stat().st_mtime_ns == quick, "the first step ran again"
