"""Rules for Argo's objects: Workflow, WorkflowTemplate, CronWorkflow.

They find, without a cluster, what Argo's validation and the rules of its CRDs refuse, and what only fails in a run.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from wurzel.validation.argo_dag import referred
from wurzel.validation.argo_template import Scope, check_beside, check_template
from wurzel.validation.container import check_container
from wurzel.validation.manifest import Node, check_distinct
from wurzel.validation.metadata import check_annotations, check_labels, check_metadata, check_name
from wurzel.validation.pod import check_scheduling, check_volumes
from wurzel.validation.schedule import check_runs, check_schedule
from wurzel.validation.variables import GLOBALS, check_variables

if TYPE_CHECKING:
    from wurzel.exceptions import Problem

LONGEST_CRON = 52
LONGEST = 63
MOST_TEMPLATES = 200
MOST_PARAMETERS = 500
PARAMETER_NAME = re.compile(r"[-a-zA-Z0-9_]+")
Known = Mapping[str, Mapping[str, Node]]
"""The templates of each WorkflowTemplate, by name and name."""
_POD_GC = ("OnPodCompletion", "OnPodSuccess", "OnWorkflowCompletion", "OnWorkflowSuccess")
_ARTIFACT_GC = ("OnWorkflowCompletion", "OnWorkflowDeletion", "Never")


def check_workflow(root: Node, known: Known, *, restricted: bool) -> Iterator[Problem]:
    """A Workflow; `known` are the WorkflowTemplates beside it."""
    yield from check_metadata(root["metadata"], LONGEST, generated=5)
    yield from _check_reference_or_spec(root["spec"], known, restricted=restricted)


def check_workflow_template(root: Node, known: Known, *, restricted: bool) -> Iterator[Problem]:
    """A WorkflowTemplate; `known` are those beside it."""
    yield from check_metadata(root["metadata"], LONGEST)
    spec = root["spec"]
    yield from _check_spec(spec, known, restricted=restricted, submitted=False)
    if root["kind"].text == "ClusterWorkflowTemplate" and spec["templateDefaults"]["container"]["image"]:
        for template in spec["templates"]:
            if template["container"] and not template["container"]["image"]:
                yield template["container"]["image"].problem(
                    "has no image", "Argo does not look for it in the templateDefaults of a ClusterWorkflowTemplate."
                )


def check_cron_workflow(root: Node, known: Known, *, restricted: bool) -> Iterator[Problem]:
    """A CronWorkflow; `known` are the WorkflowTemplates beside it."""
    yield from check_metadata(root["metadata"], LONGEST_CRON)
    spec = root["spec"]
    if spec["schedule"]:
        yield spec["schedule"].problem("was removed in Argo 4.0", "Write schedules: [...].")
    if not list(spec["schedules"]) and not spec["schedule"]:
        yield spec["schedules"].problem("is missing or empty", 'Write for example ["0 4 * * *"].')
    for schedule in spec["schedules"]:
        yield from check_schedule(schedule)
    yield from check_runs(spec, "timezone")
    yield from check_labels(spec["workflowMetadata"]["labels"])
    yield from check_annotations(spec["workflowMetadata"]["annotations"])
    yield from _check_reference_or_spec(spec["workflowSpec"], known, restricted=restricted)


def _check_reference_or_spec(spec: Node, known: Known, *, restricted: bool) -> Iterator[Problem]:
    reference = spec["workflowTemplateRef"]
    if not reference:
        yield from _check_spec(spec, known, restricted=restricted, submitted=True)
    elif reference["name"].text not in known and not reference["clusterScope"].value:
        yield reference["name"].problem(
            f"no WorkflowTemplate {reference['name'].quoted} is rendered with it",
            f"Known: {', '.join(known) or 'none'}.",
        )


def _check_spec(spec: Node, known: Known, *, restricted: bool, submitted: bool) -> Iterator[Problem]:
    yield from _check_removed(spec)
    yield from _check_policies(spec)
    yield from check_scheduling(spec)
    yield from check_labels(spec["podMetadata"]["labels"])
    yield from check_annotations(spec["podMetadata"]["annotations"])
    yield from check_volumes(spec["volumes"])
    shared = spec["templateDefaults"]["container"]
    yield from check_container(shared, {mount["name"].text for mount in shared["volumeMounts"]}, complete=False)
    yield from check_variables(spec["podMetadata"], {*GLOBALS, "workflow.status"})
    yield from _check_arguments(spec["arguments"])
    templates = {template["name"].text: template for template in spec["templates"]}
    yield from _check_templates(spec["templates"])
    entry = spec["entrypoint"]
    if entry.text not in templates and (submitted or entry):
        yield entry.problem(f"no template is named {entry.quoted}", f"Templates: {', '.join(sorted(templates))[:200]}.")
    if spec["onExit"] and spec["onExit"].text not in templates:
        yield spec["onExit"].problem(f"no template is named {spec['onExit'].quoted}")
    elsewhere = {referred(name, template): node for name, others in known.items() for template, node in others.items()}
    scope = Scope(
        templates=templates | elsewhere,
        parameters=frozenset(parameter["name"].text for parameter in spec["arguments"]["parameters"]),
        at_exit=_reached(spec["onExit"].text, templates),
        volumes=frozenset(
            [volume["name"].text for volume in spec["volumes"]]
            + [claim["metadata"]["name"].text for claim in spec["volumeClaimTemplates"]]
        ),
        defaults=spec["templateDefaults"]["container"],
        pod=spec,
        restricted=restricted,
    )
    yield from check_beside(spec["templateDefaults"], scope)
    for template in spec["templates"]:
        yield from check_template(template, scope)


def _check_removed(spec: Node) -> Iterator[Problem]:
    if spec["podPriority"]:
        yield spec["podPriority"].problem("was removed in Argo 4.0", "Write podPriorityClassName.")
    for old, new in (("mutex", "mutexes"), ("semaphore", "semaphores")):
        node = spec["synchronization"][old]
        if node:
            yield node.problem("was removed in Argo 4.0", f"Write {new}, a list.")


def _check_policies(spec: Node) -> Iterator[Problem]:
    yield from spec["podGC"]["strategy"].check_known(_POD_GC)
    yield from spec["artifactGC"]["strategy"].check_known(_ARTIFACT_GC)
    for name in ("parallelism", "activeDeadlineSeconds"):
        yield from spec[name].check_number(1, "a whole number, 1 or more")
    for name in ("secondsAfterSuccess", "secondsAfterFailure", "secondsAfterCompletion"):
        yield from spec["ttlStrategy"][name].check_number(0, "a number of seconds")
    for lock in spec["synchronization"]["semaphores"]:
        yield from check_name(lock["configMapKeyRef"]["name"])


def _check_arguments(arguments: Node) -> Iterator[Problem]:
    parameters = list(arguments["parameters"])
    if len(parameters) > MOST_PARAMETERS:
        yield arguments["parameters"].problem(f"has {len(parameters)} entries; Argo allows at most {MOST_PARAMETERS}")
    yield from check_distinct(parameters, "another parameter")
    for parameter in parameters:
        name, value = parameter["name"], parameter["value"]
        if not PARAMETER_NAME.fullmatch(name.text):
            yield name.problem(f"{name.quoted} is not the name of a parameter", "Write letters, digits, - and _.")
        if value and not isinstance(value.value, str):
            yield value.problem(f"{value.quoted} is not text", "Put it in quotes; the API server refuses it.")
        choices = [choice.value for choice in parameter["enum"]]
        if choices and value and value.value not in choices:
            yield value.problem(f"{value.quoted} is not one of {choices}")


def _check_templates(templates: Node) -> Iterator[Problem]:
    count = len(list(templates))
    if count > MOST_TEMPLATES:
        yield templates.problem(f"has {count} entries; Argo allows at most {MOST_TEMPLATES} in one object")
    yield from check_distinct(templates, "another template")


def _reached(entry: str, templates: Mapping[str, Node]) -> frozenset[str]:
    """The templates that run when `entry` does."""
    found: set[str] = set()
    todo = [entry] if entry in templates else []
    while todo:
        name = todo.pop()
        found.add(name)
        template = templates[name]
        groups = [list(template["dag"]["tasks"]), *(list(group) for group in template["steps"])]
        called = {task["template"].text for group in groups for task in group}
        todo += [called_name for called_name in called if called_name in templates and called_name not in found]
    return frozenset(found)
