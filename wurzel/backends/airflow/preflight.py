"""Reasons why a pipeline cannot run on Airflow, found before a template is rendered."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from wurzel.backends.airflow.dag import dag_id, tags
from wurzel.backends.airflow.environment import RESERVED, params
from wurzel.backends.airflow.layout import Jobs, kind_of, place
from wurzel.backends.airflow.names import COUNTER, TAKEN, task_id
from wurzel.backends.ir_file import ir_text
from wurzel.backends.kubernetes import DATA, TMP, TMP_PATH
from wurzel.backends.kubernetes.preflight import missing_images, volume_problems
from wurzel.backends.kubernetes.store import folder_outside, shared_mounts
from wurzel.backends.preflight import secret_parameters, sets, unknown, without_value
from wurzel.exceptions import Problem
from wurzel.invocation.variables import VARIABLE_LIMIT, unfed
from wurzel.ir.jobs import are_runs, layout_problems
from wurzel.suggestion import meant_or_all

if TYPE_CHECKING:
    from wurzel.backends.airflow.options import AirflowOptions
    from wurzel.ir.model import Pipeline, Step

_TAG = 100
_HEADER = 1024
"""Bytes for the name of the variable, and for the header of the file."""
_HERE = "targets.airflow"


def preflight(pipeline: Pipeline, options: AirflowOptions) -> Iterator[Problem]:
    """Everything that is wrong, in the order of the DAG file."""
    yield from _dag(pipeline, options)
    yield from _steps_named(pipeline, options)
    yield from _parameters(pipeline, options)
    yield from _dates(pipeline, options)
    yield from _triggers(pipeline, options)
    yield from missing_images(pipeline, [step for step in pipeline.steps if kind_of(step.id, options) != "bash"])
    for step in pipeline.steps:
        yield from _step(pipeline, step, options)
    yield from layout_problems(pipeline, options.layout, partial(place, pipeline, options))
    if are_runs(pipeline, options.layout):
        yield from _runs(pipeline, options)
    yield from _data(pipeline, options)


def _dag(pipeline: Pipeline, options: AirflowOptions) -> Iterator[Problem]:
    schedule = pipeline.schedule
    if schedule and schedule.concurrency == "replace" and options.max_active_runs is None:
        yield Problem(
            "the schedule sets concurrency: replace, but Airflow cannot stop a run to start the next one",
            hint=f"Use forbid (the next run waits) or allow, or set {_HERE}.max_active_runs: 1",
        )
    for tag in tags(pipeline, options):
        if len(tag) > _TAG:
            yield Problem(
                f"the tag {tag!r} has {len(tag)} characters; Airflow takes {_TAG}",
                hint="Shorten the label or tag it comes from.",
            )
    jobs = Jobs(pipeline, options)
    for job in jobs.all:
        if task_id(job.name) in TAKEN or job.name.endswith(("--complete", COUNTER)):
            yield Problem(
                f"the step {job.name!r} has the same name as a task that the DAG may add",
                hint='Give the step another name: WZ(cls, name="…").',
            )
    for job in jobs.all:
        step = job.steps[0]
        if jobs.counted(job) and step.shards.max > options.max_map_length:
            yield Problem(
                f"the step {step.id!r} has up to {step.shards.max} slices, and Airflow maps a task over at most"
                f" {options.max_map_length} entries of an XCom (its core.max_map_length)",
                hint="Give a smaller `max`; or raise core.max_map_length of Airflow and say so here:"
                f" {_HERE}.max_map_length: {step.shards.max}",
            )
    for owner, name in sets(pipeline, *sorted(RESERVED)):
        yield Problem(f"{owner} sets the variable {name}, which the DAG sets itself", hint="Use another name.")


def _steps_named(pipeline: Pipeline, options: AirflowOptions) -> Iterator[Problem]:
    ids = [step.id for step in pipeline.steps]
    yield from unknown(f"{_HERE}.steps", options.steps, ids, f"is not a step of {pipeline.name}", "Steps")


def _parameters(pipeline: Pipeline, options: AirflowOptions) -> Iterator[Problem]:
    yield from secret_parameters(pipeline)
    if pipeline.schedule or options.on_assets:
        for name in [param.name for param in params(pipeline) if not param.known]:
            yield Problem(
                f"the parameter {name} has no value, and a scheduled run does not set one",
                hint="Set a value in the configuration, or remove the schedule.",
            )


def _triggers(pipeline: Pipeline, options: AirflowOptions) -> Iterator[Problem]:
    for other in pipeline.triggers.after:
        if "/" not in other:
            yield Problem(
                f"triggers.after names the pipeline {other}, and Airflow waits for the data of steps",
                hint=f"Name its last step: triggers: {{after: [{other}/STEP]}}.",
            )
    if pipeline.schedule and pipeline.schedule.catch_up and "start_date" not in options.model_fields_set:
        yield Problem(
            f"schedule.catch_up would make up for all runs since {options.start_date}",
            hint=f"Say when the first one was: {_HERE}.start_date: 2026-01-31",
        )


def _dates(pipeline: Pipeline, options: AirflowOptions) -> Iterator[Problem]:
    settings = {setting.variable: setting for step in pipeline.steps for setting in step.settings}
    for variable in options.dates:
        setting = settings.get(variable)
        if setting is None:
            yield Problem(
                f"{_HERE}.dates names {variable}, which is not the variable of a setting",
                hint=meant_or_all(variable, settings, "Variables"),
            )
        elif setting.given or setting.parameter or setting.secret:
            what = "a secret" if setting.secret else "a parameter" if setting.parameter else "set in the configuration"
            yield Problem(f"{_HERE}.dates names {variable}, which is {what}", hint="Remove one of the two.")
    if options.data_interval is not None and pipeline.schedule is None:
        yield Problem(f"{_HERE}.data_interval is set without a schedule", hint="Remove it, or set a schedule.")


def _step(pipeline: Pipeline, step: Step, options: AirflowOptions) -> Iterator[Problem]:
    kind = kind_of(step.id, options)
    if kind == "bash":
        return  # it inherits the worker's environment, so nothing can be missing for certain
    if kind == "docker" and options.secrets == "environment" and (pipeline.secrets or step.secrets):
        yield Problem(
            f"step {step.id!r} runs in a Docker container, which does not see the worker's environment",
            hint=f"Read secrets from connections: {_HERE}.secrets: connection",
        )
    if kind == "kubernetes" and (options.kubernetes.env_from or step.env_from):
        return
    missing = unfed(pipeline, step, options.dates)
    yield from without_value(step, (setting for setting in missing if not setting.parameter))


def _runs(pipeline: Pipeline, options: AirflowOptions) -> Iterator[Problem]:
    """What tasks that are `wurzel run` cannot do."""
    kinds = {kind_of(step.id, options) for step in pipeline.steps}
    size = len(ir_text(pipeline).encode()) + _HEADER
    if kinds != {"bash"} and size > VARIABLE_LIMIT:
        yield Problem(
            f"the pipeline has {size} bytes as JSON, and containers read it from a variable, which Linux limits to"
            f" {VARIABLE_LIMIT} bytes",
            hint="Put large settings into files, or split the pipeline.",
        )
    if pipeline.store is None:
        for step in pipeline.steps:
            if step.self_consuming:
                yield Problem(
                    f"the step {step.id!r} reads its own last output, but each run of `wurzel run` has its own folder",
                    hint="Give the pipeline a store, or use layout: steps without groups or shards of `items`.",
                )
    elif options.keep_days is not None:
        yield Problem(
            f"{_HERE}.keep_days is set, but with a store tasks keep nothing on disk",
            hint="Remove keep_days; `wurzel store gc --keep 30d` removes old runs from the store.",
        )


def _folder(pipeline: Pipeline, options: AirflowOptions) -> Iterator[Problem]:
    """A store that is a folder must be on a mount that all pods, or all containers, share."""
    pods, docker = options.kubernetes, options.docker
    mounts = {
        "kubernetes": [*shared_mounts(pods), *([pods.mount] if pods.claim else [])],
        "docker": [item.target for item in docker.mounts if not item.read_only],
    }
    for kind in sorted({kind_of(step.id, options) for step in pipeline.steps} - {"bash"}):
        if path := folder_outside(pipeline, mounts[kind]):
            hint = "kubernetes.claim: NAME" if kind == "kubernetes" else "docker.mounts: [{source: …, target: …}]"
            yield Problem(
                f"the store {path} is a folder, and nothing is mounted there that all {kind} tasks share",
                hint=f"Use a bucket, such as store: s3://bucket/prefix; or a folder of a mount: {_HERE}.{hint}",
            )


def _data(pipeline: Pipeline, options: AirflowOptions) -> Iterator[Problem]:
    """Pods and containers need a volume, since their data must outlive them, unless a store has it."""
    pods = options.kubernetes
    own = {DATA: pods.mount} if pods.claim else {}
    own |= {TMP: TMP_PATH} if pods.security.restricted and pods.security.read_only_root else {}
    kinds = {kind_of(step.id, options) for step in pipeline.steps}
    if pods.volumes or "kubernetes" in kinds:
        yield from volume_problems(pipeline, pods, f"{_HERE}.kubernetes", own, apart=True)
    if pipeline.store is not None:
        yield from _folder(pipeline, options)
        return
    if "kubernetes" in kinds and options.kubernetes.claim is None:
        yield Problem(
            f"pods of {dag_id(pipeline, options)} have no volume that keeps their data",
            hint=f"Name a PersistentVolumeClaim that all pods can write to: {_HERE}.kubernetes.claim: NAME",
        )
    if "docker" in kinds:
        mount = options.docker.mount
        targets = [item.target for item in options.docker.mounts if not item.read_only]
        if not any(f"{mount}/".startswith(f"{target}/") for target in targets):
            yield Problem(
                f"containers of {dag_id(pipeline, options)} have no mount at {mount} that keeps their data",
                hint=f"Mount a folder of the host: {_HERE}.docker.mounts: [{{source: /srv/wurzel, target: {mount}}}]",
            )
    if len(kinds) > 1 and "kubernetes" in kinds and options.data_dir is None and "bash" in kinds:
        yield Problem(
            "some steps run in pods and some on the worker, and both must see the same data",
            hint=f"Mount the claim on the workers and set its path there: {_HERE}.data_dir: "
            f"{options.kubernetes.mount}/{pipeline.data_dir}",
        )
