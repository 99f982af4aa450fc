"""Other versions of Python render the same bytes; each gets an environment of its own with what wurzel needs."""

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.conftest import EXAMPLES
from tests.test_determinism import projects, rendered

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


@pytest.mark.parametrize("version", [f"3.{minor}" for minor in range(11, 15) if minor != sys.version_info.minor])
def test_the_same_bytes(tmp_path, version):
    python = others().get(version)
    if python is None:
        pytest.skip(f"there is no Python {version} here")
    home = tmp_path / "venv"
    subprocess.run([python, "-m", "venv", str(home)], check=True, capture_output=True)
    needs = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    own = str(home / "bin" / "python")
    subprocess.run([own, "-m", "pip", "install", "--quiet", *needs], check=True, capture_output=True)
    expected = rendered(projects(tmp_path / "here", EXAMPLES))
    assert rendered(projects(tmp_path / "there", EXAMPLES), python=own) == expected
