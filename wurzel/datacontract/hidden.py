"""Finds fields whose values cannot be stored as JSON: those that hide themselves, files, and those of unknown types."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from functools import cache
from inspect import get_annotations
from typing import Any, get_args, get_origin, get_type_hints

from pydantic import BaseModel
from pydantic.errors import PydanticUndefinedAnnotation

from wurzel.datacontract.files import Stored
from wurzel.datacontract.secrets import hiding
from wurzel.exceptions import StaticTypeError


@cache
def hidden_field(contract: type) -> tuple[str, type] | None:
    """The first field, at any depth, that pydantic writes as asterisks, or that is a file: its path and its type.

    Raises `StaticTypeError` when the type of a field is a name that does not exist.
    """
    return _search(contract, set())


def _search(annotation: Any, seen: set[Any]) -> tuple[str, type] | None:
    kind = get_origin(annotation) or annotation
    if isinstance(kind, type) and issubclass(kind, (*hiding(), Stored)):
        return "", kind
    for argument in get_args(annotation):
        if found := _search(argument, seen):
            return found
    value = getattr(annotation, "__value__", None)  # of `type X = …`
    if value is not None and annotation not in seen:
        seen.add(annotation)  # it may be made of itself
        if found := _search(value, seen):
            return found
    if not isinstance(kind, type) or kind in seen:
        return None
    seen.add(kind)
    for name, inner in _fields(kind):
        if found := _search(inner, seen):
            return f"{name}.{found[0]}".rstrip("."), found[1]
    return None


def _fields(kind: type) -> Iterator[tuple[str, Any]]:
    try:
        if issubclass(kind, BaseModel):
            if not kind.__pydantic_fields_complete__:  # building validators would cost each render its start
                kind.model_rebuild()
            kept = {name: field for name, field in kind.model_fields.items() if field.exclude is not True}
            yield from ((name, field.annotation) for name, field in kept.items())
        elif dataclasses.is_dataclass(kind) or hasattr(kind, "__required_keys__"):
            known = getattr(kind, "__pydantic_fields__", {}) if getattr(kind, "__pydantic_complete__", False) else {}
            yield from ((name, field.annotation) for name, field in known.items())
            yield from get_type_hints(kind).items() if not known else ()
    except (PydanticUndefinedAnnotation, NameError) as error:
        raise _undefined(kind, str(error.name)) from None


def _undefined(kind: type, name: str) -> StaticTypeError:
    """The error that a name in the fields of a class, or of a class within it, does not exist."""
    written = get_annotations(kind)
    fields = [field for field, text in written.items() if re.search(rf"\b{re.escape(name)}\b", str(text))]
    return StaticTypeError(
        f"{kind.__name__}{f'.{fields[0]}' if fields else ''}: the name {name!r} does not exist when the program runs",
        hint="Import it outside of `if TYPE_CHECKING:`.",
    )
