"""Every target renders every example into `snapshots/<target>/<pipeline>/<path as written>`.

`make snapshots` writes them anew; review the difference like code.
"""

import json
import shutil
from pathlib import Path

import pytest
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode

from tests.conftest import EXAMPLES, PACKAGE
from wurzel.backends.contract import contract, filters
from wurzel.backends.registry import BUILT_IN, get
from wurzel.backends.rendering import render
from wurzel.drift.orphans import orphans
from wurzel.exceptions import PreflightError
from wurzel.project.jobs import Request, open_jobs
from wurzel.project.load import FILE
from wurzel.project.place import place_of
from wurzel.render import Renderer
from wurzel.render.header import sign

ROOT = Path(__file__).resolve().parents[1] / "snapshots"
RAG = Path(__file__).resolve().parents[1] / "docs" / "examples" / "rag"


class AsWritten(SingleFileSnapshotExtension):
    """A snapshot is the file itself, at the path given as its name."""

    _write_mode = WriteMode.TEXT
    file_extension = ""

    @classmethod
    def get_snapshot_name(cls, *, test_location, index=0):
        return str(index)

    @classmethod
    def get_location(cls, *, test_location, index):
        return str(ROOT / str(index))

    @classmethod
    def dirname(cls, *, test_location):
        return str(ROOT)

    @classmethod
    def discovery_dirname(cls, *, test_location):
        return str(ROOT)

    @classmethod
    def matches_test_location(cls, *, test_location, snapshot_location):
        return True

    def is_snapshot_location(self, *, location):
        return Path(location).is_relative_to(ROOT) and Path(location) != ROOT / FILE

    def read_snapshot_data_from_location(self, *, snapshot_location, snapshot_name, session_id):
        path = Path(snapshot_location)
        return path.read_bytes().decode() if path.exists() else None

    @classmethod
    def write_snapshot_collection(cls, *, snapshot_collection, name_order=None):
        Path(snapshot_collection.location).write_bytes(next(iter(snapshot_collection)).data.encode())


@pytest.fixture
def as_written(snapshot):
    return snapshot.use_extension(AsWritten)


def rendered(name, target):
    """Text by path; targets that run containers get an image where the example names none."""
    try:
        return texts(name, target)
    except PreflightError as error:
        if "image" not in str(error):
            raise
    return texts(name, target, "image=registry.example/pipelines:1.0")


def signed(file):
    """The file as it is written, with its header."""
    source, template = file.job.pipeline.entrypoint, file.output.template
    return sign(file.rendered.text, command=file.job.command, source=source, template=template)


def texts(name, target, *sets):
    request = Request([name if Path("wurzel.yaml").exists() else f"{name}:pipeline"], [target], sets=sets)
    jobs, project = open_jobs(request)
    results = render(jobs, Renderer(project.templates if project else ()))
    return {file.output.path: signed(file) for result in results for file in result.files}


def compare(files, folder, snapshot):
    for path, text in files.items():
        assert text == snapshot(name=f"{folder}/{path}")
    there = {path.relative_to(ROOT / folder).as_posix() for path in (ROOT / folder).rglob("*") if path.is_file()}
    if not snapshot.session.update_snapshots:
        assert there == set(files)


@pytest.mark.parametrize("target", BUILT_IN)
@pytest.mark.parametrize("name", EXAMPLES)
def test_example(project, as_written, name, target):
    project(name)
    compare(rendered(name, target), f"{target}/{name}", as_written)


@pytest.mark.parametrize("target", BUILT_IN)
def test_the_example_of_the_documentation(tmp_path, monkeypatch, project, as_written, target):
    shutil.copytree(RAG, tmp_path, dirs_exist_ok=True, ignore=shutil.ignore_patterns("data", ".wurzel", "__pycache__"))
    assert Path.cwd().samefile(tmp_path)
    Path("pyproject.toml").write_text(PACKAGE)
    compare(rendered("rag", target), f"{target}/rag", as_written)


@pytest.mark.parametrize("target", BUILT_IN)
def test_the_contract_of_templates(as_written, target):
    """What templates of others rely on: a line that goes is a new major version, one that comes a minor one."""
    text = json.dumps(contract(get(target), Renderer()), indent=2, ensure_ascii=False) + "\n"
    assert text == as_written(name=f"contract/{target}.json")


def test_the_filters_of_templates(as_written):
    text = json.dumps(filters(Renderer()), indent=2, ensure_ascii=False) + "\n"
    assert text == as_written(name="contract/filters.json")


def test_no_stray_files():
    known = {f"{target}/{name}" for target in BUILT_IN for name in [*EXAMPLES, "rag"]}
    known |= {f"contract/{name}.json" for name in [*BUILT_IN, "filters"]}
    known.add("wurzel.yaml")  # makes the folder a project by itself, so that no render removes its files
    there = {"/".join(path.relative_to(ROOT).parts[:2]) for path in ROOT.rglob("*") if path.is_file()}
    assert there <= known


def test_a_checkout_is_not_told_to_remove_them():
    root = ROOT.parent
    assert not [path for path in orphans(place_of(None, root), Request([], []), []) if path.startswith("snapshots/")]
