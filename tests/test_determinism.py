"""Every example for every target has the same bytes whatever surrounds the render; a second render writes nothing."""

import json
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import jinja2
import pytest

from tests.command import invoke
from tests.conftest import EXAMPLES, PIPELINES
from wurzel.backends.registry import BUILT_IN

SOURCE = Path(__file__).resolve().parents[1]
PROGRAM = """
import hashlib, json, os, sys
from pathlib import Path
from wurzel.backends.rendering import render
from wurzel.exceptions import WurzelError
from wurzel.project.jobs import Request, open_jobs
from wurzel.render import Renderer
from wurzel.render.header import sign

found, path, before = {}, list(sys.path), set(sys.modules)
for folder in sorted(Path(sys.argv[1]).iterdir()):
    os.chdir(folder)
    sys.path[:] = [str(folder), *path]
    name = folder.name if (folder / "wurzel.yaml").exists() else f"{folder.name}:pipeline"
    for target in sys.argv[2:]:
        try:
            jobs, project = open_jobs(Request([name], [target], sets=["image=registry.example/words:1"]))
            files = [file for result in render(jobs, Renderer()) for file in result.files]
            texts = {f.output.path: sign(f.rendered.text, command=f.job.command, source=name) for f in files}
        except WurzelError as error:
            texts = {"error": str(error)}
        found[f"{folder.name} {target}"] = {
            path: hashlib.sha256(text.encode()).hexdigest() for path, text in texts.items()
        }
    for module in set(sys.modules) - before:
        if str(folder) in (getattr(sys.modules[module], "__file__", None) or ""):
            del sys.modules[module]
print(json.dumps(found, sort_keys=True))
"""
SHUFFLE = """
import os, random
mix = random.Random(7)
real_listdir, real_scandir = os.listdir, os.scandir

def listdir(*arguments):
    names = real_listdir(*arguments)
    mix.shuffle(names)
    return names

class Shuffled:
    def __init__(self, *arguments):
        with real_scandir(*arguments) as entries:
            self.entries = list(entries)
        mix.shuffle(self.entries)
    def __iter__(self):
        return iter(self.entries)
    def __next__(self):
        if not self.entries:
            raise StopIteration
        return self.entries.pop()
    def __enter__(self):
        return self
    def __exit__(self, *_):
        pass
    def close(self):
        pass

os.listdir, os.scandir = listdir, Shuffled
"""


def projects(folder, names):
    """Every example as a project of its own; the files of each in the order of their names, or the other way round."""
    for name in names:
        home = folder / name
        home.mkdir(parents=True)
        for source in ("steps.py", f"{name}.py", f"{name}.yaml"):
            if (PIPELINES / source).exists():
                shutil.copy(PIPELINES / source, home / ("wurzel.yaml" if source.endswith("yaml") else source))
    return folder


def rendered(folder, environment=None, python=sys.executable, **options):
    """Digests of all files by example, target and path."""
    kept = {name: value for name, value in os.environ.items() if name in {"PATH", "SYSTEMROOT"}}
    done = subprocess.run(
        [python, "-B", "-c", PROGRAM, str(folder), *sorted(BUILT_IN)],
        env={**kept, "PYTHONPATH": str(SOURCE), **(environment or {})},
        capture_output=True,
        text=True,
        check=False,
        **options,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    found = rendered(projects(tmp_path_factory.mktemp("base"), EXAMPLES), {"PYTHONHASHSEED": "0"})
    assert len(found) == len(EXAMPLES) * len(BUILT_IN)
    assert sum("error" in files for files in found.values()) < 5
    return found


def test_other_hashes_zone_locale_and_folder_with_its_files_made_in_another_order(tmp_path, expected):
    folder = projects(tmp_path / "it's a much, much longer path with spaces", reversed(EXAMPLES))
    environment = {"PYTHONHASHSEED": "1", "LC_ALL": "C", "PYTHONUTF8": "0", "TZ": "America/St_Johns"}
    assert rendered(folder, environment, cwd="/") == expected


def test_another_order_of_the_file_system_without_a_home_in_turkish(tmp_path, expected):
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(SHUFFLE)
    path = {"PYTHONPATH": f"{tmp_path / 'site'}{os.pathsep}{SOURCE}"}
    check = "import os; print(type(os.scandir('/')).__name__)"
    done = subprocess.run([sys.executable, "-c", check], env=path, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "Shuffled"
    turkish = {"LANG": "tr_TR.UTF-8", "LC_ALL": "tr_TR.UTF-8", "HOME": "/nowhere", "USER": "root", "COLUMNS": "20"}
    surroundings = {"PYTHONHASHSEED": "4294967295", "TZ": "Pacific/Kiritimati"}
    assert rendered(projects(tmp_path / "p", EXAMPLES), path | turkish | surroundings) == expected


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_another_user(expected):
    nobody = pwd.getpwnam("nobody")
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        home = projects(Path(folder) / "p", EXAMPLES)
        packages = Path(jinja2.__file__).parents[1]
        environment = {"PYTHONPATH": f"{SOURCE}{os.pathsep}{packages}", "HOME": folder}
        as_user = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        python = next((python for python in same_pythons() if works(python, environment, **as_user)), None)
        if python is None:
            pytest.skip("no Python here, or not what wurzel needs, can be read by other users")
        assert rendered(home, environment, python, **as_user) == expected


def same_pythons():
    """This Python, and others of its version."""
    return [sys.executable, f"/usr/bin/python3.{sys.version_info.minor}"]


def works(python, environment=None, **options):
    """Whether a Python has what wurzel needs, for who runs it."""
    needs = "import click, cronsim, jinja2, pydantic, ruamel.yaml"
    try:
        done = subprocess.run([python, "-c", needs], check=False, capture_output=True, env=environment, **options)
    except OSError:
        return False
    return done.returncode == 0


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_second_render_writes_nothing(project, name):
    root = project(name)
    pipeline = name if (root / "wurzel.yaml").exists() else f"{name}:pipeline"

    def render(target):
        return invoke("render", pipeline, "-t", target, "-o", f"out/{target}").exit_code

    written = [target for target in sorted(BUILT_IN) if render(target) == 0]
    assert written
    before = {path: path.stat() for path in root.joinpath("out").rglob("*")}
    assert [render(target) for target in written] == [0] * len(written)
    after = {path: path.stat() for path in root.joinpath("out").rglob("*")}
    assert {path: (status.st_mtime_ns, status.st_ino) for path, status in before.items()} == {
        path: (status.st_mtime_ns, status.st_ino) for path, status in after.items()
    }
