# ruff: noqa: N802, N815 - a visitor is named after its node
"""Finds names, attributes, filters and tests that do not exist, in every branch of a template."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from jinja2 import nodes
from jinja2.runtime import LoopContext

from wurzel.render.check import types
from wurzel.render.check.expressions import Expressions
from wurzel.render.check.scope import Scope, anything, assigned, unpacked
from wurzel.render.check.types import UNKNOWN
from wurzel.suggestion import LOOSE, did_you_mean

if TYPE_CHECKING:
    from wurzel.render.check.sources import Source
    from wurzel.render.environment import Environment

_LOOP = types.Module("loop", frozenset(name for name in dir(LoopContext) if name[:1] != "_"))
_IN_MACRO = dict.fromkeys(("caller", "varargs", "kwargs"), UNKNOWN)


class Names(Expressions):
    """Walks through the statements of one template in one context.

    `blocks`: for each block in the template, the scopes it is rendered in. `included`: the templates it includes, each
    with its line and the names it gets. `kinds`: the type of each expression that is written, by its identity.
    """

    def __init__(
        self,
        source: Source,
        environment: Environment,
        module: Callable[[Source, str, Scope | None], types.Module | None],
    ) -> None:
        super().__init__(source, environment)
        self._module = module
        self.blocks: dict[str, list[Scope]] = {}
        self.included: list[tuple[int, str, Scope]] = []
        self.kinds: dict[int, Any] = {}

    def walk(self, context: Scope, filled: dict[str, Scope], *, alone: bool = False) -> None:
        """Read the template.

        `context` are the names it gets, `filled` the scopes of the blocks of its parents; it is `alone` if it is
        imported, or included without context.
        """
        self._alone = alone
        context.names.setdefault("self", UNKNOWN)
        self._context = context
        self._filled = filled
        self._body(self._source.tree.body, context)

    def exported(self) -> dict[str, Any]:
        """Names that the template defines at its top level, which all blocks of its chain see."""
        return dict.fromkeys(assigned(self._source.tree.body), UNKNOWN) | {
            node.target: self._imported(node, Scope())
            for node in self._source.tree.body
            if isinstance(node, nodes.Import) and not node.with_context
        }

    def _body(self, body: Sequence[nodes.Node], scope: Scope) -> None:
        names = list(assigned(body))
        for name in names:
            scope.names.setdefault(name, UNKNOWN)
        for node in body:
            visit = getattr(self, f"_visit_{type(node).__name__}", None)
            if visit is not None:
                visit(node, scope, names)
            else:
                for child in node.iter_child_nodes():
                    self._value(child, scope)

    def _visit_Output(self, node: nodes.Output, scope: Scope, _names: Sequence[str]) -> None:
        for child in node.nodes:
            if not isinstance(child, nodes.TemplateData):
                self.kinds[id(child)] = self._value(child, scope)

    def _visit_If(self, node: nodes.If, scope: Scope, _names: Sequence[str]) -> None:
        self._value(node.test, scope)
        for body in (node.body, node.elif_, node.else_):
            self._body(body, scope)

    def _visit_For(self, node: nodes.For, scope: Scope, _names: Sequence[str]) -> None:
        kind = types.element(self._value(node.iter, scope))
        inner = scope.within({**unpacked(node.target, kind), "loop": _LOOP})
        if node.test is not None:
            self._value(node.test, inner)
        self._body(node.body, inner)
        self._body(node.else_, scope.within())

    def _visit_With(self, node: nodes.With, scope: Scope, _names: Sequence[str]) -> None:
        kinds = [self._value(value, scope) for value in node.values]
        inner = scope.within()
        for target, kind in zip(node.targets, kinds, strict=True):
            inner.names |= unpacked(target, kind)
        self._body(node.body, inner)

    def _visit_Assign(self, node: nodes.Assign, scope: Scope, names: Sequence[str]) -> None:
        kind = self._value(node.node, scope)
        for name, found in unpacked(node.target, kind).items():
            scope.names[name] = found if names.count(name) == 1 else UNKNOWN

    def _visit_Macro(self, node: nodes.Macro | nodes.CallBlock, scope: Scope, _names: Sequence[str]) -> None:
        for value in [*node.defaults, *([node.call] if isinstance(node, nodes.CallBlock) else [])]:
            self._value(value, scope)
        arguments = {argument.name: UNKNOWN for argument in node.args}
        self._body(node.body, scope.within({**_IN_MACRO, **arguments}))

    _visit_CallBlock = _visit_Macro

    def _visit_Scope(
        self, node: nodes.Scope | nodes.AssignBlock | nodes.FilterBlock, scope: Scope, _names: Sequence[str]
    ) -> None:
        if not isinstance(node, nodes.Scope) and node.filter is not None:
            self._value(node.filter, scope)
        self._body(node.body, scope.within())

    _visit_AssignBlock = _visit_FilterBlock = _visit_Scope

    def _visit_Block(self, node: nodes.Block, scope: Scope, _names: Sequence[str]) -> None:
        seen = scope if node.scoped else self._context
        if self._source.extends is not None and node in self._source.tree.body:
            seen = self._filled.get(node.name) or anything()
        self.blocks.setdefault(node.name, []).append(seen)
        self._body(node.body, seen.within({"super": UNKNOWN}))

    def _visit_Include(self, node: nodes.Include, scope: Scope, _names: Sequence[str]) -> None:
        self._value(node.template, scope)
        for name in (reference.names for reference in self._source.references if reference.node is node):
            seen = scope.flat() if node.with_context else Scope()
            self.included += [(node.lineno, each, seen) for each in name]

    def _visit_Import(self, node: nodes.Import, scope: Scope, _names: Sequence[str]) -> None:
        self._value(node.template, scope)
        scope.names[node.target] = self._imported(node, scope)

    def _visit_FromImport(self, node: nodes.FromImport, scope: Scope, _names: Sequence[str]) -> None:
        self._value(node.template, scope)
        module = self._imported(node, scope)
        if not isinstance(module, types.Module):
            return
        for name in (name if isinstance(name, str) else name[0] for name in node.names):
            if name not in module.names:
                self._say(node, f"{module.name!r} has no {name!r}", did_you_mean(name, module.names, cutoff=LOOSE))

    def _imported(self, node: nodes.Import | nodes.FromImport, scope: Scope) -> Any:
        name = node.template.value if isinstance(node.template, nodes.Const) else None
        if not isinstance(name, str):
            return UNKNOWN
        return self._module(self._source, name, scope.flat() if node.with_context else None) or UNKNOWN
