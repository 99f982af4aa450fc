"""Files that packs add to those of a target: where they go, and what their templates see."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from wurzel.backends.base import OutputFile, moved

if TYPE_CHECKING:
    from wurzel.backends.job import Job
    from wurzel.render.more import More

_KUSTOMIZATION = "kustomization.yaml"


def added(job: Job, files: Sequence[OutputFile], more: Sequence[More]) -> list[OutputFile]:
    """The files that packs add to a job; their templates see the context of its main file, and `target`."""
    own = {"pipeline": job.pipeline, "options": job.options, "target": job.target}
    context: dict[str, Any] = {**own, **files[0].context}
    return [
        OutputFile(_path(job, files, each), each.template, context, optional=True, origin=each.origin)
        for each in more
        if each.target == job.target
    ]


def listed(files: Sequence[OutputFile]) -> list[OutputFile]:
    """The files of a job; a kustomization among them also lists those that packs add."""
    added = [file for file in files if file.optional and file.path.endswith((".yaml", ".yml"))]
    if not added:
        return list(files)
    found = []
    for file in files:
        if _is_kustomization(file.path) and "resources" in file.context:
            folder = posixpath.dirname(file.path)
            paths = [posixpath.relpath(each.path, folder or ".") for each in added]
            file = replace(file, context={**file.context, "resources": [*file.context["resources"], *paths]})  # noqa: PLW2901
        found.append(file)
    return found


def _path(job: Job, files: Sequence[OutputFile], more: More) -> str:
    path = more.path.format(pipeline=job.pipeline.name, target=job.label, environment=job.environment or "")
    if job.name and "{target}" not in more.path:
        path = moved(path, job.target, job.name)
    home = next((posixpath.dirname(file.path) for file in files if _is_kustomization(file.path)), None)
    if home is not None and path.endswith((".yaml", ".yml")) and not f"{path}/".startswith(f"{home}/"):
        return posixpath.join(home, posixpath.basename(path))  # kustomize reads no files outside its folder
    return path


def _is_kustomization(path: str) -> bool:
    return posixpath.basename(path) == _KUSTOMIZATION
