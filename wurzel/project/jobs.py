"""Which pipelines are rendered for which targets, by the arguments of the command line."""

from __future__ import annotations

import posixpath
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wurzel.backends.job import Job
from wurzel.backends.registry import BUILT_IN, get, names
from wurzel.exceptions import Problem, UsageError
from wurzel.invocation import call
from wurzel.invocation.call import RunCall
from wurzel.named_tuples import NamedTuple
from wurzel.project.load import project_names
from wurzel.project.nodes import near
from wurzel.project.open import no_project, open_in, open_project
from wurzel.project.options import check_environments, old_forms, validate_options
from wurzel.project.resolve import resolve
from wurzel.project.targets import Named

if TYPE_CHECKING:
    from wurzel.ir.model import Pipeline
    from wurzel.project.load import Project
    from wurzel.project.resolve import Resolved

_NAME = "Name a pipeline: wurzel render module:attribute -t dvc"


class Choice(NamedTuple):
    """Some of the steps, as the options of `wurzel run` choose them; none for all."""

    only: Sequence[str] = ()
    first: Sequence[str] = ()
    last: Sequence[str] = ()

    @property
    def options(self) -> list[str]:
        """The options of a command line."""
        return call.options(**{"only": self.only, "from": self.first, "until": self.last})

    def ids(self, pipeline: Pipeline) -> tuple[str, ...]:
        """Ids of the steps. Raises `UsageError` for an unknown step."""
        from wurzel.runtime.selection import between, chosen  # imported only where steps are chosen

        found = tuple(step.id for step in chosen(pipeline, self.only).steps) if self.only else ()
        return found or between(pipeline, self.first, self.last)


class Request(NamedTuple):
    """What a user asks to be rendered."""

    pipelines: Sequence[str] = ()
    """Names or `module:attribute`; all of `wurzel.yaml` when empty."""
    targets: Sequence[str] = ()
    """Targets; those `wurzel.yaml` names for each pipeline when empty."""
    environment: str | None = None
    sets: Sequence[str] = ()
    ir: Path | None = None
    """An IR file to render instead of code."""
    output: str = "."
    """Folder that all files are written below."""
    choice: Choice = Choice()
    """The steps of a run that is rendered alone."""
    may_be_empty: bool = False
    """Whether a request with nothing to render is allowed, as when only orphans are looked for."""

    @property
    def shared_options(self) -> list[str]:
        """The options of a command line that every file of the request depends on."""
        folder = posixpath.normpath(self.output)
        within = folder != "." and not folder.startswith(("/", ".."))  # a path of one machine means nothing on another
        return call.options(e=self.environment, set=self.sets, o=within and folder) + self.choice.options

    def command(self, *options: str) -> str:
        """The command for the same request, with further options."""
        words = ["wurzel", "render", *self.pipelines, *call.options(t=self.targets, from_ir=self.ir)]
        return shlex.join([*words, *self.shared_options, *options])


def jobs_of(request: Request, project: Project | None) -> list[Job]:
    """One job per pipeline and target, in the order of the request or of `wurzel.yaml`.

    Raises `UsageError` when there is nothing to render, or a name is unknown; `ConfigError` when configuration is wrong
    or does not fit a pipeline or target; `PipelineError` when the code of a pipeline cannot be used.
    """
    jobs = []
    for target in request.targets:
        check_known(target, project)  # before any user code runs
    for resolved in _resolved(request, project):
        targets = _targets(request, resolved)
        if not targets and not request.targets:
            hint = (
                "Pass one with -t, or list some under `targets:`, such as local: {}; one without a value is left out."
            )
            raise UsageError(f"no target for {resolved.pipeline.name}", hint=hint)
        known = project is not None and resolved.pipeline.name in project.names(request.environment)
        name = resolved.pipeline.name if known else resolved.pipeline.entrypoint
        jobs += [_job(request, project, resolved, target, name) for target in targets]
    if request.targets and not jobs and not request.may_be_empty:
        raise UsageError(f"no pipeline has a target {request.targets[0]!r}", hint="An environment may have it: -e ENV")
    return jobs


def _targets(request: Request, resolved: Resolved) -> list[str]:
    """The targets that one pipeline is rendered for; without a PIPELINE, a named target is for those that have it."""
    if not request.targets:
        return [name for name in resolved.options if _fits(resolved.named.get(name), request.environment)]
    lacking = [target for target in request.targets if target not in resolved.named and not _is_backend(target)]
    if lacking and request.pipelines:
        hint = near(lacking[0], [*names(), *resolved.named], "Targets")
        raise UsageError(f"{resolved.pipeline.name} has no target {lacking[0]!r}", hint=hint)
    return [target for target in dict.fromkeys(request.targets) if target not in lacking]


def _is_backend(target: str) -> bool:
    return target in BUILT_IN or target in names()  # installed ones are looked for only where that is needed


def check_known(target: str, project: Project | None) -> None:
    """Raise `UsageError` if no backend, and no named target of the project, has this name."""
    if target in BUILT_IN:
        return
    named = project_names(project)
    if target not in named and not _is_backend(target):
        raise UsageError(f"unknown target {target!r}", hint=near(target, [*names(), *named], "Targets"))


def _fits(named: Named | None, environment: str | None) -> bool:
    """Whether a target belongs to the environment of `-e`: it may be bound to another one."""
    return named is None or environment is None or named.environment in {None, environment}


def open_jobs(request: Request) -> tuple[list[Job], Project | None]:
    """The jobs of a request in the project of the current folder, and that project; raises what `jobs_of` raises."""
    project = open_project()
    return jobs_of(request, project), project


def _resolved(request: Request, project: Project | None) -> list[Resolved]:
    if request.ir is not None:
        from wurzel.ir.serialize import load

        if request.pipelines:
            raise UsageError("--from-ir takes no PIPELINE", hint="The file names its pipeline.")
        return [resolve(load(request.ir), project, environment=request.environment, sets=request.sets)]
    chosen = request.pipelines or (project.names(request.environment) if project is not None else [])
    if not chosen and not (request.may_be_empty and project is not None):
        if project is None:
            raise UsageError("nothing to render: there is no wurzel.yaml here", hint=no_project())
        raise UsageError("nothing to render: wurzel.yaml has no pipelines", hint=_NAME)
    return [open_in(project, name, request.environment, request.sets) for name in dict.fromkeys(chosen)]


def _job(request: Request, project: Project | None, resolved: Resolved, target: str, name: str) -> Job:
    named = resolved.named.get(target) or Named("", target)  # a target by its own name is bound to no environment
    if not _fits(named, request.environment):
        raise UsageError(
            f"{target} is for the environment {named.environment}, not {request.environment}",
            hint=f"Remove -e {request.environment}.",
        )
    environment = named.environment or request.environment
    if environment != request.environment:
        if project is not None:
            project.overrides(environment, named.place)  # raises at the line of an unknown one
        own = request._replace(environment=environment, pipelines=(name,) if request.ir is None else ())
        (resolved,) = _resolved(own, project)
    backend = get(named.target)
    options = validate_options(resolved, target, backend.options_model)
    if project is not None and project.environments:
        check_environments(project, resolved.pipeline.name, target, backend.options_model)
    options = options.called(_run_call(request, name, environment))
    options, more = _at_home(options, resolved, request, project)
    if named.name:
        placed = backend.placed(resolved.pipeline, options, target)
        options = placed if options.output is None else placed.model_copy(update={"output": options.output})
    asked = request._replace(environment=None) if named.environment else request
    # The same no matter which jobs are rendered together.
    command = shlex.join(["wurzel", "render", name, "-t", target, *asked.shared_options])
    pipeline = _pipeline(request, resolved, named.target)
    if request.choice.options:
        pipeline, options = backend.one_off(pipeline, options, request.choice.ids(pipeline))
    warnings = [*old_forms(resolved, target, backend.options_model), *more]
    return Job(pipeline, named.target, options, command, resolved.locate, environment, named.name, warnings)


def _at_home(options: Any, resolved: Resolved, request: Request, project: Project | None) -> tuple[Any, list[Problem]]:
    """The options of a CI platform with what the project's files decide, and what to say about that."""
    if not hasattr(options, "at_home"):  # the options of another target
        return options, []
    from wurzel.project.home import home_of  # imported only for CI platforms, to keep others fast

    home = home_of(project, output=request.output)
    placed, found = options.at_home(home), []
    if home.problem is not None and placed.install is None and placed.setup == home.setup:
        images = [resolved.pipeline.image or step.image for step in resolved.pipeline.steps]
        found += [home.problem] if None in images else []
    where = home.below(placed.output or "")
    if home.up and where and not where.startswith(placed.read_in):
        hint = f"Leave it out, or write a path below {home.up}{placed.read_in}."
        found.append(Problem(f"output: nothing at {where} in the repository is read", resolved.pipeline.name, hint))
    return placed, found


def _pipeline(request: Request, resolved: Resolved, target: str) -> Pipeline:
    """The pipeline, with source files where the target names them; an IR file has them already."""
    if request.ir is not None or not get(target).names_sources:
        return resolved.pipeline
    from wurzel.invocation.sources import with_sources  # imported only for targets that name files, to keep others fast

    return with_sources(resolved.pipeline, Path())


def _run_call(request: Request, name: str, environment: str | None) -> RunCall:
    """What runs the pipeline in a job: of configuration, only what says something about the pipeline itself."""
    sets = [text for text in request.sets if not text.startswith("targets.")]
    if request.ir is not None:
        return RunCall(from_ir=str(request.ir), sets=sets)
    return RunCall(name, environment=environment, sets=sets)
