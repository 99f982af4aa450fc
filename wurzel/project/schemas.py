"""`validate: {schemas: …}` in `wurzel.yaml` and in packs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wurzel.project.kinds import Context
from wurzel.project.model import VALIDATE, Validation
from wurzel.project.read import read

if TYPE_CHECKING:
    from wurzel.project.nodes import Findings, Node


def schemas_of(root: Node, findings: Findings) -> list[str]:
    """The paths below `validate: {schemas: …}` of a file."""
    node = root.fields.get(VALIDATE)
    if node is None or node.value is None:
        return []
    found = read(node, Validation, VALIDATE, Context(findings, build=False))
    return list(found.get("schemas", ())) if isinstance(found, dict) else []
