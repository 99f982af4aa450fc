"""Readers of single values: text, numbers, choices, with validators and constraints."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

from annotated_types import Ge, Gt, Le, Lt, MaxLen, MinLen
from pydantic.fields import FieldInfo

from wurzel.ir.marks import Feature, NotInJobs
from wurzel.ir.names import Plain
from wurzel.models import is_before
from wurzel.named_tuples import NamedTuple
from wurzel.project.nodes import Findings, Node, json_data, near, value_text
from wurzel.secret_names import may_be_secret

BAD: Any = object()
"""A value that could not be read; the findings say why."""


class Context(NamedTuple):
    """Collects findings, and says how strictly to read."""

    findings: Findings
    complete: bool = True
    """Whether required fields must be present; an overlay may omit them."""
    build: bool = True
    """Whether to create instances of models, or only to look for errors."""


Reader: TypeAlias = Callable[[Node, str, Context], Any]


class NotUnderstoodError(TypeError):
    """An annotation that only pydantic itself can read."""


def display(node: Node, path: str) -> str:
    """The value for a message; hidden where secrets are configured, and in variables that may be secret settings."""
    _, is_variable, name = f".{path}".rpartition(".env.")
    may_hide = is_variable and ("__" in name or may_be_secret(name))
    return value_text(node, hidden=may_hide or ".secrets." in f".{path}")


def refuse(node: Node, path: str, context: Context, what: str, hint: str = "") -> Any:
    """`BAD`, and a finding that the value is not `what`."""
    if what == "text" and isinstance(node.value, bool | int | float):
        hint = "Put it in quotes."
    context.findings.add(node.origin, f"{path}: {display(node, path)} is not {what}", hint)
    return BAD


def _text(node: Node, path: str, context: Context) -> Any:
    return node.written if isinstance(node.written, str) else refuse(node, path, context, "text")


def _integer(node: Node, path: str, context: Context) -> Any:
    whole = isinstance(node.value, int) and not isinstance(node.value, bool)
    return node.value if whole else refuse(node, path, context, "a whole number")


def _number(node: Node, path: str, context: Context) -> Any:
    number = isinstance(node.value, int | float) and not isinstance(node.value, bool) and math.isfinite(node.value)
    return float(node.value) if number else refuse(node, path, context, "a number")  # type: ignore[arg-type]


def _truth(node: Node, path: str, context: Context) -> Any:
    return node.value if isinstance(node.value, bool) else refuse(node, path, context, "true or false")


def _anything(node: Node, path: str, context: Context) -> Any:
    value = json_data(node)
    for leaf, place in _leaves(node, path):
        if isinstance(leaf.value, float) and not math.isfinite(leaf.value):
            context.findings.add(leaf.origin, f"{place}: {value_text(leaf)} is not a valid JSON number")
    return value


def _leaves(node: Node, path: str) -> Iterable[tuple[Node, str]]:
    if isinstance(node.value, dict):
        for key, item in node.value.items():
            yield from _leaves(item, f"{path}.{key}")
    elif isinstance(node.value, list):
        for index, item in enumerate(node.value):
            yield from _leaves(item, f"{path}.{index}")
    else:
        yield node, path


SCALARS: dict[Any, Reader] = {str: _text, int: _integer, float: _number, bool: _truth, Any: _anything}
"""Reader by annotation."""


_FEW = 8
"""Values of a `Literal` that a message lists; of more, the advice names the closest one."""


def choice(values: tuple[Any, ...]) -> Reader:
    """A reader of one of the values of a `Literal`."""

    def read_choice(node: Node, path: str, context: Context) -> Any:
        value = node.written if all(isinstance(item, str) for item in values) else node.value
        if isinstance(value, bool | int | str) and any(value == item and type(value) is type(item) for item in values):
            return value
        names = [str(item) for item in values]
        wanted = " or ".join(names) if len(names) <= _FEW else "a known name"
        message = f"{path}: {display(node, path)} is not {wanted}"
        context.findings.add(node.origin, message, near(value, names, "Values") if isinstance(value, str) else "")
        return BAD

    return read_choice


def marks(metadata: Iterable[Any]) -> tuple[list[Any], list[Any]]:
    """The validators and constraints that a reader must apply, without other metadata."""
    before: list[Any] = []
    constraints: list[Any] = []
    for mark in metadata:
        if isinstance(mark, FieldInfo):
            inner = marks(mark.metadata)
            before, constraints = before + inner[0], constraints + inner[1]
        elif is_before(mark):
            before.append(mark)
        elif isinstance(mark, Ge | Gt | Le | Lt | MinLen | MaxLen) or pattern_of(mark):
            constraints.append(mark)
        elif not isinstance(mark, Feature | NotInJobs | Plain) and type(mark).__name__ != "WithJsonSchema":
            raise NotUnderstoodError(mark)
    return before, constraints


def converted(annotation: Any, before: list[Any], constraints: list[Any]) -> Reader:
    """A reader of a scalar whose validator converts what users write, such as `1h30m`."""
    if annotation not in {str, int}:
        raise NotUnderstoodError(annotation)

    def read_converted(node: Node, path: str, context: Context) -> Any:
        value: Any = node.written if annotation is str else node.value
        if isinstance(value, dict | list):
            return refuse(node, path, context, "one value")
        try:
            for mark in reversed(before):
                value = mark.func(value)
        except ValueError as error:
            message = f"{path}: {error}" if display(node, path) != "the value" else f"{path}: the value cannot be used"
            context.findings.add(node.origin, message)
            return BAD
        return value

    return constrained(read_converted, constraints)


def constrained(read_value: Reader, constraints: list[Any]) -> Reader:
    """A reader that also checks bounds on size or length."""
    if not constraints:
        return read_value

    def read_constrained(node: Node, path: str, context: Context) -> Any:
        value = read_value(node, path, context)
        if value is BAD:
            return BAD
        for mark in constraints:
            if bound := broken(mark, value):
                context.findings.add(node.origin, f"{path}: {display(node, path)} is not {bound}")
                return BAD
        return value

    return read_constrained


def pattern_of(mark: Any) -> str:
    """The regular expression of `Field(pattern=…)` if the metadata contains nothing else, or ''."""
    held = getattr(mark, "__dict__", {})
    pattern = held.get("pattern")
    return pattern if isinstance(pattern, str) and len(held) == 1 else ""


def broken(mark: Any, value: Any) -> str:
    """What the value should be to satisfy a bound; '' if it does."""
    match mark:
        case Ge(bound):
            fits, wanted = value >= bound, f"{bound} or more"
        case Gt(bound):
            fits, wanted = value > bound, f"more than {bound}"
        case Le(bound):
            fits, wanted = value <= bound, f"{bound} or less"
        case Lt(bound):
            fits, wanted = value < bound, f"less than {bound}"
        case MinLen(bound):
            fits, wanted = len(value) >= bound, f"long enough; at least {bound}"
        case MaxLen(bound):
            fits, wanted = len(value) <= bound, f"short enough; at most {bound}"
        case _:
            pattern = pattern_of(mark)
            fits, wanted = re.search(pattern, value) is not None, f"of the form {pattern}"
    return "" if fits else wanted
