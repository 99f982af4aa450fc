"""Pods that hand over through a store and keep nothing else: on a cluster by a bucket, simulated by a folder."""

import yaml

from tests.engines.drivers.cluster import ClusterCronJob, ClusterWorkflow
from tests.engines.processes import Processes
from tests.engines.workflows import Simulation
from wurzel.engines.cronjob import SUSPENDED, UID, read
from wurzel.engines.driver import Driver, Outcome
from wurzel.engines.pod import Pod


class StoredWorkflow(ClusterWorkflow):
    """A Workflow on a cluster, whose bucket has the store."""

    def __init__(self, cluster, layout):
        super().__init__(cluster, "s3", layout)
        self.bucket = cluster.bucket
        self.name = f"Argo, {layout}, cluster"

    def storage(self, _name):
        return [self.bucket.secret]

    def place(self, _name):
        return "null"

    def fetch(self, *_):
        pass


class StoredJob(ClusterCronJob):
    """A Job of a CronJob on a cluster, whose bucket has the store."""

    def __init__(self, cluster, layout):
        super().__init__(cluster, layout)
        self.bucket = cluster.bucket

    def missing(self):
        return super().missing() or (
            "" if self.bucket else "its bucket is served on the node that `make cluster` makes"
        )

    def run(self, case, folder):
        sets, name, _ = self.settings(case, *SUSPENDED)
        self.cluster.apply(self.bucket.secret)
        file, *_ = self.rendered(case, case.project(folder / "project"), *sets)
        self.cluster.send(file)
        self.cluster.kubectl("create", "job", f"--from=cronjob/{name}", name)
        code, log = self.cluster.ended(f"job/{name}")
        return Outcome(code, {}, log)


class Simulated(Driver):
    """A stand-in for a cluster: the containers are processes, and what is mounted for the store is its own folder."""

    simulated = True

    def __init__(self, layout):
        self.name = f"{self.kind}, {layout} (simulation)"
        self.layout = layout

    def run(self, case, folder):
        project, mount = case.project(folder / "project"), folder / "mount"
        store = next(one for one in case.sets if one.startswith("store=")).removeprefix("store=file://")
        volume = f"{{name: store, mount_path: {store}, claim: {{name: store}}, read_only: false}}"
        options = {"layout": self.layout, "mount": mount, "volumes": f"[{volume}]"}
        sets = ["image=acme/words:1.0", *(f"targets.{self.target}.{name}={said}" for name, said in options.items())]
        text = case.rendered(project, self.target, *sets)
        return self.outcome(text, folder, Processes(project, mount))


class SimulatedWorkflow(Simulated):
    target, kind = "argo", "Argo"

    def outcome(self, text, folder, runner):
        (manifest,) = yaml.safe_load_all(text)
        simulation = Simulation(manifest, folder / "cluster", runner)
        return Outcome(simulation.run(), {}, str(simulation.logs))


class SimulatedJob(Simulated):
    target, kind = "cronjob", "CronJob"

    def outcome(self, text, folder, runner):
        spec, config_maps = read(text)
        done = Pod(spec, folder / "pod", folder / "claims", runner, {}, config_maps, {UID: "uid-1"}).run_all()
        return Outcome(done.code, {}, done.output)
