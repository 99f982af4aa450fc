"""A rendered CronJob or Job: its pod's containers in docker, and the whole of it on a cluster."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from ruamel.yaml import YAML

from wurzel.engines.cluster import AT_ONCE, OnCluster
from wurzel.engines.docker import Containers, Docker
from wurzel.engines.driver import Case, Driver, Outcome, collected
from wurzel.engines.pod import Object, Pod, Runner

UID = "metadata.labels['batch.kubernetes.io/controller-uid']"
SUSPENDED = ("targets.cronjob.manifests=file", "targets.cronjob.suspend=true", "targets.cronjob.gitops=null")
CLAIM = "targets.cronjob.data={claim: {size: 1Gi}}"
STOPPED = "init containers run one after the other, so the other branch is not run"


def read(text: str) -> tuple[Object, dict[str, dict[str, str]]]:
    """The pod of the only Job or CronJob in a file, and the data of its ConfigMaps by name."""
    objects = [item for item in YAML(typ="safe").load_all(text) if item]
    (found,) = [item for item in objects if item["kind"] in {"Job", "CronJob"}]
    config_maps = {item["metadata"]["name"]: item["data"] for item in objects if item["kind"] == "ConfigMap"}
    return found["spec"].get("jobTemplate", found)["spec"]["template"]["spec"], config_maps


def ended(case: Case, code: int | str, spec: Object, data: Path, log: str, note: str) -> Outcome:
    """What came of a pod; one with init containers runs nothing more once a step has failed."""
    early = bool(spec.get("initContainers"))
    notes = [note, STOPPED if early and code != 0 else ""]
    return Outcome(code, collected(data / case.data_dir), log, "; ".join(filter(None, notes)), stops_early=early)


class CronJobPod(Driver):
    """The containers of the pod in docker. `docker` gives a running docker, or a text that says why there is none."""

    target = "cronjob"
    name = "CronJob, containers"
    simulated = True
    how = (
        "the pod's containers in docker, as restricted as rendered; our own stand-in for the kubelet mounts volumes and"
        " sets variables; retries of the Job itself are not simulated"
    )

    def __init__(self, seconds: float = 600, sets: Sequence[str] = (), docker: Docker | None = None) -> None:
        self.seconds = seconds
        self.sets = tuple(sets)
        self.docker = docker or Docker()

    def missing(self) -> str:
        """Whether there is a docker that answers."""
        return self.docker.missing()

    def version(self) -> str:
        """That of the docker daemon."""
        return self.docker.version()

    def runner(self, project: Path) -> tuple[Runner, tuple[str, ...]]:
        """What runs the containers of a project, and fields that are set for it: files must be ours to remove."""
        del project
        user = os.geteuid()
        mine = (f"targets.cronjob.security.run_as_user={user}",) if user else ()
        return Containers(self.docker, seconds=self.seconds), mine

    def run(self, case: Case, folder: Path) -> Outcome:
        """Render, and run one container after the other."""
        project = case.project(folder / "project")
        runner, own = self.runner(project)
        sets, note = case.adapted("cronjob")
        file, *_ = self.rendered(case, project, *self.sets, *SUSPENDED, "targets.cronjob.data={}", *sets, *own)
        spec, config_maps = read(file.read_text(encoding="utf-8"))
        pod = Pod(spec, folder / "pod", folder / "claims", runner, {}, config_maps, {UID: "uid-1"})
        done = pod.run_all()
        return ended(case, done.code, spec, folder / "pod" / "data", done.output, note)


class ClusterCronJob(OnCluster):
    """Applies the CronJob, starts a job from it by hand, and reads its claim."""

    target = "cronjob"
    name = "CronJob, cluster"
    how = f"applied with strict validation, started by `kubectl create job --from`, {AT_ONCE} cases at a time"

    def run(self, case: Case, folder: Path) -> Outcome:
        """Render, apply, start, read; without a schedule, it is a Job, which starts when it is applied."""
        sets, name, note = self.settings(case, CLAIM, *SUSPENDED)
        file, *_ = self.rendered(case, case.project(folder / "project"), *sets)
        if f"cronjob.batch/{name}" in self.cluster.send(file):
            self.cluster.kubectl("create", "job", f"--from=cronjob/{name}", name)
        selector = f"job-name={name}"
        code = self.cluster.wait(lambda: self.cluster.job_state(name), selector)
        log = self.cluster.log(selector) if code else ""
        spec = self.cluster.read("get", "job", name)["spec"]["template"]["spec"]
        if code in {0, "failed"}:
            self.cluster.files(f"{name}-data", name, folder / "data", spec["containers"][0]["image"])
        return ended(case, code, spec, folder / "data", log, note)
