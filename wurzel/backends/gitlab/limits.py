"""What GitLab CI/CD would reject or read differently than intended, found before anything is rendered."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from wurzel.backends.ci import layout, uses_run
from wurzel.backends.ci.preflight import check, too_many_slices, unknown_jobs
from wurzel.backends.gitlab.place import groups, is_locked, job_name, place
from wurzel.exceptions import Problem

if TYPE_CHECKING:
    from wurzel.backends.gitlab.options import GitlabOptions
    from wurzel.ir.jobs import Job
    from wurzel.ir.model import Pipeline, Step

_NEEDS = 50
_PARALLEL = 200
_NAME = 128
_PATTERN = "*?[]{}!\\"
_INTERPOLATION = "$[["
_RESERVED = frozenset(
    [
        "image",
        "services",
        "stages",
        "types",
        "before_script",
        "after_script",
        "variables",
        "cache",
        "include",
        "spec",
        "default",
        "workflow",
        "pages",
        "true",
        "false",
        "nil",
    ]
)


def problems(pipeline: Pipeline, options: GitlabOptions) -> list[Problem]:
    """Every reason why GitLab could not run the file of a pipeline as intended."""
    return [
        *check(pipeline, options, scheduled=pipeline.schedule is not None, reserved="CI_"),
        *unknown_jobs(options.jobs, pipeline),
        *layout.problems(pipeline, options, lambda step: place(pipeline, options, step)),
        *_all_jobs(pipeline, options),
        *(problem for step in pipeline.steps for problem in _step(step)),
        *_texts(pipeline, options),
    ]


def _all_jobs(pipeline: Pipeline, options: GitlabOptions) -> Iterable[Problem]:
    jobs = groups(pipeline, options)
    for job in jobs:
        alone = len(jobs) == 1 and len(job.steps) > 1
        own = options.kind == "root" or is_locked(pipeline, options)
        yield from _job(job, job_name(job.name, options.title(pipeline), own=own, alone=alone))


def _job(job: Job, name: str) -> Iterable[Problem]:
    what = f"the step {job.name!r}" if job.ids == (job.name,) else f"the job {job.name!r}"
    if name in _RESERVED:
        other = (
            f'Give the step another name: WZ(cls, name="{job.name}-step")' if job.ids == (job.name,) else "Rename it"
        )
        yield Problem(
            f"{what} cannot be a job: GitLab reserves that name",
            hint=f"{other}, or set kind: include.",
        )
    if len(name) > _NAME:
        yield Problem(
            f"the job {name!r} has {len(name)} characters; `needs` takes at most {_NAME}",
            hint="Give the step or the pipeline a shorter name.",
        )
    if len(job.needs) > _NEEDS:
        yield Problem(
            f"{what} needs {len(job.needs)} others; GitLab allows {_NEEDS}",
            hint="Join them in groups with intermediate steps, or let steps share jobs: layout: auto.",
        )
    if len(job.steps) == 1:
        yield from too_many_slices(job.steps[0], _PARALLEL, "`parallel` allows")


def _step(step: Step) -> Iterable[Problem]:
    for wanted in step.tolerations:
        if wanted.key is None:
            yield Problem(
                f"the step {step.id!r} has a toleration without a key, which a job cannot pass on to its runner",
                hint="Name the key of the taint.",
            )


def _texts(pipeline: Pipeline, options: GitlabOptions) -> Iterable[Problem]:
    if options.kind == "component" and options.from_ir and uses_run(pipeline, options):
        yield Problem(
            "jobs of a component run in other projects, which do not have the IR file beside it",
            hint="Set kind: include, or render from the code; jobs then read the wurzel.yaml of the other project.",
        )
    for what, folder, better in (
        ("the project's folder", options.home.folder, "Rename it, to a name"),
        ("data_dir:", pipeline.data_dir, "Use a folder"),
    ):
        if any(sign in folder for sign in _PATTERN):
            hint = f"{better} without any of {' '.join(_PATTERN)}."
            yield Problem(f"{what} {folder!r} would be read as a pattern by `artifacts:paths`", hint=hint)
    if not options.uses_inputs:
        return
    texts = {"description": pipeline.description, "data_dir": pipeline.data_dir}
    texts |= {f"env.{name}": value for name, value in pipeline.env.items()}
    for step in pipeline.steps:
        texts |= {f"steps.{step.id}.description": step.description}
        texts |= {f"steps.{step.id}.env.{name}": value for name, value in step.env.items()}
        texts |= {f"steps.{step.id}.settings.{item.name}": str(item.value) for item in step.settings if item.given}
    for path, text in texts.items():
        if _INTERPOLATION in text:
            yield Problem(
                f"{path} contains {_INTERPOLATION}, which GitLab would replace in a file with inputs",
                hint="Set parameters: variables, or change the text.",
            )
