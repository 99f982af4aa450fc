"""Compares what a step returned with what reads back, by functions that are prepared once for each contract.

Pydantic writes the fields of the declared class, not those of the object, and reads back whatever validation makes of
them. So an item can lose fields, change its class or change its values without any error; comparing is how to find out.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime, time
from decimal import Decimal
from enum import Enum
from functools import partial
from typing import Any

from pydantic import BaseModel
from pydantic_core import to_json

from wurzel.datacontract.codec import short
from wurzel.datacontract.difference import ABSENT, Difference
from wurzel.datacontract.free import SCALARS, SEQUENCES, contents, first, free, free_key, is_dataclass, merged, once
from wurzel.datacontract.schema import LEAVES, CoreSchema, Schema, allows_extra

Compare = Callable[[Any, Any], Difference | None]


class Comparison:
    """Gives the first difference between an item and what reads back, or `None`."""

    def __init__(self, contract: Schema, schema: CoreSchema, *, json_in_any: bool) -> None:
        """Compare items of a schema; `contract` knows what references in it stand for.

        With `json_in_any`, the JSON form of a value will do in fields of type `Any`, such as the text of a date, unless
        it hides a secret or merges keys. Otherwise such values must be equal, which is faster to check.
        """
        self.promoted = False
        """Whether an `int` was returned for a `float`, which type checkers allow and pydantic allows for defaults."""
        self._contract = contract
        self._free = free if json_in_any else _equal_only
        self._free_key = free_key if json_in_any else _equal_only
        self._real: Compare = self._real_number
        self._plain = frozenset({_leaf, self._real})
        self._made: dict[int, Compare] = {}
        self._parts: dict[str, Callable[[CoreSchema], Compare]] = {
            # `SkipValidation[Doc]` is of no type when it is read, but of a type when it is written.
            "any": lambda schema: _dynamic if "schema" in schema.get("serialization", {}) else self._free,
            "generator": lambda _: once,
            "list": self._list,
            "set": self._set,
            "frozenset": self._set,
            "tuple": self._tuple,
            "dict": self._dict,
            "model": self._object,
            "dataclass": self._object,
            "typed-dict": self._typed_dict,
            "union": self._choices,
            "tagged-union": self._choices,
            "chain": lambda schema: self._of(schema["steps"][-1]),
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
        return _leaf(returned, read)

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
            return self._real if kind == "float" else _leaf
        if kind in self._parts:
            return self._parts[kind](schema)
        inner = schema.get("schema") or schema.get("lax_schema") or schema.get("python_schema")
        return _dynamic if inner is None else self._of(inner)

    def _choices(self, schema: CoreSchema) -> Compare:
        choices = schema["choices"]
        found = choices.values() if isinstance(choices, Mapping) else choices
        return _union([self._of(item[0] if isinstance(item, tuple) else item) for item in found])

    def _inner(self, schema: CoreSchema | None) -> Compare:
        return self._free if schema is None else self._of(schema)

    def _key(self, schema: CoreSchema | None) -> Compare:
        free = schema is None or self._contract.resolved(schema)["type"] == "any"
        return self._free_key if free else self._inner(schema)

    def _list(self, schema: CoreSchema) -> Compare:
        return _listed(self._inner(schema.get("items_schema")), self._plain)

    def _set(self, schema: CoreSchema) -> Compare:
        return _unordered(self._inner(schema.get("items_schema")))

    def _tuple(self, schema: CoreSchema) -> Compare:
        return _row([self._of(item) for item in schema["items_schema"]], schema.get("variadic_item_index"))

    def _dict(self, schema: CoreSchema) -> Compare:
        keys, values = self._key(schema.get("keys_schema")), self._inner(schema.get("values_schema"))
        return _mapping(keys, values, self._plain)

    def _object(self, schema: CoreSchema) -> Compare:
        fields = {field.name: self._of(field.schema) for field in self._contract.fields(schema)}
        if schema.get("root_model"):
            fields = {"root": self._of(schema["schema"])}
        if schema["type"] == "dataclass":
            return _of_dataclass(schema["cls"], fields)
        return _of_model(schema["cls"], fields, self._free, self._plain)

    def _typed_dict(self, schema: CoreSchema) -> Compare:
        fields = {field.name: self._of(field.schema) for field in self._contract.fields(schema)}
        return _of_typed_dict(fields, self._free if allows_extra(schema) else _leaf)


def _leaf(returned: Any, read: Any) -> Difference | None:
    if type(returned) is not type(read):
        return Difference(returned, read)
    if type(returned) not in SCALARS:
        return _dynamic(returned, read)
    if returned == read or (returned != returned and read != read):  # noqa: PLR0124 - NaN
        return None
    return Difference(returned, read)


def _equal_only(returned: Any, read: Any) -> Difference | None:
    return None if returned is read or _equal(returned, read) else Difference(returned, read)


def _equal(returned: Any, read: Any) -> bool:
    try:
        return bool(returned == read)
    except Exception:  # noqa: BLE001 - an author's `__eq__`, or that of an array, may do anything
        return False


def _dynamic(returned: Any, read: Any) -> Difference | None:
    """Compare by what the values are, where the contract does not tell."""
    kind = type(returned)
    if kind is not type(read):
        return Difference(returned, read)
    if kind in SCALARS:
        return _leaf(returned, read)
    if isinstance(returned, BaseModel) or is_dataclass(returned):
        mine, theirs = dict(contents(returned)), dict(contents(read))
        return first((name, _dynamic(value, theirs.get(name, ABSENT))) for name, value in mine.items())
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


def _listed(items: Compare, leaves: Collection[Compare] = ()) -> Compare:
    plain = items in leaves

    def compare(returned: Any, read: Any) -> Difference | None:
        if type(returned) is not type(read):
            return Difference(returned, read)
        if not isinstance(returned, SEQUENCES):
            return _dynamic(returned, read)
        if len(returned) != len(read) or getattr(returned, "maxlen", None) != getattr(read, "maxlen", None):
            return Difference(returned, read)
        if plain and returned == read and SCALARS.issuperset(map(type, returned)) and _same_kinds(returned, read):
            return None
        return first((index, items(*pair)) for index, pair in enumerate(zip(returned, read, strict=True)))

    return compare


def _row(items: list[Compare], variadic: int | None) -> Compare:
    def compare(returned: Any, read: Any) -> Difference | None:
        if type(returned) is not type(read):
            return Difference(returned, read)
        if not isinstance(returned, tuple):
            return _dynamic(returned, read)
        if len(returned) != len(read):
            return Difference(returned, read)
        each = items
        if variadic is not None:
            more = len(returned) - len(items) + 1
            each = [*items[:variadic], *[items[variadic]] * more, *items[variadic + 1 :]]
        triples = zip(each, returned, read, strict=False)
        return first((index, one(mine, theirs)) for index, (one, mine, theirs) in enumerate(triples))

    return compare


def _unordered(items: Compare) -> Compare:
    def compare(returned: Any, read: Any) -> Difference | None:
        if type(returned) is not type(read):
            return Difference(returned, read)
        if not isinstance(returned, set | frozenset):
            return _dynamic(returned, read)
        if len(returned) != len(read):
            return Difference(returned, read)
        if returned == read and {str}.issuperset(map(type, returned)) and {str}.issuperset(map(type, read)):
            return None
        pairs = zip(sorted(returned, key=_order), sorted(read, key=_order), strict=True)
        return first((index, items(*pair)) for index, pair in enumerate(pairs))

    return compare


def _order(value: Any) -> bytes:
    return to_json(value, inf_nan_mode="constants", fallback=repr)


def _mapping(keys: Compare, values: Compare, plain: Collection[Compare] = ()) -> Compare:
    by_equality = keys in plain and (values in plain or values is _equal_only)
    leaves = values in plain

    def compare(returned: Any, read: Any) -> Difference | None:
        if type(returned) is not type(read):
            return Difference(returned, read)
        if not isinstance(returned, Mapping):
            return _dynamic(returned, read)
        if len(returned) != len(read):
            return Difference(returned, read, merged(returned))
        if getattr(returned, "default_factory", None) is not getattr(read, "default_factory", None):
            return Difference(returned, read)
        if (
            by_equality
            and _equal(returned, read)
            and SCALARS.issuperset(map(type, returned))
            and _same_kinds(returned, read)
        ):
            kinds = map(type, returned.values())
            if not leaves or (SCALARS.issuperset(kinds) and _same_kinds(returned.values(), read.values())):
                return None
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


def _of_model(cls: type[BaseModel], fields: dict[str, Compare], extra: Compare, leaves: Collection[Compare]) -> Compare:
    all_plain = list(fields) == list(cls.model_fields) and all(one in leaves for one in fields.values())

    def compare(returned: Any, read: Any) -> Difference | None:
        if type(returned) is not type(read):
            return Difference(returned, read)
        if type(returned) is not cls:
            return _dynamic(returned, read)
        mine, theirs = returned.__dict__, read.__dict__
        if not (
            all_plain
            and mine == theirs
            and SCALARS.issuperset(map(type, mine.values()))
            and _same_kinds(mine.values(), theirs.values())
        ):
            for name, one in fields.items():
                if difference := one(mine.get(name, ABSENT), theirs.get(name, ABSENT)):
                    return difference.within(name)
        if len(mine) > len(theirs) and (difference := _undeclared(cls, mine, theirs)):
            return difference
        more, other = returned.__pydantic_extra__, read.__pydantic_extra__
        return _extra(more or {}, other or {}, extra) if more or other else None

    return compare


def _extra(returned: Mapping[str, Any], read: Mapping[str, Any], extra: Compare) -> Difference | None:
    names = [*returned, *(name for name in read if name not in returned)]
    return first((name, extra(returned.get(name, ABSENT), read.get(name, ABSENT))) for name in names)


def _of_dataclass(cls: type, fields: dict[str, Compare]) -> Compare:
    def compare(returned: Any, read: Any) -> Difference | None:
        if type(returned) is not type(read):
            return Difference(returned, read)
        if type(returned) is not cls:
            return _dynamic(returned, read)
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
        if type(returned) is not type(read):
            return Difference(returned, read)
        if not isinstance(returned, dict):
            return _dynamic(returned, read)
        names = [*returned, *(name for name in read if name not in returned)]
        return first(
            (str(name), fields.get(name, extra)(returned.get(name, ABSENT), read.get(name, ABSENT))) for name in names
        )

    return compare


_CONTAINERS: list[tuple[Any, Compare]] = [
    (SEQUENCES, _listed(_dynamic)),
    ((set, frozenset), _unordered(_dynamic)),
    (Mapping, _mapping(_dynamic, _dynamic)),
]


def same_value(returned: Any, read: Any) -> Difference | None:
    """How a value of a table differs from what reads back; Parquet has one order of keys for all rows."""
    if type(returned) is dict and type(read) is dict:
        names = [*returned, *(name for name in read if name not in returned)]
        return first((str(name), same_value(returned.get(name, ABSENT), read.get(name, ABSENT))) for name in names)
    if type(returned) is list and type(read) is list and len(returned) == len(read):
        if returned == read and SCALARS.issuperset(map(type, returned)) and _same_kinds(returned, read):
            return None
        return first((index, same_value(*pair)) for index, pair in enumerate(zip(returned, read, strict=True)))
    return _dynamic(returned, read)


def different_json(written: Any, again: Any) -> Difference:
    """Where the JSON of an item differs from the JSON of what was read from it."""
    difference = _dynamic(written, again) or Difference(written, again)
    difference.reason = (
        f"is stored as {short(difference.returned)}, but as {short(difference.read)} once it has been read"
    )
    return difference
