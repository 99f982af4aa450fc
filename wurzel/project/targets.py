"""Names of targets under `targets:`, wherever they stand: in `wurzel.yaml` and in packs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wurzel.project.nodes import Findings, near

if TYPE_CHECKING:
    from wurzel.project.nodes import Node


def check_targets(targets: Node, path: str, findings: Findings) -> None:
    """Find names of targets that do not exist."""
    from wurzel.backends.registry import BUILT_IN, names

    for name, node in targets.fields.items():
        if name in BUILT_IN or name in names():
            continue
        findings.add(node.key_origin, f"{path}: unknown target {name!r}", near(name, names(), "Targets"))
