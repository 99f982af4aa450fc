"""What stands for the type variables of a class in one of its sub-classes."""

from __future__ import annotations

from typing import Any, get_args, get_origin

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
