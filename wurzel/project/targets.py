"""Names of targets under `targets:`, wherever they stand: those that exist, and those that a project or pack makes.

`argo-prod: {target: argo, environment: prod, …}` is a target by another name: files of its own, an environment of its
own, and the options of `argo` but for where files are written.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable
from typing import NamedTuple

from wurzel.project.nodes import Findings, Node, near, overlay_targets, with_fields

_NAME = r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"
_OWN = ("target", "environment")
_OUTPUT = "output"


class Named(NamedTuple):
    """A target by another name."""

    name: str
    target: str
    environment: str | None = None


def check_targets(
    targets: Node, path: str, findings: Findings, elsewhere: Callable[[], Collection[str]] = tuple
) -> None:
    """Find names of targets that do not exist.

    Args:
        targets: what stands under `targets:`.
        path: what messages call it.
        findings: collects what is wrong.
        elsewhere: names that other files, or other parts of this one, give to targets; asked when one is not known.
    """
    from wurzel.backends.registry import BUILT_IN, names

    for name, node in targets.fields.items():
        place = f"{path}.{name}"
        if name in BUILT_IN or name in names():
            if "target" in node.fields:
                message = f"{place}.target: {name} is a target itself"
                findings.add(node.fields["target"].key_origin, message, "Give this one another name.")
            continue
        kind = node.fields.get("target")
        if kind is None:
            if name not in elsewhere():
                hint = f"{near(name, names(), 'Targets')} A name of your own needs {{target: …}}."
                findings.add(node.key_origin, f"{path}: unknown target {name!r}", hint)
            continue
        if not re.fullmatch(_NAME, name):
            hint = "Write lower-case letters, digits and - such as argo-prod."
            findings.add(node.key_origin, f"{path}: {name!r} is not a name for a target", hint)
        if kind.value not in names():
            message = f"{place}.target: unknown target {str(kind.value)!r}"
            findings.add(kind.origin, message, near(str(kind.value), names(), "Targets"))
        environment = node.fields.get("environment")
        if environment is not None and not isinstance(environment.written, str | None):
            findings.add(environment.origin, f"{place}.environment: is not the name of an environment")


def names_given(holders: Iterable[Node | None]) -> dict[str, Named]:
    """The names that several `targets:` give, each with what it stands for."""
    found: dict[str, Named] = {}
    for holder in holders:
        for name, node in (holder.fields if holder is not None else {}).items():
            kind, environment = node.fields.get("target"), node.fields.get("environment")
            before = found.get(name)
            if kind is not None or before is not None:
                target = str(kind.value) if kind is not None else before.target if before is not None else ""
                own = environment.written if environment is not None else before.environment if before else None
                found[name] = Named(name, target, str(own) if own is not None else None)
    return found


def with_names(layers: Iterable[Node | None]) -> tuple[Node, dict[str, Named]]:
    """All `targets:` upon each other, weakest first, where a name has the options of its target below its own."""
    layers = list(layers)
    merged = overlay_targets(layers) or Node({}, "")
    named = names_given(layers)
    fields = dict(merged.fields)
    for name, each in named.items():
        if name not in fields:
            continue
        base = Node({name: _without(merged.fields.get(each.target, Node({}, "")), (_OUTPUT,))}, "")
        own = with_fields(merged, {name: _without(fields[name], _OWN)})
        whole = overlay_targets([base, own])
        fields[name] = whole.fields[name] if whole is not None else fields[name]
    return with_fields(merged, fields), named


def _without(node: Node, keys: Collection[str]) -> Node:
    return with_fields(node, {key: child for key, child in node.fields.items() if key not in keys})
