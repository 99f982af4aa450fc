"""Fixtures that several engines share."""

import os

import pytest

from tests.engines.cluster import host
from tests.engines.conformance import write_examples
from tests.engines.containers import running as running  # noqa: PLC0414 - a fixture
from tests.engines.drivers.cluster import Cluster
from tests.engines.install import ROOT
from wurzel.engines.argo import ROLE, binding
from wurzel.engines.process import ENGINES

os.environ[ENGINES] = str(ROOT)


@pytest.fixture(scope="session")
def cluster(tmp_path_factory):
    """The cluster of `make cluster`, with an image of all examples, and a bucket."""
    if not host.running():
        pytest.skip("there is no cluster here: `make cluster` makes one")
    from tests.engines.test_argo import HALVES

    project, bucket = tmp_path_factory.mktemp("image"), tmp_path_factory.mktemp("bucket")
    write_examples(project)
    (project / "halves.py").write_text(HALVES.replace("COUNT", "13"))
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")  # one ends before the other
    with Cluster.local(project, bucket, f"wurzel-tests-{worker}") as found:
        assert found.missing == ""
        found.apply(found.bucket.secret, ROLE, binding(found.namespace))
        yield found
