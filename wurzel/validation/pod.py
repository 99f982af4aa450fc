"""Rules for pods: what the API server checks and a schema cannot express.

https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from wurzel.validation.container import check_container
from wurzel.validation.manifest import Node, check_distinct
from wurzel.validation.metadata import check_label_name, check_labels, check_name

if TYPE_CHECKING:
    from wurzel.exceptions import Problem

_RESTART = ("Never", "OnFailure")
_EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")


def check_pod(spec: Node, *, restricted: bool) -> Iterator[Problem]:
    """The specification of a Job's pod. `restricted` holds it to that Pod Security Standard."""
    if spec["restartPolicy"].text not in _RESTART:
        yield spec["restartPolicy"].problem(
            f"{spec['restartPolicy'].quoted} is not for Jobs", f"Write one of {', '.join(_RESTART)}."
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


_STANDARD = "the restricted Pod Security Standard"
_HOST = ("hostNetwork", "hostPID", "hostIPC")
_VOLUMES = {
    "configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret", "name",
}  # fmt: skip
_PROFILES = ("RuntimeDefault", "Localhost")


def check_security(pod: Node, containers: Sequence[Node], defaults: Node | None = None) -> Iterator[Problem]:
    """What would make a namespace that enforces the standard reject a pod.

    `pod` is its spec, or a node of the same structure; `defaults` a container whose security context others are merged
    over, as Argo's `templateDefaults` says.
    """
    for field in _HOST:
        if pod[field].value:
            yield pod[field].problem(f"{_STANDARD} forbids it")
    for volume in pod["volumes"]:
        for kind, source in volume.entries():
            if kind not in _VOLUMES:
                yield source.problem(f"{_STANDARD} forbids volumes of the kind {kind}")
    for container in containers:
        yield from _check_container(pod["securityContext"], container, defaults)


def _check_container(shared: Node, container: Node, defaults: Node | None) -> Iterator[Problem]:
    base = dict(defaults["securityContext"].entries()) if defaults is not None else {}
    own = container["securityContext"]
    fields = {**base, **dict(own.entries())}
    merged = Node({key: node.value for key, node in fields.items()}, own.path)
    if merged["privileged"].value:
        yield merged["privileged"].problem(f"{_STANDARD} forbids it")
    if merged["allowPrivilegeEscalation"].value is not False:
        yield merged["allowPrivilegeEscalation"].problem(f"{_STANDARD} requires false")
    if "ALL" not in [item.value for item in merged["capabilities"]["drop"]]:
        yield merged["capabilities"].problem(f"{_STANDARD} requires drop: [ALL]")
    added = [item.value for item in merged["capabilities"]["add"] if item.value != "NET_BIND_SERVICE"]
    if added:
        yield merged["capabilities"]["add"].problem(f"{_STANDARD} forbids {', '.join(map(str, added))}")
    if _either(merged, shared, "runAsNonRoot").value is not True:
        yield merged["runAsNonRoot"].problem(f"{_STANDARD} requires true, here or for the pod")
    user = _either(merged, shared, "runAsUser")
    if user.value == 0:
        yield user.problem(f"{_STANDARD} forbids root")
    if _either(merged, shared, "seccompProfile")["type"].text not in _PROFILES:
        yield merged["seccompProfile"].problem(f"{_STANDARD} requires type: RuntimeDefault, here or for the pod")
    for port in container["ports"]:
        if port["hostPort"]:
            yield port["hostPort"].problem(f"{_STANDARD} forbids it")


def _either(own: Node, shared: Node, field: str) -> Node:
    return own[field] or shared[field]
