"""Another valid value for a field: drift and the kit for backends change one field at a time and see what follows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from re import sub
from types import NoneType
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel

from wurzel.ir.model import SecretRef, Store
from wurzel.models import Model

_BY_NAME: Mapping[str, Any] = {
    "cron": "7 3 9 9 2",
    "timezone": "America/New_York",
    "cpu": "1250m",
    "memory": "1536Mi",
    "ephemeral_storage": "3Gi",
    "after": ("other/join",),
    "data_dir": "other",
    "store": Store.model_construct(url="s3://other/store"),  # its validator would cost each check 20 ms
}
"""For fields whose rules a made-up text would break."""
_SECONDS = {"timeout", "max", "deadline"}
"""Fields for which 1 is so short that a target may refuse it."""
_DURATIONS = {*_SECONDS, "backoff"}
_MINUTE_AND_SECOND = 61
"""What a duration becomes longer by: some targets write whole minutes."""

EXTRA, ADDED = "extra", "added"
"""An entry that a mapping has not."""


def other_value(cls: type[BaseModel], name: str, value: Any) -> Any:
    """Another value for the field `name` of a model; for `None`, one that its annotation allows."""
    if name in _BY_NAME:
        return _BY_NAME[name] if value != _BY_NAME[name] else f"{value}0"
    annotation = cls.model_fields[name].annotation
    members = [member for member in _literals(annotation) if member != value]
    if members:
        return members[0]
    if value is None:
        return 7321 if name in _SECONDS else _made_up(annotation)
    return value + _MINUTE_AND_SECOND if name in _DURATIONS and isinstance(value, int | float) else other(value)


def other(value: Any) -> Any:
    """Another value of the same kind; `bool` comes before `int`, of which it is a subclass."""
    kinds: dict[type, Callable[[Any], Any]] = {
        bool: lambda value: not value,
        int: lambda value: value + 1,
        float: lambda value: value + 1,
        str: lambda value: sub(r"(?<=\S)(?=\s|$)|^$", "x", value) if value.strip() else f"{value}x",
        list: lambda value: [other(value[0]), *value[1:]] if value else ["other"],
        tuple: lambda value: (other(value[0]), *value[1:]) if value else ("other",),
        dict: lambda value: {key: other(item) for key, item in value.items()} or {EXTRA: ADDED},
        SecretRef: lambda value: value.model_copy(update={"name": f"{value.name}-x"}),
        BaseModel: _other_model,
        Model: _other_model,
    }
    return next((change(value) for kind, change in kinds.items() if isinstance(value, kind)), "other")


def extra_entry(name: str) -> dict[str, Any]:
    """One more entry for a mapping field such as `labels`, `env` or `secrets`."""
    if name == "secrets":
        return {"EXTRA_TOKEN": SecretRef(name="extra", key="token")}
    if name == "hugepages":
        return {"1Gi": "2Gi"}
    return {EXTRA.upper() if name == "env" else EXTRA: ADDED}


def _other_model(value: BaseModel) -> BaseModel:
    name = next((name for name in type(value).model_fields if getattr(value, name) is not None), None)
    return value.model_copy(update={name: other(getattr(value, name))}) if name else value


def _made_up(annotation: Any) -> Any:
    simple: dict[Any, Any] = {str: "other", int: 1, float: 1.5, bool: True}
    found = [simple[kind] for kind in (annotation, *get_args(annotation)) if kind in simple]
    return found[0] if found else "other"


def _literals(annotation: Any) -> tuple[Any, ...]:
    if get_origin(annotation) is Literal:
        return get_args(annotation)
    found = [_literals(argument) for argument in get_args(annotation) if argument is not NoneType]
    return next((members for members in found if members), ())
