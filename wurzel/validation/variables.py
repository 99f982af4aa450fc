"""Argo's `{{…}}` expressions: which exist where."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wurzel.exceptions import Problem
    from wurzel.validation.manifest import Node

GLOBALS = frozenset(
    {
        "workflow.name",
        "workflow.namespace",
        "workflow.mainEntrypoint",
        "workflow.serviceAccountName",
        "workflow.uid",
        "workflow.parameters",
        "workflow.parameters.json",
        "workflow.annotations.json",
        "workflow.labels.json",
        "workflow.creationTimestamp",
        "workflow.priority",
        "workflow.duration",
        "workflow.scheduledTime",
        "workflow.status",
    }
)
AT_EXIT = frozenset({"workflow.failures"})
_ROOTS = ("workflow.", "inputs.", "outputs.", "tasks.", "steps.", "item", "pod.", "node.", "retries", "lastRetry.")
_OPEN = ("workflow.labels.", "workflow.annotations.", "workflow.creationTimestamp.", "outputs.", "item.")
"""What any name may follow."""
_TAG = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)


def tags(node: Node) -> list[str]:
    """Every `{{tag}}` below a node, without spaces around it."""
    return [match.strip() for match in _TAG.findall(json.dumps(node.value, default=str, ensure_ascii=False))]


def check_variables(node: Node, scope: Collection[str]) -> Iterator[Problem]:
    """Expressions that Argo could not resolve, or would leave in the text as they are."""
    for tag in dict.fromkeys(tags(node)):
        if tag.startswith("=") or tag in scope or tag.startswith(_OPEN):
            continue
        if tag in AT_EXIT:
            yield node.problem(f"{{{{{tag}}}}} exists only in the exit handler")
        elif tag.startswith(_ROOTS):
            yield node.problem(f"{{{{{tag}}}}} does not exist here")
        else:
            yield node.problem(f"{{{{{tag}}}}} is not an Argo expression; Argo cannot pass it on as text")
