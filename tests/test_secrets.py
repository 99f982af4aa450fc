"""No value of a secret is ever written: a marker is planted, everything is done, what it produced is searched."""

import os
import subprocess
import sys

import pytest

from wurzel.backends.registry import BUILT_IN

MARKER = "m4rk3r-pl4nt3d-1n-th3-3nv1r0nm3nt"
IMAGE = "image=registry.example/pipelines:1.0"


@pytest.fixture
def wurzel(project):
    root = project("credentials")
    said = []

    def run(*arguments, code=0):
        environment = {**os.environ, "SECRET_SUFFIX__TOKEN": MARKER, "SHARED_TOKEN": MARKER, "WURZEL_RUN_ID": "1"}
        command = [sys.executable, "-m", "wurzel", *arguments]
        done = subprocess.run(command, cwd=root, env=environment, capture_output=True, check=False)
        assert done.returncode == code, done.stderr.decode()
        said.append(done.stdout + done.stderr)

    yield run
    found = {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}
    assert found
    assert said
    for path in found:
        assert MARKER.encode() not in (root / path).read_bytes(), path
        assert MARKER not in path
    for output in said:
        assert MARKER.encode() not in output


def test_rendering_and_showing(wurzel):
    for target in BUILT_IN:
        wurzel("render", "credentials", "-t", target, "--set", IMAGE)
        wurzel("render", "credentials", "-t", target, "--set", IMAGE, "--explain")
    wurzel("inspect", "credentials")
    wurzel("inspect", "credentials", "--json")
    wurzel("inspect", "credentials", "--explain")
    wurzel("env", "credentials")
    wurzel("env", "credentials", "--check")
    wurzel("env", "credentials", "--dotenv")


def test_running(wurzel):
    wurzel("-v", "run", "credentials")
    wurzel("--log-format", "json", "run", "credentials", "--force")
    step = ("step", "steps:SecretSuffix", "--id", "secret-suffix", "-i", "data/words", "-o", "data/secret-suffix")
    wurzel(*step, "--report", "report.json")
    wurzel(*step, "--retries", "1", "--timeout", "1m")


def test_failing(wurzel):
    wurzel("run", "credentials")
    wurzel("step", "steps:SecretSuffix", "--id", "secret-suffix", "-i", "nowhere", "-o", "data/x", code=1)
    wurzel("run", "credentials", "--set", f"steps.secret-suffix.settings.TOKEN={MARKER}", code=2)
    wurzel("render", "credentials", "-t", "dvc", "--set", f"steps.secret-suffix.settings.TOKEN={MARKER}", code=2)
