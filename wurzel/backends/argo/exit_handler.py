"""What runs at the end of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wurzel.backends import kubernetes as k8s
from wurzel.backends.argo.environment import braced, text
from wurzel.backends.argo.manifest import Container, ExitHandler
from wurzel.backends.argo.naming import unused

if TYPE_CHECKING:
    from wurzel.backends.argo.options import ArgoOptions
    from wurzel.ir.model import Pipeline

FAILURES = "{{=sprig.fromJson(workflow.failures) ?? workflow.failures}}"
"""The failed nodes as JSON: Argo quotes the JSON again as Go does, which is not always valid JSON."""


def exit_handler(pipeline: Pipeline, options: ArgoOptions, taken: set[str]) -> ExitHandler | None:
    """The exit handler, under names that are not taken."""
    handler = options.on_exit
    if handler is None:
        return None
    name = unused("on-exit", taken)
    env: k8s.Env = {
        "WORKFLOW_NAME": "{{workflow.name}}",
        "WORKFLOW_NAMESPACE": "{{workflow.namespace}}",
        "WORKFLOW_STATUS": "{{workflow.status}}",
        "WORKFLOW_FAILURES": FAILURES,
        **{key: text(value) for key, value in handler.env.items()},
        **{key: {"secretKeyRef": {"name": ref.name, "key": ref.key}} for key, ref in handler.secrets.items()},
    }
    words = [text(word) for word in handler.command]
    when = {"failure": "{{workflow.status}} != Succeeded", "success": "{{workflow.status}} == Succeeded"}
    return ExitHandler(
        name=name,
        notify=unused("notify", {*taken, name}),
        when=when.get(handler.when, ""),
        container=Container(
            image=handler.image or pipeline.image or "",
            command=words,
            resources=k8s.resources(handler.resources, handler.limits),
            env=k8s.env_list(braced(env, words)),
        ),
    )
