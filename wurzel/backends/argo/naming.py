"""Names of tasks and templates."""

from __future__ import annotations

from collections.abc import Sequence


def names(step_ids: Sequence[str]) -> dict[str, str]:
    """Step id to the name of its task and template, which Argo does not let start with a digit."""
    found: dict[str, str] = {}
    taken = set(step_ids)
    for step_id in step_ids:
        name = step_id
        while name[0].isdigit() or (name != step_id and name in taken):
            name = f"step-{name}"
        taken.add(name)
        found[step_id] = name
    return found


def unused(name: str, taken: set[str]) -> str:
    """`name`, or something near it that is not taken."""
    while name in taken:
        name = f"{name}-dag"
    return name
