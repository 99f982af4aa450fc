"""The wheel holds everything that rendering needs, built from the checkout and from the source distribution."""

import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def pack_files(folder):
    """What `wurzel new pack` writes."""
    found = [path.relative_to(folder) for path in folder.rglob("*") if path.suffix in {".py", ".j2", ".yaml", ".toml"}]
    return [path.as_posix() for path in found if "snapshots" not in path.parts]


def build(source, kind, folder):
    command = [sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", str(folder)]
    subprocess.run(command, cwd=source, check=True, capture_output=True)
    (built,) = folder.iterdir()
    return built


@pytest.fixture(scope="module", params=["checkout", "sdist"])
def wheel(request, tmp_path_factory):
    source = ROOT
    if request.param == "sdist":
        archive = build(ROOT, "sdist", tmp_path_factory.mktemp("sdist"))
        folder = tmp_path_factory.mktemp("unpacked")
        with tarfile.open(archive) as file:
            file.extractall(folder, filter="data")
        (source,) = folder.iterdir()
    return build(source, "wheel", tmp_path_factory.mktemp("wheel"))


def test_every_template_is_in_the_wheel(wheel):
    with zipfile.ZipFile(wheel) as file:
        names = set(file.namelist())
    for path in (ROOT / "templates").rglob("*.j2"):
        assert f"wurzel/templates/{path.relative_to(ROOT / 'templates').as_posix()}" in names
    pack = "docs/examples/organisation-pack"
    for path in pack_files(ROOT / pack):
        assert f"wurzel/examples/organisation-pack/{path}" in names
    for example in ("new-project", "new-step"):
        for path in pack_files(ROOT / "docs/examples" / example):
            assert f"wurzel/examples/{example}/{path}" in names
    assert "wurzel/py.typed" in names
    assert not [name for name in names if name.startswith(("tests/", "docs/"))]


def test_the_wheel_renders_elsewhere(wheel, tmp_path, project):
    root = project("scheduled")
    site = tmp_path / "site"
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", str(site)]
    subprocess.run([*install, str(wheel)], check=True, capture_output=True)
    code = "import wurzel, sys; print(wurzel.__file__); from wurzel.cli import main; main(sys.argv[1:])"
    done = subprocess.run(
        [sys.executable, "-c", code, "render", "scheduled", "-t", "dvc", "--stdout"],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(site)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(str(site))
    assert "wurzel step steps:Suffix" in done.stdout
