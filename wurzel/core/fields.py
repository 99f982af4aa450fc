"""Several inputs and outputs of a step: classes whose fields are datasets."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable
from typing import (
    TYPE_CHECKING,
    Any,
    ClassVar,
    Generic,
    Literal,
    TypeVar,
    dataclass_transform,
    get_args,
    get_origin,
)

from wurzel.core.parameters import as_given, bindings, resolved
from wurzel.datacontract.names import class_path
from wurzel.datacontract.shape import STREAMS, Shape, shape_of, substituted, type_text, unaliased, without_none
from wurzel.exceptions import StaticTypeError
from wurzel.named_tuples import NamedTuple

Form = Literal["value", "iterator", "iterable"]
"""How `run` takes or gives a dataset: as a whole, or item by item."""

MAX_NAME = 63
"""Longest name of an input or output: it names folders, and jobs' artifacts."""

P = TypeVar("P", bound="Ports")

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_NAMES = f"Use at most {MAX_NAME} of a-z, A-Z, 0-9 and _, with a letter first."
_FORMS: dict[Any, Form] = dict(zip(STREAMS, ("iterator", "iterable"), strict=True))


@dataclass_transform(frozen_default=True, kw_only_default=True)
class Ports:
    """Base of `Inputs` and `Outputs`: each sub-class is a frozen dataclass whose arguments are given by name."""

    __wurzel_ports__: ClassVar[bool] = True

    def __class_getitem__(cls, parameters: Any) -> Any:
        """The class with type parameters, in which `A | B` stays apart from `B | A`."""
        if not issubclass(cls, Generic):
            raise TypeError(f"{cls.__name__} does not have type parameters")
        return as_given(super().__class_getitem__(parameters), parameters)  # type: ignore[misc]

    def __init_subclass__(cls, **options: Any) -> None:
        """Make the class a dataclass. Raises `StaticTypeError` for fields with a default or an unusable name."""
        super().__init_subclass__(**options)
        try:
            # The methods below do what those would that are compiled otherwise, for each class and at each start.
            dataclasses.dataclass(frozen=True, kw_only=True, init=False, repr=False, eq=False)(cls)
            fields = dataclasses.fields(cls)  # type: ignore[arg-type] # it is one now
        except ValueError as error:  # such as for a list as a default, which all objects would share
            raise StaticTypeError(f"a field has a default: {error}", where=class_path(cls), hint=_NO_DEFAULT) from None
        for field in fields:
            _check_field(cls, field)

    if not TYPE_CHECKING:

        def __init__(self, /, **values: Any) -> None:
            names = [field.name for field in dataclasses.fields(self)]
            if values.keys() != {*names}:
                missing, unknown = [name for name in names if name not in values], [*(values.keys() - {*names})]
                raise TypeError(f"{type(self).__name__}() takes a value for each of its fields: {missing=}, {unknown=}")
            self.__dict__.update({name: values[name] for name in names})
            if hasattr(self, "__post_init__"):
                self.__post_init__()

    def __repr__(self) -> str:
        return f"{type(self).__qualname__}({', '.join(f'{name}={value!r}' for name, value in vars(self).items())})"

    def __eq__(self, other: object) -> bool:
        return vars(self) == vars(other) if type(other) is type(self) else NotImplemented

    def __hash__(self) -> int:
        return hash(tuple(vars(self).values()))


_NO_DEFAULT = "Leave it out. An input that may be missing is written `name: Model | None`."


class Inputs(Ports):
    """What a step takes from several steps: each field is fed by the steps before it that give its type.

        class Both(Inputs):
            docs: list[Doc]
            index: Index | None

    Only a field `X | None` may be fed by no step at all.
    """


class Outputs(Ports):
    """What a step gives: each field becomes a dataset of its own, in a folder of that name below the step's.

        class Halves(Outputs):
            train: list[Doc]
            test: list[Doc]

    None of them is ever None.
    """


class DataField(NamedTuple):
    """One input or output of a step; `name` is empty for the only one of a class without `Inputs`, or `Outputs`."""

    name: str
    shape: Shape
    form: Form
    annotation: Any
    """As its author wrote it."""
    optional: bool = False
    """Whether it may be `None`, which only an input may be."""

    def __str__(self) -> str:
        return f"{self.name}: {type_text(self.annotation)}" if self.name else type_text(self.annotation)


def ports_class(annotation: Any, kind: type[P]) -> type[P] | None:
    """The `Inputs` or `Outputs` class in an annotation such as `Both[Doc]`. Raises `StaticTypeError` for the other."""
    plain = unaliased(without_none(annotation))
    found = get_origin(plain) or plain
    if not isinstance(found, type) or not issubclass(found, Ports):
        return None
    if not issubclass(found, kind) or plain is not unaliased(annotation):
        raise StaticTypeError(
            f"{type_text(annotation)} cannot be an {kind.__name__.lower().removesuffix('s')}",
            hint=f"Write a class that derives from {kind.__name__}, without `| None`.",
        )
    return found


def form_of(annotation: Any) -> Form:
    """How `run` takes or gives what has this type."""
    return _FORMS.get(get_origin(unaliased(annotation)), "value")


def input_fields(annotation: Any) -> tuple[DataField, ...]:
    """The inputs that an `Inputs` class, or another input type, stands for; none for a source.

    Raises `StaticTypeError` when one of them cannot be stored between steps; the message names the field.
    """
    if (cls := ports_class(annotation, Inputs)) is None:
        inner = without_none(annotation)
        shape = shape_of(inner)
        return () if shape.empty else (DataField("", shape, form_of(inner), annotation, inner is not annotation),)
    fields = []
    for name, hint in _hints(cls, annotation).items():
        inner = without_none(hint)
        fields.append(DataField(name, _shape(cls, name, inner), form_of(inner), hint, inner is not hint))
    return tuple(fields)


def output_fields(annotation: Any) -> tuple[DataField, ...]:
    """The outputs that an `Outputs` class, or another output type, stands for.

    Raises `StaticTypeError` when one of them cannot be stored between steps, or may be None; the message names the
    field.
    """
    if (cls := ports_class(annotation, Outputs)) is None:
        return (DataField("", shape_of(annotation), form_of(annotation), annotation),)
    fields = []
    hints = _hints(cls, annotation)
    _check_case(cls, hints)
    for name, hint in hints.items():
        if without_none(hint) is not hint:
            raise StaticTypeError(
                f"the field {name} of {cls.__name__} may be None, which an output cannot be",
                hint="Let the step that reads it decide with `when` whether it runs.",
            )
        fields.append(DataField(name, _shape(cls, name, hint), form_of(hint), hint))
    return tuple(fields)


def _hints(cls: type[Ports], annotation: Any) -> dict[str, Any]:
    """The types of all fields by name, with what is given for the type variables of the class."""
    given = dict(zip(getattr(cls, "__parameters__", ()), get_args(unaliased(annotation)), strict=False))
    found = {}
    for field in dataclasses.fields(cls):  # type: ignore[arg-type] # every sub-class is a dataclass
        owner = next(base for base in cls.__mro__ if field.name in getattr(base, "__annotations__", {}))
        variables = {name: substituted(value, given) for name, value in bindings(cls, owner).items()}
        found[field.name] = substituted(_resolved(owner, field), variables)
    if not found:
        raise StaticTypeError(f"{cls.__name__} has no fields", hint="Give it one for each dataset: name: list[Model].")
    return found


def _resolved(owner: type, field: dataclasses.Field[Any]) -> Any:
    try:
        return resolved(field.type, owner)
    except NameError as error:
        raise StaticTypeError(
            f"the field {field.name} of {owner.__name__}: the name {error.name!r} does not exist when the program runs",
            hint="Import it outside of `if TYPE_CHECKING:`.",
        ) from None
    except (TypeError, SyntaxError, AttributeError) as error:
        message = f"the field {field.name} of {owner.__name__} has a type that cannot be read: {error}"
        raise StaticTypeError(message) from None


def _shape(cls: type, name: str, annotation: Any) -> Shape:
    try:
        shape = shape_of(annotation)
    except StaticTypeError as error:
        raise StaticTypeError(f"the field {name} of {cls.__name__}: {error.message}", hint=error.hint) from None
    if shape.empty:
        raise StaticTypeError(f"the field {name} of {cls.__name__} is None", hint="Write its type: list[Model].")
    return shape


def _check_field(cls: type, field: dataclasses.Field[Any]) -> None:
    name = field.name
    if not _NAME.fullmatch(name) or len(name) > MAX_NAME:
        raise StaticTypeError(f"{name!r} cannot name a field of {cls.__name__}", where=class_path(cls), hint=_NAMES)
    if field.default is not dataclasses.MISSING or field.default_factory is not dataclasses.MISSING:
        message = f"the field {name} of {cls.__name__} has a default"
        raise StaticTypeError(message, where=class_path(cls), hint=_NO_DEFAULT)


def _check_case(cls: type, names: Iterable[str]) -> None:
    """Outputs are folders, and some file systems do not tell `Test` from `test`."""
    seen: dict[str, str] = {}
    for name in names:
        if (other := seen.setdefault(name.lower(), name)) != name:
            message = f"the fields {other} and {name} of {cls.__name__} differ in upper and lower case alone"
            raise StaticTypeError(
                message, where=class_path(cls), hint="Rename one: some file systems take them for one."
            )
