"""Names under `targets:`: built-in targets, and the named targets that a project or pack defines.

`argo-prod: {target: argo, environment: prod, …}` is a named target: it has its own files, its own environment, and
the options of `argo` except for where files are written.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any

from wurzel.named_tuples import NamedTuple
from wurzel.project.nodes import Findings, Node, near, overlay_targets, with_value, without_keys

_NAME = r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"
OF_NAMED = ("target", "environment")
"""Keys of a named target other than its options."""
_OUTPUT = "output"


class Named(NamedTuple):
    """A named target."""

    name: str
    target: str
    environment: str | None = None
    place: str = ""
    """Where its environment is set."""


def check_targets(
    targets: Node, path: str, findings: Findings, elsewhere: Callable[[], Collection[str]] = tuple
) -> None:
    """Find names of unknown targets; `elsewhere`, called only for one, returns those defined elsewhere."""
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
                hint = f"{near(name, names(), 'Targets')} A named target needs {{target: …}}."
                findings.add(node.key_origin, f"{path}: unknown target {name!r}", hint)
            continue
        if not re.fullmatch(_NAME, name):
            hint = "Use lower-case letters, digits and - as in argo-prod."
            findings.add(node.key_origin, f"{path}: {name!r} is not a valid target name", hint)
        if kind.value not in names():
            message = f"{place}.target: unknown target {str(kind.value)!r}"
            findings.add(kind.origin, message, near(str(kind.value), names(), "Targets"))
        environment = node.fields.get("environment")
        if environment is not None and not isinstance(environment.written, str | None):
            findings.add(environment.origin, f"{place}.environment: is not the name of an environment")


def names_given(holders: Iterable[Node | None]) -> dict[str, Named]:
    """The named targets that several `targets:` define."""
    found: dict[str, Named] = {}
    for name, node in _entries(holders):
        kind, environment = node.fields.get("target"), node.fields.get("environment")
        if kind is None and name not in found:
            continue
        named = found.get(name) or Named(name, "")
        if kind is not None:
            named = named._replace(target=str(kind.value))
        if environment is not None:
            own = str(environment.written) if environment.written is not None else None
            named = named._replace(environment=own, place=str(environment.origin))
        found[name] = named
    return found


def _entries(holders: Iterable[Node | None]) -> Iterator[tuple[str, Node]]:
    for holder in holders:
        yield from holder.fields.items() if holder is not None else ()


def check_bound(packs: Iterable[Node | None], layers: Iterable[Node | None], findings: Findings) -> None:
    """Find named targets of packs that a stronger layer binds to another target or environment.

    Policies depend on both, and no setting of a project switches a policy off.
    """
    bound: dict[tuple[str, str], Any] = {}
    for name, key, node in _bindings(packs):
        _check_bound(name, key, bound.setdefault((name, key), node.written), node, findings)
    for name, key, node in _bindings(layers):
        _check_bound(name, key, bound.get((name, key)), node, findings)


def _check_bound(name: str, key: str, value: Any, node: Node, findings: Findings) -> None:
    if value is not None and node.written != value:
        message = f"targets.{name}.{key}: a pack binds {name} to {value!r}"
        findings.add(node.origin, message, f"Remove it, or define a target of another name for this {key}.")


def _bindings(holders: Iterable[Node | None]) -> Iterator[tuple[str, str, Node]]:
    return ((name, key, node.fields[key]) for name, node in _entries(holders) for key in OF_NAMED if key in node.fields)


def with_names(layers: Iterable[Node | None]) -> tuple[Node, dict[str, Named]]:
    """Merge all `targets:`, weakest first; a named target's own options override those of its base target."""
    layers = list(layers)
    merged = overlay_targets(layers) or Node({}, "")
    named = names_given(layers)
    fields = dict(merged.fields)
    for name, each in named.items():
        if name not in fields:
            continue
        base = Node({name: without_keys(merged.fields.get(each.target, Node({}, "")), (_OUTPUT,))}, "")
        own = with_value(merged, {name: without_keys(fields[name], OF_NAMED)})
        whole = overlay_targets([base, own])
        fields[name] = whole.fields[name] if whole is not None else fields[name]
    return with_value(merged, fields), named
