"""Configured settings of a step, checked against its settings class: names, secrets, values, parameters."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from wurzel.project.nodes import Findings, Node, json_data, near, with_value

if TYPE_CHECKING:
    from wurzel.ir.model import Setting, Step

Check: TypeAlias = "Callable[[Step, Mapping[str, Any]], Iterable[tuple[str, str]]]"
"""Returns which configured settings of a step are wrong and why; needs the step's code."""

_MAY_BE_NULL = r"\b(None|NoneType|Optional|Any)\b"


def settings_of(step: Step, layers: Iterable[Node], path: str, findings: Findings) -> dict[str, Node]:
    """The configured settings of a step by their flat names (`DB__HOST`), from layers that are weakest first."""
    names = {setting.name: setting for setting in step.settings}
    merged: dict[str, Node] = {}
    for layer in layers:
        if layer.value is None:
            merged.clear()
        for name, node in _flat(layer, names, "", path, findings):
            kept = _upon(merged.get(name), node, names[name])
            if kept is None:
                merged.pop(name, None)
            else:
                merged[name] = kept
    for name in [name for name in merged if names[name].secret]:
        findings.add(
            merged.pop(name).origin,
            f"{path}.{name} is a secret: its value must not be written here (it is not shown)",
            f"Refer to it in the same step: secrets: {{{name}: {{name: …, key: …}}}}.",
        )
    return merged


def with_values(
    step: Step, configured: Mapping[str, Node], parameters: Node | None, findings: Findings
) -> tuple[Setting, ...]:
    """The settings of a step with their configured values."""
    path = f"steps.{step.id}"
    chosen = _parameters(step, parameters, f"{path}.parameters", findings)
    if not configured and chosen is None:
        return step.settings
    return tuple(
        setting.model_copy(
            update={
                "given": setting.given or setting.name in configured,
                "value": value_of(configured[setting.name], setting) if setting.name in configured else setting.value,
                "parameter": setting.parameter if chosen is None else setting.name in chosen,
            }
        )
        for setting in step.settings
    )


def value_of(node: Node, setting: Setting) -> Any:
    """The JSON form of a configured value; an unquoted number for a text setting stays the text as written."""
    return node.written if setting.text and not isinstance(node.value, dict | list) else json_data(node)


def canonical_secrets(step: Step, layer: Node | None) -> Node | None:
    """A layer's `secrets` by environment variable: the name of a settings field means `<ID>__<FIELD>`."""
    if layer is None or not layer.fields:
        return layer
    variables = {setting.name: setting.variable for setting in step.settings}
    return with_value(layer, {variables.get(key, key): node for key, node in layer.fields.items()})


def _flat(
    node: Node, names: Mapping[str, Setting], prefix: str, path: str, findings: Findings
) -> Iterable[tuple[str, Node]]:
    for key, child in node.fields.items():
        name = f"{prefix}{key}"
        inner = [other for other in names if other.startswith(f"{name}__")]
        if name in names:
            yield name, child
        elif inner and child.value is None:
            yield from ((other, child) for other in inner)
        elif inner and isinstance(child.value, dict):
            yield from _flat(child, names, f"{name}__", path, findings)
        elif held := next((other for other in names if name.startswith(f"{other}__") and names[other].secret), None):
            yield held, child
        else:
            known = [other.removeprefix(prefix) for other in names if other.startswith(prefix)]
            reason = "takes a mapping" if inner else "there is no such setting"
            findings.add(child.key_origin, f"{path}.{name}: {reason}", near(key, known, "Settings"))


def _upon(weak: Node | None, strong: Node, setting: Setting) -> Node | None:
    """Merge a setting: `null` is a value if the setting may be null, and otherwise removes what weaker layers set."""
    if strong.value is None:
        keeps = not setting.secret and re.search(_MAY_BE_NULL, setting.type) is not None
        return strong if keeps else None
    return _data(weak, strong)


def _data(weak: Node | None, strong: Node) -> Node:
    """Mappings merge by key; a `null` with nothing to remove is data."""
    if weak is None or not isinstance(weak.value, dict) or not isinstance(strong.value, dict):
        return strong
    merged = dict(weak.value)
    for key, item in strong.value.items():
        if item.value is None and key in merged:
            del merged[key]
        else:
            merged[key] = _data(merged.get(key), item)
    return with_value(strong, merged)


def _parameters(step: Step, node: Node | None, path: str, findings: Findings) -> set[str] | None:
    if node is None or not isinstance(node.value, list):
        return None
    names = {setting.name: setting for setting in step.settings}
    for item in node.value:
        name = str(item.value)
        if name not in names:
            findings.add(item.origin, f"{path}: there is no setting {name!r}", near(name, names, "Settings"))
        elif names[name].secret:
            hint = "Set a secret by reference; everyone who starts a run can see parameters."
            findings.add(item.origin, f"{path}: {name} is a secret and cannot be a parameter", hint)
    return {str(item.value) for item in node.value}
