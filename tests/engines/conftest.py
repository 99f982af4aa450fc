"""Fixtures that several engines share."""

import os

from tests.engines.containers import docker as docker  # noqa: PLC0414 - a fixture
from tests.engines.install import ROOT
from wurzel.engines.process import ENGINES

os.environ[ENGINES] = str(ROOT)
