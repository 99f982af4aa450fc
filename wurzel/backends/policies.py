"""Runs the policies of packs and of the project over rendered files, before any of them is written."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from wurzel.backends.base import PipelineContext
from wurzel.exceptions import PolicyError, Problem, TemplateError
from wurzel.records import dataclass
from wurzel.render.language import language_of
from wurzel.render.layers import OURS, label
from wurzel.render.policy import Failure, Policies

if TYPE_CHECKING:
    from wurzel.backends.job import Job, JobFile, JobResult
    from wurzel.render.layers import Layer, Layers

_DATA = ("YAML", "JSON")
_LINE_ENDS = re.compile("[\x85\u2028\u2029\ufeff]")
"""Characters that `parsed` refuses, since readers of YAML differ about them."""


@dataclass(frozen=True)
class PolicyTemplate:
    """A template that took part in a file, also where it wrote nothing."""

    name: str
    """As in messages: `own/argo/_step.yaml.j2` of the project, `acme!…` of a pack, `wurzel!…`."""
    layer: str
    """The pack it comes from; `wurzel` for wurzel's and targets' own; '' for the project's."""


@dataclass(frozen=True)
class PolicyFile:
    """A file about to be written, with patches applied."""

    path: str
    """Its path below the output folder."""
    text: str
    """Its text without the header."""
    language: str = ""
    """What it is written in: YAML, JSON, Python or shell."""
    templates: Sequence[PolicyTemplate] = ()
    """Every template that took part in it."""

    @cached_property
    def documents(self) -> list[Any]:
        """For YAML and JSON, whatever the file is called, each document as mappings, lists and values."""
        from wurzel.render.documents import parsed, unfold
        from wurzel.render.values import NotAValue
        from wurzel.render.verify import Unreadable

        is_data = self.language in _DATA or self.path.endswith((".yaml", ".yml", ".json"))
        try:
            found = parsed(self.text if is_data else _LINE_ENDS.sub(" ", self.text))
        except Unreadable as error:
            if is_data:
                raise NotAValue(f"{self.path} cannot be read, so no policy can check it: {error}") from None
            return []
        # kustomize reads a list of files whatever they are called
        return unfold([document for document in found if is_data or isinstance(document, dict)])


class PolicyContext(PipelineContext):
    """What a policy sees."""

    target: str
    """The backend's name: `argo`, also for a named target such as `argo-prod`."""
    options: Any
    """Options of the target, with defaults."""
    environment: str | None
    """The environment of `wurzel.yaml` that is rendered; null for none."""
    variables: Mapping[str, Any]
    """Every variable that a pack declares, with its value for the pipeline."""
    files: Sequence[PolicyFile]
    """Every file of the target, with patches applied."""
    fail: Any
    """`fail(message, at=path)` reports a violation, at a path of the pipeline or of a file; nothing is written then."""


class Guard:
    """Runs policies over rendered files, and makes sure that no template changed what they look at."""

    def __init__(self, layers: Layers, jobs: Sequence[Job]) -> None:
        """Record the state of the jobs before they are rendered."""
        self._layers = layers
        self._before = _states(jobs)

    def check(self, results: Sequence[JobResult]) -> None:
        """Raise unless every policy accepts all results.

        Raises `PolicyError` with the failures of all policies, for all targets; `TemplateError` when a template changed
        the pipeline or its options.
        """
        policies = Policies(self._layers)
        if _states([result.job for result in results]) != self._before:
            raise TemplateError(
                "a template changed the pipeline or its options while they were rendered",
                hint="Templates must only read their context: remove calls such as labels.update(…) or env.pop(…).",
            )
        problems: dict[Problem, None] = {}
        for result in results:
            failures, broken = policies.run(partial(_context, result), partial(_states, [result.job]))
            problems |= dict.fromkeys(broken)
            problems |= dict.fromkeys(_problem(result, failure) for failure in failures)
        if problems:
            raise PolicyError(problems)


def _states(jobs: Sequence[Job]) -> list[str]:
    """Everything that templates could change; a pipeline that several targets share is listed once."""
    pipelines = {id(job.pipeline): job.pipeline for job in jobs}
    return [*map(repr, pipelines.values()), *(repr(job.options) for job in jobs)]


def _context(result: JobResult) -> PolicyContext:
    job = result.job
    return {  # type: ignore[typeddict-item] # `fail` is the policy's own
        "pipeline": job.pipeline,
        "target": job.target,
        "options": job.options,
        "environment": job.environment,
        "variables": job.pipeline.variables,
        "files": [_file(file) for file in result.files],
    }


def _file(file: JobFile) -> PolicyFile:
    templates = [PolicyTemplate(label(found), _owner(found.layer)) for found in file.rendered.templates]
    return PolicyFile(file.output.path, file.rendered.text, language_of(file.output.template) or "", templates)


def _owner(layer: Layer) -> str:
    return {"pack": layer.name, "project": ""}.get(layer.kind, OURS)


def _problem(result: JobResult, failure: Failure) -> Problem:
    subject, where = _subject(result, failure.at)
    return Problem(f"{subject}{failure.message} ({failure.policy})", where)


def _subject(result: JobResult, at: str) -> tuple[str, str]:
    """The subject of a failure, and the place in the configuration that is nearest to its path."""
    job = result.job
    if any(at == file.output.path for file in result.files):
        return "", at
    if job.name and f"{at}.".startswith(f"targets.{job.target}."):
        at = f"targets.{job.name}{at.removeprefix(f'targets.{job.target}')}"
    kind, _, rest = at.partition(".")
    paths = [at[:end] for end in range(len(at), 0, -1) if end == len(at) or at[end] == "."]
    if kind == "steps":
        paths += [rest.partition(".")[2]]  # what a step does not set may come from the pipeline
    place = next(filter(None, map(job.locate, [*paths, ""])), f"{job.pipeline.name} for {job.label}")
    if kind in {"steps", "targets"} and rest:
        return f"{kind[:-1]} {rest.partition('.')[0]}: ", place
    return f"{job.pipeline.name}{'' if at else f' for {job.label}'}: ", place
