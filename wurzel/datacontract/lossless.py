"""Items that need no comparing: every value in them is of a type whose JSON reads back to the same value.

Most contracts are made of texts, numbers, lists and other such models. For these, looking at the classes of the values
costs a fraction of comparing the values. They are looked at in bulk, all values of a field at once, since a call for
each would cost as much as comparing.
"""

from __future__ import annotations

import operator
import sys
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from functools import partial
from itertools import chain
from math import isfinite
from typing import Any
from uuid import UUID

from pydantic_core import TzInfo

from wurzel.datacontract.schema import CoreSchema, Field, Schema, allows_extra
from wurzel.named_tuples import NamedTuple

Check = Callable[[Collection[Any]], bool]
"""Whether all of some values are of exactly the declared classes, at every depth."""

_CLASSES: dict[str, type] = {
    "none": type(None),
    "bool": bool,
    "int": int,
    "float": float,
    "str": str,
    "date": date,
    "datetime": datetime,
    "time": time,
    "timedelta": timedelta,
    "decimal": Decimal,
    "uuid": UUID,
}
_SETS: dict[str, type] = {"set": set, "frozenset": frozenset}
_OF_SETS = frozenset(_SETS.values())
_CHANGING = ("strip_whitespace", "to_lower", "to_upper")
"""What makes validation give another text than it got."""
_HARMLESS = frozenset(
    {"type", "strict", "metadata", "ref", "cls", "schema", "config", "default", "default_factory", "items_schema"}
    | {"default_factory_takes_data", "validate_default", "copy_default", "keys_schema", "values_schema", "frozen"}
    | {"custom_init", "post_init", "root_model", "extra_behavior", "revalidate_instances", "generic_origin"}
    | {"microseconds_precision"}
)
"""Keys of a schema that refuse no value of the right class."""
_HARMLESS_CONFIG = frozenset(
    {"title", "strict", "extra_fields_behavior", "from_attributes", "loc_by_alias", "revalidate_instances"}
    | {"validate_default", "ser_json_inf_nan", "ser_json_bytes", "val_json_bytes", "ser_json_timedelta"}
    | {"hide_input_in_errors"}
    | {"cache_strings", "validate_by_alias", "validate_by_name", "serialize_by_alias", "populate_by_name"}
    | {"str_min_length", "str_max_length"}  # see `_leaf`
)
_TEMPORAL_CONFIG = ("ser_json_temporal", "ser_json_timedelta")
"""How times are stored; as numbers, some are read back as others."""
_LIMITED = frozenset({"str", "int", "float"})
_LENGTHS = ("min_length", "max_length")
_LIMITS: dict[str, Callable[[Any, Any], bool]] = {
    "min_length": operator.le,
    "max_length": operator.ge,
    "ge": operator.le,
    "gt": operator.lt,
    "le": operator.ge,
    "lt": operator.gt,
}
"""Whether a limit, given first, holds for a value or its length; for NaN none does."""
_DIGITS = 4300
_LARGE = 10**_DIGITS
"""Python and pydantic read no integer of more digits from JSON, but pydantic writes them."""


class Flat(NamedTuple):
    """A short cut for items of one class: what their values' classes say, and what these do not decide."""

    fits: Callable[[Any], bool]
    """Whether an item is of the class, and its values are of the classes that its fields may have."""
    beyond: tuple[tuple[str, Check], ...]
    """Fields whose values must be looked at, too."""


class Lossless(NamedTuple):
    """How to tell that items read back as they are."""

    check: Check
    flat: Flat | None
    """A short cut for items that are models."""
    constrained: bool
    """Whether a value of the right class may be refused when it is read, such as a text that is too long."""
    numbers: tuple[str, ...]
    """Fields that may be integers."""
    sets: tuple[str, ...]
    """Fields that are sets of texts, to be written in one order."""

    @property
    def longest(self) -> int:
        """Bytes of the longest JSON without an integer of more digits than can be read."""
        return _DIGITS if self.numbers else sys.maxsize

    def readable(self, item: Any, text: bytes) -> bool:
        """Whether no integer of an item that passes `check` is too large to be read; `text` is its JSON."""
        if len(text) <= self.longest:
            return True
        values = item.__dict__
        return all(type(value := values[name]) is not int or -_LARGE < value < _LARGE for name in self.numbers)


def lossless(contract: Schema, schema: CoreSchema) -> Lossless | None:
    """How to tell that items of this contract read back as they are; `None` if only comparing can tell."""
    if not contract.is_plain or not contract.one_infinity:
        return None
    builder = _Builder(contract)
    try:
        check = builder.values(schema).check
    except _LossyError:
        return None
    return Lossless(check, builder.flat, builder.constrained, builder.numbers, builder.sets)


class _LossyError(Exception):
    """Values of a type may read back as others."""


class _Values(NamedTuple):
    """Values of a type that read back."""

    kinds: frozenset[type]
    """Their classes."""
    beyond: Check | None = None
    """What must hold of values of these classes; nothing if the class decides."""

    def check(self, values: Collection[Any]) -> bool:
        """Whether values are such ones."""
        return self.kinds.issuperset(map(type, values)) and (self.beyond is None or self.beyond(values))

    def or_none(self) -> _Values:
        """The same, and `None`."""
        kinds, beyond = self.kinds | {type(None)}, self.beyond
        if beyond is None or beyond is _all_plain:  # takes `None` as it is
            return _Values(kinds, beyond)
        return _Values(kinds, lambda values: beyond([value for value in values if value is not None]))


class _Builder:
    def __init__(self, contract: Schema) -> None:
        self.constrained = False
        self.numbers: tuple[str, ...] = ()
        self.sets: tuple[str, ...] = ()
        self.flat: Flat | None = None
        self._contract = contract
        self._config: Mapping[str, Any] = {}
        self._models: dict[int, _Values | None] = {}

    def values(self, schema: CoreSchema, *, in_item: bool = False) -> _Values:
        """What values of a type must be, those of a field of the item itself if `in_item`. Raises `_LossyError`."""
        schema = self._contract.resolved(schema)
        kind = schema["type"]
        if leaf := self._leaf(schema):
            return leaf
        self.constrained |= not _HARMLESS.issuperset(schema)
        if kind == "any":
            return _Values(_JSON, _all_plain)
        if kind in {"default", "nullable"}:
            inner = self.values(schema["schema"], in_item=in_item and kind == "default")
            return inner if kind == "default" else inner.or_none()
        items = schema.get("items_schema") if kind == "list" or (kind in _SETS and in_item) else None
        if items is not None and (kind == "list" or self._contract.resolved(items)["type"] == "str"):
            return _Values(frozenset({_SETS.get(kind, list)}), _within(self.values(items)))
        if kind == "dict" and "keys_schema" in schema and "values_schema" in schema:
            keys = self.values(schema["keys_schema"])
            if keys.kinds in ({str}, _JSON):
                keys = keys if keys.kinds == {str} else _Values(_TEXT)
                return _Values(frozenset({dict}), _entries(keys, self.values(schema["values_schema"])))
        if kind == "model" and not allows_extra(schema) and not schema.get("root_model"):
            return self._known(schema)
        raise _LossyError

    def _leaf(self, schema: CoreSchema) -> _Values | None:
        """What values must be that contain no others and read back exactly."""
        kind = schema["type"]
        if kind == "literal":
            expected = frozenset(schema["expected"])
            return _Values(_TEXT, expected.issuperset) if _TEXT.issuperset(map(type, expected)) else None
        if kind == "enum":
            cls: type = schema["cls"]
            return _Values(frozenset({cls})) if _TEXT.issuperset(type(one.value) for one in schema["members"]) else None
        if kind not in _CLASSES or any(schema.get(change) for change in _CHANGING):
            return None
        limits = {key: schema[key] for key in _LIMITS if schema.get(key) is not None} if kind in _LIMITED else {}
        if kind == "str":
            limits = {key: self._config[f"str_{key}"] for key in _LENGTHS if f"str_{key}" in self._config} | limits
        self.constrained |= not (_HARMLESS | limits.keys()).issuperset(schema)
        exact = _EXACT.get(kind)
        return _Values(frozenset({_CLASSES[kind]}), _limited(limits, exact) if limits else exact)

    def _known(self, schema: CoreSchema) -> _Values:
        if id(schema) not in self._models:
            is_item = not self._models
            self._models[id(schema)] = None
            outer, self._config = self._config, schema.get("config") or {}
            self._models[id(schema)] = self._model(schema, is_item=is_item)
            self._config = outer
        known = self._models[id(schema)]
        if known is None:  # a model that contains itself
            raise _LossyError
        return known

    def _check_model(self, schema: CoreSchema, stored: Sequence[Field]) -> None:
        """Raise `_LossyError` if objects of a class may read back as others, whatever values they have."""
        names = tuple(field.name for field in stored)
        if names != tuple(schema["cls"].model_fields) or any(field.optional for field in stored):
            raise _LossyError  # some are not stored
        changes = any(self._config.get(f"str_{name}") for name in _CHANGING)
        if changes or schema.get("custom_init") or schema.get("post_init"):
            raise _LossyError  # reading runs code, or changes texts
        if any(self._config.get(name, "iso8601") != "iso8601" for name in _TEMPORAL_CONFIG):
            raise _LossyError

    def _model(self, schema: CoreSchema, *, is_item: bool) -> _Values:
        stored = list(self._contract.fields(schema))
        self._check_model(schema, stored)
        self.constrained |= not _HARMLESS_CONFIG.issuperset(self._config)
        fields = {field.name: self.values(field.schema, in_item=is_item) for field in stored}
        # `readable` looks for large numbers in the items themselves.
        beyond = [
            (name, one.beyond)
            for name, one in fields.items()
            if one.beyond is not None and not (is_item and one.beyond is _small)
        ]
        fits = _fitting(schema["cls"], {name: one.kinds for name, one in fields.items()})

        def check(items: Collection[Any]) -> bool:
            return all(map(fits, items)) and all(
                inner([item.__dict__[name] for item in items]) for name, inner in beyond
            )

        if is_item:
            self.flat = Flat(fits, tuple(beyond))
            self.numbers = tuple(name for name, one in fields.items() if int in one.kinds)
            self.sets = tuple(name for name, one in fields.items() if one.kinds <= _OF_SETS)
        return _Values(frozenset({schema["cls"]}), check)


def _fitting(cls: type, fields: Mapping[str, frozenset[type]]) -> Callable[[Any], bool]:
    """Whether an item is of a class, and its values are of the classes that its fields may have."""
    names = tuple(fields)
    good: set[tuple[type, ...]] = set()  # classes of values that were found to be right

    def fits(item: Any) -> bool:
        if type(item) is not cls or tuple(values := item.__dict__) != names:
            return False
        found = tuple(map(type, values.values()))
        if found not in good:
            if not all(one in kinds for one, kinds in zip(found, fields.values(), strict=True)):
                return False
            good.add(found)
        return True

    return fits


_JSON: frozenset[type] = frozenset({str, int, float, bool, type(None), list, dict})
_TEXT = frozenset({str})
_DEEPEST = 32


def _all_plain(values: Iterable[Any], depth: int = 0) -> bool:
    """Whether values of any type are what JSON has, at every depth."""
    if depth > _DEEPEST:
        return False
    for value in values:
        kind = type(value)
        if kind is str or kind is bool or value is None:
            continue
        if kind is int:
            good = -_LARGE < value < _LARGE
        elif kind is float:
            good = isfinite(value)
        elif kind is dict:
            good = _TEXT.issuperset(map(type, value)) and _all_plain(value.values(), depth + 1)
        else:
            good = kind is list and _all_plain(value, depth + 1)
        if not good:
            return False
    return True


def _small(numbers: Collection[int]) -> bool:
    """Whether integers are read again from JSON."""
    return not numbers or (min(numbers) > -_LARGE and max(numbers) < _LARGE)


def _in_one_zone(times: Iterable[datetime]) -> bool:
    """Whether times have no zone, or just an offset of whole minutes, which is all that is stored of a zone."""
    return all(
        not value.fold if value.tzinfo is None else type(value.tzinfo) in _OFFSETS and _is_whole(value.utcoffset())
        for value in times
    )


def _is_whole(offset: timedelta | None) -> bool:
    return offset is not None and not offset.seconds % 60 and not offset.microseconds


_OFFSETS = frozenset({timezone, TzInfo})
_EXACT: dict[str, Check] = {
    "int": _small,
    "datetime": _in_one_zone,
    "time": lambda times: all(value.tzinfo is None and not value.fold for value in times),
    "decimal": lambda numbers: all(map(Decimal.is_finite, numbers)),
}
"""What must hold of values of a class besides, so that they read back."""


def _limited(limits: Mapping[str, Any], before: Check | None) -> Check:
    """Whether values keep to limits, such as `{"max_length": 5}`, after another check."""
    tests = [before] if before is not None else []
    tests += [partial(_keep_to, partial(_LIMITS[key], limit), key in _LENGTHS) for key, limit in limits.items()]
    return tests[0] if len(tests) == 1 else lambda values: all(test(values) for test in tests)


def _keep_to(limit: Callable[[Any], bool], of_length: bool, values: Collection[Any]) -> bool:
    return all(map(limit, map(len, values) if of_length else values))


def _within(items: _Values) -> Check:
    """Whether the items of all of some lists are right."""
    kinds = items.kinds
    if items.beyond is None:  # no list of them is needed
        return lambda values: kinds.issuperset(map(type, chain.from_iterable(values)))
    return lambda values: items.check(list(chain.from_iterable(values)))


def _entries(keys: _Values, values: _Values) -> Check:
    """Whether the keys and values of all of some mappings are right."""
    if keys.beyond is None and values.kinds == _JSON:
        return _all_plain
    return lambda found: (
        keys.check(list(chain.from_iterable(found)))
        and values.check(list(chain.from_iterable(value.values() for value in found)))
    )
