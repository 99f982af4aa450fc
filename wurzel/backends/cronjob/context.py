"""What the CronJob templates see: a pipeline as the parts of a pod."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from wurzel.backends import kubernetes as k8s
from wurzel.backends.cronjob.companions import companions_of, described_by, metadata_of
from wurzel.backends.cronjob.job import Builder
from wurzel.backends.cronjob.manifest import Cron
from wurzel.backends.kubernetes.preflight import object_name

if TYPE_CHECKING:
    from wurzel.backends.cronjob.options import CronJobOptions
    from wurzel.ir.model import Pipeline


def document(pipeline: Pipeline, options: CronJobOptions) -> dict[str, Any]:
    """The names the templates see besides `pipeline`: `metadata`, `cron`, `job`, `companions`, `indent`."""
    description = {"kubernetes.io/description": pipeline.description} if pipeline.description else {}
    metadata = metadata_of(pipeline, options, object_name(pipeline, options))
    described = described_by(pipeline, options)
    return {
        "metadata": replace(
            metadata, annotations={**description, **_gitops(pipeline, options), **pipeline.annotations}
        ),
        "cron": _cron(pipeline, options),
        "job": Builder(pipeline, options, described).job(),
        "companions": companions_of(pipeline, options, described),
        "indent": 6 if pipeline.schedule else 2,
    }


def _gitops(pipeline: Pipeline, options: CronJobOptions) -> dict[str, str]:
    """Annotations of a Job for the tool that applies it; what is immutable or gone would otherwise be an error."""
    if pipeline.schedule is not None or options.gitops is None:
        return {}
    if options.gitops == "flux":
        return {"kustomize.toolkit.fluxcd.io/force": "enabled"}
    return {
        "argocd.argoproj.io/hook": "Sync",
        "argocd.argoproj.io/hook-delete-policy": "BeforeHookCreation",
    }


def _cron(pipeline: Pipeline, options: CronJobOptions) -> Cron | None:
    schedule = pipeline.schedule
    if schedule is None:
        return None
    return Cron(
        schedule=schedule.cron,
        time_zone=schedule.timezone,
        concurrency_policy=schedule.concurrency.capitalize(),
        starting_deadline_seconds=k8s.starting_deadline(schedule),
        successful_history=options.history.successful,
        failed_history=options.history.failed,
        suspend=options.suspend,
    )
