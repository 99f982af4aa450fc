"""Finds what most templates have in common, which is written once, in `templateDefaults`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from wurzel.backends.argo.environment import BRACE
from wurzel.backends.base import most_common

if TYPE_CHECKING:
    from wurzel.backends.argo.manifest import Container, ExitHandler, Template

Variables = Sequence[Mapping[str, Any]]


def merged(defaults: Variables, own: Variables) -> list[dict[str, Any]]:
    """The variables that a pod gets.

    Argo merges items by name, then decodes the result into the template's own list, index by index: a field that an
    item lacks keeps the value of the item that had its index. It leaves out empty values, so these replace nothing.
    """
    place = {item["name"]: number for number, item in enumerate(defaults)}
    names = {item["name"] for item in own}
    left, found = [item for item in defaults if item["name"] not in names], []
    for item in own:
        while left and place[left[0]["name"]] < place.get(item["name"], 0):
            found.append(left.pop(0))
        at = place.get(item["name"])
        found.append({**(defaults[at] if at is not None else {}), **_written(item)})
    return [
        {**(_written(own[number]) if number < len(own) else {}), **_written(item)}
        for number, item in enumerate([*found, *left])
    ]


def _written(item: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in item.items() if value != ""}


def is_mixed(defaults: Variables, own: Variables) -> bool:
    """Whether a pod would get anything but the template's variables and the defaults that it does not set."""
    meant = {item["name"]: _written(item) for item in (*defaults, *own)}
    return any(item != meant[item["name"]] for item in merged(defaults, own))


def common(templates: Sequence[Template], handler: ExitHandler | None) -> dict[str, Any]:
    """Fields of `Defaults` that most templates share; empty if Argo's merge would give them to templates without.

    The exit handler counts, since it inherits `templateDefaults` as well.
    """
    containers = [template.container for template in templates]
    if len(containers) < 2:  # noqa: PLR2004 - nothing is common to one
        return {"image": "", "command": [], "resources": {}, "active_deadline_seconds": None}
    asked = [container.resources for container in containers]
    everyone = [*asked, handler.container.resources] if handler else asked
    resources = most_common(asked)
    deadlines = [template.active_deadline_seconds for template in templates]
    bounds = [*deadlines, *([handler.active_deadline_seconds] if handler else [])]
    return {
        "image": most_common(container.image for container in containers),
        "command": most_common(list(container.command) for container in containers),
        "resources": resources if all(_covers(own, resources) for own in everyone) else {},
        "active_deadline_seconds": None if None in bounds else most_common(deadlines),
    }


def shared_env(env: Variables, containers: Iterable[Container]) -> list[Mapping[str, Any]]:
    """The variables that can be in `templateDefaults`, as Argo does not mix them up with those of any container."""
    others, kept = [container.env for container in containers], list(env)
    while mixed := {item["name"] for own in others if is_mixed(kept, own) for item in own}:
        kept = [item for item in kept if item["name"] not in mixed]
    return kept


def with_env(container: Container, env: Variables, kept: Variables) -> Container:
    """A container with those variables of `env` that are not `kept` in `templateDefaults`, unless it sets them."""
    own = {variable["name"] for variable in container.env}
    shared = {variable["name"] for variable in kept}
    more = [variable for variable in env if variable["name"] not in own | shared]
    if any(f"$({BRACE})" in variable.get("value", "") for variable in more) and BRACE not in own:
        more = [variable for variable in env if variable["name"] == BRACE and BRACE in shared] + more
    first = [variable for variable in (*more, *container.env) if variable["name"] == BRACE]
    rest = [variable for variable in (*more, *container.env) if variable["name"] != BRACE]
    return replace(container, env=[*first, *rest]) if more else container


def _covers(own: Mapping[str, Any], shared: Mapping[str, Any]) -> bool:
    """Whether merging the shared amounts into `own` changes nothing, since it has a value for each."""
    return all(set(amounts) <= set(own.get(kind, ())) for kind, amounts in shared.items())
