"""GitHub Actions in act 0.2.89, which runs the jobs on this machine.

actions/checkout is its own; upload-artifact and download-artifact are wrappers around GitHub's own artifact client,
against the artifact server of act; setup-python and cache are stand-ins. What it runs is rendered with `legacy: true`,
for it does not know `concurrency.queue`.
"""

import os
import socket
import subprocess
import sys
import zipfile
from pathlib import Path

from tests.engines.datasets import DATA_DIRS
from tests.engines.drivers import base
from tests.engines.drivers.base import Driver, Outcome, collected, git_home, no_program, said_version
from wurzel.backends.github.options import PINS

HOME = Path(__file__).parents[3] / ".engines" / "github"
ACTIONS = {
    "actions/upload-artifact": "upload",
    "actions/download-artifact": "download",
    "actions/setup-python": "setup-python",
}
STAND_INS = Path(__file__).parents[1] / "actions"
SETS = ("targets.github.legacy=true", "targets.github.install=wurzel --version", "targets.github.layout=steps")


class Act:
    """Runs an event of a project's workflow from a fresh clone below `root`."""

    def __init__(self, root):
        self.root = root
        self.environment = {
            **os.environ,
            **git_home(root / "home"),
            "PATH": f"{HOME / 'bin'}:{os.environ['PATH']}",
        }

    def __call__(self, project, *arguments, event="workflow_dispatch", branch="main"):
        """The finished process, and the folder with the artifacts it kept."""
        clone = self.root / f"clone {len(list(self.root.iterdir()))}"
        store = self.root / f"artifacts-{len(list(self.root.iterdir()))}"
        (store / "1").mkdir(parents=True)  # act's server fails to list the artifacts of a run that has no folder yet
        origin = "https://github.com/acme/rag.git"
        base.clone(project, clone, origin, branch=branch, environment=self.environment)
        replaced = [
            f"--local-repository={action}@{PINS[action][0]}={HOME / 'actions' / ours}"
            for action, ours in ACTIONS.items()
        ]
        replaced += [f"--local-repository=actions/cache@{PINS['actions/cache'][0]}={STAND_INS / 'cache'}"]
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        done = subprocess.run(
            [
                *("timeout", "-s", "KILL", "120", str(HOME / "bin" / "act"), event, "-P", "ubuntu-24.04=-self-hosted"),
                *("--no-cache-server", f"--artifact-server-path={store}", "--artifact-server-addr=127.0.0.1"),
                *(f"--artifact-server-port={port}", f"--env=TEST_PYTHON_BIN={Path(sys.executable).parent}"),
                *(f"--env=TEST_CACHE={self.root / 'cache'}", *replaced, *arguments),
            ],
            cwd=clone,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        return done, store


def unpacked(store, folder, name):
    """The artifacts of a run of an example as datasets, shards joined."""
    root = folder / DATA_DIRS.get(name, "data")
    for archive in store.rglob("*.zip"):
        pipeline, *parts = archive.name.removesuffix(".zip").split(".")
        if not parts or pipeline.endswith("-results"):  # the datasets of several last steps
            zipfile.ZipFile(archive).extractall(root)
            continue
        step, *rest = parts
        sliced = bool(rest) and rest[-1].startswith("shard-")  # then folders of slices, and of outputs, are within
        zipfile.ZipFile(archive).extractall(root / step if sliced else root.joinpath(step, *rest))
    return collected(root)


class GitHub(Driver):
    """The rendered workflow in act."""

    target = "github"
    name = "GitHub Actions"
    how = (
        "`act workflow_dispatch` with the jobs on this machine, no containers; artifacts by GitHub's own client against"
        " act's server, `setup-python` and `cache` are stand-ins; rendered with `legacy: true`, as act knows no queue"
    )

    def missing(self):
        return no_program(HOME / "bin" / "act")

    def version(self):
        return said_version(str(HOME / "bin" / "act"), "--version")

    def run(self, case, folder):
        project = case.project(folder / "project")
        case.render(project, "github", *SETS)
        done, store = Act(folder)(project)
        return Outcome(done.returncode, unpacked(store, folder / "out", case.example), done.stdout + done.stderr)
