"""What templates see of an object: its fields, each with its type and its author's description.

Everything is read from the class itself (annotations, `Field(description=…)`, the docstring below a field), so there
is not a second list that could become outdated.
"""

from __future__ import annotations

import ast
import dataclasses
import re
import sys
import typing
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from itertools import pairwise
from typing import Any

from wurzel.named_tuples import NamedTuple

_GUARDED = re.compile(r"^if (?:typing\.)?TYPE_CHECKING:\n(?:(?:[ \t].*)?\n)*", re.MULTILINE)


class Member(NamedTuple):
    """One field of a described class."""

    name: str
    type: Any
    description: str


def is_described(kind: Any) -> bool:
    """Whether templates read fields of this type by name, and all of them are known."""
    return isinstance(kind, type) and (
        dataclasses.is_dataclass(kind)
        or hasattr(kind, "model_fields")
        or typing.is_typeddict(kind)
        or (issubclass(kind, tuple) and hasattr(kind, "_fields"))
    )


@cache
def members(cls: type) -> Mapping[str, Member]:
    """The fields of a dataclass, pydantic model, named tuple or typed dict, in their order.

    Raises `NameError` when an annotation uses a name that its module does not define, not even under `TYPE_CHECKING`.
    """
    texts: dict[str, str] = {}
    for part in _ancestry(cls):
        texts |= _texts(part)
    return {
        name: Member(name, kind, _field_text(cls, name) or texts.get(name, ""))
        for name, kind in field_types(cls).items()
    }


@cache
def field_types(cls: type) -> Mapping[str, Any]:
    """Only the types of the fields, which is much faster. Raises `NameError` as `members` does."""
    try:
        hints = typing.get_type_hints(cls, include_extras=True)
    except NameError:
        hints = _hints_with_guarded(cls)
    return {name: hints[name] for name in _field_names(cls)}


def _hints_with_guarded(cls: type) -> dict[str, Any]:
    """The types of the fields, including those imported below `if TYPE_CHECKING`."""
    names = dict(_guarded(cls.__module__))
    try:
        return typing.get_type_hints(cls, localns=names, include_extras=True)
    except NameError:  # a name of another module, in which a class that this one inherits from is defined
        for part in _ancestry(cls):
            names = _guarded(part.__module__) | names
        return typing.get_type_hints(cls, localns=names, include_extras=True)


def _ancestry(cls: Any) -> list[type]:
    """The class and those it takes fields from, the most basic one first; a typed dict hides its own."""
    if typing.is_typeddict(cls):
        node = _definition(cls)
        names = [base.id for base in node.bases if isinstance(base, ast.Name)] if node else []
        bases = [vars(sys.modules[cls.__module__]).get(name) for name in names]
        return [*(part for base in bases if typing.is_typeddict(base) for part in _ancestry(base)), cls]
    return list(reversed(cls.__mro__))


def summary(cls: type) -> str:
    """The first line of a class's docstring."""
    from inspect import cleandoc

    text = cleandoc(cls.__doc__ or "")
    generated = f"{cls.__name__}("  # the docstring that dataclasses generate
    return "" if text.startswith(generated) else text.partition("\n")[0]


def _field_names(cls: Any) -> Iterator[str]:
    if hasattr(cls, "model_fields"):
        yield from cls.model_fields
    elif dataclasses.is_dataclass(cls):
        yield from (field.name for field in dataclasses.fields(cls))
    elif hasattr(cls, "_fields"):
        yield from cls._fields
    else:
        yield from cls.__annotations__


def _field_text(cls: Any, name: str) -> str:
    if not hasattr(cls, "model_fields"):
        return ""
    field = cls.model_fields[name]
    if field.description:
        return str(field.description)
    from wurzel.ir.features import FEATURES, feature_of

    return FEATURES.get(feature_of(cls, name) or "", "")


@cache
def _module(name: str) -> ast.Module:
    return ast.parse(_source(name))


def _texts(cls: type) -> dict[str, str]:
    """The docstring below each field of a class, as one line."""
    definition = _definition(cls)
    found = {}
    for node, after in pairwise(definition.body if definition else ()):
        is_field = isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
        if is_field and isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
            found[node.target.id] = " ".join(str(after.value.value).split())  # type: ignore[attr-defined]
    return found


def _definition(cls: type) -> ast.ClassDef | None:
    """The statement that defines a class, if its source can be read."""
    scope: ast.Module | ast.ClassDef | None = _module(cls.__module__)
    for part in cls.__qualname__.split("."):
        body = scope.body if scope is not None else []
        scope = next((node for node in body if isinstance(node, ast.ClassDef) and node.name == part), None)
    return scope if isinstance(scope, ast.ClassDef) else None


@cache
def _guarded(name: str) -> dict[str, Any]:
    """What a module imports only for its annotations, below `if TYPE_CHECKING`."""
    found: dict[str, Any] = {}
    # Parsing only these lines is several times faster than all of them.
    for item in ast.walk(ast.parse("".join(_GUARDED.findall(_source(name))))):
        if isinstance(item, ast.ImportFrom) and item.module and not item.level:
            source = import_module(item.module)
            found |= {alias.asname or alias.name: getattr(source, alias.name) for alias in item.names}
    return found


@cache
def _source(name: str) -> str:
    from inspect import getsource

    try:
        return getsource(sys.modules[name])
    except (OSError, TypeError, KeyError):  # no source, as in an interactive session
        return ""
