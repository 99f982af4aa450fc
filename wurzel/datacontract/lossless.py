"""Items that need no comparing: every value in them is of a type whose JSON reads back to the same value.

Most contracts are made of texts, numbers, lists and other such models. For these, looking at the classes of the values
costs a fraction of comparing the values. They are looked at in bulk, all values of a field at once, since a call for
each would cost as much as comparing.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import date
from enum import Enum
from itertools import chain
from math import isfinite
from typing import TYPE_CHECKING, Any
from uuid import UUID

from pydantic_core import to_json

from wurzel.datacontract.schema import CoreSchema, Schema, allows_extra
from wurzel.named_tuples import NamedTuple

if TYPE_CHECKING:
    from pydantic import BaseModel

Check = Callable[[Collection[Any]], bool]
"""Whether all of some values are of exactly the declared classes, at every depth."""

_CLASSES: dict[str, type] = {
    "none": type(None),
    "bool": bool,
    "int": int,
    "float": float,
    "str": str,
    "date": date,
    "uuid": UUID,
}
_SETS: dict[str, type] = {"set": set, "frozenset": frozenset}
_CHANGING = ("strip_whitespace", "to_lower", "to_upper")
"""What makes validation give another text than it got."""
_HARMLESS = frozenset(
    {"type", "strict", "metadata", "ref", "cls", "schema", "config", "default", "default_factory", "items_schema"}
    | {"default_factory_takes_data", "validate_default", "copy_default", "keys_schema", "values_schema", "frozen"}
    | {"custom_init", "post_init", "root_model", "extra_behavior", "revalidate_instances", "generic_origin"}
)
"""Keys of a schema that refuse no value of the right class."""
_HARMLESS_CONFIG = frozenset(
    {"title", "strict", "extra_fields_behavior", "from_attributes", "loc_by_alias", "revalidate_instances"}
    | {
        "validate_default",
        "ser_json_inf_nan",
        "ser_json_bytes",
        "val_json_bytes",
        "ser_json_timedelta",
        "hide_input_in_errors",
    }
    | {"cache_strings", "validate_by_alias", "validate_by_name", "serialize_by_alias", "populate_by_name"}
)
_DIGITS = 4300
_LARGE = 10**_DIGITS
"""Python and pydantic read no integer of more digits from JSON, but pydantic writes them."""


class Flat(NamedTuple):
    """A class whose items are known to read back by the names and classes of their values alone."""

    cls: type
    names: tuple[str, ...]
    good: set[tuple[type, ...]]
    """Classes of values that were found to be right; others may be as well."""

    def matcher(self, fields: Sequence[frozenset[type]]) -> Callable[[Any], bool]:
        """Whether an item is of the class, and its values are of the classes that its fields may have."""
        cls, names, good = self

        def fits(item: Any) -> bool:
            if type(item) is not cls or tuple(values := item.__dict__) != names:
                return False
            found = tuple(map(type, values.values()))
            if found not in good:
                if not all(one in kinds for one, kinds in zip(found, fields, strict=True)):
                    return False
                good.add(found)
            return True

        return fits


class Lossless(NamedTuple):
    """How to tell that items read back as they are."""

    check: Check
    flat: Flat | None
    """A short cut for items without values of values."""
    start: bytes | None
    """What the JSON of each item starts with, if nothing else in it can: items have fields, but no field has any."""
    constrained: bool
    """Whether a value of the right class may be refused when it is read, such as a text that is too long."""
    numbers: tuple[str, ...]
    """Fields that may be integers."""
    simple: bool
    """Whether the JSON needs no options: all fields are written under their names, and nothing else is."""
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
    if not contract.exact or not contract.one_infinity:
        return None
    builder = _Builder(contract)
    try:
        _, check = builder.check(schema)
    except _LossyError:
        return None
    fields = list(contract.fields(contract.resolved(schema)))
    start = None
    if fields and builder.objects == 1 and not builder.sets:
        start = b"{%b:" % to_json(fields[0].written if contract.by_alias else fields[0].name)
    return Lossless(
        check,
        builder.flat,
        start,
        builder.constrained,
        builder.numbers,
        builder.simple,
        builder.sets,
    )


class _LossyError(Exception):
    """Values of a type may read back as others."""


class _Builder:
    def __init__(self, contract: Schema) -> None:
        self.objects = 0
        """How many types with fields or keys items consist of."""
        self.constrained = False
        self.simple = True
        self.numbers: tuple[str, ...] = ()
        self.sets: tuple[str, ...] = ()
        self.flat: Flat | None = None
        self._contract = contract
        self._models: dict[int, Check | None] = {}

    def check(self, schema: CoreSchema) -> tuple[frozenset[type], Check]:
        """The classes that values may have, and how to check values."""
        schema = self._contract.resolved(schema)
        kind = schema["type"]
        self.constrained |= not _HARMLESS.issuperset(schema) or kind == "literal"
        if leaf := _leaf_class(schema):
            return _leaf(leaf)
        if kind == "any":
            self.objects += 1
            return _JSON, _all_plain
        if kind in {"default", "nullable"}:
            inner = self.check(schema["schema"])
            return inner if kind == "default" else _nullable(*inner)
        if kind == "list" and "items_schema" in schema:
            return frozenset({list}), _each(self.check(schema["items_schema"])[1])
        if kind == "dict" and "keys_schema" in schema and "values_schema" in schema:
            self.objects += 1
            keys, check = self.check(schema["keys_schema"])
            if keys in ({str}, _JSON):
                check = check if keys == {str} else _leaf(str)[1]
                return frozenset({dict}), _entries(check, self.check(schema["values_schema"])[1])
        if kind == "model" and not allows_extra(schema) and not schema.get("root_model"):
            return frozenset({schema["cls"]}), self._known(schema)
        raise _LossyError

    def _set_of_texts(self, schema: CoreSchema) -> bool:
        while (schema := self._contract.resolved(schema))["type"] == "default":
            schema = schema["schema"]
        if schema["type"] not in _SETS or "items_schema" not in schema:
            return False
        return bool(self._contract.resolved(schema["items_schema"])["type"] == "str")

    def _texts(self, schema: CoreSchema) -> tuple[frozenset[type], Check]:
        """As `check`, for a set of texts."""
        while (schema := self._contract.resolved(schema))["type"] == "default":
            self.constrained |= not _HARMLESS.issuperset(schema)
            schema = schema["schema"]
        self.constrained |= not _HARMLESS.issuperset(schema)
        kind = _SETS[schema["type"]]
        texts = self.check(schema["items_schema"])[1]
        return frozenset(
            {kind}
        ), lambda values: {kind}.issuperset(map(type, values)) and texts(list(chain.from_iterable(values)))

    def _known(self, schema: CoreSchema) -> Check:
        if id(schema) not in self._models:
            self.objects += 1
            self._models[id(schema)] = None
            self._models[id(schema)] = self._model(schema)
        known = self._models[id(schema)]
        if known is None:  # a model that contains itself
            raise _LossyError
        return known

    def _model(self, schema: CoreSchema) -> Check:
        cls: type[BaseModel] = schema["cls"]
        stored = list(self._contract.fields(schema))
        names = [field.name for field in stored]
        if names != list(cls.model_fields) or any(field.optional for field in stored):
            raise _LossyError  # some are not stored
        config = schema.get("config") or {}
        if schema.get("custom_init") or schema.get("post_init") or any(config.get(f"str_{name}") for name in _CHANGING):
            raise _LossyError  # reading runs code, or changes texts
        self.constrained |= not _HARMLESS_CONFIG.issuperset(config)
        self.simple &= all(field.written == field.name for field in stored) and not _computes(schema)
        is_root = self.objects == 1
        if is_root:
            self.sets = tuple(field.name for field in stored if self._set_of_texts(field.schema))
            self.simple &= not self.sets
        fields = [
            self._texts(field.schema) if is_root and field.name in self.sets else self.check(field.schema)
            for field in stored
        ]
        if is_root:
            self.numbers = tuple(name for name, (kinds, _) in zip(names, fields, strict=True) if int in kinds)
        deep = [
            (name, check)
            for name, (kinds, check) in zip(names, fields, strict=True)
            if not all(one in _LEAVES or issubclass(one, Enum) for one in kinds) or (int in kinds and not is_root)
        ]
        flat = Flat(cls, tuple(names), set())
        fits = flat.matcher([kinds for kinds, _ in fields])

        def check(items: Collection[Any]) -> bool:
            return all(map(fits, items)) and all(inner([item.__dict__[name] for item in items]) for name, inner in deep)

        if is_root and not deep:
            self.flat = flat
        return check


_LEAVES = frozenset(_CLASSES.values())
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


def _computes(schema: CoreSchema) -> bool:
    """Whether a model has fields that are computed, which are not stored."""
    inner = schema
    while "schema" in inner:
        inner = inner["schema"]
    return bool(inner.get("computed_fields"))


def _leaf_class(schema: CoreSchema) -> type | None:
    """The class of values that contain no others and read back exactly."""
    kind = schema["type"]
    if kind == "literal":
        return str if {str}.issuperset(map(type, schema["expected"])) else None
    if kind == "enum":
        cls: type = schema["cls"]
        return cls if {str}.issuperset(type(member.value) for member in schema["members"]) else None
    return None if any(schema.get(change) for change in _CHANGING) else _CLASSES.get(kind)


def _leaf(kind: type) -> tuple[frozenset[type], Check]:
    kinds = frozenset({kind})
    if kind is int:
        return kinds, lambda values: kinds.issuperset(map(type, values)) and _small(values)
    return kinds, lambda values: kinds.issuperset(map(type, values))


def _small(numbers: Collection[int]) -> bool:
    """Whether integers are read again from JSON."""
    return not numbers or (min(numbers) > -_LARGE and max(numbers) < _LARGE)


def _nullable(kinds: frozenset[type], check: Check) -> tuple[frozenset[type], Check]:
    return kinds | {type(None)}, lambda values: check([value for value in values if value is not None])


def _each(check: Check) -> Check:
    return lambda values: {list}.issuperset(map(type, values)) and check(list(chain.from_iterable(values)))


def _entries(keys: Check, check: Check) -> Check:
    def all_entries(values: Collection[Any]) -> bool:
        if not {dict}.issuperset(map(type, values)) or not keys(list(chain.from_iterable(values))):
            return False
        return check(list(chain.from_iterable(value.values() for value in values)))

    return all_entries
