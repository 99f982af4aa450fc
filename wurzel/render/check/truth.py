"""Finds rendered text that is used as a condition, also where no render comes."""

from __future__ import annotations

from collections.abc import Iterator

from jinja2 import nodes

from wurzel.render.check.sources import every_node

_KEEPS_TEXT = frozenset({"trim", "indent", "replace"})
_ASKING = (nodes.If, nodes.CondExpr, nodes.Not, nodes.And, nodes.Or, nodes.For)
_RENDERING = frozenset({"caller", "super", "block_of"})


def conditions(tree: nodes.Template) -> Iterator[int]:
    """Lines of conditions that are text rendered by a macro, block or `set` block."""
    return _Conditions(tree).lines()


class _Conditions:
    def __init__(self, tree: nodes.Template) -> None:
        self._macros = set(_RENDERING)
        self._modules = {"self"}
        self._asking: list[nodes.Node] = []
        blocks: list[str] = []
        stored: list[str] = []
        for node in every_node(tree):
            if isinstance(node, _ASKING):
                self._asking.append(node)
            elif isinstance(node, nodes.Macro):
                self._macros.add(node.name)
            elif isinstance(node, nodes.Import):
                self._modules.add(node.target)
            elif isinstance(node, nodes.FromImport):
                self._macros |= {name if isinstance(name, str) else name[1] for name in node.names}
            elif isinstance(node, nodes.AssignBlock) and isinstance(node.target, nodes.Name):
                blocks.append(node.target.name)
            elif isinstance(node, nodes.Name) and node.ctx == "store":
                stored.append(node.name)
        self._texts = {name for name in blocks if stored.count(name) == 1}
        self._modules -= set(stored)

    def lines(self) -> Iterator[int]:
        for node in self._asking:
            yield from (test.lineno for test in _tests(node) if self._is_text(test))

    def _is_text(self, node: nodes.Node) -> bool:
        while isinstance(node, nodes.Filter) and node.name in _KEEPS_TEXT and node.node is not None:
            node = node.node
        if isinstance(node, nodes.Name):
            return node.name in self._texts
        called = node.node if isinstance(node, nodes.Call) else None
        if isinstance(called, nodes.Getattr):
            return isinstance(called.node, nodes.Name) and called.node.name in self._modules
        return isinstance(called, nodes.Name) and called.name in self._macros


def _tests(node: nodes.Node) -> Iterator[nodes.Node]:
    """The expressions whose truth a node asks for."""
    if isinstance(node, nodes.And | nodes.Or):
        yield node.left
        return
    test = node.node if isinstance(node, nodes.Not) else getattr(node, "test", None)
    while isinstance(test, nodes.And | nodes.Or):
        test = test.right  # `left` is asked for by the operator itself
    if test is not None:
        yield test
