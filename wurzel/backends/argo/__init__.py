"""Argo Workflows: a Workflow, a CronWorkflow when there is a schedule, or a WorkflowTemplate that one refers to.

Facts about the fields: https://argo-workflows.readthedocs.io/en/latest/fields/.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from wurzel.backends import kubernetes as k8s
from wurzel.backends.argo.context import document, part_documents
from wurzel.backends.argo.layout import Pods, place
from wurzel.backends.argo.one_off import part_of
from wurzel.backends.argo.options import VERSIONS, ArgoOptions
from wurzel.backends.argo.parts import split
from wurzel.backends.argo.preflight import problems
from wurzel.backends.argo.spec import Specs
from wurzel.backends.argo.storage import store
from wurzel.backends.base import STARTS, Backend, OutputFile, Support, emulated, native, unsupported
from wurzel.backends.kubernetes.preflight import object_name, preflight
from wurzel.ir.jobs import Job, layout_problems
from wurzel.ir.model import MAX_OBJECT_BYTES, Pipeline, Store
from wurzel.ir.quantity import amount

if TYPE_CHECKING:
    from wurzel.backends.losses import Loss
    from wurzel.exceptions import Problem
    from wurzel.ir.features import Use

LONGEST_CRON = 52
"""A CronWorkflow appends `-` and ten digits to its name, and a workflow's name has at most 63 characters."""
LONGEST = 57
"""Kubernetes appends `-` and five characters to `generateName`, and a workflow's name has at most 63."""
LONGEST_PART = 63
"""Longest name of a WorkflowTemplate."""
_EVENTS = "Argo Events starts workflows: a Sensor with a trigger `argoWorkflow`, as on the page of argo"


class ArgoBackend(Backend):
    """One DAG with a template per step, or for several; data goes as artifacts, on a volume or through a store."""

    name = "argo"
    checks_more = True
    summary = "argo/<pipeline>.yaml: a Workflow, or a CronWorkflow when there is a schedule, run by Argo Workflows"
    options_model = ArgoOptions
    versions: ClassVar[Mapping[str, Sequence[str]]] = {
        **dict.fromkeys(VERSIONS, ()),
        "3.6": ("the longest wait between tries (`retry.max`): tries are within the pod, by `wurzel step`",),
    }
    support: ClassVar[Mapping[str, Support]] = {
        "description": native("annotation `workflows.argoproj.io/description`; a comment for steps"),
        "data_dir": native("below the option `mount`"),
        "store": native("containers are `wurzel run`; a projected token of the account, or keys by `secretKeyRef`"),
        "settings": native("environment variables; in the pipeline's annotation where containers are `wurzel run`"),
        "parameters": native("workflow parameters: `argo submit -p SPLIT__BATCH_SIZE=64`"),
        **dict.fromkeys(("env", "image", "step_image", "node_selector", "tolerations"), native()),
        "secrets": native("`secretKeyRef`"),
        "group": native("a pod for the group"),
        **dict.fromkeys(("cpu", "memory", "ephemeral_storage"), native("`resources.requests`")),
        "gpu": native("`resources.limits`, as Kubernetes requires; any device by its name"),
        "hugepages": native("`resources.limits`"),
        "limits": native("`resources.limits`"),
        "retry": native(
            "`retryStrategy`, by `wurzel run` where pods run several steps; exit codes 2 and 3 are not retried"
        ),
        "backoff": native(
            "`retryStrategy.backoff`; by wurzel within the pod where pods run several steps or Argo has no"
            " equivalent:"
            " a fractional factor, or `max` before 3.7"
        ),
        "timeout": native("`activeDeadlineSeconds` of the step's template; `wurzel run` also ends steps itself"),
        "pipeline_timeout": native("`activeDeadlineSeconds` of the workflow; the option `active_deadline` if not set"),
        "shards": native(
            "a pod for each slice: one task with `withSequence` where all can fill one folder (a store; a volume; s3,"
            " gcs or azure without archives), a task with its own artifact otherwise; processes in a pod of several"
            " steps"
        ),
        "fan_out": native(
            "a task, or the one before, counts the slices once the data is there, and `withParam` starts a pod for"
            " each; `max` pods, of which those without a portion end at once, where each slice has its own artifact"
        ),
        "when": emulated(
            "wurzel asks; a skipped step writes an empty dataset, so its pod succeeds and what follows runs"
        ),
        "named_inputs": native("a task is handed the outputs that it reads, and no others"),
        "named_outputs": native("an artifact for each; a folder for each on a volume; a dataset for each in a store"),
        "parallelism": native("`parallelism`; `-j` within a pod of several steps"),
        "schedule": native("CronWorkflow `schedules`"),
        "timezone": native("`timezone`"),
        "concurrency": native("`concurrencyPolicy`"),
        "deadline": native("`startingDeadlineSeconds`; one hour if not set, since Argo's default loses missed runs"),
        "catch_up": unsupported("Argo starts only the last missed run, within schedule.deadline"),
        **dict.fromkeys(STARTS, unsupported(_EVENTS)),
        "on_failure": native("`onExit`: a pod of the pipeline's image runs `wurzel notify` when a workflow has failed"),
        "polls": native("runs every time, as all steps without a store do; a comment says so"),
        "self_consuming": emulated(
            "the last output is in the store, at a fixed key (s3, gcs, azure) or on a shared volume"
        ),
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
        if use.feature == "on_failure" and options.on_exit is not None:
            return unsupported("targets.argo.on_exit replaces it; remove one of the two")
        if use.feature == "store" and isinstance(use.value, Store) and use.value.secrets is not None:
            return unsupported(
                "Argo's executor has its keys in its environment, where code of steps can read them; use"
                " identity: {role: …}, or see the page of argo for a sidecar that has them alone"
            )
        if use.feature == "self_consuming" and not (keeps or use.has_store):
            return unsupported(
                "the store does not keep it from one run to the next; choose one whose keys wurzel controls,"
                " artifacts: {s3: {bucket: …}} (or gcs, azure), or a claim that runs share,"
                " {volume: {name: …, per_run: false}}"
            )
        return super().support_for(use, options)

    def files(self, pipeline: Pipeline, options: ArgoOptions) -> Sequence[OutputFile]:
        """One manifest, and one for each part of a pipeline that is too large for one object."""
        from wurzel.backends.anchors import ARGO, anchored

        path = options.output or f"argo/{pipeline.name}.yaml"
        stem, suffix = posixpath.splitext(path)
        name = object_name(pipeline, options)
        specs = Specs(pipeline, options)
        parts = part_documents(specs)
        contexts = {path: document(specs)} | {
            f"{stem}{part.removeprefix(name)}{suffix}": context for part, context in parts.items()
        }
        limit = max(MAX_OBJECT_BYTES, int(amount(options.max_workflow_size)))
        finish = partial(anchored, start="templates:", patterns=ARGO) if options.anchors else None
        return [
            OutputFile(
                path, "argo/workflow.yaml.j2", {"pipeline": pipeline, **context}, object_limit=limit, finish=finish
            )
            for path, context in contexts.items()
        ]

    def one_off(self, pipeline: Pipeline, options: ArgoOptions, steps: Sequence[str]) -> tuple[Pipeline, ArgoOptions]:
        """A Workflow of these steps, even if another kind is written otherwise."""
        from wurzel.backends.argo.one_off import one_off

        return one_off(pipeline, options, steps)

    def contexts(self) -> Mapping[str, type]:
        """The context of the manifest."""
        from wurzel.backends.argo.manifest import ManifestContext

        return {"argo/workflow.yaml.j2": ManifestContext}

    def jobs(self, pipeline: Pipeline, options: ArgoOptions) -> Sequence[Job]:
        """The pods of a run."""
        return Pods(part_of(pipeline, options), options).all

    def preflight(self, pipeline: Pipeline, options: ArgoOptions) -> Sequence[Problem]:
        """Names, images, settings, sizes, parameters, and data that the store cannot carry."""
        part = part_of(pipeline, options)
        if found := layout_problems(part, options.layout, place(part, options)):
            return found
        parameters = {setting.variable for step in pipeline.steps for setting in step.settings if setting.parameter}
        longest = LONGEST_CRON if pipeline.schedule else LONGEST
        pods = Pods(part, options)
        parts = split(pods)
        if parts:
            longest = min(longest, LONGEST_PART - len(f"-{parts[-1].task}"))
        own = {k8s.PIPELINE: k8s.PIPELINE_PATH} if pods.run else {}
        return [
            *preflight(pipeline, options, self.name, longest_name=longest, parameters=parameters, volumes=own),
            *problems(pods, parts),
        ]

    def losses(self, text: str) -> Iterable[Loss]:
        """Inherited values that templates do not get."""
        from wurzel.backends.argo.losses import losses

        return losses(text)

    def validate(self, files: Mapping[str, str], options: ArgoOptions) -> Sequence[Problem]:
        """Strict structure, Argo's and Kubernetes' rules, and `argo lint` when it is on the path."""
        from wurzel.validation import check_files

        return check_files(files, restricted=options.security.restricted)
