"""Context of a workflow: its jobs, ready for the template."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from wurzel.backends import ci
from wurzel.backends.ci.layout import Jobs
from wurzel.backends.github.context import Action, Cache, Job, Transfer, Workflow
from wurzel.backends.github.options import PINS, JobOptions, RunnerGroup
from wurzel.invocation.command import dataset, setting_variables, step_argv
from wurzel.invocation.layout import VARIABLE, layout_digest
from wurzel.invocation.store import identity_of
from wurzel.store_variables import AUDIENCE_OF, CACHE, ROLE

if TYPE_CHECKING:
    from wurzel.backends.github.options import GithubOptions
    from wurzel.ir.jobs import Job as Group
    from wurzel.ir.model import Pipeline, Step

HOSTED_MINUTES = 360
"""Longest job on GitHub's own runners, in minutes."""

_RUN = "${{ github.run_id }}-${{ github.run_attempt }}"
_UNTRUSTED = {
    "pull_request_target",
    "workflow_run",
    "issue_comment",
    "issues",
    "discussion",
    "discussion_comment",
    "fork",
}
"""Events that anybody can start, and that run in the name of the default branch."""
_LONGEST_NAME = 100
_HOSTED = ("ubuntu-", "windows-", "macos-")
_LABELS = {
    "kubernetes.io/os=linux": "linux",
    "kubernetes.io/os=windows": "windows",
    "kubernetes.io/arch=amd64": "x64",
    "kubernetes.io/arch=arm64": "ARM64",
}


def workflow(pipeline: Pipeline, options: GithubOptions) -> Workflow:
    """The workflow of a pipeline."""
    return _Writer(pipeline, options).workflow()


def actions(options: GithubOptions) -> dict[str, Action]:
    """The action to use for each, by the last word of its name."""
    found = {}
    for name, (commit, version) in PINS.items():
        uses, _, shown = options.actions.get(name, f"{name}@{commit} # {version}").partition(" # ")
        found[name.partition("/")[2].replace("-", "_")] = Action(uses.strip(), shown.strip())
    name, _, commit = found["cache"].uses.partition("@")
    for part in ("restore", "save"):
        found[f"cache_{part}"] = Action(f"{name}/{part}@{commit}", found["cache"].version)
    return found


def escape(text: str) -> str:
    """Text that GitHub leaves unchanged: `${{` starts an expression unless an expression produces it."""
    return text.replace("${{", "${{ '${{' }}")


def job_id(step_id: str) -> str:
    """The id of a step's job, which must start with a letter or `_`."""
    return f"_{step_id}" if step_id[0].isdigit() else step_id


def has_other_events(pipeline: Pipeline, options: GithubOptions) -> bool:
    """Whether a run may start without the inputs of a dispatch."""
    return pipeline.schedule is not None or bool(options.triggers)


def runner(step: Step, options: GithubOptions) -> Any:
    """`runs-on` of a step: the chosen runner, narrowed by labels for its node selector."""
    chosen = options.of_step(step).runs_on or options.runs_on
    pairs = [f"{key}={value}" for key, value in step.node_selector.items()]
    wanted = [options.node_labels.get(pair, _LABELS.get(pair, pair)) for pair in pairs]
    if isinstance(chosen, RunnerGroup):
        labels = [*chosen.labels, *wanted]
        return {"group": chosen.group, "labels": labels} if labels else {"group": chosen.group}
    if not wanted:
        return chosen if isinstance(chosen, str) else list(chosen)
    given = [] if is_hosted(chosen) else [chosen] if isinstance(chosen, str) else chosen
    return list(dict.fromkeys(["self-hosted", *given, *wanted]))


def is_hosted(chosen: Any) -> bool:
    """Whether GitHub itself runs such a job."""
    return isinstance(chosen, str) and chosen.startswith(_HOSTED)


def place(pipeline: Pipeline, options: GithubOptions, step: Step) -> dict[str, Any]:
    """What a job has only once, for one of its steps; templates may decide on variables where a job runs."""
    own = options.of_step(step)
    return {
        "image": step.image or pipeline.image,
        "variables": step.variables,
        "runner": runner(step, options),
        "permissions": [(scope, level) for scope, level, _ in _permissions(pipeline, options, own)],
        "environment": own.environment or options.environment,
        "container_options": own.container_options or options.container_options,
    }


class _Writer:
    """Makes the context of one workflow."""

    def __init__(self, pipeline: Pipeline, options: GithubOptions) -> None:
        self.pipeline = pipeline
        self.options = options
        self.jobs = Jobs(pipeline, options, lambda step: place(pipeline, options, step))
        self.title = options.title(pipeline)

    def workflow(self) -> Workflow:
        pipeline, options = self.pipeline, self.options
        schedule = pipeline.schedule
        concurrency = schedule.concurrency if schedule else "forbid"
        group = options.concurrency_group or f"{self.title}-${{{{ github.ref }}}}"
        return Workflow(
            name=self.title,
            cron=(ci.plain_cron(schedule.cron) or "") if schedule else "",
            timezone=schedule.timezone if schedule and schedule.timezone != "UTC" and not options.legacy else "",
            inputs=[_described(item) for item in ci.parameters(*pipeline.steps)],
            triggers=options.triggers,
            group=f"{group}-${{{{ github.run_id }}}}" if concurrency == "allow" else group,
            cancel=concurrency == "replace",
            queue=concurrency == "forbid" and options.queue,
            env=self.shared_env(),
            shell="" if self.jobs.run and all(step.image or pipeline.image for step in pipeline.steps) else "bash",
            retention_days=math.ceil(options.retention / 86400),
            cache_file=options.cache_key_file() if options.cache else "",
            jobs=[self.job(group) for group in self.jobs.all],
        )

    def shared_env(self) -> dict[str, str]:
        """Variables of all jobs: the pipeline's, which installation may need as well, such as a proxy."""
        layout = {VARIABLE: layout_digest(self.pipeline)} if self.jobs.run and not self.jobs.whole else {}
        store = _store_env(self.pipeline) if self.jobs.run else {}
        return {name: escape(value) for name, value in self.pipeline.env.items()} | layout | store

    def job(self, group: Group) -> Job:
        options = self.options
        first = group.steps[0]
        only = first if len(group.steps) == 1 else None
        own = options.of_step(first)
        image = first.image or self.pipeline.image
        chosen = runner(first, options)
        seconds = self.jobs.deadline(group) if self.jobs.run else ci.budget(first, options, tries=1 + first.retry.limit)
        minutes = math.ceil(seconds / 60)
        memory = f"{self.title}.{first.id}." if first.self_consuming and not self.jobs.run else ""
        setup = "none" if image else options.setup
        return Job(
            id=job_id(group.name),
            name=self.shown(group),
            description=only.description if only else "",
            polls=only is not None and only.polls,
            needs=[job_id(need) for need in group.needs],
            runs_on=chosen,
            timeout_minutes=min(minutes, HOSTED_MINUTES) if is_hosted(chosen) else minutes,
            permissions=_permissions(self.pipeline, options, own),
            environment=own.environment or options.environment,
            container=self.container(first),
            shards=list(range(1, first.shards.max + 1)) if self.jobs.is_sliced(first) else (),
            max_parallel=self.pipeline.parallelism,
            setup=setup,
            install="" if image else options.install_line(),
            download=[self.received(step, output) for step, output in self.jobs.arriving(group)],
            memory=memory,
            memory_key=f"{memory}{_RUN}" if memory else "",
            cache=self.cache(group) if self.jobs.run else None,
            env=self.env(group),
            run=self.run(group, setup),
            path=dataset(self.pipeline, only.id) if only else "",
            upload=self.uploads(group),
            steps=group.steps,
            step=only,
        )

    def shown(self, group: Group) -> str:
        """What GitHub shows of a job: its steps, unless it has a name that says more, or they are many."""
        listed = ", ".join(group.ids)
        named = group.steps[0].group is not None or (self.jobs.whole and len(group.steps) > 1)
        return group.name if named or len(listed) > _LONGEST_NAME else listed

    def container(self, step: Step) -> dict[str, Any]:
        image = step.image or self.pipeline.image
        if not image:
            return {}
        login = self.options.registry
        extra = self.options.of_step(step).container_options or self.options.container_options
        credentials = {"credentials": login.model_dump()} if login else {}
        return {"image": image, **credentials} | ({"options": extra} if extra else {})

    def cache(self, group: Group) -> Cache | None:
        folders = [dataset(self.pipeline, step.id) for step in group.steps]
        kept = self.jobs.kept(group, folders)
        prefix = f"wurzel/{self.title}/" + ("" if self.jobs.whole else f"{group.name}/")
        saved = _UNTRUSTED.isdisjoint(self.options.triggers)
        return Cache("\n".join(kept), prefix, f"{prefix}{_RUN}", saved) if kept else None

    def received(self, step: Step, output: str) -> Transfer:
        """One output of an earlier step. Artifacts of slices hold `shard-I-of-N/…`, so they fit into one folder."""
        label, name = self.names(step, output)
        if not self.jobs.is_sliced(step):
            return Transfer(label, dataset(self.pipeline, step.id, output), name=name)
        pattern = f"{name}.shard-*-of-{step.shards.max}"
        return Transfer(label, dataset(self.pipeline, step.id), pattern=pattern)

    def names(self, step: Step, output: str) -> tuple[str, str]:
        """What an output is called for users, and as an artifact."""
        label = f"{step.id}{'.' if output else ''}{output}"
        return label, f"{self.pipeline.name}.{label}"

    def uploads(self, group: Group) -> list[Transfer]:
        if not self.jobs.run:
            return [self.kept(step, port.name) for step in group.steps for port in step.outputs]
        crossing = [self.kept(step, output) for step, output in self.jobs.leaving(group)]
        results = self.jobs.results(group)
        if any(self.jobs.is_sliced(step) for step in results):
            return crossing + [self.kept(step, port.name) for step in results for port in step.outputs]
        if len(results) <= 1:
            return crossing + [self.kept(step, "") for step in results]
        paths = [dataset(self.pipeline, step.id) for step in results]
        # upload-artifact keeps what follows the folder that all paths have in common: here the data folder.
        name = self.pipeline.name if self.jobs.whole else f"{self.pipeline.name}-results.{group.name}"
        return [*crossing, Transfer(", ".join(step.id for step in results), "\n".join(paths), name=name)]

    def kept(self, step: Step, output: str) -> Transfer:
        """One output of a step, or of the slice that its job runs."""
        label, name = self.names(step, output)
        if not self.jobs.is_sliced(step):
            return Transfer(label, dataset(self.pipeline, step.id, output), name=name)
        # upload-artifact keeps what follows the first `*` of a path: here the folder of the slice.
        path = dataset(self.pipeline, step.id) + (f"/*/{output}" if output else "")
        return Transfer(label, path, name=f"{name}.shard-${{{{ matrix.shard }}}}-of-{step.shards.max}")

    def env(self, group: Group) -> dict[str, str]:
        """Variables of a job; `wurzel run` gives each step its own, and reads settings from wurzel.yaml."""
        values: dict[str, str] = {}
        if not self.jobs.run:
            for step in group.steps:
                values |= {name: escape(value) for name, value in (step.env | setting_variables(step)).items()}
        always = not has_other_events(self.pipeline, self.options)
        asked = ci.parameters(*self.jobs.parametrized(group))
        values |= {parameter.variable: _input(parameter, always=always) for parameter in asked}
        values |= {variable: f"${{{{ secrets.{name} }}}}" for variable, name in self.jobs.secrets(group).items()}
        if self.jobs.is_sliced(group.steps[0]):
            values["WURZEL_SHARD"] = f"${{{{ matrix.shard }}}}/{group.steps[0].shards.max}"
        return values if self.jobs.run else values | {"WURZEL_RUN_ID": _RUN}

    def run(self, group: Group, setup: str) -> str:
        names = self.jobs.secrets(group)
        lines = [f': "${{{variable}:?the secret {name} is missing or empty}}"' for variable, name in names.items()]
        step = group.steps[0]
        argv = self.jobs.argv(group) if self.jobs.run else step_argv(self.pipeline, step, emulate=("retry", "timeout"))
        tail = '--shard "$WURZEL_SHARD"' if self.jobs.is_sliced(step) else ""
        return "\n".join([*lines, *self.jobs.unset_lines(group), ci.command(argv, setup, tail)])


def _described(parameter: ci.Parameter) -> ci.Parameter:
    """The parameter with `${{` removed from its description, where GitHub rejects expressions."""
    return replace(parameter, description=parameter.description.replace("${{", "$ {{"))


def _input(parameter: ci.Parameter, *, always: bool) -> str:
    """The value of an input, or its default if the run has none. JSON preserves 0, false and ''.

    The event does not tell: in a workflow that another one calls, it is that of the caller.
    """
    name = f"inputs.{parameter.variable}"
    if always:
        return f"${{{{ {name} }}}}"
    text = json.dumps(parameter.text)
    for sign in "'{}$":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return f"${{{{ fromJSON(toJSON({name}) != 'null' && toJSON({name}) || '{text}') }}}}"


def _store_env(pipeline: Pipeline) -> dict[str, str]:
    """Which role a job has for the store, and whether others trust what it writes.

    Only those who may change a protected branch decide what it runs: https://docs.github.com/actions/reference/contexts.
    """
    store, identity = pipeline.store, identity_of(pipeline)
    if store is None:
        return {}
    cache = {CACHE: "${{ github.ref_protected && 'read-write' || 'read' }}"} if store.cache == "read-write" else {}
    if identity is None:
        return cache
    audience = {AUDIENCE_OF: escape(identity.audience)} if identity.audience else {}
    role, other = (text.replace("'", "''") for text in (identity.role, identity.untrusted_role or identity.role))
    chosen = escape(identity.role) if role == other else f"${{{{ github.ref_protected && '{role}' || '{other}' }}}}"
    return {ROLE: chosen, **audience, **cache}


def _permissions(pipeline: Pipeline, options: GithubOptions, own: JobOptions) -> list[tuple[str, str, str]]:
    """Scope, level and the reason in the comment after it."""
    granted = {"contents": ("read", "to check out")} if options.checkout else {}
    if options.oidc if own.oidc is None else own.oidc:
        granted["id-token"] = ("write", "to log in by OpenID Connect")
    elif identity_of(pipeline) is not None:
        granted["id-token"] = ("write", "to log in to the store")
    asked = options.permissions | own.permissions
    granted |= {scope: (level, "asked for in wurzel.yaml") for scope, level in asked.items()}
    return [(scope, level, reason) for scope, (level, reason) in granted.items()]
