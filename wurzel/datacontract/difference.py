"""Where an item differs from what reads back, and what to say about it."""

from __future__ import annotations

import dataclasses
from typing import Any

from pydantic import BaseModel

from wurzel.datacontract.codec import place, short
from wurzel.exceptions import ContractFailedException


class _Absent:
    def __repr__(self) -> str:
        return "nothing"


ABSENT = _Absent()
"""Stands for a value that is not there."""


class Difference:
    """The path to where two values differ, and both values there."""

    __slots__ = ("path", "read", "reason", "returned")

    def __init__(self, returned: Any, read: Any, reason: str = "") -> None:
        self.path: list[str | int] = []
        self.returned = returned
        self.read = read
        self.reason = reason

    def within(self, name: str | int) -> Difference:
        """The same difference, as seen from the object whose field or entry it is in."""
        self.path.insert(0, name)
        return self

    def message(self, item: str) -> str:
        """What is wrong, for the author of the step; `item` names the item, such as `item 3`."""
        where = place(item, self.path) or "it"
        if self.reason:
            return f"{where} {self.reason}"
        if self.returned is ABSENT:
            return f"{where} is not set, but would be read back as {short(self.read)}"
        if self.read is ABSENT:
            return f"{where} is not declared by the contract, so {short(self.returned)} would be lost"
        if type(self.returned) is type(self.read):
            return f"{where} is {short(self.returned)}, but would be read back as {short(self.read)}"
        return f"{where} is {_classes(self.returned, self.read)}"

    @property
    def remedy(self) -> str:
        """What to do about it; empty where that is plain."""
        if self.reason or self.returned is ABSENT:
            return ""
        if self.read is ABSENT:
            return "Declare a field for it."
        kind, base = type(self.returned), type(self.read)
        if kind is base:
            return "A validator or serializer must leave its own results alone; if none does, use another type."
        if issubclass(kind, base) and _fields(kind):
            return f"Declare that class, or a union: {base.__name__} | {kind.__name__}."
        return f"Return {article(base)}, or declare a type that only {article(kind)} can be read as."


def _classes(returned: Any, read: Any) -> str:
    kind, base = type(returned), type(read)
    mine, theirs = article(kind), article(base)
    lost = [name for name in _fields(kind) if name not in _fields(base)]
    if _fields(base) and lost:
        names = " and ".join(map(repr, lost[:3])) if len(lost) <= 3 else f"{', '.join(map(repr, lost[:3]))} and others"  # noqa: PLR2004
        return f"{mine}, which has the field{'s' if len(lost) > 1 else ''} {names} that {base.__name__} cannot store"
    if _fields(base):
        return f"{mine}, but would be read back as {theirs}"
    return f"{_valued(mine, returned)}, but would be read back as {_valued(theirs, read)}"


def _valued(kind: str, value: Any) -> str:
    return kind if value is None else f"{kind}, {short(value)}"


def article(kind: type) -> str:
    """The name of a class, as one says it of a value."""
    if kind is type(None):
        return "None"
    return f"an {kind.__name__}" if kind.__name__[0] in "AEIOUaeiou" else f"a {kind.__name__}"


def not_many(value: Any, wanted: str) -> ContractFailedException:
    """What to raise for what `run` gave where a list, a set or a stream is `wanted`."""
    how = "For one item, return it in a list: return […]."
    if value is None:
        how = "Return [] where there are no items."
    elif isinstance(value, set | frozenset):
        how = "The order of a set differs between processes: return sorted(…)."
    return ContractFailedException(f"it is {article(type(value))}, not {wanted}", hint=how)


def _fields(kind: type) -> list[str]:
    if issubclass(kind, BaseModel):
        return list(kind.model_fields)
    return [field.name for field in dataclasses.fields(kind)] if dataclasses.is_dataclass(kind) else []
