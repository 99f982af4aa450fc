"""Finds fields whose values cannot be stored as JSON: those that hide themselves, and files."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from functools import cache
from typing import Any, get_args, get_origin, get_type_hints

from pydantic import BaseModel

from wurzel.datacontract.files import Stored
from wurzel.datacontract.secrets import HIDING


@cache
def hidden_field(contract: type) -> tuple[str, type] | None:
    """The first field, at any depth, that pydantic writes as asterisks, or that is a file: its path and its type."""
    return _search(contract, set())


def _search(annotation: Any, seen: set[Any]) -> tuple[str, type] | None:
    kind = get_origin(annotation) or annotation
    if isinstance(kind, type) and issubclass(kind, (*HIDING, Stored)):
        return "", kind
    for argument in get_args(annotation):
        if found := _search(argument, seen):
            return found
    value = getattr(annotation, "__value__", None)  # of `type X = …`
    if value is not None and (found := _search(value, seen)):
        return found
    if not isinstance(kind, type) or kind in seen:
        return None
    seen.add(kind)
    for name, inner in _fields(kind):
        if found := _search(inner, seen):
            return f"{name}.{found[0]}".rstrip("."), found[1]
    return None


def _fields(kind: type) -> Iterator[tuple[str, Any]]:
    if issubclass(kind, BaseModel):
        for name, field in kind.model_fields.items():
            if field.exclude is not True:
                yield name, field.annotation
    elif dataclasses.is_dataclass(kind) or hasattr(kind, "__required_keys__"):
        try:
            yield from get_type_hints(kind).items()
        except NameError:  # pydantic names the field when the contract is first used
            return
