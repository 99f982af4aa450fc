"""Where values of a type contain names of files, as far as the type alone tells.

Example:
file_places(list[FilePath])                      # [("*",)]
file_places(tuple[str, FilePath])                # [("1",)]
file_places(Index)                               # [("path",), ("more", "*", "path")] where models have such fields
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Iterator, Mapping
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel

from wurzel.secret_names import names_secret_file

Place = tuple[str, ...]
"""Keys and positions from the outside in; `*` is each of them, and `()` the value itself."""

ANY = "*"
_NESTED = 3
"""How often a type may contain itself: a tree has no end, and nobody writes its files into settings that deep."""


def file_places(annotation: Any, metadata: Iterable[Any] = ()) -> list[Place]:
    """The places of files and folders that must exist (`FilePath`, `DirectoryPath`); none for a type without any."""
    return list(dict.fromkeys(_places(annotation, metadata, ())))


def files_in(value: Any, places: Iterable[Place]) -> Iterator[str]:
    """The texts that stand at some places of a JSON value."""
    for place in places:
        yield from _at(value, place)


def _at(value: Any, place: Place) -> Iterator[str]:
    if not place:
        if isinstance(value, str) and value:
            yield value
        return
    for inner in _entries(_parsed(value) if isinstance(value, str) else value, place[0]):
        yield from _at(inner, place[1:])


def _entries(value: Any, key: str) -> Iterable[Any]:
    if isinstance(value, Mapping):
        return value.values() if key == ANY else [value[key]] if key in value else []
    if isinstance(value, list | tuple):
        return value if key == ANY else value[int(key) : int(key) + 1] if key.isdecimal() else []
    return []


def _parsed(text: str) -> Any:
    """The value of a text that is JSON, as for a field of `Json[…]`; `None` for any other text."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _places(annotation: Any, metadata: Iterable[Any], around: tuple[Any, ...]) -> Iterator[Place]:
    marks = (*metadata, *getattr(annotation, "__metadata__", ()))
    if any(getattr(mark, "path_type", None) in {"file", "dir"} for mark in marks):
        yield ()
        return
    meant = getattr(annotation, "__value__", None) or getattr(annotation, "__supertype__", None)
    if meant is not None or hasattr(annotation, "__metadata__"):
        yield from _places(get_args(annotation)[0] if meant is None else meant, (), around)
        return
    origin = get_origin(annotation)
    if origin in {Union, UnionType}:
        for choice in get_args(annotation):
            yield from _places(choice, (), around)
    elif isinstance(origin, type):
        yield from _of_items(annotation, origin, around)
    elif isinstance(annotation, type) and around.count(annotation) < _NESTED:
        yield from _of_fields(annotation, (*around, annotation))


def _of_items(annotation: Any, origin: type, around: tuple[Any, ...]) -> Iterator[Place]:
    arguments = get_args(annotation)
    if issubclass(origin, tuple) and Ellipsis not in arguments:
        keyed = [(str(number), argument) for number, argument in enumerate(arguments)]
    else:
        items = arguments[1:] if issubclass(origin, Mapping) else arguments
        keyed = [(ANY, argument) for argument in items if argument is not Ellipsis]
    for key, argument in keyed:
        yield from ((key, *place) for place in _places(argument, (), around))


def _of_fields(cls: type, around: tuple[Any, ...]) -> Iterator[Place]:
    if not issubclass(cls, BaseModel):
        for key, hint in _hints(cls):
            if not names_secret_file(key):
                yield from ((key, *place) for place in _places(hint, (), around))
        return
    is_root = getattr(cls, "__pydantic_root_model__", False)
    for name, field in cls.model_fields.items():
        if names_secret_file(name):
            continue  # a key: its contents must not count
        aliases = dict.fromkeys((name, field.alias, field.validation_alias, field.serialization_alias))
        keys: list[Place] = [()] if is_root else [(key,) for key in aliases if isinstance(key, str)]
        for place in _places(field.annotation, field.metadata, around):
            yield from ((*key, *place) for key in keys)


def _hints(cls: type) -> Iterator[tuple[str, Any]]:
    """The fields of a dataclass, a named tuple (also by position) or a typed dict."""
    positions = getattr(cls, "_fields", None) if issubclass(cls, tuple) else None
    if positions is None and not dataclasses.is_dataclass(cls) and not hasattr(cls, "__total__"):
        return
    try:
        hints = get_type_hints(cls, include_extras=True)
    except (NameError, TypeError):  # an annotation that only the author's module can read
        return
    for name, hint in hints.items():
        yield name, hint
        if positions is not None and name in positions:
            yield str(positions.index(name)), hint
