"""Every value of a resolved pipeline with where it comes from."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from wurzel.datacontract.secrets import looks_like_key
from wurzel.exceptions import shortened
from wurzel.ir.model import SecretRef
from wurzel.models import Model
from wurzel.named_tuples import NamedTuple
from wurzel.project.model import PIPELINE_FACTS, STEP_FACTS
from wurzel.project.nodes import Node, json_data
from wurzel.table import aligned

if TYPE_CHECKING:
    from wurzel.ir.model import Pipeline, Setting, Step
    from wurzel.project.resolve import Resolved

DEFAULT = "built-in default"
_WIDEST_VALUE = 48


class Row(NamedTuple):
    """One value: its dotted path, the value as text, and where it comes from."""

    path: str
    value: str
    origin: str


def explain(resolved: Resolved) -> list[str]:
    """The rows as aligned lines."""
    return list(aligned(row._replace(value=shortened(row.value, _WIDEST_VALUE)) for row in rows(resolved)))


def rows(resolved: Resolved) -> Iterator[Row]:
    """All values that configuration can change, in the order of the fields: pipeline, steps, targets."""
    pipeline = resolved.pipeline
    yield from _fields(resolved, pipeline, PIPELINE_FACTS, "")
    for step in pipeline.steps:
        path = f"steps.{step.id}"
        yield from _fields(resolved, step, STEP_FACTS | {"variables"}, f"{path}.")
        for name, value in own_variables(pipeline, step).items():
            yield from _rows(resolved, value, f"{path}.variables.{name}")
        for setting in step.settings:
            yield _setting(resolved, step, setting, f"{path}.settings.{setting.name}")
    targets = resolved.tree.fields["targets"]
    for path, node in _leaves(targets, "targets"):
        yield Row(path, _text(json_data(node)), str(node.origin))


def own_variables(pipeline: Pipeline, step: Step) -> dict[str, Any]:
    """The variables of a step that differ from the pipeline's."""
    shared = pipeline.variables
    return {name: value for name, value in step.variables.items() if name not in shared or shared[name] != value}


def _fields(resolved: Resolved, item: Model, facts: frozenset[str], prefix: str) -> Iterator[Row]:
    for name in type(item).model_fields:
        if name not in facts:
            yield from _rows(resolved, getattr(item, name), f"{prefix}{name}")


def _rows(resolved: Resolved, value: Any, path: str) -> Iterator[Row]:
    if isinstance(value, Model) and not isinstance(value, SecretRef):
        yield from _fields(resolved, value, frozenset(), f"{path}.")
    elif isinstance(value, dict) and value:
        for key, item in value.items():
            yield from _rows(resolved, item, f"{path}.{key}")
    elif isinstance(value, tuple) and value:
        for index, item in enumerate(value):
            yield from _rows(resolved, item, f"{path}.{index}")
    else:
        yield Row(path, _text(value), resolved.locate(path) or DEFAULT)


def _setting(resolved: Resolved, step: Step, setting: Setting, path: str) -> Row:
    value = "(secret)" if setting.secret else "(computed)" if setting.computed else _text(setting.default)
    value = _text(setting.value) if setting.given else "(required)" if setting.required else value
    place = resolved.locate(path)
    if setting.parameter:
        return Row(path, f"{value} (parameter)", place)
    reference = step.secrets.get(setting.variable) or resolved.pipeline.secrets.get(setting.variable)
    if reference is not None and not setting.given:
        home = f"steps.{step.id}." if setting.variable in step.secrets else ""
        return Row(path, _text(reference), resolved.locate(f"{home}secrets.{setting.variable}"))
    if setting.required and not setting.given:
        return Row(path, value, f"set by {setting.variable} at run time")
    return Row(path, value, place if setting.given else f"{step.run}, default of its settings")


def _leaves(node: Node, path: str) -> Iterator[tuple[str, Node]]:
    if node.fields:
        for key, child in node.fields.items():
            yield from _leaves(child, f"{path}.{key}")
    elif path != "targets":
        yield path, node


def _text(value: Any) -> str:
    if value is None or value in ({}, ()):
        return "-"
    if isinstance(value, SecretRef):
        return f"secret {value.name}, key {value.key}"
    text = value if isinstance(value, str) and value.isprintable() and value else json.dumps(value, ensure_ascii=False)
    return "(not shown)" if looks_like_key(text) else text
