"""Items that need no comparing: every value in them is of a type whose JSON reads back to the same value.

Most contracts are made of texts, numbers, lists and other such models. For these, looking at the classes of the values
costs a fraction of comparing the values. They are looked at in bulk, all values of a field at once, since a call for
each would cost as much as comparing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic_core import to_json

from wurzel.datacontract.schema import CoreSchema, Schema, allows_extra

if TYPE_CHECKING:
    from pydantic import BaseModel

Check = Callable[[Collection[Any]], bool]
"""Whether all of some values are of exactly the declared classes, at every depth."""

_CLASSES: dict[str, type] = {"none": type(None), "bool": bool, "int": int, "float": float, "str": str}
_CHANGING = ("strip_whitespace", "to_lower", "to_upper")
"""What makes validation give another text than it got."""


class Lossless(NamedTuple):
    """How to tell that items read back as they are."""

    check: Check
    start: bytes | None
    """What the JSON of each item starts with, if nothing else in it can: items have fields, but no field has any."""


def lossless(contract: Schema, schema: CoreSchema) -> Lossless | None:
    """How to tell that items of this contract read back as they are; `None` if only comparing can tell."""
    if not contract.exact or contract.sets or contract.free or not contract.one_infinity:
        return None
    builder = _Builder(contract)
    try:
        _, check = builder.check(schema)
    except _LossyError:
        return None
    fields = list(contract.fields(contract.resolved(schema)))
    start = None
    if fields and builder.objects == 1:
        start = b"{%b:" % to_json(fields[0].written if contract.by_alias else fields[0].name)
    return Lossless(check, start)


class _LossyError(Exception):
    """Values of a type may read back as others."""


class _Builder:
    def __init__(self, contract: Schema) -> None:
        self.objects = 0
        """How many types with fields or keys items consist of."""
        self._contract = contract
        self._models: dict[int, Check | None] = {}

    def check(self, schema: CoreSchema) -> tuple[frozenset[type], Check]:
        """The classes that values may have, and how to check values."""
        schema = self._contract.resolved(schema)
        kind = schema["type"]
        if kind in _CLASSES and not any(schema.get(change) for change in _CHANGING):
            return _leaf(_CLASSES[kind])
        if kind == "default":
            return self.check(schema["schema"])
        if kind == "nullable":
            return _nullable(*self.check(schema["schema"]))
        if kind == "list" and "items_schema" in schema:
            return frozenset({list}), _each(self.check(schema["items_schema"])[1])
        if kind == "dict" and "keys_schema" in schema and "values_schema" in schema:
            self.objects += 1
            keys, check = self.check(schema["keys_schema"])
            if keys == {str}:
                return frozenset({dict}), _entries(check, self.check(schema["values_schema"])[1])
        if kind == "model" and not allows_extra(schema) and not schema.get("root_model"):
            return frozenset({schema["cls"]}), self._known(schema)
        raise _LossyError

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
        names = [field.name for field in self._contract.fields(schema)]
        if names != list(cls.model_fields):
            raise _LossyError  # some are not stored
        fields = [self.check(field.schema) for field in self._contract.fields(schema)]
        deep = [(name, check) for name, (kinds, check) in zip(names, fields, strict=True) if kinds - _LEAVES]
        good: set[tuple[type, ...]] = set()

        def learned(values: dict[str, Any]) -> bool:
            found = tuple(map(type, values.values()))
            fits = list(values) == names and all(one in some for one, (some, _) in zip(found, fields, strict=True))
            if fits:
                good.add(found)
            return fits

        def check(items: Collection[Any]) -> bool:
            if not {cls}.issuperset(map(type, items)):
                return False
            values = [item.__dict__ for item in items]
            if not good.issuperset([tuple(map(type, one.values())) for one in values]) and not all(
                map(learned, values)
            ):
                return False
            return all(inner([one[name] for one in values]) for name, inner in deep)

        return check


_LEAVES = frozenset(_CLASSES.values())


def _leaf(kind: type) -> tuple[frozenset[type], Check]:
    kinds = frozenset({kind})
    return kinds, lambda values: kinds.issuperset(map(type, values))


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
