"""Attributes of values that templates cannot read, because they lead out of the template.

`(xs | map("upper")).gi_frame.f_builtins` reaches `open` and `__import__`, `"{0.__class__}".format(x)` reads private
names, and methods that pydantic gives every model read files. With one of them a template could write a secret of the
environment into a file, or change what a policy sees. Jinja lists the internals of Python; the rest is listed here.
"""

from __future__ import annotations

from types import BuiltinFunctionType, FunctionType, GeneratorType, MethodType
from typing import Any

from jinja2 import Environment
from jinja2.nodes import EvalContext

from wurzel.render.bounds import check_format, scanned
from wurzel.render.text import Text
from wurzel.render.values import NotAValue

_PLAIN: Any = object.__repr__
_ADDRESSED = (BuiltinFunctionType, FunctionType, GeneratorType, MethodType)

_PREFIXES = ("gi_", "cr_", "ag_", "f_", "tb_", "co_", "model_", "parse_")
_OF_PYDANTIC = (
    "construct",
    "copy",
    "dict",
    "from_orm",
    "json",
    "schema",
    "schema_json",
    "update_forward_refs",
    "validate",
)
_NAMES = frozenset({"format", "format_map", "mro", *_OF_PYDANTIC})
_FORMATS = frozenset({"format", "format_map"})


def may_be_internal(name: str) -> bool:
    """Whether an attribute of that name is internal to some value; a template that reads others is not slowed down."""
    return name.startswith(_PREFIXES) or name in _NAMES


def _is_internal(owner: Any, name: str) -> bool:
    if isinstance(owner, str | Text):
        return name in _FORMATS
    fields = getattr(type(owner), "model_fields", None)
    if fields is not None:
        from pydantic import BaseModel

        return name not in fields and hasattr(BaseModel, name)
    from jinja2.sandbox import is_internal_attribute

    return is_internal_attribute(owner, name)


PRINTING = ("capitalize", "center", "format", "lower", "pprint", "title", "truncate", "upper", "urlencode", "wordwrap")
"""Filters of jinja that make text of anything; of a generator they would write its address, which differs each time."""


def only_values(*arguments: Any, **named: Any) -> None:
    """Refuse arguments of a filter that have no text of their own."""
    for argument in (*arguments, *named.values()):
        if not isinstance(argument, Environment | EvalContext):  # which jinja hands to some filters
            _check_printed(argument)


def modulo(left: Any, right: Any) -> Any:
    """`left % right`, where text is formatted only with values."""
    if isinstance(left, str):
        check_format(left, right)
        for each in right if isinstance(right, tuple) else [right]:
            _check_printed(each)
    return scanned(left % right)


def _check_printed(argument: Any) -> None:
    """Refuse what Python prints with its address."""
    if isinstance(argument, dict | list | tuple | set):
        for each in (*argument, *argument.values()) if isinstance(argument, dict) else argument:
            _check_printed(each)
    elif getattr(type(argument), "__repr__", None) is _PLAIN or isinstance(argument, _ADDRESSED):
        raise NotAValue(f"a {type(argument).__name__} has no text", "Add `| list` to a generator, or write a field.")


def check_public(owner: Any, name: str) -> None:
    """Refuse an attribute that leads out of the template."""
    if _is_internal(owner, name):
        hint = 'Write `"%s/%s" | format(a, b)`, or join with `~`.' if name in _FORMATS else ""
        raise NotAValue(f"templates cannot read {name!r}: it leads out of the template", hint)
