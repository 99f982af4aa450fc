"""Writes JSON in which sets have one order, whatever the hash seed of the process."""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel
from pydantic_core import to_json

if TYPE_CHECKING:
    from pydantic_core import SchemaSerializer


def dumped_in_order(serializer: SchemaSerializer, items: list[Any], options: Mapping[str, Any]) -> list[bytes]:
    """The JSON of each item, with sets as sorted lists."""
    plain = serializer.to_python(items, mode="json", **options)
    order_sets(items, plain, by_alias=options["by_alias"])
    return [to_json(item, inf_nan_mode="constants") for item in plain]


def order_sets(value: Any, plain: Any, *, by_alias: bool) -> None:
    """Bring the lists that stand for sets in `plain`, the JSON form of `value`, into one order, in place."""
    if isinstance(plain, list):
        if not isinstance(value, list | tuple | set | frozenset | deque) or len(value) != len(plain):
            return
        for inner, made in zip(value, plain, strict=True):
            if isinstance(made, list | dict):
                order_sets(inner, made, by_alias=by_alias)
        if isinstance(value, set | frozenset):
            plain.sort(key=to_json)
        return
    for name, inner in _entries(value, plain, by_alias):
        made = plain.get(name)
        if isinstance(made, list | dict):
            order_sets(inner, made, by_alias=by_alias)


def _entries(value: Any, plain: dict[str, Any], by_alias: bool) -> Iterable[tuple[str, Any]]:
    """What the entries of `plain` were made of, by their keys."""
    if isinstance(value, BaseModel):
        fields = type(value).model_fields if by_alias else {}
        aliases = {name: field.serialization_alias or name for name, field in fields.items()}
        return [
            (aliases.get(name, name), inner)
            for name, inner in (*value.__dict__.items(), *(value.model_extra or {}).items())
        ]
    if isinstance(value, Mapping):
        return zip(plain, value.values(), strict=False) if len(value) == len(plain) else ()
    if dataclasses.is_dataclass(value):
        return [(field.name, getattr(value, field.name, None)) for field in dataclasses.fields(value)]
    return ()
