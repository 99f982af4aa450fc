"""Builds the programs of the cluster from Go modules, and images for it; what is there is not built a second time."""

import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

from tests.engines.install import GO, ROOT, argo_sources, module_folder

HERE = Path(__file__).parent
HOME = ROOT / "cluster"
BIN = HOME / "bin"
KUBERNETES, ETCD, ARGO = "1.36.3", "v3.6.13", "v4.0.5"
PROGRAMS = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kubectl")
DEBIAN = {"containerd": "containerd", "runc": "runc", "/usr/lib/cni/bridge": "containernetworking-plugins"}
"""Program, and the Debian package that has it."""
PAUSE, EXECUTOR = "localhost/pause:1", f"localhost/argoexec:{ARGO}"


def go(folder, *arguments):
    """Build with what the modules ask for; the environment's flags come first."""
    flags = f"{os.environ.get('GOFLAGS', '')} -mod=mod -buildvcs=false".strip()
    environ = GO | {"CGO_ENABLED": "0", "GOFLAGS": flags}
    subprocess.run(["go", "build", "-trimpath", *arguments], cwd=folder, env=environ, check=True)


def stripped(*variables):
    return ["-ldflags", " ".join(["-s", "-w", *(f"-X {item}" for item in variables)])]


def build_etcd(folder):
    (folder / "go.mod").write_text(f"module cluster\ngo 1.26.0\nrequire go.etcd.io/etcd/server/v3 {ETCD}\n")
    shutil.copy(HERE / "etcd.go", folder)
    go(folder, *stripped(), "-o", BIN / "etcd", ".")


def build_kubernetes(folder):
    """Its go.mod has its own modules at v0.0.0, next to it; they are had by their own names and versions."""
    asked = (module_folder("k8s.io/kubernetes", f"v{KUBERNETES}") / "go.mod").read_text()
    staged = re.findall(r"^\s(k8s\.io/\S+) v0\.0\.0(?: //.*)?$", asked, re.MULTILINE)
    version = f"v0.{KUBERNETES.partition('.')[2]}"
    lines = ["module cluster", "go 1.26.0", "godebug default=go1.26", f"require k8s.io/kubernetes v{KUBERNETES}"]
    lines += [f"replace {name} => {name} {version}" for name in staged]
    (folder / "go.mod").write_text("\n".join(lines) + "\n")
    variables = stripped(f"k8s.io/component-base/version.gitVersion=v{KUBERNETES}")
    for program in PROGRAMS:
        if not (BIN / program).exists():
            go(folder, *variables, "-o", BIN / program, f"k8s.io/kubernetes/cmd/{program}")


def build_argo(folder):
    sources = argo_sources(folder, "github.com/argoproj/argo-workflows/v4", ARGO)
    shutil.copy(HERE / "signal_linux.go", sources / "workflow" / "executor" / "osspecific")
    shutil.copytree(sources / "manifests" / "base" / "crds" / "full", HOME / "crds", dirs_exist_ok=True)
    variables = stripped(f"github.com/argoproj/argo-workflows/v4.version={ARGO}")
    for program in ("argoexec", "workflow-controller"):
        go(sources, *variables, "-o", BIN / program, f"./cmd/{program}")


def build_pause(folder):
    (folder / "go.mod").write_text("module cluster\ngo 1.26.0\n")
    shutil.copy(HERE / "pause.go", folder)
    go(folder, *stripped(), "-o", BIN / "pause", ".")


BUILDERS = {
    "pause": build_pause,
    "etcd": build_etcd,
    "workflow-controller": build_argo,
    PROGRAMS[-1]: build_kubernetes,
}
"""By the program that is built last."""


def image(target, name, layers, **config):
    """Write an image as a docker archive.

    Args:
        target: the file.
        name: of the image, with its tag.
        layers: tar files.
        config: of containers: `Env`, `WorkingDir`.
    """
    digests = [hashlib.sha256(layer.read_bytes()).hexdigest() for layer in layers]
    described = {
        "architecture": {"x86_64": "amd64", "aarch64": "arm64"}.get(os.uname().machine, os.uname().machine),
        "os": "linux",
        "config": config,
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}" for digest in digests]},
    }
    manifest = [{"Config": "config.json", "RepoTags": [name], "Layers": [f"{digest}.tar" for digest in digests]}]
    with tarfile.open(target, "w") as archive:
        for layer, digest in zip(layers, digests, strict=True):
            archive.add(layer, f"{digest}.tar")
        for file, content in (("config.json", described), ("manifest.json", manifest)):
            text = json.dumps(content).encode()
            entry = tarfile.TarInfo(file)
            entry.size = len(text)
            archive.addfile(entry, io.BytesIO(text))


def layer(target, content):
    """Write a layer of files and folders, owned by root; `content` has each by its path in the image."""

    def of_root(entry):
        entry.uid = entry.gid = entry.mtime = 0
        entry.uname = entry.gname = "root"
        return entry

    with tarfile.open(target, "w") as archive:
        for path, source in sorted(content.items()):
            archive.add(source, path, filter=of_root)
    return target


def build():
    """Everything that is not there; the reason why it cannot be, as text, or ''."""
    if os.geteuid():
        return "a cluster on this machine needs root"
    if shutil.which("go") is None:
        return "a cluster is built from Go modules, and there is no Go here"
    missing = [package for program, package in DEBIAN.items() if shutil.which(program) is None]
    if missing:
        subprocess.run(["apt-get", "update", "-qq"], check=True)
        subprocess.run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", *missing], check=True)
    versions = f"{KUBERNETES} {ETCD} {ARGO}"
    stamp = HOME / "versions"
    if stamp.exists() and stamp.read_text() != versions:
        shutil.rmtree(HOME)
    BIN.mkdir(parents=True, exist_ok=True)
    stamp.write_text(versions)
    for program, builder in BUILDERS.items():
        if not (BIN / program).exists():
            print(f"building {builder.__name__.removeprefix('build_')}", flush=True)
            with tempfile.TemporaryDirectory() as folder:
                builder(Path(folder))
    return ""


def base_images(folder):
    """Archives of the sandbox's image and of Argo's executor."""
    made = []
    for name, program in ((PAUSE, "pause"), (EXECUTOR, "argoexec")):
        made.append(folder / f"{program}.tar")
        one = layer(folder / "layer", {f"bin/{program}": BIN / program})
        image(made[-1], name, [one], Entrypoint=[f"/bin/{program}"], Env=["PATH=/bin"])
    return made
