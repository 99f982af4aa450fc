"""Context of a GitLab CI/CD file: its jobs, ready for the template."""

from __future__ import annotations

import re
import shlex
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from wurzel.backends import ci
from wurzel.backends.ci.layout import Jobs
from wurzel.backends.gitlab.context import Config, Job, ScheduleScript, Trigger
from wurzel.backends.gitlab.stages import stages
from wurzel.backends.gitlab.variables import (
    Input,
    from_vault,
    job_variables,
    lines_of,
    pod,
    prefilled,
    secret_lines,
    typed_input,
    variable,
    variables,
    vault_secrets,
)
from wurzel.invocation.command import Emulated, dataset, step_argv
from wurzel.invocation.failure import LINK, notice_argv, notice_env, notice_references
from wurzel.invocation.layout import VARIABLE, layout_digest
from wurzel.invocation.store import identity_of
from wurzel.ir.jobs import jobs_of
from wurzel.ir.requests import width
from wurzel.ir.types import format_duration
from wurzel.store_variables import AUDIENCE, CACHE, ID_TOKEN, ROLE

if TYPE_CHECKING:
    from wurzel.backends.gitlab.options import GitlabOptions, JobOptions
    from wurzel.ir.jobs import Job as Group
    from wurzel.ir.model import Pipeline, Step

JUNIT = "junit.xml"
NATIVE_RETRIES = 2
_SOURCES = ("web", "api", "trigger")
_NOTICE = "15m"
"""Timeout of the job that tells of a failed run."""
_RUNNER_FAILURES = ("runner_system_failure", "stuck_or_timeout_failure")
_CACHES = {
    "pip": "PIP_CACHE_DIR",
    "uv": "UV_CACHE_DIR",
    "poetry": "POETRY_CACHE_DIR",
    "pdm": "PDM_CACHE_DIR",
    "conda": "CONDA_PKGS_DIRS",
}
"""The variable that says where an installer keeps what it has downloaded."""
_CONDA = "condaforge/miniforge3:25.3.1-0"


def config(pipeline: Pipeline, options: GitlabOptions) -> Config:
    """The file with the jobs of a pipeline."""
    return _Writer(pipeline, options).config()


def trigger(pipeline: Pipeline, options: GitlabOptions, path: str) -> Config:
    """The file whose only job starts the pipeline in the file `path`, and waits for it, with a lock for the whole run.

    https://docs.gitlab.com/ci/resource_groups/: the lock is released when the last job of the child pipeline has ended.
    """
    return _Writer(pipeline, options).trigger(path)


def is_locked(pipeline: Pipeline, options: GitlabOptions) -> bool:
    """Whether runs must not overlap and several jobs make one, so that a job above them must hold the lock.

    A component cannot have a file for it: `local` is a file of the project that uses the component.
    """
    schedule = pipeline.schedule
    if options.kind == "component" or schedule is None or schedule.concurrency != "forbid":
        return False
    return len(jobs_of(pipeline, options.chosen_layout, lambda step: place(pipeline, options, step))) > 1


def schedule(pipeline: Pipeline, options: GitlabOptions) -> ScheduleScript:
    """The schedule of a pipeline that has one."""
    assert pipeline.schedule is not None  # noqa: S101 - narrows the type; files() asks first
    return ScheduleScript(
        description=_description(options.title(pipeline)),
        cron=ci.plain_cron(pipeline.schedule.cron) or "",
        timezone=pipeline.schedule.timezone,
        ref=options.schedule_ref,
        group=options.title(pipeline) if _locks(pipeline, options) else "",
    )


def _locks(pipeline: Pipeline, options: GitlabOptions) -> bool:
    """Whether one resource group is for whole runs."""
    forbidden = pipeline.schedule is not None and pipeline.schedule.concurrency == "forbid"
    jobs = jobs_of(pipeline, options.chosen_layout, lambda step: place(pipeline, options, step))
    return forbidden and (is_locked(pipeline, options) or (len(jobs) == 1 and len(jobs[0].steps) > 1))


def job_name(name: str, title: str, *, own: bool, alone: bool = False) -> str:
    """What GitLab calls a job: beside those of other files with the title in front, or just the title if it is alone.

    `own` says that no other file has jobs in the same pipeline of GitLab, `alone` that it is the only job, of several
    steps.
    """
    if own:
        return name
    return title if alone else f"{title}:{name}"


def is_native_retry(step: Step) -> bool:
    """Whether GitLab's own `retry` can do all that the step needs."""
    return step.retry.limit <= NATIVE_RETRIES and not step.retry.backoff


def place(pipeline: Pipeline, options: GitlabOptions, step: Step) -> dict[str, Any]:
    """What a job has only once, for one of its steps; templates may decide on variables where a job runs."""
    own = options.of_step(step)
    shape = ("KUBERNETES_NODE_", "KUBERNETES_POD_")
    return {
        "image": step.image or pipeline.image,
        "variables": step.variables,
        "runner": _tags(options, own, step),
        "account": step.service_account or pipeline.service_account,
        "environment": own.environment or options.environment,
        "placement": {name: value for name, value in pod(pipeline, [step], 1).items() if name.startswith(shape)},
    }


class _Writer:
    """Makes the context of one file."""

    def __init__(self, pipeline: Pipeline, options: GitlabOptions) -> None:
        self.pipeline = pipeline
        self.options = options
        self.jobs = Jobs(pipeline, options, lambda step: place(pipeline, options, step))
        self.title = options.title(pipeline)
        self.concurrency = pipeline.schedule.concurrency if pipeline.schedule else "allow"
        self.caches = self.install_cache()
        self.locked = is_locked(pipeline, options)
        self.own = options.kind == "root" or self.locked
        """Whether the jobs have a pipeline of GitLab to themselves."""
        found = stages(self.jobs.all) if self.own and not options.stage else {}
        self.stages = found if len(set(found.values())) > 1 else {}
        """The stage of each job, where they have several."""

    def config(self) -> Config:
        pipeline, options = self.pipeline, self.options
        component = options.kind == "component"
        image = pipeline.image or options.image or image_for(options.setup, options.python_version, "-slim")
        stage = self.stage()
        tokens = dict(options.id_tokens)
        if options.vault:
            tokens |= {"VAULT_ID_TOKEN": {"aud": options.vault.audience}}
        if identity := identity_of(pipeline):
            tokens |= {ID_TOKEN: {"aud": identity.audience or AUDIENCE}}
        shared = Config(
            name=self.title,
            base=f".{self.title}",
            stage="$[[ inputs.stage ]]" if component else stage,
            image="$[[ inputs.image ]]" if component else image,
            tags=list(options.tags),
            rules=[{"when": "always"}] if self.locked else self.rules(),
            job_rules=self.job_rules(),
            whole=self.own,
            stages=list(dict.fromkeys(self.stages.values())) or [stage],
            inherits=options.kind == "root" or self.locked,
            trigger=None,
            inputs=self.inputs(stage, image) if options.uses_inputs else (),
            variables={} if options.uses_inputs or self.locked else prefilled(ci.parameters(*pipeline.steps)),
            base_variables=self.base_variables(),
            cache=self.base_cache(),
            cd=shlex.join(["cd", options.home.folder]) if options.home.folder else "",
            install="" if pipeline.image else options.install_line(),
            id_tokens=tokens,
            interruptible=self.concurrency == "replace",
            retry=None,
            timeout="",
            expire_in=_duration(options.retention),
            junit=_artifact_path(options.home.below(JUNIT)) if self.jobs.run else "",
            jobs=(),
        )
        found = _shared(shared, [self.job(group, shared) for group in self.jobs.all])
        return replace(found, jobs=[*found.jobs, *self.notice(shared)])

    def trigger(self, path: str) -> Config:
        options = self.options
        root = options.kind == "root"
        stage = options.stage or (self.title if root else "test")
        values = {item.variable: f"$[[ inputs.{item.variable} ]]" for item in ci.parameters(*self.pipeline.steps)}
        return replace(
            self.config(),
            stage=stage,
            stages=[stage],
            rules=self.rules(),
            job_rules=() if root else self.rules(),
            whole=root,
            inherits=root,
            variables={} if options.uses_inputs else prefilled(ci.parameters(*self.pipeline.steps)),
            trigger=Trigger(self.title, path, values if options.uses_inputs else {}, self.title),
            jobs=(),
        )

    def stage(self) -> str:
        """The stage of all jobs, if they have one."""
        return self.options.stage or (self.title if self.own else "test")

    def job_rules(self) -> Any:
        """`rules` of all jobs; without any, GitLab leaves jobs out of pipelines of merge requests."""
        if self.options.kind == "component":
            return "$[[ inputs.rules ]]"
        return [{"when": "on_success"}] if self.locked else [] if self.own else self.rules()

    def rules(self) -> list[dict[str, Any]]:
        """When a pipeline runs; merge requests first, as another rule may be for whatever is left."""
        asked = {"if": '$CI_PIPELINE_SOURCE == "merge_request_event"'}
        found = list(self._rules() if self.options.rules is None else self.options.rules)
        return [asked, *found] if self.options.pull_request and asked not in found else found

    def _rules(self) -> list[dict[str, Any]]:
        if self.options.kind != "root":
            asked = f'$WURZEL_PIPELINE == "{self.title}"'
            # Projects may refuse variables of a pipeline, so a schedule is told by its description.
            due = f'$CI_PIPELINE_SCHEDULE_DESCRIPTION == "{_description(self.title)}"'
            return [{"if": f"{due} || {asked}" if self.pipeline.schedule else asked}, *self.pushes()]
        sources = ("schedule", *_SOURCES) if self.pipeline.schedule else _SOURCES
        return [*({"if": f'$CI_PIPELINE_SOURCE == "{source}"'} for source in sources), *self.pushes()]

    def pushes(self) -> list[dict[str, Any]]:
        """The rules for commits that start a run."""
        branches = self.pipeline.triggers.push
        return [{"if": f'$CI_PIPELINE_SOURCE == "push" && $CI_COMMIT_BRANCH == "{branch}"'} for branch in branches]

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
        """Variables of all jobs, such as a proxy that installation needs; `wurzel run` knows the id of the run."""
        values: dict[str, Any] = {name: variable(value) for name, value in self.pipeline.env.items()}
        if self.caches and not self.pipeline.image:
            values[_CACHES[self.options.setup]] = f"$CI_PROJECT_DIR/.cache/{self.options.setup}"
        if not self.options.checkout:
            values["GIT_STRATEGY"] = "none"
        if not self.jobs.run:
            values["WURZEL_RUN_ID"] = "$CI_PIPELINE_ID"
        elif not (self.jobs.whole and self.options.checkout):
            values[VARIABLE] = layout_digest(self.pipeline)
        if identity := identity_of(self.pipeline):
            values[ROLE] = variable(identity.role)
        return values | self.options.install_env

    def install_cache(self) -> list[dict[str, Any]]:
        file = self.options.cache_key_file()
        if not (self.options.cache and file and self.options.setup in _CACHES and self.options.install_line()):
            return []
        key = {"prefix": f"{self.options.setup}-{self.options.python_version}"}
        paths = [f".cache/{self.options.setup}"]
        return [{"key": {"files": [file], **key}, "paths": paths}]

    def base_cache(self) -> list[dict[str, Any]]:
        """The caches of all jobs; of a single job, all of them."""
        installing = [] if self.pipeline.image else self.caches
        if len(self.jobs.all) > 1:  # all jobs would upload the same: the first does
            installing = [{**cache, "policy": "pull"} for cache in installing]
        return [*installing, *self.kept(self.jobs.all[0])] if self.jobs.run and self.jobs.whole else installing

    def kept(self, group: Group) -> list[dict[str, Any]]:
        """The cache that keeps data and results of a job of `wurzel run` for its next run."""
        paths = self.jobs.kept(group, [dataset(self.pipeline, step.id) for step in group.steps])
        if not paths:
            return []
        start = f"wurzel.{self.title}" + ("" if self.jobs.whole else f".{group.name}")
        return [
            {
                "key": f"{start}.$CI_COMMIT_REF_SLUG",
                "fallback_keys": [f"{start}.$CI_DEFAULT_BRANCH"],
                "paths": [_artifact_path(self.options.home.below(path)) for path in paths],
                "when": "always",
            }
        ]

    def job(self, group: Group, shared: Config) -> Job:
        pipeline, options = self.pipeline, self.options
        first = group.steps[0]
        only = first if len(group.steps) == 1 else None
        own = options.of_step(first)
        image = "" if first.image in {None, pipeline.image} else first.image or ""
        bare = bool(image) and not pipeline.image
        tags, cache = _tags(options, own, first), self.cache(group, bare=bare)
        seen = replace(
            shared,
            tags=tags or shared.tags,
            install="" if bare else shared.install,
            cache=shared.cache if cache is None else cache,
        )
        return Job(
            name=job_name(group.name, self.title, own=self.own, alone=self.jobs.whole and only is None),
            stage=self.stages.get(group.name, ""),
            listed="" if only else ", ".join(group.ids),
            description=only.description if only else "",
            polls=only is not None and only.polls,
            needs=[job_name(need, self.title, own=self.own) for need in group.needs],
            image=image,
            bare=bare,
            tags=tags,
            environment=own.environment or options.environment or "",
            parallel=first.shards.max if self.jobs.is_sliced(first) else 0,
            retry={"max": NATIVE_RETRIES, "when": list(_RUNNER_FAILURES)} if self.jobs.run else _retry(first),
            timeout=_duration(self.deadline(group)),
            resource_group=self.resource_group(group),
            variables=self.variables(group),
            secrets=vault_secrets(pipeline, group.steps, options),
            cache=cache,
            script=self.script(group, bare=bare or bool(pipeline.image)),
            paths=self.artifacts(group),
            shared=seen,
            steps=group.steps,
            step=only,
        )

    def notice(self, shared: Config) -> list[Job]:
        """The job that tells of a failed run, after all others."""
        pipeline, options = self.pipeline, self.options
        if pipeline.on_failure is None:
            return []
        job = self.job(self.jobs.all[0], shared)
        names = {} if options.vault else ci.notice_secrets(pipeline, options)
        name = job_name("on-failure", self.title, own=self.own)
        taken = any(group.name == "on-failure" for group in self.jobs.all)
        return [
            replace(
                job,
                name=f"{name}:told" if taken else name,
                stage=".post",
                listed="",
                description="",
                polls=False,
                needs=(),
                parallel=0,
                retry=None,
                timeout=_NOTICE,
                resource_group="",
                variables={name: variable(value) for name, value in notice_env(pipeline).items()}
                | ({} if pipeline.on_failure.link else {LINK: "$CI_PIPELINE_URL"})
                | {"WURZEL_RUN_ID": "$CI_PIPELINE_ID"},
                secrets=from_vault(notice_references(pipeline), options),
                cache=None,
                script=[*lines_of(names), ci.command(notice_argv(pipeline), "none" if job.bare else options.setup)],
                paths=(),
                steps=(),
                step=None,
                on_failure=True,
                rules=_after_failures(shared.job_rules),
            )
        ]

    def deadline(self, group: Group) -> int:
        if self.jobs.run:
            return self.jobs.deadline(group)
        (step,) = group.steps
        return ci.budget(step, self.options, tries=1 if is_native_retry(step) else 1 + step.retry.limit)

    def width(self, group: Group) -> int:
        """How many steps, or slices, the job runs at one time."""
        return 1 if self.jobs.is_sliced(group.steps[0]) else width(group.steps, self.pipeline.parallelism)

    def variables(self, group: Group) -> dict[str, Any]:
        if not self.jobs.run:
            return variables(self.pipeline, group.steps[0], self.options, scoped=self.scoped)
        sliced = self.jobs.is_sliced(group.steps[0])
        steps = [one_slice(group.steps[0])] if sliced else group.steps
        asked = self.jobs.parametrized(group)
        return job_variables(self.pipeline, steps, self.options, self.width(group), asked, scoped=self.scoped)

    @property
    def scoped(self) -> bool:
        """Whether jobs have defaults of parameters themselves: variables of the file may be those of another one."""
        return self.options.kind == "include" or self.locked

    def artifacts(self, group: Group) -> list[str]:
        """Folders of what other jobs read, and of what the pipeline is for."""
        if self.jobs.stored:
            return []
        if not self.jobs.run or self.jobs.is_sliced(group.steps[0]):
            return [self.below(step) for step in group.steps]
        crossing = [self.below(step, output) for step, output in self.jobs.leaving(group)]
        return [*crossing, *(self.below(step) for step in self.jobs.results(group))]

    def below(self, step: Step, output: str = "") -> str:
        """The folder of a dataset in the repository, as artifacts and caches name it."""
        return _artifact_path(self.options.home.below(dataset(self.pipeline, step.id, output)))

    def resource_group(self, group: Group) -> str:
        if self.concurrency != "forbid" or self.locked:
            return ""
        name = self.title if self.jobs.whole and self.jobs.run else f"{self.title}/{group.name}"
        return f"{name}/$CI_NODE_INDEX" if self.jobs.is_sliced(group.steps[0]) else name

    def cache(self, group: Group, *, bare: bool) -> list[dict[str, Any]] | None:
        step = group.steps[0]
        shared = [] if bare or self.pipeline.image else self.caches if self.uploads(group) else self.base_cache()
        if self.jobs.run and self.jobs.whole and not bare:
            return None
        if self.jobs.run and (kept := self.kept(group)):
            return [*shared, *kept]
        if step.self_consuming and not self.jobs.run:
            return [*shared, {"key": f"{self.title}.{step.id}", "paths": [self.below(step)]}]
        return None if self.pipeline.image or shared == self.base_cache() else shared

    def uploads(self, group: Group) -> bool:
        """Whether a job uploads what the installer has downloaded: the first that installs."""
        first = next((job for job in self.jobs.all if not job.steps[0].image), None)
        return first is not None and group.name == first.name

    def script(self, group: Group, *, bare: bool) -> list[str]:
        step = group.steps[0]
        lines = secret_lines(self.pipeline, group.steps, self.options)
        sliced = self.jobs.is_sliced(step)
        if self.jobs.run:
            report = ["--junit", JUNIT] if self.options.checkout else []
            argv = self.jobs.argv(group, *([] if sliced else ["-j", str(self.width(group))]), *report)
        else:
            emulate: tuple[Emulated, ...] = ("timeout",) if is_native_retry(step) else ("retry", "timeout")
            argv = step_argv(self.pipeline, step, emulate=emulate)
        tail = self.jobs.tail(*(['--shard "$CI_NODE_INDEX/$CI_NODE_TOTAL"'] if sliced else []), junit=JUNIT)
        unset = self.jobs.unset_lines(group)
        lines += _untrusted(self.pipeline)
        return [*lines, *unset, ci.command(argv, "none" if bare else self.options.setup, tail)]


def _after_failures(rules: Any) -> list[dict[str, Any]]:
    """The rules that all jobs share, for a job that runs when one has failed: a `when` of theirs outranks its own."""
    if not isinstance(rules, list) or not any("when" in rule for rule in rules):
        return []
    return [rule if rule.get("when") == "never" else _without_delay(rule) | {"when": "on_failure"} for rule in rules]


def _without_delay(rule: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in rule.items() if name != "start_in"}


def _description(title: str) -> str:
    """The description of the schedule, by which files to include know it."""
    return f"wurzel: {title}"


def _untrusted(pipeline: Pipeline) -> list[str]:
    """Lines that give jobs of unprotected branches the untrusted role, and let no trusted job read what they write.

    https://docs.gitlab.com/ci/variables/predefined_variables/: CI_COMMIT_REF_PROTECTED.
    """
    store, identity = pipeline.store, identity_of(pipeline)
    changed = {CACHE: "read"} if store is not None and store.cache == "read-write" else {}
    if identity is not None and identity.untrusted_role is not None:
        changed[ROLE] = identity.untrusted_role
    words = " ".join(f"{name}={shlex.quote(value)}" for name, value in changed.items())
    return [f'[ "$CI_COMMIT_REF_PROTECTED" = true ] || export {words}'] if changed else []


def one_slice(step: Step) -> Step:
    """The step, as a job that runs one of its slices sees it."""
    return step.model_copy(update={"shards": step.shards.model_copy(update={"max": 1})})


def _tags(options: GitlabOptions, own: JobOptions, step: Step) -> list[str]:
    wanted = [*(options.tags if own.tags is None else own.tags)]
    wanted += options.gpu_tags if step.resources.devices else ()
    return [] if wanted == list(options.tags) else list(dict.fromkeys(wanted))


def _shared(config: Config, jobs: list[Job]) -> Config:
    """The file with what most jobs have in the job that all extend."""
    timeout, retry = _most_common(job.timeout for job in jobs), _most_common(job.retry for job in jobs)
    common = {
        name: value
        for name, value in jobs[0].variables.items()
        if len(jobs) > 1 and all(name in job.variables and job.variables[name] == value for job in jobs)
    }
    return replace(
        config,
        timeout=timeout,
        retry=retry,
        base_variables={**config.base_variables, **common},
        jobs=[
            replace(
                job,
                timeout="" if job.timeout == timeout else job.timeout,
                retry=None if job.retry == retry else job.retry or 0,
                variables={name: value for name, value in job.variables.items() if name not in common},
            )
            for job in jobs
        ],
    )


def _most_common(values: Iterable[Any]) -> Any:
    """The value that most have; of equally common ones, the first."""
    found = list(values)
    (text, _), *_ = Counter(map(repr, found)).most_common(1)
    return next(value for value in found if repr(value) == text)


def image_for(setup: str, python_version: str, slim: str = "") -> str:
    """An image with Python and the program that installs a project; with git, unless it is `-slim`."""
    if setup == "uv":
        return f"ghcr.io/astral-sh/uv:python{python_version}-bookworm{slim}"
    return _CONDA if setup == "conda" else f"python:{python_version}{slim}"


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


def path_pattern(path: str) -> str:
    """A pattern of `changes` for a file, or for all files in a folder that ends with a slash."""
    escaped = re.sub(r"([*?\[\]{}\\])", r"\\\1", path)
    return _artifact_path(escaped) + ("**/*" if path.endswith("/") else "")


def _duration(seconds: int) -> str:
    """A duration in GitLab's notation: `1h 30m`."""
    text = format_duration(seconds)
    for unit in "dhm":
        text = text.replace(unit, f"{unit} ")
    return text.strip()
