"""Models that are defined quickly, and known to pydantic where something is validated or a JSON Schema is written.

Pydantic takes a third of a millisecond to define a model, and a cold render defines fifty, most of which it only makes
without validation, or not at all. Type checkers see models of pydantic.
"""

from copy import copy, deepcopy
from functools import cache, partial
from inspect import get_annotations
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self, get_args, get_origin, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, create_model
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from wurzel.patterns import pattern

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
    from pydantic_core import CoreSchema

CONFIG = ConfigDict(frozen=True, extra="forbid", defer_build=True)

_BASE = "or derive the class from pydantic's BaseModel"
_REFUSED = {
    "PydanticDescriptorProxy": f"pydantic would not run it; write `def _check(self) -> None`, {_BASE}",
    "ModelPrivateAttr": f"objects would not have it; make it a field, {_BASE}",
    "cached_property": f"its value would count as a field; write a property, {_BASE}",
}
"""Members of classes of pydantic that would have no effect, or another one; by the name of their type."""
_CHANGING = (dict, list, set)
_NOT_CALLED = frozenset({"model_post_init", "Config"})
_CLASS_VAR = pattern(r"(\w+\.)?ClassVar\b")
"""Of annotations that are texts."""


class _Definition(type):
    """Takes the fields out of the body of a class, where they are written as for pydantic."""

    _own: "Mapping[str, FieldInfo]"
    _given: "Mapping[str, Any]"

    def __new__(cls, name: str, bases: tuple[type, ...], body: dict[str, Any], fields: Any = None) -> Any:
        """The class; `fields` are those that are known when the program runs: annotation and `Field` by name."""
        made = super().__new__(cls, name, bases, body)
        _check_members(made, body)
        own = {key: field for key, (_, field) in (fields or {}).items()}
        for key, annotation in get_annotations(made).items():
            if not key.startswith("_") and not _is_class_var(annotation):
                own[key] = _as_field(body.get(key, PydanticUndefined))
                if key in body:
                    delattr(made, key)
        made._own, made._given = own, {key: annotation for key, (annotation, _) in (fields or {}).items()}
        return made

    @property
    def model_fields(cls) -> dict[str, FieldInfo]:
        """The fields by name, those of the base first."""
        return _fields(cls)


def _check_members(made: type, body: dict[str, Any]) -> None:
    """Raise `TypeError` for what would be lost without notice."""
    bases = [base for base in made.__mro__[1:] if isinstance(base, _Definition)]
    fields = {key for base in bases for key in base._own} - get_annotations(made).keys()  # noqa: SLF001
    for key, value in body.items():
        if reason := _REFUSED.get("PydanticDescriptorProxy" if key in _NOT_CALLED else type(value).__name__):
            raise TypeError(f"{made.__name__}.{key}: {reason}")
        if key in fields or (key == "model_config" and bases):
            advice = "annotate it, as a field" if key in fields else f"leave it out, {_BASE}"
            raise TypeError(f"{made.__name__}.{key} would have no effect; {advice}")


def _is_class_var(annotation: Any) -> bool:
    if isinstance(annotation, str):
        return _CLASS_VAR.match(annotation) is not None
    return ClassVar in {annotation, get_origin(annotation)}


def _as_field(default: Any) -> FieldInfo:
    return default if isinstance(default, FieldInfo) else Field(default)


@cache
def _fields(cls: _Definition) -> dict[str, FieldInfo]:
    bases = [base for base in reversed(cls.__mro__) if isinstance(base, _Definition)]
    return {name: field for base in bases for name, field in _own_fields(base).items()}


@cache
def _own_fields(cls: _Definition) -> dict[str, FieldInfo]:
    annotations = get_annotations(cls)
    if any(isinstance(annotation, str) for annotation in annotations.values()):
        annotations = get_type_hints(cls, include_extras=True)
    annotations |= cls._given
    return {name: _annotated(field, annotations[name]) for name, field in cls._own.items()}


def _annotated(field: FieldInfo, annotation: Any) -> FieldInfo:
    """The field with its annotation, and what that is annotated with; a copy if it is the field of another model."""
    if field.annotation is annotation:
        return field
    if field.annotation is not None:
        field = copy(field)
    elif get_origin(annotation) is Annotated:
        inner, *extras = get_args(annotation)
        if any(isinstance(extra, FieldInfo) for extra in extras):  # takes a while
            return FieldInfo.from_annotated_attribute(annotation, field)
        annotation, field.metadata = inner, [*extras, *field.metadata]
    field.annotation = annotation
    return field


@cache
def _defaults(cls: Any) -> "tuple[tuple[str, Any, Callable[[], Any] | None], ...]":
    """Name, default and default factory of each field; models share their defaults, but for those that can change."""
    return tuple(
        (name, field.default, partial(deepcopy, field.default) if isinstance(field.default, _CHANGING) else factory)
        for name, field in cls.model_fields.items()
        for factory in (field.default_factory,)
    )


@cache
def _adapter(cls: Any) -> Any:
    from pydantic import TypeAdapter

    return TypeAdapter(cls, config=ConfigDict(title=cls.__name__))  # for errors, which would name our function


@cache
def pydantic_model(cls: Any) -> type[BaseModel]:
    """The model that pydantic would make of the class."""
    # A copy down to its lists, since pydantic 2.11 changes what it is given.
    fields: dict[str, Any] = {name: (field.annotation, deepcopy(field)) for name, field in cls.model_fields.items()}
    # Of another name, by which a model that contains itself could find it in place of our class.
    return create_model(f"_{cls.__name__}", __config__=CONFIG, __doc__=cls.__doc__, __module__=cls.__module__, **fields)


if TYPE_CHECKING:

    class Model(BaseModel):
        """Base of frozen models that are strict about unknown fields."""

        model_config = CONFIG

        def __init_subclass__(cls, *, fields: Any = None) -> None: ...

        def _check(self) -> None:
            """Raise `ValueError` where fields contradict each other."""

else:

    class Model(metaclass=_Definition):
        """Base of frozen models that are strict about unknown fields."""

        __slots__ = ("__dict__", "__pydantic_extra__", "__pydantic_fields_set__", "__pydantic_private__", "__weakref__")
        model_config = CONFIG

        def __init__(self, /, **values: Any) -> None:
            made = self.model_validate(values)
            _fill(self, made.__dict__, made.__pydantic_fields_set__)

        def _check(self) -> None:
            """Raise `ValueError` where fields contradict each other."""

        @classmethod
        def model_construct(cls, _fields_set: set[str] | None = None, **values: Any) -> Self:
            """An object of these values and the defaults of other fields, without validation."""
            fields: dict[str, Any] = {}
            for name, default, factory in _defaults(cls):
                if name in values:
                    fields[name] = values[name]
                elif factory is not None:
                    fields[name] = factory()
                elif default is not PydanticUndefined:
                    fields[name] = default
            return _fill(
                cls.__new__(cls), fields, fields.keys() & values.keys() if _fields_set is None else _fields_set
            )

        @classmethod
        def model_validate(cls, data: Any, **options: Any) -> Self:
            """An object of this data, with options of pydantic. Raises `ValidationError`."""
            return _adapter(cls).validate_python(data, **options)

        @classmethod
        def model_validate_json(cls, text: str | bytes, **options: Any) -> Self:
            """The same of JSON."""
            return _adapter(cls).validate_json(text, **options)

        @classmethod
        def model_json_schema(cls, **options: Any) -> dict[str, Any]:
            """The JSON Schema that pydantic writes."""
            return _adapter(cls).json_schema(**options)

        def model_dump(self, **options: Any) -> dict[str, Any]:
            """Plain data, with options of pydantic."""
            return _adapter(type(self)).dump_python(self, **options)

        def model_dump_json(self, **options: Any) -> str:
            """The same as JSON."""
            return _adapter(type(self)).dump_json(self, **options).decode()

        def model_copy(self, *, update: "Mapping[str, Any] | None" = None, deep: bool = False) -> Self:
            """The same with other values, which are not validated."""
            changed, values = update or {}, deepcopy(self.__dict__) if deep else self.__dict__
            return _fill(type(self).__new__(type(self)), values | changed, self.model_fields_set | changed.keys())

        @property
        def model_fields_set(self) -> set[str]:
            """Names of the fields that were given."""
            return self.__pydantic_fields_set__

        @classmethod
        def __get_pydantic_core_schema__(cls, _source: Any, handler: "GetCoreSchemaHandler") -> "CoreSchema":
            """Pydantic's schema of the model, which makes objects of this class."""
            from pydantic_core import core_schema

            name = f"{cls.__module__}.{cls.__qualname__}:{id(cls)}"
            try:
                found: Any = handler.resolve_ref_schema(handler(pydantic_model(cls)))
            except LookupError:  # the model contains itself, and is not finished yet
                return core_schema.definition_reference_schema(name)
            schema = {**found, "cls": cls, "schema": {**found["schema"], "model_name": cls.__name__}, "ref": name}
            if not has_check(cls):
                return schema
            del schema["ref"]
            return core_schema.no_info_after_validator_function(checked, schema, ref=name)

        def __eq__(self, other: object) -> bool:
            return self.__dict__ == other.__dict__ if type(other) is type(self) else NotImplemented

        def __hash__(self) -> int:
            return hash((type(self), tuple(self.__dict__.values())))

        def __repr__(self) -> str:
            return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in self.__dict__.items())})"

        def __iter__(self) -> "Iterator[tuple[str, Any]]":
            return iter(self.__dict__.items())

        def __setattr__(self, name: str, _value: Any) -> None:
            raise AttributeError(f"{type(self).__name__} is frozen: {name!r} cannot be changed")

        __delattr__ = __setattr__

        def __reduce__(self) -> Any:
            return _restored, (type(self), self.__dict__, self.__pydantic_fields_set__)


class Before:
    """Annotates a type with a function that takes its values before pydantic does, and the JSON Schema of these values.

    Like `BeforeValidator` and `WithJsonSchema`, for whose modules a cold start has no other use.
    """

    _kind = "no_info_before_validator_function"

    def __init__(self, func: "Callable[[Any], Any]", schema: "Mapping[str, Any] | None" = None) -> None:
        self.func = func
        self.schema = schema

    def __get_pydantic_core_schema__(self, source: Any, handler: "GetCoreSchemaHandler") -> "CoreSchema":
        from pydantic_core import core_schema

        made: CoreSchema = getattr(core_schema, self._kind)(self.func, handler(source))
        return made

    def __get_pydantic_json_schema__(self, schema: "CoreSchema", handler: "GetJsonSchemaHandler") -> dict[str, Any]:
        return handler(schema) if self.schema is None else dict(self.schema)


class After(Before):
    """The same with a function that takes values after pydantic."""

    _kind = "no_info_after_validator_function"


def is_before(mark: Any) -> bool:
    """Whether an annotation is `Before`, or `BeforeValidator` of pydantic."""
    return type(mark).__name__ in {"Before", "BeforeValidator"}


def has_check(cls: Any) -> bool:
    """Whether there is more to check than each field."""
    checks = [vars(base)["_check"] for base in cls.__mro__ if "_check" in vars(base)]
    return Model._check in checks[1:]  # noqa: SLF001 - a `_check` that does not derive from ours means something else


def checked(model: Any) -> Any:
    """The model, whose fields do not contradict each other. Raises `ValueError`."""
    model._check()  # noqa: SLF001
    return model


def _restored(cls: Any, fields: dict[str, Any], given: set[str]) -> Any:
    return _fill(cls.__new__(cls), dict(fields), given)


def _fill(made: Any, fields: dict[str, Any], given: Any) -> Any:
    for name, value in (("__dict__", fields), ("__pydantic_fields_set__", set(given))):
        object.__setattr__(made, name, value)
    object.__setattr__(made, "__pydantic_extra__", None)
    object.__setattr__(made, "__pydantic_private__", None)
    return made
