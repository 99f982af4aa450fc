"""How Argo merges variables of `templateDefaults` into those of a template."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Variables = Sequence[Mapping[str, Any]]


def merged(defaults: Variables, own: Variables) -> list[dict[str, Any]]:
    """The variables that a pod gets.

    Argo merges items by name, and reads the result into the template's own list, place by place: what an item does not
    have, it keeps from the item that stood there. It writes no empty value, so one replaces nothing.
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
    """Whether a pod would get other variables than the template's own, and those of the defaults that it lacks."""
    meant = {item["name"]: _written(item) for item in (*defaults, *own)}
    return any(item != meant[item["name"]] for item in merged(defaults, own))
