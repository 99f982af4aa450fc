"""A settings class as IR settings: one per leaf field, nested settings flattened with `__`."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator
from enum import Enum
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, get_args, get_origin

from pydantic_core import PydanticUndefined, to_jsonable_python

from wurzel.core.settings import SettingsBase, is_text
from wurzel.datacontract.secrets import is_secret, key_in
from wurzel.ir.file_places import ANY, file_places
from wurzel.ir.model import Setting
from wurzel.secret_names import names_secret_file

if TYPE_CHECKING:
    from pydantic import BaseModel
    from pydantic.fields import FieldInfo

_CONTAINERS = (list, dict, set, tuple, frozenset)
_ITEMS = (list, set, tuple, frozenset, deque)
_BOUNDS = {
    "ge": "minimum",
    "gt": "exclusiveMinimum",
    "le": "maximum",
    "lt": "exclusiveMaximum",
    "multiple_of": "multipleOf",
    "pattern": "pattern",
}
_OF_TEXT = {"min_length": "minLength", "max_length": "maxLength"}
_OF_ITEMS = {"min_length": "minItems", "max_length": "maxItems"}


def describe(
    settings_class: type[BaseModel], prefix: str, input_paths: frozenset[str] = frozenset()
) -> Iterator[Setting]:
    """The settings of a class, in the order of its fields.

    `input_paths` are fields that name files or folders the step reads.
    """
    yield from _describe(settings_class, "", prefix, input_paths, None)


def _describe(
    cls: type[BaseModel], path: str, prefix: str, input_paths: frozenset[str], defaults: object | None
) -> Iterator[Setting]:
    for name, field in cls.model_fields.items():
        default = getattr(defaults, name) if defaults is not None else _default(field)
        annotation = field.annotation
        if isinstance(annotation, type) and issubclass(annotation, SettingsBase):
            given = default if isinstance(default, annotation) else None
            yield from _describe(annotation, f"{path}{name}__", prefix, input_paths, given)
            continue
        required = default is PydanticUndefined
        computed = default is _COMPUTED
        shown = None if required or computed or is_secret(annotation) else _json(default)
        # A default that looks like a key is one: whatever gives the setting is treated as a secret too.
        secret = is_secret(annotation) or bool(key_in(shown))
        places = [] if secret or names_secret_file(name) else file_places(annotation, field.metadata)
        everywhere = bool(places) and {ANY}.issuperset(key for place in places for key in place)
        yield Setting.model_construct(
            name=f"{path}{name}",
            variable=f"{prefix}{path}{name}",
            type=_setting_type(annotation),
            description=field.description or "",
            required=required,
            secret=secret,
            text=is_text(annotation, field.metadata),
            default=None if secret else shown,
            computed=computed,
            bounds={} if secret else _bounds(annotation, field.metadata),
            input_path=f"{path}{name}" in input_paths or everywhere,
            input_places=() if everywhere else tuple(places),
        )


def _bounds(annotation: Any, marks: Iterable[Any]) -> dict[str, Any]:
    """Bounds that a field has by `ge`, `max_length`, `pattern` and so on, in the words of JSON Schema.

    Only those that JSON has: a bound of a date, or of a number that JSON rounds, is left to the settings class.
    """
    found: dict[str, Any] = {}
    listed = get_origin(annotation) in _ITEMS
    for mark in marks:
        for name, word in {**_BOUNDS, **(_OF_ITEMS if listed else _OF_TEXT)}.items():
            value = getattr(mark, name, None)
            if type(value) in {int, float} or (name == "pattern" and isinstance(value, str)):
                found[word] = value
    return found


_COMPUTED: Any = object()
"""Stands for a default that only a run can know."""


def _default(field: FieldInfo) -> Any:
    factory = field.default_factory
    if factory is None:
        return field.default
    # A factory may read the clock or the machine; only those that cannot are called.
    if factory in _CONTAINERS or (isinstance(factory, type) and issubclass(factory, SettingsBase)):
        return factory() if factory in _CONTAINERS else PydanticUndefined
    return _COMPUTED


def _json(value: Any) -> Any:
    if value is None or (isinstance(value, bool | int | float | str) and not isinstance(value, Enum)):
        return value
    if isinstance(value, PurePath):
        return value.as_posix()
    if type(value) is list and all(type(item) is str for item in value):
        return value[:]  # pydantic imports four modules of numbers and identifiers to convert any list: 4 ms
    plain = to_jsonable_python(value, fallback=_text)
    if isinstance(plain, list | dict):
        from wurzel.datacontract.ordering import order_sets

        order_sets(value, plain, by_alias=True)
    return plain


def _text(value: Any) -> str:
    """The text of an object without its address, which differs between processes."""
    return re.sub(r" at 0x[0-9a-f]+", "", str(value))


def _setting_type(annotation: Any) -> str:
    if isinstance(annotation, type) and not get_args(annotation):
        return annotation.__name__
    return str(annotation).replace("typing.", "")
