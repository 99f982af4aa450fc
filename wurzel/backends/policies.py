"""Runs the policies of packs and of the project over rendered files, before any of them is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypedDict

from wurzel.exceptions import PolicyError, Problem, TemplateError
from wurzel.render.policy import Failure, Policies

if TYPE_CHECKING:
    from wurzel.backends.job import Job, JobResult
    from wurzel.ir.model import Pipeline
    from wurzel.render.layers import Layers

_DATA = (".yaml", ".yml", ".json")


@dataclass(frozen=True)
class PolicyFile:
    """A file as it is to be written, with patches applied."""

    path: str
    """Where it is to be written, below the output folder."""
    text: str
    """All of it but its header."""

    @cached_property
    def documents(self) -> list[Any]:
        """Of YAML and JSON, each document as mappings, lists and values."""
        if not self.path.endswith(_DATA):
            return []
        from wurzel.render.documents import parsed

        return parsed(self.text)


class PolicyContext(TypedDict):
    """What a policy sees."""

    pipeline: Pipeline
    """The pipeline, as the IR has it."""
    target: str
    """What the files are for: `argo`, also for a named target such as `argo-prod`."""
    options: Any
    """Options of the target, with defaults."""
    environment: str | None
    """The environment of `wurzel.yaml` that is rendered; null for none."""
    variables: Mapping[str, Any]
    """Every variable that a pack declares, with its value for the pipeline."""
    files: Sequence[PolicyFile]
    """Every file of the target, with patches applied."""
    fail: Any
    """`fail(message, at=path)` refuses what is to be written, for a value of the pipeline or a file at that path."""


class Guard:
    """Runs policies over what was rendered, and makes sure that templates left untouched what these look at."""

    def __init__(self, layers: Layers, jobs: Sequence[Job]) -> None:
        """Note what is to be rendered."""
        self._layers = layers
        self._before = _states(jobs)

    def check(self, results: Sequence[JobResult]) -> None:
        """Go on only when no policy refuses any of it.

        Raises:
            PolicyError: with all that any policy refuses, of all targets.
            TemplateError: when a template changed the pipeline or its options.
        """
        policies = Policies(self._layers)
        if _states([result.job for result in results]) != self._before:
            raise TemplateError(
                "a template changed the pipeline or its options while they were rendered",
                hint="Templates only read what they are given: take out calls such as labels.update(…) or env.pop(…).",
            )
        problems: dict[Problem, None] = {}
        for result in results:
            failures, broken = policies.run(_context(result))
            problems |= dict.fromkeys(broken)
            problems |= dict.fromkeys(_problem(result, failure) for failure in failures)
        if problems:
            raise PolicyError(problems)


def _states(jobs: Sequence[Job]) -> list[str]:
    """Everything that templates might change; a pipeline that several targets share counts once."""
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
        "files": [PolicyFile(file.output.path, file.rendered.text) for file in result.files],
    }


def _problem(result: JobResult, failure: Failure) -> Problem:
    subject, where = _subject(result, failure.at)
    return Problem(f"{subject}{failure.message} ({failure.policy})", where)


def _subject(result: JobResult, at: str) -> tuple[str, str]:
    """What a failure is about, and the place of what is nearest to its path."""
    job = result.job
    if any(at == file.output.path for file in result.files):
        return "", at
    if job.name and f"{at}.".startswith(f"targets.{job.target}."):
        at = f"targets.{job.name}{at.removeprefix(f'targets.{job.target}')}"
    kind, _, rest = at.partition(".")
    paths = [at[:end] for end in range(len(at), 0, -1) if end == len(at) or at[end] == "."]
    if kind == "steps":
        paths += [rest.partition(".")[2]]  # what a step does not say, the pipeline may
    place = next(filter(None, map(job.locate, [*paths, ""])), f"{job.pipeline.name} for {job.label}")
    if kind in {"steps", "targets"} and rest:
        return f"{kind[:-1]} {rest.partition('.')[0]}: ", place
    return f"{job.pipeline.name}{'' if at else f' for {job.label}'}: ", place
