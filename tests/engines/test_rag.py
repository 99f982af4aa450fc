"""The example of the documentation in the engines of all targets: the same index, answers and score everywhere."""

import shutil
from functools import cache
from pathlib import Path

import pytest

from tests.engines.cases import Rag
from tests.engines.conformance import verdict
from tests.engines.drivers.argo import ArgoSimulation
from tests.engines.drivers.cronjob import CronJobPod
from wurzel.engines.airflow import AirflowDags
from wurzel.engines.dvc import Dvc
from wurzel.engines.github import GitHub
from wurzel.engines.gitlab import GitLab
from wurzel.engines.local import Script, WurzelRun

DOCS = Path(__file__).parents[2] / "docs"
WORDS_ALONE = ("steps.embed.settings.MODEL=words",)
"""Containers of these tests have no wheels with native code, so no language model."""


class Documented(Rag):
    """The example with all that it reads in the documentation."""

    def write_documents(self, folder):
        for name in ("backends", "decisions"):
            shutil.copytree(DOCS / name, folder / name)


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    """What `wurzel run` makes of a case."""

    @cache
    def outcome(case):
        return WurzelRun().run_all([case], tmp_path_factory.mktemp("run"))[case.label]

    return outcome


def check(driver, reference, folder, sets=()):
    if missing := driver.missing():
        pytest.skip(missing)
    case = Documented("rag", "rag", sets)
    expected = reference(case)
    found = driver.run_all([case], folder)["rag"]
    assert expected.code == 0, expected.log
    assert verdict(case, found, expected) == "same", found.log
    assert len(found.data["index/00000/passages.index"]) > 5000
    assert "skipped" not in found.data["evaluate/manifest.json"].decode()


@pytest.mark.engine
@pytest.mark.parametrize(
    "driver",
    [Script("dash"), Dvc(), GitHub(), GitLab(), AirflowDags("3"), ArgoSimulation("s3")],
    ids=lambda driver: driver.name,
)
def test_the_example_gives_the_same_bytes(driver, reference, tmp_path):
    check(driver, reference, tmp_path)


@pytest.mark.engine
def test_the_example_in_the_pod_of_a_cronjob(docker, reference, tmp_path):
    check(CronJobPod("single", lambda: docker), reference, tmp_path, WORDS_ALONE)
