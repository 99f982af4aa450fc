"""Rules for CronJobs, Jobs and their companions.

https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/cron-job-v1/
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from wurzel.ir.quantity import amount
from wurzel.validation.metadata import LONGEST_LABEL, check_annotations, check_labels, check_metadata
from wurzel.validation.pod import check_pod
from wurzel.validation.schedule import check_runs, check_schedule

if TYPE_CHECKING:
    from wurzel.exceptions import Problem
    from wurzel.validation.manifest import Node

LONGEST_CRONJOB = 52
"""The controller puts `-` and ten digits behind it, and a Job's name has at most 63 characters."""
_ACTIONS = ("FailJob", "FailIndex", "Ignore", "Count")
_OPERATORS = ("In", "NotIn")
_STATUSES = ("True", "False", "Unknown")
_MOST_RULES = 20
_ACCESS = ("ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod")


def check_cronjob(root: Node, *, restricted: bool) -> Iterator[Problem]:
    """A CronJob."""
    yield from check_metadata(root["metadata"], LONGEST_CRONJOB)
    spec = root["spec"]
    yield from check_schedule(spec["schedule"])
    yield from check_runs(spec, "timeZone")
    template = spec["jobTemplate"]
    yield from check_labels(template["metadata"]["labels"])
    yield from check_annotations(template["metadata"]["annotations"])
    yield from _check_job_spec(template["spec"], restricted=restricted)


def check_job(root: Node, *, restricted: bool) -> Iterator[Problem]:
    """A Job; its name becomes a label of its pods."""
    yield from check_metadata(root["metadata"], LONGEST_LABEL, generated=5)
    yield from _check_job_spec(root["spec"], restricted=restricted)


def check_claim(root: Node) -> Iterator[Problem]:
    """A PersistentVolumeClaim."""
    yield from check_metadata(root["metadata"])
    spec = root["spec"]
    modes = list(spec["accessModes"])
    if not modes:
        yield spec["accessModes"].problem("a claim needs an access mode", f"Write one of {', '.join(_ACCESS)}.")
    for mode in modes:
        if mode.text not in _ACCESS:
            yield mode.problem(f"{mode.quoted} is not an access mode", f"Write one of {', '.join(_ACCESS)}.")
    storage = spec["resources"]["requests"]["storage"]
    try:
        if amount(str(storage.value)) <= 0:
            yield storage.problem(f"{storage.quoted} is not a size")
    except ValueError as error:
        yield storage.problem(str(error))


def _check_job_spec(spec: Node, *, restricted: bool) -> Iterator[Problem]:
    for field in ("backoffLimit", "ttlSecondsAfterFinished", "parallelism", "completions"):
        yield from spec[field].check_number(0, "a whole number, 0 or more")
    yield from spec["activeDeadlineSeconds"].check_number(1, "a number of seconds, 1 or more")
    template = spec["template"]
    yield from check_labels(template["metadata"]["labels"])
    yield from check_annotations(template["metadata"]["annotations"])
    pod = template["spec"]
    yield from _check_failure_policy(spec["podFailurePolicy"], pod)
    yield from check_pod(pod, restricted=restricted)


def _check_failure_policy(policy: Node, pod: Node) -> Iterator[Problem]:
    if not policy:
        return
    if pod["restartPolicy"].text != "Never":
        yield policy.problem("needs restartPolicy: Never")
    rules = list(policy["rules"])
    if not 0 < len(rules) <= _MOST_RULES:
        yield policy["rules"].problem(f"there are {len(rules)} rules", f"Write 1 to {_MOST_RULES}.")
    names = {container["name"].text for container in [*pod["initContainers"], *pod["containers"]]}
    for rule in rules:
        yield from _check_rule(rule, names)


def _check_rule(rule: Node, containers: set[str]) -> Iterator[Problem]:
    if rule["action"].text not in _ACTIONS:
        yield rule["action"].problem(f"{rule['action'].quoted} is not known", f"Write one of {', '.join(_ACTIONS)}.")
    codes, conditions = rule["onExitCodes"], rule["onPodConditions"]
    if bool(codes) == bool(conditions):
        yield rule.problem("needs either onExitCodes or onPodConditions")
    for condition in conditions:
        if condition["status"].text not in _STATUSES:
            yield condition["status"].problem(
                f"{condition['status'].quoted} is not a status", f"Write one of {', '.join(_STATUSES)}, in quotes."
            )
    if not codes:
        return
    if codes["operator"].text not in _OPERATORS:
        yield codes["operator"].problem(f"{codes['operator'].quoted} is not known", "Write In or NotIn.")
    values = [value.number for value in codes["values"]]
    if not values or None in values or len(set(values)) < len(values):
        yield codes["values"].problem(f"{codes['values'].quoted} is not a list of different exit codes")
    elif codes["operator"].text == "In" and 0 in values:
        yield codes["values"].problem("contains 0, which is not a failure")
    name = codes["containerName"]
    if name and name.text not in containers:
        yield name.problem(f"{name.quoted} is not a container of this pod")
