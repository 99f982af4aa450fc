"""What tests with real engines share: example projects, rendering them, and the bytes of their datasets."""

import shutil
from pathlib import Path

from tests.command import program
from wurzel.engines import github

PIPELINES = Path(__file__).parents[1] / "pipelines"
DATA_DIRS = {"hostile": "da ta/$HOME it's"}
"""Where examples keep their datasets, other than `data`."""


def example(name, folder):
    """`tests/pipelines/<name>` as a project of its own in a new folder."""
    folder.mkdir(parents=True)
    shutil.copy(PIPELINES / "steps.py", folder)
    shutil.copy(PIPELINES / f"{name}.py", folder)
    if (PIPELINES / f"{name}.yaml").exists():
        shutil.copy(PIPELINES / f"{name}.yaml", folder / "wurzel.yaml")
    if name == "hostile":
        inputs = folder / "in put"
        inputs.mkdir()
        (inputs / "it's $HOME.txt").write_text("first\nsecond line\nno end", encoding="utf-8")
    return folder


def wurzel(folder, *arguments, check=True, env=None):
    """Run the command line in a folder."""
    done = program(*arguments, cwd=folder, env=env or {})
    assert not check or done.returncode == 0, done.stdout + done.stderr
    return done


def pipeline_name(folder, name):
    """How the command line names an example."""
    return name if (folder / "wurzel.yaml").exists() else f"{name}:pipeline"


def render(folder, name, target, *arguments):
    """Render an example for a target, in place."""
    return wurzel(folder, "render", pipeline_name(folder, name), "-t", target, *arguments)


def wurzel_run(folder, name, env=None):
    """The datasets that `wurzel run` makes of an example."""
    wurzel(folder, "run", pipeline_name(folder, name), "-j", "2", env=env)
    return datasets(folder, name)


def unpacked(store, folder, name):
    """The artifacts of a run of an example in act as datasets, where the example has them below a folder."""
    return github.unpacked(store, folder / DATA_DIRS.get(name, "data"))


def datasets(folder, name):
    """The bytes of every file of every dataset, by path below the data folder."""
    root = folder / DATA_DIRS.get(name, "data")
    found = {path.relative_to(root).as_posix(): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}
    kept = {path: data for path, data in found.items() if not Path(path).name.startswith(".")}
    assert kept, f"no datasets below {root}"
    return kept
