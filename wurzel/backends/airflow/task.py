"""Steps as Airflow tasks: operator, command, environment, retries, and what a pod or a container needs."""

import builtins
import keyword
import shlex
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from wurzel.backends import kubernetes
from wurzel.backends.airflow import environment
from wurzel.backends.airflow.environment import DATA, RUN, Text, literal
from wurzel.backends.airflow.options import AirflowOptions, StepOptions
from wurzel.backends.airflow.pod import is_special
from wurzel.invocation.command import Emulated, cut_edges, slices_argv, step_argv, step_inputs
from wurzel.ir.model import GPU, Pipeline, SecretRef, Step

CLEANER = "remove_old_runs"
"""Id of the task that removes the data of old runs."""
COUNTER = "--slices"
"""What the id of the task that counts the slices of a step ends with."""
TAKEN = frozenset({CLEANER, "starts_in_time"})
"""Ids of tasks that are not steps."""
POD = "POD"
"""Constant of the DAG file that holds what all pods share."""

XCOM = "/airflow/xcom/return.json"
"""File in a pod that Airflow takes the result of its task from."""
NULL = "NULL_"
"""What the variable begins with that tells whether a parameter is null."""
_PLACES = (f"${DATA}/", f"${RUN}/")
_RESERVED = frozenset(
    {*keyword.kwlist, *dir(builtins), "k8s", "literal", "mask_secret", "on_failure", "pendulum", "secret", "task"}
    | {"in_time", "json", "starts_in_time", "timedelta"}
)
_SHORT = 54
_UNITS = (("days", 86400), ("hours", 3600), ("minutes", 60))


@dataclass(frozen=True)
class Span:
    """A duration, as in `timedelta(hours=1)`."""

    unit: str
    """`days`, `hours`, `minutes` or `seconds`."""
    count: int
    """How many of them."""


@dataclass(frozen=True)
class Policy:
    """Retries, waits and timeout of a task; `factor` is True where Airflow can only double the wait."""

    retries: int = 0
    """Number of retries."""
    delay: Span | None = None
    """Wait before the first retry; null for Airflow's default."""
    factor: float | bool | None = None
    """Factor for each further wait; True where Airflow can only double it."""
    longest: Span | None = None
    """Longest wait."""
    timeout: Span | None = None
    """Longest time of one attempt."""


@dataclass(frozen=True)
class Words:
    """The command of a pod; `shards` are the arguments of each shard."""

    cmds: Sequence[str]
    """`cmds`: the program."""
    arguments: Sequence[str]
    """`arguments`: its arguments."""
    shards: Sequence[Sequence[str]] = ()
    """The arguments of each slice; empty for one task."""


@dataclass(frozen=True)
class Pod:
    """The pod of one task, without what all pods share."""

    image: str
    """Image of the step."""
    words: Words
    """What it runs."""
    requests: Mapping[str, str]
    """Amounts requested."""
    limits: Mapping[str, str]
    """Upper bounds."""
    labels: Mapping[str, str]
    """Labels of the pod."""
    annotations: Mapping[str, Text]
    """Annotations of the pod."""
    node_selector: Mapping[str, str]
    """Labels that the pod's node must have."""
    tolerations: Sequence[Mapping[str, Any]]
    """Fields of each toleration, named as in the Python client."""
    service_account: str | None
    """Its service account."""
    secrets: Mapping[str, SecretRef]
    """Variable to reference of a secret."""
    template: str
    """Name of the constant with the parts it shares with other pods."""
    sidecar: Mapping[str, Any] = field(default_factory=dict)
    """`securityContext` of the container that Airflow adds to a pod whose result it reads."""


@dataclass(frozen=True)
class Container:
    """The Docker container of one task, without what all containers share."""

    image: str
    """Image of the step."""
    cpus: float | None
    """Cores it may use."""
    memory: int | None
    """Bytes it may use."""
    gpus: int | None
    """GPUs it gets."""
    labels: Mapping[str, str]
    """Labels of the container."""


@dataclass(frozen=True)
class DagTask:
    """One task of the DAG file.

    `script` is a POSIX shell line, `shards` one for each slice; pods have words instead, see `Pod`.
    """

    id: str
    """Id of the task."""
    step_id: str
    """Id of the step; '' for a task that is not a step."""
    variable: str
    """Name of its variable."""
    kind: str
    """bash, kubernetes or docker."""
    doc: str
    """Text that the UI shows."""
    script: str
    """POSIX shell line that runs it; pods have `words` instead."""
    shards: Sequence[str] = ()
    """The shell line of each slice; empty for one task."""
    counts: bool = False
    """It runs nothing of its step, and gives a list of its slices."""
    counter: str = ""
    """Variable of the task that gives a list of its slices; empty where their number is fixed."""
    env: Mapping[str, Text] = field(default_factory=dict)
    """Variables beyond those all tasks of its kind get."""
    policy: Policy = field(default_factory=Policy)
    """Its retry policy."""
    options: StepOptions = field(default_factory=StepOptions.model_construct)
    """Its options below `targets.airflow.steps`, with defaults."""
    one_at_a_time: bool = False
    """Whether two runs must not run it at the same time."""
    complete: str = ""
    """The task that updates the asset when all shards are done; a mapped task would update it once per shard."""
    outlet: str = ""
    """The asset that the task updates."""
    short: bool = True
    """Whether the asset fits on a line."""
    pod: Pod | None = None
    """Its pod; null for other kinds."""
    container: Container | None = None
    """Its container; null for other kinds."""
    differs: Sequence[str] = ()
    """Fields of `policy` that differ from those of most tasks."""
    step: Step | None = None
    """The step, as the IR has it; null for a task that is not a step."""

    @property
    def operator(self) -> str:
        """The operator's class."""
        return {"bash": "BashOperator", "kubernetes": "KubernetesPodOperator", "docker": "DockerOperator"}[self.kind]


def span(seconds: int | None) -> Span | None:
    """The duration in the largest unit that gives a whole number."""
    if seconds is None:
        return None
    unit, size = next(((unit, size) for unit, size in _UNITS if seconds and seconds % size == 0), ("seconds", 1))
    return Span(unit, seconds // size)


def task_id(step_id: str) -> str:
    """The id of a step's task: with underscores, so that its variable can have the same name (ruff's AIR001)."""
    return step_id.replace("-", "_")


def kind_of(step_id: str, options: AirflowOptions) -> str:
    """What runs a step: bash, kubernetes or docker."""
    special = options.steps.get(step_id)
    return (special.operator if special else None) or options.operator


def policy_of(step: Step, options: AirflowOptions) -> tuple[Policy, Sequence[Emulated]]:
    """The policy of a step, and what `wurzel step` must do because this Airflow cannot."""
    retry = step.retry
    grows = retry.limit > 0 and retry.backoff > 0 and retry.factor != 1
    if grows and options.version == "2.11" and retry.factor != 2:  # noqa: PLR2004 - Airflow 2 can only double
        return Policy(), ("retry", "timeout")
    return (
        Policy(
            retries=retry.limit,
            delay=span(retry.backoff) if retry.limit else None,
            factor=(options.version == "2.11" or float(retry.factor)) if grows else None,
            longest=span(retry.max) if grows else None,
            timeout=span(step.timeout),
        ),
        (),
    )


def most_common(policies: Iterable[Policy]) -> Policy:
    """The policy of most tasks, which the DAG states once; the first one on a tie."""
    return Counter(policies).most_common(1)[0][0]


def differences(policy: Policy, usual: Policy) -> Sequence[str]:
    """Fields of a policy that differ from the usual one and have an effect."""
    names = ["retries", "delay", "factor", "longest"] if policy.retries else ["retries"]
    return [name for name in [*names, "timeout"] if getattr(policy, name) != getattr(usual, name)]


def variables(names: Iterable[str]) -> dict[str, str]:
    """A Python name for every task id, none of which hides another or a name the file uses."""
    taken = set(_RESERVED)
    found = {}
    for name in names:
        variable = task_id(name)
        variable = f"_{variable}" if variable[0].isdigit() else variable
        while variable in taken:
            variable += "_"
        taken.add(variable)
        found[name] = variable
    return found


def counted(step: Step, options: AirflowOptions) -> bool:
    """Whether a task finds out, once the data is there, how many slices of a step there are."""
    return step.shards.items is not None and step.shards.max > 1 and kind_of(step.id, options) != "docker"


class Tasks:
    """Makes the tasks of one pipeline."""

    def __init__(self, pipeline: Pipeline, options: AirflowOptions) -> None:
        self._pipeline = pipeline
        self._options = options
        self._folders = {step.id: folder(step) for step in pipeline.steps}

    def task(self, step: Step, variable: str, outlet: str, counter: str = "") -> DagTask:
        """A step as a task.

        Args:
            step: a step of the pipeline.
            variable: what the task is called in the file.
            outlet: the asset that it updates, if any.
            counter: variable of the task that counts its slices, if any.
        """
        options, kind = self._options, kind_of(step.id, self._options)
        policy, emulate = policy_of(step, options)
        argv = self._argv(step, emulate)
        blanks = environment.blanks(step)
        sliced = step.shards.max > 1
        numbers = [f"{number}/{step.shards.max}" for number in range(1, step.shards.max + 1)] if sliced else []
        if counter:
            numbers, argv = [], [*argv, "--shard"]
        return DagTask(
            id=task_id(step.id),
            step_id=step.id,
            variable=variable,
            kind=kind,
            doc=_doc(step, kind),
            script=_script(argv, blanks, kind, mapped=bool(counter)),
            shards=[_script([*argv, "--shard", number], blanks, kind) for number in numbers],
            counter=counter,
            env=environment.own(step, kind) | self._secrets(step, kind) | _nulls(blanks if counter else ()),
            policy=policy,
            options=options.steps.get(step.id) or StepOptions.model_construct(),
            one_at_a_time=step.self_consuming,
            outlet=outlet,
            short=len(outlet) <= _SHORT,
            complete=f"{variable}__complete" if outlet and sliced else "",
            pod=self._pod(step, self._words(argv, numbers, blanks, mapped=bool(counter)))
            if kind == "kubernetes"
            else None,
            container=self._container(step) if kind == "docker" else None,
            step=step,
        )

    def counter(self, step: Step, variable: str) -> DagTask:
        """The task that counts the slices of a step: it reads what is cut, and needs no settings and secrets."""
        kind = kind_of(step.id, self._options)
        folders = list(dict.fromkeys(self._folders[edge.step] + _below(edge.output) for edge in cut_edges(step)))
        words = slices_argv(step, folders, XCOM if kind == "kubernetes" else "-")
        argv = [*self._options.command, *words[1:]]
        special = self._options.steps.get(step.id) or StepOptions.model_construct()
        shards = step.shards
        return DagTask(
            id=task_id(f"{step.id}{COUNTER}"),
            step_id=step.id,
            variable=variable,
            kind=kind,
            doc=f"Counts the slices of {step.id}: {shards.items} items each, at most {shards.max} slices.\n",
            script=_script(argv, (), kind),
            counts=True,
            policy=policy_of(step, self._options)[0],
            options=special,
            pod=self._counting_pod(step, self._words(argv, (), ())) if kind == "kubernetes" else None,
            step=step,
        )

    def _counting_pod(self, step: Step, words: Words) -> Pod:
        context = kubernetes.container_security(self._options.kubernetes.security)
        plain = step.model_copy(update={"resources": step.resources.without_devices()})
        return replace(self._pod(plain, words), secrets={}, sidecar=context)

    def cleaner(self, variable: str) -> DagTask:
        """The task that removes the data of old runs."""
        pipeline, kind, days = self._pipeline, self._options.operator, self._options.keep_days
        find = f'find "${DATA}" -mindepth 1 -maxdepth 1 -type d -name "run_*" -mtime +{days} -exec rm -rf {{}} +'
        script = f'mkdir -p "${DATA}" && {find}'
        image = pipeline.image or next((step.image for step in pipeline.steps if step.image), None)
        step = Step.model_construct(id="remove-old-runs", run="", outputs=pipeline.steps[0].outputs, image=image)
        return DagTask(
            id=CLEANER,
            step_id="",
            variable=variable,
            kind=kind,
            doc=f"Remove the data of runs that ended more than {days} day{'' if days == 1 else 's'} ago.\n",
            script=script,
            pod=self._pod(step, Words(["sh", "-c"], [script])) if kind == "kubernetes" else None,
            container=self._container(step) if kind == "docker" else None,
        )

    def _argv(self, step: Step, emulate: Sequence[Emulated]) -> list[str]:
        inputs = step_inputs(step, self._folders.__getitem__)
        argv = step_argv(self._pipeline, step, inputs=inputs, output=self._folders[step.id], emulate=emulate)
        return [*self._options.command, *argv[1:]]

    def _secrets(self, step: Step, kind: str) -> dict[str, Text]:
        if kind == "kubernetes" or self._options.secrets == "environment":
            return {}
        return environment.secret_variables(step.secrets)

    def _words(
        self, argv: Sequence[str], numbers: Sequence[str], blanks: Sequence[str], *, mapped: bool = False
    ) -> Words:
        """The command of a pod; a shell only where a variable may have to be unset."""
        if blanks:
            tails = ([], *(["--shard", number] for number in numbers))
            scripts = [_script([*argv, *tail], blanks, "pod", mapped=mapped) for tail in tails]
            behind = ' "$0"' if mapped else ""  # what stands behind a script is its first argument
            return Words(["sh", "-c"], [scripts[0] + behind], [[script] for script in scripts[1:]])
        words = [_expanded(word) for word in argv]
        split = len(self._options.command)
        return Words(words[:split], words[split:], [[*words[split:], "--shard", number] for number in numbers])

    def _pod(self, step: Step, words: Words) -> Pod:
        pipeline, options = self._pipeline, self._options.kubernetes
        resources = kubernetes.resources(step.resources, step.limits)
        annotations = pipeline.annotations | step.annotations
        return Pod(
            image=kubernetes.image_of(pipeline, step),
            words=words,
            requests=resources.get("requests", {}),
            limits=resources.get("limits", {}),
            labels=kubernetes.labels(pipeline, step),
            annotations={name: literal(value) for name, value in annotations.items()},
            node_selector=step.node_selector,
            tolerations=[wanted.model_dump(exclude_none=True) for wanted in step.tolerations],
            service_account=options.service_account or step.service_account or pipeline.service_account,
            secrets=step.secrets,
            template=POD if not is_special(step, options) else f"{POD}_{step.id.upper().replace('-', '_')}",
        )

    def _container(self, step: Step) -> Container:
        from wurzel.ir.quantity import amount

        asked, limits = step.resources, step.limits
        return Container(
            image=kubernetes.image_of(self._pipeline, step),
            cpus=float(amount(asked.cpu)) if asked.cpu else None,
            memory=int(amount(limits.memory)) if limits.memory else None,
            gpus=asked.devices.get(GPU),
            labels=self._pipeline.labels | step.labels,
        )


def folder(step: Step) -> str:
    """Folder of a step's dataset; outside the run's folder for a step that reads its own last output."""
    return f"${DATA}/state/{step.id}" if step.self_consuming else f"${RUN}/{step.id}"


def _script(argv: Sequence[str], blanks: Sequence[str], kind: str, *, mapped: bool = False) -> str:
    """One shell line; a template unsets each variable whose parameter is null, and contains no text of users.

    `mapped`: a slice is appended at run time. Airflow renders no templates in such a line, so a variable tells.
    """
    form = (
        'if [ "${null}{name}" = True ]; then unset {name}; fi; '
        if mapped
        else "{{% if params.{name} is none %}}unset {name}; {{% endif %}}"
    )
    unset = "".join(form.format(name=name, null=NULL) for name in blanks)
    words = [_quoted(word) for word in argv]
    return unset + ("" if kind == "bash" else "exec ") + " ".join(words)


def _quoted(word: str) -> str:
    """A word for the shell, which puts in the places of data; the name of an input may stand before one."""
    name, _, place = word.rpartition("=$")
    if name.isidentifier() and f"${place}".startswith(_PLACES):
        return f'{name}="${place}"'
    return f'"{word}"' if word.startswith(_PLACES) else shlex.quote(word)


def _nulls(blanks: Sequence[str]) -> dict[str, Text]:
    """Variables that tell whether a parameter is null."""
    return {f"{NULL}{name}": Text(f"{{{{ params.{name} is none }}}}") for name in blanks}


def _below(output: str) -> str:
    return f"/{output}" if output else ""


def _expanded(word: str) -> str:
    """A word in which the kubelet expands `$(NAME)`."""
    before, _, place = word.rpartition("=$")
    if before.isidentifier() and f"${place}".startswith(_PLACES):
        return f"{before}={_expanded(f'${place}')}"
    if word.startswith(_PLACES):
        name, _, rest = word.removeprefix("$").partition("/")
        return f"$({name})/{rest}"
    return kubernetes.escape(word)


def _doc(step: Step, kind: str) -> str:
    """Markdown with everything that no argument of the operator takes."""
    extra = {} if kind == "kubernetes" else step.annotations
    extra = step.labels | extra if kind == "bash" else extra
    lines = [step.description] if step.description else []
    lines += ["Reads an outside source in every run."] if step.polls else []
    lines += ["Decides by its input whether it runs; if not, what it writes is empty."] if step.when else []
    lines += [f"{name}: {value}" for name, value in extra.items()]
    return "\n\n".join(lines) + "\n" if lines else ""
