"""The image of a project, built by buildah with packages from a private index, and run by docker."""

import base64
import http.server
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
import tomllib
from pathlib import Path

import pytest

from tests.command import program
from tests.engines import datasets
from tests.engines.containers import PYTHON, ROOT, ROOTFS
from tests.engines.containers import running as running  # noqa: PLC0414 - a fixture
from wurzel.engines.github import Act
from wurzel.engines.process import found

pytestmark = [
    pytest.mark.engine,
    pytest.mark.skipif(shutil.which("buildah") is None or not ROOTFS.exists(), reason="no buildah or base image here"),
]

BASE = "localhost/wurzel-test/python"
NAME = "localhost/acme/chain:1.0"
PASSWORD = "correct-horse-battery"
HASHED = "$2b$04$w5B40On1ivbzB3S0WKBy1u2O6NmbnVJytrKpIOFDxvjvCtIbMO8Ze"
"""The same by bcrypt, for the registry."""
ENVIRONMENT = {"BUILDAH_ISOLATION": "chroot", "STORAGE_DRIVER": "overlay"}
FLOW = """
import sys
from pathlib import Path
from wurzel import WZ, NoSettings, PydanticModel, TypedStep

class Word(PydanticModel):
    text: str

class Words(TypedStep[NoSettings, None, list[Word]]):
    def run(self, inpt: None) -> list[Word]:
        return [Word(text=line) for line in Path(__file__).with_name("words.txt").read_text().split()]

chain = WZ(Words)
"""


class Index(http.server.BaseHTTPRequestHandler):
    """A package index for those who know the password."""

    def do_GET(self):
        wanted = base64.b64encode(f"ci:{PASSWORD}".encode()).decode()
        if self.headers.get("Authorization") != f"Basic {wanted}":
            self.send_response(401)
            self.send_header("WWW-Authenticate", "Basic")
            self.end_headers()
            return
        name = self.path.strip("/").rpartition("/")[2]
        file = self.server.wheels / name
        if file.is_file():
            body = file.read_bytes()
        else:
            mine = [
                wheel.name
                for wheel in self.server.wheels.iterdir()
                if re.sub(r"[-_.]+", "-", wheel.name.partition("-")[0]).lower() == name
            ]
            body = "".join(f'<a href="/files/{wheel}">{wheel}</a>\n' for wheel in mine).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/octet-stream" if file.is_file() else "text/html")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    """The address of an index that has wurzel and what it needs."""
    wheels = tmp_path_factory.mktemp("wheels")
    needs = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    platforms = [f"--platform=manylinux{name}_{os.uname().machine}" for name in ("2014", "_2_17", "_2_28", "_2_34")]
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    version = [f"--python-version={PYTHON}", "--implementation=cp", "--only-binary=:all:", *platforms]
    subprocess.run([*pip, "download", f"--dest={wheels}", *version, *needs], check=True)
    subprocess.run([*pip, "wheel", "--no-deps", f"--wheel-dir={wheels}", str(ROOT)], check=True)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Index)
    server.wheels = wheels
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://ci:{PASSWORD}@127.0.0.1:{server.server_port}/simple/"
    server.shutdown()
    server.server_close()


def buildah(*words):
    done = subprocess.run(
        ["buildah", *words], env={**os.environ, **ENVIRONMENT}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture(scope="module", autouse=True)
def storage():
    """The faster way to store layers, where the kernel can."""
    container = subprocess.run(
        ["buildah", "from", "scratch"], env={**os.environ, **ENVIRONMENT}, capture_output=True, text=True, check=False
    )
    if container.returncode:
        ENVIRONMENT["STORAGE_DRIVER"] = "vfs"
    else:
        buildah("rm", container.stdout.strip())


def base():
    """The image that others start from; the same each time."""
    container = buildah("from", "scratch")
    buildah("add", container, str(ROOTFS), "/")
    buildah("commit", "--timestamp=0", "--rm", container, BASE)


@pytest.fixture
def project(tmp_path, monkeypatch, index):
    base()
    root = tmp_path / "my project"
    root.mkdir()
    monkeypatch.chdir(root)
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "pip.conf").write_text(f"[global]\nindex-url = {index}\n")
    Path("flow.py").write_text(FLOW)
    Path("words.txt").write_text("one two\n")
    Path(".env").write_text(f"TOKEN={PASSWORD}\n")
    Path("wurzel.yaml").write_text(
        f"version: 1\nrequires: wurzel==0.1.0\ncontainer: {{base: {BASE}, image: '{NAME}', packages: [tini]}}\n"
        "pipelines: {chain: {entrypoint: 'flow:chain'}}\n"
    )
    yield root
    buildah("rmi", "--all", "--force")


@pytest.fixture
def registry(tmp_path, monkeypatch):
    """The address of a registry that takes images from those who know the password; without TLS."""
    if (binary := found("registry", "registry")) is None:
        pytest.skip("no registry here: `tests/engines/install.py registry` builds one")
    address = f"localhost:{free_port()}"
    (tmp_path / "htpasswd").write_text(f"ci:{HASHED}\n")
    (tmp_path / "registry.json").write_text(
        json.dumps(
            {
                "version": "0.1",
                "storage": {"filesystem": {"rootdirectory": str(tmp_path / "images")}},
                "http": {"addr": address},
                "auth": {"htpasswd": {"realm": "images", "path": str(tmp_path / "htpasswd")}},
            }
        )
    )
    (tmp_path / "registries.conf").write_text(f'[[registry]]\nlocation = "{address}"\ninsecure = true\n')
    monkeypatch.setenv("CONTAINERS_REGISTRIES_CONF", str(tmp_path / "registries.conf"))
    with (tmp_path / "registry.log").open("w") as log:
        process = subprocess.Popen([binary, "serve", tmp_path / "registry.json"], stdout=log, stderr=log)
        yield address
        process.terminate()
        process.wait()


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def build(tmp_path):
    words = ["image", "--build", "--builder", "buildah", "--network", "host"]
    start = time.monotonic()
    program(*words, "--secret", f"id=pip,src={tmp_path}/pip.conf", code=0)
    about = json.loads(buildah("inspect", "--type", "image", NAME))
    print(f"built in {time.monotonic() - start:.1f} s")
    return about["FromImageID"], about["OCIv1"]["rootfs"]["diff_ids"]


def test_an_image_is_built_reproducibly_and_runs_the_pipeline(project, tmp_path, docker):
    first, layers = build(tmp_path)
    buildah("rmi", "--all", "--force")
    base()
    assert build(tmp_path) == (first, layers)  # two builds, one image
    archive = tmp_path / "image.tar"
    buildah("push", NAME, f"docker-archive:{archive}:{NAME}")
    print(f"{archive.stat().st_size / 1e6:.0f} MB, of which the base is {ROOTFS.stat().st_size / 1e6:.0f} MB")
    content = subprocess.run(["tar", "-xOf", str(archive)], capture_output=True, check=True).stdout
    assert PASSWORD.encode() not in content  # neither that of the index nor .env
    docker("load", "-i", str(archive))
    data = tmp_path / "data"
    data.mkdir(mode=0o777)
    data.chmod(0o777)
    run = ["run", "--rm", "--network=none", "--read-only", "--tmpfs=/tmp", f"--volume={data}:/data", NAME]
    command = ["wurzel", "run", "chain", "--data-dir", "/data", "--state-dir", "/data/.wurzel"]
    done = docker(*run, *command, check=False)
    assert done.returncode == 0, done.stdout
    assert "two" in (data / "words" / "part-00000.json").read_text()
    assert docker(*run, "id", "-u").stdout.strip() == "1000"

    Path("words.txt").write_text("one two three\n")
    _, changed = build(tmp_path)
    assert len(changed) == len(layers)
    assert [number for number, layer in enumerate(changed) if layer != layers[number]] == [len(layers) - 1]


def test_the_job_of_github_builds_the_image_and_pushes_it(project, tmp_path, registry):
    """It logs in by docker, and builds by what the machine has."""
    digest = tmp_path / "digest"
    buildah("push", f"--creds=ci:{PASSWORD}", f"--digestfile={digest}", BASE, f"{registry}/python")
    config = Path("wurzel.yaml")
    text = config.read_text().replace(BASE, f"'{registry}/python@{digest.read_text()}'")
    config.write_text(text.replace(f"'{NAME}'", f"'{registry}/acme/chain'"))
    Path(".gitignore").write_text("__pycache__/\n")
    datasets.wurzel(project, "image")
    datasets.wurzel(project, "ci", "github", "--image", "--secret", "PIP_CONF", "--install", "wurzel --version")
    (tmp_path / "act").mkdir()
    secrets = {"REGISTRY_USER": "ci", "REGISTRY_PASSWORD": PASSWORD, "PIP_CONF": (tmp_path / "pip.conf").read_text()}
    act = Act(tmp_path / "act", seconds=900)
    done, _ = act(project, *(f"--secret={name}={value}" for name, value in secrets.items()), event="push")
    assert done.returncode == 0, done.stdout + done.stderr
    (image,) = set(re.findall(r"set-output:: image=(\S+)", done.stdout))
    assert image.startswith(f"{registry}/acme/chain@sha256:")
    assert PASSWORD not in done.stdout + done.stderr
    buildah("pull", f"--creds=ci:{PASSWORD}", image)
