"""Where an item differs from what reads back, and what to say about it."""

from __future__ import annotations

import dataclasses
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping
from itertools import repeat
from math import isfinite
from typing import Any

from pydantic import AliasChoices, BaseModel
from pydantic_core import to_json

from wurzel.datacontract.codec import place, short
from wurzel.datacontract.secrets import hiding
from wurzel.exceptions import ContractFailedException

SCALARS = frozenset({str, int, float, bool, type(None), bytes})
"""Types whose values are equal if and only if they compare as equal."""
SEQUENCES = (list, tuple, deque)
_IN_JSON = frozenset({str, int, bool, type(None)})
"""Types whose values JSON has as they are; floats too, but for NaN and infinities."""
_UNSEEN: Any = object()
"""Stands for the JSON of a value whose place in the JSON is not known, or of a key, which JSON has as a text."""


class _Absent:
    def __repr__(self) -> str:
        return "nothing"


ABSENT = _Absent()
"""Stands for a value that is not there."""


class Difference:
    """The path to where two values differ, and both values there."""

    __slots__ = ("path", "read", "reason", "returned")

    def __init__(self, returned: Any, read: Any, reason: str = "") -> None:
        self.path: list[str | int] = []
        self.returned = returned
        self.read = read
        self.reason = reason

    def within(self, name: str | int) -> Difference:
        """The same difference, as seen from the object whose field or entry it is in."""
        self.path.insert(0, name)
        return self

    def message(self, item: str) -> str:
        """What is wrong, for the author of the step; `item` names the item, such as `item 3`."""
        where = place(item, self.path) or "it"
        if self.reason:
            return f"{where} {self.reason}"
        if self.returned is ABSENT:
            return f"{where} is not set, but would be read back as {short(self.read)}"
        if self.read is ABSENT:
            return f"{where} is not declared by the contract, so {short(self.returned)} would be lost"
        if type(self.returned) is type(self.read):
            return f"{where} is {short(self.returned)}, but would be read back as {short(self.read)}"
        return f"{where} is {_classes(self.returned, self.read)}"

    @property
    def remedy(self) -> str:
        """What to do about it; empty where that is obvious."""
        if self.reason or self.returned is ABSENT:
            return ""
        if self.read is ABSENT:
            return "Declare a field for it."
        kind, base = type(self.returned), type(self.read)
        if kind is base:
            return "A validator or serializer must leave its own results alone; if none does, use another type."
        if issubclass(kind, base) and _fields(kind):
            return f"Declare that class, or a union: {base.__name__} | {kind.__name__}."
        return f"Return {article(base)}, or declare a type that only {article(kind)} can be read as."


def _classes(returned: Any, read: Any) -> str:
    kind, base = type(returned), type(read)
    mine, theirs = article(kind), article(base)
    lost = [name for name in _fields(kind) if name not in _fields(base)]
    if _fields(base) and lost:
        names = " and ".join(map(repr, lost[:3])) if len(lost) <= 3 else f"{', '.join(map(repr, lost[:3]))} and others"  # noqa: PLR2004
        return f"{mine}, which has the field{'s' if len(lost) > 1 else ''} {names} that {base.__name__} cannot store"
    if _fields(base):
        return f"{mine}, but would be read back as {theirs}"
    return f"{_valued(mine, returned)}, but would be read back as {_valued(theirs, read)}"


def _valued(kind: str, value: Any) -> str:
    return kind if value is None else f"{kind}, {short(value)}"


def article(kind: type) -> str:
    """The name of a class with its article, for messages: `a Doc`, `an Item`, `None`."""
    if kind is type(None):
        return "None"
    return f"an {kind.__name__}" if kind.__name__[0] in "AEIOUaeiou" else f"a {kind.__name__}"


def not_many(value: Any, wanted: str) -> ContractFailedException:
    """What to raise for what `run` gave where a list, a set or a stream is `wanted`."""
    how = "For one item, return it in a list: return […]."
    if value is None:
        how = "Return [] where there are no items."
    elif isinstance(value, set | frozenset):
        how = "The order of a set differs between processes: return sorted(…)."
    return ContractFailedException(f"it is {article(type(value))}, not {wanted}", hint=how)


def _fields(kind: type) -> list[str]:
    if issubclass(kind, BaseModel):
        return list(kind.model_fields)
    return [field.name for field in dataclasses.fields(kind)] if dataclasses.is_dataclass(kind) else []


def once(returned: Any, read: Any) -> Difference:
    """What is wrong with an iterator: writing it has used it up."""
    return Difference(returned, read, "is an iterator, which can be read only once; use a list")


def free(returned: Any, read: Any) -> Difference | None:
    """The first part of a value of any type that its JSON, `read`, does not give back."""
    if returned is ABSENT or read is ABSENT:
        return Difference(returned, read)
    if type(returned) not in SCALARS:
        return _within(returned, read)
    if read is not _UNSEEN and (type(returned) in _IN_JSON or (type(returned) is float and isfinite(returned))):
        return None if type(read) is type(returned) and read == returned else Difference(returned, read)
    return None


def free_key(returned: Any, _read: Any) -> Difference | None:
    """As `free`, for a key of a mapping: JSON has all keys as texts."""
    return free(returned, _UNSEEN)


def _within(returned: Any, read: Any) -> Difference | None:
    if isinstance(returned, hiding()):
        return Difference(returned, read, f"is {article(type(returned))}, which hides its value from what is stored")
    if isinstance(returned, Iterator):
        return once(returned, read)
    if isinstance(returned, Mapping):
        return _mapping(returned, read)
    if isinstance(returned, (BaseModel, set, frozenset, *SEQUENCES)) or is_dataclass(returned):
        if (
            read is not _UNSEEN
            and type(returned) in SEQUENCES
            and len(read if type(read) is list else ()) != len(returned)
        ):
            return Difference(returned, read)
        others = read if isinstance(returned, SEQUENCES) and type(read) is list else repeat(_UNSEEN)
        return first(
            (name, free(value, other)) for (name, value), other in zip(contents(returned), others, strict=False)
        )
    return None


def _mapping(returned: Mapping[Any, Any], read: Any) -> Difference | None:
    if isinstance(read, dict) and len(read) != len(returned):
        return Difference(returned, read, merged(returned))
    if read is not _UNSEEN and type(returned) is dict and not isinstance(read, dict):
        return Difference(returned, read)
    others = read.values() if isinstance(read, dict) else [_UNSEEN] * len(returned)
    keys = first((short(key), free(key, _UNSEEN)) for key in returned if type(key) not in SCALARS)
    pairs = zip(returned.items(), others, strict=True)
    return keys or first((str(name), free(value, other)) for (name, value), other in pairs)


def contents(value: Any) -> Iterable[tuple[str | int, Any]]:
    """What is stored of a set, a sequence, a model or a dataclass, by name or number."""
    if isinstance(value, (set, frozenset, *SEQUENCES)):
        return enumerate(value)
    if isinstance(value, BaseModel):
        hidden = {name for name, field in type(value).model_fields.items() if field.exclude}
        own = [(name, inner) for name, inner in value.__dict__.items() if name not in hidden]
        return [*own, *(value.model_extra or {}).items()]
    return [(field.name, getattr(value, field.name, None)) for field in dataclasses.fields(value)]


def merged(returned: Mapping[Any, Any]) -> str:
    """What is wrong with a mapping that is stored with fewer keys than it has."""
    texts = {id(key): to_json({key: None}, fallback=repr) for key in returned}
    counts = Counter(texts.values())
    alike = [key for key in returned if counts[texts[id(key)]] > 1]
    names = " and ".join(map(repr, alike[:3]))
    return f"has the keys {names}, which are stored alike" if alike else "has keys that are stored alike"


def is_dataclass(value: Any) -> bool:
    """Whether a value is an object of a dataclass."""
    return dataclasses.is_dataclass(value) and not isinstance(value, type)


def first(found: Iterable[tuple[str | int, Difference | None]]) -> Difference | None:
    """The first difference among those of fields or entries, as seen from the object that they are in."""
    for name, difference in found:
        if difference is not None:
            return difference.within(name)
    return None


def unread(returned: Any, made: Any) -> Difference | None:
    """The first entry of a mapping, returned in place of an item, that is in no field of the item made of it."""
    if isinstance(returned, list | tuple) and isinstance(made, list | tuple):
        return first((index, unread(*pair)) for index, pair in enumerate(zip(returned, made, strict=False)))
    if not isinstance(returned, Mapping) or not isinstance(made, BaseModel) or _rearranges(type(made)):
        return None
    names, extra = _keys(type(made)), made.model_extra or {}

    def of_entry(key: Any, value: Any) -> Difference | None:
        if key in names:
            return unread(value, getattr(made, names[key], None))
        return None if key in extra else Difference(value, ABSENT)

    return first((str(key), of_entry(key, value)) for key, value in returned.items())


def _rearranges(kind: type[BaseModel]) -> bool:
    """Whether a validator sees the mapping first and may look for other names."""
    validators = kind.__pydantic_decorators__.model_validators.values()
    return any(validator.info.mode != "after" for validator in validators)


def _keys(kind: type[BaseModel]) -> dict[Any, str]:
    """The fields by every key that a mapping may have for them."""
    names: dict[Any, str] = {}
    for name, field in kind.model_fields.items():
        names[name] = name
        alias = field.validation_alias
        for choice in alias.choices if isinstance(alias, AliasChoices) else [alias]:
            if choice is not None:
                names[choice if isinstance(choice, str) else choice.path[0]] = name
    return names
