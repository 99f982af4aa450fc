# ruff: noqa: N802, N815 - a visitor is named after its node
"""The types of expressions of a template, and what in them does not exist: names, attributes, filters, tests."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from jinja2 import nodes

from wurzel.exceptions import Problem
from wurzel.render.check import types
from wurzel.render.check.types import UNKNOWN
from wurzel.render.compiler import describe
from wurzel.render.elsewhere import instead
from wurzel.render.mistakes import no_filter, no_test
from wurzel.render.renames import renamed
from wurzel.render.structure import WITH_CONTEXT
from wurzel.render.values import show
from wurzel.suggestion import LOOSE, did_you_mean, listed

if TYPE_CHECKING:
    from wurzel.render.check.scope import Scope
    from wurzel.render.check.sources import Source
    from wurzel.render.environment import Environment

_GUARDS = frozenset({"defined", "undefined"})
_DEFAULTS = frozenset({"default", "d"})
OF_JINJA = frozenset({"caller", "kwargs", "loop", "self", "super", "varargs"})
"""Names that Jinja defines in some places."""
_NONE_MEANT = 'An expression of the platform is a text: {{ "{{…}}" }}.'
_KINDS: dict[type[nodes.Node], type] = {nodes.List: list, nodes.Dict: dict, nodes.Compare: bool, nodes.Not: bool}
_FILTERED = {"length": int, "count": int, "int": int, "float": float, "list": UNKNOWN, "json": str, "tojson": str}
_PLAIN_FILTERS = frozenset({"identifier", "duration"})
_TEXT_FILTERS = frozenset({"string", "trim", "upper", "lower", "replace", "capitalize", "title", "shell", "join"})


class Expressions:
    """Looks up what the expressions of one template name."""

    _alone = False
    """Whether the template is imported, or included without context."""

    def __init__(self, source: Source, environment: Environment) -> None:
        self._source = source
        self._environment = environment
        self.problems: list[Problem] = []

    def _say(self, node: nodes.Node, message: str, hint: str = "") -> None:
        self.problems.append(Problem(message, self._source.at(node.lineno), hint))

    def _value(self, node: nodes.Node, scope: Scope) -> Any:
        """The type of an expression; looks up all names in it."""
        visit = getattr(self, f"_value_{type(node).__name__}", None)
        if visit is not None:
            return visit(node, scope)
        for child in node.iter_child_nodes():
            self._value(child, scope)
        return _KINDS.get(type(node), UNKNOWN)

    def _value_Name(self, node: nodes.Name, scope: Scope) -> Any:
        kind = scope.find(node.name)
        if kind is not None:
            return kind
        if node.name not in self._source.guarded and node.name not in self._environment.globals:
            known = [*(name for name in scope.all() if name not in OF_JINJA), *self._environment.globals]
            self._say(
                node,
                f"{node.name!r} is undefined",
                instead("name", node.name)
                or did_you_mean(node.name, known, cutoff=LOOSE)
                or (WITH_CONTEXT if self._alone else _NONE_MEANT),
            )
        return UNKNOWN

    def _value_Const(self, node: nodes.Const, _scope: Scope) -> Any:
        return UNKNOWN if isinstance(node.value, str) else type(node.value)

    def _value_Getattr(self, node: nodes.Getattr, scope: Scope) -> Any:
        owner = self._value(node.node, scope)
        found = types.attribute(owner, node.attr)
        if found.is_missing and self._is_old(owner, node.attr):
            return UNKNOWN
        if found.is_missing:
            kind = owner.name if isinstance(owner, types.Module) else types.spell(owner)
            what = f"`{describe(node.node) or 'this'}` ({kind})"
            known = [name for name in found.known if name]
            self._say(
                node, f"{what} has no {node.attr!r}", did_you_mean(node.attr, known, cutoff=LOOSE) or listed(known)
            )
        return found.type

    def _is_old(self, owner: Any, attribute: str) -> bool:
        kinds = [kind.__name__ for kind in types.alternatives(owner) if isinstance(kind, type)]
        return renamed(self._environment.layers.renames, "attribute", attribute, kinds or [""]) is not None

    def _value_Getitem(self, node: nodes.Getitem, scope: Scope) -> Any:
        owner = self._value(node.node, scope)
        self._value(node.arg, scope)
        if isinstance(node.arg, nodes.Slice):
            return owner
        return types.entry(owner, node.arg.value if isinstance(node.arg, nodes.Const) else None)

    def _value_Compare(self, node: nodes.Compare, scope: Scope) -> Any:
        left = self._value(node.expr, scope)
        for operand in node.ops:
            right = self._value(operand.expr, scope)
            within = types.element(right) if operand.op in {"in", "notin"} else right
            self._compared(operand.expr, right, types.fields(within), node.expr)
            self._compared(node.expr, left, types.fields(left), operand.expr)
        return bool

    def _compared(self, node: nodes.Node, kind: Any, fields: Sequence[str], other: nodes.Node) -> None:
        """A record never equals a text or number, whatever it was in an earlier version."""
        if fields and isinstance(other, nodes.Const) and other.value is not None:
            what = f"`{describe(node) or 'this'}` ({types.spell(kind)})"
            hint = f"Compare one of the fields: {', '.join(fields)}."
            self._say(node, f"{what} is compared with {show(other.value)}", hint)

    def _value_Call(self, node: nodes.Call, scope: Scope) -> Any:
        for child in node.iter_child_nodes(exclude=("node",)):
            self._value(child, scope)
        self._value(node.node, scope)
        if isinstance(node.node, nodes.Getattr):
            return types.called(self._quiet(node.node.node, scope), node.node.attr)
        return UNKNOWN

    def _value_Filter(self, node: nodes.Filter, scope: Scope) -> Any:
        if node.name not in self._environment.filters:
            self._say(node, *no_filter(node.name, self._environment.filters))
        for child in node.iter_child_nodes(exclude=("node",)):
            self._value(child, scope)
        if node.node is None:
            return UNKNOWN
        guarded = node.name in _DEFAULTS and isinstance(node.node, nodes.Name | nodes.Getattr)
        kind = self._quiet(node.node, scope) if guarded else self._value(node.node, scope)
        own = self._environment.layers.filters.get(node.name)
        if own is not None:
            return self._own_filter(node, own)
        if node.name in _TEXT_FILTERS:
            return str if types.is_free_text(kind) else UNKNOWN
        return UNKNOWN if node.name in _PLAIN_FILTERS else _FILTERED.get(node.name, UNKNOWN)

    def _own_filter(self, node: nodes.Filter, function: Callable[..., Any]) -> Any:
        """The return type of a pack's filter, after checking its arguments."""
        hints = typing.get_type_hints(function)
        if node.dyn_args is None and node.dyn_kwargs is None:
            named = {str(item.key): item.value for item in node.kwargs}
            try:
                bound = inspect.signature(function).bind(node.node, *node.args, **named).arguments
            except TypeError as error:
                bound = {}
                self._say(node, f"{node.name}: {error}")
            for name, value in bound.items():
                if isinstance(value, nodes.Const) and not types.fits(value.value, hints.get(name, Any)):
                    self._say(node, f"{node.name}: {name} is {show(value.value)}, not {types.name_of(hints[name])}")
        return hints.get("return", UNKNOWN)

    def _value_Test(self, node: nodes.Test, scope: Scope) -> Any:
        if node.name not in self._environment.tests:
            self._say(node, *no_test(node.name, self._environment.tests))
        for child in node.iter_child_nodes(exclude=("node",)):
            self._value(child, scope)
        if node.name not in _GUARDS or not isinstance(node.node, nodes.Name):
            self._value(node.node, scope)
        return bool

    def _value_Concat(self, node: nodes.Concat, scope: Scope) -> Any:
        kinds = [self._value(item, scope) for item in node.nodes]
        return str if any(types.is_free_text(kind) for kind in kinds) else UNKNOWN

    def _value_CondExpr(self, node: nodes.CondExpr, scope: Scope) -> Any:
        self._value(node.test, scope)
        parts = [self._value(part, scope) for part in (node.expr1, node.expr2) if part is not None]
        return types.joined(parts)

    def _value_Or(self, node: nodes.Or | nodes.And, scope: Scope) -> Any:
        return types.joined([self._value(node.left, scope), self._value(node.right, scope)])

    _value_And = _value_Or

    def _quiet(self, node: nodes.Node, scope: Scope) -> Any:
        """The type of an expression that may be undefined, or that was already checked."""
        before = len(self.problems)
        kind = self._value(node, scope)
        del self.problems[before:]
        return kind
