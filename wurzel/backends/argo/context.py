"""What the Argo template sees: a pipeline as the parts of a manifest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wurzel.backends import kubernetes as k8s
from wurzel.backends.argo.manifest import Cron, Document
from wurzel.backends.kubernetes import without_empty
from wurzel.backends.kubernetes.preflight import object_name

if TYPE_CHECKING:
    from wurzel.backends.argo.options import ArgoOptions
    from wurzel.backends.argo.spec import Specs
    from wurzel.ir.model import Pipeline


def document(specs: Specs) -> dict[str, Any]:
    """The names a template of this target sees, besides `pipeline`: `workflow` and `spec`."""
    pipeline, options = specs.pipeline, specs.options
    kind = template_kind(options) or ("CronWorkflow" if pipeline.schedule else "Workflow")
    name = object_name(pipeline, options)
    description = {"workflows.argoproj.io/description": pipeline.description} if pipeline.description else {}
    metadata = without_empty(
        name=name if kind != "Workflow" else None,
        generateName=f"{name}-" if kind == "Workflow" else None,
        namespace=options.namespace,
    )
    workflow = Document(
        kind=kind,
        name=name,
        metadata=metadata,
        labels=k8s.labels(pipeline),
        annotations={**description, **pipeline.annotations},
        cron=_cron(pipeline, options),
        indent=4 if kind == "CronWorkflow" else 2,
        refers=bool(options.workflow_template) and pipeline.schedule is not None,
        once=bool(options.of_run),
    )
    return {"workflow": workflow, "spec": specs.spec()}


def template_kind(options: ArgoOptions) -> str:
    """The kind of what other objects refer to; empty where a run or its schedule is written directly."""
    if not options.workflow_template:
        return ""
    return "ClusterWorkflowTemplate" if options.workflow_template == "cluster" else "WorkflowTemplate"


def part_documents(specs: Specs) -> dict[str, dict[str, Any]]:
    """What the template of each part sees, by name of the part, if a pipeline is too large for one object."""
    options = specs.options
    return {
        part.name: {
            "workflow": Document(
                kind=template_kind(options) or "WorkflowTemplate",
                name=part.name,
                metadata=without_empty(name=part.name, namespace=options.namespace),
                labels=k8s.labels(specs.pipeline),
                annotations={},
                cron=None,
                indent=2,
                refers=False,
                part=True,
            ),
            "spec": specs.part_spec(part),
        }
        for part in specs.dag.parts
    }


def _cron(pipeline: Pipeline, options: ArgoOptions) -> Cron | None:
    schedule = pipeline.schedule
    if schedule is None:
        return None
    return Cron(
        schedules=[schedule.cron],
        timezone=schedule.timezone,
        **k8s.cron_fields(schedule, options.history),
        suspend=options.suspend,
    )
