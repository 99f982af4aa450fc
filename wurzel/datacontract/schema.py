"""What pydantic's core schema says of a contract: which types its items reach, and under which names fields are stored.

The schema is read instead of annotations, since it is what pydantic writes and reads by, with all aliases, validators
and defaults in place: https://docs.pydantic.dev/latest/internals/architecture/.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from wurzel.named_tuples import NamedTuple

CoreSchema = Mapping[str, Any]

LEAVES = frozenset({"none", "bool", "int", "float", "str", "bytes", "date", "enum", "literal", "uuid"})
"""Types whose values contain no other values."""
WITH_FIELDS = frozenset({"model", "dataclass", "typed-dict"})
_FIELDS = frozenset({"model-fields", "dataclass-args", "typed-dict"})
_EXACT = (
    LEAVES
    | WITH_FIELDS
    | {"any", "list", "tuple", "set", "frozenset", "dict", "nullable", "default", "union", "tagged-union"}
)
_EXACT |= _FIELDS | {"model-field", "dataclass-field", "typed-dict-field"}
_COLLECTIONS = frozenset({"list", "set", "frozenset", "dict"})
_ITEMS = frozenset({"items_schema", "keys_schema", "values_schema"})
_OF_MANY_FORMS = frozenset({"datetime", "time", "timedelta", "decimal"})
"""Types whose values may be equal and yet have different JSON, such as the decimals 1.0 and 1.00."""
_NO_SCHEMAS = frozenset(
    {"serialization", "metadata", "function", "config", "computed_fields", "default", "default_factory", "expected"}
    | {"members", "missing", "discriminator", "cls", "ref", "post_init"}
)


class Field(NamedTuple):
    """A stored field: its name, the schema of its values, the name it is written under and those it is read from."""

    name: str
    schema: CoreSchema
    written: str
    read: frozenset[str]
    optional: bool
    """Whether some of its values are left out of what is stored (`exclude_if`)."""


class Schema:
    """The types that items of a contract reach."""

    def __init__(self, schema: CoreSchema) -> None:
        self._definitions: dict[str, CoreSchema] = {}
        self.root = self.resolved(schema)

    def resolved(self, schema: CoreSchema) -> CoreSchema:
        """The schema that a reference stands for."""
        while schema["type"] in {"definitions", "definition-ref"}:
            if schema["type"] == "definition-ref":
                schema = self._definitions[schema["schema_ref"]]
            else:
                self._definitions |= {str(item["ref"]): item for item in schema["definitions"]}
                schema = schema["schema"]
        return schema

    @cached_property
    def sets(self) -> bool:
        """Whether items may contain sets, whose order differs from process to process."""
        return bool(self._kinds & {"set", "frozenset"})

    @cached_property
    def free(self) -> bool:
        """Whether items may contain values of any type."""
        return "any" in self._kinds

    @cached_property
    def exact(self) -> bool:
        """Whether equal items have equal JSON; otherwise only their bytes tell."""
        return self.is_plain and not self._kinds & _OF_MANY_FORMS

    @cached_property
    def is_plain(self) -> bool:
        """Whether items consist of values of known types, which no code of an author reads or writes."""
        custom = any("serialization" in schema for schema in self._all)
        return self._kinds <= _EXACT | _OF_MANY_FORMS and not custom

    @cached_property
    def one_infinity(self) -> bool:
        """Whether NaN and infinities are written alike in all of an item."""
        configs = [schema.get("config") or {} for schema in self._all if schema["type"] in WITH_FIELDS]
        return "float" not in self._kinds or all(config.get("ser_json_inf_nan") == "constants" for config in configs)

    @cached_property
    def by_alias(self) -> bool:
        """Whether each field is read from the name that it is written under, and from no other field's."""
        return all(_fits(list(self.fields(schema))) for schema in self._all if schema["type"] in WITH_FIELDS)

    def fields(self, schema: CoreSchema) -> Iterator[Field]:
        """The fields of a model, dataclass or `TypedDict` that are stored."""
        config = schema.get("config") or {}
        inner = schema
        while inner["type"] not in _FIELDS:
            if inner.get("root_model") or "schema" not in inner:
                return
            inner = self.resolved(inner["schema"])
        found = inner["fields"]
        named = found.items() if isinstance(found, Mapping) else ((field["name"], field) for field in found)
        for name, field in named:
            if field.get("serialization_exclude") is not True and not field.get("init_only"):
                written, optional = field.get("serialization_alias") or name, "serialization_exclude_if" in field
                yield Field(name, field["schema"], written, _read(name, field, config), optional)

    @cached_property
    def _kinds(self) -> frozenset[str]:
        kinds = {str(schema["type"]) for schema in self._all}
        if any(allows_extra(schema) or _is_bare(schema) for schema in self._all):
            kinds.add("any")
        return frozenset(kinds)

    @cached_property
    def _all(self) -> list[CoreSchema]:
        """Every schema that is reached from the root, once."""
        found: dict[int, CoreSchema] = {}
        todo = [self.root]
        while todo:
            schema = self.resolved(todo.pop())
            if id(schema) not in found:
                found[id(schema)] = schema
                todo += [] if schema.get("serialization_exclude") is True else _within(schema)
        return list(found.values())


def allows_extra(schema: CoreSchema) -> bool:
    """Whether values may have fields that are not declared."""
    return "allow" in {schema.get("extra_behavior"), (schema.get("config") or {}).get("extra_fields_behavior")}


def _is_bare(schema: CoreSchema) -> bool:
    """Whether it is a collection whose items may be anything, since it does not say what they are."""
    return schema["type"] in _COLLECTIONS and _ITEMS.isdisjoint(schema)


def _within(schema: CoreSchema) -> Iterator[CoreSchema]:
    for key, value in schema.items():
        if key not in _NO_SCHEMAS:
            yield from _schemas(value)


def _schemas(value: Any) -> Iterator[CoreSchema]:
    if isinstance(value, Mapping):
        if isinstance(value.get("type"), str):
            yield value
        else:
            for inner in value.values():
                yield from _schemas(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _schemas(inner)


def _read(name: str, field: CoreSchema, config: CoreSchema) -> frozenset[str]:
    alias = field.get("validation_alias")
    if alias is None:
        return frozenset({name})
    paths = [[alias]] if isinstance(alias, str) else alias if isinstance(alias[0], list) else [alias]
    names = {path[0] for path in paths if len(path) == 1} if config.get("validate_by_alias", True) else set()
    if config.get("validate_by_name") or config.get("populate_by_name"):
        names.add(name)
    return frozenset(names)


def _fits(fields: list[Field]) -> bool:
    read = [name for field in fields for name in field.read]
    return all(field.written in field.read and read.count(field.written) == 1 for field in fields)
