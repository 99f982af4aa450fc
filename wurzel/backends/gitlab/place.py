"""Where the jobs of GitLab run, what they are called, and how GitLab writes times and paths."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from wurzel.backends.gitlab.variables import pod
from wurzel.ir.jobs import jobs_of
from wurzel.ir.types import format_duration

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wurzel.backends.gitlab.options import GitlabOptions, JobOptions
    from wurzel.ir.jobs import Job
    from wurzel.ir.model import Pipeline, Step

_LONGEST = 60
"""Characters of the name of a stage that lists its jobs."""
_CONDA = "condaforge/miniforge3:25.3.1-0"


def place(pipeline: Pipeline, options: GitlabOptions, step: Step) -> dict[str, Any]:
    """What a job has only once, for one of its steps; templates may decide on variables where a job runs."""
    own = options.of_step(step)
    shape = ("KUBERNETES_NODE_", "KUBERNETES_POD_")
    return {
        "image": step.image or pipeline.image,
        "variables": step.variables,
        "runner": tags(options, own, step),
        "account": step.service_account or pipeline.service_account,
        "environment": own.environment or options.environment,
        "placement": {name: value for name, value in pod(pipeline, [step], 1).items() if name.startswith(shape)},
    }


def groups(pipeline: Pipeline, options: GitlabOptions) -> list[Job]:
    """The jobs of a pipeline, each with its steps."""
    return jobs_of(pipeline, options.chosen_layout, lambda step: place(pipeline, options, step))


def is_locked(pipeline: Pipeline, options: GitlabOptions) -> bool:
    """Whether runs must not overlap and several jobs make one, so that a job above them must hold the lock.

    A component cannot have a file for it: `local` is a file of the project that uses the component.
    """
    schedule = pipeline.schedule
    if options.kind == "component" or schedule is None or schedule.concurrency != "forbid":
        return False
    return len(groups(pipeline, options)) > 1


def job_name(name: str, title: str, *, own: bool, alone: bool = False) -> str:
    """What GitLab calls a job: beside those of other files with the title in front, or just the title if it is alone.

    `own` says that no other file has jobs in the same pipeline of GitLab, `alone` that it is the only job, of several
    steps.
    """
    if own:
        return name
    return title if alone else f"{title}:{name}"


def tags(options: GitlabOptions, own: JobOptions, step: Step) -> list[str]:
    """Tags of the runner for the job of a step; none where they are those of all jobs."""
    wanted = [*(options.tags if own.tags is None else own.tags)]
    wanted += options.gpu_tags if step.resources.devices else ()
    return [] if wanted == list(options.tags) else list(dict.fromkeys(wanted))


def image_for(setup: str, python_version: str, slim: str = "") -> str:
    """An image with Python and the program that installs a project; with git, unless it is `-slim`."""
    if setup == "uv":
        return f"ghcr.io/astral-sh/uv:python{python_version}-bookworm{slim}"
    return _CONDA if setup == "conda" else f"python:{python_version}{slim}"


def artifact_path(path: str) -> str:
    """A path in which no runner expands a variable: `?` for each `$`, since versions escape `$` differently."""
    return path.replace("$", "?")


def path_pattern(path: str) -> str:
    """A pattern of `changes` for a file, or for all files in a folder that ends with a slash."""
    escaped = re.sub(r"([*?\[\]{}\\])", r"\\\1", path)
    return artifact_path(escaped) + ("**/*" if path.endswith("/") else "")


def duration(seconds: int) -> str:
    """A duration in GitLab's notation: `1h 30m`."""
    text = format_duration(seconds)
    for unit in "dhm":
        text = text.replace(unit, f"{unit} ")
    return text.strip()


def stages(jobs: Sequence[Job]) -> dict[str, str]:
    """The stage of each job: after those of the jobs that it needs, and named after the jobs in it."""
    depth: dict[str, int] = {}
    for job in jobs:
        depth[job.name] = max((depth[need] + 1 for need in job.needs if need in depth), default=0)
    levels: dict[int, list[str]] = {}
    for name, level in depth.items():
        levels.setdefault(level, []).append(name)
    called = {level: _called(names) for level, names in levels.items()}
    return {name: called[level] for name, level in depth.items()}


def _called(names: Sequence[str]) -> str:
    text = ", ".join(names)
    return text if len(text) <= _LONGEST else f"{names[0]} and {len(names) - 1} more" if len(names) > 1 else names[0]
