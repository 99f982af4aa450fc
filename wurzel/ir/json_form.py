"""Models of the IR as JSON data, as pydantic's `model_dump` gives them, but without its serializers.

Building those costs a cold start some 20 ms, which is a fifth of what a render may take.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import cache
from typing import Any

from wurzel.ir.marks import NOT_IN_JOBS
from wurzel.models import Model

_SCALARS = (str, int, float, bool, type(None))


def json_form(
    model: Model, *, without: Collection[str] = (), defaults: bool = False, for_jobs: bool = False
) -> dict[str, Any]:
    """The fields of a model in their order, except those `without` and, if it is `for_jobs`, those `NOT_IN_JOBS`.

    Fields that have their default are left out unless `defaults` are asked for.
    """
    known = {} if defaults else _defaults(type(model))
    left_out = {*without, *(_not_in_jobs(type(model)) if for_jobs else ())}
    data = {}
    for name in type(model).model_fields:
        value = getattr(model, name)
        if name not in left_out and not (name in known and value == known[name]):
            data[name] = _json_form(value, defaults, for_jobs)
    return data


def _json_form(value: Any, defaults: bool, for_jobs: bool) -> Any:
    if isinstance(value, _SCALARS):
        return value
    if isinstance(value, Model):
        return json_form(value, defaults=defaults, for_jobs=for_jobs)
    if isinstance(value, dict):
        return {key: _json_form(child, defaults, for_jobs) for key, child in value.items()}
    if isinstance(value, list | tuple):
        return [_json_form(child, defaults, for_jobs) for child in value]
    raise TypeError(f"{type(value).__name__} is not a type of the IR")


@cache
def _not_in_jobs(cls: type[Model]) -> frozenset[str]:
    """Names of the fields that only renderers read."""
    return frozenset(name for name, field in cls.model_fields.items() if NOT_IN_JOBS in field.metadata)


@cache
def _defaults(cls: type[Model]) -> dict[str, Any]:
    """The default of each field that has one."""
    return {
        name: field.get_default(call_default_factory=True, validated_data={})
        for name, field in cls.model_fields.items()
        if not field.is_required()
    }
