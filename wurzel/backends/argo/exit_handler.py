"""What runs at the end of a run."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from wurzel.backends import kubernetes as k8s
from wurzel.backends.argo.environment import braced, text
from wurzel.backends.argo.layout import unused
from wurzel.backends.argo.manifest import Container, ExitHandler
from wurzel.invocation.failure import FAILURES, LINK, notice_argv, notice_env, notice_references

if TYPE_CHECKING:
    from wurzel.backends.argo.options import ArgoOptions
    from wurzel.ir.model import Pipeline

FAILURES_OF_RUN = "{{=sprig.fromJson(workflow.failures) ?? workflow.failures}}"
"""The failed nodes as JSON: Argo quotes the JSON again as Go does, which is not always valid JSON."""


_ENOUGH = {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"cpu": "500m", "memory": "256Mi"}}
_DEADLINE = 600
"""Seconds: a command may take five minutes, and the pod has to start."""

LINK_OF_RUN = "argo get -n {{workflow.namespace}} {{workflow.name}}"
"""How to look at a run, for those who set no address of an Argo server."""


def exit_handler(pipeline: Pipeline, options: ArgoOptions, taken: set[str]) -> ExitHandler | None:
    """The exit handler, under names that are not taken: the option's, or the one that tells of a failure."""
    handler = options.on_exit
    name = unused("on-exit", taken)
    notify = unused("notify", {*taken, name})
    when = {"failure": "{{workflow.status}} != Succeeded", "success": "{{workflow.status}} == Succeeded"}
    if handler is not None:
        env: k8s.Env = {
            "WORKFLOW_NAME": "{{workflow.name}}",
            "WORKFLOW_NAMESPACE": "{{workflow.namespace}}",
            "WORKFLOW_STATUS": "{{workflow.status}}",
            "WORKFLOW_FAILURES": FAILURES_OF_RUN,
            **{key: text(value) for key, value in handler.env.items()},
            **k8s.references(handler.secrets),
        }
        words = [text(word) for word in handler.command]
        resources = k8s.resources(handler.resources, handler.limits)
        container = Container(handler.image or pipeline.image or "", words, (), k8s.env_list(braced(env, words)))
        return ExitHandler(name, notify, when.get(handler.when, ""), replace(container, resources=resources))
    if pipeline.on_failure is None:
        return None
    env = {name: text(value) for name, value in notice_env(pipeline).items()}
    env = {LINK: LINK_OF_RUN, **env, k8s.RUN_ID: "{{workflow.name}}", FAILURES: FAILURES_OF_RUN}
    env |= k8s.references(notice_references(pipeline))
    words = [text(word) for word in notice_argv(pipeline)]
    image = pipeline.image or k8s.image_of(pipeline, pipeline.steps[0])
    container = Container(image, words, (), k8s.env_list(braced(env, words)), resources=_resources(pipeline))
    return ExitHandler(name, notify, when["failure"], container, active_deadline_seconds=_DEADLINE)


def _resources(pipeline: Pipeline) -> dict[str, Any]:
    """Enough to report a failure, in the kinds that any step states, since a quota refuses pods without them."""
    asked = [k8s.resources(step.resources, step.limits) for step in pipeline.steps]
    return k8s.without_empty(
        **{
            kind: {name: amount for name, amount in amounts.items() if any(name in own.get(kind, ()) for own in asked)}
            for kind, amounts in _ENOUGH.items()
        }
    )
