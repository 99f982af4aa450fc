"""The daemons of the cluster; run as the first process of namespaces of its own (see `host.py`).

All that daemons leave in fixed places (`/run`, `/var/lib`, `/var/log`, mounts, processes) is gone with the namespaces.
What outlives them is below `STATE`, the bridge, and the cgroups.
"""

import json
import os
import secrets
import signal
import subprocess
import time
from pathlib import Path

from tests.engines.cluster.build import BIN, EXECUTOR, PAUSE

STATE = Path("/var/tmp/wurzel-cluster")
KUBECONFIG = STATE / "kubeconfig"
BRIDGE, GATEWAY, SERVER = "wurzel0", "10.244.0.1", "10.96.0.1"
"""The bridge of pods and its two addresses: the way out of a pod, and what pods are told the API server is."""
CGROUP = "wurzel-cluster"
DISKS = tuple(f"{disk}.{what}" for disk in ("nodefs", "imagefs") for what in ("available", "inodesFree"))
"""What is never reclaimed: images come from no registry that they could be had from again."""
HIDDEN = ("/run", "/var/lib", "/var/log")
CONTAINERD = """version = 2
root = "{state}/containerd"
state = "/run/containerd"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{pause}"
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "{state}/cni"
"""
NETWORK = {
    "cniVersion": "0.4.0",
    "name": "wurzel",
    "plugins": [
        {
            "type": "bridge",
            "bridge": BRIDGE,
            "isDefaultGateway": True,
            "hairpinMode": True,
            "ipam": {"type": "host-local", "ranges": [[{"subnet": "10.244.0.0/24"}]]},
        }
    ],
}


def client(token):
    """A kubeconfig; its certificate is the one that the API server makes for itself."""
    server = {"server": f"https://{SERVER}", "certificate-authority": f"{STATE}/certs/apiserver.crt"}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "wurzel", "cluster": server}],
        "users": [{"name": "admin", "user": {"token": token}}],
        "contexts": [{"name": "wurzel", "context": {"cluster": "wurzel", "user": "admin"}}],
        "current-context": "wurzel",
    }


def kubelet():
    """Its configuration. It asks the API server who may speak to it, and writes nowhere but below `STATE`."""
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": GATEWAY,
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": False},
            "x509": {"clientCAFile": f"{STATE}/certs/kubelet-client.crt"},
        },
        "authorization": {"mode": "AlwaysAllow"},
        "containerRuntimeEndpoint": "unix:///run/containerd/containerd.sock",
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{CGROUP}",
        "failCgroupV1": False,
        "failSwapOn": False,
        "makeIPTablesUtilChains": False,
        "healthzPort": 0,
        "oomScoreAdj": 0,
        "resolvConf": "",
        "podLogsDir": f"{STATE}/logs/pods",
        "volumePluginDir": f"{STATE}/plugins",
        "evictionHard": {"memory.available": "100Mi", **dict.fromkeys(DISKS, "0%")},
        "imageGCHighThresholdPercent": 100,
    }


def write(name, content):
    path = STATE / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def configure():
    """Write keys and configurations, new ones for each start."""
    token, certs = secrets.token_hex(24), STATE / "certs"
    certs.mkdir()
    openssl = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "365", "-subj", "/CN=apiserver"]
    for name in ("kubelet-client", "accounts"):
        files = ["-keyout", f"{certs}/{name}.key", "-out", f"{certs}/{name}.crt"]
        subprocess.run([*openssl, *files], check=True, stderr=subprocess.DEVNULL)
    write("certs/tokens.csv", f'{token},admin,admin,"system:masters"\n')
    write("kubeconfig", client(token))
    write("containerd.toml", CONTAINERD.format(state=STATE, pause=PAUSE))
    write("cni/wurzel.conflist", NETWORK)
    write("kubelet.json", kubelet())
    for name in ("logs/pods", "plugins", "volumes"):
        (STATE / name).mkdir(parents=True)


def daemons():
    """The command of each, by its name."""
    certs, etcd = STATE / "certs", f"unix://{STATE}/etcd.sock"
    as_admin = f"--kubeconfig={KUBECONFIG}"
    return {
        "etcd": [
            BIN / "etcd", "--name=one", f"--data-dir={STATE}/etcd", "--unsafe-no-fsync",
            f"--listen-client-urls={etcd}", "--advertise-client-urls=http://127.0.0.1:2379",
            f"--listen-peer-urls=unix://{STATE}/peers.sock",
        ],
        "kube-apiserver": [
            BIN / "kube-apiserver", f"--etcd-servers={etcd}", f"--cert-dir={certs}", f"--bind-address={SERVER}",
            "--secure-port=443", f"--advertise-address={SERVER}", "--service-cluster-ip-range=10.96.0.0/24",
            f"--token-auth-file={certs}/tokens.csv", "--authorization-mode=RBAC", "--anonymous-auth=false",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-key-file={certs}/accounts.crt",
            f"--service-account-signing-key-file={certs}/accounts.key",
            f"--kubelet-client-certificate={certs}/kubelet-client.crt",
            f"--kubelet-client-key={certs}/kubelet-client.key", "--kubelet-preferred-address-types=InternalIP",
        ],
        "kube-controller-manager": [
            BIN / "kube-controller-manager", as_admin, "--leader-elect=false", "--secure-port=0",
            f"--root-ca-file={certs}/apiserver.crt", f"--service-account-private-key-file={certs}/accounts.key",
        ],
        "kube-scheduler": [BIN / "kube-scheduler", as_admin, "--leader-elect=false", "--secure-port=0"],
        "containerd": ["containerd", "--config", STATE / "containerd.toml"],
        "kubelet": [
            BIN / "kubelet", as_admin, f"--config={STATE}/kubelet.json", f"--root-dir={STATE}/kubelet",
            "--hostname-override=wurzel", f"--node-ip={GATEWAY}",
        ],
        "workflow-controller": [
            BIN / "workflow-controller", as_admin, "--namespace=argo", f"--executor-image={EXECUTOR}",
            "--executor-image-pull-policy=IfNotPresent",
        ],
    }  # fmt: skip


class Supervisor:
    """Starts the daemons, and again those that end: some do until those that they need are up."""

    def __init__(self):
        self.commands = daemons()
        self.environ = os.environ | {"LEADER_ELECTION_DISABLE": "true"}
        self.running = {}

    def start(self, name):
        with (STATE / "logs" / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                [str(word) for word in self.commands[name]],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self.environ, start_new_session=True,
            )  # fmt: skip
        process.name = name
        self.running[process.pid] = process  # one that nothing refers to is reaped by the next Popen, unseen here

    def run(self):
        """Never ends. Orphans of the daemons are children of this process, too, and are reaped here."""
        for name in self.commands:
            self.start(name)
        while True:
            ended, status = os.wait()
            if process := self.running.pop(ended, None):
                process.returncode = os.waitstatus_to_exitcode(status)
                time.sleep(1)
                self.start(process.name)


def main():
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    subprocess.run(["mount", "--make-rshared", "/"], check=True)
    for path in HIDDEN:
        subprocess.run(["mount", "-t", "tmpfs", "none", path], check=True)
    Supervisor().run()


if __name__ == "__main__":
    main()
