"""The JSON Schemas of `wurzel.yaml` and `wurzel-pack.yaml`, in Draft 7, which YAML language servers read."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from wurzel.ir.features import FEATURES, feature_of
from wurzel.ir.model import Retry, Shards
from wurzel.ir.pods import Limits, Toleration
from wurzel.ir.schedule import Schedule
from wurzel.project.model import (
    VALIDATE,
    PipelineConfig,
    ProjectFile,
    StepConfig,
    StepDefaults,
    StepResources,
    Validation,
)

if TYPE_CHECKING:
    from wurzel.project.declared import Declaration
    from wurzel.project.read import Class

_DRAFT = "http://json-schema.org/draft-07/schema#"
_REF = "#/definitions/"
_OVERLAY = "Overlay"
_DESCRIBED: tuple[Class, ...] = (
    PipelineConfig,
    StepConfig,
    StepDefaults,
    StepResources,
    Limits,
    Retry,
    Schedule,
    Shards,
    Toleration,
)
"""Models whose fields are described by their feature."""


def text(schema: Mapping[str, Any] | None = None) -> str:
    """A schema as text, by default that of `wurzel.yaml`; the text depends only on the installed backends."""
    return json.dumps(schema or json_schema(), indent=2, ensure_ascii=False) + "\n"


def json_schema(variables: Iterable[Declaration] | None = None, presets: Iterable[str] = ()) -> dict[str, Any]:
    """The schema, with the options of every backend under `targets`.

    Variables are those that packs declare, `presets` their targets; by default any variable is allowed. Values may be
    `null` where that removes what weaker layers set. Below `environments` nothing is required, since an environment
    only overrides.
    """
    definitions = _definitions(ProjectFile, "")
    definitions["PipelineConfig"]["properties"]["targets"] = _targets(definitions, presets)
    if variables is not None:
        _declare(definitions, list(variables))
    overlays = _with_required(definitions) - {"ProjectFile", "Environment"}
    for name in overlays:
        definitions[f"{name}{_OVERLAY}"] = _overlay(definitions[name], overlays)
    definitions["Environment"] = _overlay(definitions["Environment"], overlays)
    return _finished(definitions, "ProjectFile", "wurzel.yaml")


def _declare(definitions: Mapping[str, Any], variables: Sequence[Declaration]) -> None:
    properties = {each.name: each.schema for each in variables}
    for name in ("ProjectFile", "Environment", "PipelineConfig", "StepConfig", "StepDefaults"):
        node = definitions[name]["properties"]["variables"]
        for key in ("propertyNames", "patternProperties"):
            node.pop(key, None)
        node |= {"properties": properties, "additionalProperties": False}


def pack_schema() -> dict[str, Any]:
    """The schema of `wurzel-pack.yaml`, with the options of every backend under `targets`."""
    from wurzel.project.model import PACK_FILE
    from wurzel.project.packs import PackFile, PackPipeline

    definitions = _definitions(PackFile, "", (*_DESCRIBED, PackPipeline))
    definitions[PackPipeline.__name__]["properties"]["targets"] = _targets(definitions)
    return _finished(definitions, PackFile.__name__, PACK_FILE)


def _finished(definitions: dict[str, Any], name: str, title: str) -> dict[str, Any]:
    root = definitions.pop(name)
    root["properties"][VALIDATE] = _each(Validation.model_json_schema(), _draft7)
    used = {key: _each(definitions[key], _with_nulls) for key in _reachable(definitions, root)}
    return {"$schema": _DRAFT, **_each(root, _with_nulls), "title": title, "definitions": used}


def _targets(top: dict[str, Any], presets: Iterable[str] = ()) -> dict[str, Any]:
    """One property per backend; the definitions its options need are added to `top`."""
    from wurzel.backends.registry import get, names

    properties = {}
    for name in names():
        backend = get(name)
        found = _definitions(backend.options_model, f"{name}.")
        top |= {key: _overlay(value, frozenset()) for key, value in found.items()}
        properties[name] = {"$ref": f"{_REF}{name}.{backend.options_model.__name__}", "description": backend.summary}
    named = {
        "type": "object",
        "description": "A named target, with its own files.",
        "properties": {
            "target": {"enum": list(properties), "description": "The target it is based on."},
            "environment": {"type": "string", "description": "The environment it is rendered for."},
        },
    }
    return {
        "type": "object",
        "title": "Targets",
        "description": "Options by target; these are the pipeline's targets.",
        "properties": properties | dict.fromkeys(presets, named),
        "additionalProperties": {**named, "required": ["target"]},
    }


def _definitions(model: Class, prefix: str, described: Sequence[Class] = _DESCRIBED) -> dict[str, Any]:
    """The definitions of a model and of everything it refers to, by prefixed name."""
    schema = model.model_json_schema(ref_template=f"{_REF}{prefix}{{model}}")
    found = {**schema.pop("$defs", {}), model.__name__: schema}
    for cls in described:
        for name, node in found.get(cls.__name__, {}).get("properties", {}).items():
            feature = feature_of(cls, name)
            if feature is not None:
                node.setdefault("description", FEATURES[feature])
    return {f"{prefix}{name}": _each(value, _draft7) for name, value in found.items()}


def _each(node: Any, change: Callable[[dict[str, Any]], Any]) -> Any:
    """A schema in which every mapping is changed, from the inside out."""
    if isinstance(node, list):
        return [_each(item, change) for item in node]
    return change({key: _each(value, change) for key, value in node.items()}) if isinstance(node, dict) else node


def _draft7(result: dict[str, Any]) -> dict[str, Any]:
    """A mapping without keywords that Draft 7 does not have, or would ignore beside `$ref`."""
    if result.get("default", "") in (None, {}, []):
        del result["default"]
    if "prefixItems" in result:
        result["items"] = result.pop("prefixItems")
    if "$ref" in result and len(result) > 1:
        result = {"allOf": [{"$ref": result.pop("$ref")}], **result}
    return result


def _overlay(node: Any, overlays: Collection[str]) -> Any:
    """A definition in which nothing is required, and whose references lead to such definitions too."""

    def change(result: dict[str, Any]) -> dict[str, Any]:
        if isinstance(result.get("required"), list):
            del result["required"]
        if str(result.get("$ref", "")).removeprefix(_REF) in overlays:
            result["$ref"] += _OVERLAY
        return result

    return _each(node, change)


def _with_required(definitions: Mapping[str, Any]) -> set[str]:
    """Names of the definitions that have required keys, directly or through references."""
    mappings = {name: list(_mappings(node)) for name, node in definitions.items()}
    strict = {name for name, found in mappings.items() if any(isinstance(each.get("required"), list) for each in found)}
    return {name for name in definitions if name in strict or strict & set(_reachable(definitions, definitions[name]))}


def _mappings(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield node
        for value in node.values():
            yield from _mappings(value)
    elif isinstance(node, list):
        for item in node:
            yield from _mappings(item)


def _reachable(definitions: Mapping[str, Any], root: Mapping[str, Any]) -> list[str]:
    """Names of the definitions that are used, sorted."""
    found: set[str] = set()
    todo: list[Any] = [root]
    while todo:
        for item in _mappings(todo.pop()):
            name = str(item.get("$ref", "")).removeprefix(_REF)
            if name in definitions and name not in found:
                found.add(name)
                todo.append(definitions[name])
    return sorted(found)


def _with_nulls(result: dict[str, Any]) -> dict[str, Any]:
    """A mapping with `null` allowed for every entry that is not required."""
    required = result.get("required", [])
    if isinstance(result.get("properties"), dict):
        result["properties"] = {
            key: value if key in required else _or_null(value) for key, value in result["properties"].items()
        }
    if isinstance(result.get("additionalProperties"), dict):
        result["additionalProperties"] = _or_null(result["additionalProperties"])
    if isinstance(result.get("patternProperties"), dict):
        result["patternProperties"] = {key: _or_null(value) for key, value in result["patternProperties"].items()}
        result["additionalProperties"] = False
    return result


def _or_null(schema: dict[str, Any]) -> dict[str, Any]:
    kind = schema.get("type")
    if isinstance(kind, str) and "enum" not in schema and "const" not in schema:
        return schema if kind == "null" else {**schema, "type": [kind, "null"]}
    if isinstance(kind, list):
        return schema if "null" in kind else {**schema, "type": [*kind, "null"]}
    about: dict[str, Any] = {key: schema[key] for key in ("title", "description", "default") if key in schema}
    options = schema.get("anyOf")
    if options is not None:
        return schema if {"type": "null"} in options else {**schema, "anyOf": [*options, {"type": "null"}]}
    if not schema.keys() - about.keys():
        return schema
    inner = {key: value for key, value in schema.items() if key not in about}
    return {**about, "anyOf": [inner, {"type": "null"}]}
