"""Type variables and forward references of step classes: what stands for them in a sub-class."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any, ForwardRef, get_args, get_origin, get_type_hints

from wurzel.datacontract.shape import substituted
from wurzel.exceptions import StaticTypeError

_ROLES = {"SETTS": "SETTINGS", "INCONTRACT": "INPUT", "OUTCONTRACT": "OUTPUT"}
"""What the type variables of steps stand for, as messages call it."""


def bindings(cls: type, owner: type) -> dict[Any, Any]:
    """What `cls` gives for each type variable of its base `owner`; one that is not given stands for itself."""
    parameters = getattr(owner, "__parameters__", ())
    if cls is owner:
        return {parameter: parameter for parameter in parameters}
    for base in cls.__dict__.get("__orig_bases__", cls.__bases__):
        origin = get_origin(base) or base
        if isinstance(origin, type) and issubclass(origin, owner):
            given = dict(zip(getattr(origin, "__parameters__", ()), get_args(base), strict=False))
            return {name: substituted(value, given) for name, value in bindings(origin, owner).items()}
    return {parameter: parameter for parameter in parameters}


def check_count(cls: type, parameters: Any) -> None:
    """Raise `StaticTypeError` unless a class takes so many type parameters, before `typing` does it."""
    wanted = getattr(cls, "__parameters__", ())
    given = parameters if isinstance(parameters, tuple) else (parameters,)
    if not wanted or len(given) == len(wanted) or any(getattr(one, "has_default", bool)() for one in wanted):
        return
    names = ", ".join(_ROLES.get(one.__name__, one.__name__) for one in wanted)
    raise StaticTypeError(
        f"{cls.__name__} takes {len(wanted)} type parameters, not {len(given)}",
        hint=f"Write {cls.__name__}[{names}].",
    )


def as_given(alias: Any, parameters: Any) -> Any:
    """A class with type parameters, which are just those that were given: `A | B` stays apart from `B | A`.

    `typing` remembers what it gave for equal parameters, and unions are equal whatever their order.
    """
    given = parameters if isinstance(parameters, tuple) else (parameters,)
    pairs = zip(alias.__args__, given, strict=False)
    return alias.copy_with(tuple(mine if kept == mine else kept for kept, mine in pairs))


def resolved(annotation: Any, owner: type) -> Any:
    """An annotation with the names in it replaced by what they stand for, seen from the class that it belongs to.

    Raises `NameError` when something of that name does not exist.
    """
    if not refers(annotation):
        return annotation
    holder = SimpleNamespace(__annotations__={"it": annotation})
    parameters = {parameter.__name__: parameter for parameter in getattr(owner, "__type_params__", ())}
    names: dict[str, Any] = {}
    for base in reversed(owner.__mro__):
        names |= vars(sys.modules.get(base.__module__, SimpleNamespace()))
    return get_type_hints(holder, names, parameters | dict(vars(owner)), include_extras=True)["it"]


def refers(annotation: Any) -> bool:
    """Whether there is a forward reference in an annotation."""
    return isinstance(annotation, str | ForwardRef) or any(refers(argument) for argument in get_args(annotation))
