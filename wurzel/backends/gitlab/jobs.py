"""Context of a GitLab CI/CD file: each of its jobs, ready for the template."""

from __future__ import annotations

import shlex
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from wurzel.backends import ci
from wurzel.backends.ci.layout import Jobs
from wurzel.backends.ci.parameters import parameters
from wurzel.backends.ci.shell import command
from wurzel.backends.gitlab.context import Config, Job
from wurzel.backends.gitlab.place import artifact_path, duration, is_locked, job_name, place, stages, tags
from wurzel.backends.gitlab.variables import (
    from_vault,
    lines_of,
    pod,
    secret_lines,
    values_of,
    variable,
    vault_secrets,
)
from wurzel.invocation import call
from wurzel.invocation.command import Emulated, dataset, own_environment, step_argv
from wurzel.invocation.failure import LINK, notice_argv, notice_env, notice_references
from wurzel.invocation.variables import identity_of
from wurzel.ir.requests import width
from wurzel.store_url import CACHE, ROLE

if TYPE_CHECKING:
    from wurzel.backends.gitlab.options import GitlabOptions
    from wurzel.ir.jobs import Job as Group
    from wurzel.ir.model import Pipeline, Step

JUNIT = "junit.xml"
NATIVE_RETRIES = 2
_NOTICE = "15m"
"""Timeout of the job that tells of a failed run."""
_RUNNER_FAILURES = ("runner_system_failure", "stuck_or_timeout_failure")
CACHES = {
    "pip": "PIP_CACHE_DIR",
    "uv": "UV_CACHE_DIR",
    "poetry": "POETRY_CACHE_DIR",
    "pdm": "PDM_CACHE_DIR",
    "conda": "CONDA_PKGS_DIRS",
}
"""The variable that says where an installer keeps what it has downloaded."""


class JobWriter:
    """Makes the context of each job of one file."""

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

    def job(self, group: Group, shared: Config) -> Job:
        """The context of one job; what all jobs share is left out of it."""
        pipeline, options = self.pipeline, self.options
        first = group.steps[0]
        only = first if len(group.steps) == 1 else None
        own = options.of_step(first)
        image = "" if first.image in {None, pipeline.image} else first.image or ""
        bare = bool(image) and not pipeline.image
        own_tags, cache = tags(options, own, first), self.cache(group, bare=bare)
        kept = shared.cache if cache is None else cache
        return Job(
            name=job_name(group.name, self.title, own=self.own, alone=self.jobs.whole and only is None),
            stage=self.stages.get(group.name, ""),
            listed="" if only else ", ".join(group.ids),
            description=only.description if only else "",
            polls=only is not None and only.polls,
            needs=[job_name(need, self.title, own=self.own) for need in group.needs],
            image=image,
            bare=bare,
            tags=own_tags,
            environment=own.environment or options.environment or "",
            parallel=first.shards.max if self.jobs.sliced(group) else 0,
            retry={"max": NATIVE_RETRIES, "when": list(_RUNNER_FAILURES)} if self.jobs.run else _retry(first),
            timeout=duration(self.deadline(group)),
            resource_group=self.resource_group(group),
            variables=self.variables(group),
            secrets=vault_secrets(pipeline, group.steps, options),
            cache=cache,
            script=self.script(group, bare=bare or bool(pipeline.image)),
            paths=self.artifacts(group),
            shared=replace(shared, tags=own_tags or shared.tags, install="" if bare else shared.install, cache=kept),
            steps=group.steps,
            step=only,
        )

    def notice(self, shared: Config) -> list[Job]:
        """The job that reports a failed run, after all others."""
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
                script=[*lines_of(names), command(notice_argv(pipeline), "none" if job.bare else options.setup)],
                paths=(),
                steps=(),
                step=None,
                on_failure=True,
                rules=_after_failures(shared.job_rules),
            )
        ]

    def deadline(self, group: Group) -> int:
        """The longest that the job may take, in seconds."""
        if self.jobs.run:
            return self.jobs.deadline(group)
        (step,) = group.steps
        return ci.budget(step, self.options, tries=1 if is_native_retry(step) else 1 + step.retry.limit)

    def variables(self, group: Group) -> dict[str, Any]:
        """Variables of the job, with its requests."""
        first = group.steps[0]
        # `wurzel run` reads variables and settings of steps from wurzel.yaml.
        own = {} if self.jobs.run else own_environment(first)
        values = values_of(own, parameters(*self.jobs.parametrized(group)), self.options, scoped=self.scoped)
        steps = [one_slice(first)] if self.jobs.sliced(group) else group.steps
        requests = pod(self.pipeline, steps, self.jobs.width(group))
        return values | {name: variable(value) for name, value in requests.items()}

    @property
    def scoped(self) -> bool:
        """Whether jobs set the defaults of parameters, since the file's global variables may be another file's."""
        return self.options.kind == "include" or self.locked

    def artifacts(self, group: Group) -> list[str]:
        """Folders of what other jobs read, and of what the pipeline is for."""
        if self.jobs.stored:
            return []
        if not self.jobs.run or self.jobs.sliced(group):
            return [self.below(step) for step in group.steps]
        crossing = [self.below(step, output) for step, output in self.jobs.leaving(group)]
        return [*crossing, *(self.below(step) for step in self.jobs.results(group))]

    def below(self, step: Step, output: str = "") -> str:
        """The folder of a dataset in the repository, as artifacts and caches name it."""
        return artifact_path(self.options.home.below(dataset(self.pipeline, step.id, output)))

    def resource_group(self, group: Group) -> str:
        """The lock of the job, where runs must not overlap and none is for the whole run."""
        if self.concurrency != "forbid" or self.locked:
            return ""
        name = self.title if self.jobs.whole and self.jobs.run else f"{self.title}/{group.name}"
        return f"{name}/$CI_NODE_INDEX" if self.jobs.sliced(group) else name

    def cache(self, group: Group, *, bare: bool) -> list[dict[str, Any]] | None:
        """The job's caches, or none where those of all jobs are its own."""
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

    def install_cache(self) -> list[dict[str, Any]]:
        """The cache of what the installer has downloaded."""
        file = self.options.cache_key_file()
        if not (self.options.cache and file and self.options.setup in CACHES and self.options.install_line()):
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
                "fallback_keys": [f"{start}.$CI_DEFAULT_BRANCH_SLUG"],
                "paths": [artifact_path(self.options.home.below(path)) for path in paths],
                "when": "always",
            }
        ]

    def script(self, group: Group, *, bare: bool) -> list[str]:
        """The lines of the job."""
        step = group.steps[0]
        lines = secret_lines(self.pipeline, group.steps, self.options)
        sliced = self.jobs.is_sliced(step)
        if self.jobs.run:
            alone = sliced or (len(group.steps) == 1 and width(group.steps) == 1)
            own = call.options(j=not alone and self.jobs.width(group), junit=self.options.checkout and JUNIT)
            argv = self.jobs.argv(group, *own)
        else:
            emulate: tuple[Emulated, ...] = ("timeout",) if is_native_retry(step) else ("retry", "timeout")
            argv = step_argv(self.pipeline, step, emulate=emulate)
        tail = self.jobs.tail(*(['--shard "$CI_NODE_INDEX/$CI_NODE_TOTAL"'] if sliced else []), junit=JUNIT)
        unset = self.jobs.unset_lines(group)
        lines += _untrusted(self.pipeline)
        return [*lines, *unset, command(argv, "none" if bare else self.options.setup, tail)]


def is_native_retry(step: Step) -> bool:
    """Whether GitLab's own `retry` can do all that the step needs."""
    return step.retry.limit <= NATIVE_RETRIES and not step.retry.backoff


def one_slice(step: Step) -> Step:
    """The step, as a job that runs one of its slices sees it."""
    return step.model_copy(update={"shards": step.shards.model_copy(update={"max": 1})})


def _after_failures(rules: Any) -> list[dict[str, Any]]:
    """The rules that all jobs share, for a job that runs when one has failed: a `when` of theirs outranks its own."""
    if not isinstance(rules, list) or not any("when" in rule for rule in rules):
        return []
    changed = [{name: value for name, value in rule.items() if name != "start_in"} for rule in rules]
    return [rule if rule.get("when") == "never" else rule | {"when": "on_failure"} for rule in changed]


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


def _retry(step: Step) -> Any:
    """GitLab's own `retry`; even where `wurzel step` retries, GitLab retries when the runner fails."""
    if not step.retry.limit:
        return None
    if is_native_retry(step):
        return {"max": step.retry.limit}
    return {"max": min(step.retry.limit, NATIVE_RETRIES), "when": list(_RUNNER_FAILURES)}
