"""What an annotation says about the data between two steps: a contract inside containers."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Iterable, Iterator
from functools import reduce
from operator import or_
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

from wurzel.datacontract.contract import Contract
from wurzel.datacontract.files import is_stored, kind_of
from wurzel.datacontract.hidden import hidden_field
from wurzel.exceptions import StaticTypeError
from wurzel.named_tuples import NamedTuple

Container = Literal["list", "set", "dataframe"]

_DEEPEST = 64
"""Aliases of aliases, and containers in containers; there are more only where one is made of itself."""
_UNIONS = (Union, UnionType)

STREAMS = (Iterator, Iterable)
"""How `run` may take or give a list item by item; for what is stored they are lists."""

PORTS_MARK = "__wurzel_ports__"
"""Attribute of classes whose fields are datasets, such as `Inputs`: they are dataclasses, but not contracts."""


class Shape(NamedTuple):
    """`list[X]` is `(("list",), (X,))`, `None` is `((), (NoneType,))`; a bare table contract is a dataframe of it."""

    containers: tuple[Container, ...]
    contracts: tuple[Any, ...]
    """The class of the items, or the classes of a union in the order of the union: reading tries them in this order."""

    @property
    def contract(self) -> Any:
        """The class of the items, or the union of their classes."""
        return reduce(or_, self.contracts)

    @property
    def item(self) -> Any:
        """What the outermost container contains."""
        item = self.contract
        for _ in self.containers[1:]:
            item = list[item]  # type: ignore[valid-type]
        return item

    @property
    def name(self) -> str:
        """The name of the contract, for messages."""
        return type_text(self.contract)

    @property
    def empty(self) -> bool:
        """Whether there is no data at all: the input of a source."""
        return self.contracts == (NoneType,) and not self.containers

    @property
    def many(self) -> bool:
        """Whether it contains any number of items, so that parts can be put together and cut."""
        return bool(self.containers)

    @property
    def dataframe(self) -> bool:
        """Whether it is stored as Parquet."""
        return "dataframe" in self.containers

    @property
    def files(self) -> bool:
        """Whether it is stored as the files that a step wrote."""
        return is_stored(self.contracts[0])

    @property
    def listed(self) -> Shape:
        """A list of it; a step that takes single items reads datasets of both as this one."""
        return self._replace(containers=("list", *self.containers))


def shape_of(annotation: Any) -> Shape:
    """The shape that an annotation describes. Raises `StaticTypeError` if it cannot be stored between steps."""
    containers: list[Container] = []
    inner = unaliased(annotation)
    while (origin := get_origin(inner)) is not None and origin not in _UNIONS:
        if len(containers) == _DEEPEST:
            raise StaticTypeError(f"{type_text(annotation)} refers to itself without end, so it contains no contract")
        containers.append("list" if origin in STREAMS and not containers else _container(origin, annotation))
        arguments = get_args(inner)
        if len(arguments) != 1:
            raise StaticTypeError(f"{type_text(annotation)} must name one contract", hint="Write list[Model].")
        inner = unaliased(arguments[0])
    contracts = _members(inner)
    if NoneType in contracts and len(contracts) > 1:
        hint = "Give an empty list, or let the step that reads it decide with `when`; an input that may be missing"
        raise _refused(annotation, "what a step gives or takes is never None", f"{hint} is a field of Inputs.")
    for contract in contracts:
        _check_contract(contract, annotation, bool(containers) or len(contracts) > 1)
    if is_dataframe_contract(contracts[0]) and containers[-1:] != ["dataframe"]:
        containers.append("dataframe")
    _check_nesting(containers, contracts, annotation)
    return Shape(tuple(containers), contracts)


def unaliased(annotation: Any) -> Any:
    """What an alias (`type Docs = list[Doc]`), `Annotated` or a default stands for; arguments stay as they are."""
    for _ in range(_DEEPEST):
        origin = get_origin(annotation)
        if origin is Annotated:
            annotation = get_args(annotation)[0]
        elif isinstance(annotation, TypeVar) and getattr(annotation, "has_default", bool)():
            annotation = annotation.__default__  # type: ignore[attr-defined] # PEP 696; none was given
        elif _is_alias(annotation):
            annotation = annotation.__value__
        elif _is_alias(origin):
            given = dict(zip(origin.__type_params__, get_args(annotation), strict=False))
            annotation = substituted(origin.__value__, given)
        else:
            return annotation
    raise StaticTypeError(f"{type_text(annotation)} is an alias of itself")


def substituted(annotation: Any, given: dict[Any, Any]) -> Any:
    """An annotation with what is given for its type variables."""
    if isinstance(annotation, TypeVar):
        return given.get(annotation, annotation)
    parameters = getattr(annotation, "__parameters__", ())
    if not parameters or isinstance(annotation, type):
        return annotation
    return annotation[tuple(given.get(parameter, parameter) for parameter in parameters)]


def without_none(annotation: Any) -> Any:
    """`X` of `X | None`; anything else as it is."""
    plain = unaliased(annotation)
    if get_origin(plain) in _UNIONS and NoneType in get_args(plain):
        return reduce(or_, (argument for argument in get_args(plain) if argument is not NoneType))
    return annotation


def is_dataframe_contract(contract: Any) -> bool:
    """Whether a class is a `PanderaDataFrameModel`, told without importing pandera."""
    return isinstance(contract, type) and any(
        base.__module__ == "wurzel.datacontract.dataframe" and base.__name__ == "PanderaDataFrameModel"
        for base in contract.__mro__
    )


def _is_alias(annotation: Any) -> bool:
    """By the name of its class: `typing_extensions` has its own class for versions of Python without one."""
    return type(annotation).__name__ == "TypeAliasType" and hasattr(annotation, "__value__")


def _members(annotation: Any) -> tuple[Any, ...]:
    """The classes of a union, in order; unions within it, and aliases of them, are part of it."""
    annotation = unaliased(annotation)
    if get_origin(annotation) not in _UNIONS:
        return (NoneType if annotation is None else annotation,)
    found = (member for argument in get_args(annotation) for member in _members(argument))
    return tuple(dict.fromkeys(found))


def type_text(annotation: Any) -> str:
    """An annotation as its author wrote it, near enough: `list[Word]`."""
    if annotation is None or annotation is NoneType:
        return "None"
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return type_text(arguments[0])
    if origin in _UNIONS:
        return " | ".join(type_text(argument) for argument in arguments)
    if origin is not None and arguments:
        return f"{type_text(origin)}[{', '.join(type_text(argument) for argument in arguments)}]"
    return getattr(annotation, "__name__", None) or repr(annotation)


def _refused(annotation: Any, reason: str = "", hint: str = "") -> StaticTypeError:
    """The error for a type that cannot flow between steps."""
    text = f"{type_text(annotation)} cannot flow between steps"
    return StaticTypeError(f"{text}: {reason}" if reason else text, hint=hint)


def _container(origin: Any, annotation: Any) -> Container:
    if origin is list:
        return "list"
    if origin is set:
        return "set"
    if getattr(origin, "__name__", "") == "DataFrame" and origin.__module__.startswith("pandera.typing"):
        return "dataframe"
    hint = "Use list[Model], Iterator[Model], set[Model], DataFrame[Model] or a single Model."
    raise _refused(annotation, f"{type_text(origin)} is not a supported container", hint)


def _check_contract(contract: Any, annotation: Any, inside: bool) -> None:
    if contract is NoneType and not inside:
        return
    if isinstance(contract, TypeVar):
        raise StaticTypeError(
            f"the type parameter {contract.__name__} is not given", hint="Write class MyStep(Base[MyModel])."
        )
    if not _is_contract(contract):
        hint = "A contract derives from wurzel.datacontract.PydanticModel or PanderaDataFrameModel, or is a dataclass"
        raise _refused(annotation, f"{type_text(contract)} is not a contract", f"{hint} or TypedDict.")
    if type(contract).__module__ == "typing" and sys.version_info < (3, 12):
        raise StaticTypeError(
            f"{type_text(contract)} is a typing.TypedDict, whose fields cannot be read before Python 3.12",
            hint="Derive it from typing_extensions.TypedDict.",
        )
    if is_stored(contract):
        return
    if hidden := hidden_field(contract):
        path, kind = hidden
        reason = f"{type_text(contract)}.{path} is a {kind.__name__}"
        if is_stored(kind):
            hint = f"Give it an output of the step: list[{kind.__name__}], or a field of its Outputs."
            raise _refused(annotation, f"{reason}, a {kind_of(kind)}, which is not stored within an item", hint)
        hint = "Read secrets from the settings of each step that needs them."
        raise _refused(annotation, f"{reason}, whose value is not stored but replaced by asterisks", hint)


def _is_contract(contract: Any) -> bool:
    if not isinstance(contract, type) or get_origin(contract) is not None or hasattr(contract, PORTS_MARK):
        return False
    typed_dict = issubclass(contract, dict) and hasattr(contract, "__required_keys__")
    return issubclass(contract, Contract) or dataclasses.is_dataclass(contract) or typed_dict


def _check_nesting(containers: list[Container], contracts: tuple[Any, ...], annotation: Any) -> None:
    tables = [contract for contract in contracts if is_dataframe_contract(contract)]
    if "dataframe" in containers and (len(containers) > 1 or tables != list(contracts)):
        hint = "DataFrame[Model] contains a PanderaDataFrameModel and cannot be inside another container."
        raise _refused(annotation, hint=hint)
    if len(contracts) > 1 and tables:
        raise _refused(annotation, "a table cannot be part of a union", "Give each table its own step.")
    _check_files(containers, contracts, annotation)
    if "set" not in containers:
        return
    if len(containers) > 1:
        raise _refused(annotation, hint="Use set[Model] or lists.")
    if mutable := next((contract for contract in contracts if contract.__hash__ is None), None):
        hint = "Use a list, or make them hashable: @dataclass(frozen=True)."
        raise _refused(annotation, f"items of {type_text(mutable)} cannot be in a set", hint)


def _check_files(containers: list[Container], contracts: tuple[Any, ...], annotation: Any) -> None:
    stored = [contract for contract in contracts if is_stored(contract)]
    if not stored:
        return
    if len(contracts) > 1:
        hint = "Give each kind of file an output, or take File for all."
        raise _refused(annotation, f"a {kind_of(stored[0])} cannot be part of a union", hint)
    if containers not in ([], ["list"]):
        name = type_text(stored[0])
        raise _refused(annotation, hint=f"Use {name} or list[{name}].")
