"""What an annotation says about the data between two steps: a contract inside containers."""

from __future__ import annotations

from types import NoneType, UnionType
from typing import Any, Literal, NamedTuple, TypeVar, Union, get_args, get_origin

from wurzel.datacontract.contract import Contract
from wurzel.exceptions import StaticTypeError

Container = Literal["list", "set", "dataframe"]


class Shape(NamedTuple):
    """`list[X]` is `(("list",), X)`; `None` is `((), NoneType)`. A bare dataframe contract is a dataframe of it."""

    containers: tuple[Container, ...]
    contract: type

    @property
    def empty(self) -> bool:
        """Whether there is no data at all: the input of a source."""
        return self.contract is NoneType and not self.containers

    @property
    def many(self) -> bool:
        """Whether it holds any number of items, so that parts can be put together and cut."""
        return bool(self.containers)

    @property
    def dataframe(self) -> bool:
        """Whether it is stored as Parquet."""
        return "dataframe" in self.containers


def shape_of(annotation: Any) -> Shape:
    """The shape an annotation says.

    Raises:
        StaticTypeError: when it is nothing that can be stored between steps.
    """
    containers: list[Container] = []
    inner = annotation
    while (origin := get_origin(inner)) is not None:
        containers.append(_container(origin, annotation))
        arguments = get_args(inner)
        if len(arguments) != 1:
            raise StaticTypeError(f"{shown(annotation)} must name one contract", hint="Write list[Model].")
        inner = arguments[0]
    contract = NoneType if inner is None else inner
    _check_contract(contract, annotation, bool(containers))
    if is_dataframe_contract(contract) and containers[-1:] != ["dataframe"]:
        containers.append("dataframe")
    _check_nesting(containers, contract, annotation)
    return Shape(tuple(containers), contract)


def without_none(annotation: Any) -> Any:
    """`X` of `X | None`; anything else as it is."""
    if get_origin(annotation) in {Union, UnionType}:
        rest = [argument for argument in get_args(annotation) if argument is not NoneType]
        if len(rest) == 1:
            return rest[0]
    return annotation


def is_dataframe_contract(contract: Any) -> bool:
    """Whether a class is a `PanderaDataFrameModel`, told without importing pandera."""
    return isinstance(contract, type) and any(
        base.__module__ == "wurzel.datacontract.dataframe" and base.__name__ == "PanderaDataFrameModel"
        for base in contract.__mro__
    )


def shown(annotation: Any) -> str:
    """An annotation as its author wrote it, near enough: `list[Word]`."""
    if annotation is None or annotation is NoneType:
        return "None"
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in {Union, UnionType}:
        return " | ".join(shown(argument) for argument in arguments)
    if origin is not None and arguments:
        return f"{shown(origin)}[{', '.join(shown(argument) for argument in arguments)}]"
    return getattr(annotation, "__name__", None) or repr(annotation)


def _container(origin: Any, annotation: Any) -> Container:
    if origin is list:
        return "list"
    if origin is set:
        return "set"
    if getattr(origin, "__name__", "") == "DataFrame" and origin.__module__.startswith("pandera.typing"):
        return "dataframe"
    raise StaticTypeError(
        f"{shown(annotation)} cannot flow between steps: {shown(origin)} is not a supported container",
        hint="Use list[Model], set[Model], DataFrame[Model] or a single Model.",
    )


def _check_contract(contract: Any, annotation: Any, inside: bool) -> None:
    if contract is NoneType and not inside:
        return
    if isinstance(contract, TypeVar):
        raise StaticTypeError(
            f"the type parameter {contract.__name__} is not given", hint="Write class MyStep(Base[MyModel])."
        )
    if not isinstance(contract, type) or not issubclass(contract, Contract):
        raise StaticTypeError(
            f"{shown(annotation)} cannot flow between steps: {shown(contract)} is not a contract",
            hint="A contract derives from wurzel.datacontract.PydanticModel or PanderaDataFrameModel.",
        )


def _check_nesting(containers: list[Container], contract: type, annotation: Any) -> None:
    frame = "dataframe" in containers
    if frame and (len(containers) > 1 or not is_dataframe_contract(contract)):
        raise StaticTypeError(
            f"{shown(annotation)} cannot flow between steps",
            hint="DataFrame[Model] holds a PanderaDataFrameModel and stands in no other container.",
        )
    if "set" in containers and len(containers) > 1:
        raise StaticTypeError(f"{shown(annotation)} cannot flow between steps", hint="Use set[Model] or lists.")
