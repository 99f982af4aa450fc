"""What runs steps must start fast."""

import subprocess
import sys

import pytest

SLOW = {"jinja2", "rich", "asyncio", "ruamel", "importlib.metadata", "pandas", "yaml", "tempfile", "multiprocessing"}


@pytest.mark.parametrize(
    ("module", "without"),
    [
        ("wurzel.runtime.supervise", SLOW | {"pydantic", "wurzel.ir", "wurzel.datacontract"}),
        ("wurzel.runtime.pipeline", SLOW),
        ("wurzel.runtime.slices", SLOW),
        ("wurzel.cli.run", SLOW | {"subprocess", "wurzel.runtime", "wurzel.project"}),
    ],
)
def test_a_module_imports_nothing_slow(module, without):
    code = f"import sys, {module}; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not without & set(loaded)
