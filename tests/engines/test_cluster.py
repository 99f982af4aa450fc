"""What we render in real pods, by the real controllers of the cluster of `make cluster`; skipped where it is not up."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
import yaml

from tests.engines import test_argo, test_kubernetes
from tests.engines.cases import Case
from tests.engines.cluster.node import SERVER
from tests.engines.datasets import example, pipeline_name, wurzel, wurzel_run
from tests.engines.drivers.cluster import ClusterCronJob, ClusterWorkflow
from tests.engines.processes import Processes
from tests.engines.workflows import Simulation

pytestmark = [pytest.mark.engine, pytest.mark.timeout(1800)]
KEYS = "{access_key_id: {name: bucket, key: id}, secret_access_key: {name: bucket, key: key}}"
MINUTE = 'schedule={cron: "* * * * *", timezone: Europe/Berlin}'


def rendered(cluster, project, name, target, *sets):
    """What is rendered for a target with the image of the cluster."""
    words = [f"image={cluster.image}", f"targets.{target}.image_pull_policy=IfNotPresent", *sets]
    command = ["render", pipeline_name(project, name), "-t", target, "--stdout", *(f"--set={word}" for word in words)]
    return list(yaml.safe_load_all(wurzel(project, *command).stdout))


def logs(cluster, workflow):
    """What the containers of a workflow's steps wrote, as lines."""
    label = f"workflows.argoproj.io/workflow={workflow.partition('/')[2]}"
    return cluster.kubectl("logs", "--selector", label, "--container=main", "--tail=-1").stdout.splitlines()


@pytest.mark.parametrize("target", ["argo", "cronjob"])
def test_the_api_server_takes_every_option(target, cluster, tmp_path):
    variants = {"argo": test_argo.VARIANTS, "cronjob": test_kubernetes.VARIANTS}[target]
    project = example("scheduled", tmp_path / "scheduled")
    for variant, options in variants.items():
        here = [option for option in options if "namespace=" not in option]
        here += ["steps.suffix.image=null"] if test_kubernetes.SINGLE in options else []  # one container has one image
        if variant in {"3.6", "4.1"}:
            continue  # for the CRDs of other versions
        manifests = rendered(cluster, project, "scheduled", target, *here)
        file = tmp_path / "manifests.yaml"
        file.write_text(yaml.safe_dump_all(manifests))
        said = cluster.kubectl("create", "--dry-run=server", "--validate=strict", "-f", file, check=False)
        assert (said.returncode, said.stderr) == (0, ""), variant


@pytest.mark.parametrize(
    ("name", "layout", "steps"),
    [
        ("grouped", "steps", {"words", "upper", "reverse", "suffix", "join", "shout"}),
        ("grouped", "auto", {"words", "upper", "reverse", "suffix", "shout"}),
        ("diamond", "single", {"join"}),
        ("fanout", "steps", {"words", "portions", "join", "count"}),
        ("branch", "steps", {"words", "many", "few", "after", "join"}),
    ],
)
def test_pods_hand_over_the_same_bytes_through_a_bucket(name, layout, steps, cluster, tmp_path):
    outcome = ClusterWorkflow(cluster, "s3", layout).run(Case(name, name), tmp_path / "cluster")
    assert outcome.code == 0, outcome.log
    expected = wurzel_run(example(name, tmp_path / "local"), name)
    assert outcome.data == {path: data for path, data in expected.items() if path.partition("/")[0] in steps}


def test_a_step_is_tried_again_in_a_pod_of_its_own(cluster, tmp_path):
    outcome = ClusterWorkflow(cluster).run(Case("flaky", "flaky"), tmp_path / "cluster")
    assert outcome.code == 0, outcome.log
    assert outcome.data == wurzel_run(example("flaky", tmp_path / "local"), "flaky")


@pytest.mark.parametrize("layout", ["steps", "auto"])
def test_a_store_hands_over_and_no_run_computes_it_again(layout, cluster, tmp_path, monkeypatch):
    project = tmp_path / "project"
    project.mkdir()
    (project / "halves.py").write_text(test_argo.HALVES.replace("COUNT", "13"))
    (project / "wurzel.yaml").write_text("version: 1\npipelines: {halves: {entrypoint: 'halves:halves'}}\n")
    store = f"url: s3://acme/{layout}, endpoint: '{cluster.bucket.endpoint}'"
    sets = [f"store={{{store}, secrets: {KEYS}}}", f"targets.argo.layout={layout}"]
    (manifest,) = rendered(cluster, project, "halves", "argo", *sets)
    first, second = cluster.submitted(manifest), cluster.submitted(manifest)
    assert (first[1], second[1]) == ((0, ""), (0, ""))
    assert [line for line in logs(cluster, first[0]) if ": started" in line]
    assert not [line for line in logs(cluster, second[0]) if ": started" in line]
    wurzel(project, "run", "halves")
    for variable, value in cluster.bucket.environ.items():
        monkeypatch.setenv(variable, value)
    monkeypatch.setenv("WURZEL_STORE_ENDPOINT", cluster.bucket.endpoint)
    for step in ("fit", "check"):
        wurzel(project, "store", "get", f"halves/{step}", "--store", f"s3://acme/{layout}", "-o", str(tmp_path / step))
        parts = {path.name: path.read_bytes() for path in (project / "data" / step).glob("part-*")}
        assert {path.name: path.read_bytes() for path in (tmp_path / step).glob("part-*")} == parts


@pytest.mark.parametrize("name", ["failing", "fanout"])
def test_the_simulation_ends_each_task_as_the_controller_does(name, cluster, tmp_path):
    """In as many pods."""
    project, mount = example(name, tmp_path / name), tmp_path / "mount"
    sets = ["image=acme/words:1.0", f"targets.argo.mount={mount}", test_argo.S3]
    manifest = yaml.safe_load(test_argo.render(project, name, sets))
    simulation = Simulation(manifest, tmp_path / "simulated", Processes(project, mount))
    simulation.run()
    (manifest,) = rendered(cluster, project, name, "argo", cluster_bucket(cluster))
    workflow, _ = cluster.submitted(manifest)
    ended = {}
    for pod in cluster.pods(workflow):
        task = pod["displayName"].partition("(")[0]
        ended[task] = ended.get(task, True) and pod["phase"] == "Succeeded"
    assert ended == {task: code == 0 for task, code in simulation.codes.items()}
    assert len(cluster.pods(workflow)) == len(simulation.logs)


class Hook(HTTPServer):
    """A server on the node that keeps what was sent to it."""

    def __init__(self):
        self.told = []
        super().__init__((SERVER, 0), self.Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            self.server.told.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_):
            pass


@pytest.mark.parametrize(("name", "state"), [("failing", "failed"), ("chain", 0)])
def test_a_failure_is_told_once_and_a_success_is_not(name, state, cluster, tmp_path):
    with Hook() as hook:
        url = f"http://{SERVER}:{hook.server_port}/"
        data = {"url": url}
        secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": f"hook-{name}"}, "stringData": data}
        cluster.apply(secret)
        sets = [f"on_failure={{webhook: {{name: hook-{name}, key: url}}}}", cluster_bucket(cluster)]
        (manifest,) = rendered(cluster, example(name, tmp_path / name), name, "argo", *sets)
        workflow, (ended, _) = cluster.submitted(manifest)
        hook.shutdown()
    assert ended == state
    if name == "chain":
        assert hook.told == []
        return
    (told,) = hook.told
    assert (told["pipeline"], told["step"]) == ("pipeline", "failing")
    assert "this step always fails" in told["reason"]
    phases = {node["displayName"]: node["phase"] for node in cluster.read("get", workflow)["status"]["nodes"].values()}
    assert phases["upper"] == "Succeeded"


def cluster_bucket(cluster):
    return f"targets.argo.artifacts={cluster.bucket.artifacts}"


def test_artifacts_are_removed_with_their_workflow_but_for_its_result(cluster, tmp_path):
    collector = "targets.argo.artifact_gc={strategy: OnWorkflowDeletion, service_account: default}"
    project = example("sharded", tmp_path / "sharded")
    (manifest,) = rendered(cluster, project, "sharded", "argo", cluster_bucket(cluster), collector)
    name, ended = cluster.submitted(manifest)
    assert ended == (0, "")
    keys = {
        artifact["s3"]["key"] for pod in cluster.pods(name) for artifact in pod.get("outputs", {}).get("artifacts", [])
    }
    assert len(keys) > 3
    written = [path for key in keys for path in (cluster.bucket.folder / key).rglob("*") if path.is_file()]
    assert len(written) > len(keys)
    cluster.kubectl("delete", name, "--timeout=180s")
    assert {path.parent.parent.name for path in written if path.exists()} == {"join"}


def made(cluster, kind, *selector):
    """The name of the first object of a kind, waited for until past the next full minute."""
    deadline = time.monotonic() + 90
    names = []
    while not names and time.monotonic() < deadline:
        time.sleep(1)
        names = cluster.kubectl("get", kind, "-o", "name", *selector).stdout.split()
    assert names
    return names[0]


def test_a_workflow_is_started_by_the_clock(cluster, tmp_path):
    sets = [MINUTE, cluster_bucket(cluster), "targets.argo.name=by-the-clock"]
    (manifest,) = rendered(cluster, example("chain", tmp_path / "chain"), "chain", "argo", *sets)
    assert manifest["kind"] == "CronWorkflow"
    (name,) = cluster.apply(manifest)
    first = made(cluster, "workflows", "--selector=workflows.argoproj.io/cron-workflow=by-the-clock")
    ended = cluster.ended(first)
    cluster.kubectl("delete", name)
    assert ended == (0, "")


def test_a_cronjob_is_started_by_the_clock(cluster, tmp_path):
    sets = [
        MINUTE,
        "targets.cronjob.name=by-the-clock",
        "labels={started-by: clock}",
        "targets.cronjob.data={claim: {size: 100Mi}}",
    ]
    cluster.apply(*rendered(cluster, example("chain", tmp_path / "chain"), "chain", "cronjob", *sets))
    first = made(cluster, "jobs", "--selector=started-by=clock")
    ended = cluster.ended(first)
    cluster.kubectl("delete", "cronjob", "by-the-clock")
    assert ended == (0, "")


@pytest.mark.parametrize("mode", ["single", "steps"])
def test_a_cronjob_gives_the_same_bytes(mode, cluster, tmp_path):
    outcome = ClusterCronJob(cluster, mode).run(Case("diamond", "diamond"), tmp_path / "cluster")
    assert outcome.code == 0, outcome.log
    assert outcome.data == wurzel_run(example("diamond", tmp_path / "local"), "diamond")


def test_prove_runs_a_pipeline_on_it(cluster, tmp_path):
    sets = [f"image={cluster.image}", 'schedule={cron: "0 4 * * *", timezone: UTC}']
    words = ["prove", "diamond:pipeline", "-t", "argo", "-t", "cronjob", *(f"--set={item}" for item in sets)]
    env = {"KUBECONFIG": cluster.config, "DOCKER_HOST": "unix:///nowhere"}
    done = wurzel(example("diamond", tmp_path / "diamond"), *words, env=env)
    assert done.returncode == 0, done.stdout + done.stderr
    assert {line.partition("same")[0].strip() for line in done.stdout.splitlines() if " same " in line} == {
        "Argo, cluster", "CronJob, cluster"
    }  # fmt: skip
    left = cluster.read("get", "namespaces")["items"]
    phases = {item["status"]["phase"] for item in left if item["metadata"]["name"].startswith("wurzel-prove-")}
    assert phases <= {"Terminating"}
