"""Context of a workflow: one job per step, ready for the template."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypedDict

from wurzel.backends import ci
from wurzel.backends.github.options import PINS, JobOptions, RunnerGroup
from wurzel.invocation.command import dataset, setting_variables, step_argv

if TYPE_CHECKING:
    from wurzel.backends.github.options import GithubOptions
    from wurzel.ir.model import Edge, Pipeline, Step
    from wurzel.ir.names import PlainText

HOSTED_MINUTES = 360
"""Longest job on GitHub's own runners, in minutes."""

_RUN = "${{ github.run_id }}-${{ github.run_attempt }}"
_HOSTED = ("ubuntu-", "windows-", "macos-")
_LABELS = {
    "kubernetes.io/os=linux": "linux",
    "kubernetes.io/os=windows": "windows",
    "kubernetes.io/arch=amd64": "x64",
    "kubernetes.io/arch=arm64": "ARM64",
}


@dataclass(frozen=True)
class Action:
    """A pinned action and the version in the comment after it."""

    uses: str
    """Action and commit, as `uses` takes them."""
    version: str
    """The version of that commit, for the comment after it."""


@dataclass(frozen=True)
class Transfer:
    """A folder to upload to or download from artifacts: one by `name`, or all shards by `pattern`."""

    step: PlainText
    """Id of the step whose dataset it is; `step.output` for a named output."""
    path: str
    """Folder of the dataset; for a slice of a named output, a pattern that matches it."""
    name: str = ""
    """Name of the artifact; empty if there are several."""
    pattern: str = ""
    """Pattern of the names of several artifacts."""


@dataclass(frozen=True)
class Job:
    """One job, ready for the template; texts are escaped so that GitHub reads no expressions in them."""

    id: PlainText
    """Key of the job."""
    name: PlainText
    """What GitHub shows: the id of the step."""
    description: str
    """What the step is for."""
    polls: bool
    """Whether it reads an outside source."""
    needs: Sequence[PlainText]
    """Ids of the jobs that must be done."""
    runs_on: Any
    """`runs-on`."""
    timeout_minutes: int
    """`timeout-minutes`."""
    permissions: Sequence[tuple[str, str, str]]
    """Scope, level and reason of each permission of the job."""
    environment: Any
    """`environment`, when there is one."""
    container: Mapping[str, Any]
    """`container`; empty when the job runs on the runner itself."""
    shards: Sequence[int]
    """Numbers of the slices, one job each; empty for a single job."""
    max_parallel: int | None
    """`max-parallel`: how many slices may run at the same time."""
    setup: str
    """How Python and the project are installed: pip, uv or none."""
    install: str
    """Shell line that installs the project; empty when there is nothing to do."""
    download: Sequence[Transfer]
    """Datasets it reads, each once."""
    memory: str
    """Prefix of the cache keys for the step's last output; empty unless the step reads it."""
    memory_key: str
    """The cache key of this run."""
    env: Mapping[str, str]
    """Variables of the step."""
    run: str
    """Shell line that runs the step."""
    path: str
    """The folder that its step writes."""
    upload: Sequence[Transfer]
    """The dataset it writes, or one for each named output."""
    step: Step
    """The step, as the IR has it."""


@dataclass(frozen=True)
class Workflow:
    """The workflow, ready for the template."""

    name: PlainText
    """Title of the workflow: the name of the pipeline, or option `name`."""
    cron: str
    """Five fields; empty without a schedule."""
    timezone: str
    """IANA name; empty if the schedule is in UTC or the server has no time zones."""
    inputs: Sequence[ci.Parameter]
    """Inputs of a run that a person starts."""
    triggers: Mapping[str, Any]
    """Further events, each with its filters."""
    group: str
    """The concurrency group."""
    cancel: bool
    """Whether a new run cancels the one in progress."""
    queue: bool
    """Whether all runs wait in a queue, so that none is dropped."""
    env: Mapping[str, str]
    """Variables of all jobs."""
    retention_days: int
    """How long datasets are kept."""
    cache_file: str
    """File whose change starts a new installer cache; '' without a cache."""
    jobs: Sequence[Job]
    """One job for each step, in an order in which they can run."""


class FileContext(TypedDict):
    """What the template of the workflow sees."""

    pipeline: Pipeline
    """The pipeline, as the IR has it."""
    options: GithubOptions
    """The options below `targets.github`, with defaults."""
    workflow: Workflow
    """The workflow, ready for the template."""
    actions: Mapping[str, Action]
    """The last word of each action's name, with `_`, to the action to use."""


def workflow(pipeline: Pipeline, options: GithubOptions) -> Workflow:
    """The workflow of a pipeline."""
    return _Writer(pipeline, options).workflow()


def actions(options: GithubOptions) -> dict[str, Action]:
    """The action to use for each, by the last word of its name."""
    found = {}
    for name, (commit, version) in PINS.items():
        uses, _, shown = options.actions.get(name, f"{name}@{commit} # {version}").partition(" # ")
        found[name.partition("/")[2].replace("-", "_")] = Action(uses.strip(), shown.strip())
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
    chosen = options.jobs.get(step.id, JobOptions()).runs_on or options.runs_on
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


class _Writer:
    """Makes the context of one workflow."""

    def __init__(self, pipeline: Pipeline, options: GithubOptions) -> None:
        self.pipeline = pipeline
        self.options = options
        self.steps = {step.id: step for step in pipeline.steps}

    def workflow(self) -> Workflow:
        pipeline, options = self.pipeline, self.options
        schedule = pipeline.schedule
        concurrency = schedule.concurrency if schedule else "forbid"
        group = options.concurrency_group or options.title(pipeline)
        return Workflow(
            name=options.title(pipeline),
            cron=(ci.plain_cron(schedule.cron) or "") if schedule else "",
            timezone=schedule.timezone if schedule and schedule.timezone != "UTC" and not options.legacy else "",
            inputs=[_described(item) for item in ci.parameters(*pipeline.steps)],
            triggers=options.triggers,
            group=f"{group}-${{{{ github.run_id }}}}" if concurrency == "allow" else group,
            cancel=concurrency == "replace",
            queue=concurrency == "forbid" and not options.legacy,
            env={name: escape(value) for name, value in pipeline.env.items()},
            retention_days=math.ceil(options.retention / 86400),
            cache_file=options.cache_key_file() if options.cache else "",
            jobs=[self.job(step) for step in pipeline.steps],
        )

    def job(self, step: Step) -> Job:
        options = self.options
        own = options.jobs.get(step.id, JobOptions())
        image = step.image or self.pipeline.image
        chosen = runner(step, options)
        minutes = math.ceil(ci.budget(step, options, tries=1 + step.retry.limit) / 60)
        memory = f"{options.title(self.pipeline)}.{step.id}." if step.self_consuming else ""
        return Job(
            id=job_id(step.id),
            name=step.id,
            description=step.description,
            polls=step.polls,
            needs=[job_id(need) for need in step.predecessors],
            runs_on=chosen,
            timeout_minutes=min(minutes, HOSTED_MINUTES) if is_hosted(chosen) else minutes,
            permissions=_permissions(options, own),
            environment=own.environment or options.environment,
            container=self.container(step),
            shards=list(range(1, step.shards.max + 1)) if step.shards.max > 1 else (),
            max_parallel=self.pipeline.parallelism,
            setup="none" if image else options.setup,
            install="" if image else options.install_line(),
            download=[self.received(self.steps[edge.step], edge.output) for edge in _distinct(step)],
            memory=memory,
            memory_key=f"{memory}{_RUN}" if memory else "",
            env=self.env(step),
            run=self.run(step, "none" if image else options.setup),
            path=dataset(self.pipeline, step.id),
            upload=[self.kept(step, port.name) for port in step.outputs],
            step=step,
        )

    def container(self, step: Step) -> dict[str, Any]:
        image = step.image or self.pipeline.image
        if not image:
            return {}
        login = self.options.registry
        extra = self.options.jobs.get(step.id, JobOptions()).container_options or self.options.container_options
        credentials = {"credentials": login.model_dump()} if login else {}
        return {"image": image, **credentials} | ({"options": extra} if extra else {})

    def received(self, step: Step, output: str) -> Transfer:
        """One output of an earlier step. Artifacts of slices hold `shard-I-of-N/…`, so they fit into one folder."""
        label = f"{step.id}{'.' if output else ''}{output}"
        name = f"{self.pipeline.name}.{label}"
        if step.shards.max == 1:
            return Transfer(label, dataset(self.pipeline, step.id, output), name=name)
        pattern = f"{name}.shard-*-of-{step.shards.max}"
        return Transfer(label, dataset(self.pipeline, step.id), pattern=pattern)

    def kept(self, step: Step, output: str) -> Transfer:
        """One output of the step itself, or of the slice that its job runs."""
        label = f"{step.id}{'.' if output else ''}{output}"
        name = f"{self.pipeline.name}.{label}"
        if step.shards.max == 1:
            return Transfer(label, dataset(self.pipeline, step.id, output), name=name)
        # upload-artifact keeps what follows the first `*` of a path: here the folder of the slice.
        path = dataset(self.pipeline, step.id) + (f"/*/{output}" if output else "")
        return Transfer(label, path, name=f"{name}.shard-${{{{ matrix.shard }}}}-of-{step.shards.max}")

    def env(self, step: Step) -> dict[str, str]:
        values = {name: escape(value) for name, value in (step.env | setting_variables(step)).items()}
        always = not has_other_events(self.pipeline, self.options)
        values |= {parameter.variable: _input(parameter, always=always) for parameter in ci.parameters(step)}
        names = ci.secrets(self.pipeline, step, self.options)
        values |= {variable: f"${{{{ secrets.{name} }}}}" for variable, name in names.items()}
        if step.shards.max > 1:
            values["WURZEL_SHARD"] = f"${{{{ matrix.shard }}}}/{step.shards.max}"
        return values | {"WURZEL_RUN_ID": _RUN}

    def run(self, step: Step, setup: str) -> str:
        names = ci.secrets(self.pipeline, step, self.options)
        lines = [f': "${{{variable}:?the secret {name} is missing or empty}}"' for variable, name in names.items()]
        argv = step_argv(self.pipeline, step, emulate=("retry", "timeout"))
        tail = '--shard "$WURZEL_SHARD"' if step.shards.max > 1 else ""
        return "\n".join([*lines, *ci.unset_lines(step), ci.command(argv, setup, tail)])


def _distinct(step: Step) -> list[Edge]:
    """The edges of a step, one for each dataset: two fields may read the same one."""
    return list({(edge.step, edge.output): edge for edge in step.needs}.values())


def _described(parameter: ci.Parameter) -> ci.Parameter:
    """The parameter with `${{` removed from its description, where GitHub rejects expressions."""
    return replace(parameter, description=parameter.description.replace("${{", "$ {{"))


def _input(parameter: ci.Parameter, *, always: bool) -> str:
    """The value of an input, or its default if the event has no inputs. JSON preserves 0, false and ''."""
    name = f"inputs.{parameter.variable}"
    if always:
        return f"${{{{ {name} }}}}"
    text = json.dumps(parameter.text)
    for sign in "'{}$":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return f"${{{{ fromJSON(github.event_name == 'workflow_dispatch' && toJSON({name}) || '{text}') }}}}"


def _permissions(options: GithubOptions, own: JobOptions) -> list[tuple[str, str, str]]:
    """Scope, level and the reason in the comment after it."""
    granted = {"contents": ("read", "to check out")} if options.checkout else {}
    if options.oidc if own.oidc is None else own.oidc:
        granted["id-token"] = ("write", "to log in by OpenID Connect")
    asked = options.permissions | own.permissions
    granted |= {scope: (level, "asked for in wurzel.yaml") for scope, level in asked.items()}
    return [(scope, level, reason) for scope, (level, reason) in granted.items()]
