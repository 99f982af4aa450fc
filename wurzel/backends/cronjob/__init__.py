"""Kubernetes CronJob, or Job without a schedule: the whole pipeline in one pod.

Facts about the fields: https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/cron-job-v1/.
"""

import posixpath
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import ClassVar

from wurzel.backends import kubernetes as k8s
from wurzel.backends.base import STARTS, Backend, OutputFile, Support, emulated, native, unsupported
from wurzel.backends.cronjob.job import containers, place, uses_run
from wurzel.backends.cronjob.objects import document, has_claim
from wurzel.backends.cronjob.options import CronJobOptions
from wurzel.backends.kubernetes.preflight import preflight, store_folder
from wurzel.backends.preflight import own_run_id, sets
from wurzel.exceptions import Problem
from wurzel.ir.features import Use
from wurzel.ir.jobs import Job, layout_problems, results
from wurzel.ir.model import MAX_OBJECT_BYTES, Pipeline

LONGEST_CRON = 52
"""The controller appends `-` and ten digits to a CronJob's name, and a Job's name has at most 63 characters."""
LONGEST = 63
"""A Job's name becomes a label of its pods."""

_ONE_POD = "one pod runs all steps, as one service account; give it to the pipeline, or use the argo target"
_OTHERWISE = "Use the same for all steps, or the argo target, where each step has its own pod."
_EVENTS = (
    "Kubernetes starts Jobs by the clock alone; call kubectl create job --from=cronjob/NAME, or use github or airflow"
)


class CronJobBackend(Backend):
    """A CronJob whose pod runs the steps one after the other, or all of them in one container."""

    name = "cronjob"
    checks_more = True
    summary = "cronjob/<pipeline>.yaml: a CronJob, or a Job without a schedule, run by any Kubernetes"
    options_model = CronJobOptions
    support: ClassVar[Mapping[str, Support]] = {
        "description": native("annotation `kubernetes.io/description`; a comment for steps"),
        "data_dir": native("below the option `mount`"),
        "store": native("containers are `wurzel run`; keys by `secretKeyRef`, or a projected token of the account"),
        "settings": native("environment variables; a ConfigMap where `wurzel run` runs several steps"),
        "parameters": unsupported("a CronJob has no inputs; change the setting and render again, or use argo"),
        **dict.fromkeys(("env", "image", "schedule"), native()),
        "secrets": native("`secretKeyRef`"),
        "group": native("a container for the group"),
        "step_image": native("a container for each step"),
        "cpu": native("`resources.requests`; the pod requests the largest, a container what runs side by side"),
        "memory": native("`resources.requests`, as for cpu"),
        "gpu": native("`resources.limits`, as Kubernetes requires; any device by its name"),
        "ephemeral_storage": native("`resources.requests`, as for cpu"),
        "hugepages": native("`resources.limits`"),
        "limits": native("`resources.limits`"),
        "retry": emulated("within the pod: `wurzel step --retries`, or `wurzel run`"),
        "backoff": emulated("within the pod: `wurzel step --backoff`, or `wurzel run`"),
        "timeout": emulated("within the pod: `wurzel step --timeout`, or `wurzel run`"),
        "pipeline_timeout": native(
            "`activeDeadlineSeconds` of the Job, less where steps have timeouts; `active_deadline` if not set"
        ),
        "shards": emulated("parallel processes within the step's container"),
        "fan_out": emulated("as many processes within the step's container as the data has portions, at most `max`"),
        "when": emulated("`wurzel step` asks; a skipped step writes an empty dataset, and what follows still runs"),
        "named_inputs": native("`-i NAME=DIR`"),
        "named_outputs": native("a dataset for each output, in the folder of its step"),
        "parallelism": native("`wurzel run -j` where a container runs several steps"),
        "timezone": native("`timeZone`"),
        "concurrency": native("`concurrencyPolicy`"),
        "deadline": native("`startingDeadlineSeconds`; one hour if not set"),
        "catch_up": unsupported("Kubernetes starts only the last missed run, within schedule.deadline"),
        **dict.fromkeys(STARTS, unsupported(_EVENTS)),
        "on_failure": emulated("`wurzel run --notify`, where one container runs all steps, once"),
        "polls": native("a comment says so; a run that resumes after a lost pod does not read it twice"),
        "self_consuming": native("with a claim that stays: `data: {claim: …}`"),
        "node_selector": native("of the pod: all steps' together"),
        "tolerations": native("of the pod: all steps' together"),
        "service_account": native("of the pod; one that differs per step is reported"),
        "priority": native("`priorityClassName` of the pod; steps that differ are refused"),
        "volumes": native("volumes of the pod, mounted in the containers of the steps that have them"),
        "env_from": native("`envFrom` of the container"),
        "labels": native("on the objects and their pods"),
        "annotations": native("on the objects and their pods"),
    }

    def support_for(self, use: Use, options: CronJobOptions) -> Support:
        """As in the table, except for what depends on the mode and on where data is kept."""
        if use.feature == "service_account" and use.path.startswith("steps."):
            return unsupported(_ONE_POD)
        if use.feature == "parallelism" and options.layout == "steps":
            return unsupported(
                "containers run one after the other; set layout: single, or auto, to run branches in parallel"
            )
        if use.feature == "on_failure" and (options.layout != "single" or options.backoff_limit):
            return unsupported(
                "nothing runs when a Job has failed; set layout: single and backoff_limit: 0, or alert on"
                " kube_job_status_failed of kube-state-metrics"
            )
        if use.feature == "self_consuming" and options.data.claim is None and not use.has_store:
            return unsupported("the data folder is lost with the pod; set a claim: data: {claim: {size: 1Gi}}")
        return super().support_for(use, options)

    def loses(self, pipeline: Pipeline, options: CronJobOptions) -> str:
        """Without a claim or a store, data is gone with the pod, unless all results are written elsewhere."""
        kept = pipeline.store is not None or options.data.claim is not None
        if kept or not any(step.cache for step in results(pipeline)):
            return ""
        return (
            "the data of a run is lost with its pod: there is neither a store nor a claim (data: {claim: {size: 1Gi}})"
        )

    def files(self, pipeline: Pipeline, options: CronJobOptions) -> Sequence[OutputFile]:
        """One file with all objects, or a kustomize folder."""
        from wurzel.backends.anchors import CRONJOB, anchored

        context = {"pipeline": pipeline, **document(pipeline, options)}
        finish = partial(anchored, start="initContainers:", patterns=CRONJOB) if options.anchors else None
        manifest = partial(OutputFile, context=context, object_limit=MAX_OBJECT_BYTES)
        if options.manifests == "file":
            path = options.output or f"cronjob/{pipeline.name}.yaml"
            return [manifest(path, "cronjob/manifests.yaml.j2", finish=finish)]
        main = options.output or f"cronjob/{pipeline.name}/cronjob.yaml"
        folder = posixpath.dirname(main)
        parts = [
            ("configmap", uses_run(pipeline, options)),
            ("persistentvolumeclaim", has_claim(options)),
            ("serviceaccount", options.companions.service_account),
            ("poddisruptionbudget", options.disruption_budget),
            ("networkpolicy", options.companions.network_policy),
        ]
        paths = {"cronjob": main}
        paths |= {name: posixpath.join(folder, f"{name}.yaml") for name, wanted in parts if wanted}
        resources = [posixpath.basename(path) for path in paths.values()]
        files = [
            manifest(path, f"cronjob/{name}.yaml.j2", finish=finish if name == "cronjob" else None)
            for name, path in paths.items()
        ]
        listing, context = posixpath.join(folder, "kustomization.yaml"), {**context, "resources": resources}
        return [*files, OutputFile(listing, "cronjob/kustomization.yaml.j2", context)]

    def jobs(self, pipeline: Pipeline, options: CronJobOptions) -> Sequence[Job]:
        """The containers of the pod."""
        return containers(pipeline, options)

    def contexts(self) -> Mapping[str, type]:
        """The contexts of all objects, and of the kustomization that lists them."""
        from wurzel.backends.cronjob.manifest import FolderContext, ManifestContext

        names = ["manifests", "cronjob", "configmap", "persistentvolumeclaim", "serviceaccount"]
        names += ["poddisruptionbudget", "networkpolicy"]
        return {
            **{f"cronjob/{name}.yaml.j2": ManifestContext for name in names},
            "cronjob/kustomization.yaml.j2": FolderContext,
        }

    def preflight(self, pipeline: Pipeline, options: CronJobOptions) -> Sequence[Problem]:
        """Names, images, settings, and what steps of one pod cannot set separately."""
        longest = LONGEST_CRON if pipeline.schedule else LONGEST
        return [
            *preflight(pipeline, options, self.name, longest_name=longest, volumes={k8s.PIPELINE: k8s.PIPELINE_PATH}),
            *store_folder(pipeline, options, self.name, [options.mount] if options.data.claim else []),
            *own_run_id(pipeline),
            *_together(pipeline),
            *_alone(pipeline, options),
            *layout_problems(pipeline, options.layout, place(pipeline)),
        ]

    def validate(self, files: Mapping[str, str], options: CronJobOptions) -> Sequence[Problem]:
        """Strict structure, and the API server's rules."""
        from wurzel.validation import check_files

        return check_files(files, restricted=options.security.restricted)


def _together(pipeline: Pipeline) -> Iterator[Problem]:
    """A pod has one node, one priority and one set of labels, so steps must agree on them."""
    for field in k8s.SINGLE_VALUES:
        values = {getattr(step, field): step.id for step in reversed(pipeline.steps) if getattr(step, field)}
        if len(values) > 1:
            both = " and ".join(f"{value} for {step!r}" for value, step in sorted(values.items())[:2])
            yield Problem(f"steps differ in `{field}`: {both}, but one pod runs them all", hint=_OTHERWISE)
    for field, what in (("node_selector", "nodes with"), ("labels", "the label"), ("annotations", "the annotation")):
        seen: dict[str, tuple[str, str]] = {}
        for step, (key, value) in ((own, item) for own in pipeline.steps for item in getattr(own, field).items()):
            other, before = seen.setdefault(key, (step.id, value))
            if before != value:
                both = f"the steps {other!r} and {step.id!r} set {what} {key}={before!r} and {value!r}"
                yield Problem(f"{both}, but one pod runs them both", hint=_OTHERWISE)


def _alone(pipeline: Pipeline, options: CronJobOptions) -> Iterator[Problem]:
    if options.disruption_budget and len(containers(pipeline, options)) > 1:
        # kubernetes/pkg/registry/core/pod/storage/eviction.go: canIgnorePDB
        yield Problem(
            "disruption_budget: a pod is pending until its last container starts, and Kubernetes evicts pending pods",
            hint="Set layout: single, so that one container runs all steps, or remove disruption_budget.",
        )
    if options.data.claim and pipeline.schedule and pipeline.schedule.concurrency == "allow":
        yield Problem(
            "two concurrent runs would write to the same claim",
            hint="Use schedule.concurrency: forbid, or data: {empty_dir: {}}.",
        )
    for owner, name in sets(pipeline, k8s.RUN_ID) if options.data.claim and not uses_run(pipeline, options) else ():
        yield Problem(
            f"{owner} sets {name}, which steps use to tell this run's data on the claim from the last run's",
            hint="Remove it: it is set to the Job's uid.",
        )
