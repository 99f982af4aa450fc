"""A docker of our own and an image that holds wurzel and an example: rendered containers run as they would in a pod.

The image is made of `.engines/containers/rootfs.tar` (see install.py); nothing is pulled.
"""

import os
import shutil
import subprocess
import sys
import time
import tomllib
import uuid
from pathlib import Path

import pytest

from wurzel.engines import docker

ROOT = Path(__file__).parents[2]
ROOTFS = ROOT / ".engines" / "containers" / "rootfs.tar"
PYTHON = "3.11"
"""The Python of Debian bookworm."""
BASE = "wurzel-test/base"
VARIABLES = {"PYTHONPATH": "/opt/site", "LANG": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"}
"""What images have in their environment."""


class Docker(docker.Docker):
    """A docker daemon with all its files in one folder."""

    def __init__(self, folder):
        socket = f"unix://{folder}/docker.sock"
        super().__init__("-H", socket)
        self.log = (folder / "log").open("w")
        self.daemon = subprocess.Popen(
            [
                "dockerd", "--data-root", str(folder / "root"), "--exec-root", str(folder / "exec"),
                "-H", socket, "-p", str(folder / "docker.pid"), "--bridge=none", "--iptables=false",
            ],
            stdout=self.log, stderr=self.log, start_new_session=True,
        )  # fmt: skip

    def wait(self):
        """Whether it is up within half a minute."""
        for _ in range(60):
            if self.daemon.poll() is not None:
                return False
            if not self.missing():
                return True
            time.sleep(0.5)
        return False

    def stop(self):
        self.daemon.terminate()
        self.daemon.wait(30)
        self.log.close()


def begin(folder):
    """A running docker with the base image, below a folder; or the reason why there is none, as text."""
    if not ROOTFS.exists():
        return "no containers here: install.py could not set them up (it needs root and apt-get)"
    image = folder / "image"
    image.mkdir(parents=True)
    engine = Docker(folder)
    if not engine.wait():
        engine.stop()
        return f"dockerd does not start here: {(folder / 'log').read_text()[-300:]}"
    engine("import", str(ROOTFS), "wurzel-test/rootfs")
    build_base(engine, image)
    return engine


@pytest.fixture(scope="session", name="docker")
def running(tmp_path_factory):
    """A running docker with the base image."""
    engine = begin(tmp_path_factory.mktemp("docker"))
    if isinstance(engine, str):
        pytest.skip(engine)
    yield engine
    engine.stop()


def build_base(engine, folder):
    """The base image: wurzel and what it needs."""
    installed(folder)
    variables = " ".join(f"{name}={value}" for name, value in VARIABLES.items())
    (folder / "Dockerfile").write_text(
        "FROM wurzel-test/rootfs\nCOPY site /opt/site\nCOPY wurzel /usr/local/bin/wurzel\n"
        f"ENV {variables}\nWORKDIR /app\n"
    )
    engine("build", "-q", "-t", BASE, str(folder))


def installed(folder, *extras):
    """Write `site`, with wurzel and what it needs for the Python of the image, and the program `wurzel`."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    needs = [*project["dependencies"], *(need for extra in extras for need in project["optional-dependencies"][extra])]
    platforms = [f"--platform=manylinux{name}_{os.uname().machine}" for name in ("2014", "_2_17", "_2_28", "_2_34")]
    subprocess.run(
        [
            sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
            "--root-user-action=ignore",
            f"--target={folder / 'site'}", f"--python-version={PYTHON}", "--implementation=cp", "--only-binary=:all:",
            *platforms, *needs,
        ],
        check=True,
    )  # fmt: skip
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "wurzel", folder / "site" / "wurzel", ignore=ignore)
    shutil.copytree(ROOT / "templates", folder / "site" / "wurzel" / "templates", ignore=ignore, dirs_exist_ok=True)
    script = folder / "wurzel"
    script.write_text('#!/bin/sh\nexec /usr/bin/python3 -m wurzel "$@"\n')
    script.chmod(0o755)


class Containers(docker.Containers):
    """Containers without a network, in an image that holds a project."""

    @classmethod
    def of(cls, engine, project):
        """An image of the project, owned by root, as images are."""
        (project / "Dockerfile").write_text(f"FROM {BASE}\nCOPY . /app\n")
        image = f"wurzel-test/{uuid.uuid4().hex[:8]}"
        engine("build", "-q", "-t", image, str(project))
        (project / "Dockerfile").unlink()
        return cls(engine, image, ["--network=none"])
