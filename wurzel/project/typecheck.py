"""Checks types of configured settings by the step's settings class, if its code is available."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path, PurePath
from types import NoneType
from typing import TYPE_CHECKING, Any, get_args, get_origin

from pydantic import ValidationError

from wurzel.core.environment import key_of, model_of
from wurzel.core.importing import import_object
from wurzel.core.settings import sealed
from wurzel.core.typed_step import step_types
from wurzel.exceptions import mismatch
from wurzel.project.kinds import broken, marks
from wurzel.project.nodes import node_of, value_text

if TYPE_CHECKING:
    from pydantic import BaseModel
    from pydantic.fields import FieldInfo

    from wurzel.ir.model import Step

_ONLY_KNOWN_AT_RUN = {"missing", "path_not_file", "path_not_directory", "path_not_exists"}
"""Errors that may not occur where the step runs, since other settings and files are available there."""

_SIMPLE = {str, int, float, bool}


def check_settings(step: Step, values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Names of settings whose configured value the settings class refuses, each with the reason."""
    settings_class: type[BaseModel] = step_types(import_object(step.run)).settings
    for name, value in values.items():
        owner, field_name = _owner(settings_class, name)
        field = owner.model_fields[field_name]
        if _has_validator(owner, field_name) or not _fits(field, value):
            yield from ((name, reason) for reason in _refused(owner, key_of(field_name, field), value))


def _owner(cls: type[BaseModel], name: str) -> tuple[type[BaseModel], str]:
    """The class and field that a flat name such as `DB__HOST` leads to."""
    if name in cls.model_fields:
        return cls, name
    for field, info in cls.model_fields.items():
        inner = model_of(info.annotation)
        if inner is not None and name.startswith(f"{field}__"):
            return _owner(inner, name.removeprefix(f"{field}__"))
    raise KeyError(name)


def _has_validator(owner: type[BaseModel], name: str) -> bool:
    marks = owner.__pydantic_decorators__.field_validators.values()
    return any(name in mark.info.fields or "*" in mark.info.fields for mark in marks)


def _fits(field: FieldInfo, value: Any) -> bool:
    """Whether a value is obviously valid, which saves calling pydantic (some 20 ms on first use)."""
    try:
        before, constraints = marks(field.metadata)
        return not before and _is(field.annotation, value) and not any(broken(mark, value) for mark in constraints)
    except TypeError:  # metadata that only pydantic reads, or a bound for another type
        return False


def _is(annotation: Any, value: Any) -> bool:
    if annotation in _SIMPLE:
        return type(value) is annotation or (annotation is float and type(value) is int)
    if annotation in {Path, PurePath}:
        return isinstance(value, str)
    arguments = get_args(annotation)
    if get_origin(annotation) is list and isinstance(value, list):
        return all(_is(arguments[0], item) for item in value)
    if NoneType in arguments and len(arguments) == 2:  # noqa: PLR2004 - X | None
        return value is None or any(argument is not NoneType and _is(argument, value) for argument in arguments)
    return False


def _refused(owner: type[BaseModel], key: str, value: Any) -> Iterator[str]:
    try:
        with sealed():
            owner.model_validate({key: value})
    except ValidationError as error:
        for item in error.errors(include_url=False):
            if item["loc"][:1] == (key,) and item["type"] not in _ONLY_KNOWN_AT_RUN:
                place = "".join(f"[{part}]" for part in item["loc"][1:])
                reason = mismatch(item["type"], item["msg"], value_text(node_of(item["input"], "")))
                yield f"{place} {reason}".strip()
    except Exception:  # noqa: BLE001, S110 - a validator that needs what only a run has; it speaks then
        pass
