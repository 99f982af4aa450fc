"""For pytest: `--update`, and the test kit with the data in the test's own folder.

Imports nothing of wurzel before a test asks for it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_UPDATE = "WURZEL_UPDATE_SNAPSHOTS"  # as in wurzel.testing.snapshots, which would be imported for every test


@pytest.hookimpl(hookwrapper=True)
def pytest_load_initial_conftests(parser: pytest.Parser) -> Iterator[None]:
    """Add `--update`, unless a conftest.py has an option of that name."""
    yield
    with suppress(ValueError):
        parser.addoption("--update", action="store_true", help="wurzel: write snapshots instead of comparing them.")


def pytest_configure(config: pytest.Config) -> None:
    """Tell processes that pytest starts, such as those of xdist, that files are written."""
    if config.getoption("update", default=False) and _UPDATE not in os.environ:
        os.environ[_UPDATE] = "1"
        config.add_cleanup(partial(os.environ.__delitem__, _UPDATE))


@pytest.fixture
def run_step(tmp_path: Path) -> Callable[..., Any]:
    """`wurzel.testing.run_step`, with the data of each call in its own folder below `tmp_path`."""
    from wurzel.testing import run_step as run

    numbers = iter(range(10**9))
    return lambda *args, **options: run(*args, **{"folder": tmp_path / f"step-{next(numbers)}", **options})


@pytest.fixture
def check_pipeline(tmp_path: Path, request: pytest.FixtureRequest) -> Callable[..., Any]:
    """`wurzel.testing.check_pipeline`: data in `tmp_path`, reviewed files in `golden/<test>` beside the test."""
    from wurzel.testing import check_pipeline as check

    golden = request.path.parent / "golden" / request.node.name
    return partial(check, golden=golden, folder=tmp_path / "data")
