"""Argo Workflows in a simulation of its controller; containers are processes, or real ones in docker."""

import shutil
import tarfile

import yaml

from tests.engines.cases import MOUNTED
from tests.engines.containers import Containers
from tests.engines.processes import Processes
from tests.engines.workflows import Simulation
from wurzel.engines.driver import Driver, Outcome, collected

STORES = {
    "s3": "targets.argo.artifacts={s3: {bucket: acme-data, prefix: p}}",
    "tar": "targets.argo.artifacts={s3: {bucket: acme-data}, archive: tar}",
    "default repository": "",
    "volume": "targets.argo.artifacts={volume: {name: shared}}",
}
REMEMBERED = "with `artifacts: {volume: …}`: each try is a new pod, and the step remembers a try in a file"


class ArgoSimulation(Driver):
    """The rendered Workflow. `docker` gives a running docker, or a text that says why there is none."""

    target = "argo"
    simulated = True

    def __init__(self, store, docker=None):
        self.store = store
        self.docker = docker
        self.name = f"Argo, {store}" + (", containers" if docker else "")
        runner = "real containers, as restricted as rendered" if docker else "processes on this machine"
        self.how = f"our own simulation of Argo's controller and artifact store ({store}); steps are {runner}"

    def missing(self):
        found = self.docker() if self.docker else ""
        return found if isinstance(found, str) else ""

    def version(self):
        return "rendered for Argo 4.0; its own validation and CRDs are held against every file by the tests"

    def run(self, case, folder):
        project = case.project(folder / "project")
        note, sets = "", ["image=acme/words:1.0", *([STORES[self.store]] if STORES[self.store] else [])]
        if self.docker:
            if case.example == "flaky":
                sets[1:] = [STORES["volume"], MOUNTED]
                note = REMEMBERED
            text = case.rendered(project, "argo", *sets)
            runner = Containers.of(self.docker(), project)
        else:
            mount = folder / "mount"
            text = case.rendered(project, "argo", f"targets.argo.mount={mount}", *sets)
            runner = Processes(project, mount)
        (manifest,) = [item for item in yaml.safe_load_all(text) if item["kind"] in {"Workflow", "CronWorkflow"}]
        simulation = Simulation(manifest, folder / "cluster", runner)
        code = simulation.run()
        return Outcome(code, workflow_data(simulation, folder / "gathered", case), str(simulation.logs), note)


def workflow_data(simulation, scratch, case):
    """The datasets that the tasks of a simulated workflow have kept, put together in a scratch folder."""
    claim = simulation.folder / "claims" / "shared" / simulation.uid / case.data_dir
    if claim.is_dir():
        return collected(claim)
    root = f"{mount(simulation.spec)}/{case.data_dir}/"
    for path, place in simulation.kept.items():
        unpack(place, scratch / "data" / path.removeprefix(root))
    return collected(scratch / "data")


def mount(spec):
    """Where a workflow's containers have the volume with the data."""
    mounts = spec["templateDefaults"]["container"]["volumeMounts"]
    return next(entry["mountPath"] for entry in mounts if entry["name"] == "data")


def unpack(place, folder):
    """A kept artifact, a folder or an archive, as a folder."""
    if place.is_dir():
        shutil.copytree(place, folder)
        return
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(place) as archive:
        archive.extractall(folder.parent, filter="data")
