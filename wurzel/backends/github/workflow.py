"""Context of a workflow: its jobs, ready for the template."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from wurzel.backends import ci
from wurzel.backends.ci.layout import Jobs
from wurzel.backends.ci.parameters import parameters, unset_line
from wurzel.backends.ci.shell import command
from wurzel.backends.github.context import Job, Workflow
from wurzel.backends.github.pull_request import condition, restricted, without_secrets
from wurzel.backends.github.runner import (
    HOSTED_MINUTES,
    container,
    escape,
    is_hosted,
    permissions,
    place,
    runner,
    store_env,
)
from wurzel.backends.github.transfers import LONGEST_NAME, RUN, Transfers, job_id
from wurzel.backends.github.triggers import AFTER, CHOICE, Events, described, has_other_events, input_value
from wurzel.invocation.command import own_environment, step_argv
from wurzel.invocation.failure import FAILURES, LINK, notice_argv, notice_env
from wurzel.invocation.layout import VARIABLE, layout_digest
from wurzel.invocation.variables import ONLY

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from wurzel.backends.github.options import GithubOptions
    from wurzel.ir.jobs import Job as Group
    from wurzel.ir.model import Pipeline, Step

_ADDRESS = "${{ github.server_url }}/${{ github.repository }}/actions/runs/${{ github.run_id }}"
_NOTICE_MINUTES = 15
"""For a job that sets up Python and sends a request."""
_FAILED = "!cancelled() && (contains(needs.*.result, 'failure') || contains(needs.*.result, 'cancelled'))"
"""A job that exceeds its `timeout-minutes` is cancelled; `cancelled()` says whether somebody has stopped the run."""


def workflow(pipeline: Pipeline, options: GithubOptions, *, pull_request: bool = False) -> Workflow:
    """The workflow of a pipeline, or the one for pull requests."""
    return _Writer(pipeline, options, pull_request=pull_request).workflow()


class _Writer:
    """Makes the context of one workflow."""

    def __init__(self, pipeline: Pipeline, options: GithubOptions, *, pull_request: bool) -> None:
        self.complete = pipeline
        if pull_request:
            pipeline, options = without_secrets(pipeline), restricted(options)
        self.pipeline = pipeline
        self.options = options
        self.untrusted = pull_request
        partial = len(pipeline.steps) < len(self.complete.steps)
        self.jobs = Jobs(pipeline, options, lambda step: place(pipeline, options, step), partial=partial)
        self.title = options.title(pipeline)
        self.events = Events(options, self.jobs, untrusted=pull_request)
        self.transfers = Transfers(pipeline, options, self.jobs, untrusted=pull_request)
        needing = [job.name for job in self.jobs.all if self.needs_environment(job)]
        self.notice_secrets = ci.notice_secrets(self.complete, options)
        everywhere = () if self.notice_secrets else (job.name for job in self.jobs.all)
        self.in_environment = frozenset(needing or everywhere)

    def workflow(self) -> Workflow:
        pipeline, options = self.pipeline, self.options
        schedule = None if self.untrusted else pipeline.schedule
        concurrency = "replace" if self.untrusted else schedule.concurrency if schedule else "forbid"
        group = f"{self.title}-pull-request" if self.untrusted else options.concurrency_group or self.title
        if self.untrusted or not options.concurrency_group:
            group = f"{group}-${{{{ github.ref }}}}"
        jobs = [self.job(group) for group in self.jobs.all]
        secrets = {name: None for group in self.jobs.all for name in self.jobs.secrets(group).values()}
        secrets |= dict.fromkeys(self.notice_secrets.values())
        return Workflow(
            name=f"{self.title} (pull request)" if self.untrusted else self.title,
            manual=not self.untrusted,
            cron=(ci.plain_cron(schedule.cron) or "") if schedule else "",
            timezone=schedule.timezone if schedule and schedule.timezone != "UTC" and not options.legacy else "",
            inputs=[described(item) for item in self.events.inputs()],
            triggers=self.events.all(secrets),
            group=f"{group}-${{{{ github.run_id }}}}" if concurrency == "allow" else group,
            cancel=concurrency == "replace",
            queue=concurrency == "forbid" and options.queue,
            env=self.shared_env(),
            shell="" if self.jobs.run and all(self.runs_in_any_shell(step) for step in pipeline.steps) else "bash",
            folder=escape(options.home.folder),
            retention_days=math.ceil(options.retention / 86400),
            cache_file=options.cache_key_file() if options.cache else "",
            packages=self.transfers.packages(),
            jobs=[*jobs, *self.notice(jobs)],
        )

    def notice(self, jobs: Sequence[Job]) -> list[Job]:
        """The job that reports a failed run, which starts when another job has failed; none for untrusted runs."""
        pipeline, options, names = self.pipeline, self.options, self.notice_secrets
        if pipeline.on_failure is None or self.untrusted:
            return []
        ids = [job.id for job in jobs]
        names_of_it = (f"on-failure{'_' * count}" for count in range(len(ids) + 1))
        lines = [_checked(variable, name) for variable, name in names.items()]
        return [
            replace(
                self.job(self.jobs.all[0]),
                id=next(name for name in names_of_it if name not in ids),
                name="on failure",
                condition=_FAILED,
                description="",
                polls=False,
                needs=ids,
                timeout_minutes=_NOTICE_MINUTES,
                permissions=[right for right in jobs[0].permissions if right[0] != "id-token"],
                environment=options.environment if names else None,
                shards=(),
                max_parallel=None,
                download=(),
                memory="",
                memory_key="",
                cache=None,
                env=self.notice_env(),
                run="\n".join([*lines, command(notice_argv(pipeline), jobs[0].setup)]),
                path="",
                upload=(),
                steps=(),
                step=None,
            )
        ]

    def notice_env(self) -> dict[str, str]:
        """Variables of the job that reports a failed run."""
        env = {name: escape(value) for name, value in notice_env(self.pipeline).items()}
        env.setdefault(LINK, _ADDRESS)
        env |= {FAILURES: "${{ toJSON(needs) }}", "WURZEL_RUN_ID": RUN}
        return env | _from_secrets(self.notice_secrets)

    def runs_in_any_shell(self, step: Step) -> bool:
        """Whether the lines of a step's job run in any POSIX shell, as those for `wurzel run` do."""
        if step.image or self.pipeline.image:
            return True
        chosen = runner(step, self.options)
        return is_hosted(chosen) and not chosen.startswith("windows-") and "|" not in self.options.install_line()

    def environment(self, group: Group) -> Any:
        """The environment of a job: its own, or that of all jobs if it needs secrets or logs in."""
        own = self.options.of_step(group.steps[0]).environment
        return own or (self.options.environment if group.name in self.in_environment else None)

    def needs_environment(self, group: Group) -> bool:
        """Whether a job has anything of an environment: secrets, configuration variables, a token to log in with."""
        options, step = self.options, group.steps[0]
        image = step.image or self.pipeline.image
        texts = [*([options.registry.password] if options.registry and image else [])]
        texts += [] if image else options.install_env.values()
        return (
            bool(self.jobs.secrets(group) or self.given_vars(group))
            or any(scope == "id-token" for scope, _, _ in permissions(self.pipeline, options, options.of_step(step)))
            or any("secrets." in text or "vars." in text for text in texts)
        )

    def given_vars(self, group: Group) -> dict[str, str]:
        """Variables of settings of a job to the names of GitHub's configuration variables."""
        known = {setting.variable for step in self.jobs.parametrized(group) for setting in step.settings}
        return {variable: name for variable, name in self.options.vars.items() if variable in known}

    def shared_env(self) -> dict[str, str]:
        """Variables of all jobs: the pipeline's, which installation may need as well, such as a proxy."""
        cut = self.jobs.run and not (self.jobs.is_complete and self.options.checkout)
        layout = {VARIABLE: layout_digest(self.complete)} if cut else {}
        store = store_env(self.pipeline, untrusted=self.untrusted) if self.jobs.run else {}
        chosen = {ONLY: f"${{{{ inputs.{CHOICE.variable} }}}}"} if CHOICE in self.events.inputs() else {}
        return {name: escape(value) for name, value in self.pipeline.env.items()} | layout | store | chosen

    def job(self, group: Group) -> Job:
        options = self.options
        first = group.steps[0]
        only = first if len(group.steps) == 1 else None
        own = options.of_step(first)
        image = first.image or self.pipeline.image
        chosen = runner(first, options)
        memory = f"{self.title}.{first.id}." if first.self_consuming and not self.jobs.run else ""
        setup = "none" if image else options.setup
        return Job(
            id=job_id(group.name),
            name=self.label(group),
            condition=self.condition(group),
            description=only.description if only else "",
            polls=only is not None and only.polls,
            needs=[job_id(need) for need in group.needs],
            runs_on=chosen,
            timeout_minutes=self.minutes(group, chosen),
            permissions=permissions(self.pipeline, options, own),
            environment=self.environment(group),
            container=container(self.pipeline, options, first),
            shards=list(range(1, first.shards.max + 1)) if self.jobs.sliced(group) else (),
            max_parallel=self.pipeline.parallelism,
            setup=setup,
            install="" if image else options.install_line(),
            download=[self.transfers.received(step, output) for step, output in self.jobs.arriving(group)],
            memory=memory,
            memory_key=f"{memory}{RUN}" if memory else "",
            cache=self.transfers.cache(group) if self.jobs.run else None,
            env=self.env(group),
            run=self.run(group, setup),
            path=self.transfers.below(only) if only else "",
            upload=self.transfers.uploads(group),
            steps=group.steps,
            step=only,
        )

    def minutes(self, group: Group, chosen: Any) -> int:
        """Minutes after which a job on the chosen runner must be stuck."""
        step, run = group.steps[0], self.jobs.run
        seconds = self.jobs.deadline(group) if run else ci.budget(step, self.options, tries=1 + step.retry.limit)
        minutes = math.ceil(seconds / 60)
        return min(minutes, HOSTED_MINUTES) if is_hosted(chosen) else minutes

    def condition(self, group: Group) -> str:
        if self.untrusted:
            return condition(self.pipeline, self.options)
        return AFTER if self.pipeline.triggers.after and not group.needs else ""

    def label(self, group: Group) -> str:
        """What GitHub shows of a job: its steps, unless it has a name that says more, or they are many."""
        listed = ", ".join(group.ids)
        named = group.steps[0].group is not None or (self.jobs.whole and len(group.steps) > 1)
        return group.name if named or len(listed) > LONGEST_NAME else listed

    def env(self, group: Group) -> dict[str, str]:
        """Variables of a job; `wurzel run` gives each step its own, and reads settings from wurzel.yaml."""
        values: dict[str, str] = {}
        if not self.jobs.run:
            for step in group.steps:
                values |= {name: escape(value) for name, value in own_environment(step).items()}
        always = not has_other_events(self.pipeline, self.options)
        asked = [] if self.untrusted else parameters(*self.jobs.parametrized(group))
        values |= {parameter.variable: input_value(parameter, always=always) for parameter in asked}
        values |= _from_secrets(self.jobs.secrets(group))
        values |= {variable: f"${{{{ vars.{name} }}}}" for variable, name in self.given_vars(group).items()}
        if self.jobs.sliced(group):
            values["WURZEL_SHARD"] = f"${{{{ matrix.shard }}}}/{group.steps[0].shards.max}"
        return values if self.jobs.run else values | {"WURZEL_RUN_ID": RUN}

    def run(self, group: Group, setup: str) -> str:
        names = self.jobs.secrets(group)
        lines = [_checked(variable, name) for variable, name in names.items()]
        step = group.steps[0]
        argv = self.jobs.argv(group) if self.jobs.run else step_argv(self.pipeline, step, emulate=("retry", "timeout"))
        tail = self.jobs.tail(*(['--shard "$WURZEL_SHARD"'] if self.jobs.is_sliced(step) else []))
        lines += [unset_line(variable) for variable in self.given_vars(group)]
        lines += [] if self.untrusted else self.jobs.unset_lines(group)
        return "\n".join([*lines, command(argv, setup, tail)])


def _from_secrets(names: Mapping[str, str]) -> dict[str, str]:
    """Variables whose values are secrets, by the names of these."""
    return {variable: f"${{{{ secrets.{name} }}}}" for variable, name in names.items()}


def _checked(variable: str, name: str) -> str:
    """A shell line that ends a job whose secret is not there."""
    return f': "${{{variable}:?the secret {name} is missing or empty}}"'
