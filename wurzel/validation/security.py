"""The "restricted" Pod Security Standard.

https://kubernetes.io/docs/concepts/security/pod-security-standards/
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from wurzel.validation.manifest import Node

if TYPE_CHECKING:
    from wurzel.exceptions import Problem

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
