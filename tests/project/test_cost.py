"""What reading configuration must not cost: nothing slow is imported, no validator is built."""

import subprocess
import sys

CODE = """
import sys
from pathlib import Path
from wurzel.ir.model import Pipeline
from wurzel.project.load import load
from wurzel.project.options import validate_options
from wurzel.project.resolve import resolve
from wurzel.backends.options import TargetOptions

project = load(Path("wurzel.yaml"))
resolved = resolve(Pipeline.model_construct(name="rag", steps=()), project, environment="prod")
validate_options(resolved, "local", TargetOptions)
slow = {"importlib.metadata", "cronsim", "difflib", "jinja2", "rich", "asyncio", "subprocess", "tempfile"}
print(sorted(slow & set(sys.modules)))
"""

CONFIG = """\
version: 1
pipelines:
  rag:
    entrypoint: a:b
    image: ghcr.io/acme/rag:1
    schedule: {cron: "0 4 * * *", timezone: Europe/Berlin}
    defaults: {resources: {cpu: 500m}, retry: {limit: 2, backoff: 30s}, timeout: 1h}
    targets: {local: {output: run.sh}}
environments: {prod: {pipelines: {rag: {parallelism: 2}}}}
"""


def test_loading_and_resolving_imports_nothing_slow(tmp_path):
    (tmp_path / "wurzel.yaml").write_text(CONFIG)
    done = subprocess.run([sys.executable, "-c", CODE], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_the_command_line_without_configuration_imports_none_of_it():
    code = "import sys, wurzel.cli; print([name for name in sys.modules if 'project' in name or 'ruamel' in name])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("[]\n", "")
