"""The backend that docs/own-backend.md explains, installed by pip from its example, is a target like any other."""

import os
import shutil
import subprocess
import sys

import pytest

from tests.engines.drivers.slurm import EXAMPLE, install


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A folder with the installed package."""
    return install(tmp_path_factory.mktemp("slurm"))


def python(site, *arguments, check=True):
    done = subprocess.run(
        [sys.executable, *arguments],
        env={**os.environ, "PYTHONPATH": str(site)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert not check or done.returncode == 0, done.stdout + done.stderr
    return done


def test_it_renders_and_the_script_can_be_parsed(site, project):
    root = project("scheduled")
    done = python(site, "-m", "wurzel", "render", "scheduled", "-t", "slurm")
    assert "slurm cannot do what scheduled asks for" in done.stderr
    text = (root / "submit-scheduled.sh").read_text()
    assert 'exec "$@" wurzel step steps:Words --id words -o data/words --retries 2' in text
    subprocess.run(["sh", "-n", "submit-scheduled.sh"], check=True)


def test_it_is_listed(site):
    assert "slurm" in python(site, "-m", "wurzel", "targets").stdout
    shown = python(site, "-m", "wurzel", "targets", "slurm").stdout
    assert "a job array, then a job that gathers the slices" in shown
    assert "annotations for other tools" in shown
    assert "does not support it" in shown


@pytest.mark.parametrize("knows", [True, False])
def test_a_store_that_it_does_not_use_is_reported(site, project, tmp_path, knows):
    """Also by a backend that is older than stores."""
    shutil.copytree(site, tmp_path / "site")
    backend = tmp_path / "site" / "acme_slurm" / "backend.py"
    kept = [line for line in backend.read_text().splitlines(keepends=True) if knows or '"store":' not in line]
    backend.write_text("".join(kept))
    project("chain")
    render = ["-m", "wurzel", "render", "chain:pipeline", "-t", "slurm", "--set", "store=file:///srv/wurzel"]
    done = python(tmp_path / "site", *render)
    reason = "the file system that all nodes share" if knows else "the slurm backend does not support it"
    assert "store  --set store  " in done.stderr
    assert reason in done.stderr
    assert python(tmp_path / "site", *render, "--strict", check=False).returncode == 2


def test_its_contract_is_shown_and_its_templates_are_checked(site, project):
    project("chain")
    listed = python(site, "-m", "wurzel", "templates", "list", "slurm").stdout
    assert "submit.sh.j2" in listed
    assert "Variables that the environment may set for one run" in listed


def test_the_kit_accepts_it(site):
    python(site, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", EXAMPLE, EXAMPLE / "tests")


def test_the_kit_refuses_one_that_drops_something(site, tmp_path):
    shutil.copytree(site, tmp_path / "site")
    backend = tmp_path / "site" / "acme_slurm" / "backend.py"
    backend.write_text(backend.read_text().replace('"mem":', '"gone":').replace("step.resources.memory", "None"))
    tests = [EXAMPLE / "tests", "--rootdir", EXAMPLE]
    done = python(tmp_path / "site", "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests, check=False)
    assert "slurm silently drops steps.suffix.resources.memory" in done.stdout
