"""Other versions of Python, and the lowest versions of what wurzel needs, render the same bytes and run."""

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.conftest import EXAMPLES
from tests.engines.datasets import example, wurzel_run
from tests.test_determinism import projects, rendered
from wurzel.engines.driver import collected

pytestmark = pytest.mark.engine
ROOT = Path(__file__).parents[2]


def others():
    """Other Pythons on this machine, by version; pyenv keeps some whose commands work for the chosen one alone."""
    found = {}
    for minor in range(11, 20):
        kept = sorted(Path.home().glob(f".pyenv/versions/3.{minor}.*/bin/python3.{minor}"))
        for path in [*map(str, kept), shutil.which(f"python3.{minor}")]:
            if path and subprocess.run([path, "-c", "import venv"], check=False, capture_output=True).returncode == 0:
                found[f"3.{minor}"] = path
    return found


LOWEST = "lowest versions"
OTHERS = [f"3.{minor}" for minor in range(11, 15) if minor != sys.version_info.minor]


@pytest.mark.parametrize("version", [*OTHERS, LOWEST])
def test_the_same_bytes(tmp_path, version):
    python = sys.executable if version == LOWEST else others().get(version)
    if python is None:
        pytest.skip(f"there is no Python {version} here")
    subprocess.run([python, "-m", "venv", "--without-pip", str(tmp_path / "venv")], check=True, capture_output=True)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    needs = [*project["dependencies"], *(project["optional-dependencies"]["dataframe"] if version == LOWEST else [])]
    own = str(tmp_path / "venv" / "bin" / "python")
    resolution = ["--resolution=lowest-direct"] if version == LOWEST else []
    words = ["uv", "pip", "install", "--quiet", "--only-binary=:all:", f"--python={own}", *resolution, *needs]
    subprocess.run([sys.executable, "-m", *words], check=True, capture_output=True)
    expected = rendered(projects(tmp_path / "here", EXAMPLES))
    assert rendered(projects(tmp_path / "there", EXAMPLES), python=own) == expected
    project = example("outputs", tmp_path / "project")
    words = [own, "-m", "wurzel", "run", "outputs:pipeline"]
    subprocess.run(words, cwd=project, env={"PYTHONPATH": str(ROOT)}, check=True, capture_output=True)
    assert collected(project / "data") == wurzel_run(example("outputs", tmp_path / "own"), "outputs")
