"""The cluster as the machine sees it: started, given images and volumes, and ended without a trace."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.request import urlopen

import yaml

from tests.engines.cluster import build, node
from tests.engines.cluster.build import BIN, HOME
from tests.engines.cluster.node import BRIDGE, CGROUP, GATEWAY, KUBECONFIG, SERVER, STATE

ROOT = Path(__file__).parents[3]
PIDS = STATE / "pids"
"""Process ids of `unshare` and of the first process within its namespaces."""
SYSCTLS = (
    *("vm/overcommit_memory", "vm/panic_on_oom", "kernel/panic", "kernel/panic_on_oops"),
    *("kernel/keys/root_maxkeys", "kernel/keys/root_maxbytes"),
)
"""What the kubelet sets on its machine."""
VOLUMES = 100
PATIENCE = 120.0
READY = "jsonpath={.status.conditions[?(@.type=='Ready')].status}"
DEFAULT = {"storageclass.kubernetes.io/is-default-class": "true"}
CLASS = {
    "apiVersion": "storage.k8s.io/v1",
    "kind": "StorageClass",
    "metadata": {"name": "local", "annotations": DEFAULT},
    "provisioner": "kubernetes.io/no-provisioner",
}
ARGO = [
    {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "argo"}},
    {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "workflow-controller-configmap", "namespace": "argo"},
        "data": {"metricsConfig": "{enabled: false}"},
    },
]


def kubectl(*arguments, stdin=None, check=True):
    command = [str(BIN / "kubectl"), "--kubeconfig", str(KUBECONFIG), *arguments]
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, check=False)
    if check and done.returncode:
        raise RuntimeError(f"kubectl {' '.join(arguments)}: {done.stderr}")
    return done.stdout


def running():
    """The process ids of the cluster, or none."""
    pids = [int(line) for line in PIDS.read_text().split()] if PIDS.exists() else []
    return pids if pids and all(Path(f"/proc/{pid}").exists() for pid in pids) else []


def within(*command):
    """Run a command where the daemons are."""
    words = ["nsenter", f"--target={running()[1]}", "--mount", "--pid", *map(str, command)]
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)


def wait_for(what, ready):
    deadline = time.monotonic() + PATIENCE
    while not ready():
        if not running() or time.monotonic() > deadline:
            raise RuntimeError(f"{what} did not come up; logs are in {STATE}/logs")
        time.sleep(0.5)
    print(f"{what}: ready", flush=True)


def network():
    for command in (
        ["link", "add", BRIDGE, "type", "bridge"],
        ["address", "add", f"{GATEWAY}/24", "dev", BRIDGE],
        ["address", "add", f"{SERVER}/32", "dev", BRIDGE],
        ["link", "set", BRIDGE, "up"],
    ):
        subprocess.run(["ip", *command], check=True)


def hierarchies():
    """The folders of cgroups of this machine: one for each controller, or one for all."""
    lines = [line.split() for line in Path("/proc/mounts").read_text().splitlines()]
    return sorted({Path(place) for _, place, kind, *_ in lines if kind in {"cgroup", "cgroup2"}})


def volume(number):
    """A persistent volume: a folder of this node, that only root can write to until a pod's group is given it."""
    folder = STATE / "volumes" / str(number)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    here = {"key": "kubernetes.io/hostname", "operator": "In", "values": ["wurzel"]}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": f"local-{number}"},
        "spec": {
            "capacity": {"storage": "10Gi"},
            "accessModes": ["ReadWriteOnce", "ReadWriteMany"],
            "persistentVolumeReclaimPolicy": "Retain",
            "storageClassName": "local",
            "local": {"path": str(folder)},
            "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [here]}]}},
        },
    }


def fill_volumes():
    """Make volumes that no claim has had, up to their number."""
    found = yaml.safe_load(kubectl("get", "persistentvolumes", "-o", "yaml"))["items"]
    used = [item["metadata"]["name"] for item in found if item["status"]["phase"] in {"Released", "Failed"}]
    if used:
        kubectl("delete", "persistentvolumes", *used)
    left = {item["metadata"]["name"] for item in found} - set(used)
    new = [volume(number) for number in range(VOLUMES) if f"local-{number}" not in left]
    if new:
        kubectl("create", "-f", "-", stdin=yaml.safe_dump_all(new))


def load(archive):
    """Have an image, a docker archive, on the node."""
    within("ctr", "--namespace=k8s.io", "images", "import", archive)


def start():
    STATE.mkdir(mode=0o700)
    saved = {name: Path("/proc/sys", name).read_text() for name in SYSCTLS}
    node.configure()
    node.write("sysctls", saved)
    network()
    for folder in hierarchies():
        (folder / CGROUP).mkdir(exist_ok=True)
    namespaces = ["--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
    command = ["unshare", *namespaces, sys.executable, "-m", "tests.engines.cluster.node"]
    with (STATE / "logs" / "node.log").open("ab") as log:
        process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    while not (first := children.read_text().strip()):
        time.sleep(0.05)
    PIDS.write_text(f"{process.pid} {first}\n")


def controller_is_healthy():
    with contextlib.suppress(OSError), urlopen("http://127.0.0.1:6060/healthz", timeout=5) as answer:
        return answer.status == 200
    return False


def up():
    if reason := build.build():
        return reason
    began = time.monotonic()
    if not running():
        down()
        start()
    wait_for("API server", lambda: kubectl("get", "--raw=/readyz", check=False) == "ok")
    kubectl("apply", "--server-side", "--force-conflicts", "-k", str(HOME / "crds"))
    kubectl("apply", "-f", "-", stdin=yaml.safe_dump_all([CLASS, *ARGO]))
    wait_for("node", lambda: "True" in kubectl("get", "node", "wurzel", "-o", READY, check=False))
    with tempfile.TemporaryDirectory() as folder:
        for archive in build.base_images(Path(folder)):
            load(archive)
    fill_volumes()
    wait_for("Argo's controller", controller_is_healthy)
    print(f"up after {time.monotonic() - began:.0f} s: export KUBECONFIG={KUBECONFIG}")
    return ""


def down():
    """End it, with whatever a part of it has left; nothing happens where there is none."""
    for pid in running():
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    while running():
        time.sleep(0.05)
    if Path("/sys/class/net", BRIDGE).exists():
        subprocess.run(["ip", "link", "delete", BRIDGE], check=True)
    for folder in hierarchies():
        for path in sorted((folder / CGROUP).rglob("*/"), reverse=True):
            path.rmdir()
        if (folder / CGROUP).exists():
            (folder / CGROUP).rmdir()
    if (STATE / "sysctls").exists():
        for name, value in yaml.safe_load((STATE / "sysctls").read_text()).items():
            Path("/proc/sys", name).write_text(value)
    if STATE.exists():
        shutil.rmtree(STATE)
    return ""
