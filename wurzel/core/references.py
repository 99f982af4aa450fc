"""Forward references in annotations, resolved when a step is made: by then all modules are complete."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any, ForwardRef, get_args, get_type_hints


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
