"""Models of configuration, which become pydantic's only where a JSON Schema is written.

`wurzel.project.read` needs the fields of such a model and no object of it. Pydantic takes 0.4 ms to define one, and
every command that reads `wurzel.yaml` would pay that ten times.
"""

from collections.abc import Mapping
from copy import copy
from functools import cache
from types import SimpleNamespace
from typing import Any, get_type_hints

from pydantic import BaseModel, ConfigDict, create_model
from pydantic.fields import FieldInfo


class _Definition(type):
    """Takes the fields out of the body of a class, where they are written as for pydantic.

    `fields` are those that are known when the program runs: annotation and `Field` by name.
    """

    _own: Mapping[str, FieldInfo]
    _given: Mapping[str, Any]

    def __new__(cls, name: str, bases: tuple[type, ...], body: dict[str, Any], fields: Any = None) -> Any:
        """The class, whose annotations are read when its fields are asked for."""
        given = fields or {}
        own = {key: field for key, (_, field) in given.items()}
        own |= {key: body.pop(key) for key, value in list(body.items()) if isinstance(value, FieldInfo)}
        types = {key: annotation for key, (annotation, _) in given.items()}
        return super().__new__(cls, name, bases, {**body, "_own": own, "_given": types})

    @property
    def model_fields(cls) -> dict[str, FieldInfo]:
        """The fields by name, those of the base first."""
        return _fields(cls)


@cache
def _fields(cls: _Definition) -> dict[str, FieldInfo]:
    fields: dict[str, FieldInfo] = {}
    for base in reversed(cls.__mro__[:-1]):
        hints = base.__annotations__
        if any(isinstance(hint, str) for hint in hints.values()):
            hints = get_type_hints(base, include_extras=True)
        annotations = {**hints, **vars(base)["_given"]}
        for name, field in vars(base)["_own"].items():
            fields[name] = copy(field)
            fields[name].annotation = annotations[name]
    return fields


class ConfigModel(metaclass=_Definition):
    """Base of all models of `wurzel.yaml`."""

    @classmethod
    def model_construct(cls, **values: Any) -> Any:
        """An object with these values, and the defaults of other fields."""
        fields = cls.model_fields.items()
        return SimpleNamespace(
            **{name: field.get_default(call_default_factory=True) for name, field in fields} | values
        )

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: Any, handler: Any) -> Any:
        return handler(pydantic_model(cls))


@cache
def pydantic_model(cls: type[ConfigModel]) -> type[BaseModel]:
    """The same as a model of pydantic, which writes a JSON Schema."""
    fields: dict[str, Any] = {name: (field.annotation, copy(field)) for name, field in cls.model_fields.items()}
    config = ConfigDict(frozen=True, extra="forbid", defer_build=True)
    return create_model(cls.__name__, __config__=config, __doc__=cls.__doc__, __module__=cls.__module__, **fields)
