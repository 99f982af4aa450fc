"""Where files are written: those that packs add, and that no two have one path."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from wurzel.backends.base import OutputFile, moved
from wurzel.exceptions import PreflightError, Problem, UsageError
from wurzel.git_folder import is_git

if TYPE_CHECKING:
    from wurzel.backends.base import Backend
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


def check_paths(planned: Iterable[tuple[Job, Sequence[OutputFile]]]) -> None:
    """Raise `UsageError` if a file would be outside the project, or two have one path."""
    owners: dict[str, tuple[Job, OutputFile]] = {}
    for job, files in planned:
        for file in files:
            path = posixpath.normpath(file.path)
            _check_path(job, file, path)
            owner, other = owners.setdefault(path.casefold(), (job, file))
            if other is file:
                continue
            more = next((each for each in (file, other) if each.origin), file)
            named = repr(path) if posixpath.normpath(other.path) == path else f"{other.path!r} and {path!r}"
            would, hint = f"would write {named} twice: {other.template}, {file.template}", ""
            message = f"{job.pipeline.name} for {job.label} {would}"
            if owner is not job:
                owned = f"{owner.pipeline.name} for {owner.label}"
                message = f"{owned} and {job.pipeline.name} for {job.label} would both write {named}"
                name = posixpath.join(job.pipeline.name, posixpath.basename(path))
                hint = f"Set another path for one of them, e.g. targets.{job.label}.{file.option}: {name}"
            hint = f"Set another path {_setting(job, more)}." if more.origin else hint
            hint = hint if named == repr(path) else f"{hint}. Some file systems take upper and lower case for one."
            raise UsageError(message, where=more.origin, hint=hint)


def _check_path(job: Job, file: OutputFile, path: str) -> None:
    would = f"{job.pipeline.name} for {job.label} would write {file.path!r}"
    if path.startswith("/") or _steps_above(path) > job.options.steps_above or path.endswith(".."):
        hint = f"Set a relative path {_setting(job, file)}."
        raise UsageError(f"{would}, which is outside the project", where=file.origin, hint=hint)
    if any(map(is_git, path.split("/"))):
        hint = f"Set another path {_setting(job, file)}."
        raise UsageError(f"{would}, but wurzel never writes to git's own folder", where=file.origin, hint=hint)


def _setting(job: Job, file: OutputFile) -> str:
    """Where the path of a file is set."""
    return "in `files:` there" if file.origin else f"in targets.{job.label}.{file.option}"


def _steps_above(path: str) -> int:
    """How many folders above the output folder a normalized path leads."""
    return next(number for number, part in enumerate([*path.split("/"), ""]) if part != "..")


def check_writes(jobs: Iterable[Job], backends: Mapping[str, Backend]) -> None:
    """Raise `PreflightError` if the files of two jobs would write to one path when they run."""
    owners: dict[tuple[str, str], Job] = {}
    problems: dict[tuple[str, str, str, str], Problem] = {}
    for job in jobs:
        for path, setting in backends[job.target].writes(job.pipeline, job.options).items():
            owner = owners.setdefault((job.target, posixpath.normpath(path).casefold()), job)
            if owner is job:
                continue
            names = owner.pipeline.name, job.pipeline.name
            problem = Problem(
                f"{_both(owner, job)} would both write {path!r} when they run",
                where=job.locate(setting) or f"{job.pipeline.name} for {job.label}",
                hint=f"Set another path for one of them, e.g. {setting}: {posixpath.dirname(path)}/{names[1]}",
            )
            problems.setdefault((job.target, setting, *names), problem)
    if problems:
        raise PreflightError(list(problems.values()))


def _both(one: Job, other: Job) -> str:
    if one.label == other.label:
        return f"{one.pipeline.name} and {other.pipeline.name} for {one.label}"
    return f"{one.pipeline.name} for {one.label} and {other.pipeline.name} for {other.label}"
