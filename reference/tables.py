"""Tables of the fields of models, read off their JSON Schema."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import TypeAdapter

from wurzel.ir.types import Duration, Quantity, format_duration

Schema = Mapping[str, Any]

_KNOWN = {
    json.dumps(TypeAdapter(kind).json_schema()["anyOf"], sort_keys=True): name
    for kind, name in ((Duration, "duration"), (Quantity, "quantity"))
}
_TYPES = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
    "object": "mapping",
    "array": "list",
}


def model(name: str, definitions: Mapping[str, Schema]) -> Iterator[str]:
    """What a model is for, and a line for each of its fields."""
    schema = definitions[name]
    required = schema.get("required", ())
    yield f"{schema.get('description', '').split(chr(10))[0]}\n"
    yield "| key | value | default | |\n|---|---|---|---|"
    for key, field in schema.get("properties", {}).items():
        cells = (f"`{key}`", kind(field), _default(field, key in required), _description(field, definitions))
        yield f"| {' | '.join(cells)} |"
    yield ""


def models_below(name: str, definitions: Mapping[str, Schema]) -> list[str]:
    """The models that the fields of a model refer to, directly or not, in the order in which they are met."""
    found: list[str] = []
    todo = [name]
    while todo:
        here = [reference for reference in _references(definitions[todo.pop(0)]) if reference not in found]
        found += dict.fromkeys(reference for reference in here if reference != name)
        todo += dict.fromkeys(here)
    return list(dict.fromkeys(found))


def title(name: str) -> str:
    """The heading of a model: its name without the target it belongs to."""
    return name.rpartition(".")[2]


def kind(schema: Schema) -> str:
    """The values a field takes, in words; null, which removes, is understood."""
    if "$ref" in schema:
        name = title(_name(schema["$ref"]))
        return f"[{name}](#{name.lower()})"
    options = schema.get("allOf") or [item for item in schema.get("anyOf", ()) if item.get("type") != "null"]
    if options:
        known = _KNOWN.get(json.dumps(options, sort_keys=True))
        return known or " or ".join(dict.fromkeys(kind(option) for option in options))
    if "enum" in schema or "const" in schema:
        return ", ".join(f"`{value}`" for value in schema.get("enum", [schema.get("const")]))
    types = schema.get("type", ())
    names = [name for name in ([types] if isinstance(types, str) else types) if name != "null"]
    if "string" in names:  # what is no text is taken as it is written
        return "text"
    return " or ".join(_container(name, schema) for name in names) or "any"


def _container(name: str, schema: Schema) -> str:
    word = _TYPES.get(name, name)
    if name == "array" and schema.get("items"):
        return f"{word} of {kind(schema['items'])}"
    values = [*schema.get("patternProperties", {}).values(), schema.get("additionalProperties")]
    inner = next((value for value in values if isinstance(value, dict)), None)
    return f"{word} to {kind(inner)}" if name == "object" and inner else word


def _default(field: Schema, required: bool) -> str:
    if required:
        return "required"
    value = field.get("default")
    if value and isinstance(value, int) and kind(field) == "duration":
        return f"`{format_duration(value)}`"
    return "" if value in (None, "", [], {}) else f"`{json.dumps(value, ensure_ascii=False)}`"


def _description(field: Schema, definitions: Mapping[str, Schema]) -> str:
    text = field.get("description", "")
    if not text:
        text = next((definitions[name].get("description", "") for name in _references(field)), "").split("\n")[0]
    return text.replace("\n", " ").replace("|", "\\|").replace("<", "&lt;")


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if "$ref" in node:
            yield _name(node["$ref"])
        for value in node.values():
            yield from _references(value)
    elif isinstance(node, list):
        for item in node:
            yield from _references(item)


def _name(reference: str) -> str:
    return reference.rpartition("/")[2].removesuffix("Overlay")
