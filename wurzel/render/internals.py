"""Attributes of values that templates cannot read, because they lead out of the template.

`(xs | map("upper")).gi_frame.f_builtins` reaches `open` and `__import__`, `"{0.__class__}".format(x)` reads private
names, and methods that pydantic gives every model read files. With one of them a template could write a secret of the
environment into a file, or change what a policy sees. Jinja lists the internals of Python; the rest is listed here.
"""

from __future__ import annotations

from typing import Any

from wurzel.render.text import Text

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


def is_internal(owner: Any, name: str) -> bool:
    """Whether this attribute of this value leads out of the template."""
    if isinstance(owner, str | Text):
        return name in _FORMATS
    fields = getattr(type(owner), "model_fields", None)
    if fields is not None:
        from pydantic import BaseModel

        return name not in fields and hasattr(BaseModel, name)
    from jinja2.sandbox import is_internal_attribute

    return is_internal_attribute(owner, name)


def refusal(name: str) -> tuple[str, str]:
    """The message for such an attribute, and what to write instead."""
    hint = 'Write `"%s/%s" | format(a, b)`, or join with `~`.' if name in _FORMATS else ""
    return f"templates cannot read {name!r}: it leads out of the template", hint
