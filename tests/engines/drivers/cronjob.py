"""A rendered CronJob: its pod's containers, as restricted as rendered, in docker; no Kubernetes."""

import yaml

from tests.engines.containers import Containers
from tests.engines.drivers.argo import MOUNTED
from tests.engines.kubelet import Pod
from wurzel.engines.driver import Driver, Outcome, collected
from wurzel.engines.process import said_version

UID = "metadata.labels['batch.kubernetes.io/controller-uid']"
SETS = ('schedule={cron: "0 4 * * *", timezone: UTC}', "image=acme/words:1.0")


def read(text):
    """The pod of the only Job or CronJob in a file, and the data of its ConfigMaps by name."""
    objects = list(yaml.safe_load_all(text))
    (found,) = [item for item in objects if item["kind"] in {"Job", "CronJob"}]
    config_maps = {item["metadata"]["name"]: item["data"] for item in objects if item["kind"] == "ConfigMap"}
    return found["spec"].get("jobTemplate", found)["spec"]["template"]["spec"], config_maps


def note(case, mode):
    """What is done otherwise for a case."""
    if case.example == "flaky":
        return "its file of tries is on the data volume, the only place that can be written to"
    if case.fails and mode == "steps":
        return "init containers run one after the other, so the other branch is not run"
    return ""


class CronJobPod(Driver):
    """`docker` gives a running docker, or a text that says why there is none."""

    target = "cronjob"
    simulated = True

    def __init__(self, mode, docker):
        self.mode = mode
        self.docker = docker
        self.name = f"CronJob, {mode}, containers"
        self.how = (
            "the pod's containers in docker, not root, read-only, without capabilities and network; our own stand-in"
            " for the kubelet mounts volumes and sets variables; retries of the Job itself are not simulated"
        )

    def missing(self):
        found = self.docker()
        return found if isinstance(found, str) else ""

    def version(self):
        return said_version("dockerd", "--version")

    def run(self, case, folder):
        project = case.project(folder / "project")
        sets = [*SETS, f"targets.cronjob.layout={self.mode}", *([MOUNTED] if case.example == "flaky" else [])]
        spec, config_maps = read(case.rendered(project, "cronjob", *sets))
        runner = Containers.of(self.docker(), project)
        pod = Pod(spec, folder / "pod", folder / "claims", runner, {}, config_maps, {UID: "uid-1"})
        done = pod.run_all()
        data = collected(folder / "pod" / "data" / case.data_dir)
        return Outcome(done.code, data, done.output, note(case, self.mode), stops_early=self.mode == "steps")
