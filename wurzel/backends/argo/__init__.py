"""Argo Workflows: a Workflow, a CronWorkflow when there is a schedule, or a WorkflowTemplate that one refers to.

Facts about the fields: https://argo-workflows.readthedocs.io/en/latest/fields/.
"""

import posixpath
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import ClassVar

from wurzel.backends.argo.context import document, part_documents
from wurzel.backends.argo.environment import BRACE
from wurzel.backends.argo.options import ArgoOptions
from wurzel.backends.argo.parts import MOST_TEMPLATES, Part, split
from wurzel.backends.argo.size import status_bytes
from wurzel.backends.argo.storage import store, tasks_of
from wurzel.backends.base import Backend, OutputFile, Support, emulated, native, unsupported
from wurzel.backends.kubernetes.preflight import object_name, preflight
from wurzel.backends.losses import Loss
from wurzel.exceptions import Problem
from wurzel.ir.features import Use
from wurzel.ir.model import MAX_OBJECT_BYTES, Pipeline, Step
from wurzel.ir.quantity import amount

LONGEST_CRON = 52
"""A CronWorkflow appends `-` and ten digits to its name, and a workflow's name has at most 63 characters."""
LONGEST = 57
"""Kubernetes appends `-` and five characters to `generateName`, and a workflow's name has at most 63."""
LONGEST_PART = 63
"""Longest name of a WorkflowTemplate."""
MOST_PARAMETERS = 500
"""Parameters of one template (the CRD)."""


_SPLIT = "Or split the pipeline into several, or run it with the cronjob target."


class ArgoBackend(Backend):
    """One DAG with a template per step; datasets travel as artifacts, folders as they are."""

    name = "argo"
    checks_more = True
    summary = "argo/<pipeline>.yaml: a Workflow, or a CronWorkflow when there is a schedule, run by Argo Workflows"
    options_model = ArgoOptions
    support: ClassVar[Mapping[str, Support]] = {
        "description": native("annotation `workflows.argoproj.io/description`; a comment for steps"),
        "data_dir": native("below the option `mount`"),
        "store": unsupported("datasets cross tasks as artifacts or on a claim; jobs do not use a store yet"),
        "settings": native("environment variables"),
        "parameters": native("workflow parameters: `argo submit -p SPLIT__BATCH_SIZE=64`"),
        "env": native(),
        "secrets": native("`secretKeyRef`"),
        "image": native(),
        "group": unsupported("a pod runs one step"),
        "step_image": native(),
        "cpu": native("`resources.requests`"),
        "memory": native("`resources.requests`"),
        "gpu": native("`resources.limits`, as Kubernetes requires; any device by its name"),
        "ephemeral_storage": native("`resources.requests`"),
        "hugepages": native("`resources.limits`"),
        "limits": native("`resources.limits`"),
        "retry": native("`retryStrategy`; a wrong configuration (exit code 2) is not retried"),
        "backoff": native(
            "`retryStrategy.backoff`; by `wurzel step --retries` within the pod where Argo has no equivalent:"
            " a fractional factor, or `max` before 3.7"
        ),
        "timeout": native("`activeDeadlineSeconds` of the step's template"),
        "pipeline_timeout": native("`activeDeadlineSeconds` of the workflow; the option `active_deadline` if not set"),
        "shards": native(
            "a pod for each slice: one task with `withSequence` where all can fill one folder (a volume; s3, gcs or"
            " azure without archives), a task with its own artifact for each slice otherwise"
        ),
        "fan_out": native(
            "a task counts the slices once the data is there, and `withParam` starts a pod for each; `max` pods, of"
            " which those without a portion end at once, where each slice has its own artifact"
        ),
        "when": emulated(
            "`wurzel step` asks; a skipped step writes an empty dataset, so its pod ends well and what follows runs"
        ),
        "named_inputs": native("`-i NAME=DIR`; a task is handed the outputs that it reads, and no others"),
        "named_outputs": native("an artifact for each; a folder for each on a volume"),
        "parallelism": native("`parallelism`"),
        "schedule": native("CronWorkflow `schedules`"),
        "timezone": native("`timezone`"),
        "concurrency": native("`concurrencyPolicy`"),
        "deadline": native("`startingDeadlineSeconds`; one hour if not set, since Argo's default loses missed runs"),
        "polls": native("nothing is kept from earlier runs, so every step runs every time; a comment says so"),
        "self_consuming": emulated("the last output is kept at a fixed key (s3, gcs, azure) or on a shared volume"),
        "node_selector": native(),
        "tolerations": native(),
        "service_account": native("`serviceAccountName` of the workflow or of the step's template"),
        "priority": native("`priorityClassName` of the step's template"),
        "volumes": native("volumes of the workflow, mounted where a step has them"),
        "env_from": native("`envFrom` of the step's container"),
        "labels": native("on the workflow and its pods"),
        "annotations": native("on the workflow and its pods"),
    }

    def support_for(self, use: Use, options: ArgoOptions) -> Support:
        """As in the table, except for what the chosen store cannot keep."""
        volume = options.artifacts.volume
        keeps = store(options.artifacts).addressed or (volume is not None and not volume.per_run)
        if use.feature == "self_consuming" and not keeps:
            return unsupported(
                "the store does not keep it from one run to the next; choose one whose keys wurzel controls,"
                " artifacts: {s3: {bucket: …}} (or gcs, azure), or a claim that runs share,"
                " {volume: {name: …, per_run: false}}"
            )
        return super().support_for(use, options)

    def files(self, pipeline: Pipeline, options: ArgoOptions) -> Sequence[OutputFile]:
        """One manifest, and one for each part of a pipeline that is too large for one object."""
        path = options.output or f"argo/{pipeline.name}.yaml"
        stem, suffix = posixpath.splitext(path)
        name = object_name(pipeline, options)
        parts = part_documents(pipeline, options)
        contexts = {path: document(pipeline, options)} | {
            f"{stem}{part.removeprefix(name)}{suffix}": context for part, context in parts.items()
        }
        limit = max(MAX_OBJECT_BYTES, int(amount(options.max_workflow_size)))
        return [
            OutputFile(path, "argo/workflow.yaml.j2", {"pipeline": pipeline, **context}, object_limit=limit)
            for path, context in contexts.items()
        ]

    def contexts(self) -> Mapping[str, type]:
        """Of the manifest."""
        from wurzel.backends.argo.manifest import ManifestContext

        return {"argo/workflow.yaml.j2": ManifestContext}

    def preflight(self, pipeline: Pipeline, options: ArgoOptions) -> Sequence[Problem]:
        """Names, images, settings, sizes, parameters, and data that the store cannot carry."""
        parameters = {setting.variable for step in pipeline.steps for setting in step.settings if setting.parameter}
        longest = LONGEST_CRON if pipeline.schedule else LONGEST
        parts = split(pipeline, options)
        if parts:
            longest = min(longest, LONGEST_PART - len(f"-{parts[-1].task}"))
        return [
            *preflight(pipeline, options, self.name, longest_name=longest, parameters=parameters),
            *_sizes(pipeline, options, parts),
            *_templated(pipeline),
            *(problem for step in pipeline.steps for problem in _parameters(pipeline, step)),
            *_kept(pipeline, options),
        ]

    def losses(self, text: str) -> Iterable[Loss]:
        """What jobs lose of what they inherit."""
        from wurzel.backends.argo.losses import losses

        return losses(text)

    def validate(self, files: Mapping[str, str], options: ArgoOptions) -> Sequence[Problem]:
        """Strict structure, Argo's and Kubernetes' rules, and `argo lint` when it is on the path."""
        from wurzel.validation import check_files

        return check_files(files, restricted=options.security.restricted)


def _sizes(pipeline: Pipeline, options: ArgoOptions, parts: Sequence[Part]) -> Iterator[Problem]:
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
    for step in pipeline.steps:
        if (tasks := tasks_of(step, options.artifacts)) >= MOST_TEMPLATES:
            yield Problem(
                f"the step {step.id!r} has {tasks} shards, each a task with its own artifact;"
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
    for where, annotations in [
        ("annotation", pipeline.annotations),
        *((f"step {step.id!r}: annotation", step.annotations) for step in pipeline.steps),
    ]:
        for key, value in annotations.items():
            if "{{" in value:
                yield Problem(
                    f"the {where} {key} contains '{{{{', which Argo would read as an expression",
                    hint="Argo has no escape for it in annotations; remove it.",
                )
    if any(BRACE in env for env in (pipeline.env, *(step.env for step in pipeline.steps))):
        yield Problem(
            f"env sets {BRACE}, which is reserved here: it lets values contain '{{{{'", hint="Use another name."
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
        value = setting.value if setting.given else setting.default
        if setting.secret:
            yield Problem(f"{where} is a secret, and parameters can be read by everyone", hint="Use `secrets`.")
        elif setting.computed and not setting.given:
            yield Problem(f"{where} has a default that is computed when the step runs", hint=give)
        elif setting.required and not setting.given:
            if pipeline.schedule:
                yield Problem(f"{where} has no value, and a scheduled run provides none", hint=give)
        elif setting.text and value is None:
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
