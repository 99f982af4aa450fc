"""The script of the Slurm backend in a real Slurm of one node: the same bytes as `wurzel run`."""

import pytest

from tests.engines.conformance import CASES, is_right, verdict
from tests.engines.drivers.slurm import Slurm
from wurzel.engines.local import WurzelRun

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where the projects are."""
    return tmp_path_factory.mktemp("slurm")


@pytest.fixture(scope="module")
def outcomes(folder):
    """What Slurm makes of every case."""
    if missing := Slurm().missing():
        pytest.skip(missing)
    return Slurm().run_all(CASES, folder)


def test_every_example_gives_the_bytes_of_a_local_run(outcomes, tmp_path):
    reference = WurzelRun().run_all(CASES, tmp_path)
    found = {case.label: verdict(case, outcomes[case.label], reference[case.same_as or case.label]) for case in CASES}
    assert {label: (said, outcomes[label].log) for label, said in found.items() if not is_right(said)} == {}


def test_what_follows_a_failed_job_is_cancelled(outcomes):
    assert "'failing': 'FAILED'" in outcomes["failing"].log
    assert "'reverse': 'CANCELLED'" in outcomes["failing"].log


def test_slices_are_removed_once_they_are_gathered(outcomes, folder):
    assert "'loud.gather': 'COMPLETED'" in outcomes["shards-7"].log
    assert (folder / "shards-7" / "data" / "loud").is_dir()
    assert list(folder.rglob("*.slices-of-*")) == []
