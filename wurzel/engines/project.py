"""A user's pipeline as a case: its project is copied for each engine, so that no run changes it."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from wurzel.engines.driver import Case
from wurzel.ir.jobs import results
from wurzel.runtime.results import SAMPLE

if TYPE_CHECKING:
    from wurzel.ir.model import Pipeline

_LEFT_OUT = frozenset({".git", ".venv", "venv", ".wurzel", ".dvc", ".tox", ".nox", "node_modules", "__pycache__"})
"""Folders that no step reads: they belong to tools, and can be large."""
_IGNORED = ".gitignore"
"""Not copied either: engines run clones, which would lack what it names, such as input data."""
PODS = frozenset({"argo", "cronjob"})
"""Targets whose steps run in images."""
_ARGO = ("executor_service_account", "synchronization", "on_exit", "artifact_gc")
"""Options that need objects of a namespace."""
_PLAIN = re.compile(r"[\w./-]+")


@dataclass(frozen=True)
class ProjectCase(Case):
    """A pipeline of the project in a folder."""

    root: Path = field(default_factory=Path.cwd)
    folder: str = "data"
    """Folder of its datasets."""
    environment: str | None = None
    images: tuple[str, ...] = ()
    """Fields that name an image."""
    accounts: tuple[str, ...] = ()
    """Fields that name a service account."""
    within: tuple[str, ...] = ()
    """Settings that name a file or folder outside of the project, as an image has it."""
    secrets: tuple[str, ...] = ()
    """Variables that it takes from secrets."""
    keeps_layout = True

    @property
    def data_dir(self) -> str:
        """Folder of the datasets below the project."""
        return self.folder

    def project(self, folder: Path) -> Path:
        """A copy without data of earlier runs, version control and environments."""
        data = os.path.normpath(self.root / self.folder)

        def left_out(where: str, names: list[str]) -> list[str]:
            here = [name for name in names if name in _LEFT_OUT or name == _IGNORED]
            return here + [name for name in names if os.path.normpath(Path(where, name)) == data]

        shutil.copytree(self.root, folder, ignore=left_out, symlinks=False, ignore_dangling_symlinks=True)
        return folder

    def pipeline(self, project: Path) -> str:
        """Its name, or its entrypoint where there is no configuration."""
        del project
        return self.example

    def adapted(self, engine: str) -> tuple[tuple[str, ...], str]:
        """CI engines run jobs without containers; gitlab-ci-local keeps no artifacts with unusual paths."""
        sets, notes = [], []
        if engine in {"github", "gitlab"} and self.images:
            sets += [f"{place}=null" for place in self.images]
            notes.append("without images, since jobs run on this machine")
        if engine == "gitlab" and not _PLAIN.fullmatch(self.folder):
            sets.append("data_dir=data")
            notes.append(
                "with `data_dir: data`: gitlab-ci-local keeps no artifacts whose path contains a quote or space"
            )
        if engine == "airflow":
            sets.append("targets.airflow.operator=bash")
            notes.append("with `operator: bash`" + (" and a new store" if self.remembers else ""))
        if engine in PODS:
            sets += [*self.within, "on_failure=null", f"targets.{engine}.service_account=null"]
            sets += [f"{place}=null" for place in self.accounts]
            sets += [f"targets.argo.{option}=null" for option in _ARGO] if engine == "argo" else []
            notes.append("without accounts, locks and notices")
        return tuple(sets), "; ".join(notes)

    def lacks(self, target: str) -> str:
        """Secrets that a platform keeps, and the image that pods are made of."""
        if self.secrets and target in {"github", "gitlab", "airflow", *PODS}:
            return f"it would take {', '.join(self.secrets)} from secrets of the platform"
        return "" if self.images or target not in PODS else "it has no `image`, which pods are made of"

    def _words(self, command: str, project: Path, sets: tuple[str, ...]) -> list[str]:  # type: ignore[override]
        environment = ["-e", self.environment] if self.environment else []
        return [*super()._words(command, project, sets), *environment]


def case_of(
    pipeline: Pipeline, named: str, root: Path, environment: str | None, sets: tuple[str, ...], sample: int | None
) -> ProjectCase:
    """The case of a resolved pipeline.

    `named` is how the command line names it; `sample` is how many items each source stores, all unless given.
    """
    away = list(outside(pipeline, root))
    more = [f"{place}={path}" for place, path, _ in away]
    if sample is not None:
        more.append(f'env.{SAMPLE}="{sample}"')
    if pipeline.store is not None:
        more.append("store=none")
    images = ["image"] if pipeline.image else []
    images += [f"steps.{step.id}.image" for step in pipeline.steps if step.image not in {None, pipeline.image}]
    accounts = ["service_account"] if pipeline.service_account else []
    accounts += [f"steps.{step.id}.service_account" for step in pipeline.steps if step.service_account]
    secrets = {*pipeline.secrets, *(name for step in pipeline.steps for name in step.secrets)}
    return ProjectCase(
        "case", named, (*sets, *more), root=root, folder=pipeline.data_dir, environment=environment,
        images=tuple(images), accounts=tuple(accounts), within=tuple(f"{place}={own}" for place, _, own in away),
        secrets=tuple(sorted(secrets)), last=tuple(step.id for step in results(pipeline)),
        remembers=pipeline.store is not None and any(step.self_consuming for step in pipeline.steps),
    )  # fmt: skip


def outside(pipeline: Pipeline, root: Path) -> Iterator[tuple[str, Path, str]]:
    """Settings whose file or folder is outside of the project, so in no copy: its absolute path, and as it is given."""
    for step, setting in ((each, setting) for each in pipeline.steps for setting in each.settings):
        value = setting.chosen
        if setting.input_path and isinstance(value, str):
            path = Path(os.path.normpath(root / value))
            if not path.is_relative_to(root):
                yield f"steps.{step.id}.settings.{setting.name}", path, value
