"""Rules for pods: what the API server checks and a schema cannot say.

https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from wurzel.validation.container import check_container
from wurzel.validation.manifest import check_distinct
from wurzel.validation.metadata import check_label_name, check_labels, check_name
from wurzel.validation.security import check_security

if TYPE_CHECKING:
    from wurzel.exceptions import Problem
    from wurzel.validation.manifest import Node

_RESTART = ("Never", "OnFailure")
_EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")


def check_pod(spec: Node, *, restricted: bool) -> Iterator[Problem]:
    """The specification of a Job's pod. `restricted` holds it to that Pod Security Standard."""
    if spec["restartPolicy"].text not in _RESTART:
        yield spec["restartPolicy"].problem(
            f"{spec['restartPolicy'].shown} is not for Jobs", f"Write one of {', '.join(_RESTART)}."
        )
    if not list(spec["containers"]):
        yield spec["containers"].problem("a pod needs a container")
    yield from check_volumes(spec["volumes"])
    volumes = {volume["name"].text for volume in spec["volumes"]}
    containers = [*spec["initContainers"], *spec["containers"]]
    yield from check_distinct(containers, "another container of this pod")
    for container in containers:
        yield from check_label_name(container["name"], "a container")
        yield from check_container(container, volumes)
    yield from check_scheduling(spec)
    if restricted:
        yield from check_security(spec, containers)


def check_volumes(volumes: Node) -> Iterator[Problem]:
    """Names and sources of volumes."""
    yield from check_distinct(volumes, "another volume")
    for volume in volumes:
        yield from check_label_name(volume["name"], "a volume")
        sources = [key for key, _ in volume.entries() if key != "name"]
        if len(sources) != 1:
            yield volume.problem(f"has {len(sources)} sources", "Give exactly one, such as emptyDir: {}.")


def check_scheduling(spec: Node, *, templated: bool = False) -> Iterator[Problem]:
    """Node selector, tolerations, service account and the pod's time limits; `templated`: as `check_labels` has it."""
    yield from check_labels(spec["nodeSelector"], templated=templated)
    if spec["serviceAccountName"] and not (templated and "{{" in spec["serviceAccountName"].text):
        yield from check_name(spec["serviceAccountName"])
    for toleration in spec["tolerations"]:
        yield from check_toleration(toleration)
    for secret in spec["imagePullSecrets"]:
        yield from check_name(secret["name"])
    yield from spec["terminationGracePeriodSeconds"].check_number(0, "a number of seconds")


def check_toleration(toleration: Node) -> Iterator[Problem]:
    """What may stand together in a toleration."""
    operator = toleration["operator"].value or "Equal"
    if operator not in {"Equal", "Exists"}:
        yield toleration["operator"].problem(f"{operator!r} is not known", "Write Equal or Exists.")
    elif operator == "Exists" and toleration["value"].text:
        yield toleration["value"].problem("has no meaning with operator: Exists")
    elif operator == "Equal" and not toleration["key"].text:
        yield toleration.problem("has no key", "Add one, or write operator: Exists.")
    yield from toleration["effect"].check_known(_EFFECTS)
    if toleration["tolerationSeconds"] and toleration["effect"].text != "NoExecute":
        yield toleration["tolerationSeconds"].problem("needs effect: NoExecute")
