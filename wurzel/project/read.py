"""Reads values from nodes by the annotations of pydantic models, with the place of every error.

Pydantic does not track places, and its first validator costs a cold start some 20 ms. This module reads the few kinds
of types that configuration uses; a test compares the results with pydantic's own.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeAlias, Union, get_args, get_origin

from pydantic import BaseModel

from wurzel.ir.model import SecretRef
from wurzel.ir.pods import Resources
from wurzel.models import Model, checked, has_check
from wurzel.project.kinds import (
    BAD,
    SCALARS,
    Context,
    NotUnderstoodError,
    Reader,
    choice,
    constrained,
    converted,
    display,
    marks,
    refuse,
)
from wurzel.project.nodes import Node, near, value_text

Class: TypeAlias = type[BaseModel] | type[Model]


def read(node: Node, annotation: Any, path: str, context: Context) -> Any:
    """The value of a node, read as `annotation`, or `BAD`; `path` is its dotted name in messages.

    Raises `NotUnderstoodError` when this module does not support the annotation.
    """
    return reader(annotation)(node, path, context)


def reader(annotation: Any, metadata: Iterable[Any] = ()) -> Reader:
    """A function that reads nodes as `annotation`, with `metadata` of `Annotated`. Raises `NotUnderstoodError`."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return reader(arguments[0], [*arguments[1:], *metadata])
    before, constraints = marks(metadata)
    if origin in {Union, UnionType}:
        members = [member for member in arguments if member is not NoneType]
        if len(members) == 1:
            inner = reader(members[0], [*before, *constraints])
        elif before or constraints:
            raise NotUnderstoodError(annotation)
        else:
            inner = _either(members)
        if len(members) == len(arguments):
            return inner
        return lambda node, path, context: None if node.value is None else inner(node, path, context)
    if before:
        return converted(annotation, before, constraints)
    return constrained(_plain_reader(annotation, origin, arguments), constraints)


def _plain_reader(annotation: Any, origin: Any, arguments: tuple[Any, ...]) -> Reader:
    if annotation in SCALARS:
        return SCALARS[annotation]
    if isinstance(annotation, type) and issubclass(annotation, BaseModel | Model):
        return _late(annotation)
    if origin is Literal:
        return choice(arguments)
    if origin is dict and len(arguments) == 2:  # noqa: PLR2004 - key and value
        return _mapping(*arguments)
    if origin is list or (origin is tuple and arguments[1:] == (...,)):
        return _sequence(arguments[0], origin)
    raise NotUnderstoodError(annotation)


@cache
def model_reader(cls: Class) -> Reader:
    """A function that reads mappings as `cls`; `null` gives the default of a field.

    It raises NotUnderstoodError when it reads a field of an unsupported type, so fields that are not set cost nothing.
    Raises `NotUnderstoodError` when the model has validators that run before it is made, aliases, or defaults to
    validate.
    """
    if issubclass(cls, Model):
        return _ModelReader(cls, [checked] if has_check(cls) else [])
    own = cls.__pydantic_decorators__
    if any((own.field_validators, own.validators, own.root_validators)):
        raise NotUnderstoodError(cls)
    if not all(map(_runs_after, own.model_validators.values())):
        raise NotUnderstoodError(cls)
    if any(field.validation_alias is not None or field.validate_default for field in cls.model_fields.values()):
        raise NotUnderstoodError(cls)
    if cls.model_config.get("validate_default"):
        raise NotUnderstoodError(cls)
    after = [validator.func for validator in own.model_validators.values()]
    return _ModelReader(cls, [*after, checked] if has_check(cls) else after)


def _runs_after(validator: Any) -> bool:
    """Whether it takes the finished object and nothing else."""
    code = getattr(validator.func, "__code__", None)
    return validator.info.mode == "after" and code is not None and code.co_argcount == 1


class _ModelReader:
    """Reads mappings as instances of one model."""

    def __init__(self, cls: Class, after: list[Any]) -> None:
        self.cls = cls
        self._after = after
        self._readers: dict[str, Reader] = {}
        self.required = [name for name, field in cls.model_fields.items() if field.is_required()]

    def __call__(self, node: Node, path: str, context: Context) -> Any:
        if not isinstance(node.value, dict):
            context.findings.add(node.origin, *_no_mapping(self.cls, node, path))
            return BAD
        values: dict[str, Any] = {}
        for key, child in node.value.items():
            if key not in self.cls.model_fields:
                message = f"unknown key {value_text(Node(key, ''))} in {path or 'the file'}"
                context.findings.add(child.key_origin, message, _known_as(self.cls, node, key))
            elif child.value is not None and (value := self.field(key)(child, _below(path, key), context)) is not BAD:
                values[key] = value
        if context.complete:
            self.require(node, path, context)
        if self._after and context.complete:
            return self._validated(values, context)
        return self.cls.model_construct(**values) if context.build else values

    def _validated(self, values: dict[str, Any], context: Context) -> Any:
        """The object after its validators; where one fails, pydantic reads it again, since it words every error."""
        if not context.build or context.findings:
            raise NotUnderstoodError(self.cls)
        made = self.cls.model_construct(**values)
        try:
            for validator in self._after:
                made = validator(made)
        except (ValueError, AssertionError) as error:
            raise NotUnderstoodError(self.cls) from error
        return made

    def field(self, name: str) -> Reader:
        """The reader of a field, created when it is first used."""
        found = self._readers.get(name)
        if found is None:
            field = self.cls.model_fields[name]
            found = self._readers[name] = reader(field.annotation, field.metadata)
        return found

    def require(self, node: Node, path: str, context: Context) -> None:
        for name in self.required:
            if name not in node.fields or node.fields[name].value is None:
                context.findings.add(node.origin, f"{_below(path, name)} is missing", _described(self.cls, name))


def _known_as(cls: Class, node: Node, key: str) -> str:
    if issubclass(cls, Resources) and "/" in key:
        return f"Devices are below gpu: {{{key}: 1}}."
    if "steps" in cls.model_fields and key in node.fields.get("steps", Node({}, "")).fields:
        return f"Steps are below steps: {{{key}: …}}."
    from wurzel.backends.options import TargetOptions

    if issubclass(cls, TargetOptions) and (hint := of_pipeline(key)):
        return hint
    hint = near(key, cls.model_fields, "Keys")
    if "settings" in cls.model_fields and not hint.startswith("Did you mean"):
        return f"Settings of a step are below settings: {{{key}: …}}. {hint}"
    return hint


def of_pipeline(key: str) -> str:
    """Where a key belongs that a target has no option for, but every pipeline or step has; empty for others."""
    from wurzel.project.model import PipelineConfig, StepConfig

    if key in PipelineConfig.model_fields:
        return f"{key} is set for the pipeline, beside targets."
    return f"{key} is set for a step, below steps." if key in StepConfig.model_fields else ""


def _late(cls: Class) -> Reader:
    """A model's reader that is created when it is first used, so that models may contain themselves."""
    return lambda node, path, context: model_reader(cls)(node, path, context)  # noqa: PLW0108 - not before


def _below(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def _no_mapping(cls: Class, node: Node, path: str) -> tuple[str, str]:
    form = ", ".join(f"{name}: …" for name in list(cls.model_fields)[:2])
    if cls is SecretRef:
        return f"{path}: a secret is set by reference, never as a value", f"Write {{{form}}}."
    if "cron" in cls.model_fields and " " in str(node.value):
        return f"{path}: {display(node, path)} is not a mapping", f"Write {{cron: {display(node, path)}}}."
    return f"{path or 'the file'}: {display(node, path)} is not a mapping", f"Write for example {{{form}}}."


def _described(cls: Class, name: str) -> str:
    field = cls.model_fields[name]
    if get_origin(field.annotation) is Literal and len(choices := get_args(field.annotation)) == 1:
        return f"Write {name}: {choices[0]}"
    description = field.description
    return f"{name}: {description}" if description else ""


def _either(members: list[Any]) -> Reader:
    """A reader of one of several types with different shapes, so that the node's shape decides."""
    readers: dict[Any, Reader] = {}
    for member in members:
        shape = _shape(member)
        if shape in readers:
            raise NotUnderstoodError(member)
        readers[shape] = reader(member)

    def read_either(node: Node, path: str, context: Context) -> Any:
        found = readers.get(type(node.value))
        if found is None and node.text is not None and node.value is not None:
            found = readers.get(str)
        if found is None:
            return refuse(node, path, context, " or ".join(_SHAPES[shape] for shape in readers))
        return found(node, path, context)

    return read_either


_SHAPES = {
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    dict: "a mapping",
    list: "a list",
}


def _shape(annotation: Any) -> Any:
    """The shape of node that a type is read from: mapping, list, text, number."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _shape(get_args(annotation)[0])
    if origin is Literal:
        kinds = {type(value) for value in get_args(annotation)}
        if len(kinds) == 1 and kinds <= _SHAPES.keys():
            return kinds.pop()
    if annotation in _SHAPES:
        return annotation
    if origin in {dict, list}:
        return origin
    if origin is tuple:
        return list
    if isinstance(annotation, type) and issubclass(annotation, BaseModel | Model):
        return dict
    raise NotUnderstoodError(annotation)


def _mapping(key_type: Any, value_type: Any) -> Reader:
    read_key, read_value = reader(key_type), reader(value_type)
    is_model = isinstance(value_type, type) and issubclass(value_type, BaseModel | Model)
    empty = is_model or get_origin(value_type) is dict

    def read_mapping(node: Node, path: str, context: Context) -> Any:
        if not isinstance(node.value, dict):
            return refuse(node, path, context, "a mapping", _as_mapping(node, path, empty=empty))
        values: dict[str, Any] = {}
        for key, child in node.value.items():
            name = Node(key, child.source, child.key_line, child.key_column)
            good = read_key(name, path, context)
            if child.value is not None and (value := read_value(child, f"{path}.{key}", context)) is not BAD:
                values[key if good is BAD else good] = value
        return values

    return read_mapping


def _as_mapping(node: Node, path: str, *, empty: bool) -> str:
    """A hint that rewrites a list, or another value, as a mapping."""
    if isinstance(node.value, bool):
        return f"Write {path.rpartition('.')[2]}: {{}}." if node.value else "Leave it out, or write null."
    items = node.value if isinstance(node.value, list) else [node]
    names = [str(item.written) for item in items if not isinstance(item.value, dict | list)]
    form = "{}" if empty else "…"
    return f"Write {{{', '.join(f'{name}: {form}' for name in names[:5] or ['name'])}}}."


def _sequence(item_type: Any, kind: Any) -> Reader:
    read_item = reader(item_type)

    def read_sequence(node: Node, path: str, context: Context) -> Any:
        if not isinstance(node.value, list):
            text = display(node, path)
            context.findings.add(node.origin, f"{path}: {text} is not a list", f"Write [{text}].")
            return BAD
        items = [read_item(item, f"{path}.{index}", context) for index, item in enumerate(node.value)]
        return kind(item for item in items if item is not BAD)

    return read_sequence
