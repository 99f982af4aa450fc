"""From resolved pipelines to the text of their files: preflight, support reports, context, template."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from wurzel.backends.job import Job, JobFile, JobResult
from wurzel.backends.paths import added, check_paths, check_writes, listed
from wurzel.backends.registry import get
from wurzel.backends.support import Report, unsupported_uses
from wurzel.exceptions import (
    PreflightError,
    Problem,
    TemplateError,
    VerifyError,
)
from wurzel.invocation.variables import too_large
from wurzel.render.verify import without_collection

if TYPE_CHECKING:
    from wurzel.backends.base import Backend, OutputFile
    from wurzel.backends.policies import Guard
    from wurzel.render import Rendered, Renderer
    from wurzel.render.contexts import Common
    from wurzel.render.more import More

_HEADER = 400
"""Bytes reserved for the header, the first line that says where a file comes from."""


def reports_of(job: Job) -> list[Report]:
    """Unsupported uses that are not accepted. Raises `UsageError` when something accepted is not a feature."""
    where = job.locate(f"targets.{job.label}.ignore")
    return unsupported_uses(get(job.target), job.pipeline, job.options.ignore, job.options, where)


@without_collection()
def render(jobs: Sequence[Job], renderer: Renderer) -> list[JobResult]:
    """The files of all jobs, in memory.

    Raises `PreflightError` when pipelines cannot run on their targets, or a file is too large for its target; with all
    findings; `UsageError` when two jobs would write one path; `TemplateProblems` when templates of the project or its
    packs have errors, even those that are not used here; `TemplateError` when a template cannot be rendered;
    `ConfigError` when a patch matches nothing; `PolicyError` when a policy refuses a file.
    """
    backends = {job.target: get(job.target) for job in jobs}
    reports = [reports_of(job) for job in jobs]
    _check_preflight(jobs, backends)
    renderer.layers.warnings |= {warning: None for job in jobs for warning in job.warnings}
    for backend in backends.values():
        if backend.templates is not None:
            renderer.layers.add(backend.name, backend.templates)
        renderer.layers.rename(backend.renames)
    if any(layer.is_own for layer in renderer.layers.layers):
        from wurzel.backends.checking import check_templates  # wurzel's own templates are checked by its tests

        check_templates(renderer, backends)
    guard = _guard(jobs, renderer)
    more = renderer.layers.more
    planned = [(job, files_of(backends[job.target], job, more)) for job in jobs]
    check_paths(planned)
    check_writes(jobs, backends)
    results = [
        JobResult(job, _files(job, files, renderer), report)
        for (job, files), report in zip(planned, reports, strict=True)
    ]
    _check_sizes(results)
    if guard is not None:
        guard.check(results)
    if any(layer.is_own for layer in renderer.layers.layers):
        from wurzel.backends.inherited import warnings  # only where there are templates that may add something

        renderer.layers.warnings |= dict.fromkeys(warnings(results, backends))
    return results


def _guard(jobs: Sequence[Job], renderer: Renderer) -> Guard | None:
    if not any(layer.has_policy for layer in renderer.layers.layers):
        return None
    from wurzel.backends.policies import Guard  # only where there are policies

    return Guard(renderer.layers, jobs)


def files_of(backend: Backend, job: Job, more: Sequence[More] = ()) -> list[OutputFile]:
    """The files that a backend, and packs, write for a job, each with the names that every template sees.

    Packs add nothing to a file for one run: what stands beside it is there already.
    """
    common: Common = {"variables": job.pipeline.variables, "environment": job.environment}
    files = [replace(file, context={**common, **file.context}) for file in backend.files(job.pipeline, job.options)]
    return files + added(job, files, more) if more and not job.options.of_run else files


def paths(jobs: Sequence[Job], more: Sequence[More] = ()) -> list[str]:
    """Paths of the files of all jobs, and of those that packs add, also where one of these may turn out empty.

    Nothing is rendered. Raises `PreflightError` and `UsageError` as `render` does.
    """
    backends = {job.target: get(job.target) for job in jobs}
    _check_preflight(jobs, backends)
    planned = [(job, files_of(backends[job.target], job, more)) for job in jobs]
    check_paths(planned)
    return [posixpath.normpath(file.path) for _, files in planned for file in files]


def variant(before: JobResult, job: Job, renderer: Renderer) -> Mapping[str, str]:
    """The text of each file of a rendered job that changes with another configuration, by path.

    Nothing is verified again, since the texts are only compared: templates do not depend on configuration. Raises
    `WurzelError` when the target or a template refuses the configuration.
    """
    backend = get(job.target)
    _check_preflight([job], {job.target: backend})
    known = {file.output.path: file.rendered for file in before.files}
    files = listed([file for file in files_of(backend, job, renderer.layers.more) if file.path in known])
    texts = [renderer.variant(known[file.path].unpatched, file.template, file.context) for file in files]
    texts = _patched(job, files, texts, renderer)
    found = {file.path: rendered.text for file, rendered in zip(files, texts, strict=True)}
    return {path: text for path, text in found.items() if text.strip() and text != known[path].text}


def _files(job: Job, files: Sequence[OutputFile], renderer: Renderer) -> list[JobFile]:
    made = {file.path: renderer.render(file.template, file.context) for file in files if file.optional}
    files = listed([file for file in files if not file.optional or made[file.path].text.strip()])
    rendered = [made.get(file.path) or _rendered(file, renderer) for file in files]
    rendered = _patched(job, files, rendered, renderer)
    return [JobFile(job, file, text) for file, text in zip(files, rendered, strict=True)]


def _patched(job: Job, files: Sequence[OutputFile], rendered: list[Rendered], renderer: Renderer) -> list[Rendered]:
    found = rendered
    if job.options.patch is not None:
        from wurzel.backends.patching import patched  # imported only by those who patch, to keep others fast

        found = patched(job, list(zip(files, rendered, strict=True)))
    return [_finished(job, file, text, renderer) for file, text in zip(files, found, strict=True)]


def _finished(job: Job, file: OutputFile, rendered: Rendered, renderer: Renderer) -> Rendered:
    if file.finish is None:
        return rendered
    from wurzel.render import Finished

    try:
        return Finished(rendered, *file.finish(rendered.text))
    except VerifyError as error:
        where = f"{job.pipeline.name} for {job.label}"
        renderer.layers.warnings[Problem(f"{file.path}: {error.message}", where, error.hint)] = None
        return rendered


def _rendered(file: OutputFile, renderer: Renderer) -> Rendered:
    """A rendered file of a target, which must not be empty: an empty template is more likely a mistake."""
    rendered = renderer.render(file.template, file.context)
    if not rendered.text.strip():
        hint = "Delete the template to use the one below it, or extend that one."
        where = renderer.layers.labelled(f"{file.template}:1")
        raise TemplateError("the template writes nothing", where=where, hint=hint)
    return rendered


def _check_sizes(results: Iterable[JobResult]) -> None:
    problems = [
        Problem(what, f"{file.job.pipeline.name} for {file.job.label}", file.output.smaller)
        for result in results
        for file in result.files
        if (what := _too_large(file))
    ]
    if problems:
        raise PreflightError(problems)


def _too_large(file: JobFile) -> str:
    output, text = file.output, file.rendered.text
    if output.limit and (size := len(text.encode()) + _HEADER) > output.limit:
        return f"{output.path!r} would have {size} bytes; {file.job.label} accepts at most {output.limit}"
    if output.object_limit and len(text) * 4 > output.object_limit:
        size = max(len(part.encode()) for part in text.split("\n---\n"))
        if size > output.object_limit:
            most = output.object_limit
            return f"{output.path!r} would contain an object of {size} bytes; Kubernetes accepts at most {most}"
    return ""


def _check_preflight(jobs: Iterable[Job], backends: Mapping[str, Backend]) -> None:
    problems = [problem for job in jobs for problem in _preflight(backends[job.target], job)]
    if problems:
        raise PreflightError(list(dict.fromkeys(problems)))


def _preflight(backend: Backend, job: Job) -> list[Problem]:
    place = job.locate(f"targets.{job.label}")
    if not place or place.startswith("pack "):  # what is missing is the project's to give
        place = job.locate("")
    where = (f"{place}: " if place else "") + f"{job.pipeline.name} for {job.label}"
    found = [*backend.preflight(job.pipeline, job.options)]
    for step in job.pipeline.steps:
        values = too_large(job.pipeline, step, settings=backend.settings_in_environment)
        found += [Problem(each.message, job.locate(each.path), each.advice) for each in values]
    return [Problem(problem.message, problem.where or where, problem.hint) for problem in found]


def lost(results: Iterable[JobResult]) -> Iterator[Problem]:
    """Jobs whose data nothing keeps, unless that is accepted by `ignore: [data_dir]`."""
    for job in (result.job for result in results):
        if (why := get(job.target).loses(job.pipeline, job.options)) and "data_dir" not in job.options.ignore:
            hint = f"Accept it: targets.{job.label}.ignore: [data_dir], or cache = False where steps write elsewhere."
            yield Problem(why, f"{job.pipeline.name} for {job.label}", hint)


def zone_problems(results: Iterable[JobResult]) -> Iterator[Problem]:
    """Schedules in a time zone that a controller may not know."""
    from wurzel.ir.schedule import zone_advice

    for job in (result.job for result in results):
        schedule = job.pipeline.schedule
        if schedule is not None and (advice := zone_advice(schedule.timezone)):
            what = f"schedule.timezone: {schedule.timezone} is a legacy time zone name, which slim images do not"
            what += " know: a controller without it may never start the pipeline"
            yield Problem(what, job.locate("schedule.timezone") or job.pipeline.name, advice)
