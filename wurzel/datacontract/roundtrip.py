"""Compares what a step returned with what reads back, by functions that are prepared once for each contract.

Pydantic writes the fields of the declared class, not those of the object, and reads back whatever validation makes of
them. So an item can lose fields, change its class or change its values without any error; comparing is how to find out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, time
from decimal import Decimal
from enum import Enum
from functools import partial
from itertools import repeat
from typing import Any

from pydantic import BaseModel
from pydantic_core import to_json

from wurzel.datacontract.codec import short
from wurzel.datacontract.difference import (
    ABSENT,
    SCALARS,
    SEQUENCES,
    Difference,
    contents,
    first,
    free,
    free_key,
    is_dataclass,
    merged,
    once,
)
from wurzel.datacontract.schema import LEAVES, CoreSchema, Schema, allows_extra

Compare = Callable[[Any, Any], Difference | None]


class Comparison:
    """Gives the first difference between an item and what reads back, or `None`."""

    def __init__(self, contract: Schema, schema: CoreSchema) -> None:
        """Compare items of a schema; `contract` knows what references in it stand for.

        In fields of type `Any`, the JSON form of a value will do, such as the text of a date, unless it hides a secret
        or merges keys.
        """
        self.promoted = False
        """Whether an `int` was returned for a `float`, which type checkers allow and pydantic allows for defaults."""
        self._contract = contract
        self._made: dict[int, Compare] = {}
        of, inner = self._of, self._inner
        self._parts: dict[str, Callable[[CoreSchema], Compare]] = {
            # `SkipValidation[Doc]` is of no type when it is read, but of a type when it is written.
            "any": lambda schema: _by_value if "schema" in schema.get("serialization", {}) else free,
            "generator": lambda _: once,
            "list": lambda schema: _listed(inner(schema.get("items_schema"))),
            "set": lambda schema: _unordered(inner(schema.get("items_schema"))),
            "frozenset": lambda schema: _unordered(inner(schema.get("items_schema"))),
            "tuple": lambda schema: _row([*map(of, schema["items_schema"])], schema.get("variadic_item_index")),
            "dict": lambda schema: _mapping(self._key(schema.get("keys_schema")), inner(schema.get("values_schema"))),
            "model": self._object,
            "dataclass": self._object,
            "typed-dict": lambda schema: _of_typed_dict(
                self._fields(schema), free if allows_extra(schema) else _by_value
            ),
            "union": self._choices,
            "tagged-union": self._choices,
            "chain": lambda schema: of(schema["steps"][-1]),
        }
        self._compare = self._of(schema)

    def __call__(self, returned: Any, read: Any) -> Difference | None:
        """The difference; `promoted` then tells about these two items."""
        self.promoted = False
        return self._compare(returned, read)

    def _real_number(self, returned: Any, read: Any) -> Difference | None:
        if type(returned) is int and type(read) is float and returned == read:
            self.promoted = True
            return None
        return _by_value(returned, read)

    def _of(self, schema: CoreSchema) -> Compare:
        schema = self._contract.resolved(schema)
        made = self._made.get(id(schema))
        if made is not None:
            return made
        built: list[Compare] = []

        def later(returned: Any, read: Any) -> Difference | None:  # for a type that contains itself
            return built[0](returned, read)

        self._made[id(schema)] = later
        built.append(self._built(schema))
        self._made[id(schema)] = built[0]
        return built[0]

    def _built(self, schema: CoreSchema) -> Compare:
        kind = schema["type"]
        if kind in LEAVES:
            return self._real_number if kind == "float" else _by_value
        if kind in self._parts:
            return self._parts[kind](schema)
        inner = schema.get("schema") or schema.get("lax_schema") or schema.get("python_schema")
        return _by_value if inner is None else self._of(inner)

    def _choices(self, schema: CoreSchema) -> Compare:
        choices = schema["choices"]
        found = choices.values() if isinstance(choices, Mapping) else choices
        return _union([self._of(item[0] if isinstance(item, tuple) else item) for item in found])

    def _inner(self, schema: CoreSchema | None) -> Compare:
        return free if schema is None else self._of(schema)

    def _key(self, schema: CoreSchema | None) -> Compare:
        is_free = schema is None or self._contract.resolved(schema)["type"] == "any"
        return free_key if is_free else self._inner(schema)

    def _fields(self, schema: CoreSchema) -> dict[str, Compare]:
        return {field.name: self._of(field.schema) for field in self._contract.fields(schema)}

    def _object(self, schema: CoreSchema) -> Compare:
        if schema["type"] == "dataclass":
            return _of_dataclass(schema["cls"], self._fields(schema))
        fields = {"root": self._of(schema["schema"])} if schema.get("root_model") else self._fields(schema)
        return _of_model(schema["cls"], fields, free)


def _by_value(returned: Any, read: Any) -> Difference | None:
    """Compare by what the values are: single values, and whatever the contract does not tell."""
    kind = type(returned)
    if kind is not type(read):
        return Difference(returned, read)
    if kind in SCALARS:
        same = returned == read or (returned != returned and read != read)  # noqa: PLR0124 - NaN
        return None if same else Difference(returned, read)
    if isinstance(returned, BaseModel) or is_dataclass(returned):
        mine, theirs = dict(contents(returned)), dict(contents(read))
        return first((name, _by_value(value, theirs.get(name, ABSENT))) for name, value in mine.items())
    compare = next((one for classes, one in _CONTAINERS if isinstance(returned, classes)), _other)
    return compare(returned, read) or _attributes(returned, read)


def _other(returned: Any, read: Any) -> Difference | None:
    if isinstance(returned, Enum):  # as keys, 1 and "1" have the same bytes
        return None if returned is read or returned == read else Difference(returned, read)
    if getattr(type(returned), "__eq__", None) is object.__eq__:
        return None  # compares addresses; attributes and the bytes of both decide
    try:
        same = bool(returned == read) or bool(returned != returned and read != read)  # noqa: PLR0124 - NaN
        same = repr(returned) == repr(read) if type(returned) is complex else same or _same_moment(returned, read)
        same = same and (type(returned) is not Decimal or returned.is_signed() == read.is_signed())  # -0
    except Exception:  # noqa: BLE001 - arrays have no truth; the bytes of both decide
        return None
    # Of a time that comes twice in a night, this alone tells which it is; comparing does not see it.
    same = same and not (getattr(returned, "fold", 0) and returned.tzinfo is None)
    # Without a date, most zones have no offset: then such a time equals one without a zone.
    same = same and not (isinstance(returned, time) and (returned.tzinfo is None) != (read.tzinfo is None))
    return None if same else Difference(returned, read)


def _same_moment(returned: Any, read: Any) -> bool:
    """Whether two times are the same; in the hour that a night has twice, no time equals one of another zone."""
    if type(returned) is not datetime or returned.tzinfo is None or read.tzinfo is None:
        return False
    offset: bool = returned.utcoffset() == read.utcoffset()
    return offset and returned.replace(tzinfo=None) == read.replace(tzinfo=None)


def _attributes(returned: Any, read: Any) -> Difference | None:
    """How objects differ in attributes that no `__eq__` of their author compares."""
    classes = type(returned).__mro__
    if next(cls for cls in classes if "__eq__" in vars(cls)).__module__ != "builtins":
        return None
    slots = [vars(cls)["__slots__"] for cls in classes if "__slots__" in vars(cls)]
    names = [name for found in slots for name in ((found,) if isinstance(found, str) else found)]
    for name in filter(partial(hasattr, returned), [*getattr(returned, "__dict__", ()), *names]):
        mine, theirs = getattr(returned, name), getattr(read, name, ABSENT)
        if not name.startswith("_") and (type(mine) is not type(theirs) or (type(mine) in SCALARS and mine != theirs)):
            return Difference(mine, theirs).within(name)
    return None


def _same_kinds(returned: Iterable[Any], read: Iterable[Any]) -> bool:
    return [*map(type, returned)] == [*map(type, read)]


def _same_scalars(returned: Any, read: Any) -> bool:
    """Whether two collections of single values are the same: quicker than comparing each."""
    return SCALARS.issuperset(map(type, returned)) and returned == read and _same_kinds(returned, read)


def _listed(items: Compare) -> Compare:
    return _series(SEQUENCES, lambda _: repeat(items))


def _row(items: list[Compare], variadic: int | None) -> Compare:
    def each(number: int) -> Iterable[Compare]:
        if variadic is None:
            return items
        return [*items[:variadic], *[items[variadic]] * (number - len(items) + 1), *items[variadic + 1 :]]

    return _series((tuple,), each)


def _unordered(items: Compare) -> Compare:
    return _series((set, frozenset), lambda _: repeat(items))


def _series(classes: Any, each: Callable[[int], Iterable[Compare]]) -> Compare:
    """Compare collections of these classes item by item; `each` gives what compares them, by their number."""

    def compare(returned: Any, read: Any) -> Difference | None:
        if type(returned) is not type(read) or not isinstance(returned, classes):
            return _by_value(returned, read)
        if len(returned) != len(read) or getattr(returned, "maxlen", None) != getattr(read, "maxlen", None):
            return Difference(returned, read)
        mine, theirs = (sorted(one, key=_order) if set in classes else one for one in (returned, read))
        if _same_scalars(mine, theirs):
            return None
        triples = zip(each(len(returned)), mine, theirs, strict=False)
        return first((index, one(*pair)) for index, (one, *pair) in enumerate(triples))

    return compare


def _order(value: Any) -> bytes:
    return to_json(value, inf_nan_mode="constants", fallback=repr)


def _mapping(keys: Compare, values: Compare) -> Compare:
    def compare(returned: Any, read: Any) -> Difference | None:
        if type(returned) is not type(read) or not isinstance(returned, Mapping):
            return _by_value(returned, read)
        if len(returned) != len(read):
            return Difference(returned, read, merged(returned))
        if getattr(returned, "default_factory", None) is not getattr(read, "default_factory", None):
            return Difference(returned, read)
        pairs = zip(returned.items(), read.items(), strict=True)
        return first((str(mine[0]), keys(mine[0], theirs[0]) or values(mine[1], theirs[1])) for mine, theirs in pairs)

    return compare


def _union(choices: list[Compare]) -> Compare:
    distinct = list(dict.fromkeys(choices))
    if len(distinct) == 1:
        return distinct[0]

    def compare(returned: Any, read: Any) -> Difference | None:
        deepest: Difference | None = None
        for choice in distinct:
            difference = choice(returned, read)
            if difference is None:
                return None
            if deepest is None or len(difference.path) > len(deepest.path):
                deepest = difference
        return deepest

    return compare


def _of_model(cls: type[BaseModel], fields: dict[str, Compare], extra: Compare) -> Compare:
    def compare(returned: Any, read: Any) -> Difference | None:
        if type(returned) is not cls or type(read) is not cls:
            return _by_value(returned, read)
        mine, theirs = returned.__dict__, read.__dict__
        for name, one in fields.items():
            if difference := one(mine.get(name, ABSENT), theirs.get(name, ABSENT)):
                return difference.within(name)
        if len(mine) > len(theirs) and (difference := _undeclared(cls, mine, theirs)):
            return difference
        more, other = returned.__pydantic_extra__, read.__pydantic_extra__
        return _entries(more or {}, other or {}, {}, extra) if more or other else None

    return compare


def _of_dataclass(cls: type, fields: dict[str, Compare]) -> Compare:
    def compare(returned: Any, read: Any) -> Difference | None:
        if type(returned) is not cls or type(read) is not cls:
            return _by_value(returned, read)
        for name, one in fields.items():
            if difference := one(getattr(returned, name, ABSENT), getattr(read, name, ABSENT)):
                return difference.within(name)
        return _undeclared(cls, getattr(returned, "__dict__", {}), getattr(read, "__dict__", {}))

    return compare


def _undeclared(cls: type, returned: Mapping[str, Any], read: Mapping[str, Any]) -> Difference | None:
    """An attribute that no field declares, such as what `model_copy(update=…)` has added."""
    for name in sorted(returned.keys() - read.keys()):
        if not name.startswith("_") and not hasattr(cls, name):  # a cached property is an attribute of the class
            return Difference(returned[name], ABSENT).within(name)
    return None


def _of_typed_dict(fields: dict[str, Compare], extra: Compare) -> Compare:
    def compare(returned: Any, read: Any) -> Difference | None:
        if type(returned) is not type(read) or not isinstance(returned, dict):
            return _by_value(returned, read)
        return _entries(returned, read, fields, extra)

    return compare


def _entries(
    returned: Mapping[str, Any], read: Mapping[str, Any], fields: Mapping[str, Compare], other: Compare
) -> Difference | None:
    """Compare entries by name: those of known fields as these are, others by `other`."""
    names = [*returned, *(name for name in read if name not in returned)]
    return first(
        (str(name), fields.get(name, other)(returned.get(name, ABSENT), read.get(name, ABSENT))) for name in names
    )


_CONTAINERS: list[tuple[Any, Compare]] = [
    (SEQUENCES, _listed(_by_value)),
    ((set, frozenset), _unordered(_by_value)),
    (Mapping, _mapping(_by_value, _by_value)),
]


def same_value(returned: Any, read: Any) -> Difference | None:
    """How a value of a table differs from what reads back; Parquet has one order of keys for all rows."""
    if type(returned) is dict and type(read) is dict:
        return _entries(returned, read, {}, same_value)
    if type(returned) is list and type(read) is list and len(returned) == len(read):
        if _same_scalars(returned, read):
            return None
        return first((index, same_value(*pair)) for index, pair in enumerate(zip(returned, read, strict=True)))
    return _by_value(returned, read)


def different_json(written: Any, again: Any) -> Difference:
    """Where the JSON of an item differs from the JSON of what was read from it."""
    difference = _by_value(written, again) or Difference(written, again)
    difference.reason = (
        f"is stored as {short(difference.returned)}, but as {short(difference.read)} once it has been read"
    )
    return difference
