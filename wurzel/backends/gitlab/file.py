"""Context of a GitLab CI/CD file: what stands above its jobs, the trigger, and the schedule."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from wurzel.backends import ci
from wurzel.backends.base import most_common
from wurzel.backends.ci.parameters import parameters
from wurzel.backends.gitlab.context import Config, Job, ScheduleScript, Trigger
from wurzel.backends.gitlab.jobs import CACHES, JUNIT, JobWriter
from wurzel.backends.gitlab.place import artifact_path, duration, groups, image_for, is_locked
from wurzel.backends.gitlab.variables import Input, prefilled, typed_input, variable
from wurzel.invocation.layout import VARIABLE, layout_digest
from wurzel.invocation.variables import identity_of
from wurzel.store_url import AUDIENCE, ID_TOKEN, ROLE

if TYPE_CHECKING:
    from wurzel.backends.gitlab.options import GitlabOptions
    from wurzel.ir.model import Pipeline

_SOURCES = ("web", "api", "trigger")


def config(pipeline: Pipeline, options: GitlabOptions) -> Config:
    """The file with the jobs of a pipeline."""
    return _Writer(pipeline, options).config()


def trigger(pipeline: Pipeline, options: GitlabOptions, path: str) -> Config:
    """The file whose only job starts the pipeline in the file `path`, and waits for it, with a lock for the whole run.

    https://docs.gitlab.com/ci/resource_groups/: the lock is released when the last job of the child pipeline has ended.
    """
    return _Writer(pipeline, options).trigger(path)


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
    jobs = groups(pipeline, options)
    return forbidden and (is_locked(pipeline, options) or (len(jobs) == 1 and len(jobs[0].steps) > 1))


class _Writer(JobWriter):
    """Makes the context of one file."""

    def config(self) -> Config:
        pipeline, options = self.pipeline, self.options
        component = options.kind == "component"
        image = pipeline.image or options.image or image_for(options.setup, options.python_version, "-slim")
        stage = self.stage()
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
            variables={} if options.uses_inputs or self.locked else prefilled(parameters(*pipeline.steps)),
            base_variables=self.base_variables(),
            cache=self.base_cache(),
            cd=options.home.cd,
            install="" if pipeline.image else options.install_line(),
            id_tokens=self.id_tokens(),
            interruptible=self.concurrency == "replace",
            retry=None,
            timeout="",
            expire_in=duration(options.retention),
            junit=artifact_path(options.home.below(JUNIT)) if self.jobs.run else "",
            jobs=(),
        )
        found = _shared(shared, [self.job(group, shared) for group in self.jobs.all])
        return replace(found, jobs=[*found.jobs, *self.notice(shared)])

    def id_tokens(self) -> dict[str, Any]:
        """The tokens that jobs log in with: those of the options, for a vault, and for the store."""
        tokens = dict(self.options.id_tokens)
        if self.options.vault:
            tokens |= {"VAULT_ID_TOKEN": {"aud": self.options.vault.audience}}
        if identity := identity_of(self.pipeline):
            tokens |= {ID_TOKEN: {"aud": identity.audience or AUDIENCE}}
        return tokens

    def trigger(self, path: str) -> Config:
        options = self.options
        root = options.kind == "root"
        stage = options.stage or (self.title if root else "test")
        values = {item.variable: f"$[[ inputs.{item.variable} ]]" for item in parameters(*self.pipeline.steps)}
        return replace(
            self.config(),
            stage=stage,
            stages=[stage],
            rules=self.rules(),
            job_rules=() if root else self.rules(),
            whole=root,
            inherits=root,
            variables={} if options.uses_inputs else prefilled(parameters(*self.pipeline.steps)),
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
        """When a pipeline runs; the rule for merge requests comes first, as a later one may match everything."""
        asked = {"if": '$CI_PIPELINE_SOURCE == "merge_request_event"'}
        found = list(self._rules() if self.options.rules is None else self.options.rules)
        return [asked, *found] if self.options.pull_request and asked not in found else found

    def _rules(self) -> list[dict[str, Any]]:
        if self.options.kind != "root":
            asked = f'$WURZEL_PIPELINE == "{self.title}"'
            # Projects may forbid variables of pipelines, so a schedule is recognised by its description.
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
        return own + [typed_input(parameter) for parameter in parameters(*self.pipeline.steps)]

    def base_variables(self) -> dict[str, Any]:
        """Variables of all jobs, such as a proxy that installation needs; `wurzel run` knows the id of the run."""
        values: dict[str, Any] = {name: variable(value) for name, value in self.pipeline.env.items()}
        if self.caches and not self.pipeline.image:
            values[CACHES[self.options.setup]] = f"$CI_PROJECT_DIR/.cache/{self.options.setup}"
        if not self.options.checkout:
            values["GIT_STRATEGY"] = "none"
        if not self.jobs.run:
            values["WURZEL_RUN_ID"] = "$CI_PIPELINE_ID"
        elif not (self.jobs.whole and self.options.checkout):
            values[VARIABLE] = layout_digest(self.pipeline)
        if identity := identity_of(self.pipeline):
            values[ROLE] = variable(identity.role)
        return values | self.options.install_env


def _description(title: str) -> str:
    """The description of the schedule, by which files to include know it."""
    return f"wurzel: {title}"


def _shared(config: Config, jobs: list[Job]) -> Config:
    """The file with what most jobs have in the job that all extend."""
    timeout, retry = most_common(job.timeout for job in jobs), most_common(job.retry for job in jobs)
    common = {
        name: value
        for name, value in jobs[0].variables.items()
        if len(jobs) > 1 and all(name in job.variables and job.variables[name] == value for job in jobs)
    }
    unused = all(job.cache is not None for job in jobs)
    return replace(
        config,
        timeout=timeout,
        retry=retry,
        cache=() if unused else config.cache,
        base_variables={**config.base_variables, **common},
        jobs=[
            replace(
                job,
                timeout="" if job.timeout == timeout else job.timeout,
                retry=None if job.retry == retry else job.retry or 0,
                cache=job.cache or None if unused else job.cache,
                variables={name: value for name, value in job.variables.items() if name not in common},
            )
            for job in jobs
        ],
    )
