"""`pytest --update` writes the snapshots of the pack."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update", action="store_true", help="Write snapshots instead of comparing them.")
