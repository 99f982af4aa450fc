"""Filters of templates: a few new ones, and versions of jinja's that also process rendered text piece by piece."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from jinja2.filters import do_float, do_int, make_attrgetter
from jinja2.utils import pass_environment

from wurzel.render.bounds import check_size, joined_size, replaced_size
from wurzel.render.entries import item as one_item
from wurzel.render.entries import starting_with, under
from wurzel.render.text import Text, glue
from wurzel.render.values import (
    Identifier,
    Indented,
    Joined,
    Json,
    NotAValue,
    ShellText,
    Variable,
    Words,
    compacted,
    freeze,
    looped,
    plain_list,
    show,
    text_of,
)

if TYPE_CHECKING:
    from jinja2 import Environment

_FAILED: Any = object()

REFUSED = {
    "safe": "Values are never inserted unquoted; write text of the template itself outside `{{ }}`.",
    **dict.fromkeys(("escape", "e", "forceescape"), "Values are quoted for their position; there is no HTML here."),
    **dict.fromkeys(("striptags", "urlize", "xmlattr"), "There is no HTML here."),
    "attr": "Write `x.name`, or `x[name]` for a name that is computed.",
    "random": "Rendered files must be the same every time.",
}
"""Jinja's filters that are not available here, and why."""


def shell(value: Any) -> ShellText:
    """A list of arguments as one shell command line; a text or number as a single word."""
    from wurzel.render.quoting.word import join

    frozen = freeze(value)
    return ShellText(join(plain_list(frozen) if isinstance(frozen, list) else [text_of(frozen)]))


def words(value: Any) -> Words:
    """In a shell template: each item as a separate word."""
    return Words(plain_list(value))


def identifier(value: Any) -> Identifier:
    """In a Python template: a name, written as code. Fails for anything that is not a name."""
    from keyword import iskeyword

    if isinstance(value, str) and value.isascii() and value.isidentifier() and not iskeyword(value):
        return Identifier(value)
    raise NotAValue(
        f"{show(value)} is not a name that code can use", "Use ASCII letters, digits and `_`, and no keyword."
    )


def variable(value: Any) -> Variable:
    """In a shell template: a text as (part of) the name of a variable; `-` and `.` become `_`."""
    text = text_of(freeze(value))
    name = text.replace("-", "_").replace(".", "_")
    if not (name.isascii() and f"_{name}".isidentifier()) or not name:
        hint = "Use only ASCII letters, digits, `_`, `-` and `.`, e.g. with `| replace`."
        raise NotAValue(f"{show(text)} cannot be part of the name of a variable", hint)
    return Variable(name, text)


def duration(value: Any) -> str:
    """Seconds (or a timedelta) as the shortest text, e.g. `1h30m`."""
    from wurzel.ir.types import format_duration, parse_duration

    try:
        return format_duration(parse_duration(value))
    except ValueError as error:
        raise NotAValue(str(error)) from None


def quantity(value: Any) -> int | float:
    """A Kubernetes quantity as a number: `500m` is 0.5, `1Gi` is 1073741824; numbers stay as they are."""
    from wurzel.ir.quantity import amount

    frozen = freeze(value)
    if isinstance(frozen, int | float) and not isinstance(frozen, bool):
        return frozen
    try:
        found = amount(text_of(frozen))
    except ValueError as error:
        raise NotAValue(str(error)) from None
    return int(found) if found == found.to_integral_value() else float(found)


def json(value: Any, indent: int | None = None) -> str:
    """The JSON text of a value, as one value; keys keep their order."""
    from json import dumps

    try:
        return dumps(freeze(value), ensure_ascii=False, allow_nan=False, indent=indent)
    except ValueError as error:
        if isinstance(error, NotAValue):
            raise
        raise NotAValue(f"{show(value)} cannot be JSON: a number in it is infinite, or has too many digits") from None


def tojson(value: Any, indent: int | None = None) -> Json:
    """The JSON text of a value inside a longer text; refused for a whole value, where the value itself is meant."""
    return Json(json(value, indent))


def compact(value: Any) -> Any:
    """A list or mapping that YAML has on one line, `{name: data, emptyDir: {}}`, where it is short enough."""
    return compacted(freeze(value))


def string(value: Any) -> str:
    """Rendered text, a number or a path as one text value."""
    if isinstance(value, Text):
        return value.as_value()
    if hasattr(value, "__fspath__"):
        return str(value)
    if type(value).__name__ == "Decimal":
        return f"{value:f}"
    return text_of(freeze(value))


def trim(value: Any, chars: str | None = None) -> str | Text:
    """Without white space (or `chars`) at both ends."""
    if isinstance(value, Text):
        return value.as_value().strip(chars) if chars is not None else value.strip()
    if isinstance(value, Indented) and chars is None:
        return Indented(value.strip(), value.origin.strip(), value.width)
    return text_of(freeze(value)).strip(chars)


def indent(value: Any, width: int | str = 4, first: bool = False, blank: bool = False) -> str | Text:
    """Each line but the first indented by `width` spaces."""
    pad = width if isinstance(width, str) else " " * width
    if isinstance(value, Text):
        if pad.strip():
            raise NotAValue(f"{show(pad)} cannot be put before rendered text", "Pass a number of spaces.")
        return value.indent(pad, first=first, blank=blank)
    text = text_of(freeze(value))
    head, *rest = text.split("\n")
    lines = [pad + head if first else head, *(pad + line if line or blank else line for line in rest)]
    return "\n".join(lines) if pad.strip(" ") else Indented("\n".join(lines), text, len(pad))


@pass_environment
def join(
    environment: Environment,
    value: Iterable[Any],
    separator: Any = "",
    attribute: str | int | None = None,
) -> str | Text:
    """The items joined with `separator`."""
    value = looped(value)
    items = value if attribute is None else map(make_attrgetter(environment, attribute), value)
    parts: list[Any] = []
    for item in items:
        parts += [separator, item] if parts else [item]
    check_size(joined_size(parts))
    joined = glue(parts, 1, "")
    if isinstance(joined, Text) or not isinstance(separator, str):
        return joined
    return Joined(joined, separator, names=any(isinstance(part, Identifier) for part in parts))


def to_int(value: Any, default: Any = None, base: int = 10) -> Any:
    """A text or number as a whole number; fails if it is not one, unless there is a default."""
    text = _scalar(value)
    is_huge = isinstance(text, str) and len(text) > sys.get_int_max_str_digits()  # which counts in base 10 alone
    return _number(_FAILED if is_huge else do_int(text, _FAILED, base), value, default)


def to_float(value: Any, default: Any = None) -> Any:
    """A text or number as a float; fails if it is not one, unless there is a default."""
    return _number(do_float(_scalar(value), _FAILED), value, default)


def _number(found: Any, value: Any, default: Any) -> Any:
    if found is not _FAILED:
        return found
    if default is None:
        raise NotAValue(f"{show(value)} is not a number", "Pass a default: `| int(0)`.")
    return default


def _scalar(value: Any) -> Any:
    return value.as_value() if isinstance(value, Text) else freeze(value)


def replace(value: Any, old: str, new: Any, count: int = -1) -> str | Text:
    """Every `old` replaced by `new`."""
    if not isinstance(old, str) or not old:
        raise NotAValue(f"{show(old)} cannot be replaced", "Pass the text to look for.")
    if isinstance(value, Text):
        if count != -1:
            raise NotAValue("`replace` with a count does not work on rendered text", "Remove the count.")
        return value.replace(old, new)
    text, inserted = text_of(freeze(value)), text_of(freeze(new))
    check_size(replaced_size(text, old, inserted))
    replaced = text.replace(old, inserted, count)
    if old == "\n" and inserted[:1] == "\n" and not inserted.strip(" \n") and count == -1:
        return Indented(replaced, text, len(inserted) - 1)
    return replaced


FILTERS: dict[str, Callable[..., Any]] = {
    "shell": shell,
    "words": words,
    "identifier": identifier,
    "variable": variable,
    "duration": duration,
    "quantity": quantity,
    "json": json,
    "tojson": tojson,
    "compact": compact,
    "string": string,
    "trim": trim,
    "indent": indent,
    "item": one_item,
    "under": under,
    "starting_with": starting_with,
    "join": join,
    "replace": replace,
    "int": to_int,
    "float": to_float,
}
"""Name in templates to function; these are added to jinja's own or replace them."""
