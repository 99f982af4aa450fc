"""Reasons why a pipeline cannot run on Argo, found before a template is rendered."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from wurzel.backends.argo.environment import BRACE
from wurzel.backends.argo.parts import MOST_TEMPLATES
from wurzel.backends.argo.spec import IR, Specs
from wurzel.backends.kubernetes.preflight import store_folder
from wurzel.backends.preflight import own_run_id, sets
from wurzel.exceptions import Problem
from wurzel.ir.quantity import amount
from wurzel.ir.serialize import dump_for_jobs

if TYPE_CHECKING:
    from wurzel.backends.argo.layout import Pods
    from wurzel.backends.argo.options import ArgoOptions
    from wurzel.backends.argo.parts import Part
    from wurzel.ir.model import Pipeline, Step

MOST_PARAMETERS = 500
"""Parameters of one template (the CRD)."""
MOST_IR = 250 * 1024
"""Bytes of the pipeline as an annotation; Kubernetes takes 256 KiB of them, which Argo's validation does not check."""
RECORD_BYTES = 200
"""Bytes of Argo's record of a finished pod, compressed (gzip in base64); 120 to 165 were measured."""
_SPLIT = "Or split the pipeline into several, or run it with the cronjob target."


def problems(pods: Pods, parts: Sequence[Part]) -> Iterator[Problem]:
    """Sizes, texts that Argo would expand, parameters, and data that the store cannot carry."""
    pipeline, options = pods.pipeline, pods.options
    yield from _sizes(pods, parts)
    yield from _templated(pipeline)
    for step in pipeline.steps:
        yield from _parameters(pipeline, step)
    yield from _kept(pipeline, options)
    if pods.run:
        yield from _run(pods)


def _sizes(pods: Pods, parts: Sequence[Part]) -> Iterator[Problem]:
    pipeline, options = pods.pipeline, pods.options
    most = int(amount(options.max_workflow_size))
    if len(parts) > MOST_TEMPLATES:
        yield Problem(
            f"{len(pipeline.steps)} steps make {len(parts)} parts, each a task of one DAG;"
            f" Argo allows at most {MOST_TEMPLATES}",
            hint=_SPLIT,
        )
    elif parts and (size := status_bytes(pipeline, options)) > most:
        yield Problem(
            f"a workflow of {len(pipeline.steps)} steps would grow to some {size:,} bytes while it runs;"
            f" Argo's controller takes at most {most:,} (its MAX_WORKFLOW_SIZE)",
            hint=f"Keep datasets on a volume (artifacts: {{volume: …}}), which takes less; or raise MAX_WORKFLOW_SIZE"
            f" of the controller and set it here: targets.argo.max_workflow_size: 1536Ki (etcd's own limit). {_SPLIT}",
        )
    for job in pods.all:
        if pods.apart(job) and (tasks := pods.slices(job)) >= MOST_TEMPLATES:
            yield Problem(
                f"the step {job.name!r} has {tasks} shards, each a task with its own artifact;"
                f" Argo allows at most {MOST_TEMPLATES - 1} of them",
                hint="Use fewer, or a store that all slices can fill together: artifacts: {s3: {bucket: …}}"
                " (or gcs, azure) with archive: none, or {volume: …}.",
            )
    count = sum(setting.parameter for step in pipeline.steps for setting in step.settings)
    if count > MOST_PARAMETERS:
        yield Problem(
            f"{count} settings are parameters; Argo allows at most {MOST_PARAMETERS}",
            hint="Keep only those that people really change in `parameters`.",
        )


def _templated(pipeline: Pipeline) -> Iterator[Problem]:
    """Argo expands `{{…}}` in every field; only environment and arguments offer a way to escape it."""
    for where, texts in [
        ("annotation", pipeline.annotations),
        *((f"step {step.id!r}: annotation", step.annotations) for step in pipeline.steps),
    ]:
        for key, value in texts.items():
            if "{{" in value:
                yield Problem(
                    f"the {where} {key} contains '{{{{', which Argo would read as an expression",
                    hint="Argo has no escape for it in annotations; remove it.",
                )
    for owner, name in sets(pipeline, BRACE):
        yield Problem(
            f"{owner} sets {name}, which is reserved here: it lets values contain '{{{{'", hint="Use another name."
        )
    if any(mark in pipeline.data_dir for mark in ("{{", "$(", "$$")):
        yield Problem(
            f"data_dir {pipeline.data_dir!r} contains '{{{{', '$(' or '$$', which Argo or Kubernetes would expand",
            hint="Use a plainer name, such as data.",
        )


def _parameters(pipeline: Pipeline, step: Step) -> Iterator[Problem]:
    for setting in step.settings:
        if not setting.parameter:
            continue
        where = f"step {step.id!r}: the parameter {setting.name}"
        give = f"Set a value: steps.{step.id}.settings: {{{setting.name}: …}}; or remove it from `parameters`."
        if setting.secret:
            yield Problem(f"{where} is a secret, and parameters can be read by everyone", hint="Use `secrets`.")
        elif setting.computed and not setting.given:
            yield Problem(f"{where} has a default that is computed when the step runs", hint=give)
        elif setting.required and not setting.given:
            if pipeline.schedule:
                yield Problem(f"{where} has no value, and a scheduled run provides none", hint=give)
        elif setting.text and setting.chosen is None:
            yield Problem(f"{where} is null, which the text of a parameter cannot express", hint=give)


def _kept(pipeline: Pipeline, options: ArgoOptions) -> Iterator[Problem]:
    volume = options.artifacts.volume
    if volume and not volume.per_run and volume.name is None:
        yield Problem(
            "artifacts.volume makes a claim for each run, so per_run: false has nothing to share",
            hint="Give the name of an existing claim: artifacts: {volume: {name: rag-data, per_run: false}}",
        )
    if volume and not volume.per_run and pipeline.schedule and pipeline.schedule.concurrency == "allow":
        yield Problem(
            "two concurrent runs would write to the same folder of the shared volume",
            hint="Use schedule.concurrency: forbid, or artifacts.volume.per_run: true.",
        )


def _run(pods: Pods) -> Iterator[Problem]:
    """What containers of `wurzel run` need."""
    pipeline = pods.pipeline
    if (size := len(dump_for_jobs(pipeline).encode())) > MOST_IR:
        yield Problem(
            f"the pipeline takes {size:,} bytes as an annotation of its pods; Kubernetes takes {MOST_IR:,}",
            hint="Move long settings into files of the image. " + _SPLIT,
        )
    for texts in (pipeline.annotations, *(step.annotations for step in pipeline.steps)):
        if IR in texts:
            yield Problem(f"the annotation {IR} is for the pipeline that pods read", hint="Use another name.")
    yield from own_run_id(pipeline)
    yield from store_folder(pipeline, pods.options, "argo")


def status_bytes(pipeline: Pipeline, options: ArgoOptions) -> int:
    """Estimated bytes of a workflow of several parts while it runs.

    Argo copies every template that a `templateRef` leads to into the status of the workflow, merged with
    `templateDefaults`, and adds a record for each pod, which it compresses when the whole is too large.
    """
    specs = Specs(pipeline, options)
    main = specs.spec()
    merged = _json_bytes(main.defaults)
    total = _json_bytes([main.parameters, main.volumes, main.tasks])
    for part in specs.dag.parts:
        templates = specs.of_jobs(part.jobs)
        total += _json_bytes(specs.dag.within(part)) + _json_bytes(templates) + merged * len(templates)
    pods = sum(specs.dag.pods.slices(job) for job in specs.dag.pods.all) + len(specs.dag.counters)
    return total + RECORD_BYTES * pods


def _json_bytes(value: object) -> int:
    """Size of plain data and parts of a manifest as JSON, in bytes; steps are not counted."""
    import json

    def filled_fields(part: object) -> object:
        return {key: item for key, item in vars(part).items() if item and key not in {"step", "steps"}}

    return len(json.dumps(value, default=filled_fields, ensure_ascii=False, separators=(",", ":")).encode())
