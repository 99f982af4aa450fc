"""Names and their types, as seen from one place of a template."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from jinja2 import nodes

from wurzel.render.check.types import UNKNOWN, entry


class Scope:
    """Names that may be read at one place; `is_open`: other names are allowed too."""

    __slots__ = ("is_open", "names", "parent")

    def __init__(self, names: Mapping[str, Any] | None = None, parent: Scope | None = None) -> None:
        self.names: dict[str, Any] = dict(names or {})
        self.parent = parent
        self.is_open: bool = parent is not None and parent.is_open

    def find(self, name: str) -> Any:
        """The type of a name; `None` if there is no such name."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.names:
                return scope.names[name]
            scope = scope.parent
        return UNKNOWN if self.is_open else None

    def all(self) -> dict[str, Any]:
        """Every name with its innermost type."""
        outer = self.parent.all() if self.parent is not None else {}
        return outer | self.names

    def within(self, names: Mapping[str, Any] | None = None) -> Scope:
        """A scope inside this one."""
        return Scope(names, self)

    def flat(self) -> Scope:
        """The same names in a single scope, as an included template gets them."""
        copy = Scope(self.all())
        copy.is_open = self.is_open
        return copy


def anything() -> Scope:
    """A scope with any name: of a template whose context, or of a block whose place, is unknown."""
    scope = Scope()
    scope.is_open = True
    return scope


def merged(scopes: Sequence[Scope]) -> Scope:
    """The names of any of several scopes; a type that differs between them is unknown."""
    if len(scopes) == 1:
        return scopes[0]
    merged = Scope()
    for scope in scopes:
        merged.is_open = merged.is_open or scope.is_open
        for name, kind in scope.all().items():
            same = name not in merged.names or merged.names[name] == kind
            merged.names[name] = kind if same else UNKNOWN
    return merged


def assigned(body: Iterable[nodes.Node]) -> Iterator[str]:
    """Names that statements assign in their own scope."""
    for node in body:
        if isinstance(node, nodes.Assign | nodes.AssignBlock):
            yield from unpacked(node.target, UNKNOWN)
        elif isinstance(node, nodes.Macro):
            yield node.name
        elif isinstance(node, nodes.Import):
            yield node.target
        elif isinstance(node, nodes.FromImport):
            yield from (name if isinstance(name, str) else name[1] for name in node.names)
        elif isinstance(node, nodes.If):
            yield from assigned([*node.body, *node.elif_, *node.else_])


def unpacked(target: nodes.Node, kind: Any) -> dict[str, Any]:
    """The types of the names on the left of an assignment or of `in`, by the type of the value they unpack."""
    if isinstance(target, nodes.Name):
        return {target.name: kind}
    found: dict[str, Any] = {}
    if isinstance(target, nodes.Tuple):
        for index, item in enumerate(target.items):
            found |= unpacked(item, entry(kind, index))
    return found
