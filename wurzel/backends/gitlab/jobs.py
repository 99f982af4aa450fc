"""Context of a GitLab CI/CD file: one job per step, ready for the template."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypedDict

from wurzel.backends import ci
from wurzel.backends.gitlab.options import JobOptions
from wurzel.backends.gitlab.variables import (
    Input,
    Variables,
    prefilled,
    secret_lines,
    typed_input,
    variable,
    variables,
    vault_secrets,
)
from wurzel.invocation.command import Emulated, dataset, step_argv
from wurzel.ir.types import format_duration

if TYPE_CHECKING:
    from wurzel.backends.gitlab.options import GitlabOptions
    from wurzel.ir.model import Pipeline, Step

NATIVE_RETRIES = 2
_SOURCES = ("web", "api", "trigger")
_RUNNER_FAILURES = ("runner_system_failure", "stuck_or_timeout_failure")
_CACHES = {"pip": "PIP_CACHE_DIR", "uv": "UV_CACHE_DIR"}


@dataclass(frozen=True)
class Job:
    """One job, ready for the template."""

    name: str
    """Name of the job: the id of the step."""
    description: str
    """What the step is for."""
    polls: bool
    """Whether it reads an outside source."""
    needs: Sequence[str]
    """`needs`: the jobs that must be done, and whose datasets it gets."""
    image: str
    """`image`, if it differs from the one all jobs share."""
    bare: bool
    """Whether the image has everything, so that nothing is installed."""
    tags: Sequence[str]
    """`tags` of the runner, if they differ from those all jobs share."""
    environment: str
    """Name of the environment; empty for none."""
    parallel: int
    """How many jobs share the slices; 0 for one job."""
    retry: Any
    """`retry`; null if `wurzel step` retries, or there are no retries."""
    timeout: str
    """`timeout` of the job, in GitLab's notation."""
    resource_group: str
    """`resource_group`, which one run at a time can use; empty for none."""
    variables: Variables
    """`variables` of the job."""
    secrets: Mapping[str, Any]
    """`secrets` that GitLab takes from Vault."""
    cache: Sequence[Mapping[str, Any]] | None
    """`cache` of the job, if it differs from the one all jobs share."""
    script: Sequence[str]
    """Shell lines that run the step."""
    path: str
    """The folder of its dataset."""
    shared: Config
    """What all jobs share, with what differs for this one: tags, and nothing to install where its image has it."""
    step: Step
    """The step, as the IR has it."""


@dataclass(frozen=True)
class Config:
    """The whole file, ready for the template."""

    name: str
    """Title of the pipeline: its name, or option `name`."""
    base: str
    """Name of the hidden job that all jobs extend."""
    stage: Any
    """`stage` of all jobs."""
    image: Any
    """`image` of all jobs."""
    tags: Sequence[str]
    """`tags` of the runners of all jobs."""
    rules: Any
    """When the pipeline runs."""
    inputs: Sequence[Input]
    """`spec:inputs`; none when parameters are variables."""
    variables: Variables
    """Variables that the "Run pipeline" form shows."""
    base_variables: Variables
    """Variables of all jobs."""
    cache: Sequence[Mapping[str, Any]]
    """`cache` of all jobs."""
    install: str
    """Shell line that installs the project; empty when there is nothing to do."""
    id_tokens: Mapping[str, Any]
    """`id_tokens` of all jobs."""
    interruptible: bool
    """Whether a newer run cancels the one in progress."""
    expire_in: str
    """How long datasets are kept."""
    jobs: Sequence[Job]
    """One job for each step, in an order in which they can run."""


@dataclass(frozen=True)
class ScheduleScript:
    """The schedule, for the script that creates it."""

    description: str
    """Its description, by which the script finds an existing schedule."""
    cron: str
    """Five fields."""
    timezone: str
    """The name of the time zone."""
    ref: str
    """The branch it runs on."""
    variable: str
    """`KEY:VALUE` of a variable that selects this pipeline; empty for none."""


class FileContext(TypedDict):
    """What the template of the file with the jobs sees."""

    pipeline: Pipeline
    """The pipeline, as the IR has it."""
    options: GitlabOptions
    """The options below `targets.gitlab`, with defaults."""
    config: Config
    """The file, ready for the template."""


class ScheduleContext(TypedDict):
    """What the template of the script that creates the schedule sees."""

    pipeline: Pipeline
    """The pipeline, as the IR has it."""
    options: GitlabOptions
    """The options below `targets.gitlab`, with defaults."""
    schedule: ScheduleScript
    """The schedule, as `glab` takes it."""


def config(pipeline: Pipeline, options: GitlabOptions) -> Config:
    """The file of a pipeline."""
    return _Writer(pipeline, options).config()


def schedule(pipeline: Pipeline, options: GitlabOptions) -> ScheduleScript:
    """The schedule of a pipeline that has one."""
    assert pipeline.schedule is not None  # noqa: S101 - narrows the type; files() asks first
    return ScheduleScript(
        description=f"wurzel: {options.title(pipeline)}",
        cron=ci.plain_cron(pipeline.schedule.cron) or "",
        timezone=pipeline.schedule.timezone,
        ref=options.schedule_ref,
        variable="" if options.kind == "root" else f"WURZEL_PIPELINE:{options.title(pipeline)}",
    )


def job_name(step_id: str, pipeline: Pipeline, options: GitlabOptions) -> str:
    """Name of a step's job: its id, prefixed with the title in a file for `include:`."""
    return step_id if options.kind == "root" else f"{options.title(pipeline)}:{step_id}"


def is_native_retry(step: Step) -> bool:
    """Whether GitLab's own `retry` can do all that the step needs."""
    return step.retry.limit <= NATIVE_RETRIES and not step.retry.backoff


class _Writer:
    """Makes the context of one file."""

    def __init__(self, pipeline: Pipeline, options: GitlabOptions) -> None:
        self.pipeline = pipeline
        self.options = options
        self.steps = {step.id: step for step in pipeline.steps}
        self.concurrency = pipeline.schedule.concurrency if pipeline.schedule else "allow"
        self.caches = self.install_cache()

    def config(self) -> Config:
        pipeline, options = self.pipeline, self.options
        component = options.kind == "component"
        image = pipeline.image or options.image or _image(options)
        stage = options.stage or (options.title(pipeline) if options.kind == "root" else "test")
        tokens = dict(options.id_tokens)
        if options.vault:
            tokens |= {"VAULT_ID_TOKEN": {"aud": options.vault.audience}}
        shared = Config(
            name=options.title(pipeline),
            base=f".{options.title(pipeline)}",
            stage="$[[ inputs.stage ]]" if component else stage,
            image="$[[ inputs.image ]]" if component else image,
            tags=list(options.tags),
            rules="$[[ inputs.rules ]]" if component else self.rules(),
            inputs=self.inputs(stage, image) if options.uses_inputs else (),
            variables={} if options.uses_inputs else prefilled(ci.parameters(*pipeline.steps)),
            base_variables=self.base_variables(),
            cache=self.caches if not pipeline.image else (),
            install="" if pipeline.image else options.install_line(),
            id_tokens=tokens,
            interruptible=self.concurrency == "replace",
            expire_in=_duration(options.retention),
            jobs=(),
        )
        return replace(shared, jobs=[self.job(step, shared) for step in pipeline.steps])

    def rules(self) -> list[dict[str, Any]]:
        if self.options.rules is not None:
            return list(self.options.rules)
        if self.options.kind != "root":
            return [{"if": f'$WURZEL_PIPELINE == "{self.options.title(self.pipeline)}"'}]
        sources = ("schedule", *_SOURCES) if self.pipeline.schedule else _SOURCES
        return [{"if": f'$CI_PIPELINE_SOURCE == "{source}"'} for source in sources]

    def inputs(self, stage: str, image: str) -> list[Input]:
        own = []
        if self.options.kind == "component":
            own = [
                Input("stage", "string", "Stage of all jobs", False, stage, ()),
                Input("image", "string", "Image of jobs that set none", False, image, ()),
                Input("rules", "array", "When the pipeline runs", False, self.rules(), ()),
            ]
        return own + [typed_input(parameter) for parameter in ci.parameters(*self.pipeline.steps)]

    def base_variables(self) -> dict[str, Any]:
        values = {name: variable(value) for name, value in self.pipeline.env.items()}
        if self.caches and not self.pipeline.image:
            values[_CACHES[self.options.setup]] = f"$CI_PROJECT_DIR/.cache/{self.options.setup}"
        if not self.options.checkout:
            values["GIT_STRATEGY"] = "none"
        return values | {"WURZEL_RUN_ID": "$CI_PIPELINE_ID"} | self.options.install_env

    def install_cache(self) -> list[dict[str, Any]]:
        if not self.options.cache or self.options.setup == "none" or not self.options.install_line():
            return []
        key = {"prefix": f"{self.options.setup}-{self.options.python_version}"}
        paths = [f".cache/{self.options.setup}"]
        return [{"key": {"files": [self.options.cache_key_file()], **key}, "paths": paths}]

    def job(self, step: Step, shared: Config) -> Job:
        pipeline, options = self.pipeline, self.options
        own = options.jobs.get(step.id, JobOptions())
        image = "" if step.image in {None, pipeline.image} else step.image or ""
        bare = bool(image) and not pipeline.image
        tags, cache = self.tags(step, own), self.cache(step, bare=bare)
        seen = replace(
            shared,
            tags=tags or shared.tags,
            install="" if bare else shared.install,
            cache=shared.cache if cache is None else cache,
        )
        return Job(
            name=job_name(step.id, pipeline, options),
            description=step.description,
            polls=step.polls,
            needs=[job_name(need, pipeline, options) for need in step.predecessors],
            image=image,
            bare=bare,
            tags=tags,
            environment=own.environment or options.environment or "",
            parallel=step.shards.max if step.shards.max > 1 else 0,
            retry=_retry(step),
            timeout=_duration(ci.budget(step, options, tries=1 if is_native_retry(step) else 1 + step.retry.limit)),
            resource_group=self.resource_group(step),
            variables=variables(pipeline, step, options),
            secrets=vault_secrets(pipeline, step, options),
            cache=cache,
            script=self.script(step, bare=bare or bool(pipeline.image)),
            path=_artifact_path(dataset(pipeline, step.id)),
            shared=seen,
            step=step,
        )

    def tags(self, step: Step, own: JobOptions) -> list[str]:
        wanted = [*(self.options.tags if own.tags is None else own.tags)]
        wanted += self.options.gpu_tags if step.resources.gpu else ()
        return [] if wanted == list(self.options.tags) else list(dict.fromkeys(wanted))

    def resource_group(self, step: Step) -> str:
        if self.concurrency != "forbid":
            return ""
        group = f"{self.options.title(self.pipeline)}/{step.id}"
        return f"{group}/$CI_NODE_INDEX" if step.shards.max > 1 else group

    def cache(self, step: Step, *, bare: bool) -> list[dict[str, Any]] | None:
        shared = [] if bare or self.pipeline.image else self.caches
        if step.self_consuming:
            path = _artifact_path(dataset(self.pipeline, step.id))
            return [*shared, {"key": f"{self.options.title(self.pipeline)}.{step.id}", "paths": [path]}]
        return None if shared == self.caches or self.pipeline.image else []

    def script(self, step: Step, *, bare: bool) -> list[str]:
        lines = secret_lines(self.pipeline, step, self.options)
        emulate: tuple[Emulated, ...] = ("timeout",) if is_native_retry(step) else ("retry", "timeout")
        tail = '--shard "$CI_NODE_INDEX/$CI_NODE_TOTAL"' if step.shards.max > 1 else ""
        argv = step_argv(self.pipeline, step, emulate=emulate)
        return [*lines, *ci.unset_lines(step), ci.command(argv, "none" if bare else self.options.setup, tail)]


def _image(options: GitlabOptions) -> str:
    if options.setup == "uv":
        return f"ghcr.io/astral-sh/uv:python{options.python_version}-bookworm-slim"
    return f"python:{options.python_version}-slim"


def _retry(step: Step) -> Any:
    """GitLab's own `retry`; even where `wurzel step` retries, GitLab retries when the runner fails."""
    if not step.retry.limit:
        return None
    if is_native_retry(step):
        return {"max": step.retry.limit}
    return {"max": min(step.retry.limit, NATIVE_RETRIES), "when": list(_RUNNER_FAILURES)}


def _artifact_path(path: str) -> str:
    """A path in which no runner expands a variable: `?` for each `$`, since versions escape `$` differently."""
    return path.replace("$", "?")


def _duration(seconds: int) -> str:
    """A duration in GitLab's notation: `1h 30m`."""
    text = format_duration(seconds)
    for unit in "dhm":
        text = text.replace(unit, f"{unit} ")
    return text.strip()
