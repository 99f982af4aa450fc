"""A pipeline as an Airflow DAG: everything the template of the DAG file is told."""

import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, TypedDict

from wurzel.backends import kubernetes
from wurzel.backends.airflow import environment
from wurzel.backends.airflow.environment import DagParam, Text
from wurzel.backends.airflow.imports import Import, asset, imports
from wurzel.backends.airflow.options import AirflowOptions
from wurzel.backends.airflow.pod import pod
from wurzel.backends.airflow.task import (
    CLEANER,
    COUNTER,
    POD,
    DagTask,
    Policy,
    Span,
    Tasks,
    counted,
    differences,
    kind_of,
    most_common,
    policy_of,
    span,
    variables,
)
from wurzel.invocation.command import cut_edges
from wurzel.ir.model import Pipeline, Schedule
from wurzel.ir.types import parse_duration

IN_TIME = "in_time"
"""Variable of the task that skips a run that starts too late."""

_STAR = re.compile(r"(?<![^ ,])[*?](/1)?(?![^ ,])")
"""Kubernetes reads `*/1` and `?` as a plain star; Airflow reads `*/1` as a list of all days."""
_SAME = {"@annually": "@yearly", "@midnight": "@daily"}
_LARGE = 25
_WIDTH = 88 - 4


@dataclass(frozen=True)
class Start:
    """First day of the schedule, and the zone its times are in."""

    year: int
    """Year of the first day."""
    month: int
    """Its month."""
    day: int
    """Its day."""
    timezone: str
    """IANA name."""


@dataclass(frozen=True)
class Timetable:
    """When runs start: a cron expression, or an interval."""

    cron: str = ""
    """The cron expression; empty for an interval."""
    every: Span | None = None
    """The interval."""
    short: bool = True
    """Whether it fits on a line."""


@dataclass(frozen=True)
class Group:
    """A task group, or with an empty `id` the tasks that are in no group."""

    id: str
    """Id of the group; empty for tasks that are in no group."""
    tasks: Sequence[DagTask]
    """Its tasks."""


@dataclass(frozen=True)
class Edge:
    """Tasks that must end before others start; one side is a single task. `long` names the side split over lines."""

    before: Sequence[str]
    """Variables of the tasks that must end before."""
    after: Sequence[str]
    """Variables of the tasks that start after them."""
    long: Literal["", "before", "after"]
    """The side that is split over several lines."""


@dataclass(frozen=True)
class Dag:
    """Everything in a DAG file."""

    id: str
    """Id of the DAG."""
    asset: str
    """Name of the class of assets."""
    imports: Sequence[Import]
    """What the file imports."""
    uses_json: bool
    """It needs `json`."""
    uses_timedelta: bool
    """Whether the file needs `timedelta`."""
    description: str
    """What the pipeline is for."""
    doc: str
    """Text that the UI shows."""
    timetable: Timetable | None
    """When runs start; null when only people start them."""
    start: Start
    """First day of the schedule."""
    max_active_runs: int | None
    """Concurrent runs; null for Airflow's default."""
    max_active_tasks: int | None
    """Concurrent tasks; null for Airflow's default."""
    timeout: Span | None
    """Longest time of a whole run."""
    late: Span | None
    """How late a scheduled run may start."""
    params: Sequence[DagParam]
    """Parameters of a run."""
    tags: Sequence[str]
    """Tags of the DAG."""
    reads_connections: bool
    """Whether secrets are read from connections."""
    exact_secrets: bool
    """Whether a variable that holds a secret has lower-case letters in its name."""
    usual: Policy
    """The retry policy of most tasks."""
    kinds: Sequence[str]
    """Kinds of the tasks: bash, kubernetes, docker."""
    envs: Mapping[str, str]
    """Kind of task to the name of the constant that holds its variables."""
    shared: Mapping[str, Mapping[str, Text]]
    """Name of each such constant to the variables."""
    pods: Mapping[str, Mapping[str, Any]]
    """Name of a constant to the pod it holds."""
    cwd: str
    """The folder in which bash tasks run."""
    groups: Sequence[Group]
    """The tasks, by group."""
    edges: Sequence[Edge]
    """Which tasks must end before which."""


class FileContext(TypedDict):
    """What the template of the DAG file sees."""

    pipeline: Pipeline
    """The pipeline, as the IR has it."""
    options: AirflowOptions
    """The options below `targets.airflow`, with defaults."""
    dag: Dag
    """The DAG, ready for the template."""


def dag(pipeline: Pipeline, options: AirflowOptions) -> Dag:
    """The DAG of a pipeline."""
    tasks = _tasks(pipeline, options)
    kinds = list(dict.fromkeys(task.kind for task in tasks))
    envs = {kind: "ENV" if len(kinds) == 1 else f"{kind.upper()}_ENV" for kind in kinds}
    schedule = pipeline.schedule
    steps = [task for task in tasks if task.step_id and not task.counts]
    parts: dict[str, Any] = {
        "timetable": _timetable(schedule),
        "timeout": span(pipeline.timeout),
        "late": span(schedule.deadline) if schedule else None,
        "params": environment.params(pipeline),
        "pods": _pods(pipeline, options, tasks),
        "reads_connections": options.secrets == "connection" and _has_secrets(pipeline, tasks),
        "exact_secrets": any(not name.isupper() for task in tasks if task.pod for name in task.pod.secrets),
        "usual": most_common(task.policy for task in steps),
        "groups": _groups(pipeline, options, tasks),
        "shared": {name: _shared(pipeline, options, kind) for kind, name in envs.items()},
    }
    return Dag(
        id=dag_id(pipeline, options),
        asset=asset(options.version),
        imports=imports(list(_used(parts, tasks, options)), options.version, options.on_failure),
        uses_json=any(task.counts and task.kind == "bash" for task in tasks),
        uses_timedelta=_uses_timedelta(parts, tasks),
        description=pipeline.description,
        doc=_doc(pipeline, options),
        start=_start(options, schedule),
        max_active_runs=options.max_active_runs or (1 if schedule and schedule.concurrency == "forbid" else None),
        max_active_tasks=pipeline.parallelism,
        tags=tags(pipeline, options),
        kinds=kinds,
        envs=envs,
        cwd=_cwd(options, path(pipeline, options)),
        edges=_edges(pipeline, {task.step_id: task for task in steps}, late=parts["late"] is not None),
        **parts,
    )


def path(pipeline: Pipeline, options: AirflowOptions) -> str:
    """Where the DAG file is written."""
    return options.output or f"dags/{pipeline.name}.py"


def dag_id(pipeline: Pipeline, options: AirflowOptions) -> str:
    """Id of the DAG, which also names the folder of its data."""
    return options.dag_id or pipeline.name


def tags(pipeline: Pipeline, options: AirflowOptions) -> list[str]:
    """Tags of the DAG: those of the options, then the pipeline's labels."""
    return list(dict.fromkeys([*options.tags, *(f"{name}:{value}" for name, value in pipeline.labels.items())]))


def data_dir(pipeline: Pipeline, options: AirflowOptions, kind: str) -> str:
    """Folder of the DAG's data as tasks of one kind see it: a template, since options may hold templates."""
    home = f"{pipeline.data_dir}/{dag_id(pipeline, options)}"
    if kind == "kubernetes":
        return environment.template(kubernetes.escape(f"{options.kubernetes.mount}/{home}"))
    if kind == "docker":
        return environment.template(f"{options.docker.mount}/{home}")
    if options.data_dir is not None:
        return f"{options.data_dir.rstrip('/')}/{dag_id(pipeline, options)}"
    return environment.template(home)


def _tasks(pipeline: Pipeline, options: AirflowOptions) -> list[DagTask]:
    maker = Tasks(pipeline, options)
    counters = {step.id: f"{step.id}{COUNTER}" for step in pipeline.steps if counted(step, options)}
    names = variables([*(step.id for step in pipeline.steps), CLEANER, *counters.values()])
    needed = {need for step in pipeline.steps for need in step.predecessors}
    usual = most_common(policy_of(step, options)[0] for step in pipeline.steps)
    tasks = []
    for step in pipeline.steps:
        wanted = options.assets == "all" or (options.assets == "last" and step.id not in needed)
        outlet = f"{dag_id(pipeline, options)}/{step.id}" if wanted else ""
        counter = names[counters[step.id]] if step.id in counters else ""
        if counter:
            tasks.append(maker.counter(step, counter))
        tasks.append(maker.task(step, names[step.id], outlet, counter))
    if options.keep_days:
        tasks.append(maker.cleaner(names[CLEANER]))
    return [replace(task, differs=differences(task.policy, usual)) for task in tasks]


def _shared(pipeline: Pipeline, options: AirflowOptions, kind: str) -> dict[str, Text]:
    outlasting = options.keep_days is not None or any(step.self_consuming for step in pipeline.steps)
    env = environment.shared(pipeline, kind, data_dir(pipeline, options, kind), outlasting=outlasting)
    if kind != "kubernetes" and options.secrets == "connection":
        env |= environment.secret_variables(pipeline.secrets)
    return env


def _has_secrets(pipeline: Pipeline, tasks: Sequence[DagTask]) -> bool:
    owners = {step.id: step.secrets for step in pipeline.steps}
    return any(task.kind != "kubernetes" and (pipeline.secrets or owners.get(task.step_id)) for task in tasks)


def _timetable(schedule: Schedule | None) -> Timetable | None:
    if schedule is None:
        return None
    if schedule.cron.startswith("@every "):
        return Timetable(every=span(parse_duration(schedule.cron.removeprefix("@every "))))
    cron = _SAME.get(schedule.cron) or _STAR.sub("*", schedule.cron)
    return Timetable(
        cron, short=len(f'schedule=CronTriggerTimetable("{cron}", timezone="{schedule.timezone}"),') <= _WIDTH
    )


def _start(options: AirflowOptions, schedule: Schedule | None) -> Start:
    first = options.start_date
    return Start(first.year, first.month, first.day, schedule.timezone if schedule else "UTC")


def _cwd(options: AirflowOptions, file: str) -> str:
    """Where bash tasks run: the project folder, from the place of the DAG file in it."""
    up = "".join("/.." for _ in posixpath.normpath(file).split("/")[1:])
    return options.project_dir or f"{{{{ task.dag.folder }}}}{up}"


def _doc(pipeline: Pipeline, options: AirflowOptions) -> str:
    lines = [pipeline.description] if pipeline.description else []
    lines += [f"{name}: {value}" for name, value in pipeline.annotations.items()]
    folder = data_dir(pipeline, options, kind_of(pipeline.steps[0].id, options))
    lines += [f"Data of a run: `{folder}/run_<run id>/<step>`"]
    return "\n\n".join(lines) + "\n"


def _groups(pipeline: Pipeline, options: AirflowOptions, tasks: Sequence[DagTask]) -> list[Group]:
    """Steps of one depth together: those that may run side by side."""
    many = options.task_groups == "always" or (options.task_groups == "auto" and len(pipeline.steps) >= _LARGE)
    if not many:
        return [Group("", tasks)]
    depth: dict[str, int] = {}
    for step in pipeline.steps:
        depth[step.id] = 1 + max((depth[need] for need in step.predecessors), default=0)
    groups: dict[int, list[DagTask]] = {}
    for task in tasks:
        groups.setdefault(depth.get(task.step_id, 0), []).append(task)
    width = len(str(max(groups)))
    return [Group(f"stage-{level:0{width}}" if level else "", groups[level]) for level in sorted(groups)]


def _edges(pipeline: Pipeline, tasks: Mapping[str, DagTask], *, late: bool) -> list[Edge]:
    """Each task after those it needs; tasks with the same single dependency share one edge."""
    followers: dict[tuple[str, ...], list[str]] = {}
    for step in pipeline.steps:
        counter = tasks[step.id].counter
        counts = tuple(dict.fromkeys(tasks[edge.step].variable for edge in cut_edges(step))) if counter else ()
        needed = tuple(tasks[need].variable for need in step.predecessors) or ((IN_TIME,) if late else ())
        for task, before in ((counter, counts), (tasks[step.id].variable, tuple(n for n in needed if n not in counts))):
            if before:
                followers.setdefault(before if len(before) == 1 else (*before, "to", task), []).append(task)
        if tasks[step.id].complete:
            followers.setdefault((tasks[step.id].variable,), []).append(tasks[step.id].complete)
    return [_edge(key if len(key) == 1 else key[:-2], after) for key, after in followers.items()]


def _edge(before: Sequence[str], after: Sequence[str]) -> Edge:
    sides = [f"[{', '.join(side)}]" if len(side) > 1 else side[0] for side in (before, after)]
    if len(" >> ".join(sides)) <= _WIDTH:
        return Edge(before, after, "")
    return Edge(before, after, "before" if len(before) > 1 else "after")


def _pods(pipeline: Pipeline, options: AirflowOptions, tasks: Sequence[DagTask]) -> dict[str, dict[str, Any]]:
    """The constants that hold pods: one for all tasks, and one per step with its own volumes."""
    pods: dict[str, dict[str, Any]] = {}
    for task in tasks:
        if task.pod:
            own = None if task.pod.template == POD else task.step
            pods.setdefault(task.pod.template, pod(pipeline, options.kubernetes, own))
    return pods


def _used(parts: Mapping[str, Any], tasks: Sequence[DagTask], options: AirflowOptions) -> Iterator[str]:
    """The names that the file must import."""
    yield "DAG"
    kinds = {task.kind for task in tasks}
    pods = [task.pod for task in tasks if task.pod]
    timetable = parts["timetable"]
    conditions = {
        "Asset": any(task.outlet for task in tasks),
        "BaseHook": parts["reads_connections"],
        "BashOperator": "bash" in kinds,
        "CronTriggerTimetable": timetable is not None and timetable.cron,
        "DeltaTriggerTimetable": timetable is not None and timetable.every,
        "DeviceRequest": any(task.container and task.container.gpus for task in tasks),
        "DockerOperator": "docker" in kinds,
        "EmptyOperator": any(task.complete for task in tasks),
        "KubernetesPodOperator": "kubernetes" in kinds,
        "Mount": "docker" in kinds and options.docker.mounts,
        "Param": parts["params"],
        "Secret": any(item.secrets for item in pods),
        "TaskGroup": any(group.id for group in parts["groups"]),
        "k8s": any(item.requests or item.limits or item.tolerations for item in pods),
        "literal": _uses_literal(parts, tasks),
        "mask_secret": parts["reads_connections"],
        "task": parts["late"],
    }
    yield from (name for name, needed in conditions.items() if needed)


def _uses_literal(parts: Mapping[str, Any], tasks: Sequence[DagTask]) -> bool:
    texts = [text for env in parts["shared"].values() for text in env.values()]
    for task in tasks:
        texts += task.env.values()
        texts += task.pod.annotations.values() if task.pod else ()
    return any(text.literal for text in texts)


def _uses_timedelta(parts: Mapping[str, Any], tasks: Sequence[DagTask]) -> bool:
    timetable, usual = parts["timetable"], parts["usual"]
    policies = [usual, *(task.policy for task in tasks)]
    spans = [span for policy in policies for span in (policy.delay, policy.longest, policy.timeout)]
    return any([*spans, parts["timeout"], parts["late"], timetable and timetable.every])
