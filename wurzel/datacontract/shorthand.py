"""Mappings that a step returns in place of items: is each of their entries a field?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import AliasChoices, BaseModel

from wurzel.datacontract.difference import ABSENT, Difference


def unread(given: Any, made: Any) -> Difference | None:
    """The first entry of a mapping that is in no field of the item that validation made of it."""
    if isinstance(given, list | tuple) and isinstance(made, list | tuple):
        found = (_within(index, *pair) for index, pair in enumerate(zip(given, made, strict=False)))
        return next((difference for difference in found if difference), None)
    if not isinstance(given, Mapping) or not isinstance(made, BaseModel) or _rearranges(type(made)):
        return None
    names = _names(type(made))
    for key, value in given.items():
        if key in names:
            difference = _within(str(key), value, getattr(made, names[key], None))
        elif key in (made.model_extra or {}):
            continue
        else:
            difference = Difference(value, ABSENT).within(str(key))
        if difference:
            return difference
    return None


def _within(name: str | int, given: Any, made: Any) -> Difference | None:
    difference = unread(given, made)
    return difference and difference.within(name)


def _rearranges(kind: type[BaseModel]) -> bool:
    """Whether a validator sees the mapping first and may look for other names."""
    validators = kind.__pydantic_decorators__.model_validators.values()
    return any(validator.info.mode != "after" for validator in validators)


def _names(kind: type[BaseModel]) -> dict[Any, str]:
    """The fields by every key that a mapping may have for them."""
    names: dict[Any, str] = {}
    for name, field in kind.model_fields.items():
        names[name] = name
        alias = field.validation_alias
        for choice in alias.choices if isinstance(alias, AliasChoices) else [alias]:
            if choice is not None:
                names[choice if isinstance(choice, str) else choice.path[0]] = name
    return names
