"""The image of a project, built by buildah with packages from a private index, and run by docker."""

import base64
import http.server
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
import tomllib
from pathlib import Path

import pytest

from tests.command import program
from tests.engines.containers import PYTHON, ROOT, ROOTFS
from tests.engines.containers import running as running  # noqa: PLC0414 - a fixture

pytestmark = [
    pytest.mark.engine,
    pytest.mark.skipif(shutil.which("buildah") is None or not ROOTFS.exists(), reason="no buildah or base image here"),
]

BASE = "localhost/wurzel-test/python"
NAME = "localhost/acme/chain:1.0"
PASSWORD = "correct-horse-battery"
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
        f"version: 1\nrequires: wurzel==0.1.0\ncontainer: {{base: {BASE}, image: '{NAME}'}}\n"
        "pipelines: {chain: {entrypoint: 'flow:chain'}}\n"
    )
    yield root
    buildah("rmi", "--all", "--force")


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
