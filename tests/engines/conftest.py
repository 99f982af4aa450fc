"""Fixtures that several engines share."""

from tests.engines.containers import docker as docker  # noqa: PLC0414 - a fixture
