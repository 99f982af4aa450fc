"""Turns a pipeline into a DAG: the context of the template of the DAG file."""

import posixpath
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from wurzel.backends import kubernetes
from wurzel.backends.airflow import environment
from wurzel.backends.airflow.context import Dag, Dependency, Group, Start, Timetable
from wurzel.backends.airflow.environment import Text
from wurzel.backends.airflow.imports import asset, imports, used_names
from wurzel.backends.airflow.layout import Jobs, kind_of, span
from wurzel.backends.airflow.names import CLEANER, COUNTER, POD, task_id, variables
from wurzel.backends.airflow.options import AirflowOptions
from wurzel.backends.airflow.parts import DagTask
from wurzel.backends.airflow.pod import pod
from wurzel.backends.airflow.task import Tasks, differences
from wurzel.backends.base import most_common
from wurzel.backends.ir_file import ir_path, ir_text
from wurzel.invocation.command import cut_edges
from wurzel.invocation.failure import notice_references
from wurzel.invocation.variables import key_references
from wurzel.ir.jobs import Job
from wurzel.ir.model import Pipeline
from wurzel.ir.schedule import Schedule
from wurzel.ir.serialize import digest_of
from wurzel.ir.types import parse_duration

IN_TIME = "in_time"
"""Variable of the task that skips runs that start too late."""

_STAR = re.compile(r"(?<![^ ,])[*?](/1)?(?![^ ,])")
"""Kubernetes reads `*/1` and `?` as a plain star; Airflow reads `*/1` as a list of all days."""
_SAME = {"@annually": "@yearly", "@midnight": "@daily"}
_LARGE = 25


def dag(pipeline: Pipeline, options: AirflowOptions) -> Dag:
    """The DAG of a pipeline."""
    jobs = Jobs(pipeline, options)
    kinds = list(dict.fromkeys([*map(jobs.kind, jobs.all), *([options.operator] if options.keep_days else [])]))
    envs, runs = _constants(kinds, "ENV"), _constants(kinds if jobs.run else [], "RUN")
    maker = Tasks(jobs, runs)
    tasks = _tasks(jobs, maker)
    ids = {task_id(job.name) for job in jobs.all}
    steps = [task for task in tasks if task.id in ids]
    fields = _of_pipeline(pipeline, options) | _of_tasks(jobs, tasks)
    fields["shared"] = {name: _shared(jobs, kind) for kind, name in envs.items()}
    reads_ir = jobs.run and bool(set(kinds) - {"bash"})
    in_tasks = fields["reads_connections"] and _has_secrets(jobs)
    macros = {"ir": reads_ir, "moment": bool(options.dates), "secret": in_tasks}
    return Dag(
        **fields,
        imports=imports(list(used_names(fields, tasks, options)), options.version, options.on_failure),
        uses_json=any(task.counts and task.kind == "bash" for task in tasks)
        or bool(pipeline.on_failure and pipeline.on_failure.webhook),
        ir=posixpath.basename(ir_path(path(pipeline, options))) if reads_ir else "",
        macros=[name for name, used in macros.items() if used],
        kinds=kinds,
        envs=envs,
        edges=_edges(jobs, {task.step_id: task for task in steps}, late=fields["late"] is not None),
        runs={name: maker.start(kind) for kind, name in runs.items()},
        usual=most_common(task.policy for task in steps),
    )


def _of_pipeline(pipeline: Pipeline, options: AirflowOptions) -> dict[str, Any]:
    """The fields of the DAG that its tasks do not change."""
    schedule, first, file = pipeline.schedule, options.start_date, posixpath.normpath(path(pipeline, options))
    return {
        "id": dag_id(pipeline, options),
        "asset": asset(options.version),
        "depth": file.count("/"),
        "on_assets": options.on_assets,
        "timetable": _timetable(schedule, options),
        "catch_up": schedule is not None and schedule.catch_up,
        "start": Start(first.year, first.month, first.day, schedule.timezone if schedule else "UTC"),
        "late": span(schedule.deadline) if schedule else None,
        "timeout": span(options.dagrun_timeout if pipeline.timeout is None else pipeline.timeout),
        "description": pipeline.description,
        "doc": _doc(pipeline, options),
        "tags": tags(pipeline, options),
        "params": environment.params(pipeline),
        "max_active_runs": options.max_active_runs or (1 if schedule and schedule.concurrency == "forbid" else None),
        "max_active_tasks": pipeline.parallelism,
        # Bash tasks run in the project folder, from the place of the DAG file in it.
        "cwd": options.project_dir or f"{{{{ task.dag.folder }}}}{'/..' * file.count('/')}",
    }


def _of_tasks(jobs: Jobs, tasks: Sequence[DagTask]) -> dict[str, Any]:
    """The fields of the DAG that follow from its tasks."""
    pipeline, options = jobs.pipeline, jobs.options
    has_secrets = _has_secrets(jobs) or bool(notice_references(pipeline))
    return {
        "pods": _pods(pipeline, options, tasks),
        "reads_connections": options.secrets == "connection" and has_secrets,
        "slices": sorted({task.kind for task in tasks if task.shards}),
        "exact_secrets": any(not name.isupper() for task in tasks if task.pod for name in task.pod.secrets),
        "final": options.version != "2.11" and any(task.policy.retries for task in tasks),
        "groups": _groups(jobs, tasks),
    }


def with_triggers(pipeline: Pipeline, options: AirflowOptions) -> AirflowOptions:
    """The options with the assets that the pipeline's `triggers` are."""
    wanted = (*options.on_assets, *pipeline.triggers.after, *pipeline.triggers.data)
    return options.model_copy(update={"on_assets": tuple(dict.fromkeys(wanted))})


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
    """Folder of the DAG's data as tasks of one kind see it, as a Jinja template: options may contain templates."""
    home = f"{pipeline.data_dir}/{dag_id(pipeline, options)}"
    if kind == "kubernetes":
        return environment.template(kubernetes.escape(f"{options.kubernetes.mount}/{home}"))
    if kind == "docker":
        return environment.template(f"{options.docker.mount}/{home}")
    if options.data_dir is not None:
        return f"{options.data_dir.rstrip('/')}/{dag_id(pipeline, options)}"
    return environment.template(home)


def _constants(kinds: Sequence[str], name: str) -> dict[str, str]:
    """The name of a constant for each kind of task; it starts with the kind if there are several."""
    return {kind: name if len(kinds) == 1 else f"{kind.upper()}_{name}" for kind in kinds}


def _tasks(jobs: Jobs, maker: Tasks) -> list[DagTask]:
    options = jobs.options
    fed = jobs.feeders()
    feeds = {feeder: jobs.named(name) for name, feeder in fed.items()}
    counters = {job.name: f"{job.name}{COUNTER}" for job in jobs.all if jobs.counted(job)} | fed
    alone = [name for name in counters.values() if name not in feeds]
    names = variables([*(job.name for job in jobs.all), CLEANER, *alone])
    needed = {need for step in jobs.pipeline.steps for need in step.predecessors}
    usual = most_common(map(jobs.policy, jobs.all))
    tasks = []
    for job in jobs.all:
        inlets = _inlets(jobs, job)
        wanted = {"all": job.ids, "last": [one for one in job.ids if one not in needed], "none": ()}[options.assets]
        outlets = [_asset(jobs, step_id) for step_id in wanted]
        counter = names[counters[job.name]] if job.name in counters else ""
        if counter and job.name not in fed:
            tasks.append(maker.counter(job, counter))
        tasks.append(maker.task(job, names[job.name], (inlets, outlets), counter, feeds.get(job.name)))
    if options.keep_days:
        tasks.append(maker.cleaner(names[CLEANER]))
    return [replace(task, differs=differences(task.policy, usual)) for task in tasks]


def _asset(jobs: Jobs, step_id: str) -> str:
    return f"{dag_id(jobs.pipeline, jobs.options)}/{step_id}"


def _inlets(jobs: Jobs, job: Job) -> list[str]:
    """The assets that a job reads: a first job those that start the DAG, others those of earlier jobs.

    Earlier jobs only have assets if all steps have one (`assets: all`).
    """
    if not jobs.needs(job):
        return list(jobs.options.on_assets)
    read = dict.fromkeys(step_id for step_id, _ in jobs.reads(job))
    return [_asset(jobs, step_id) for step_id in read] if jobs.options.assets == "all" else []


def _shared(jobs: Jobs, kind: str) -> dict[str, Text]:
    pipeline, options = jobs.pipeline, jobs.options
    outlasting = options.keep_days is not None or (not jobs.run and any(step.self_consuming for step in pipeline.steps))
    env: dict[str, Text] = {}
    if not jobs.stored:
        env |= environment.folders(data_dir(pipeline, options, kind), outlasting=outlasting)
    if jobs.run:
        file, digest = posixpath.basename(ir_path(path(pipeline, options))), digest_of(ir_text(pipeline).encode())
        env |= environment.of_runs(pipeline, kind, file, digest, options.deployment)
    else:
        env |= environment.of_steps(pipeline, kind)
    if kind != "kubernetes" and options.secrets == "connection":
        env |= environment.secret_variables(pipeline.secrets | key_references(pipeline))
    return env


def _has_secrets(jobs: Jobs) -> bool:
    shared = jobs.pipeline.secrets | key_references(jobs.pipeline)
    elsewhere = [job for job in jobs.all if jobs.kind(job) != "kubernetes"]
    return any(shared or step.secrets for job in elsewhere for step in job.steps)


def _timetable(schedule: Schedule | None, options: AirflowOptions) -> Timetable | None:
    if schedule is None:
        return None
    data = span(options.data_interval)
    if schedule.cron.startswith("@every "):
        return Timetable(every=span(parse_duration(schedule.cron.removeprefix("@every "))), data=data)
    cron = _SAME.get(schedule.cron) or _STAR.sub("*", schedule.cron)
    return Timetable(cron, data=data)


def _doc(pipeline: Pipeline, options: AirflowOptions) -> str:
    lines = [pipeline.description] if pipeline.description else []
    lines += [f"{name}: {value}" for name, value in pipeline.annotations.items()]
    if pipeline.triggers.webhook:
        api = "v1" if options.version == "2.11" else "v2"
        lines += [f"A POST to /api/{api}/dags/{dag_id(pipeline, options)}/dagRuns starts it."]
    if pipeline.store is not None:
        lines += [f"Results: `wurzel store get {pipeline.name}/STEP -o DIR` from {pipeline.store.url}"]
    else:
        kind = kind_of(pipeline.steps[0].id, options)
        shared = ", on a disk that all workers share" if kind == "bash" else ""
        lines += [f"Data of a run: `{data_dir(pipeline, options, kind)}/run_<run id>/<step>`{shared}"]
    return "\n\n".join(lines) + "\n"


def _groups(jobs: Jobs, tasks: Sequence[DagTask]) -> list[Group]:
    """The task groups: one for each depth of the graph, so that tasks that can run side by side are shown together."""
    wanted = jobs.options.task_groups
    if not (wanted == "always" or (wanted == "auto" and len(jobs.all) >= _LARGE)):
        return [Group("", tasks)]
    depth: dict[str, int] = {}
    for job in jobs.all:
        depth[job.steps[0].id] = 1 + max((depth[need.steps[0].id] for need in jobs.needs(job)), default=0)
    groups: dict[int, list[DagTask]] = {}
    for task in tasks:
        groups.setdefault(depth.get(task.step_id, 0), []).append(task)
    width = len(str(max(groups)))
    return [Group(f"stage-{level:0{width}}" if level else "", groups[level]) for level in sorted(groups)]


def _edges(jobs: Jobs, tasks: Mapping[str, DagTask], *, late: bool) -> list[Dependency]:
    """An edge from the tasks that a task needs; tasks that need the same single task share an edge: `a >> [b, c]`."""

    def named(job: Job) -> str:
        return tasks[job.steps[0].id].variable

    followers: dict[tuple[str, ...], list[str]] = {}
    for job in jobs.all:
        own = tasks[job.steps[0].id]
        cut = cut_edges(job.steps[0]) if own.counter else []
        counts = tuple(dict.fromkeys(named(jobs.home[edge.step]) for edge in cut))
        needed = tuple(map(named, jobs.needs(job))) or ((IN_TIME,) if late else ())
        for task, before in ((own.counter, counts), (own.variable, tuple(n for n in needed if n not in counts))):
            if before and task not in before:
                # Python cannot write `[a, b] >> [c, d]`, so a task that needs several gets an edge alone.
                followers.setdefault(before if len(before) == 1 else (*before, "to", task), []).append(task)
        if own.complete:
            followers.setdefault((own.variable,), []).append(own.complete)
    return [Dependency(key if len(key) == 1 else key[:-2], after) for key, after in followers.items()]


def _pods(pipeline: Pipeline, options: AirflowOptions, tasks: Sequence[DagTask]) -> dict[str, dict[str, Any]]:
    """The constants that hold pods: one for all tasks, and one per step with its own volumes."""
    special = {task.pod.template: task.steps for task in tasks if task.pod and task.pod.template != POD}
    shared = {POD: ()} if any(task.pod for task in tasks) else {}
    return {name: pod(pipeline, options.kubernetes, steps) for name, steps in {**shared, **special}.items()}
