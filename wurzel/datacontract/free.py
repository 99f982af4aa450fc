"""Values in fields of type `Any`: whether the JSON that is stored has all of them in it."""

from __future__ import annotations

import dataclasses
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping
from itertools import repeat
from math import isfinite
from typing import Any

from pydantic import BaseModel
from pydantic_core import to_json

from wurzel.datacontract.codec import short
from wurzel.datacontract.difference import ABSENT, Difference, article
from wurzel.datacontract.secrets import HIDING

SCALARS = frozenset({str, int, float, bool, type(None), bytes})
"""Types whose values are equal if and only if they compare as equal."""
SEQUENCES = (list, tuple, deque)
_IN_JSON = frozenset({str, int, bool, type(None)})
"""Types whose values JSON has as they are; floats too, but for NaN and infinities."""
_UNSEEN: Any = object()
"""Stands for the JSON of a value whose place in the JSON is not known, or of a key, which JSON has as a text."""


def once(returned: Any, read: Any) -> Difference:
    """What is wrong with an iterator: writing it has used it up."""
    return Difference(returned, read, "is an iterator, which can be read only once; use a list")


def free(returned: Any, read: Any) -> Difference | None:
    """`read` is the JSON of a value of any type: is all of the value in it?"""
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
    if isinstance(returned, HIDING):
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
