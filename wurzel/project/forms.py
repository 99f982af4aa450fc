"""The forms that layers of configuration have: what code sets, and short forms of what users write, made long."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from wurzel.ir.model import Store
from wurzel.models import Model
from wurzel.project.model import SHORT_FORMS
from wurzel.project.nodes import Node, node_of, overlay_all, with_value, without_keys
from wurzel.project.settings import canonical_secrets
from wurzel.store_url import NO_STORE

if TYPE_CHECKING:
    from wurzel.ir.model import Step

_OWN_FORM = frozenset({"entrypoint", "defaults", "steps", "targets", "ignore"})
_ATTRIBUTES = {"limits": "resources"}
"""Class attributes that set a field of another name."""


def code_layer(item: Model, facts: Collection[str], source: str) -> Node:
    """What code sets, as the weakest layer: each field comes from an attribute of `source`."""
    names = [name for name in type(item).model_fields if name in item.model_fields_set and name not in facts]
    return Node(
        {name: node_of(_set_values(getattr(item, name)), f"{source}.{_ATTRIBUTES.get(name, name)}") for name in names},
        source,
    )


def _set_values(value: Any) -> Any:
    if isinstance(value, Model):
        return {
            name: _set_values(getattr(value, name))
            for name in type(value).model_fields
            if name in value.model_fields_set
        }
    if isinstance(value, dict):
        return {key: _set_values(item) for key, item in value.items()}
    return [_set_values(item) for item in value] if isinstance(value, tuple) else value


def reset(code: Node, merged: Mapping[str, Node], cls: type[Model]) -> dict[str, Any]:
    """Built-in defaults of the fields that code set and configuration removed."""
    fields = cls.model_fields
    return {name: fields[name].get_default(call_default_factory=True) for name in code.fields if name not in merged}


def of_pipeline(layer: Node) -> Node:
    """What a layer says of the pipeline itself, with a `store` in its long form, so that layers merge."""
    fields = {key: node for key, node in layer.fields.items() if key not in _OWN_FORM}
    store = fields.get("store")
    if store is not None and isinstance(store.value, str):
        none = Node(None, store.source, store.line, store.column)
        others = dict.fromkeys(Store.model_fields, none)  # keys are for one bucket, so a URL alone replaces all
        fields["store"] = none if store.value == NO_STORE else with_value(store, {**others, "url": store})
    return with_value(layer, fields)


def long_form(layer: Node) -> Node:
    """A layer of a step in one form, so that layers merge whichever form each of them has.

    `shards: N` is `shards: {max: N}`, `retry: N` is `retry: {limit: N}`, and `resources: {limits: …}` is `limits: …`.
    """
    fields = dict(layer.fields)
    for name, key in SHORT_FORMS.items():
        node = fields.get(name)
        if node is not None and node.value is not None and not isinstance(node.value, dict):
            fields[name] = with_value(node, {key: node})
    if (limits := layer.below("resources").get("limits")) is not None:
        fields["resources"] = without_keys(fields["resources"], ("limits",))
        fields["limits"] = overlay_all([limits, *each_of([layer], "limits")]) or limits
    return with_value(layer, fields)


def secrets_by_variable(step: Step, layer: Node) -> Node:
    """A layer of a step with its secrets by variable, also where they are named by setting."""
    secrets = canonical_secrets(step, layer.fields.get("secrets"))
    return with_value(layer, {**layer.fields, "secrets": secrets}) if secrets is not None else layer


def each_of(layers: Sequence[Node], key: str) -> list[Node]:
    """What layers say under a key, of those that have it."""
    return [layer.fields[key] for layer in layers if key in layer.fields]


def find(node: Node, path: str) -> Node | None:
    """The node at a dotted path; keys may themselves contain dots."""
    if not path:
        return node
    if isinstance(node.value, list):
        item, _, rest = path.partition(".")
        named = (each for each in node.value if "name" in each.fields and each.fields["name"].value == item)
        number = int(item) if item.isdigit() else len(node.value)
        found = node.value[number] if number < len(node.value) else next(named, None)
        return find(found, rest) if found is not None else None
    end = len(path)
    while end > 0:
        child = node.fields.get(path[:end])
        if child is not None:
            return find(child, path[end + 1 :])
        end = path.rfind(".", 0, end)
    return None
